;; A module that calls its host, adds, and traps.
(module
  (import "host" "say" (func $say (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "hello")
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "greet") (call $say (i32.const 16) (i32.const 5)))
  (func (export "fail") unreachable))
