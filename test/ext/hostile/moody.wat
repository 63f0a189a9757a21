;; Counts its calls: the first after loading answers DROP (1), others PASS. Loops on
;; a frame of 1 byte, traps on one of 2.
(module
  (memory 1)
  (global $loaded (mut i32) (i32.const 0))
  (func (export "whelk.load") (global.set $loaded (i32.const 1)))
  (func (export "net.rx") (param i32 i32) (result i32)
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (global.get $loaded)))
    (if (i32.eq (local.get 0) (i32.const 1)) (then (loop (br 0))))
    (if (i32.eq (local.get 0) (i32.const 2)) (then unreachable))
    (i32.eq (i32.load (i32.const 0)) (i32.const 1))))
