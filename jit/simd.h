/* simd.h: the vector instructions of x86 that the compiler uses. What WebAssembly
 * has is composed of these while SSA is built (build_simd.c); the emitter and
 * the dumper read the one table.
 *
 * Rows: name, mandatory prefix, opcode, kind, opcode extension. Kinds:
 *   BOTH   d = d op s, where the operands may change places
 *   FIRST  d = d op s
 *   UNARY  d = op s
 *   SHIFT  d = d op immediate
 *   INSERT d = d with s, a general register or float, at lane immediate
 *   EXTRACT general d = lane immediate of s
 *   MASK   general d = signs of s
 *   FROM   d = general s, zero above
 * _I: an immediate byte follows. */
#ifndef WHELK_JIT_SIMD_H
#define WHELK_JIT_SIMD_H

#include "jit/ir.h"

#define SIMD_OPS(X)                                                                                  \
    X(PADDB, 0x66, 0x0ffc, BOTH, 0) X(PADDW, 0x66, 0x0ffd, BOTH, 0) X(PADDD, 0x66, 0x0ffe, BOTH, 0) \
    X(PADDQ, 0x66, 0x0fd4, BOTH, 0) X(PSUBB, 0x66, 0x0ff8, FIRST, 0) X(PSUBW, 0x66, 0x0ff9, FIRST, 0) \
    X(PSUBD, 0x66, 0x0ffa, FIRST, 0) X(PSUBQ, 0x66, 0x0ffb, FIRST, 0)                               \
    X(PADDSB, 0x66, 0x0fec, BOTH, 0) X(PADDSW, 0x66, 0x0fed, BOTH, 0) X(PADDUSB, 0x66, 0x0fdc, BOTH, 0) \
    X(PADDUSW, 0x66, 0x0fdd, BOTH, 0) X(PSUBSB, 0x66, 0x0fe8, FIRST, 0) X(PSUBSW, 0x66, 0x0fe9, FIRST, 0) \
    X(PSUBUSB, 0x66, 0x0fd8, FIRST, 0) X(PSUBUSW, 0x66, 0x0fd9, FIRST, 0)                           \
    X(PMULLW, 0x66, 0x0fd5, BOTH, 0) X(PMULLD, 0x66, 0x0f3840, BOTH, 0) X(PMULUDQ, 0x66, 0x0ff4, BOTH, 0) \
    X(PMULDQ, 0x66, 0x0f3828, BOTH, 0) X(PMULHW, 0x66, 0x0fe5, BOTH, 0) X(PMULHUW, 0x66, 0x0fe4, BOTH, 0) \
    X(PMADDWD, 0x66, 0x0ff5, BOTH, 0) X(PMULHRSW, 0x66, 0x0f380b, BOTH, 0) X(PMADDUBSW, 0x66, 0x0f3804, FIRST, 0) \
    X(PAND, 0x66, 0x0fdb, BOTH, 0) X(POR, 0x66, 0x0feb, BOTH, 0) X(PXOR, 0x66, 0x0fef, BOTH, 0)     \
    X(PANDN, 0x66, 0x0fdf, FIRST, 0)                                                                \
    X(PCMPEQB, 0x66, 0x0f74, BOTH, 0) X(PCMPEQW, 0x66, 0x0f75, BOTH, 0) X(PCMPEQD, 0x66, 0x0f76, BOTH, 0) \
    X(PCMPEQQ, 0x66, 0x0f3829, BOTH, 0) X(PCMPGTB, 0x66, 0x0f64, FIRST, 0) X(PCMPGTW, 0x66, 0x0f65, FIRST, 0) \
    X(PCMPGTD, 0x66, 0x0f66, FIRST, 0) X(PCMPGTQ, 0x66, 0x0f3837, FIRST, 0)                         \
    X(PMINSB, 0x66, 0x0f3838, BOTH, 0) X(PMINSW, 0x66, 0x0fea, BOTH, 0) X(PMINSD, 0x66, 0x0f3839, BOTH, 0) \
    X(PMINUB, 0x66, 0x0fda, BOTH, 0) X(PMINUW, 0x66, 0x0f383a, BOTH, 0) X(PMINUD, 0x66, 0x0f383b, BOTH, 0) \
    X(PMAXSB, 0x66, 0x0f383c, BOTH, 0) X(PMAXSW, 0x66, 0x0fee, BOTH, 0) X(PMAXSD, 0x66, 0x0f383d, BOTH, 0) \
    X(PMAXUB, 0x66, 0x0fde, BOTH, 0) X(PMAXUW, 0x66, 0x0f383e, BOTH, 0) X(PMAXUD, 0x66, 0x0f383f, BOTH, 0) \
    X(PAVGB, 0x66, 0x0fe0, BOTH, 0) X(PAVGW, 0x66, 0x0fe3, BOTH, 0)                                 \
    X(PACKSSWB, 0x66, 0x0f63, FIRST, 0) X(PACKUSWB, 0x66, 0x0f67, FIRST, 0) X(PACKSSDW, 0x66, 0x0f6b, FIRST, 0) \
    X(PACKUSDW, 0x66, 0x0f382b, FIRST, 0)                                                           \
    X(PUNPCKLBW, 0x66, 0x0f60, FIRST, 0) X(PUNPCKLWD, 0x66, 0x0f61, FIRST, 0) X(PUNPCKLDQ, 0x66, 0x0f62, FIRST, 0) \
    X(PUNPCKLQDQ, 0x66, 0x0f6c, FIRST, 0) X(PUNPCKHBW, 0x66, 0x0f68, FIRST, 0) X(PUNPCKHWD, 0x66, 0x0f69, FIRST, 0) \
    X(PUNPCKHDQ, 0x66, 0x0f6a, FIRST, 0) X(PUNPCKHQDQ, 0x66, 0x0f6d, FIRST, 0)                      \
    X(PSHUFB, 0x66, 0x0f3800, FIRST, 0)                                                             \
    X(PSLLW, 0x66, 0x0ff1, FIRST, 0) X(PSLLD, 0x66, 0x0ff2, FIRST, 0) X(PSLLQ, 0x66, 0x0ff3, FIRST, 0) \
    X(PSRLW, 0x66, 0x0fd1, FIRST, 0) X(PSRLD, 0x66, 0x0fd2, FIRST, 0) X(PSRLQ, 0x66, 0x0fd3, FIRST, 0) \
    X(PSRAW, 0x66, 0x0fe1, FIRST, 0) X(PSRAD, 0x66, 0x0fe2, FIRST, 0)                               \
    X(PSLLWI, 0x66, 0x0f71, SHIFT, 6) X(PSLLDI, 0x66, 0x0f72, SHIFT, 6) X(PSLLQI, 0x66, 0x0f73, SHIFT, 6) \
    X(PSRLWI, 0x66, 0x0f71, SHIFT, 2) X(PSRLDI, 0x66, 0x0f72, SHIFT, 2) X(PSRLQI, 0x66, 0x0f73, SHIFT, 2) \
    X(PSRAWI, 0x66, 0x0f71, SHIFT, 4) X(PSRADI, 0x66, 0x0f72, SHIFT, 4)                             \
    X(PSHUFD, 0x66, 0x0f70, UNARY_I, 0) X(PSHUFLW, 0xf2, 0x0f70, UNARY_I, 0)                        \
    X(PABSB, 0x66, 0x0f381c, UNARY, 0) X(PABSW, 0x66, 0x0f381d, UNARY, 0) X(PABSD, 0x66, 0x0f381e, UNARY, 0) \
    X(PMOVSXBW, 0x66, 0x0f3820, UNARY, 0) X(PMOVSXWD, 0x66, 0x0f3823, UNARY, 0) X(PMOVSXDQ, 0x66, 0x0f3825, UNARY, 0) \
    X(PMOVZXBW, 0x66, 0x0f3830, UNARY, 0) X(PMOVZXWD, 0x66, 0x0f3833, UNARY, 0) X(PMOVZXDQ, 0x66, 0x0f3835, UNARY, 0) \
    X(ADDPS, 0, 0x0f58, BOTH, 0) X(MULPS, 0, 0x0f59, BOTH, 0) X(SUBPS, 0, 0x0f5c, FIRST, 0)          \
    X(DIVPS, 0, 0x0f5e, FIRST, 0) X(MINPS, 0, 0x0f5d, FIRST, 0) X(MAXPS, 0, 0x0f5f, FIRST, 0)        \
    X(ADDPD, 0x66, 0x0f58, BOTH, 0) X(MULPD, 0x66, 0x0f59, BOTH, 0) X(SUBPD, 0x66, 0x0f5c, FIRST, 0) \
    X(DIVPD, 0x66, 0x0f5e, FIRST, 0) X(MINPD, 0x66, 0x0f5d, FIRST, 0) X(MAXPD, 0x66, 0x0f5f, FIRST, 0) \
    X(SQRTPS, 0, 0x0f51, UNARY, 0) X(SQRTPD, 0x66, 0x0f51, UNARY, 0)                                \
    X(CMPPS, 0, 0x0fc2, FIRST_I, 0) X(CMPPD, 0x66, 0x0fc2, FIRST_I, 0)                              \
    X(ROUNDPS, 0x66, 0x0f3a08, UNARY_I, 0) X(ROUNDPD, 0x66, 0x0f3a09, UNARY_I, 0)                   \
    X(CVTDQ2PS, 0, 0x0f5b, UNARY, 0) X(CVTTPS2DQ, 0xf3, 0x0f5b, UNARY, 0) X(CVTDQ2PD, 0xf3, 0x0fe6, UNARY, 0) \
    X(CVTTPD2DQ, 0x66, 0x0fe6, UNARY, 0) X(CVTPS2PD, 0, 0x0f5a, UNARY, 0) X(CVTPD2PS, 0x66, 0x0f5a, UNARY, 0) \
    X(SHUFPS, 0, 0x0fc6, FIRST_I, 0) X(UNPCKLPS, 0, 0x0f14, FIRST, 0) X(INSERTPS, 0x66, 0x0f3a21, FIRST_I, 0) \
    X(MOVSD, 0xf2, 0x0f10, FIRST, 0) X(MOVLHPS, 0, 0x0f16, FIRST, 0)                                \
    X(PINSRB, 0x66, 0x0f3a20, INSERT, 0) X(PINSRW, 0x66, 0x0fc4, INSERT, 0) X(PINSRD, 0x66, 0x0f3a22, INSERT, 0) \
    X(PEXTRB, 0x66, 0x0f3a14, EXTRACT, 0) X(PEXTRW, 0x66, 0x0f3a15, EXTRACT, 0) X(PEXTRD, 0x66, 0x0f3a16, EXTRACT, 0) \
    X(PMOVMSKB, 0x66, 0x0fd7, MASK, 0) X(MOVMSKPS, 0, 0x0f50, MASK, 0) X(MOVMSKPD, 0x66, 0x0f50, MASK, 0) \
    X(MOVD, 0x66, 0x0f6e, FROM, 0)

enum simd_op {
#define X(name, prefix, opcode, kind, sub) SIMD_##name,
    SIMD_OPS(X)
#undef X
        SIMD_OP_COUNT
};

enum simd_kind {
    SIMD_BOTH, SIMD_FIRST, SIMD_FIRST_I, SIMD_INSERT, /* two operands: IR_VBINARY */
    SIMD_UNARY, SIMD_UNARY_I, SIMD_SHIFT, SIMD_EXTRACT, SIMD_MASK, SIMD_FROM, /* one: IR_VUNARY */
};

struct simd_info {
    const char *name;
    u32 opcode;
    u8 prefix, kind, sub;
};
extern const struct simd_info simd_infos[SIMD_OP_COUNT]; /* build_simd.c */

/* IR_VBINARY.c and the immediate of IR_VUNARY (b) and IR_VBINARY. */
static inline u32 simd_pack(enum simd_op op, u8 immediate) { return (u32)op | (u32)immediate << 16; }
static inline enum simd_op simd_op_of(const struct ins *i) { return (enum simd_op)(i->c & 0xffff); }
static inline u8 simd_immediate(const struct ins *i) { return (u8)(i->c >> 16); }

/* Is its result another register than its operands? */
static inline bool simd_three_operands(const struct fn *f, enum simd_op op) { return f->options->cpu & JIT_CPU_AVX && op != SIMD_MOVSD; }
/* Were its second operand in memory, would it read 16 bytes? */
static inline bool simd_reads_whole(enum simd_op op) { return op != SIMD_MOVSD && op != SIMD_MOVLHPS && op != SIMD_INSERTPS; }

#endif
