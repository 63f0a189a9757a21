;; Parameters and results without a register: through the store, never the stack.
;; never: \[rsp
(module
  (func $g (param i32 i32 i32 i32 i32 i32 i32 i64 f64) (result i32 i64 f64)
    (local.get 6) (local.get 7) (local.get 8))
  (func (export "f") (param i32) (result f64)
    (call $g (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0)
      (local.get 0) (i64.const 0x123456789abc) (f64.const 1.5))
    (f64.add (f64.const 1)) (drop) (drop) (f64.convert_i32_s)))
