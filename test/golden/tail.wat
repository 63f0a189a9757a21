;; A tail call is moves, the frame taken down, a jump: to a function, through a
;; table (the glue's mark check is out of line), to an import.
;; never: \bcall\b
(module
  (type $t (func (param i32) (result i32)))
  (import "env" "now" (func $now (result i64)))
  (table 4 funcref)
  (func $g (type $t) (local.get 0))
  (func (export "direct") (param i32 i32) (result i32) (return_call $g (local.get 1)))
  (func (export "table") (param i32) (result i32)
    (return_call_indirect (type $t) (i32.const 7) (local.get 0)))
  (func (export "import") (result i64) (return_call $now)))
