/* storage.c: memories and tables (WebAssembly 2.0, 4.4.4 to 4.4.7). */
#include <stdlib.h>
#include <string.h>

#include "test/oracle/oracle.h"

static bool inside(u64 at, u64 n, u64 size) { return n <= size && at <= size - n; }

static u64 sign_extend(u64 v, unsigned bytes) {
    unsigned unused = 64 - 8 * bytes;
    return (u64)((i64)(v << unused) >> unused);
}

static void load(struct oracle *o, const struct wasm_instr *in) {
    unsigned n = 1u << wasm_opinfos[in->op].align;
    u64 at = pop(o) + in->bits, v = 0;
    if (!inside(at, n, o->pages * WASM_PAGE)) {
        oracle_trap(o, ABI_TRAP_MEMORY);
        push(o, 0);
        return;
    }
    memcpy(&v, o->memory + at, n);
    switch (in->op) {
    case WASM_OP_I32_LOAD8_S:
    case WASM_OP_I32_LOAD16_S: v = (u32)sign_extend(v, n); break;
    case WASM_OP_I64_LOAD8_S:
    case WASM_OP_I64_LOAD16_S:
    case WASM_OP_I64_LOAD32_S: v = sign_extend(v, n); break;
    default: break;
    }
    push(o, v);
}

static void store(struct oracle *o, const struct wasm_instr *in) {
    unsigned n = 1u << wasm_opinfos[in->op].align;
    u64 v = pop(o), at = pop(o) + in->bits;
    if (inside(at, n, o->pages * WASM_PAGE)) memcpy(o->memory + at, &v, n);
    else oracle_trap(o, ABI_TRAP_MEMORY);
}

static u64 grow(struct oracle *o, u64 delta) {
    u64 old = o->pages;
    if (delta > o->max_pages || old > o->max_pages - delta) return UINT32_MAX;
    u8 *bigger = realloc(o->memory, (old + delta) * WASM_PAGE + 1);
    assert(bigger);
    memset(bigger + old * WASM_PAGE, 0, delta * WASM_PAGE);
    o->memory = bigger;
    o->pages = old + delta;
    return old;
}

static void bulk(struct oracle *o, const struct wasm_instr *in) {
    u64 n = pop(o), from = pop(o), to = pop(o), size = o->pages * WASM_PAGE;
    struct bytes segment = {NULL, 0};
    if (in->op == WASM_OP_MEMORY_INIT && !o->dropped_data[in->a]) segment = o->m->datas[in->a].bytes;
    bool ok = inside(to, n, size);
    if (in->op == WASM_OP_MEMORY_INIT) ok = ok && inside(from, n, segment.n);
    if (in->op == WASM_OP_MEMORY_COPY) ok = ok && inside(from, n, size);
    if (!ok) oracle_trap(o, ABI_TRAP_MEMORY);
    else if (!n) return;
    else if (in->op == WASM_OP_MEMORY_FILL) memset(o->memory + to, (int)from, n);
    else if (in->op == WASM_OP_MEMORY_COPY) memmove(o->memory + to, o->memory + from, n);
    else memcpy(o->memory + to, segment.p + from, n);
}

bool oracle_memory(struct oracle *o, const struct wasm_instr *in) {
    if (in->op >= WASM_OP_I32_LOAD && in->op <= WASM_OP_I64_LOAD32_U) load(o, in);
    else if (in->op >= WASM_OP_I32_STORE && in->op <= WASM_OP_I64_STORE32) store(o, in);
    else if (in->op == WASM_OP_MEMORY_SIZE) push(o, o->pages);
    else if (in->op == WASM_OP_MEMORY_GROW) push(o, grow(o, pop(o)));
    else if (in->op == WASM_OP_DATA_DROP) o->dropped_data[in->a] = true;
    else if (in->op == WASM_OP_MEMORY_INIT || in->op == WASM_OP_MEMORY_COPY || in->op == WASM_OP_MEMORY_FILL) bulk(o, in);
    else return false;
    return true;
}

static void element(struct oracle *o, const struct wasm_instr *in) {
    struct oracle_table *t = &o->tables[in->a];
    u64 ref = in->op == WASM_OP_TABLE_SET ? pop(o) : 0, at = pop(o);
    bool ok = at < t->len;
    if (!ok) oracle_trap(o, ABI_TRAP_TABLE_BOUNDS);
    if (in->op == WASM_OP_TABLE_GET) push(o, ok ? t->refs[at] : 0);
    else if (ok) t->refs[at] = (u32)ref;
}

static void table_grow(struct oracle *o, struct oracle_table *t) {
    u64 delta = pop(o), ref = pop(o), old = t->len;
    if (delta > t->max || old > t->max - delta) {
        push(o, UINT32_MAX);
        return;
    }
    t->refs = realloc(t->refs, (old + delta + 1) * sizeof *t->refs);
    assert(t->refs);
    for (u64 i = old; i < old + delta; i++) t->refs[i] = (u32)ref;
    t->len = old + delta;
    push(o, old);
}

static void table_fill(struct oracle *o, struct oracle_table *t) {
    u64 n = pop(o), ref = pop(o), at = pop(o);
    if (!inside(at, n, t->len)) oracle_trap(o, ABI_TRAP_TABLE_BOUNDS);
    else for (u64 i = 0; i < n; i++) t->refs[at + i] = (u32)ref;
}

static void table_copy(struct oracle *o, struct oracle_table *to, const struct oracle_table *from) {
    u64 n = pop(o), s = pop(o), d = pop(o);
    if (!inside(d, n, to->len) || !inside(s, n, from->len)) oracle_trap(o, ABI_TRAP_TABLE_BOUNDS);
    else memmove(to->refs + d, from->refs + s, n * sizeof *to->refs);
}

static void table_init(struct oracle *o, const struct wasm_elem *e, bool dropped, struct oracle_table *t) {
    u64 n = pop(o), s = pop(o), d = pop(o);
    if (!inside(d, n, t->len) || !inside(s, n, dropped ? 0 : e->count)) {
        oracle_trap(o, ABI_TRAP_TABLE_BOUNDS);
        return;
    }
    for (u64 i = 0; i < n; i++) {
        const struct wasm_init *item = &e->items[s + i];
        t->refs[d + i] = item->kind == WASM_INIT_REF_FUNC ? (u32)item->value + 1 : 0;
    }
}

bool oracle_table(struct oracle *o, const struct wasm_instr *in) {
    switch (in->op) {
    case WASM_OP_TABLE_GET:
    case WASM_OP_TABLE_SET: element(o, in); return true;
    case WASM_OP_TABLE_SIZE: push(o, o->tables[in->a].len); return true;
    case WASM_OP_TABLE_GROW: table_grow(o, &o->tables[in->a]); return true;
    case WASM_OP_TABLE_FILL: table_fill(o, &o->tables[in->a]); return true;
    case WASM_OP_TABLE_COPY: table_copy(o, &o->tables[in->a], &o->tables[in->b]); return true;
    case WASM_OP_TABLE_INIT:
        table_init(o, &o->m->elems[in->a], o->dropped_elem[in->a], &o->tables[in->b]);
        return true;
    case WASM_OP_ELEM_DROP: o->dropped_elem[in->a] = true; return true;
    case WASM_OP_REF_NULL: push(o, 0); return true;
    case WASM_OP_REF_FUNC: push(o, in->a + 1); return true;
    case WASM_OP_REF_IS_NULL: push(o, pop(o) == 0); return true;
    default: return false;
    }
}
