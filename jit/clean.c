/* clean.c: what is used, and which i32 values must be clean above bit 31.
 *
 * I1 after it V_LIVE and uses[] hold for the whole function; a PARAM that is not
 *    live keeps its place, and the arguments for it are ignored.
 * I2 V_ZEXT on a value obliges whoever defines it. Most x86 instructions keep
 *    that for nothing: only ARG, RESULT, calls, WRAP and PARAM do not. */
#include "base/fault.h"
#include "jit/ir.h"

struct clean {
    struct fn *f;
    u32 at;          /* everything behind it has been seen */
    VEC(u32) work;   /* found live too late to be seen on the way */
    VEC(u32) params; /* clean: their arguments are not yet */
};

static bool may_trap(const struct fn *f, const struct ins *i) {
    switch (i->op) {
    case IR_DIV_U:
    case IR_REM_U:
    case IR_DIV_S:
    case IR_REM_S: {
        if (!is_const(f, i->b)) return true;
        u64 b = const_bits(&f->ins.p[i->b]);
        return !b || b == (i->type == T_I64 ? UINT64_MAX : UINT32_MAX);
    }
    default: return true;
    }
}

static bool is_root(const struct fn *f, const struct ins *i) {
    u8 kind = ir_opinfos[i->op].kind;
    return kind == K_EFFECT || kind == K_TERM || (kind == K_TRAPS && may_trap(f, i));
}

static void use(struct clean *c, u32 v) {
    struct ins *i = ins_at(c->f, v);
    c->f->uses[v] += c->f->uses[v] < 2;
    if (i->flags & V_LIVE) return;
    i->flags |= V_LIVE;
    if (v > c->at) VEC_PUSH(c->f, c->work, v);
}

static void use_args(struct clean *c, const struct ins *p) {
    struct fn *f = c->f;
    for (u32 e = f->blocks.p[p->a].preds; e; e = f->edges.p[e].next) use(c, f->pool.p[f->edges.p[e].args + p->b]);
}

/* Does whatever defines it leave the upper half zero anyway? */
static bool naturally_clean(const struct ins *i) {
    switch (i->op) {
    case IR_ARG:
    case IR_RESULT:
    case IR_CALL:
    case IR_CALL_INDIRECT:
    case IR_CALL_BUILTIN:
    case IR_WRAP:
    case IR_PARAM: return false;
    default: return i->type == T_I32;
    }
}

static void need(struct clean *c, u32 v) {
    if (fault(DIRTY_INDEX)) return;
    struct ins *i = ins_at(c->f, v);
    if (i->flags & V_ZEXT || i->type != T_I32) return;
    i->flags |= V_ZEXT;
    if (i->op == IR_PARAM) VEC_PUSH(c->f, c->params, v);
}

static void need_operands(struct clean *c, const struct ins *i) {
    struct fn *f = c->f;
    if (fault(VECTOR_DIRTY) && (i->op == IR_LOAD || i->op == IR_STORE) && i->aux == A_V128) return;
    switch (i->op) {
    case IR_LOAD:
    case IR_STORE:
    case IR_BRTABLE: need(c, i->a); break;
    case IR_TAIL_INDIRECT:
    case IR_CALL_INDIRECT: need(c, f->pool.p[i->a + i->b - 1]); break;
    default: break;
    }
}

/* v is live. */
static void see(struct clean *c, u32 v) {
    struct ins *i = ins_at(c->f, v);
    if (naturally_clean(i)) i->flags |= V_ZEXT;
    if (i->op == IR_PARAM) {
        use_args(c, i);
        return;
    }
    need_operands(c, i);
    struct operands ops = ir_operands(c->f, v);
    for (u32 k = 0; k < ops.count; k++) use(c, ops.list[k]);
}

/* Users stand behind what they use, but for arguments of back edges and constants. */
static void see_all(struct clean *c) {
    struct fn *f = c->f;
    for (c->at = f->ins.n - 1; c->at; c->at--) {
        struct ins *i = &f->ins.p[c->at];
        if (is_root(f, i)) i->flags |= V_LIVE;
        if (!(i->flags & V_LIVE)) continue;
        see(c, c->at);
        while (c->work.n) see(c, c->work.p[--c->work.n]);
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
    struct clean c = {.f = f};
    f->uses = jit_alloc(f, f->ins.n, 1);
    see_all(&c);
    clean_args(&c);
    VEC_GIVE(f, c.work);
    VEC_GIVE(f, c.params);
}
