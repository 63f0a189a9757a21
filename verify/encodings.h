/* encodings.h: the permitted encodings, a row each, its comment behind it. An X-macro list, so: no include guard.
 *
 * E(map, prefix, opcode, role, reg, rm, width, imm, cpu)
 *   map     ONE, TWO (0f), A38 (0f 38), A3A (0f 3a);  prefix NP, P66, PF3, PF2
 *   role    ANY: the operands say it all; else a case in func.c
 *   reg, rm what the ModRM operands are: register class G or V and read, write or
 *           both (GR GW GB VR VW VB), N none. M: rm must be memory. What a written
 *           general register then holds: by operand size (32 bits clear the upper
 *           half), but for GB8, GB16 (a part: the rest stays) and GX (nothing known).
 *           8: of a byte, which without REX must not be ah..bh
 *           R: rm must be a register
 *   width   bytes of memory that rm is: 1 2 4 8 16, O the operand size; 16 must be
 *           aligned, U16 need not
 *   imm     bytes of immediate; Z: 4, or 2 with 66
 * Groups, where reg is part of the opcode, have role G_* and are checked there. */
#ifdef E
/* integers */
E(ONE, NP, 0x01, ANY, GR, GB, O, 0, 0) /* add rm, r */               E(ONE, NP, 0x03, ADD, GB, GR, O, 0, 0) /* add */
E(ONE, NP, 0x09, ANY, GR, GB, O, 0, 0) /* or rm, r */                E(ONE, NP, 0x0b, ANY, GB, GR, O, 0, 0)
E(ONE, NP, 0x0a, ANY, GB8, GR8, 1, 0, 0) /* or r8 */                 E(ONE, NP, 0x13, ANY, GB, GR, O, 0, 0) /* adc */
E(ONE, NP, 0x1b, ANY, GB, GR, O, 0, 0) /* sbb */                     E(ONE, NP, 0x22, ANY, GB8, GR8, 1, 0, 0) /* and r8 */
E(ONE, NP, 0x23, AND, GB, GR, O, 0, 0)                               E(ONE, NP, 0x2b, ANY, GB, GR, O, 0, 0)
E(ONE, NP, 0x33, XOR, GB, GR, O, 0, 0)                               E(ONE, NP, 0x39, ANY, GR, GR, O, 0, 0) /* cmp rm, r */
E(ONE, NP, 0x3b, CMP, GR, GR, O, 0, 0)                               E(ONE, NP, 0x63, ANY, GW, GR, 4, 0, 0) /* movsxd */
E(ONE, NP, 0x69, ANY, GW, GR, O, 4, 0) /* imul */                    E(ONE, NP, 0x84, ANY, GR8, GR8, 1, 0, 0)
E(ONE, NP, 0x85, TEST, GR, GR, O, 0, 0)                              E(ONE, NP, 0x86, ANY, GB8, GB8, 1, 0, 0) /* xchg */
E(ONE, NP, 0x87, ANY, GX, GX, O, 0, 0)                               E(ONE, P66, 0x87, ANY, GB16, GB16, 2, 0, 0)
E(ONE, NP, 0x88, ANY, GR8, GB8, 1, 0, 0)                             E(ONE, NP, 0x89, STORE, GR, GW, O, 0, 0)
E(ONE, P66, 0x89, ANY, GR, GB16, 2, 0, 0)                            E(ONE, NP, 0x8b, LOAD, GW, GR, O, 0, 0)
E(ONE, NP, 0x8d, LEA, GW, N, O, 0, 0)                                E(ONE, NP, 0x80, G_ALU, N, N8, 1, 1, 0)
E(ONE, NP, 0x81, G_ALU, N, N, O, 4, 0)                               E(ONE, NP, 0x83, G_ALU, N, N, O, 1, 0)
E(ONE, NP, 0xc1, G_SHIFT, N, N, O, 1, 0)                             E(ONE, NP, 0xd3, G_SHIFT, N, N, O, 0, 0)
E(ONE, NP, 0xc6, G_MOVI, N, N8, 1, 1, 0)                             E(ONE, NP, 0xc7, G_MOVI, N, N, O, 4, 0)
E(ONE, P66, 0xc7, G_MOVI, N, N, 2, 2, 0)                             E(ONE, NP, 0xf6, G_TEST8, N, N8, 1, 1, 0)
E(ONE, NP, 0xf7, G_UNARY, N, N, O, 0, 0)  /* test has imm32: seen there */
E(ONE, NP, 0xff, G_FF, N, N, O, 0, 0)                                E(TWO, NP, 0xaf, ANY, GB, GR, O, 0, 0) /* imul */
E(TWO, NP, 0xb0, CMPXCHG, GR8, GB8, 1, 0, 0)                         E(TWO, NP, 0xb1, CMPXCHG, GR, GX, O, 0, 0)
E(TWO, P66, 0xb1, CMPXCHG, GR, GB16, 2, 0, 0)                        E(TWO, NP, 0xb6, ANY, GW, GR8, 1, 0, 0) /* movzx, movsx */
E(TWO, NP, 0xb7, ANY, GW, GR, 2, 0, 0)                               E(TWO, NP, 0xbe, ANY, GW, GR8, 1, 0, 0)
E(TWO, NP, 0xbf, ANY, GW, GR, 2, 0, 0)                               E(TWO, NP, 0xbc, ANY, GX, GR, O, 0, 0) /* bsf, bsr: of 0, what was there */
E(TWO, NP, 0xbd, ANY, GX, GR, O, 0, 0)                               E(TWO, PF3, 0xb8, ANY, GW, GR, O, 0, POPCNT)
E(TWO, PF3, 0xbc, ANY, GW, GR, O, 0, BMI1)                           E(TWO, PF3, 0xbd, ANY, GW, GR, O, 0, LZCNT)
E(TWO, NP, 0xc0, ANY, GB8, GB8, 1, 0, 0) /* xadd */                  E(TWO, NP, 0xc1, ANY, GX, GX, O, 0, 0)
E(TWO, P66, 0xc1, ANY, GB16, GB16, 2, 0, 0)                          E(TWO, NP, 0xae, FENCE, N, N, O, 0, 0)
E(A38, P66, 0xf7, BMI, GW, GR, O, 0, BMI2) /* shlx: with VEX */       E(A38, PF3, 0xf7, BMI, GW, GR, O, 0, BMI2) /* sarx */
E(A38, PF2, 0xf7, BMI, GW, GR, O, 0, BMI2) /* shrx */                E(A3A, PF2, 0xf0, BMI, GW, GR, O, 1, BMI2) /* rorx */
E(A38, NP, 0xf2, BMI, GW, GR, O, 0, BMI1) /* andn */                 E(TWO, NP, 0x1f, NOP, N, N, O, 0, 0)                                 E(TWO, P66, 0x1f, NOP, N, N, O, 0, 0)
/* scalar floating point */
E(TWO, PF3, 0x10, ANY, VW, VR, 4, 0, 0)                              E(TWO, PF2, 0x10, ANY, VW, VR, 8, 0, 0)
E(TWO, PF3, 0x11, ANY, VR, VW, 4, 0, 0)                              E(TWO, PF2, 0x11, ANY, VR, VW, 8, 0, 0)
E(TWO, NP, 0x28, ANY, VW, VR, 16, 0, 0)                              E(TWO, PF3, 0x2a, ANY, VB, GR, O, 0, 0) /* cvtsi2ss, sd */
E(TWO, PF2, 0x2a, ANY, VB, GR, O, 0, 0)                              E(TWO, PF3, 0x2c, ANY, GW, VR, 4, 0, 0) /* cvttss2si */
E(TWO, PF2, 0x2c, ANY, GW, VR, 8, 0, 0)                              E(TWO, NP, 0x2e, ANY, VR, VR, 4, 0, 0)
E(TWO, P66, 0x2e, ANY, VR, VR, 8, 0, 0)                              E(TWO, NP, 0x54, ANY, VB, VR, 16, 0, 0)
E(TWO, NP, 0x56, ANY, VB, VR, 16, 0, 0)                              E(TWO, NP, 0x57, ANY, VB, VR, 16, 0, 0)
E(TWO, P66, 0x6e, ANY, VW, GR, O, 0, 0) /* movd, movq */             E(TWO, P66, 0x7e, ANY, VR, GW, O, 0, 0)
E(A3A, P66, 0x0a, ANY, VB, VR, 4, 1, SSE41)                          E(A3A, P66, 0x0b, ANY, VB, VR, 8, 1, SSE41)
#define SCALAR(op) E(TWO, PF3, op, ANY, VB, VR, 4, 0, 0) E(TWO, PF2, op, ANY, VB, VR, 8, 0, 0)
SCALAR(0x51) SCALAR(0x58) SCALAR(0x59) SCALAR(0x5a) SCALAR(0x5c) SCALAR(0x5d) SCALAR(0x5e) SCALAR(0x5f)
#undef SCALAR
E(TWO, NP, 0x10, ANY, VW, VR, U16, 0, 0) /* movups */                E(TWO, NP, 0x11, ANY, VR, VW, U16, 0, 0)
/* vectors: what jit/simd.h may emit, in its legacy encoding or with VEX */
#define PACKED(prefix, op) E(TWO, prefix, op, ANY, VB, VR, 16, 0, 0)
#define P38(op) E(A38, P66, op, ANY, VB, VR, 16, 0, SSE41)
#define P38W(op) E(A38, P66, op, ANY, VW, VR, 16, 0, SSE41)
P38(0x00 /* pshufb */) P38(0x04 /* pmaddubsw */) P38(0x0b /* pmulhrsw */) P38W(0x1c /* pabsb */) P38W(0x1d /* pabsw */)
P38W(0x1e /* pabsd */) P38W(0x20 /* pmovsxbw */) P38W(0x23 /* pmovsxwd */) P38W(0x25 /* pmovsxdq */) P38(0x28 /* pmuldq */)
P38(0x29 /* pcmpeqq */) P38(0x2b /* packusdw */) P38W(0x30 /* pmovzxbw */) P38W(0x33 /* pmovzxwd */) P38W(0x35 /* pmovzxdq */)
P38(0x38 /* pminsb */) P38(0x39 /* pminsd */) P38(0x3a /* pminuw */) P38(0x3b /* pminud */)
P38(0x3c /* pmaxsb */) P38(0x3d /* pmaxsd */) P38(0x3e /* pmaxuw */) P38(0x3f /* pmaxud */) P38(0x40 /* pmulld */)
E(A3A, P66, 0x08, ANY, VW, VR, 16, 1, SSE41) /* roundps */           E(A3A, P66, 0x09, ANY, VW, VR, 16, 1, SSE41) /* roundpd */
E(A3A, P66, 0x14, ANY, VR, GW, 1, 1, SSE41) /* pextrb */             E(A3A, P66, 0x15, ANY, VR, GW, 2, 1, SSE41) /* pextrw */
E(A3A, P66, 0x16, ANY, VR, GW, O, 1, SSE41) /* pextrd */             E(A3A, P66, 0x20, ANY, VB, GR, 1, 1, SSE41) /* pinsrb */
E(A3A, P66, 0x21, ANY, VB, VR, 16, 1, SSE41) /* insertps */          E(A3A, P66, 0x22, ANY, VB, GR, O, 1, SSE41) /* pinsrd */
PACKED(NP, 0x14 /* unpcklps */) PACKED(NP, 0x16 /* movlhps */) PACKED(P66, 0x6c /* punpcklqdq */) PACKED(P66, 0x6d /* punpckhqdq */)
E(TWO, NP, 0x50, ANY, GW, VR | A_REGISTER, 16, 0, 0) /* movmskps */  E(TWO, P66, 0x50, ANY, GW, VR | A_REGISTER, 16, 0, 0) /* movmskpd */
E(TWO, NP, 0x51, ANY, VW, VR, 16, 0, 0) /* sqrtps */                 E(TWO, P66, 0x51, ANY, VW, VR, 16, 0, 0) /* sqrtpd */
PACKED(NP, 0x58 /* addps */) PACKED(P66, 0x58 /* addpd */) PACKED(NP, 0x59 /* mulps */) PACKED(P66, 0x59 /* mulpd */)
E(TWO, NP, 0x5a, ANY, VW, VR, 16, 0, 0) /* cvtps2pd */               E(TWO, P66, 0x5a, ANY, VW, VR, 16, 0, 0) /* cvtpd2ps */
E(TWO, NP, 0x5b, ANY, VW, VR, 16, 0, 0) /* cvtdq2ps */               E(TWO, PF3, 0x5b, ANY, VW, VR, 16, 0, 0) /* cvttps2dq */
PACKED(NP, 0x5c /* subps */) PACKED(P66, 0x5c /* subpd */) PACKED(NP, 0x5d /* minps */) PACKED(P66, 0x5d /* minpd */)
PACKED(NP, 0x5e /* divps */) PACKED(P66, 0x5e /* divpd */) PACKED(NP, 0x5f /* maxps */) PACKED(P66, 0x5f /* maxpd */)
PACKED(P66, 0x60 /* punpcklbw */) PACKED(P66, 0x61 /* punpcklwd */) PACKED(P66, 0x62 /* punpckldq */) PACKED(P66, 0x63 /* packsswb */)
PACKED(P66, 0x64 /* pcmpgtb */) PACKED(P66, 0x65 /* pcmpgtw */) PACKED(P66, 0x66 /* pcmpgtd */) PACKED(P66, 0x67 /* packuswb */)
PACKED(P66, 0x68 /* punpckhbw */) PACKED(P66, 0x69 /* punpckhwd */) PACKED(P66, 0x6a /* punpckhdq */) PACKED(P66, 0x6b /* packssdw */)
E(TWO, P66, 0x70, ANY, VW, VR, 16, 1, 0) /* pshufd */                E(TWO, PF2, 0x70, ANY, VW, VR, 16, 1, 0) /* pshuflw */
E(TWO, P66, 0x71, G_VSHIFT, N, VB | A_REGISTER, 16, 1, 0) /* psllwi */ E(TWO, P66, 0x72, G_VSHIFT, N, VB | A_REGISTER, 16, 1, 0) /* pslldi */
E(TWO, P66, 0x73, G_VSHIFT, N, VB | A_REGISTER, 16, 1, 0) /* psllqi */ E(A38, P66, 0x37, ANY, VB, VR, 16, 0, AVX) /* pcmpgtq */
PACKED(P66, 0x74 /* pcmpeqb */) PACKED(P66, 0x75 /* pcmpeqw */) PACKED(P66, 0x76 /* pcmpeqd */) PACKED(P66, 0xd5 /* pmullw */)
E(TWO, NP, 0xc2, ANY, VB, VR, 16, 1, 0) /* cmpps */                  E(TWO, P66, 0xc2, ANY, VB, VR, 16, 1, 0) /* cmppd */
E(TWO, P66, 0xc4, ANY, VB, GR, 2, 1, 0) /* pinsrw */                 E(TWO, NP, 0xc6, ANY, VB, VR, 16, 1, 0) /* shufps */
PACKED(P66, 0xd1 /* psrlw */) PACKED(P66, 0xd2 /* psrld */) PACKED(P66, 0xd3 /* psrlq */) PACKED(P66, 0xd4 /* paddq */)
E(TWO, P66, 0xd7, ANY, GW, VR | A_REGISTER, 16, 0, 0)     /* pmovmskb */
PACKED(P66, 0xd8 /* psubusb */) PACKED(P66, 0xd9 /* psubusw */) PACKED(P66, 0xda /* pminub */) PACKED(P66, 0xdb /* pand */)
PACKED(P66, 0xdc /* paddusb */) PACKED(P66, 0xdd /* paddusw */) PACKED(P66, 0xde /* pmaxub */) PACKED(P66, 0xdf /* pandn */)
PACKED(P66, 0xe0 /* pavgb */) PACKED(P66, 0xe1 /* psraw */) PACKED(P66, 0xe2 /* psrad */) PACKED(P66, 0xe3 /* pavgw */)
E(TWO, P66, 0xe6, ANY, VW, VR, 16, 0, 0) /* cvttpd2dq */             E(TWO, PF3, 0xe6, ANY, VW, VR, 16, 0, 0) /* cvtdq2pd */
PACKED(P66, 0xe8 /* psubsb */) PACKED(P66, 0xe9 /* psubsw */) PACKED(P66, 0xea /* pminsw */) PACKED(P66, 0xeb /* por */)
PACKED(P66, 0xec /* paddsb */) PACKED(P66, 0xed /* paddsw */) PACKED(P66, 0xee /* pmaxsw */) PACKED(P66, 0xef /* pxor */)
PACKED(P66, 0xf1 /* psllw */) PACKED(P66, 0xf2 /* pslld */) PACKED(P66, 0xf3 /* psllq */) PACKED(P66, 0xf4 /* pmuludq */)
PACKED(P66, 0xe4 /* pmulhuw */) PACKED(P66, 0xe5 /* pmulhw */) PACKED(P66, 0xf5 /* pmaddwd */) PACKED(P66, 0xf8 /* psubb */) PACKED(P66, 0xf9 /* psubw */) PACKED(P66, 0xfa /* psubd */)
PACKED(P66, 0xfb /* psubq */) PACKED(P66, 0xfc /* paddb */) PACKED(P66, 0xfd /* paddw */) PACKED(P66, 0xfe /* paddd */)
#undef PACKED
#undef P38
#undef P38W
#endif
