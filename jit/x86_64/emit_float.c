/* emit_float.c: floating point and conversions, SSE2 (SSE4.1 for rounding).
 *
 * I1 arithmetic's NaNs are the machine's: quiet, and canonical if no operand
 *    was one, as WebAssembly 2.0, 4.3.3 allows.
 * I2 constants with 16 bytes are aligned: and/or/xor read all of them. */
#include "base/fault.h"
#include "jit/x86_64/emit.h"

static bool is_double(const struct emit *e, u32 v) { return e_ins(e, v)->type == T_F64; }
static u8 scalar(bool dbl) { return dbl ? 0xf2 : 0xf3; }

static void put_scalar(struct emit *e, bool dbl, u32 op, u8 reg, struct rm rm) {
    put_op(e->c, scalar(dbl), 0, op, reg, rm, 0);
}
static void put_ucomi(struct emit *e, bool dbl, u8 reg, struct rm rm) {
    put_op(e->c, dbl ? 0x66 : 0, 0, 0x0f2e, reg, rm, 0);
}

static struct rm sign_mask(struct emit *e, bool dbl, bool inverse) {
    u64 sign = dbl ? 0x8000000000000000 : 0x80000000;
    if (inverse) sign = dbl ? ~sign : 0x7fffffff;
    return rm_data(put_data(e->c, sign, 0, fault(VECTOR_CONST) ? 8 : 16));
}

/* With AVX: d = a op b, at once. */
static void arith_three(struct emit *e, u32 i, u32 op, bool commutes) {
    const struct ins *x = e_ins(e, i);
    bool swap = commutes && better_second(e, x, i);
    u32 b = swap ? x->a : x->b;
    u8 a = in_reg(e, swap ? x->b : x->a, use_pos(i)), d = dest(e, i);
    struct rm from = is_folded(e, b) ? folded_load(e, b, use_pos(i)) : rm_value(e, b, use_pos(i));
    if (is_folded(e, b)) load_site(e);
    put_vex(e->c, scalar(x->type == T_F64), 0, op, d, a, from, 0);
    done(e, i, d);
}

static void emit_arith(struct emit *e, u32 i, u32 op) {
    const struct ins *x = e_ins(e, i);
    bool dbl = x->type == T_F64, commutes = x->op == IR_FADD || x->op == IR_FMUL;
    if (has_cpu(e, JIT_CPU_AVX)) {
        arith_three(e, i, op, commutes);
        return;
    }
    u8 d = dest(e, i);
    u32 a = x->a, b = x->b, bpos = commutes ? use_pos(i) : def_pos(i);
    if (is_folded(e, a) || (commutes && !is_folded(e, b) && loc_at(e, b, use_pos(i)) == LOC(L_REG, d))) b = x->a, a = x->b;
    to_reg(e, a, use_pos(i), d);
    if (is_folded(e, b)) {
        struct rm from = folded_load(e, b, use_pos(i));
        load_site(e);
        put_scalar(e, dbl, op, d, from);
        done(e, i, d);
        return;
    }
    put_scalar(e, dbl, op, d, rm_value(e, b, bpos));
    done(e, i, d);
}

/* minsd takes the second operand for NaN and for zeros of either sign: both
 * cases are done apart. Equal: or (min), and (max) of the bits picks the zero. */
static void emit_minmax(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    bool dbl = x->type == T_F64, min = x->op == IR_FMIN;
    u8 d = dest(e, i);
    u32 lb = loc_at(e, x->b, def_pos(i));
    to_reg(e, x->a, use_pos(i), d);
    u8 b = loc_kind(lb) == L_REG ? (u8)loc_n(lb) : FSCRATCH;
    u8 spare = NO_REG, kept = e->f->simd ? T_V128 : T_F64;
    if (b == FSCRATCH && d == FSCRATCH) { /* both in memory: xmm0 helps out, kept whole in the spare slot */
        spare = b = XMM0;
        put_fstore(e->c, kept, rm_of(e, LOC(L_SLOT, e->a->slots)), XMM0);
    }
    if (loc_kind(lb) != L_REG) to_reg(e, x->b, def_pos(i), b);
    put_ucomi(e, dbl, d, rm_reg(b));
    u32 differ = put_jcc8(e->c, CC_NE), nan = put_jcc8(e->c, CC_P);
    put_op(e->c, 0, 0, min ? 0x0f56 : 0x0f54, d, rm_reg(b), 0);
    u32 over1 = put_jmp8(e->c);
    land8(e->c, nan);
    put_scalar(e, dbl, 0x0f58, d, rm_reg(b));
    u32 over2 = put_jmp8(e->c);
    land8(e->c, differ);
    put_scalar(e, dbl, min ? 0x0f5d : 0x0f5f, d, rm_reg(b));
    land8(e->c, over1);
    land8(e->c, over2);
    if (spare != NO_REG) put_fmov(e->c, kept, XMM0, rm_of(e, LOC(L_SLOT, e->a->slots)));
    done(e, i, d);
}

static void emit_copysign(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    bool dbl = x->type == T_F64;
    u8 d = dest(e, i);
    u8 sign = FSCRATCH;
    if (d == FSCRATCH) { /* the magnitude must wait in memory: combine in general registers */
        to_reg(e, x->b, use_pos(i), FSCRATCH);
        put_op(e->c, 0, 0, 0x0f54, FSCRATCH, sign_mask(e, dbl, false), 0);
        put_fstore(e->c, x->type, rm_of(e, LOC(L_SLOT, e->a->slots)), FSCRATCH);
        to_reg(e, x->a, use_pos(i), FSCRATCH);
        put_op(e->c, 0, 0, 0x0f54, FSCRATCH, sign_mask(e, dbl, true), 0);
        put_fstore(e->c, x->type, rm_of(e, LOC(L_SLOT, (u32)slot_of(e->a, i))), FSCRATCH);
        put_mov(e->c, dbl, SCRATCH, rm_of(e, LOC(L_SLOT, e->a->slots)));
        put_op(e->c, 0, dbl, 0x09, SCRATCH, rm_of(e, LOC(L_SLOT, (u32)slot_of(e->a, i))), 0);
        return;
    }
    to_reg(e, x->b, use_pos(i), sign);
    put_op(e->c, 0, 0, 0x0f54, sign, sign_mask(e, dbl, false), 0);
    to_reg(e, x->a, use_pos(i), d);
    put_op(e->c, 0, 0, 0x0f54, d, sign_mask(e, dbl, true), 0);
    put_op(e->c, 0, 0, 0x0f56, d, rm_reg(sign), 0);
    done(e, i, d);
}

static void emit_sign(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    bool abs = x->op == IR_FABS;
    u8 d = dest(e, i);
    if (has_cpu(e, JIT_CPU_AVX)) {
        u8 a = in_reg(e, x->a, use_pos(i));
        put_vex(e->c, 0, 0, abs ? 0x0f54 : 0x0f57, d, a, sign_mask(e, x->type == T_F64, abs), 0);
        done(e, i, d);
        return;
    }
    to_reg(e, x->a, use_pos(i), d);
    put_op(e->c, 0, 0, abs ? 0x0f54 : 0x0f57, d, sign_mask(e, x->type == T_F64, abs), 0);
    done(e, i, d);
}

static void emit_unary(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    bool dbl = x->type == T_F64;
    u8 d = dest(e, i);
    struct rm a = rm_value(e, x->a, use_pos(i));
    /* These keep the upper half of d: no false dependency on what it was. */
    if (a.kind != RM_REG || a.reg != d) put_op(e->c, 0, 0, 0x0f57, d, rm_reg(d), 0);
    if (x->op == IR_FSQRT) put_scalar(e, dbl, 0x0f51, d, a);
    else if (x->op == IR_FCVT) put_scalar(e, !dbl, 0x0f5a, d, a); /* prefix by source */
    else {
        put_op(e->c, 0x66, 0, dbl ? 0x0f3a0b : 0x0f3a0a, d, a, 1);
        put8(e->c, x->aux);
    }
    done(e, i, d);
}

static void emit_bitcast(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    u8 d = dest(e, i), from = e_ins(e, x->a)->type;
    struct rm a = rm_value(e, x->a, use_pos(i));
    u32 w = x->type == T_I64 || x->type == T_F64;
    if (is_float(x->type) && a.kind != RM_REG) put_fmov(e->c, x->type, d, a);
    else if (is_float(x->type)) put_op(e->c, 0x66, w, 0x0f6e, d, a, 0);
    else if (a.kind != RM_REG) put_mov(e->c, w, d, a);
    else put_op(e->c, 0x66, w, 0x0f7e, a.reg, rm_reg(d), 0);
    assert(is_float(x->type) != is_float(from));
    done(e, i, d);
}

void emit_float(struct emit *e, u32 i) {
    switch (e_ins(e, i)->op) {
    case IR_FADD: emit_arith(e, i, 0x0f58); break;
    case IR_FSUB: emit_arith(e, i, 0x0f5c); break;
    case IR_FMUL: emit_arith(e, i, 0x0f59); break;
    case IR_FDIV: emit_arith(e, i, 0x0f5e); break;
    case IR_FMIN:
    case IR_FMAX: emit_minmax(e, i); break;
    case IR_FCOPYSIGN: emit_copysign(e, i); break;
    case IR_FABS:
    case IR_FNEG: emit_sign(e, i); break;
    case IR_BITCAST: emit_bitcast(e, i); break;
    default: emit_unary(e, i); break;
    }
}

/* ---- integer to float ---- */

/* u64 with the top bit set: halve, keeping the lost bit sticky, and double. */
static void convert_u64(struct emit *e, u32 i, u8 d) {
    const struct ins *x = e_ins(e, i);
    bool dbl = x->type == T_F64;
    struct code *c = e->c;
    to_reg(e, x->a, use_pos(i), SCRATCH);
    put_op(c, 0, 1, 0x85, SCRATCH, rm_reg(SCRATCH), 0);
    u32 big = put_jcc8(c, CC_S);
    put_op(c, scalar(dbl), 1, 0x0f2a, d, rm_reg(SCRATCH), 0);
    u32 over = put_jmp8(c);
    land8(c, big);
    put_shift_imm(c, 5, 1, SCRATCH, 1);
    u32 even = put_jcc8(c, CC_AE);
    put_alu_imm(c, ALU_OR, 1, rm_reg(SCRATCH), 1);
    land8(c, even);
    put_op(c, scalar(dbl), 1, 0x0f2a, d, rm_reg(SCRATCH), 0);
    put_scalar(e, dbl, 0x0f58, d, rm_reg(d));
    land8(c, over);
}

static void emit_from_int(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    bool dbl = x->type == T_F64, is64 = e_ins(e, x->a)->type == T_I64;
    u8 d = dest(e, i);
    put_op(e->c, 0, 0, 0x0f57, d, rm_reg(d), 0); /* cvtsi2sd keeps the upper half: no false dependency */
    if (x->aux) {
        put_op(e->c, scalar(dbl), is64, 0x0f2a, d, rm_value(e, x->a, use_pos(i)), 0);
    } else if (!is64) {
        put_mov(e->c, 0, SCRATCH, rm_value(e, x->a, use_pos(i)));
        put_op(e->c, scalar(dbl), 1, 0x0f2a, d, rm_reg(SCRATCH), 0);
    } else {
        convert_u64(e, i, d);
    }
    done(e, i, d);
}

/* ---- float to integer ---- */

struct trunc {
    struct emit *e;
    bool dbl, sat;
    u8 a, d, t; /* operand, result, a free general register (= r11, or borrowed when d is r11) */
    u32 bad, overflow; /* trap labels */
};

static struct rm float_const(struct trunc *t, u64 dbl, u32 flt) {
    return rm_data(put_data(t->e->c, t->dbl ? dbl : flt, 0, t->dbl ? 8 : 4));
}
static struct rm two63(struct trunc *t) { return float_const(t, 0x43e0000000000000, 0x5f000000); }
static struct rm zero(struct trunc *t) { return float_const(t, 0, 0); }
static void cvtt(struct trunc *t, u32 w, u8 from) {
    put_op(t->e->c, scalar(t->dbl), w, 0x0f2c, t->d, rm_reg(from), 0);
}

/* Why the hardware refused: NaN, or too large. */
static void trap_nan(struct trunc *t) {
    put_ucomi(t->e, t->dbl, t->a, rm_reg(t->a));
    put_label(t->e, 0x0f80 | CC_P, t->bad);
}

/* INT_MIN itself looks like a failure: the bounds tell. Doubles truncate to it from above INT_MIN - 1. */
static void check_signed(struct trunc *t, u32 w) {
    bool exact = w || !t->dbl; /* no value lies between INT_MIN - 1 and INT_MIN */
    struct rm low = w ? float_const(t, 0xc3e0000000000000, 0xdf000000)
                      : float_const(t, 0xc1e0000000200000, 0xcf000000);
    trap_nan(t);
    put_ucomi(t->e, t->dbl, t->a, low);
    put_label(t->e, 0x0f80 | (exact ? CC_B : CC_BE), t->overflow);
    put_ucomi(t->e, t->dbl, t->a, zero(t));
    put_label(t->e, 0x0f80 | CC_AE, t->overflow);
}

/* NaN -> 0, positive -> INT_MAX, negative -> INT_MIN, which is there already. */
static void clamp_signed(struct trunc *t, u32 w) {
    struct code *c = t->e->c;
    put_ucomi(t->e, t->dbl, t->a, zero(t));
    u32 nan = put_jcc8(c, CC_P), low = put_jcc8(c, CC_B);
    put_mov_imm(c, t->d, w ? INT64_MAX : INT32_MAX);
    u32 over = put_jmp8(c);
    land8(c, nan);
    put_mov_imm(c, t->d, 0);
    land8(c, low);
    land8(c, over);
}

static void trunc_signed(struct trunc *t, u32 w) {
    struct code *c = t->e->c;
    cvtt(t, w, t->a);
    put_alu_imm(c, ALU_CMP, w, rm_reg(t->d), 1); /* overflows for INT_MIN only */
    u32 fine = put_jcc8(c, CC_NO);
    if (t->sat) clamp_signed(t, w);
    else check_signed(t, w);
    land8(c, fine);
}

/* The verifier sees a 64-bit result: where it must be known to be clean, a move says so. */
static void trunc_u32(struct trunc *t, bool clean) {
    struct code *c = t->e->c;
    cvtt(t, 1, t->a);
    put_mov(c, 1, t->t, rm_reg(t->d));
    put_shift_imm(c, 5, 1, t->t, 32);
    u32 fine = put_jcc8(c, CC_E);
    if (t->sat) {
        put_ucomi(t->e, t->dbl, t->a, zero(t)); /* NaN counts as below */
        put_mov_imm(c, t->d, 0);
        u32 low = put_jcc8(c, CC_BE);
        put_mov_imm(c, t->d, UINT32_MAX);
        land8(c, low);
    } else {
        trap_nan(t);
        put_label(t->e, 0xe9, t->overflow);
    }
    land8(c, fine);
    if (clean) put_mov(c, 0, t->d, rm_reg(t->d));
}

static void trunc_u64(struct trunc *t) {
    struct code *c = t->e->c;
    put_ucomi(t->e, t->dbl, t->a, two63(t));
    u32 big = put_jcc8(c, CC_AE);
    cvtt(t, 1, t->a);
    put_op(c, 0, 1, 0x85, t->d, rm_reg(t->d), 0);
    u32 fine = put_jcc8(c, CC_NS);
    if (t->sat) put_mov_imm(c, t->d, 0);
    else {
        trap_nan(t);
        put_label(t->e, 0xe9, t->overflow);
    }
    u32 over = put_jmp8(c);
    land8(c, big);
    put_fmov(c, T_F64, FSCRATCH, rm_reg(t->a));
    put_scalar(t->e, t->dbl, 0x0f5c, FSCRATCH, two63(t));
    cvtt(t, 1, FSCRATCH);
    put_mov_imm(c, t->t, 0x8000000000000000);
    put_op(c, 0, 1, 0x85, t->d, rm_reg(t->d), 0);
    if (!t->sat) put_label(t->e, 0x0f80 | CC_S, t->overflow);
    u32 sane = t->sat ? put_jcc8(c, CC_NS) : 0;
    if (t->sat) {
        put_mov_imm(c, t->d, UINT64_MAX >> 1);
        land8(c, sane);
    }
    put_alu(c, ALU_XOR, 1, t->d, rm_reg(t->t));
    land8(c, over);
    land8(c, fine);
}

static void emit_to_int(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    struct trunc t = {.e = e, .dbl = is_double(e, x->a), .sat = x->op == IR_TRUNC_SAT, .d = dest(e, i), .t = SCRATCH};
    bool borrowed = t.d == SCRATCH && !x->aux;
    if (!t.sat) {
        t.bad = trap_label(e, ABI_TRAP_BAD_CONVERSION);
        t.overflow = trap_label(e, ABI_TRAP_INTEGER_OVERFLOW);
    }
    t.a = in_reg(e, x->a, use_pos(i));
    if (borrowed) t.t = borrow(e, SCRATCH, SCRATCH);
    if (x->aux) trunc_signed(&t, wide(x->type));
    else if (x->type == T_I32) trunc_u32(&t, x->flags & V_ZEXT);
    else trunc_u64(&t);
    if (borrowed) give_back(e, t.t);
    done(e, i, t.d);
}

void emit_convert(struct emit *e, u32 i) {
    if (e_ins(e, i)->op == IR_CONVERT) emit_from_int(e, i);
    else emit_to_int(e, i);
}
