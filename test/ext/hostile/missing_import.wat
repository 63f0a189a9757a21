;; Imports a function that does not exist.
(module
  (import "env" "missing" (func (param i32)))
  (func (export "net.rx") (param i32 i32) (result i32) (i32.const 0)))
