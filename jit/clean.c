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
    VEC(u32) work;
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

static void mark(struct clean *c, u32 v) {
    struct ins *i = ins_at(c->f, v);
    c->f->uses[v]++;
    if (i->flags & V_LIVE) return;
    i->flags |= V_LIVE;
    VEC_PUSH(c->f, c->work, v);
}

static void mark_param_args(struct clean *c, const struct ins *p) {
    struct fn *f = c->f;
    for (u32 e = f->blocks.p[p->a].preds; e; e = f->edges.p[e].next)
        mark(c, f->pool.p[f->edges.p[e].args + p->b]);
}

static void mark_operands(struct clean *c, u32 v) {
    struct operands ops;
    if (c->f->ins.p[v].op == IR_PARAM) {
        struct ins p = c->f->ins.p[v];
        mark_param_args(c, &p);
        return;
    }
    ir_operands(c->f, v, &ops);
    for (u32 k = 0; k < ops.count; k++) mark(c, ops.list[k]);
}

static void mark_live(struct clean *c) {
    struct fn *f = c->f;
    for (u32 v = 1; v < f->ins.n; v++) {
        if (!is_root(f, &f->ins.p[v]) || f->ins.p[v].flags & V_LIVE) continue;
        f->ins.p[v].flags |= V_LIVE;
        VEC_PUSH(f, c->work, v);
    }
    while (c->work.n) mark_operands(c, c->work.p[--c->work.n]);
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
    if (i->op == IR_PARAM) VEC_PUSH(c->f, c->work, v);
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

static void note_clean(struct clean *c) {
    struct fn *f = c->f;
    for (u32 v = 1; v < f->ins.n; v++)
        if (naturally_clean(&f->ins.p[v])) f->ins.p[v].flags |= V_ZEXT;
    for (u32 v = 1; v < f->ins.n; v++)
        if (f->ins.p[v].flags & V_LIVE) need_operands(c, &f->ins.p[v]);
    while (c->work.n) {
        struct ins p = f->ins.p[c->work.p[--c->work.n]];
        for (u32 e = f->blocks.p[p.a].preds; e; e = f->edges.p[e].next)
            need(c, f->pool.p[f->edges.p[e].args + p.b]);
    }
}

void jit_clean(struct fn *f) {
    struct clean c = {.f = f};
    f->uses = jit_alloc(f, f->ins.n, sizeof(u32));
    mark_live(&c);
    note_clean(&c);
}
