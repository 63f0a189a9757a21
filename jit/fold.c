/* fold.c: constant folding and algebra at construction. Integers only: floats
 * are the machine's business (NaN bits, rounding).
 *
 * I1 a fold never removes a trap: division folds only when it cannot trap.
 * I2 constants of i32 are held zero-extended. */
#include "base/fault.h"
#include "jit/ir.h"

static u64 bits_of(const struct fn *f, u32 v) { return const_bits(&f->ins.p[v]); }
static bool wide(const struct ins *i) { return i->type == T_I64; }
static u64 width_mask(const struct ins *i) { return wide(i) ? UINT64_MAX : UINT32_MAX; }
static i64 sext(const struct ins *i, u64 x) { return wide(i) ? (i64)x : (i64)(i32)x; }

static bool commutes(u8 op) {
    return op == IR_ADD || op == IR_MUL || op == IR_AND || op == IR_OR || op == IR_XOR;
}

static u64 rotate_left(u64 x, unsigned n, unsigned width) {
    n &= width - 1;
    if (!n) return x;
    return width == 64 ? x << n | x >> (64 - n) : (u32)(x << n) | (u32)x >> (32 - n);
}

static bool eval_divide(const struct ins *i, u64 a, u64 b, u64 *out) {
    i64 x = sext(i, a), y = sext(i, b);
    if (!y) return false;
    if (y == -1) { /* INT_MIN / -1 traps; the rest is exact */
        i64 low = wide(i) ? INT64_MIN : INT32_MIN;
        if (i->op == IR_REM_S) return *out = 0, true;
        if (i->op == IR_DIV_S) return *out = (u64)0 - (u64)x, x != low;
    }
    switch (i->op) {
    case IR_DIV_S: *out = (u64)(x / y); return true;
    case IR_REM_S: *out = (u64)(x % y); return true;
    case IR_DIV_U: *out = a / b; return true;
    default: *out = a % b; return true;
    }
}

static bool eval_compare(const struct ins *i, const struct ins *operand, u64 a, u64 b) {
    i64 x = sext(operand, a), y = sext(operand, b);
    switch (i->aux) {
    case CC_EQ: return a == b;
    case CC_NE: return a != b;
    case CC_ULT: return a < b;
    case CC_UGE: return a >= b;
    case CC_ULE: return a <= b;
    case CC_UGT: return a > b;
    case CC_LT: return x < y;
    case CC_GE: return x >= y;
    case CC_LE: return x <= y;
    case CC_GT: return x > y;
    default: unreachable();
    }
}

static bool eval2(const struct fn *f, const struct ins *i, u64 *out) {
    u64 a = bits_of(f, i->a), b = bits_of(f, i->b);
    unsigned width = wide(i) ? 64 : 32, n = (unsigned)b & (fault(SHIFT_FOLD) ? 63 : width - 1);
    switch (i->op) {
    case IR_ADD: *out = a + b; return true;
    case IR_SUB: *out = a - b; return true;
    case IR_MUL: *out = a * b; return true;
    case IR_AND: *out = a & b; return true;
    case IR_OR: *out = a | b; return true;
    case IR_XOR: *out = a ^ b; return true;
    case IR_SHL: *out = a << n; return true;
    case IR_SHR_U: *out = a >> n; return true;
    case IR_SHR_S: *out = (u64)(sext(i, a) >> n); return true;
    case IR_ROTL: *out = rotate_left(a, n, width); return true;
    case IR_ROTR: *out = rotate_left(a, width - n, width); return true;
    case IR_DIV_S:
    case IR_DIV_U:
    case IR_REM_S:
    case IR_REM_U: return eval_divide(i, a, b, out);
    case IR_ICMP: *out = eval_compare(i, &f->ins.p[i->a], a, b); return true;
    default: return false;
    }
}

static u64 sign_from(u64 x, unsigned bits) { return (u64)((i64)(x << (64 - bits)) >> (64 - bits)); }

static bool eval1(const struct fn *f, const struct ins *i, u64 *out) {
    u64 a = bits_of(f, i->a);
    unsigned width = wide(i) ? 64 : 32;
    switch (i->op) {
    case IR_CLZ: *out = a ? (u64)__builtin_clzll(a) - (64 - width) : width; return true;
    case IR_CTZ: *out = a ? (u64)__builtin_ctzll(a) : width; return true;
    case IR_SEXT: *out = sign_from(a, i->aux); return true;
    case IR_WRAP:
    case IR_ZEXT: *out = (u32)a; return true;
    case IR_BITCAST: *out = a; return true;
    default: return false;
    }
}

static u32 constant(struct fn *f, const struct ins *i, u64 bits) {
    return ir_const(f, i->type, bits & width_mask(i));
}

static bool power_of_two(u64 x, u32 *log) {
    if (!x || (x & (x - 1))) return false;
    *log = (u32)__builtin_ctzll(x);
    return true;
}

/* ---- bounds ---- */

static u64 all_below(u64 x) { return x ? UINT64_MAX >> __builtin_clzll(x) : 0; }

static u64 max_of(const struct fn *f, u32 v, u32 depth);

static u64 max_arith(const struct fn *f, const struct ins *i, u64 top, u32 depth) {
    u64 a = max_of(f, i->a, depth), b = max_of(f, i->b, depth), r;
    unsigned n = is_const(f, i->b) ? (unsigned)b & (wide(i) ? 63 : 31) : 64;
    switch (i->op) {
    case IR_ADD: return __builtin_add_overflow(a, b, &r) || r > top ? top : r;
    case IR_MUL: return __builtin_mul_overflow(a, b, &r) || r > top ? top : r;
    case IR_AND: return MIN(a, b);
    case IR_OR:
    case IR_XOR: return all_below(a | b);
    case IR_SHL: return n < 64 && a <= top >> n ? a << n : top;
    case IR_SHR_U: return n < 64 ? a >> n : a;
    case IR_DIV_U: return a;
    case IR_REM_U: return b ? MIN(a, b - 1) : a;
    default: return top;
    }
}

static u64 max_of(const struct fn *f, u32 v, u32 depth) {
    const struct ins *i = &f->ins.p[v];
    u64 top = width_mask(i);
    if (i->op == IR_CONST) return const_bits(i);
    if (!depth--) return top;
    switch (i->op) {
    case IR_LOAD: return i->aux == A_U8 ? UINT8_MAX : i->aux == A_U16 ? UINT16_MAX : i->aux == A_U32 ? UINT32_MAX : top;
    case IR_ICMP:
    case IR_FCMP: return 1;
    case IR_CLZ:
    case IR_CTZ:
    case IR_POPCNT: return 64;
    case IR_ZEXT:
    case IR_WRAP: return MIN(max_of(f, i->a, depth), UINT32_MAX);
    case IR_SELECT: return MAX(max_of(f, i->a, depth), max_of(f, i->b, depth));
    default: return i->op >= IR_ADD && i->op <= IR_REM_U ? max_arith(f, i, top, depth) : top;
    }
}

u64 fold_max(const struct fn *f, u32 v) { return max_of(f, v, 4); }

/* The sign of x >> n, signed, is that of x: division by 2 (fold_divide.c) asks for it. */
static void sign_bit(const struct fn *f, struct ins *i, u64 b) {
    const struct ins *x = &f->ins.p[i->a];
    if (i->op == IR_SHR_U && b == (wide(i) ? 63 : 31) && x->op == IR_SHR_S) i->a = x->a;
}

/* x * 3, 5, 9 as x + (x << 1..3): one lea (select.c), where imul takes three cycles. */
static void by_lea(struct fn *f, struct ins *i, u64 b) {
    struct ins shl = {.op = IR_SHL, .type = i->type, .a = i->a, .b = constant(f, i, (u64)__builtin_ctzll(b - 1))};
    i->op = IR_ADD;
    i->b = ir_value(f, shl);
}

/* x op constant. Returns a value, or 0 having perhaps rewritten *i. */
static u32 fold_right(struct fn *f, struct ins *i) {
    u64 b = bits_of(f, i->b), all = width_mask(i);
    u32 log;
    switch (i->op) {
    case IR_ADD:
    case IR_SUB:
    case IR_XOR:
        if (!b) return i->a;
        break;
    case IR_OR:
        if (!b) return i->a;
        if (b == all) return i->b;
        break;
    case IR_AND:
        if (!b) return i->b;
        if ((all_below(fold_max(f, i->a)) & ~b) == 0) return i->a;
        break;
    case IR_SHL:
    case IR_SHR_U:
    case IR_SHR_S:
    case IR_ROTL:
    case IR_ROTR:
        if (!(b & (wide(i) ? 63 : 31))) return i->a;
        sign_bit(f, i, b);
        break;
    case IR_MUL:
        if (!b) return i->b;
        if (b == 1) return i->a;
        if (power_of_two(b, &log)) i->op = IR_SHL, i->b = constant(f, i, log);
        else if (b == 3 || b == 5 || b == 9) by_lea(f, i, b);
        break;
    case IR_DIV_U:
        if (b == 1) return i->a;
        if (power_of_two(b, &log)) i->op = IR_SHR_U, i->b = constant(f, i, log);
        break;
    case IR_REM_U:
        if (power_of_two(b, &log)) i->op = IR_AND, i->b = constant(f, i, b - 1);
        break;
    case IR_DIV_S:
        if (b == 1) return i->a;
        break;
    default: break;
    }
    return 0;
}

/* (x op c1) op c2 -> x op (c1 op c2). */
static void reassociate(struct fn *f, struct ins *i) {
    struct ins x = f->ins.p[i->a];
    if (x.op != i->op || !is_const(f, x.b)) return;
    u64 c1 = bits_of(f, x.b), c2 = bits_of(f, i->b), c;
    switch (i->op) {
    case IR_ADD: c = c1 + c2; break;
    case IR_AND: c = c1 & c2; break;
    case IR_OR: c = c1 | c2; break;
    case IR_XOR: c = c1 ^ c2; break;
    default: return;
    }
    i->a = x.a;
    i->b = constant(f, i, c);
}

/* Comparisons of comparisons: eqz(x < y) is x >= y; x != 0 of one is itself. */
static u32 fold_compare(struct fn *f, struct ins *i) {
    if (!is_const(f, i->b) || bits_of(f, i->b)) return 0;
    struct ins x = f->ins.p[i->a];
    if (x.op == IR_ICMP && i->aux == CC_NE) return i->a;
    if (x.op == IR_FCMP && i->aux == CC_NE) return i->a;
    if (x.op == IR_ICMP && i->aux == CC_EQ) {
        *i = x;
        i->aux ^= 1;
        i->flags = 0;
    }
    return 0;
}

static u32 fold_select(struct fn *f, const struct ins *i) {
    if (i->a == i->b) return i->a;
    if (is_const(f, i->c)) return bits_of(f, i->c) ? i->a : i->b;
    return 0;
}

static u32 fold_same(struct fn *f, struct ins *i) {
    switch (i->op) {
    case IR_SUB:
    case IR_XOR: return constant(f, i, 0);
    case IR_AND:
    case IR_OR: return i->a;
    case IR_ICMP: return ir_const(f, T_I32, i->aux == CC_EQ || i->aux == CC_UGE || i->aux == CC_ULE || i->aux == CC_GE || i->aux == CC_LE);
    default: return 0;
    }
}

static void swap_operands(struct ins *i) {
    u32 t = i->a;
    i->a = i->b;
    i->b = t;
}

static enum ir_cond mirrored(u8 cc) {
    switch (cc) {
    case CC_ULT: return CC_UGT;
    case CC_UGT: return CC_ULT;
    case CC_ULE: return CC_UGE;
    case CC_UGE: return CC_ULE;
    case CC_LT: return CC_GT;
    case CC_GT: return CC_LT;
    case CC_LE: return CC_GE;
    case CC_GE: return CC_LE;
    default: return cc;
    }
}

/* A constant goes to the right, if it may. */
static bool turn(struct ins *i) {
    if (i->op == IR_ICMP) i->aux = mirrored(i->aux);
    else if (!commutes(i->op)) return false;
    swap_operands(i);
    return true;
}

static u32 fold_right_any(struct fn *f, struct ins *i) {
    if (i->op == IR_SUB) i->op = IR_ADD, i->b = constant(f, i, 0 - bits_of(f, i->b));
    if (i->op == IR_ICMP) return fold_compare(f, i);
    reassociate(f, i);
    u32 v = fold_right(f, i);
    return !v && i->op >= IR_DIV_S && i->op <= IR_REM_U ? fold_divide(f, i) : v;
}

static u32 fold2(struct fn *f, struct ins *i) {
    bool left = is_const(f, i->a), right = is_const(f, i->b);
    u64 bits;
    if (left && right && eval2(f, i, &bits)) return constant(f, i, bits);
    if (i->a == i->b) {
        u32 v = fold_same(f, i);
        if (v) return v;
    }
    if (left && !right) right = turn(i);
    return right ? fold_right_any(f, i) : 0;
}

u32 fold_ins(struct fn *f, struct ins *i) {
    u64 bits;
    if (i->op == IR_SELECT) return fold_select(f, i);
    if (ir_opinfos[i->op].args == 2) return fold2(f, i);
    return is_const(f, i->a) && eval1(f, i, &bits) ? ir_const(f, i->type, bits) : 0;
}
