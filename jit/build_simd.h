/* build_simd.h: what the two files of vectors share. */
#ifndef WHELK_JIT_BUILD_SIMD_H
#define WHELK_JIT_BUILD_SIMD_H

#include "jit/build.h"
#include "jit/simd.h"

u32 vconst(struct build *b, u64 low, u64 high);
u32 vunary_as(struct build *b, u8 type, enum simd_op op, u32 x, u8 imm);
u32 vbinary_imm(struct build *b, enum simd_op op, u32 x, u32 y, u8 imm);
/* A scalar in every lane; log2 of the lane's bytes. */
u32 vsplat(struct build *b, u32 log2, u32 x);

static inline u32 vunary(struct build *b, enum simd_op op, u32 x) { return vunary_as(b, T_V128, op, x, 0); }
static inline u32 vbinary(struct build *b, enum simd_op op, u32 x, u32 y) { return vbinary_imm(b, op, x, y, 0); }
static inline u32 vzero(struct build *b) { return vconst(b, 0, 0); }
static inline u32 vones(struct build *b) { return vconst(b, UINT64_MAX, UINT64_MAX); }
static inline u32 veach64(struct build *b, u64 x) { return vconst(b, x, x); }
static inline u32 veach32(struct build *b, u32 x) { return veach64(b, x | (u64)x << 32); }
static inline u32 veach16(struct build *b, u16 x) { return veach32(b, x | (u32)x << 16); }
static inline u32 veach8(struct build *b, u8 x) { return veach16(b, (u16)(x | x << 8)); }

/* The instructions that take several of x86. */
void build_composed(struct build *b);

#endif
