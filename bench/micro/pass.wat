;; The least extension: every frame passes.
(module (func (export "net.rx") (param i32 i32) (result i32) (i32.const 0)))
