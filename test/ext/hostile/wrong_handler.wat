;; Its handler has another signature than the hook.
(module
  (func (export "net.rx") (param i64) (result i32) (i32.const 0)))
