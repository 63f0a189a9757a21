;; Constant divisors need no checks, variable ones two.
(module
  (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "div7") (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 7)))
  (func (export "rem8") (param i32) (result i32) (i32.rem_u (local.get 0) (i32.const 8)))
  (func (export "rem") (param i64 i64) (result i64) (i64.rem_s (local.get 0) (local.get 1))))
