/* fold_divide.c: division and remainder by constants without dividing.
 *
 * Granlund, Montgomery: Division by Invariant Integers using Multiplication,
 * 1994. With 64-bit registers 32-bit quotients need no high half: for M =
 * ceil(2^(32+s) / d), x * M >> (32+s) is x / d while M * d - 2^(32+s) is small.
 *
 * I1 the divisor is neither 0 nor -1: nothing here traps.
 * I2 64-bit division is done so only where the dividend is below 2^32, or the
 *    divisor a power of two.
 *
 * Gain: a 32-bit quotient takes 4 cycles instead of 12 or more. */
#include "jit/ir.h"

static u32 op2(struct fn *f, u8 op, u8 type, u32 a, u32 b) {
    return ir_value(f, (struct ins){.op = op, .type = type, .a = a, .b = b});
}
static u32 op2c(struct fn *f, u8 op, u8 type, u32 a, u64 c) { return op2(f, op, type, a, ir_const(f, type, c)); }
static u32 convert(struct fn *f, u8 op, u8 type, u8 aux, u32 a) {
    return ir_value(f, (struct ins){.op = op, .type = type, .aux = aux, .a = a});
}

static u32 ceil_log(u64 d) { return d <= 1 ? 0 : 64 - (u32)__builtin_clzll(d - 1); }

/* ceil(2^(32+s) / d) */
static u64 inverse(u64 d, u32 s) { return ((1ull << (32 + s)) - 1) / d + 1; }

/* x, an i64 below 2^32, by 2 < d < 2^32. */
static u32 divide_unsigned(struct fn *f, u32 x, u64 d) {
    u32 s = ceil_log(d), small = s;
    for (u32 k = 0; k < s; k++) { /* is there a multiplier of 32 bits? */
        u64 m = inverse(d, k);
        if (m > UINT32_MAX || m * d - (1ull << (32 + k)) > 1ull << k) continue;
        small = k;
        break;
    }
    if (small < s) return op2c(f, IR_SHR_U, T_I64, op2c(f, IR_MUL, T_I64, x, inverse(d, small)), 32 + small);
    /* 33 bits: the top one is an addition */
    u64 low = s < 32 ? inverse(d, s) - (1ull << 32) : 0;
    if (s == 32) { /* 2^64 / d does not fit: d > 2^31, the quotient is 0 or 1 */
        u32 over = ir_value(f, (struct ins){.op = IR_ICMP, .type = T_I32, .aux = CC_UGE, .a = x, .b = ir_const(f, T_I64, d)});
        return convert(f, IR_ZEXT, T_I64, 0, over);
    }
    u32 high = op2c(f, IR_SHR_U, T_I64, op2c(f, IR_MUL, T_I64, x, low), 32);
    return op2c(f, IR_SHR_U, T_I64, op2(f, IR_ADD, T_I64, high, x), s);
}

/* x of i32, by d > 2, no power of two: M * d - 2^(32+s) < d <= 2^(s+1). */
static u32 divide_signed(struct fn *f, u32 x, u64 d) {
    u32 s = ceil_log(d) - 1, wide = convert(f, IR_SEXT, T_I64, 32, x);
    u32 product = op2c(f, IR_MUL, T_I64, wide, inverse(d, s));
    u32 floor = convert(f, IR_WRAP, T_I32, 0, op2c(f, IR_SHR_S, T_I64, product, 32 + s));
    return op2(f, IR_SUB, T_I32, floor, op2c(f, IR_SHR_S, T_I32, x, 31)); /* towards 0 */
}

/* x, with d - 1 added if it is negative: then shifting rounds towards 0. */
static u32 biased(struct fn *f, u8 type, u32 x, u32 log) {
    u32 bits = type == T_I64 ? 64 : 32;
    u32 sign = op2c(f, IR_SHR_S, type, x, bits - 1);
    return op2(f, IR_ADD, type, x, op2c(f, IR_SHR_U, type, sign, bits - log));
}

static u32 quotient_signed(struct fn *f, u8 type, u32 x, u64 d) {
    bool power = !(d & (d - 1));
    if (power) return op2c(f, IR_SHR_S, type, biased(f, type, x, ceil_log(d)), ceil_log(d));
    return type == T_I32 ? divide_signed(f, x, d) : 0;
}

static u32 fold_signed(struct fn *f, const struct ins *i, i64 d) {
    u64 size = d < 0 ? 0 - (u64)d : (u64)d;
    if (size < 2 || size > INT32_MAX) return 0;
    u32 q = quotient_signed(f, i->type, i->a, size);
    if (!q) return 0;
    if (i->op == IR_REM_S) return op2(f, IR_SUB, i->type, i->a, op2c(f, IR_MUL, i->type, q, size));
    return d < 0 ? op2(f, IR_SUB, i->type, ir_const(f, i->type, 0), q) : q;
}

static u32 fold_unsigned(struct fn *f, const struct ins *i, u64 d) {
    bool narrow = i->type == T_I32;
    if (d < 3 || d > UINT32_MAX || (!narrow && fold_max(f, i->a) > UINT32_MAX)) return 0;
    u32 q = divide_unsigned(f, narrow ? convert(f, IR_ZEXT, T_I64, 0, i->a) : i->a, d);
    if (narrow) q = convert(f, IR_WRAP, T_I32, 0, q);
    return i->op == IR_DIV_U ? q : op2(f, IR_SUB, i->type, i->a, op2c(f, IR_MUL, i->type, q, d));
}

u32 fold_divide(struct fn *f, const struct ins *i) {
    u64 d = const_bits(&f->ins.p[i->b]);
    if (i->op == IR_DIV_S || i->op == IR_REM_S) return fold_signed(f, i, i->type == T_I64 ? (i64)d : (i32)d);
    return fold_unsigned(f, i, d);
}
