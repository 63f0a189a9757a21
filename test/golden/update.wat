;; What is loaded, changed and stored is changed in memory, if nothing is in between.
;; always: add DWORD PTR \[r15\+rdi\*1\+0x4\],0x1
;; always: or QWORD PTR \[r15\+rdi\*1\],rsi
(module
  (memory 1)
  (func (export "count") (param i32)
    (i32.store offset=4 (local.get 0) (i32.add (i32.load offset=4 (local.get 0)) (i32.const 1))))
  (func (export "mark") (param i32 i64)
    (i64.store (local.get 0) (i64.or (local.get 1) (i64.load (local.get 0)))))
  (func (export "flag") (param i32)
    (i32.store8 (local.get 0) (i32.or (i32.load8_u (local.get 0)) (i32.const 128))))
  (func (export "lower") (param i32)
    (i32.store (local.get 0) (i32.sub (i32.load (local.get 0)) (i32.const 300)))
    (i32.store (local.get 0) (i32.and (i32.load (local.get 0)) (i32.const -8))))
  ;; not: the other way round, in a register that has no such form, elsewhere, across
  ;; another store, of which more is wanted
  (func (export "not") (param i32 i32) (result i32)
    (local $v i32)
    (i32.store (local.get 0) (i32.sub (i32.const 1) (i32.load (local.get 0))))
    (i32.store offset=8 (local.get 0) (i32.xor (i32.load offset=8 (local.get 0)) (local.get 1)))
    (i32.store offset=12 (local.get 0) (i32.add (i32.load offset=16 (local.get 0)) (i32.const 1)))
    (local.set $v (i32.load offset=20 (local.get 0)))
    (i32.store offset=24 (local.get 0) (i32.const 0))
    (i32.store offset=20 (local.get 0) (i32.add (local.get $v) (i32.const 1)))
    (local.set $v (i32.add (i32.load offset=28 (local.get 0)) (i32.const 1)))
    (i32.store offset=28 (local.get 0) (local.get $v))
    (i32.store16 offset=32 (local.get 0) (i32.add (i32.load16_u offset=32 (local.get 0)) (i32.const 1)))
    (local.get $v)))
