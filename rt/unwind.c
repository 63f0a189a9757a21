/* unwind.c: from a raised exception to the pad that catches it.
 *
 * I1 sp is the address of a return address; everything between it and the
 *    thunk's frame (trap_sp) is frames of compiled functions and of the glue
 *    between instances.
 * I2 ctx is the context that the code at that return address runs with.
 * I3 nothing is changed unless a pad was found. */
#include "base/assert.h"
#include "base/fault.h"
#include "rt/internal.h"

struct walk {
    struct rt_store *s;
    struct abi_ctx *ctx;
    u64 sp;
    struct rt_tag *tag;
    const struct jit_catch *found;
};

const struct jit_func *rt_func_at(const struct jit_code *c, u32 at) {
    u32 low = 0, high = c->func_count;
    while (low < high) {
        u32 mid = low + (high - low) / 2;
        if (c->funcs[mid].end <= at) low = mid + 1;
        else high = mid;
    }
    return low < c->func_count && c->funcs[low].entry <= at ? &c->funcs[low] : NULL;
}

static const struct jit_site *site_at(const struct jit_code *c, u32 pc) {
    u32 low = 0, high = c->site_count;
    while (low < high) {
        u32 mid = low + (high - low) / 2;
        if (c->sites[mid].pc < pc) low = mid + 1;
        else high = mid;
    }
    return low < c->site_count && c->sites[low].pc == pc ? &c->sites[low] : NULL;
}

static const struct jit_catch *choose(const struct walk *w, const struct jit_code *c, u32 pc) {
    const struct jit_site *site = site_at(c, pc);
    const struct rt_instance *i = w->ctx->instance;
    const struct jit_catch *chosen = NULL;
    for (u32 k = 0; site && k < site->count && (!chosen || fault(CATCH_ORDER)); k++) {
        const struct jit_catch *x = &c->catches[site->first + k];
        if (x->tag == WASM_NONE || i->tags[x->tag] == w->tag) chosen = x;
    }
    return chosen;
}

/* One frame up; false: the end, or found. */
static bool step(struct walk *w) {
    u64 pc = *(const u64 *)w->sp;
    const struct rt_module *m = rt_code_find(w->s->engine, pc - 1);
    if (!m) return false;
    u32 at = (u32)(pc - (u64)m->exec);
    if (at == m->code.cross_return) {
        w->ctx = *(struct abi_ctx *const *)(w->sp + 8);
        w->sp += 16;
        return true;
    }
    const struct jit_func *f = rt_func_at(&m->code, at - 1); /* a call may be the last instruction */
    if (!f) return false;                                 /* the thunk */
    assert(((struct rt_instance *)w->ctx->instance)->module == m);
    if ((w->found = choose(w, &m->code, at))) return false;
    w->sp += 8 + f->frame;
    return true;
}

/* Takes the exception from pending, unless a stop has come over it. */
static bool accept(struct abi_store *abi) {
    u32 want = ABI_TRAP_EXCEPTION;
    return __atomic_compare_exchange_n(&abi->pending, &want, 0, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* A stop that comes while frames are walked ends the walk. */
static bool still_raised(const struct abi_store *abi) {
    return __atomic_load_n(&abi->pending, __ATOMIC_RELAXED) == ABI_TRAP_EXCEPTION;
}

u64 rt_unwind(struct abi_ctx *ctx, u64 sp) {
    struct rt_store *s = rt_ctx_store(ctx);
    struct walk w = {.s = s, .ctx = ctx, .sp = sp, .tag = rt_exception_tag(s, s->raised)};
    assert(sp < s->abi.trap_sp);
    if (!still_raised(&s->abi) || !w.tag) { /* a trap */
        rt_note_return(s, sp);
        return 0;
    }
    while (w.sp < s->abi.trap_sp && still_raised(&s->abi) && step(&w)) {}
    if (!w.found || !accept(&s->abi)) {
        s->uncaught = s->raised;
        return 0;
    }
    const struct rt_module *m = ((struct rt_instance *)w.ctx->instance)->module;
    rt_exception_caught(s, s->raised, w.found->tag == WASM_NONE, w.found->ref);
    s->abi.pad_sp = w.sp + 8;
    s->abi.pad_ctx = w.ctx;
    return (u64)m->exec + w.found->pc;
}
