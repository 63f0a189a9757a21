;; As step.wat, for what makes the kernel enter through a thunk: vector registers
;; and exceptions.
(module
  (import "env" "now" (func $now (result i64)))
  (memory 8)
  (global $mark (mut f64) (f64.const 0))
  (tag $e (param i32))
  (type $program (func (result i32)))
  (table $t 20 funcref)
  (elem (i32.const 1) $probe $spin $catches $host $tails $ends $uncaught $overflow)

  (func (export "net.rx") (param i32 i32) (result i32)
    (if (i32.ne (local.get 0) (i32.const 1)) (then
      (i32.store (i32.const 0) (i32.const 1))
      (global.set $mark (f64.const 1))))
    (call_indirect $t (type $program) (local.get 0)))
  (func $probe (result i32)
    (i32.and (i32.eqz (i32.load (i32.const 0))) (f64.eq (global.get $mark) (f64.const 0))))

  (func $spin (result i32) (local $x f64)
    (loop $l
      (local.set $x (f64.add (f64.div (local.get $x) (f64.const 3)) (f64.sqrt (f64.load (i32.const 64)))))
      (f64.store (i32.const 64) (f64.mul (local.get $x) (f64.const 2)))
      (br $l))
    (unreachable))
  (func $throws (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (throw $e (i32.const 7))))
    (i32.add (call $throws (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
  (func $catches (result i32)
    (loop $l
      (drop (try (result i32) (do (call $throws (i32.const 3))) (catch $e)))
      (br $l))
    (unreachable))
  (func $host (result i32)
    (loop $l (f64.store (i32.const 64) (f64.convert_i64_s (call $now))) (br $l))
    (unreachable))
  (func $tail (param i32 f64) (result i32)
    (return_call $tail (i32.add (local.get 0) (i32.const 1)) (f64.neg (local.get 1))))
  (func $tails (result i32) (call $tail (i32.const 0) (f64.const 1)))

  (func $ends (result i32)
    (drop (try (result i32) (do (call $throws (i32.const 1))) (catch $e)))
    (i32.const 0))
  (func $uncaught (result i32) (call $throws (i32.const 2)))
  (func $overflow (result i32) (i32.trunc_f64_s (f64.div (f64.const 1) (global.get $zero))))
  (global $zero (mut f64) (f64.const 0)))
