;; Reads beyond its memory.
(module
  (memory 1)
  (func (export "net.rx") (param i32 i32) (result i32)
    (i32.load offset=65536 (i32.mul (local.get 0) (i32.const 0)))))
