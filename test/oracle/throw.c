/* throw.c: exceptions of the oracle. They live as long as it does; a reference is
 * 1 + the exception's number. */
#include <stdlib.h>
#include <string.h>

#include "test/oracle/control.h"

static const struct wasm_functype *tag_type(const struct oracle *o, u32 tag) { return &o->m->types[o->m->tags[tag].type]; }

static void raise(struct oracle *o, u32 exception) {
    o->thrown = exception;
    oracle_trap(o, ABI_TRAP_EXCEPTION);
}

static void throw_tag(struct oracle *o, u32 tag) {
    u32 n = tag_type(o, tag)->param_count;
    if (o->exception_count == o->exception_room) {
        o->exception_room = o->exception_room * 2 + 16;
        o->exceptions = realloc(o->exceptions, o->exception_room * sizeof *o->exceptions);
        assert(o->exceptions);
    }
    struct oracle_exception *x = &o->exceptions[o->exception_count++];
    *x = (struct oracle_exception){tag, malloc((n + 1) * sizeof *x->values)};
    assert(x->values);
    o->sp -= n;
    memcpy(x->values, o->sp, n * sizeof *o->sp);
    raise(o, o->exception_count);
}

bool oracle_throw(struct oracle *o, struct frame *f, const struct wasm_instr *in) {
    u32 x;
    switch (in->op) {
    case WASM_OP_THROW: throw_tag(o, in->a); return true;
    case WASM_OP_RETHROW: raise(o, f->labels[f->depth - 1 - in->a].caught); return true;
    case WASM_OP_THROW_REF:
        x = (u32)pop(o);
        if (x) raise(o, x);
        else oracle_trap(o, ABI_TRAP_NULL_EXCEPTION);
        return true;
    default: return false;
    }
}

/* The label at index d catches it: its stack, with the payload on it. */
static void land(struct oracle *o, struct frame *f, u32 d, bool all) {
    const struct oracle_exception *x = &o->exceptions[o->thrown - 1];
    o->trap = ABI_TRAP_NONE;
    o->sp = f->labels[d].height;
    for (u32 k = 0; !all && k < tag_type(o, x->tag)->param_count; k++) push_whole(o, x->values[k]);
}

static bool try_table(struct oracle *o, struct frame *f, u32 d) {
    struct cursor c = f->labels[d].clauses;
    struct wasm_catch k;
    while (wasm_take_catch(&c, &k)) {
        if (!k.all && k.tag != o->exceptions[o->thrown - 1].tag) continue;
        land(o, f, d, k.all);
        if (k.ref) push(o, o->thrown);
        f->depth = d; /* clauses count from outside */
        oracle_branch(o, f, k.label);
        return true;
    }
    return false;
}

/* The handler in the code behind the body; *outer: where a delegate goes on. */
static bool legacy(struct oracle *o, struct frame *f, u32 d, u32 *outer) {
    struct cursor c = f->c;
    const char *why;
    struct wasm_instr in;
    c.p = f->labels[d].body;
    for (u32 depth = 0;;) {
        enum err e = wasm_take_instr(&c, &in, &why);
        assert(!e);
        bool opens = in.op == WASM_OP_BLOCK || in.op == WASM_OP_LOOP || in.op == WASM_OP_IF || in.op == WASM_OP_TRY ||
                     in.op == WASM_OP_TRY_TABLE;
        bool all = in.op == WASM_OP_CATCH_ALL;
        if (opens) depth++;
        else if (depth) depth -= in.op == WASM_OP_END || in.op == WASM_OP_DELEGATE;
        else if (in.op == WASM_OP_END) return false;
        else if (in.op == WASM_OP_DELEGATE) {
            *outer = d - in.a; /* the label itself is looked at next */
            return false;
        } else if (all || (in.op == WASM_OP_CATCH && in.a == o->exceptions[o->thrown - 1].tag)) {
            land(o, f, d, all);
            f->labels[d].kind = LABEL_CATCH;
            f->labels[d].caught = o->thrown;
            f->depth = d + 1;
            f->c.p = c.p;
            return true;
        }
    }
}

void oracle_catch(struct oracle *o, struct frame *f) {
    for (u32 n = f->depth; n;) {
        u32 d = n - 1, outer = d;
        if (f->labels[d].kind == LABEL_TRY_TABLE && try_table(o, f, d)) return;
        if (f->labels[d].kind == LABEL_TRY && legacy(o, f, d, &outer)) return;
        n = outer;
    }
}
