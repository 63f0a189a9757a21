;; Divides by zero.
(module
  (func (export "net.rx") (param i32 i32) (result i32)
    (i32.div_u (local.get 0) (i32.const 0))))
