;; Memories beyond the first: the index goes through r11, never behind r15.
;; never: r15
;; always: add r11,QWORD PTR \[r14\+0x
(module
  (memory 1)
  (memory $b 1)
  (func (param i32 i64) (result i32)
    (i64.store $b offset=8 (local.get 0) (local.get 1))
    (i32.load16_s $b offset=0xfffffff0 (local.get 0))))
