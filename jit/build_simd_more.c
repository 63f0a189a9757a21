/* build_simd_more.c: vector instructions of WebAssembly that take several of x86.
 *
 * I1 a count of a shift is taken modulo the lane's width before x86 sees it.
 * I2 a NaN that comes out is quiet; a relaxed instruction does what is cheapest
 *    here among what is allowed (doc/decisions, vectors). */
#include "base/fault.h"
#include "jit/build_simd.h"

/* ---- lanes ---- */

u32 vsplat(struct build *b, u32 log2, u32 x) {
    const struct ins *i = ins_at(b->f, x);
    if (i->op == IR_CONST) {
        u64 bits = const_bits(i);
        switch (log2) {
        case 0: return veach8(b, (u8)bits);
        case 1: return veach16(b, (u16)bits);
        case 2: return veach32(b, (u32)bits);
        default: return veach64(b, bits);
        }
    }
    u32 v = is_float(i->type) ? x : vunary(b, SIMD_MOVD, x);
    switch (log2) {
    case 0: return vbinary(b, SIMD_PSHUFB, v, vzero(b));
    case 1: return vunary_as(b, T_V128, SIMD_PSHUFD, vunary_as(b, T_V128, SIMD_PSHUFLW, v, 0), 0);
    case 2: return vunary_as(b, T_V128, SIMD_PSHUFD, v, 0);
    default: return vunary_as(b, T_V128, SIMD_PSHUFD, v, 0x44);
    }
}

static u32 extract(struct build *b, u32 v) {
    u8 lane = (u8)b->in.lane;
    switch (b->in.op) {
    case WASM_OP_I8X16_EXTRACT_LANE_S:
        return value1(b, IR_SEXT, T_I32, 8, vunary_as(b, T_I32, SIMD_PEXTRB, v, lane));
    case WASM_OP_I8X16_EXTRACT_LANE_U: return vunary_as(b, T_I32, SIMD_PEXTRB, v, lane);
    case WASM_OP_I16X8_EXTRACT_LANE_S:
        return value1(b, IR_SEXT, T_I32, 16, vunary_as(b, T_I32, SIMD_PEXTRW, v, lane));
    case WASM_OP_I16X8_EXTRACT_LANE_U: return vunary_as(b, T_I32, SIMD_PEXTRW, v, lane);
    case WASM_OP_I32X4_EXTRACT_LANE: return vunary_as(b, T_I32, SIMD_PEXTRD, v, lane);
    case WASM_OP_I64X2_EXTRACT_LANE: return vunary_as(b, T_I64, SIMD_PEXTRD, v, lane);
    case WASM_OP_F32X4_EXTRACT_LANE: return vunary_as(b, T_F32, SIMD_PSHUFD, v, lane);
    default: return vunary_as(b, T_F64, SIMD_PSHUFD, v, lane ? 0xee : 0x44);
    }
}

static u32 replace(struct build *b, u32 v, u32 x) {
    u8 lane = (u8)b->in.lane;
    switch (b->in.op) {
    case WASM_OP_I8X16_REPLACE_LANE: return vbinary_imm(b, SIMD_PINSRB, v, x, lane);
    case WASM_OP_I16X8_REPLACE_LANE: return vbinary_imm(b, SIMD_PINSRW, v, x, lane);
    case WASM_OP_I32X4_REPLACE_LANE:
    case WASM_OP_I64X2_REPLACE_LANE: return vbinary_imm(b, SIMD_PINSRD, v, x, lane);
    case WASM_OP_F32X4_REPLACE_LANE: return vbinary_imm(b, SIMD_INSERTPS, v, x, (u8)(lane << 4));
    default: return vbinary(b, lane ? SIMD_MOVLHPS : SIMD_MOVSD, v, x);
    }
}

/* Bytes of the operand whose lanes start at first; 0x80 gives zero. */
static u64 pick(u64 lanes, u32 first) {
    u64 out = 0;
    for (u32 k = 0; k < 64; k += 8) {
        u64 lane = (lanes >> k & 0xff) - first;
        out |= (lane < 16 ? lane : 0x80) << k;
    }
    return out;
}

static u32 shuffle(struct build *b, u32 x, u32 y) {
    u64 low = b->in.bits, high = b->in.high;
    u64 second = (low | high) & 0x1010101010101010, first = ~(low & high) & 0x1010101010101010;
    u32 from_x = 0, from_y = 0;
    if (x == y) return vbinary(b, SIMD_PSHUFB, x, vconst(b, low & 0x0f0f0f0f0f0f0f0f, high & 0x0f0f0f0f0f0f0f0f));
    if (first) from_x = vbinary(b, SIMD_PSHUFB, x, vconst(b, pick(low, 0), pick(high, 0)));
    if (second) from_y = vbinary(b, SIMD_PSHUFB, y, vconst(b, pick(low, 16), pick(high, 16)));
    if (!from_x || !from_y) return from_x ? from_x : from_y;
    return vbinary(b, SIMD_POR, from_x, from_y);
}

/* Indices from 16 on give zero: those become at least 0x80. */
static u32 swizzle(struct build *b, u32 x, u32 indices) {
    return vbinary(b, SIMD_PSHUFB, x, vbinary(b, SIMD_PADDUSB, indices, veach8(b, 0x70)));
}

/* ---- bits ---- */

static u32 not(struct build *b, u32 x) { return vbinary(b, SIMD_PXOR, x, vones(b)); }

static u32 bitselect(struct build *b, u32 x, u32 y, u32 mask) {
    return vbinary(b, SIMD_POR, vbinary(b, SIMD_PAND, x, mask), vbinary(b, SIMD_PANDN, mask, y));
}

/* Signs of all lanes of a comparison, against what they should be. */
static u32 signs(struct build *b, u32 cond, u32 equal, u32 want) {
    u32 mask = vunary_as(b, T_I32, SIMD_PMOVMSKB, equal, 0);
    return value2(b, IR_ICMP, T_I32, (u8)cond, mask, ir_const(b->f, T_I32, want));
}

static u32 truth(struct build *b, u32 v) {
    switch (b->in.op) {
    case WASM_OP_V128_ANY_TRUE: return signs(b, CC_NE, vbinary(b, SIMD_PCMPEQB, v, vzero(b)), 0xffff);
    case WASM_OP_I8X16_ALL_TRUE: return signs(b, CC_EQ, vbinary(b, SIMD_PCMPEQB, v, vzero(b)), 0);
    case WASM_OP_I16X8_ALL_TRUE: return signs(b, CC_EQ, vbinary(b, SIMD_PCMPEQW, v, vzero(b)), 0);
    case WASM_OP_I32X4_ALL_TRUE: return signs(b, CC_EQ, vbinary(b, SIMD_PCMPEQD, v, vzero(b)), 0);
    case WASM_OP_I64X2_ALL_TRUE: return signs(b, CC_EQ, vbinary(b, SIMD_PCMPEQQ, v, vzero(b)), 0);
    case WASM_OP_I8X16_BITMASK: return vunary_as(b, T_I32, SIMD_PMOVMSKB, v, 0);
    case WASM_OP_I16X8_BITMASK:
        return vunary_as(b, T_I32, SIMD_PMOVMSKB, vbinary(b, SIMD_PACKSSWB, v, vzero(b)), 0);
    case WASM_OP_I32X4_BITMASK: return vunary_as(b, T_I32, SIMD_MOVMSKPS, v, 0);
    default: return vunary_as(b, T_I32, SIMD_MOVMSKPD, v, 0);
    }
}

static u32 popcnt(struct build *b, u32 v) {
    u32 table = vconst(b, 0x0302020102010100, 0x0403030203020201), nibble = veach8(b, 0x0f);
    u32 high = vbinary(b, SIMD_PAND, vunary_as(b, T_V128, SIMD_PSRLWI, v, 4), nibble);
    u32 low = vbinary(b, SIMD_PAND, v, nibble);
    return vbinary(b, SIMD_PADDB, vbinary(b, SIMD_PSHUFB, table, low), vbinary(b, SIMD_PSHUFB, table, high));
}

/* ---- shifts ---- */

static u32 i32_const(struct build *b, u32 v) { return ir_const(b->f, T_I32, v); }

static u32 shift_by(struct build *b, enum simd_op op, enum simd_op op_i, u32 v, u32 count) {
    if (is_const(b->f, count)) return vunary_as(b, T_V128, op_i, v, (u8)const_bits(ins_at(b->f, count)));
    return vbinary(b, op, v, vunary(b, SIMD_MOVD, count));
}

/* Bytes: shifted in words; what came over from the neighbour is masked. */
static u32 shift_bytes(struct build *b, bool left, u32 v, u32 count) {
    u32 mask = value2(b, left ? IR_SHL : IR_SHR_U, T_I32, 0, i32_const(b, 0xff), count);
    u32 words = left ? shift_by(b, SIMD_PSLLW, SIMD_PSLLWI, v, count) : shift_by(b, SIMD_PSRLW, SIMD_PSRLWI, v, count);
    return vbinary(b, SIMD_PAND, words, vsplat(b, 0, mask));
}

/* Each byte in the upper half of a word of its own. */
static u32 shift_bytes_signed(struct build *b, u32 v, u32 count) {
    u32 n = value2(b, IR_ADD, T_I32, 0, count, i32_const(b, 8));
    u32 low = shift_by(b, SIMD_PSRAW, SIMD_PSRAWI, vbinary(b, SIMD_PUNPCKLBW, v, v), n);
    u32 high = shift_by(b, SIMD_PSRAW, SIMD_PSRAWI, vbinary(b, SIMD_PUNPCKHBW, v, v), n);
    return vbinary(b, SIMD_PACKSSWB, low, high);
}

/* (x >> n ^ sign >> n) - (sign >> n) */
static u32 shift_quads_signed(struct build *b, u32 v, u32 count) {
    u32 sign = shift_by(b, SIMD_PSRLQ, SIMD_PSRLQI, veach64(b, 1ull << 63), count);
    u32 x = shift_by(b, SIMD_PSRLQ, SIMD_PSRLQI, v, count);
    return vbinary(b, SIMD_PSUBQ, vbinary(b, SIMD_PXOR, x, sign), sign);
}

static u32 shift(struct build *b, u32 v, u32 count, u32 bits) {
    u32 n = value2(b, IR_AND, T_I32, 0, count, i32_const(b, bits - 1));
    switch (b->in.op) {
    case WASM_OP_I8X16_SHL: return shift_bytes(b, true, v, n);
    case WASM_OP_I8X16_SHR_U: return shift_bytes(b, false, v, n);
    case WASM_OP_I8X16_SHR_S: return shift_bytes_signed(b, v, n);
    case WASM_OP_I16X8_SHL: return shift_by(b, SIMD_PSLLW, SIMD_PSLLWI, v, n);
    case WASM_OP_I16X8_SHR_S: return shift_by(b, SIMD_PSRAW, SIMD_PSRAWI, v, n);
    case WASM_OP_I16X8_SHR_U: return shift_by(b, SIMD_PSRLW, SIMD_PSRLWI, v, n);
    case WASM_OP_I32X4_SHL: return shift_by(b, SIMD_PSLLD, SIMD_PSLLDI, v, n);
    case WASM_OP_I32X4_SHR_S: return shift_by(b, SIMD_PSRAD, SIMD_PSRADI, v, n);
    case WASM_OP_I32X4_SHR_U: return shift_by(b, SIMD_PSRLD, SIMD_PSRLDI, v, n);
    case WASM_OP_I64X2_SHL: return shift_by(b, SIMD_PSLLQ, SIMD_PSLLQI, v, n);
    case WASM_OP_I64X2_SHR_U: return shift_by(b, SIMD_PSRLQ, SIMD_PSRLQI, v, n);
    default: return shift_quads_signed(b, v, n);
    }
}

/* ---- comparisons ---- */

/* Without pcmpgtq (SSE4.2, which every CPU with AVX has): the upper halves
 * decide, or where they are equal the borrow of y - x. */
static u32 greater64(struct build *b, u32 x, u32 y) {
    if (b->f->options->cpu & JIT_CPU_AVX || fault(VECTOR_CPU)) return vbinary(b, SIMD_PCMPGTQ, x, y);
    u32 borrow = vbinary(b, SIMD_PAND, vbinary(b, SIMD_PCMPEQD, x, y), vbinary(b, SIMD_PSUBQ, y, x));
    u32 both = vbinary(b, SIMD_POR, borrow, vbinary(b, SIMD_PCMPGTD, x, y));
    return vunary_as(b, T_V128, SIMD_PSHUFD, vunary_as(b, T_V128, SIMD_PSRADI, both, 31), 0xf5);
}

/* x >= y: the greater of the two is x. */
static u32 at_least(struct build *b, enum simd_op max, enum simd_op equal, u32 x, u32 y) {
    return vbinary(b, equal, vbinary(b, max, x, y), x);
}

static bool compare(struct build *b, u32 x, u32 y, u32 *out) {
    switch (b->in.op) {
    case WASM_OP_I8X16_NE: *out = not(b, vbinary(b, SIMD_PCMPEQB, x, y)); break;
    case WASM_OP_I16X8_NE: *out = not(b, vbinary(b, SIMD_PCMPEQW, x, y)); break;
    case WASM_OP_I32X4_NE: *out = not(b, vbinary(b, SIMD_PCMPEQD, x, y)); break;
    case WASM_OP_I64X2_NE: *out = not(b, vbinary(b, SIMD_PCMPEQQ, x, y)); break;
    case WASM_OP_I8X16_GE_S: *out = at_least(b, SIMD_PMAXSB, SIMD_PCMPEQB, x, y); break;
    case WASM_OP_I8X16_GE_U: *out = at_least(b, SIMD_PMAXUB, SIMD_PCMPEQB, x, y); break;
    case WASM_OP_I8X16_LE_S: *out = at_least(b, SIMD_PMINSB, SIMD_PCMPEQB, x, y); break;
    case WASM_OP_I8X16_LE_U: *out = at_least(b, SIMD_PMINUB, SIMD_PCMPEQB, x, y); break;
    case WASM_OP_I8X16_GT_U: *out = not(b, at_least(b, SIMD_PMINUB, SIMD_PCMPEQB, x, y)); break;
    case WASM_OP_I8X16_LT_U: *out = not(b, at_least(b, SIMD_PMAXUB, SIMD_PCMPEQB, x, y)); break;
    case WASM_OP_I16X8_GE_S: *out = at_least(b, SIMD_PMAXSW, SIMD_PCMPEQW, x, y); break;
    case WASM_OP_I16X8_GE_U: *out = at_least(b, SIMD_PMAXUW, SIMD_PCMPEQW, x, y); break;
    case WASM_OP_I16X8_LE_S: *out = at_least(b, SIMD_PMINSW, SIMD_PCMPEQW, x, y); break;
    case WASM_OP_I16X8_LE_U: *out = at_least(b, SIMD_PMINUW, SIMD_PCMPEQW, x, y); break;
    case WASM_OP_I16X8_GT_U: *out = not(b, at_least(b, SIMD_PMINUW, SIMD_PCMPEQW, x, y)); break;
    case WASM_OP_I16X8_LT_U: *out = not(b, at_least(b, SIMD_PMAXUW, SIMD_PCMPEQW, x, y)); break;
    case WASM_OP_I32X4_GE_S: *out = at_least(b, SIMD_PMAXSD, SIMD_PCMPEQD, x, y); break;
    case WASM_OP_I32X4_GE_U: *out = at_least(b, SIMD_PMAXUD, SIMD_PCMPEQD, x, y); break;
    case WASM_OP_I32X4_LE_S: *out = at_least(b, SIMD_PMINSD, SIMD_PCMPEQD, x, y); break;
    case WASM_OP_I32X4_LE_U: *out = at_least(b, SIMD_PMINUD, SIMD_PCMPEQD, x, y); break;
    case WASM_OP_I32X4_GT_U: *out = not(b, at_least(b, SIMD_PMINUD, SIMD_PCMPEQD, x, y)); break;
    case WASM_OP_I32X4_LT_U: *out = not(b, at_least(b, SIMD_PMAXUD, SIMD_PCMPEQD, x, y)); break;
    case WASM_OP_I64X2_GT_S: *out = greater64(b, x, y); break;
    case WASM_OP_I64X2_LT_S: *out = greater64(b, y, x); break;
    case WASM_OP_I64X2_LE_S: *out = not(b, greater64(b, x, y)); break;
    case WASM_OP_I64X2_GE_S: *out = not(b, greater64(b, y, x)); break;
    default: return false;
    }
    return true;
}

/* ---- integer arithmetic ---- */

static u32 upper(struct build *b, u32 x) { return vunary_as(b, T_V128, SIMD_PSHUFD, x, 0xee); }

static u32 abs64(struct build *b, u32 x) {
    u32 sign = vunary_as(b, T_V128, SIMD_PSHUFD, vunary_as(b, T_V128, SIMD_PSRADI, x, 31), 0xf5);
    return vbinary(b, SIMD_PSUBQ, vbinary(b, SIMD_PXOR, x, sign), sign);
}

/* The low halves, and the two crossed products above them. */
static u32 mul64(struct build *b, u32 x, u32 y) {
    u32 cross = vbinary(b, SIMD_PADDQ, vbinary(b, SIMD_PMULUDQ, vunary_as(b, T_V128, SIMD_PSRLQI, x, 32), y),
                        vbinary(b, SIMD_PMULUDQ, vunary_as(b, T_V128, SIMD_PSRLQI, y, 32), x));
    return vbinary(b, SIMD_PADDQ, vbinary(b, SIMD_PMULUDQ, x, y), vunary_as(b, T_V128, SIMD_PSLLQI, cross, 32));
}

/* Only -1 * -1 overflows: to the smallest number, which all bits flipped is the largest. */
static u32 q15mulr(struct build *b, u32 x, u32 y) {
    u32 r = vbinary(b, SIMD_PMULHRSW, x, y);
    return vbinary(b, SIMD_PXOR, r, vbinary(b, SIMD_PCMPEQW, r, veach16(b, 0x8000)));
}

/* Sums of neighbours: products with 1. An unsigned word is made signed first. */
static bool pairwise(struct build *b, u32 x, u32 *out) {
    switch (b->in.op) {
    case WASM_OP_I16X8_EXTADD_PAIRWISE_I8X16_S: *out = vbinary(b, SIMD_PMADDUBSW, veach8(b, 1), x); break;
    case WASM_OP_I16X8_EXTADD_PAIRWISE_I8X16_U: *out = vbinary(b, SIMD_PMADDUBSW, x, veach8(b, 1)); break;
    case WASM_OP_I32X4_EXTADD_PAIRWISE_I16X8_S: *out = vbinary(b, SIMD_PMADDWD, x, veach16(b, 1)); break;
    case WASM_OP_I32X4_EXTADD_PAIRWISE_I16X8_U: {
        u32 biased = vbinary(b, SIMD_PXOR, x, veach16(b, 0x8000));
        *out = vbinary(b, SIMD_PADDD, vbinary(b, SIMD_PMADDWD, biased, veach16(b, 1)), veach32(b, 0x10000));
        break;
    }
    default: return false;
    }
    return true;
}

static u32 extmul_bytes(struct build *b, enum simd_op extend, bool high, u32 x, u32 y) {
    u32 p = vunary(b, extend, high ? upper(b, x) : x), q = vunary(b, extend, high ? upper(b, y) : y);
    return vbinary(b, SIMD_PMULLW, p, q);
}

static u32 extmul_words(struct build *b, enum simd_op mul_high, bool high, u32 x, u32 y) {
    u32 low_part = vbinary(b, SIMD_PMULLW, x, y), high_part = vbinary(b, mul_high, x, y);
    return vbinary(b, high ? SIMD_PUNPCKHWD : SIMD_PUNPCKLWD, low_part, high_part);
}

/* Lanes 0 and 1, or 2 and 3, to where pmuldq reads. */
static u32 extmul_doubles(struct build *b, enum simd_op mul, bool high, u32 x, u32 y) {
    u8 spread = high ? 0xfa : 0x50;
    return vbinary(b, mul, vunary_as(b, T_V128, SIMD_PSHUFD, x, spread), vunary_as(b, T_V128, SIMD_PSHUFD, y, spread));
}

static bool extmul(struct build *b, u32 x, u32 y, u32 *out) {
    switch (b->in.op) {
    case WASM_OP_I16X8_EXTMUL_LOW_I8X16_S: *out = extmul_bytes(b, SIMD_PMOVSXBW, false, x, y); break;
    case WASM_OP_I16X8_EXTMUL_HIGH_I8X16_S: *out = extmul_bytes(b, SIMD_PMOVSXBW, true, x, y); break;
    case WASM_OP_I16X8_EXTMUL_LOW_I8X16_U: *out = extmul_bytes(b, SIMD_PMOVZXBW, false, x, y); break;
    case WASM_OP_I16X8_EXTMUL_HIGH_I8X16_U: *out = extmul_bytes(b, SIMD_PMOVZXBW, true, x, y); break;
    case WASM_OP_I32X4_EXTMUL_LOW_I16X8_S: *out = extmul_words(b, SIMD_PMULHW, false, x, y); break;
    case WASM_OP_I32X4_EXTMUL_HIGH_I16X8_S: *out = extmul_words(b, SIMD_PMULHW, true, x, y); break;
    case WASM_OP_I32X4_EXTMUL_LOW_I16X8_U: *out = extmul_words(b, SIMD_PMULHUW, false, x, y); break;
    case WASM_OP_I32X4_EXTMUL_HIGH_I16X8_U: *out = extmul_words(b, SIMD_PMULHUW, true, x, y); break;
    case WASM_OP_I64X2_EXTMUL_LOW_I32X4_S: *out = extmul_doubles(b, SIMD_PMULDQ, false, x, y); break;
    case WASM_OP_I64X2_EXTMUL_HIGH_I32X4_S: *out = extmul_doubles(b, SIMD_PMULDQ, true, x, y); break;
    case WASM_OP_I64X2_EXTMUL_LOW_I32X4_U: *out = extmul_doubles(b, SIMD_PMULUDQ, false, x, y); break;
    case WASM_OP_I64X2_EXTMUL_HIGH_I32X4_U: *out = extmul_doubles(b, SIMD_PMULUDQ, true, x, y); break;
    default: return false;
    }
    return true;
}

/* ---- floats ---- */

/* The instructions of one width. */
struct width {
    u8 min, max, cmp, sub, shift, payload; /* payload: bits of a NaN below its sign, exponent and quiet bit */
};
static const struct width singles = {SIMD_MINPS, SIMD_MAXPS, SIMD_CMPPS, SIMD_SUBPS, SIMD_PSRLDI, 10};
static const struct width doubles = {SIMD_MINPD, SIMD_MAXPD, SIMD_CMPPD, SIMD_SUBPD, SIMD_PSRLQI, 13};
enum { CMP_LE = 2, CMP_UNORDERED = 3 };

/* Where r is a NaN, a quiet one without payload. */
static u32 quieted(struct build *b, struct width w, u32 r) {
    u32 nan = vbinary_imm(b, w.cmp, r, r, CMP_UNORDERED);
    u32 all = vbinary(b, SIMD_POR, r, nan);
    return vbinary(b, SIMD_PANDN, vunary_as(b, T_V128, w.shift, nan, w.payload), all);
}

/* x86 gives the second operand for zeros of two signs and for NaNs: both orders,
 * put together. */
static u32 float_min(struct build *b, struct width w, u32 x, u32 y) {
    return quieted(b, w, vbinary(b, SIMD_POR, vbinary(b, w.min, x, y), vbinary(b, w.min, y, x)));
}

/* Where the orders differ (zeros, NaNs): -0 - -0 is 0, and a NaN stays one. */
static u32 float_max(struct build *b, struct width w, u32 x, u32 y) {
    u32 one = vbinary(b, w.max, x, y), differ = vbinary(b, SIMD_PXOR, one, vbinary(b, w.max, y, x));
    return quieted(b, w, vbinary(b, w.sub, vbinary(b, SIMD_POR, one, differ), differ));
}

/* Too large gives the smallest number: flipped, where the float was not negative. */
static u32 trunc_signed(struct build *b, u32 x) {
    u32 ordered = vbinary_imm(b, SIMD_CMPPS, x, x, 0), number = vbinary(b, SIMD_PAND, x, ordered);
    u32 positive = vbinary(b, SIMD_PXOR, ordered, number), r = vunary(b, SIMD_CVTTPS2DQ, number);
    u32 over = vunary_as(b, T_V128, SIMD_PSRADI, vbinary(b, SIMD_PAND, positive, r), 31);
    return vbinary(b, SIMD_PXOR, r, over);
}

/* Converts what fits a signed number, and what is left of larger ones, and adds. */
static u32 trunc_unsigned(struct build *b, u32 x) {
    u32 zero = vzero(b), limit = veach32(b, 0x4f000000); /* 2^31 */
    u32 number = vbinary(b, SIMD_MAXPS, x, zero), left = vbinary(b, SIMD_SUBPS, number, limit);
    u32 over = vbinary_imm(b, SIMD_CMPPS, limit, left, CMP_LE);
    u32 high = vbinary(b, SIMD_PMAXSD, vbinary(b, SIMD_PXOR, vunary(b, SIMD_CVTTPS2DQ, left), over), zero);
    return vbinary(b, SIMD_PADDD, vunary(b, SIMD_CVTTPS2DQ, number), high);
}

static u32 trunc_double_signed(struct build *b, u32 x) {
    u32 ordered = vbinary_imm(b, SIMD_CMPPD, x, x, 0);
    u32 limit = vbinary(b, SIMD_PAND, ordered, veach64(b, 0x41dfffffffc00000)); /* 2^31 - 1; 0 for a NaN */
    return vunary(b, SIMD_CVTTPD2DQ, vbinary(b, SIMD_MINPD, x, limit));
}

/* Between 0 and 2^32 - 1, then the number is in the low bits of 2^52 more. */
static u32 trunc_double_unsigned(struct build *b, u32 x) {
    u32 zero = vzero(b), number = vbinary(b, SIMD_MAXPD, x, zero);
    number = vbinary(b, SIMD_MINPD, number, veach64(b, 0x41efffffffe00000));
    number = vunary_as(b, T_V128, SIMD_ROUNDPD, number, 11);
    number = vbinary(b, SIMD_ADDPD, number, veach64(b, 0x4330000000000000));
    return vbinary_imm(b, SIMD_SHUFPS, number, zero, 0x88);
}

/* Halves of 16 bits, each exact; the sum rounds once. */
static u32 convert_unsigned(struct build *b, u32 x) {
    u32 low = vbinary(b, SIMD_PAND, x, veach32(b, 0xffff)), high = vunary_as(b, T_V128, SIMD_PSRLDI, x, 16);
    u32 scaled = vbinary(b, SIMD_MULPS, vunary(b, SIMD_CVTDQ2PS, high), veach32(b, 0x47800000)); /* 2^16 */
    return vbinary(b, SIMD_ADDPS, scaled, vunary(b, SIMD_CVTDQ2PS, low));
}

/* The number as the low bits of 2^52 more, less 2^52. */
static u32 convert_low_unsigned(struct build *b, u32 x) {
    u32 wide = vbinary(b, SIMD_UNPCKLPS, x, veach32(b, 0x43300000));
    return vbinary(b, SIMD_SUBPD, wide, veach64(b, 0x4330000000000000));
}

static bool float_binary(struct build *b, u32 x, u32 y, u32 *out) {
    switch (b->in.op) {
    case WASM_OP_F32X4_MIN: *out = float_min(b, singles, x, y); break;
    case WASM_OP_F32X4_MAX: *out = float_max(b, singles, x, y); break;
    case WASM_OP_F64X2_MIN: *out = float_min(b, doubles, x, y); break;
    case WASM_OP_F64X2_MAX: *out = float_max(b, doubles, x, y); break;
    default: return false;
    }
    return true;
}

/* ---- by their operands ---- */

static u32 negated(struct build *b, enum simd_op sub, u32 x) { return vbinary(b, sub, vzero(b), x); }

static u32 unary(struct build *b, u32 x) {
    u32 out;
    if (pairwise(b, x, &out)) return out;
    switch (b->in.op) {
    case WASM_OP_V128_NOT: return not(b, x);
    case WASM_OP_I8X16_NEG: return negated(b, SIMD_PSUBB, x);
    case WASM_OP_I16X8_NEG: return negated(b, SIMD_PSUBW, x);
    case WASM_OP_I32X4_NEG: return negated(b, SIMD_PSUBD, x);
    case WASM_OP_I64X2_NEG: return negated(b, SIMD_PSUBQ, x);
    case WASM_OP_I64X2_ABS: return abs64(b, x);
    case WASM_OP_I8X16_POPCNT: return popcnt(b, x);
    case WASM_OP_I16X8_EXTEND_HIGH_I8X16_S: return vunary(b, SIMD_PMOVSXBW, upper(b, x));
    case WASM_OP_I16X8_EXTEND_HIGH_I8X16_U: return vunary(b, SIMD_PMOVZXBW, upper(b, x));
    case WASM_OP_I32X4_EXTEND_HIGH_I16X8_S: return vunary(b, SIMD_PMOVSXWD, upper(b, x));
    case WASM_OP_I32X4_EXTEND_HIGH_I16X8_U: return vunary(b, SIMD_PMOVZXWD, upper(b, x));
    case WASM_OP_I64X2_EXTEND_HIGH_I32X4_S: return vunary(b, SIMD_PMOVSXDQ, upper(b, x));
    case WASM_OP_I64X2_EXTEND_HIGH_I32X4_U: return vunary(b, SIMD_PMOVZXDQ, upper(b, x));
    case WASM_OP_F32X4_ABS: return vbinary(b, SIMD_PAND, x, veach32(b, 0x7fffffff));
    case WASM_OP_F32X4_NEG: return vbinary(b, SIMD_PXOR, x, veach32(b, 0x80000000));
    case WASM_OP_F64X2_ABS: return vbinary(b, SIMD_PAND, x, veach64(b, INT64_MAX));
    case WASM_OP_F64X2_NEG: return vbinary(b, SIMD_PXOR, x, veach64(b, 1ull << 63));
    case WASM_OP_I32X4_TRUNC_SAT_F32X4_S:
    case WASM_OP_I32X4_RELAXED_TRUNC_F32X4_S: return trunc_signed(b, x);
    case WASM_OP_I32X4_TRUNC_SAT_F32X4_U:
    case WASM_OP_I32X4_RELAXED_TRUNC_F32X4_U: return trunc_unsigned(b, x);
    case WASM_OP_I32X4_TRUNC_SAT_F64X2_S_ZERO:
    case WASM_OP_I32X4_RELAXED_TRUNC_F64X2_S_ZERO: return trunc_double_signed(b, x);
    case WASM_OP_I32X4_TRUNC_SAT_F64X2_U_ZERO:
    case WASM_OP_I32X4_RELAXED_TRUNC_F64X2_U_ZERO: return trunc_double_unsigned(b, x);
    case WASM_OP_F32X4_CONVERT_I32X4_U: return convert_unsigned(b, x);
    case WASM_OP_F64X2_CONVERT_LOW_I32X4_U: return convert_low_unsigned(b, x);
    default: return truth(b, x);
    }
}

static u32 binary(struct build *b, u32 x, u32 y) {
    u32 out;
    if (compare(b, x, y, &out) || extmul(b, x, y, &out) || float_binary(b, x, y, &out)) return out;
    switch (b->in.op) {
    case WASM_OP_I8X16_SHUFFLE: return shuffle(b, x, y);
    case WASM_OP_I8X16_SWIZZLE: return swizzle(b, x, y);
    case WASM_OP_I64X2_MUL: return mul64(b, x, y);
    case WASM_OP_I16X8_Q15MULR_SAT_S: return q15mulr(b, x, y);
    case WASM_OP_I8X16_SHL:
    case WASM_OP_I8X16_SHR_S:
    case WASM_OP_I8X16_SHR_U: return shift(b, x, y, 8);
    case WASM_OP_I16X8_SHL:
    case WASM_OP_I16X8_SHR_S:
    case WASM_OP_I16X8_SHR_U: return shift(b, x, y, 16);
    case WASM_OP_I32X4_SHL:
    case WASM_OP_I32X4_SHR_S:
    case WASM_OP_I32X4_SHR_U: return shift(b, x, y, 32);
    case WASM_OP_I64X2_SHL:
    case WASM_OP_I64X2_SHR_S:
    case WASM_OP_I64X2_SHR_U: return shift(b, x, y, 64);
    default: return replace(b, x, y);
    }
}

static u32 ternary(struct build *b, u32 x, u32 y, u32 z) {
    switch (b->in.op) {
    case WASM_OP_F32X4_RELAXED_MADD: return vbinary(b, SIMD_ADDPS, vbinary(b, SIMD_MULPS, x, y), z);
    case WASM_OP_F32X4_RELAXED_NMADD: return vbinary(b, SIMD_SUBPS, z, vbinary(b, SIMD_MULPS, x, y));
    case WASM_OP_F64X2_RELAXED_MADD: return vbinary(b, SIMD_ADDPD, vbinary(b, SIMD_MULPD, x, y), z);
    case WASM_OP_F64X2_RELAXED_NMADD: return vbinary(b, SIMD_SUBPD, z, vbinary(b, SIMD_MULPD, x, y));
    case WASM_OP_I32X4_RELAXED_DOT_I8X16_I7X16_ADD_S: {
        u32 words = vbinary(b, SIMD_PMADDUBSW, y, x);
        return vbinary(b, SIMD_PADDD, vbinary(b, SIMD_PMADDWD, words, veach16(b, 1)), z);
    }
    default: return bitselect(b, x, y, z); /* laneselect too: bit by bit is allowed */
    }
}

static u32 splat_log2(enum wasm_op op) {
    static const u8 log2[] = {0, 1, 2, 3, 2, 3};
    return log2[op - WASM_OP_I8X16_SPLAT];
}

void build_composed(struct build *b) {
    const struct wasm_opinfo *info = &wasm_opinfos[b->in.op];
    bool is_splat = b->in.op >= WASM_OP_I8X16_SPLAT && b->in.op <= WASM_OP_F64X2_SPLAT;
    u32 v[3];
    assert(info->operand_count <= 3);
    for (u32 k = info->operand_count; k-- > 0;) v[k] = pop(b);
    if (is_splat) push(b, vsplat(b, splat_log2(b->in.op), v[0]));
    else if (info->imm == WASM_IMM_LANE && info->operand_count == 1) push(b, extract(b, v[0]));
    else if (info->operand_count == 1) push(b, unary(b, v[0]));
    else if (info->operand_count == 2) push(b, binary(b, v[0], v[1]));
    else push(b, ternary(b, v[0], v[1], v[2]));
}
