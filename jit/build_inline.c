/* build_inline.c: a call of a small leaf is the leaf itself.
 *
 * I1 a leaf has no calls, no loops, and nothing that traps but accesses to memory:
 *    what traps for a reason of its own keeps its frame, for the backtrace.
 * I2 one level: a leaf contains no leaf. So the state to come back to is one
 *    cursor, and a leaf's locals have the few places behind the caller's.
 * I3 a function grows by no more than its own size and a little.
 *
 * Gain: dhrystone 1.13 -> 0.99 of gcc's time. LLVM has inlined what it saw; it does not
 * see past a translation unit, and other compilers inline less. */
#include "jit/build.h"

enum { MAX_BYTES = 48, MAX_GROWTH = 1000 };
enum { NOT_KNOWN, LEAF, NO_LEAF }; /* fn.leaves: each is looked at once */

static bool is_plain(const struct build *b, enum wasm_op op) {
    switch (op) {
    case WASM_OP_NOP:
    case WASM_OP_BLOCK:
    case WASM_OP_IF:
    case WASM_OP_ELSE:
    case WASM_OP_END:
    case WASM_OP_BR:
    case WASM_OP_BR_IF:
    case WASM_OP_RETURN:
    case WASM_OP_DROP:
    case WASM_OP_SELECT:
    case WASM_OP_LOCAL_GET:
    case WASM_OP_LOCAL_SET:
    case WASM_OP_LOCAL_TEE:
    case WASM_OP_GLOBAL_GET:
    case WASM_OP_GLOBAL_SET:
    case WASM_OP_I32_CONST:
    case WASM_OP_I64_CONST:
    case WASM_OP_F32_CONST:
    case WASM_OP_F64_CONST:
    case WASM_OP_I32_EQZ:
    case WASM_OP_I64_EQZ: return true;
    default: return build_is_simple(b, op);
    }
}

static bool is_leaf(const struct build *b, const struct wasm_func *w) {
    if (w->code.n > MAX_BYTES || w->local_count > INLINE_LOCALS) return false;
    struct cursor c = body_of(b->f, w);
    struct wasm_instr in;
    const char *why;
    while (!is_over(&c, w)) {
        enum err e = wasm_take_instr(&c, &in, &why);
        assert(e == ERR_OK); /* validated */
        if (!is_plain(b, in.op)) return false;
    }
    return true;
}

bool build_inlines(const struct build *b, u32 func) {
    const struct wasm_module *m = b->f->m;
    const struct wasm_func *w = &m->funcs[func];
    u8 *leaf = &b->f->leaves[func];
    if (func < m->imported_funcs || b->outer.p) return false;
    if (!*leaf) *leaf = is_leaf(b, w) ? LEAF : NO_LEAF;
    return *leaf == LEAF && b->inlined + w->code.n <= b->f->wf->code.n + MAX_GROWTH;
}

static void enter_locals(struct build *b, const struct wasm_func *w, u32 params) {
    struct fn *f = b->f;
    u32 k = b->base + params;
    for (u32 i = params; i-- > 0;) build_set_local(b, b->base + i, pop(b));
    for (u32 r = 0; r < w->local_runs; r++)
        for (u32 i = 0; i < w->locals[r].count; i++) build_set_local(b, k++, build_zero(b, w->locals[r].type));
    assert(k == b->base + w->local_count && f->wf->local_count == b->base);
}

void build_enter(struct build *b, u32 func) {
    struct fn *f = b->f;
    const struct wasm_func *w = &f->m->funcs[func];
    const struct wasm_functype *t = &f->m->types[w->type];
    struct ctl c = {.kind = CTL_INLINE, .results = t->result_count, .height = b->stack.n - t->param_count,
                    .log = b->log.n, .number = number_mark(f), .scope = b->ctls.p[b->ctls.n - 1].scope};
    VEC_PUSH(f, b->ctls, c);
    b->body = b->ctls.n - 1;
    b->base = f->wf->local_count;
    b->inlined += (u32)w->code.n;
    b->outer = b->code;
    b->code = body_of(f, w);
    enter_locals(b, w, t->param_count);
}

void build_leave(struct build *b) {
    assert(b->outer.p);
    b->code = b->outer;
    b->outer = (struct cursor){0};
    b->body = b->base = 0;
}

/* Nothing branches to the end: what is on the stack are the results, in the same block. */
void build_run_out(struct build *b) {
    const struct ctl *c = &b->ctls.p[b->ctls.n - 1];
    assert(c->kind <= CTL_INLINE && b->stack.n == c->height + c->results);
    build_undo_locals(b, c->log);
    b->ctls.n--;
    if (b->ctls.n) build_leave(b);
}
