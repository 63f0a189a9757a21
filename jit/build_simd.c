/* build_simd.c: the vector instructions, as far as one of x86 is one of
 * WebAssembly; build_simd_more.c composes the others.
 *
 * I1 every value here is pure: numbered, and gone when unused.
 * I2 loads and stores are as wide as WebAssembly says: what is widened or
 *    repeated is loaded first, in its own width. */
#include "jit/build_simd.h"

const struct simd_info simd_infos[SIMD_OP_COUNT] = {
#define X(name, prefix, opcode, kind, sub) {#name, opcode, prefix, SIMD_##kind, sub},
    SIMD_OPS(X)
#undef X
};

/* One instruction: its operands as they are, or in the other order. */
struct direct {
    u8 op, swapped, imm, used;
};
#define D(wasm, simd) [WASM_OP_##wasm - WASM_OP_V128_LOAD] = {SIMD_##simd, 0, 0, 1}
#define DI(wasm, simd, imm) [WASM_OP_##wasm - WASM_OP_V128_LOAD] = {SIMD_##simd, 0, imm, 1}
#define DS(wasm, simd, imm) [WASM_OP_##wasm - WASM_OP_V128_LOAD] = {SIMD_##simd, 1, imm, 1}
/* Predicates of cmpps. */
enum { CMP_EQ = 0, CMP_LT = 1, CMP_LE = 2, CMP_NE = 4 };

static const struct direct directs[WASM_OP_COUNT - WASM_OP_V128_LOAD] = {
    D(I8X16_ADD, PADDB), D(I16X8_ADD, PADDW), D(I32X4_ADD, PADDD), D(I64X2_ADD, PADDQ),
    D(I8X16_SUB, PSUBB), D(I16X8_SUB, PSUBW), D(I32X4_SUB, PSUBD), D(I64X2_SUB, PSUBQ),
    D(I8X16_ADD_SAT_S, PADDSB), D(I8X16_ADD_SAT_U, PADDUSB), D(I8X16_SUB_SAT_S, PSUBSB), D(I8X16_SUB_SAT_U, PSUBUSB),
    D(I16X8_ADD_SAT_S, PADDSW), D(I16X8_ADD_SAT_U, PADDUSW), D(I16X8_SUB_SAT_S, PSUBSW), D(I16X8_SUB_SAT_U, PSUBUSW),
    D(I16X8_MUL, PMULLW), D(I32X4_MUL, PMULLD), D(I32X4_DOT_I16X8_S, PMADDWD),
    D(I8X16_MIN_S, PMINSB), D(I8X16_MIN_U, PMINUB), D(I8X16_MAX_S, PMAXSB), D(I8X16_MAX_U, PMAXUB),
    D(I16X8_MIN_S, PMINSW), D(I16X8_MIN_U, PMINUW), D(I16X8_MAX_S, PMAXSW), D(I16X8_MAX_U, PMAXUW),
    D(I32X4_MIN_S, PMINSD), D(I32X4_MIN_U, PMINUD), D(I32X4_MAX_S, PMAXSD), D(I32X4_MAX_U, PMAXUD),
    D(I8X16_AVGR_U, PAVGB), D(I16X8_AVGR_U, PAVGW),
    D(I8X16_EQ, PCMPEQB), D(I16X8_EQ, PCMPEQW), D(I32X4_EQ, PCMPEQD), D(I64X2_EQ, PCMPEQQ),
    D(I8X16_GT_S, PCMPGTB), D(I16X8_GT_S, PCMPGTW), D(I32X4_GT_S, PCMPGTD),
    DS(I8X16_LT_S, PCMPGTB, 0), DS(I16X8_LT_S, PCMPGTW, 0), DS(I32X4_LT_S, PCMPGTD, 0),
    D(V128_AND, PAND), D(V128_OR, POR), D(V128_XOR, PXOR), DS(V128_ANDNOT, PANDN, 0),
    D(I8X16_NARROW_I16X8_S, PACKSSWB), D(I8X16_NARROW_I16X8_U, PACKUSWB),
    D(I16X8_NARROW_I32X4_S, PACKSSDW), D(I16X8_NARROW_I32X4_U, PACKUSDW),
    D(I8X16_ABS, PABSB), D(I16X8_ABS, PABSW), D(I32X4_ABS, PABSD),
    D(I16X8_EXTEND_LOW_I8X16_S, PMOVSXBW), D(I16X8_EXTEND_LOW_I8X16_U, PMOVZXBW),
    D(I32X4_EXTEND_LOW_I16X8_S, PMOVSXWD), D(I32X4_EXTEND_LOW_I16X8_U, PMOVZXWD),
    D(I64X2_EXTEND_LOW_I32X4_S, PMOVSXDQ), D(I64X2_EXTEND_LOW_I32X4_U, PMOVZXDQ),
    D(F32X4_ADD, ADDPS), D(F32X4_SUB, SUBPS), D(F32X4_MUL, MULPS), D(F32X4_DIV, DIVPS), D(F32X4_SQRT, SQRTPS),
    D(F64X2_ADD, ADDPD), D(F64X2_SUB, SUBPD), D(F64X2_MUL, MULPD), D(F64X2_DIV, DIVPD), D(F64X2_SQRT, SQRTPD),
    DS(F32X4_PMIN, MINPS, 0), DS(F32X4_PMAX, MAXPS, 0), DS(F64X2_PMIN, MINPD, 0), DS(F64X2_PMAX, MAXPD, 0),
    D(F32X4_RELAXED_MIN, MINPS), D(F32X4_RELAXED_MAX, MAXPS), D(F64X2_RELAXED_MIN, MINPD), D(F64X2_RELAXED_MAX, MAXPD),
    DI(F32X4_EQ, CMPPS, CMP_EQ), DI(F32X4_NE, CMPPS, CMP_NE), DI(F32X4_LT, CMPPS, CMP_LT), DI(F32X4_LE, CMPPS, CMP_LE),
    DS(F32X4_GT, CMPPS, CMP_LT), DS(F32X4_GE, CMPPS, CMP_LE),
    DI(F64X2_EQ, CMPPD, CMP_EQ), DI(F64X2_NE, CMPPD, CMP_NE), DI(F64X2_LT, CMPPD, CMP_LT), DI(F64X2_LE, CMPPD, CMP_LE),
    DS(F64X2_GT, CMPPD, CMP_LT), DS(F64X2_GE, CMPPD, CMP_LE),
    /* rounding: 8 nearest, 9 down, 10 up, 11 to zero, without the inexact flag */
    DI(F32X4_NEAREST, ROUNDPS, 8), DI(F32X4_FLOOR, ROUNDPS, 9), DI(F32X4_CEIL, ROUNDPS, 10), DI(F32X4_TRUNC, ROUNDPS, 11),
    DI(F64X2_NEAREST, ROUNDPD, 8), DI(F64X2_FLOOR, ROUNDPD, 9), DI(F64X2_CEIL, ROUNDPD, 10), DI(F64X2_TRUNC, ROUNDPD, 11),
    D(F32X4_CONVERT_I32X4_S, CVTDQ2PS), D(F64X2_CONVERT_LOW_I32X4_S, CVTDQ2PD),
    D(F64X2_PROMOTE_LOW_F32X4, CVTPS2PD), D(F32X4_DEMOTE_F64X2_ZERO, CVTPD2PS),
    D(I8X16_RELAXED_SWIZZLE, PSHUFB), D(I16X8_RELAXED_Q15MULR_S, PMULHRSW),
    DS(I16X8_RELAXED_DOT_I8X16_I7X16_S, PMADDUBSW, 0),
};

/* ---- parts ---- */

u32 vconst(struct build *b, u64 low, u64 high) {
    struct fn *f = b->f;
    enum { NEAR = 32 }; /* of the newest ones, an equal one is found */
    u32 k = f->vconsts.n, last = k > NEAR ? k - NEAR : 0;
    while (k > last && (f->vconsts.p[k - 1].low != low || f->vconsts.p[k - 1].high != high)) k--;
    if (k == last) {
        VEC_PUSH(f, f->vconsts, ((struct vconst){low, high}));
        k = f->vconsts.n;
    }
    return ir_value(f, (struct ins){.op = IR_VCONST, .type = T_V128, .a = k - 1});
}

u32 vunary_as(struct build *b, u8 type, enum simd_op op, u32 x, u8 imm) {
    assert(simd_infos[op].kind >= SIMD_UNARY);
    return ir_value(b->f, (struct ins){.op = IR_VUNARY, .type = type, .a = x, .c = simd_pack(op, imm)});
}

u32 vbinary_imm(struct build *b, enum simd_op op, u32 x, u32 y, u8 imm) {
    assert(simd_infos[op].kind < SIMD_UNARY);
    return ir_value(b->f, (struct ins){.op = IR_VBINARY, .type = T_V128, .a = x, .b = y, .c = simd_pack(op, imm)});
}

/* ---- memory ---- */

static u32 load(struct build *b, u8 type, u8 access) {
    build_load(b, type, access);
    return pop(b);
}

static const struct {
    u8 op, access;
} extends[6] = {
    {SIMD_PMOVSXBW, A_V64}, {SIMD_PMOVZXBW, A_V64}, {SIMD_PMOVSXWD, A_V64},
    {SIMD_PMOVZXWD, A_V64}, {SIMD_PMOVSXDQ, A_V64}, {SIMD_PMOVZXDQ, A_V64},
};
static const u8 lane_access[4] = {A_U8, A_U16, A_U32, A_64};

static void load_lane(struct build *b, u32 log2) {
    static const u8 insert[4] = {SIMD_PINSRB, SIMD_PINSRW, SIMD_PINSRD, SIMD_PINSRD};
    u32 v = pop(b), x = load(b, log2 == 3 ? T_I64 : T_I32, lane_access[log2]);
    push(b, vbinary_imm(b, insert[log2], v, x, (u8)b->in.lane));
}

static void store_lane(struct build *b, u32 log2) {
    static const u8 extract[4] = {SIMD_PEXTRB, SIMD_PEXTRW, SIMD_PEXTRD, SIMD_PEXTRD};
    u32 x = vunary_as(b, log2 == 3 ? T_I64 : T_I32, extract[log2], pop(b), (u8)b->in.lane);
    push(b, x);
    build_store(b, lane_access[log2]);
}

static bool memory(struct build *b) {
    enum wasm_op op = b->in.op;
    if (op >= WASM_OP_V128_LOAD8X8_S && op <= WASM_OP_V128_LOAD32X2_U) {
        u32 k = op - WASM_OP_V128_LOAD8X8_S;
        push(b, vunary(b, extends[k].op, load(b, T_V128, extends[k].access)));
    } else if (op >= WASM_OP_V128_LOAD8_SPLAT && op <= WASM_OP_V128_LOAD64_SPLAT) {
        u32 k = op - WASM_OP_V128_LOAD8_SPLAT;
        push(b, vsplat(b, k, load(b, k == 3 ? T_I64 : T_I32, lane_access[k])));
    } else if (op >= WASM_OP_V128_LOAD8_LANE && op <= WASM_OP_V128_LOAD64_LANE) {
        load_lane(b, op - WASM_OP_V128_LOAD8_LANE);
    } else if (op >= WASM_OP_V128_STORE8_LANE && op <= WASM_OP_V128_STORE64_LANE) {
        store_lane(b, op - WASM_OP_V128_STORE8_LANE);
    } else {
        switch (op) {
        case WASM_OP_V128_LOAD: build_load(b, T_V128, A_V128); break;
        case WASM_OP_V128_LOAD32_ZERO: build_load(b, T_V128, A_V32); break;
        case WASM_OP_V128_LOAD64_ZERO: build_load(b, T_V128, A_V64); break;
        case WASM_OP_V128_STORE: build_store(b, A_V128); break;
        default: return false;
        }
    }
    return true;
}

static void do_direct(struct build *b, struct direct d) {
    if (simd_infos[d.op].kind >= SIMD_UNARY) {
        push(b, vunary_as(b, T_V128, d.op, pop(b), d.imm));
        return;
    }
    u32 y = pop(b), x = pop(b);
    push(b, d.swapped ? vbinary_imm(b, d.op, y, x, d.imm) : vbinary_imm(b, d.op, x, y, d.imm));
}

void build_vector(struct build *b) {
    struct direct d = directs[b->in.op - WASM_OP_V128_LOAD];
    if (d.used) do_direct(b, d);
    else if (b->in.op == WASM_OP_V128_CONST) push(b, vconst(b, b->in.bits, b->in.high));
    else if (!memory(b)) build_composed(b);
}
