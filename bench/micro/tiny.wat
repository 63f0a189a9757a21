;; 91 bytes: one page of memory, two functions.
(module
  (memory (export "memory") 1)
  (func (export "nop"))
  (func (export "write_at") (param i32 i32) (result i32)
    (i32.store (local.get 0) (local.get 1))
    (i32.xor (i32.load (i32.and (local.get 0) (i32.const 0xfffc))) (i32.load8_u offset=3 (local.get 0)))))
