;; try_table costs nothing on the way that does not throw: a call, and out of line
;; a pad that takes the payload. What is live into the pad is in a slot.
(module
  (tag $e (param i64))
  (func $g (param i64) (throw $e (local.get 0)))
  (func (export "f") (param i64 i64) (result i64)
    (block $h (result i64)
      (try_table (catch $e $h) (call $g (local.get 0)))
      (return (local.get 0)))
    (i64.add (local.get 1))))
