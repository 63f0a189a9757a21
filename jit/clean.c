/* clean.c: what is used, and which i32 values must be clean above bit 31.
 *
 * I1 uses are counted where operations are appended; here what is dead uses its
 *    operands less, and what is live as a PARAM its arguments more. After it V_LIVE
 *    and V_USE hold for the whole function, and ir.h's `clean` is set. A PARAM that is not
 *    live keeps its place, and the arguments for it are ignored (compact.c drops both
 *    where the function is large).
 * I2 an index is marked V_ZEXT where its user is built; from PARAMs that goes on to
 *    their arguments. V_ZEXT on a value obliges whoever defines it. Most x86 instructions keep
 *    that for nothing: only ARG, RESULT, calls, WRAP and PARAM do not. */
#include "jit/ir.h"

struct clean {
    struct fn *f;
    struct ins *ins; /* of f */
    u32 at;          /* everything behind it has been seen */
    VEC(u32) work;   /* found live too late to be seen on the way */
    VEC(u32) params; /* clean: their arguments are not yet */
};

/* What is to be known of an operation: how many operands it has in itself, and what no branch asks for,
 * for nobody would foresee it. A BLOCK stays, too, so that what goes is rare. */
enum {
    OPERANDS = 3,
    DIRTY = V_ZEXT, /* what defines it does not leave the upper half zero */
    ROOT = V_USE,   /* it stays, used or not */
    DIVIDES = 16,   /* and only if it may trap */
    IS_PARAM = 32,
};

#define IS_DIRTY(op) \
    ((op) == IR_ARG || (op) == IR_RESULT || ((op) >= IR_CALL && (op) <= IR_CALL_BUILTIN) || (op) == IR_WRAP || (op) == IR_PARAM)

static const u8 traits[IR_OP_COUNT] = {
#define X(name, args, kind)                                                                                   \
    (args) | (IR_##name == IR_PARAM ? IS_PARAM : 0) | (IR_##name == IR_BLOCK || K_##kind >= K_EFFECT || K_##kind == K_TRAPS ? ROOT : 0) | \
        (IR_##name >= IR_DIV_S && IR_##name <= IR_REM_U ? DIVIDES : 0) | (IS_DIRTY(IR_##name) ? DIRTY : 0),
    IR_OPS(X)
#undef X
};

static bool may_trap(const struct fn *f, const struct ins *i) {
    if (!is_const(f, i->b)) return true;
    u64 b = const_bits(&f->ins.p[i->b]);
    return !b || b == (i->type == T_I64 ? UINT64_MAX : UINT32_MAX);
}

static INLINE bool is_dead(const struct fn *f, const struct ins *i, u8 t) {
    if (unlikely(t & DIVIDES)) return i->flags < V_USE && !may_trap(f, i);
    return (i->flags | (t & ROOT)) < V_USE;
}

/* An operand of what turns out to be live, or an argument of a PARAM that is. */
static void use(struct clean *c, u32 v) {
    struct ins *i = &c->ins[v];
    ir_use(i);
    if (v <= c->at || i->flags & V_LIVE) return;
    i->flags |= V_LIVE;
    VEC_PUSH(c->f, c->work, v);
}

static INLINE void live(struct ins *i, u8 t) {
    i->flags |= V_LIVE | ((i->type == T_I32) * V_ZEXT & ~(t & DIRTY));
}

static void see_param(struct clean *c, u32 v) {
    struct fn *f = c->f;
    const struct ins *p = &c->ins[v];
    if (p->flags & V_ZEXT) VEC_PUSH(f, c->params, v);
    for (u32 e = *block_preds(f, p->a); e; e = f->edges.p[e].next) use(c, f->pool.p[f->edges.p[e].args + p->b]);
}

/* What was taken for dead uses its operands after all. */
static __attribute__((noinline)) void see_work(struct clean *c) {
    while (c->work.n) {
        u32 v = c->work.p[--c->work.n];
        struct ins *i = &c->ins[v];
        u8 t = traits[i->op];
        live(i, t);
        if (t & IS_PARAM) see_param(c, v);
        for (u32 k = 0; k < (t & OPERANDS); k++) use(c, i->args[k]);
    }
}

/* i is dead: its operands are used less. */
static void drop(struct clean *c, const struct ins *i, u8 t) {
    for (u32 k = 0; k < (t & OPERANDS); k++) {
        struct ins *x = &c->ins[i->args[k]];
        if (x->flags < V_MANY) x->flags -= V_USE;
    }
}

/* Users stand behind what they use, but for arguments of back edges and constants. */
static void see_all(struct clean *c) {
    for (u32 at = c->f->ins.n - 1; at; at--) {
        struct ins *i = &c->ins[at];
        u8 t = traits[i->op];
        if (unlikely(is_dead(c->f, i, t))) {
            drop(c, i, t);
            continue;
        }
        live(i, t);
        if (!(t & IS_PARAM)) continue;
        c->at = at;
        see_param(c, at);
        if (c->work.n) see_work(c);
    }
}

static void need(struct clean *c, u32 v) {
    struct ins *i = &c->ins[v];
    if (i->flags & V_ZEXT || i->type != T_I32) return;
    i->flags |= V_ZEXT;
    if (i->op == IR_PARAM) VEC_PUSH(c->f, c->params, v);
}

static void clean_args(struct clean *c) {
    struct fn *f = c->f;
    while (c->params.n) {
        const struct ins *p = ins_at(f, c->params.p[--c->params.n]);
        for (u32 e = *block_preds(f, p->a); e; e = f->edges.p[e].next) need(c, f->pool.p[f->edges.p[e].args + p->b]);
    }
}

void jit_clean(struct fn *f) {
    struct clean c = {.f = f, .ins = f->ins.p};
    see_all(&c);
    clean_args(&c);
    VEC_GIVE(f, c.work);
    VEC_GIVE(f, c.params);
    f->clean = true;
}
