;; Calls of every kind, two callees in turn.
(module
  (type $two (func (param i32 i32) (result i32)))
  (import "env" "host" (func $host (type $two)))
  (memory 1)
  (table 4 4 funcref)
  (elem (i32.const 0) $add $mix)
  (func $add (type $two) (i32.add (local.get 0) (local.get 1)))
  (func $mix (type $two) (i32.xor (local.get 0) (local.get 1)))
  (func (export "nop"))
  (func (export "add") (type $two) (i32.add (local.get 0) (local.get 1)))
  (func (export "hostcall") (param $n i32) (result i32)
    (local $sum i32)
    (loop $next
      (local.set $sum (call $host (local.get $sum) (local.get $n)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "indirect") (param $n i32) (result i32)
    (local $sum i32)
    (loop $next
      (local.set $sum (call_indirect (type $two) (local.get $sum) (local.get $n) (i32.and (local.get $n) (i32.const 1))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
