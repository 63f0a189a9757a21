/* clean.c: what is used, and which i32 values must be clean above bit 31; and whether
 * the function calls.
 *
 * I1 after it V_LIVE and uses[] hold for the whole function; a PARAM that is not
 *    live keeps its place, and the arguments for it are ignored.
 * I2 V_ZEXT on a value obliges whoever defines it. Most x86 instructions keep
 *    that for nothing: only ARG, RESULT, calls, WRAP and PARAM do not. */
#include "base/fault.h"
#include "jit/ir.h"

struct clean {
    struct fn *f;
    struct ins *ins; /* of f, as is uses */
    u8 *uses;
    u32 at;          /* everything behind it has been seen */
    VEC(u32) work;   /* found live too late to be seen on the way */
    VEC(u32) params; /* clean: their arguments are not yet */
};

/* What is to be known of an operation: how many operands it has in itself, and */
enum {
    OPERANDS = 3,
    OTHER = 4,     /* more than those: see_other */
    ROOT = 8,      /* it stays, used or not */
    DIVIDES = 16,  /* and only if it may trap */
    DIRTY = 32,    /* what defines it does not leave the upper half zero */
    INDEX = 64,    /* its first operand is an index: clean */
};

#define IS_OTHER(op)                                                                                              \
    ((op) == IR_ATOMIC_CMPXCHG || ((op) >= IR_CALL && (op) <= IR_CALL_BUILTIN) || (op) == IR_RETURN ||            \
     (op) == IR_TAIL_CALL || (op) == IR_TAIL_INDIRECT || (op) == IR_THROW || (op) == IR_THROW_REF || (op) == IR_PARAM)
#define IS_DIRTY(op) \
    ((op) == IR_ARG || (op) == IR_RESULT || ((op) >= IR_CALL && (op) <= IR_CALL_BUILTIN) || (op) == IR_WRAP || (op) == IR_PARAM)
#define IS_INDEX(op) ((op) == IR_LOAD || (op) == IR_STORE || (op) == IR_BRTABLE)

static const u8 traits[IR_OP_COUNT] = {
#define X(name, args, kind)                                                                                   \
    (args) | (IS_OTHER(IR_##name) ? OTHER : 0) | (K_##kind >= K_EFFECT || K_##kind == K_TRAPS ? ROOT : 0) |     \
        (IR_##name >= IR_DIV_S && IR_##name <= IR_REM_U ? DIVIDES : 0) | (IS_DIRTY(IR_##name) ? DIRTY : 0) |  \
        (IS_INDEX(IR_##name) ? INDEX : 0),
    IR_OPS(X)
#undef X
};

static bool may_trap(const struct fn *f, const struct ins *i) {
    if (!is_const(f, i->b)) return true;
    u64 b = const_bits(&f->ins.p[i->b]);
    return !b || b == (i->type == T_I64 ? UINT64_MAX : UINT32_MAX);
}

static bool is_root(const struct fn *f, const struct ins *i, u8 t) {
    return t & ROOT && (!(t & DIVIDES) || may_trap(f, i));
}

static __attribute__((noinline)) void use_late(struct clean *c, u32 v) { VEC_PUSH(c->f, c->work, v); }

static INLINE void use(struct clean *c, u32 v) {
    struct ins *i = &c->ins[v];
    u8 flags = i->flags;
    c->uses[v] += c->uses[v] < 2;
    i->flags = flags | V_LIVE;
    if (unlikely(v > c->at) && !(flags & V_LIVE)) use_late(c, v);
}

static void use_args(struct clean *c, const struct ins *p) {
    struct fn *f = c->f;
    for (u32 e = f->blocks.p[p->a].preds; e; e = f->edges.p[e].next) use(c, f->pool.p[f->edges.p[e].args + p->b]);
}

static void need(struct clean *c, u32 v) {
    struct ins *i = ins_at(c->f, v);
    if (fault(DIRTY_INDEX) || i->flags & V_ZEXT || i->type != T_I32) return;
    i->flags |= V_ZEXT;
    if (i->op == IR_PARAM) VEC_PUSH(c->f, c->params, v);
}

static void need_index(struct clean *c, const struct ins *i) {
    if (fault(VECTOR_DIRTY) && i->op != IR_BRTABLE && i->aux == A_V128) return;
    need(c, i->a);
}

/* v is live: what not every operation has. */
static __attribute__((noinline)) void see_other(struct clean *c, u32 v) {
    struct fn *f = c->f;
    const struct ins *i = &c->ins[v];
    if (i->op == IR_PARAM) {
        use_args(c, i);
        return;
    }
    if ((i->op >= IR_CALL && i->op <= IR_CALL_BUILTIN) || i->op == IR_THROW || i->op == IR_THROW_REF) f->calls = true;
    if (i->op == IR_TAIL_INDIRECT || i->op == IR_CALL_INDIRECT) need(c, f->pool.p[i->a + i->b - 1]);
    for (u32 k = 0; k < i->b && i->op != IR_THROW_REF; k++) use(c, f->pool.p[i->a + k]);
}

/* v is live. */
static INLINE void see(struct clean *c, u32 v, u8 t) {
    struct ins *i = &c->ins[v];
    i->flags |= (i->type == T_I32 && !(t & DIRTY)) * V_ZEXT; /* no branch: there is no telling */
    if (t & INDEX) need_index(c, i);
    if (t & OTHER) see_other(c, v);
    if (!(t & OPERANDS)) return;
    use(c, i->a);
    if ((t & OPERANDS) > 1) use(c, i->b);
    if ((t & OPERANDS) > 2) use(c, i->c);
}

static __attribute__((noinline)) void see_work(struct clean *c) {
    while (c->work.n) {
        u32 v = c->work.p[--c->work.n];
        see(c, v, traits[c->ins[v].op]);
    }
}

/* Users stand behind what they use, but for arguments of back edges and constants. */
static void see_all(struct clean *c) {
    struct ins *ins = c->ins;
    for (u32 at = c->f->ins.n - 1; at; at--) {
        u8 t = traits[ins[at].op];
        if (!(ins[at].flags & V_LIVE)) {
            if (!is_root(c->f, &ins[at], t)) continue;
            ins[at].flags |= V_LIVE;
        }
        c->at = at;
        see(c, at, t);
        if (unlikely(c->work.n)) see_work(c);
    }
}

static void clean_args(struct clean *c) {
    struct fn *f = c->f;
    while (c->params.n) {
        const struct ins *p = ins_at(f, c->params.p[--c->params.n]);
        for (u32 e = f->blocks.p[p->a].preds; e; e = f->edges.p[e].next) need(c, f->pool.p[f->edges.p[e].args + p->b]);
    }
}

void jit_clean(struct fn *f) {
    struct clean c = {.f = f, .ins = f->ins.p};
    f->uses = c.uses = jit_alloc(f, f->ins.n, 1);
    see_all(&c);
    clean_args(&c);
    VEC_GIVE(f, c.work);
    VEC_GIVE(f, c.params);
}
