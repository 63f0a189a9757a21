;; Compare with branch and with conditional move; immediates; no booleans made.
;; never: set[a-z]+ 
(module
  (func (export "max") (param i32 i32) (result i32)
    (select (local.get 0) (local.get 1) (i32.gt_s (local.get 0) (local.get 1))))
  (func (export "clamp") (param f64 f64) (result f64)
    (select (local.get 0) (local.get 1) (f64.lt (local.get 0) (local.get 1))))
  (func (export "abs") (param i64) (result i64)
    (if (result i64) (i64.lt_s (local.get 0) (i64.const 0))
      (then (i64.sub (i64.const 0) (local.get 0)))
      (else (local.get 0))))
  (func (export "best") (param i32 i32 i32 i32) (result i32)
    (local $less i32)
    (local.set $less (i32.lt_u (local.get 0) (local.get 1)))
    (i32.mul
      (select (local.get 0) (local.get 1) (local.get $less))
      (select (local.get 2) (local.get 3) (local.get $less))))
  ;; Only the first operand differs: that is another comparison.
  (func (export "both") (param i32 i32) (result i32)
    (i32.add
      (select (local.get 0) (local.get 1) (i32.lt_u (local.get 0) (i32.const 5)))
      (select (local.get 0) (local.get 1) (i32.lt_u (local.get 1) (i32.const 5))))))
