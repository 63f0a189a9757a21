/* init.c: constant expressions and segments (WebAssembly 2.0, 3.3.10, 4.5.4).
 *
 * I1 expressions were validated: operators, types and operand counts are right. */
#include "base/assert.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "rt/internal.h"

/* The operand stack of an expression that is longer than one value. */
struct eval {
    struct rt_instance *i;
    struct cursor in;
    union abi_value *stack;
    size_t depth, room;
};

static void push(struct eval *v, u64 bits) {
    assert(v->depth < v->room);
    v->stack[v->depth++] = (union abi_value){.bits = {bits, 0}};
}

static u64 pop(struct eval *v) {
    assert(v->depth);
    return v->stack[--v->depth].i64;
}

static u64 binary(u8 op, u64 a, u64 b) {
    switch (op) {
    case 0x6a: return (u32)(a + b);
    case 0x6b: return (u32)(a - b);
    case 0x6c: return (u32)a * (u32)b;
    case 0x7c: return a + b;
    case 0x7d: return a - b;
    case 0x7e: return a * b;
    default: unreachable();
    }
}

static enum err push_ref(struct eval *v, u32 func) {
    u32 h = rt_func_handle(v->i, func);
    push(v, h);
    return h ? ERR_OK : ERR_NOMEM;
}

/* One operator; the codes of WebAssembly 2.0, 5.4. */
static enum err eval_op(struct eval *v, u8 op) {
    u8 type;
    u32 n;
    i32 x;
    i64 y;
    u64 b;
    enum err e = ERR_OK;
    switch (op) {
    case 0x23: /* global.get */
        if (!(e = take_leb_u32(&v->in, &n))) push(v, rt_global_at(v->i, n)->i64);
        return e;
    case 0x41:
        if (!(e = take_leb_i32(&v->in, &x))) push(v, (u32)x);
        return e;
    case 0x42:
        if (!(e = take_leb_i64(&v->in, &y))) push(v, (u64)y);
        return e;
    case 0x43:
        if (!(e = take_le32(&v->in, &n))) push(v, n);
        return e;
    case 0x44:
        if (!(e = take_le64(&v->in, &b))) push(v, b);
        return e;
    case 0xd0: /* ref.null */
        if (!(e = take_u8(&v->in, &type))) push(v, 0);
        return e;
    case 0xd2: /* ref.func */
        if (!(e = take_leb_u32(&v->in, &n))) e = push_ref(v, n);
        return e;
    case 0x6a: case 0x6b: case 0x6c: case 0x7c: case 0x7d: case 0x7e:
        b = pop(v);
        push(v, binary(op, pop(v), b));
        return ERR_OK;
    default: return ERR_UNSUPPORTED;
    }
}

static enum err eval_code(struct rt_instance *i, const struct wasm_init *init, union abi_value *out) {
    struct rt_engine *e = i->store->engine;
    size_t room = init->code.n / 2 + 1; /* an operand takes two bytes at least */
    struct eval v = {.i = i, .in = cursor_of(init->code), .room = room};
    v.stack = rt_alloc(e, room * sizeof *v.stack);
    if (!v.stack) return ERR_NOMEM;
    enum err err = ERR_OK;
    u8 op;
    while (!err && cursor_left(&v.in))
        if (!(err = take_u8(&v.in, &op))) err = eval_op(&v, op);
    assert(err || v.depth == 1);
    if (!err) *out = v.stack[0];
    rt_free(e, v.stack, room * sizeof *v.stack);
    return err;
}

enum err rt_eval(struct rt_instance *i, const struct wasm_init *init, union abi_value *out) {
    *out = (union abi_value){.bits = {0, 0}};
    switch (init->kind) {
    case WASM_INIT_CONST: *out = (union abi_value){.bits = {init->value, init->high}}; return ERR_OK;
    case WASM_INIT_GLOBAL: *out = *rt_global_at(i, (u32)init->value); return ERR_OK;
    case WASM_INIT_REF_NULL: return ERR_OK;
    case WASM_INIT_REF_FUNC:
        out->i32 = rt_func_handle(i, (u32)init->value);
        return out->i32 ? ERR_OK : ERR_NOMEM;
    case WASM_INIT_CODE: return eval_code(i, init, out);
    }
    unreachable();
}

/* In order: an initialiser may name globals before it. */
enum err rt_init_globals(struct rt_instance *i) {
    const struct wasm_module *w = &i->module->info;
    enum err e;
    for (u32 k = w->imported_globals; k < w->global_count; k++) {
        union abi_value v;
        if ((e = rt_eval(i, &w->globals[k].init, &v))) return e;
        *rt_global_at(i, k) = v;
    }
    return ERR_OK;
}

static enum err init_elem(struct rt_instance *i, const struct wasm_elem *x, struct rt_segment *s) {
    s->handles = ARENA_ARRAY(&i->arena, u32, x->count);
    if (!s->handles) return ERR_NOMEM;
    for (u32 k = 0; k < x->count; k++) {
        union abi_value v;
        enum err e = rt_eval(i, &x->items[k], &v);
        if (e) return e;
        s->handles[k] = v.i32;
    }
    s->count = x->count;
    return ERR_OK;
}

enum err rt_init_segments(struct rt_instance *i) {
    const struct wasm_module *w = &i->module->info;
    for (u32 k = 0; k < w->elem_count; k++) {
        enum err e = init_elem(i, &w->elems[k], &i->elems[k]);
        if (e) return e;
    }
    for (u32 k = 0; k < w->data_count; k++) {
        if (w->datas[k].bytes.n > UINT32_MAX) return ERR_LIMIT;
        i->data_left[k] = (u32)w->datas[k].bytes.n;
    }
    return ERR_OK;
}

static u64 offset_of(const struct wasm_limits *l, union abi_value at) { return l->is64 ? at.i64 : at.i32; }

static enum abi_trap run_elem(struct rt_instance *i, u32 k) {
    const struct wasm_elem *x = &i->module->info.elems[k];
    enum abi_trap trap = ABI_TRAP_NONE;
    union abi_value at;
    if (x->mode == WASM_PASSIVE) return trap;
    if (x->mode == WASM_ACTIVE) {
        if (rt_eval(i, &x->offset, &at)) return ABI_TRAP_NOMEM;
        trap = rt_do_table_init(i, x->table, k, offset_of(&i->tables[x->table]->type.limits, at), 0, i->elems[k].count);
    }
    if (!trap) i->elems[k] = (struct rt_segment){0};
    return trap;
}

static enum abi_trap run_data(struct rt_instance *i, u32 k) {
    const struct wasm_data *d = &i->module->info.datas[k];
    union abi_value at;
    if (d->mode != WASM_ACTIVE) return ABI_TRAP_NONE;
    if (rt_eval(i, &d->offset, &at)) return ABI_TRAP_NOMEM;
    enum abi_trap trap = rt_do_memory_init(i, d->memory, k, offset_of(&i->memories[d->memory]->type.limits, at), 0,
                                           i->data_left[k]);
    if (!trap) i->data_left[k] = 0;
    return trap;
}

/* Active segments, in order: all elements, then all data. */
enum abi_trap rt_run_segments(struct rt_instance *i) {
    const struct wasm_module *w = &i->module->info;
    enum abi_trap trap;
    for (u32 k = 0; k < w->elem_count; k++)
        if ((trap = run_elem(i, k))) return trap;
    for (u32 k = 0; k < w->data_count; k++)
        if ((trap = run_data(i, k))) return trap;
    return ABI_TRAP_NONE;
}
