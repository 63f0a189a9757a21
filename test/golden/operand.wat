;; Which register an operation takes: no value moves in the loop. 3, 5, 9 times by lea; a
;; boolean in a register that was cleared.
;; never: imul|movzx e..,.l
(module
  (memory 1)
  (func (export "times") (param i32 i64) (result i64)
    (i64.add
      (i64.extend_i32_u (i32.mul (local.get 0) (i32.const 3)))
      (i64.mul (local.get 1) (i64.const 9))))
  (func (export "differs") (param i32 i32) (result i32)
    (i32.ne (local.get 0) (local.get 1)))
  (func (export "diagonal") (param $p i32) (param $x i32) (result i32)
    (local $before i32) (local $cost i32)
    (loop $next
      (local.set $cost (i32.add (local.get $before) (i32.gt_s (local.get $p) (local.get $x))))
      (local.set $before (i32.load (local.get $p)))
      (i32.store (local.get $p) (local.get $cost))
      (local.set $p (i32.add (local.get $p) (i32.const 4)))
      (br_if $next (i32.ne (local.get $p) (local.get $x))))
    (local.get $before))
  ;; sums of up to three terms are one lea
  (func (export "sums") (param i32 i32 i32) (result i32)
    (i32.xor
      (i32.add (i32.add (local.get 0) (local.get 1)) (i32.const 1000))
      (i32.xor
        (i32.add (i32.add (local.get 1) (i32.shl (local.get 2) (i32.const 2))) (i32.const -8))
        (i32.add (i32.shl (local.get 0) (i32.const 3)) (i32.const 1024)))))
  ;; but not what is too large for one, nor what a load is folded into
  (func (export "no_sums") (param i32 i64) (result i64)
    (i64.xor
      (i64.add (i64.add (local.get 1) (i64.load (local.get 0))) (i64.const 1))
      (i64.add (i64.shl (local.get 1) (i64.const 1)) (i64.const 0x100000000)))))
