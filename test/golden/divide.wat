;; Constant divisors need no checks, variable ones two.
(module
  (memory 1)
  (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "div7") (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 7)))
  (func (export "rem8") (param i32) (result i32) (i32.rem_u (local.get 0) (i32.const 8)))
  (func (export "rem") (param i64 i64) (result i64) (i64.rem_s (local.get 0) (local.get 1)))
  ;; what divides and what is left over, where div has them
  (func (export "gcd") (param $a i32) (param $b i32) (result i32)
    (local $rest i32)
    (loop $next
      (local.set $rest (i32.rem_u (local.get $a) (local.get $b)))
      (local.set $a (local.get $b))
      (br_if $next (local.tee $b (local.get $rest))))
    (local.get $a))
  (func (export "pick") (param $p i32) (result i32)
    (block $two (block $one
      (br_table $one $two (i32.load (local.get $p))))
      (return (i32.const 1)))
    (i32.const 2)))
