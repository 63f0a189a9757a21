;; Atomic accesses: the sum is in r11, tested for alignment, and every write is locked.
;; always: lock xadd
;; always: lock cmpxchg
;; always: test r11b,0x7
(module
  (memory 1 1 shared)
  (func (param i32 i64) (result i64)
    (i64.atomic.store (local.get 0) (local.get 1))
    (i64.atomic.rmw.add offset=8 (local.get 0) (local.get 1)))
  (func (param i32 i32 i32) (result i32)
    (drop (i32.atomic.rmw.and (local.get 0) (local.get 1)))
    (i32.atomic.rmw8.cmpxchg_u offset=3 (local.get 0) (local.get 2) (local.get 1))))
