;; BMI: shifts by any register, rotations to another one, a & ~b. A test has what it
;; tests in flags.
;; always: shlx
;; always: rorx
;; always: andn
;; never: cl\b
(module
  (func (export "shl") (param i32 i32) (result i32) (i32.shl (local.get 0) (local.get 1)))
  (func (export "rotations") (param i64) (result i64)
    (i64.xor (i64.rotl (local.get 0) (i64.const 13)) (i64.rotr (local.get 0) (i64.const 7))))
  (func (export "without") (param i32 i32) (result i32)
    (if (result i32) (i32.and (local.get 0) (i32.xor (local.get 1) (i32.const -1))) (then (i32.const 1)) (else (local.get 0)))))
