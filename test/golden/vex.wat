;; With AVX: three operands, and memory wherever it is.
;; cpu: avx
;; always: vpaddd xmm\d,xmm\d,XMMWORD PTR \[r15
;; always: vpslld
;; always: vsubsd
;; always: vpinsrd
;; never: movaps|movups xmm\d
(module (memory 1)
  (func (export "sum") (param i32 v128) (result v128) (i32x4.add (v128.load align=1 (local.get 0)) (local.get 1)))
  (func (export "rotate") (param v128) (result v128)
    (v128.or (i32x4.shl (local.get 0) (i32.const 7)) (i32x4.shr_u (local.get 0) (i32.const 25))))
  (func (export "back") (param f64 f64) (result f64) (f64.sub (local.get 1) (local.get 0)))
  (func (export "lane") (param v128 i32) (result v128)
    (v128.xor (i32x4.replace_lane 2 (local.get 0) (local.get 1)) (local.get 0))))
