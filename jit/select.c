/* select.c: what is emitted by its only user: conditions, tests, scaled indices,
 * loads (lanes of vectors among them), constants of vectors.
 *
 * I1 V_FOLDED is set on a value that is used once, in its own block.
 * I2 a folded load runs where its user runs. Between its place and that one is
 *    nothing but pure operations and other loads: no write, and no trap of
 *    another kind, may change places with it.
 * I3 a folded load reads as many bits as its user operates on, never more than
 *    the load itself.
 *
 * Gain, instructions: andn 2 % of sha256. Of folding loads: 3 % on nbody and matf, 5 % of the code's size;
 * of lanes: matmul_int_simd takes 0.6 to 0.7 of the time. */
#include "jit/simd.h"

struct select {
    struct fn *f;
    u32 first;   /* of the block */
    u32 barrier; /* the last instruction that loads must not pass */
};

static bool private(const struct select *s, u32 v) { return ir_uses(s->f, v) == 1 && v > s->first; }

static u8 whole_access(u8 type) {
    switch (type) {
    case T_I32: return A_U32;
    case T_I64: return A_64;
    case T_F32: return A_F32;
    case T_V128: return A_V128;
    default: return A_F64;
    }
}

static bool is_load(const struct select *s, u32 v) {
    const struct ins *i = &s->f->ins.p[v];
    return i->op == IR_LOAD && private(s, v) && v > s->barrier;
}

static bool fold_load(struct select *s, u32 v) {
    struct ins *i = ins_at(s->f, v);
    if (!is_load(s, v) || i->aux != whole_access(i->type)) return false;
    i->flags |= V_FOLDED;
    return true;
}

/* A byte compared with, or tested against, a constant that is a byte. */
static bool fold_byte(struct select *s, u32 v, u32 constant) {
    struct ins *i = ins_at(s->f, v);
    if (!is_load(s, v) || i->aux != A_U8 || !is_const(s->f, constant)) return false;
    if (const_bits(ins_at(s->f, constant)) > UINT8_MAX) return false;
    i->flags |= V_FOLDED;
    return true;
}

static bool folded(const struct select *s, u32 v) { return s->f->ins.p[v].flags & V_FOLDED; }

/* The and of a test moves to the comparison; a load that it has may come along
 * if nothing is in between. */
static void fold_test(struct select *s, u32 v) {
    struct ins *a = ins_at(s->f, v);
    if (a->op != IR_AND || !private(s, v)) return;
    bool has = folded(s, a->a) || folded(s, a->b);
    u32 load = folded(s, a->a) ? a->a : a->b;
    if (has && (load <= s->barrier || ins_at(s->f, load)->op != IR_LOAD)) return;
    a->flags |= V_FOLDED;
    if (!has && !fold_byte(s, a->a, a->b) && !fold_load(s, a->a)) fold_load(s, a->b);
}

static void fold_compared(struct select *s, const struct ins *x) {
    const struct fn *f = s->f;
    bool zero = is_const(f, x->b) && !const_bits(&f->ins.p[x->b]);
    if (x->op == IR_FCMP) {
        bool swapped = x->aux == FC_LT || x->aux == FC_LE; /* ucomis has its memory operand second */
        fold_load(s, swapped ? x->a : x->b);
        return;
    }
    if (zero && (x->aux == CC_EQ || x->aux == CC_NE)) fold_test(s, x->a);
    if (folded(s, x->a) || fold_byte(s, x->a, x->b) || fold_load(s, x->a)) return;
    fold_load(s, x->b);
}

/* The user of a compare emits it, so that flags need no register. */
static void fold_condition(struct select *s, u32 cond) {
    struct ins *i = ins_at(s->f, cond);
    if (i->op == IR_AND) fold_test(s, cond);
    if ((i->op != IR_ICMP && i->op != IR_FCMP) || !private(s, cond)) return;
    i->flags |= V_FOLDED;
    fold_compared(s, i);
}

static bool loads(const struct select *s, u32 v) { return folded(s, v) && s->f->ins.p[v].op == IR_LOAD; }

/* a + (b << 1..3) is one lea. */
static bool fold_scaled(struct select *s, const struct ins *x, u32 v) {
    struct ins *i = ins_at(s->f, v);
    if (i->op != IR_SHL || !private(s, v) || is_const(s->f, x->a) || is_const(s->f, x->b)) return false;
    if (!is_const(s->f, i->b) || is_const(s->f, i->a) || const_bits(ins_at(s->f, i->b)) > 3) return false;
    i->flags |= V_FOLDED;
    return true;
}

/* a & ~b is andn. */
static bool fold_not(struct select *s, const struct ins *x, u32 v) {
    struct ins *i = ins_at(s->f, v);
    if (i->op != IR_XOR || !private(s, v) || is_const(s->f, x->a) || is_const(s->f, x->b) || !is_const(s->f, i->b)) return false;
    if (const_bits(ins_at(s->f, i->b)) != (i->type == T_I64 ? UINT64_MAX : UINT32_MAX)) return false;
    i->flags |= V_FOLDED;
    return true;
}

/* a + b + constant, a + (b << 1..3) + constant, (b << 1..3) + constant: the same. */
static bool fold_sum(struct select *s, const struct ins *x) {
    const struct fn *f = s->f;
    struct ins *i = ins_at(f, x->a);
    if (!is_const(f, x->b) || !private(s, x->a)) return false;
    i64 disp = (i64)const_bits(&f->ins.p[x->b]);
    if (x->type == T_I64 && disp != (i32)disp) return false;
    bool shift = i->op == IR_SHL && is_const(f, i->b) && !is_const(f, i->a) && const_bits(&f->ins.p[i->b]) <= 3;
    bool sum = i->op == IR_ADD && !is_const(f, i->a) && !is_const(f, i->b) && !loads(s, i->a) && !loads(s, i->b);
    if (!shift && !sum) return false;
    i->flags |= V_FOLDED;
    return true;
}

/* a op constant: the load would be a move just the same. */
static void fold_operand(struct select *s, const struct ins *x, bool commutes) {
    if (x->op == IR_ADD && fold_sum(s, x)) return;
    if (x->op == IR_ADD && (fold_scaled(s, x, x->b) || fold_scaled(s, x, x->a))) return;
    if (x->op == IR_AND && s->f->options->cpu & JIT_CPU_BMI1 && (fold_not(s, x, x->b) || fold_not(s, x, x->a))) return;
    if (fold_load(s, x->b) || !commutes) return;
    if (x->op == IR_MUL || !is_const(s->f, x->b)) fold_load(s, x->a);
}

/* May an update of memory take this operand? All take an immediate, as a byte any constant;
 * add and or a register. */
static bool updates_by(const struct ins *op, const struct ins *other, bool byte) {
    if (other->flags & V_FOLDED) return false;
    i64 bits = (i64)const_bits(other);
    if (other->op == IR_CONST && (byte || op->type == T_I32 || bits == (i32)bits)) return true;
    return !byte && (op->op == IR_ADD || op->op == IR_OR);
}

/* What is loaded, changed and stored again is changed in memory. */
static void fold_update(struct select *s, const struct ins *x) {
    const struct fn *f = s->f;
    struct ins *op = ins_at(f, x->b);
    bool byte = x->aux == A_U8;
    if (op->op < IR_ADD || op->op > IR_XOR || op->op == IR_MUL || !private(s, x->b)) return;
    if (!byte && x->aux != whole_access(op->type)) return;
    for (u32 k = 0; k < (op->op == IR_SUB ? 1 : 2); k++) {
        struct ins *load = ins_at(f, op->args[k]);
        bool same = load->aux == x->aux || (byte && load->aux == A_S8);
        if (!is_load(s, op->args[k]) || !same || load->a != x->a || load->b != x->c) continue;
        if (!updates_by(op, ins_at(f, op->args[1 - k]), byte)) continue;
        load->flags |= V_FOLDED;
        op->flags |= V_FOLDED;
        return;
    }
}

/* A lane, or the lowest with zeros above, from memory. */
static void fold_lane(struct select *s, const struct ins *x, u32 v) {
    static const u8 access[] = {[SIMD_PINSRB] = A_U8, [SIMD_PINSRW] = A_U16, [SIMD_PINSRD] = A_U32, [SIMD_MOVD] = A_U32};
    struct ins *i = ins_at(s->f, v);
    enum simd_op op = simd_op_of(x);
    if ((simd_infos[op].kind != SIMD_INSERT && simd_infos[op].kind != SIMD_FROM) || !is_load(s, v)) return;
    if (i->aux == (i->type == T_I64 ? A_64 : access[op])) i->flags |= V_FOLDED;
}

/* A constant that is made by one instruction anyway is no better in memory. */
static bool fold_vconst(struct select *s, u32 v) {
    struct ins *i = ins_at(s->f, v);
    if (i->op != IR_VCONST || !private(s, v)) return false;
    struct vconst k = s->f->vconsts.p[i->a];
    if (k.low == k.high && (!k.low || k.low == UINT64_MAX)) return false;
    i->flags |= V_FOLDED;
    return true;
}

/* Without AVX the address of a load would have to be aligned, as that of a constant is. */
static bool fold_whole(struct select *s, u32 v) {
    return (s->f->options->cpu & JIT_CPU_AVX && ins_at(s->f, v)->type == T_V128 && fold_load(s, v)) || fold_vconst(s, v);
}

static void fold_vector(struct select *s, const struct ins *x) {
    enum simd_op op = simd_op_of(x);
    u8 kind = simd_infos[op].kind;
    if (kind == SIMD_INSERT) fold_lane(s, x, x->b);
    else if (simd_reads_whole(op) && !fold_whole(s, x->b) && kind == SIMD_BOTH) fold_whole(s, x->a);
}

/* What is to be known of an operation: loads may not pass it; it has a case in
 * select_ins; a block starts. */
enum { BARRIER = 1, FOLDS = 2, STARTS = 4 };

#define IS_BARRIER(op, kind) ((kind) == K_EFFECT || ((kind) == K_TRAPS && (op) != IR_LOAD))
#define HAS_FOLDS(op)                                                                             \
    (((op) >= IR_ADD && (op) <= IR_XOR) || ((op) >= IR_ICMP && (op) <= IR_FDIV) || (op) == IR_SELECT || \
     (op) == IR_VUNARY || (op) == IR_VBINARY || (op) == IR_BRIF || (op) == IR_STORE)

static const u8 traits[IR_OP_COUNT] = {
#define X(name, args, kind)                                                                       \
    (IS_BARRIER(IR_##name, K_##kind) ? BARRIER : 0) | (HAS_FOLDS(IR_##name) ? FOLDS : 0) |        \
        (IR_##name == IR_BLOCK ? STARTS : 0),
    IR_OPS(X)
#undef X
};

static void select_ins(struct select *s, u32 i) {
    const struct ins *x = &s->f->ins.p[i];
    switch (x->op) {
    case IR_BRIF: fold_condition(s, x->a); break;
    case IR_SELECT: fold_condition(s, x->c); break;
    case IR_STORE: fold_update(s, x); break;
    case IR_ICMP: /* used once, it may move to its user */
    case IR_FCMP:
        if (ir_uses(s->f, i) != 1) fold_compared(s, x);
        break;
    case IR_SUB:
    case IR_FSUB:
    case IR_FDIV: fold_operand(s, x, false); break;
    case IR_VUNARY: fold_lane(s, x, x->a); break;
    case IR_VBINARY: fold_vector(s, x); break;
    default: fold_operand(s, x, true);
    }
}

void jit_select(struct fn *f) {
    struct select s = {.f = f};
    const struct ins *x = f->ins.p + 1;
    for (u32 i = 1, n = f->ins.n; i < n; i++, x++) {
        u8 t = traits[x->op];
        if (likely(!t)) continue;
        if (t & STARTS) s.first = s.barrier = i;
        if (!(x->flags & V_LIVE)) continue;
        if (t & FOLDS) select_ins(&s, i);
        if (t & BARRIER) s.barrier = i;
    }
}
