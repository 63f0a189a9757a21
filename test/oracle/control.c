/* control.c: functions and structured control (WebAssembly 2.0, 4.4.8).
 *
 * I1 labels of a function are a stack; the last one is the innermost.
 * I2 a label knows the operand height below its block's parameters, how many
 *    values a branch to it carries, and where the branch goes on. */
#include <stdlib.h>
#include <string.h>

#include "test/oracle/control.h"

static void block_type(const struct wasm_module *m, u64 bits, u32 *params, u32 *results) {
    *params = *results = 0;
    if (wasm_block_is_index(bits)) {
        *params = m->types[bits].param_count;
        *results = m->types[bits].result_count;
    } else if (!wasm_block_is_empty(bits)) {
        *results = 1;
    }
}

/* From inside a block to just after its end, or after its else when asked. */
static void skip_block(struct cursor *c, bool stop_at_else, bool *found_else) {
    const char *why;
    struct wasm_instr in;
    for (u32 depth = 0;;) {
        enum err e = wasm_take_instr(c, &in, &why);
        assert(!e);
        if (in.op == WASM_OP_BLOCK || in.op == WASM_OP_LOOP || in.op == WASM_OP_IF || in.op == WASM_OP_TRY ||
            in.op == WASM_OP_TRY_TABLE)
            depth++;
        else if (in.op == WASM_OP_ELSE && !depth && stop_at_else) {
            *found_else = true;
            return;
        } else if ((in.op == WASM_OP_END || in.op == WASM_OP_DELEGATE) && !depth--) {
            return;
        }
    }
}

static void enter(struct oracle *o, struct frame *f, const struct wasm_instr *in) {
    u32 params, results;
    block_type(o->m, in->bits, &params, &results);
    bool run = in->op != WASM_OP_IF || pop(o), has_else = false;
    struct cursor end = f->c;
    const u8 *body = f->c.p;
    skip_block(&end, false, &has_else);
    if (!run) {
        struct cursor other = f->c;
        skip_block(&other, true, &has_else);
        f->c = other;
        if (!has_else) return; /* already after the end, parameters are the results */
    }
    bool loop = in->op == WASM_OP_LOOP;
    struct label l = {.target = loop ? body : end.p, .height = o->sp - params, .arity = loop ? params : results, .body = body};
    if (loop) l.kind = LABEL_LOOP;
    if (in->op == WASM_OP_TRY) l.kind = LABEL_TRY;
    if (in->op == WASM_OP_TRY_TABLE) l.kind = LABEL_TRY_TABLE, l.clauses = in->labels;
    f->labels[f->depth++] = l;
}

void oracle_branch(struct oracle *o, struct frame *f, u32 depth) {
    assert(depth < f->depth);
    f->depth -= depth;
    struct label l = f->labels[f->depth - 1];
    memmove(l.height, o->sp - l.arity, l.arity * sizeof *o->sp);
    o->sp = l.height + l.arity;
    f->c.p = l.target;
    if (l.kind != LABEL_LOOP) f->depth--;
}

static void branch_table(struct oracle *o, struct frame *f, struct wasm_instr *in) {
    u64 v = pop(o), i = MIN(v, (u64)in->a);
    u32 depth = 0;
    for (u64 k = 0; k <= i; k++) {
        enum err e = take_leb_u32(&in->labels, &depth);
        assert(!e);
    }
    oracle_branch(o, f, depth);
}

/* 1 + the function; 0 after a trap. */
static u32 indirect(struct oracle *o, const struct wasm_instr *in) {
    const struct oracle_table *t = &o->tables[in->b];
    const struct wasm_module *m = o->m;
    u64 at = pop(o);
    if (at >= t->len) oracle_trap(o, ABI_TRAP_TABLE);
    else if (!t->refs[at]) oracle_trap(o, ABI_TRAP_NULL_ELEMENT);
    else if (m->types[m->funcs[t->refs[at] - 1].type].canon != m->types[in->a].canon) oracle_trap(o, ABI_TRAP_INDIRECT_TYPE);
    else return t->refs[at];
    return 0;
}

/* The same for a reference, which is 1 + the function. */
static u32 referred(struct oracle *o) {
    u32 func = (u32)pop(o);
    if (!func) oracle_trap(o, ABI_TRAP_NULL_FUNCTION);
    return func;
}

static void call_ref(struct oracle *o) {
    u32 func = referred(o);
    if (func) oracle_run_function(o, func - 1);
}

static void branch_on_null(struct oracle *o, struct frame *f, const struct wasm_instr *in) {
    u64 ref = pop(o);
    bool on_null = in->op == WASM_OP_BR_ON_NULL;
    if (!on_null == !ref) {
        if (!on_null) return; /* null: gone, and on */
        push(o, ref);
        return;
    }
    if (ref) push(o, ref);
    oracle_branch(o, f, in->a);
}

static void call_indirect(struct oracle *o, const struct wasm_instr *in) {
    u32 func = indirect(o, in);
    if (func) oracle_run_function(o, func - 1);
}

/* The frame ends here; oracle_run_function goes on with func. */
static void tail_call(struct oracle *o, struct frame *f, u32 func) {
    if (!func) return;
    u32 n = o->m->types[o->m->funcs[func - 1].type].param_count;
    memmove(f->labels[0].height, o->sp - n, n * sizeof *o->sp);
    o->sp = f->labels[0].height + n;
    o->tail = func;
    f->depth = 0;
}

static bool variable(struct oracle *o, struct frame *f, const struct wasm_instr *in) {
    switch (in->op) {
    case WASM_OP_LOCAL_GET: push_whole(o, f->locals[in->a]); return true;
    case WASM_OP_LOCAL_SET: f->locals[in->a] = pop_whole(o); return true;
    case WASM_OP_LOCAL_TEE: f->locals[in->a] = o->sp[-1]; return true;
    case WASM_OP_GLOBAL_GET: push_whole(o, o->globals[in->a]); return true;
    case WASM_OP_GLOBAL_SET: o->globals[in->a] = pop_whole(o); return true;
    case WASM_OP_I32_CONST:
    case WASM_OP_I64_CONST:
    case WASM_OP_F32_CONST:
    case WASM_OP_F64_CONST: push(o, in->bits); return true;
    case WASM_OP_DROP: pop(o); return true;
    case WASM_OP_SELECT:
    case WASM_OP_SELECT_T: {
        u64 c = pop(o);
        union abi_value b = pop_whole(o), a = pop_whole(o);
        push_whole(o, c ? a : b);
        return true;
    }
    default: return false;
    }
}

/* false: not a control instruction. */
static bool control(struct oracle *o, struct frame *f, struct wasm_instr *in) {
    switch (in->op) {
    case WASM_OP_UNREACHABLE: oracle_trap(o, ABI_TRAP_UNREACHABLE); return true;
    case WASM_OP_NOP: return true;
    case WASM_OP_BLOCK:
    case WASM_OP_LOOP:
    case WASM_OP_TRY:
    case WASM_OP_TRY_TABLE:
    case WASM_OP_IF: enter(o, f, in); return true;
    case WASM_OP_CATCH:
    case WASM_OP_CATCH_ALL:
    case WASM_OP_ELSE: oracle_branch(o, f, 0); return true; /* the part before is done */
    case WASM_OP_DELEGATE:
    case WASM_OP_END: f->depth--; return true;
    case WASM_OP_BR: oracle_branch(o, f, in->a); return true;
    case WASM_OP_BR_IF:
        if (pop(o)) oracle_branch(o, f, in->a);
        return true;
    case WASM_OP_BR_TABLE: branch_table(o, f, in); return true;
    case WASM_OP_RETURN: oracle_branch(o, f, f->depth - 1); return true;
    case WASM_OP_CALL: oracle_run_function(o, in->a); return true;
    case WASM_OP_CALL_INDIRECT: call_indirect(o, in); return true;
    case WASM_OP_CALL_REF: call_ref(o); return true;
    case WASM_OP_RETURN_CALL_REF: tail_call(o, f, referred(o)); return true;
    case WASM_OP_BR_ON_NULL:
    case WASM_OP_BR_ON_NON_NULL: branch_on_null(o, f, in); return true;
    case WASM_OP_REF_AS_NON_NULL:
        if (!o->sp[-1].i64) oracle_trap(o, ABI_TRAP_NULL_REFERENCE);
        return true;
    case WASM_OP_RETURN_CALL: tail_call(o, f, in->a + 1); return true;
    case WASM_OP_RETURN_CALL_INDIRECT: tail_call(o, f, indirect(o, in)); return true;
    default: return false;
    }
}

static void run_frame(struct oracle *o, struct frame *f) {
    const char *why;
    while (f->depth && !o->trap) {
        struct wasm_instr in;
        enum err e = wasm_take_instr(&f->c, &in, &why);
        assert(!e);
        if (!o->steps) {
            oracle_trap(o, ABI_TRAP_DEADLINE);
            return;
        }
        o->steps--;
        bool known = variable(o, f, &in) || control(o, f, &in) || oracle_throw(o, f, &in) || oracle_integer(o, in.op) || oracle_float(o, in.op) ||
                     oracle_convert(o, in.op) || oracle_memory(o, &in) || oracle_atomic(o, &in) || oracle_table(o, &in) ||
                     oracle_vector(o, &in);
        assert(known);
        if (o->trap == ABI_TRAP_EXCEPTION) oracle_catch(o, f);
    }
}

static void call_host(struct oracle *o, u32 func, const struct wasm_functype *t) {
    o->sp -= t->param_count;
    u64 r = o->host ? o->host(o->host_self, func, o->sp) : 0;
    if (t->result_count) push(o, r);
}

static void run_one(struct oracle *o, u32 func) {
    const struct wasm_func *wf = &o->m->funcs[func];
    const struct wasm_functype *t = &o->m->types[wf->type];
    if (func < o->m->imported_funcs) {
        call_host(o, func, t);
        return;
    }
    if (o->depth == ORACLE_DEPTH || o->stack + ORACLE_STACK - o->sp < (ptrdiff_t)(wf->local_count + wf->max_stack + 64)) {
        oracle_trap(o, ABI_TRAP_STACK);
        return;
    }
    struct frame f = {.f = wf, .type = t, .c = cursor_of(wf->code)};
    f.locals = calloc(wf->local_count + 1u, sizeof *f.locals);
    f.labels = calloc(wf->max_depth + 2u, sizeof *f.labels);
    assert(f.locals && f.labels);
    o->sp -= t->param_count;
    memcpy(f.locals, o->sp, t->param_count * sizeof *o->sp);
    f.labels[f.depth++] = (struct label){.target = wf->code.p + wf->code.n, .height = o->sp, .arity = t->result_count};
    o->depth++;
    run_frame(o, &f);
    o->depth--;
    free(f.locals);
    free(f.labels);
}

void oracle_run_function(struct oracle *o, u32 func) {
    do {
        o->tail = 0;
        run_one(o, func);
        func = o->tail - 1;
    } while (o->tail && !o->trap);
    o->tail = 0;
}
