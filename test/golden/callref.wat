;; call_ref is call_indirect over the store's handles; null checks are branches.
;; always: cmp DWORD PTR \[rax-0x4\]
(module
  (type $t (func (param i32) (result i32)))
  (func $g (type $t) (local.get 0))
  (elem declare func $g)
  (func (export "call") (param (ref null $t)) (result i32) (call_ref $t (i32.const 7) (local.get 0)))
  (func (export "tail") (param (ref null $t)) (result i32) (return_call_ref $t (i32.const 7) (local.get 0)))
  (func (export "check") (param funcref) (result i32)
    (block $l (result (ref func)) (br_on_non_null $l (local.get 0)) (return (i32.const 1)))
    (ref.is_null))
  (func (export "non_null") (param funcref) (result (ref func)) (ref.as_non_null (local.get 0))))
