;; Small leaves where they are called (build_inline.c). In a straight line there is no
;; block between; with branches theirs meet at the end. Locals begin at 0 each time.
;; What divides keeps its frame: a trap of its own is looked for in a backtrace.
(module
  (memory 1)
  (func $sum (param i32 i32 i32) (i32.store (local.get 2) (i32.add (local.get 0) (i32.add (local.get 1) (i32.const 2)))))
  (func $least (param i32 i32) (result i32)
    (if (i32.lt_s (local.get 0) (local.get 1)) (then (return (local.get 0))))
    (local.get 1))
  (func $once (param i32) (result i32) (local i32)
    (local.set 1 (i32.add (local.get 1) (local.get 0)))
    (local.get 1))
  (func $half (param i32 i32) (result i32) (i32.div_u (local.get 0) (local.get 1)))
  (func (export "f") (param i32 i32 i32) (result i32) (local i32)
    (local.set 3 (i32.const 7))
    (call $sum (local.get 0) (i32.const 3) (local.get 2))
    (i32.add (local.get 3) (call $least (local.get 0) (local.get 1))))
  (func (export "g") (param i32) (result i32)
    (loop (br_if 0 (i32.lt_u (local.tee 0 (i32.add (call $once (local.get 0)) (i32.const 1))) (i32.const 9))))
    (local.get 0))
  (func (export "h") (param i32) (result i32) (call $half (local.get 0) (local.get 0))))
