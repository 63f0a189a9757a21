/* encodings.h: the permitted encodings, one row each. An X-macro list, so: no include guard.
 *
 * E(map, prefix, opcode, role, reg, rm, width, imm, cpu)
 *   map     ONE, TWO (0f), A38 (0f 38), A3A (0f 3a);  prefix NP, P66, PF3, PF2
 *   role    ANY: the operands say it all; else a case in func.c
 *   reg, rm what the ModRM operands are: register class G or V and read, write or
 *           both (GR GW GB VR VW VB), N none. M: rm must be memory. What a written
 *           general register then holds: by operand size (32 bits clear the upper
 *           half), but for GB8, GB16 (a part: the rest stays) and GX (nothing known).
 *           8: of a byte, which without REX must not be ah..bh
 *   width   bytes of memory that rm is: 1 2 4 8 16, O the operand size; 16 must be
 *           aligned, U16 need not
 *   imm     bytes of immediate; Z: 4, or 2 with 66
 * Groups, where reg is part of the opcode, have role G_* and are checked there. */
#ifdef E
/* integers */
E(ONE, NP, 0x01, ANY, GR, GB, O, 0, 0)    /* add rm, r */
E(ONE, NP, 0x03, ADD, GB, GR, O, 0, 0)    /* add */
E(ONE, NP, 0x09, ANY, GR, GB, O, 0, 0)    /* or rm, r */
E(ONE, NP, 0x0b, ANY, GB, GR, O, 0, 0)
E(ONE, NP, 0x0a, ANY, GB8, GR8, 1, 0, 0)   /* or r8 */
E(ONE, NP, 0x13, ANY, GB, GR, O, 0, 0)    /* adc */
E(ONE, NP, 0x1b, ANY, GB, GR, O, 0, 0)    /* sbb */
E(ONE, NP, 0x22, ANY, GB8, GR8, 1, 0, 0)   /* and r8 */
E(ONE, NP, 0x23, AND, GB, GR, O, 0, 0)
E(ONE, NP, 0x2b, ANY, GB, GR, O, 0, 0)
E(ONE, NP, 0x33, XOR, GB, GR, O, 0, 0)
E(ONE, NP, 0x39, ANY, GR, GR, O, 0, 0)    /* cmp rm, r */
E(ONE, NP, 0x3b, CMP, GR, GR, O, 0, 0)
E(ONE, NP, 0x63, ANY, GW, GR, 4, 0, 0)    /* movsxd */
E(ONE, NP, 0x69, ANY, GW, GR, O, 4, 0)    /* imul */
E(ONE, NP, 0x84, ANY, GR8, GR8, 1, 0, 0)
E(ONE, NP, 0x85, TEST, GR, GR, O, 0, 0)
E(ONE, NP, 0x86, ANY, GB8, GB8, 1, 0, 0)  /* xchg */
E(ONE, NP, 0x87, ANY, GX, GX, O, 0, 0)
E(ONE, P66, 0x87, ANY, GB16, GB16, 2, 0, 0)
E(ONE, NP, 0x88, ANY, GR8, GB8, 1, 0, 0)
E(ONE, NP, 0x89, STORE, GR, GW, O, 0, 0)
E(ONE, P66, 0x89, ANY, GR, GB16, 2, 0, 0)
E(ONE, NP, 0x8b, LOAD, GW, GR, O, 0, 0)
E(ONE, NP, 0x8d, LEA, GW, N, O, 0, 0)
E(ONE, NP, 0x80, G_ALU, N, N8, 1, 1, 0)
E(ONE, NP, 0x81, G_ALU, N, N, O, 4, 0)
E(ONE, NP, 0x83, G_ALU, N, N, O, 1, 0)
E(ONE, NP, 0xc1, G_SHIFT, N, N, O, 1, 0)
E(ONE, NP, 0xd3, G_SHIFT, N, N, O, 0, 0)
E(ONE, NP, 0xc6, G_MOVI, N, N8, 1, 1, 0)
E(ONE, NP, 0xc7, G_MOVI, N, N, O, 4, 0)
E(ONE, P66, 0xc7, G_MOVI, N, N, 2, 2, 0)
E(ONE, NP, 0xf6, G_TEST8, N, N8, 1, 1, 0)
E(ONE, NP, 0xf7, G_UNARY, N, N, O, 0, 0)  /* test has imm32: seen there */
E(ONE, NP, 0xff, G_FF, N, N, O, 0, 0)
E(TWO, NP, 0xaf, ANY, GB, GR, O, 0, 0)    /* imul */
E(TWO, NP, 0xb0, CMPXCHG, GR8, GB8, 1, 0, 0)
E(TWO, NP, 0xb1, CMPXCHG, GR, GX, O, 0, 0)
E(TWO, P66, 0xb1, CMPXCHG, GR, GB16, 2, 0, 0)
E(TWO, NP, 0xb6, ANY, GW, GR8, 1, 0, 0)    /* movzx, movsx */
E(TWO, NP, 0xb7, ANY, GW, GR, 2, 0, 0)
E(TWO, NP, 0xbe, ANY, GW, GR8, 1, 0, 0)
E(TWO, NP, 0xbf, ANY, GW, GR, 2, 0, 0)
E(TWO, NP, 0xbc, ANY, GX, GR, O, 0, 0)    /* bsf, bsr: of 0, what was there */
E(TWO, NP, 0xbd, ANY, GX, GR, O, 0, 0)
E(TWO, PF3, 0xb8, ANY, GW, GR, O, 0, POPCNT)
E(TWO, PF3, 0xbc, ANY, GW, GR, O, 0, BMI1)
E(TWO, PF3, 0xbd, ANY, GW, GR, O, 0, LZCNT)
E(TWO, NP, 0xc0, ANY, GB8, GB8, 1, 0, 0)  /* xadd */
E(TWO, NP, 0xc1, ANY, GX, GX, O, 0, 0)
E(TWO, P66, 0xc1, ANY, GB16, GB16, 2, 0, 0)
E(TWO, NP, 0xae, FENCE, N, N, O, 0, 0)
E(TWO, NP, 0x1f, NOP, N, N, O, 0, 0)
E(TWO, P66, 0x1f, NOP, N, N, O, 0, 0)
/* scalar floating point */
E(TWO, PF3, 0x10, ANY, VW, VR, 4, 0, 0)
E(TWO, PF2, 0x10, ANY, VW, VR, 8, 0, 0)
E(TWO, PF3, 0x11, ANY, VR, VW, 4, 0, 0)
E(TWO, PF2, 0x11, ANY, VR, VW, 8, 0, 0)
E(TWO, NP, 0x28, ANY, VW, VR, 16, 0, 0)
E(TWO, PF3, 0x2a, ANY, VB, GR, O, 0, 0)   /* cvtsi2ss, sd */
E(TWO, PF2, 0x2a, ANY, VB, GR, O, 0, 0)
E(TWO, PF3, 0x2c, ANY, GW, VR, 4, 0, 0)   /* cvttss2si */
E(TWO, PF2, 0x2c, ANY, GW, VR, 8, 0, 0)
E(TWO, NP, 0x2e, ANY, VR, VR, 4, 0, 0)
E(TWO, P66, 0x2e, ANY, VR, VR, 8, 0, 0)
E(TWO, NP, 0x54, ANY, VB, VR, 16, 0, 0)
E(TWO, NP, 0x56, ANY, VB, VR, 16, 0, 0)
E(TWO, NP, 0x57, ANY, VB, VR, 16, 0, 0)
E(TWO, P66, 0x6e, ANY, VW, GR, O, 0, 0)   /* movd, movq */
E(TWO, P66, 0x7e, ANY, VR, GW, O, 0, 0)
E(A3A, P66, 0x0a, ANY, VB, VR, 4, 1, SSE41)
E(A3A, P66, 0x0b, ANY, VB, VR, 8, 1, SSE41)
#define SCALAR(op) E(TWO, PF3, op, ANY, VB, VR, 4, 0, 0) E(TWO, PF2, op, ANY, VB, VR, 8, 0, 0)
SCALAR(0x51) SCALAR(0x58) SCALAR(0x59) SCALAR(0x5a) SCALAR(0x5c) SCALAR(0x5d) SCALAR(0x5e) SCALAR(0x5f)
#undef SCALAR
#endif
