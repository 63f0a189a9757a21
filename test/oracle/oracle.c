/* oracle.c: life of an instance (WebAssembly 2.0, 4.5.4). */
#include "test/oracle/oracle.h"

#include <stdlib.h>
#include <string.h>

static union abi_value evaluate(struct oracle *o, const struct wasm_init *in) {
    const char *why;
    struct wasm_instr i;
    switch (in->kind) {
    case WASM_INIT_CONST: return (union abi_value){.bits = {in->value, in->high}};
    case WASM_INIT_GLOBAL: return o->globals[in->value];
    case WASM_INIT_REF_NULL: return (union abi_value){.bits = {0, 0}};
    case WASM_INIT_REF_FUNC: return (union abi_value){.bits = {in->value + 1, 0}};
    case WASM_INIT_CODE: break;
    }
    for (struct cursor c = cursor_of(in->code); cursor_left(&c);) {
        enum err e = wasm_take_instr(&c, &i, &why);
        assert(!e);
        if (i.op == WASM_OP_GLOBAL_GET) push_whole(o, o->globals[i.a]);
        else if (i.op == WASM_OP_I32_CONST || i.op == WASM_OP_I64_CONST) push(o, i.bits);
        else if (i.op != WASM_OP_END && !oracle_integer(o, i.op)) unreachable();
    }
    return pop_whole(o);
}

static void allocate(struct oracle *o) {
    const struct wasm_module *m = o->m;
    o->stack = o->sp = calloc(ORACLE_STACK, sizeof *o->sp);
    o->globals = calloc(m->global_count + 1u, sizeof *o->globals);
    o->tables = calloc(m->table_count + 1u, sizeof *o->tables);
    o->dropped_data = calloc(m->data_count + 1u, 1);
    o->dropped_elem = calloc(m->elem_count + 1u, 1);
    o->memories = calloc(m->memory_count + 1u, sizeof *o->memories);
    assert(o->stack && o->globals && o->tables && o->dropped_data && o->dropped_elem && o->memories);
    for (u32 i = 0; i < m->memory_count; i++) {
        const struct wasm_memory *t = &m->memories[i];
        struct oracle_memory *mem = &o->memories[i];
        *mem = (struct oracle_memory){NULL, t->limits.min, t->limits.max, t->limits.is64, t->limits.shared, wasm_page_log2(t)};
        mem->bytes = calloc(oracle_bytes(mem) + 1, 1);
        assert(mem->bytes);
    }
    for (u32 i = 0; i < m->table_count; i++) {
        struct oracle_table *t = &o->tables[i];
        t->len = m->tables[i].limits.min;
        t->max = MIN(m->tables[i].limits.max, (u64)ORACLE_TABLE_MAX);
        t->refs = calloc(t->len + 1, sizeof *t->refs);
        assert(t->refs);
    }
}

/* Active segments behave as init followed by drop. */
static void run_segments(struct oracle *o) {
    const struct wasm_module *m = o->m;
    for (u32 i = 0; i < m->elem_count && !o->trap; i++) {
        const struct wasm_elem *e = &m->elems[i];
        if (e->mode == WASM_ACTIVE) {
            push_whole(o, evaluate(o, &e->offset));
            push(o, 0);
            push(o, e->count);
            oracle_table(o, &(struct wasm_instr){.op = WASM_OP_TABLE_INIT, .a = i, .b = e->table});
        }
        if (e->mode != WASM_PASSIVE) o->dropped_elem[i] = true;
    }
    for (u32 i = 0; i < m->data_count && !o->trap; i++) {
        if (m->datas[i].mode != WASM_ACTIVE) continue;
        push_whole(o, evaluate(o, &m->datas[i].offset));
        push(o, 0);
        push(o, m->datas[i].bytes.n);
        oracle_memory(o, &(struct wasm_instr){.op = WASM_OP_MEMORY_INIT, .a = i, .b = m->datas[i].memory});
        o->dropped_data[i] = true;
    }
}

enum abi_trap oracle_init(struct oracle *o, const struct wasm_module *m, u64 byte_limit, u64 steps) {
    assert(!m->imported_globals && !m->imported_memories && !m->imported_tables);
    o->m = m;
    o->steps = steps;
    o->trap = ABI_TRAP_NONE;
    o->byte_limit = byte_limit;
    allocate(o);
    for (u32 i = 0; i < m->global_count; i++) o->globals[i] = evaluate(o, &m->globals[i].init);
    run_segments(o);
    if (!o->trap && m->start != WASM_NONE) oracle_run_function(o, m->start);
    return o->trap;
}

void oracle_free(struct oracle *o) {
    for (u32 i = 0; i < o->m->table_count; i++) free(o->tables[i].refs);
    for (u32 i = 0; i < o->exception_count; i++) free(o->exceptions[i].values);
    free(o->exceptions);
    free(o->stack);
    free(o->globals);
    free(o->tables);
    free(o->dropped_data);
    free(o->dropped_elem);
    for (u32 i = 0; i < o->m->memory_count; i++) free(o->memories[i].bytes);
    free(o->memories);
}

enum abi_trap oracle_call(struct oracle *o, u32 func, union abi_value *vals) {
    const struct wasm_functype *t = &o->m->types[o->m->funcs[func].type];
    o->trap = ABI_TRAP_NONE;
    o->sp = o->stack;
    o->depth = 0;
    for (u32 i = 0; i < t->param_count; i++) push_whole(o, vals[i]);
    oracle_run_function(o, func);
    if (!o->trap) memcpy(vals, o->stack, t->result_count * sizeof *vals);
    return o->trap;
}
