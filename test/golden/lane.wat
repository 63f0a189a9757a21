;; Lanes from memory, constants as operands; not: across a store.
;; never: movups
(module
  (memory 1)
  (func (param i32) (result v128)
    (v128.load32_lane offset=8 3 (local.get 0)
      (v128.load8_lane offset=4 2 (local.get 0) (v128.load32_splat (local.get 0)))))
  (func (param v128) (result i32)
    (i32x4.extract_lane 0
      (i8x16.add (i8x16.shuffle 3 2 1 0 7 6 5 4 11 10 9 8 15 14 13 12 (local.get 0) (local.get 0))
                 (v128.const i64x2 0x0102030405060708 0x1112131415161718))))
  (func (param i32 v128) (result v128)
    (local i32)
    (local.set 2 (i32.load (local.get 0)))
    (i32.store (local.get 0) (i32.const 7))
    (i32x4.replace_lane 1 (local.get 1) (local.get 2))))
