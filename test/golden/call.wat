;; A direct call, an import, an indirect call; a value kept across them.
(module
  (type $t (func (param i32) (result i32)))
  (import "env" "now" (func $now (result i64)))
  (table 4 funcref)
  (func $third (type $t) (i32.div_u (local.get 0) (i32.const 3)))
  (func (export "f") (param i32) (result i32)
    (i32.add (local.get 0) (call $third (local.get 0))))
  (func (export "g") (param i32) (result i32)
    (call_indirect (type $t) (i32.const 7) (local.get 0)))
  (func (export "h") (result i64) (i64.sub (call $now) (call $now))))
