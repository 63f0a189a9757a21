/* storage.c: memories and tables (WebAssembly 2.0, 4.4.4 to 4.4.7). */
#include <stdlib.h>
#include <string.h>

#include "test/oracle/oracle.h"

static bool inside(u64 at, u64 n, u64 size) { return n <= size && at <= size - n; }

static u64 sign_extend(u64 v, unsigned bytes) {
    unsigned unused = 64 - 8 * bytes;
    return (u64)((i64)(v << unused) >> unused);
}

/* Index and static offset of an access; false where the sum leaves 64 bits. */
static bool effective(const struct wasm_instr *in, u64 index, u64 *at) {
    return !__builtin_add_overflow(index, in->bits, at);
}

u8 *oracle_place(struct oracle *o, const struct wasm_instr *in, u64 index, u32 n) {
    struct oracle_memory *m = &o->memories[in->b];
    u64 at;
    if (effective(in, index, &at) && inside(at, n, oracle_bytes(m))) return m->bytes + at;
    oracle_trap(o, ABI_TRAP_MEMORY);
    return NULL;
}

static void load(struct oracle *o, const struct wasm_instr *in) {
    unsigned n = 1u << wasm_opinfos[in->op].align;
    u64 v = 0;
    const u8 *from = oracle_place(o, in, pop(o), n);
    if (from) memcpy(&v, from, n);
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
    u64 v = pop(o), index = pop(o);
    u8 *to = oracle_place(o, in, index, n);
    if (to) memcpy(to, &v, n);
}

/* What all memories have together may not pass the limit; a shared one counts
 * with all that it may become. */
static u64 pages_left(const struct oracle *o, const struct oracle_memory *m) {
    u64 used = 0;
    if (m->shared) return m->max - m->pages;
    for (u32 i = 0; i < o->m->memory_count; i++) {
        const struct oracle_memory *x = &o->memories[i];
        used += x->shared ? x->max << x->page_log2 : oracle_bytes(x);
    }
    u64 room = used < o->byte_limit ? (o->byte_limit - used) >> m->page_log2 : 0;
    return MIN(room, m->max - m->pages);
}

static u64 grow(struct oracle *o, struct oracle_memory *m, u64 delta) {
    u64 old = m->pages, had = oracle_bytes(m);
    if (delta > pages_left(o, m)) return m->wide ? UINT64_MAX : UINT32_MAX;
    m->pages += delta;
    m->bytes = realloc(m->bytes, oracle_bytes(m) + 1);
    assert(m->bytes);
    memset(m->bytes + had, 0, oracle_bytes(m) - had);
    return old;
}

static void copy(struct oracle *o, struct oracle_memory *d, const struct oracle_memory *s) {
    u64 n = pop(o), from = pop(o), to = pop(o);
    if (!inside(to, n, oracle_bytes(d)) || !inside(from, n, oracle_bytes(s))) oracle_trap(o, ABI_TRAP_MEMORY);
    else if (n) memmove(d->bytes + to, s->bytes + from, n);
}

static void fill(struct oracle *o, struct oracle_memory *m) {
    u64 n = pop(o), byte = pop(o), to = pop(o);
    if (!inside(to, n, oracle_bytes(m))) oracle_trap(o, ABI_TRAP_MEMORY);
    else if (n) memset(m->bytes + to, (int)byte, n);
}

static void init(struct oracle *o, struct oracle_memory *m, u32 segment) {
    u64 n = pop(o), from = pop(o), to = pop(o);
    struct bytes have = o->dropped_data[segment] ? (struct bytes){NULL, 0} : o->m->datas[segment].bytes;
    if (!inside(to, n, oracle_bytes(m)) || !inside(from, n, have.n)) oracle_trap(o, ABI_TRAP_MEMORY);
    else if (n) memcpy(m->bytes + to, have.p + from, n);
}

bool oracle_memory(struct oracle *o, const struct wasm_instr *in) {
    if (in->op >= WASM_OP_I32_LOAD && in->op <= WASM_OP_I64_LOAD32_U) load(o, in);
    else if (in->op >= WASM_OP_I32_STORE && in->op <= WASM_OP_I64_STORE32) store(o, in);
    else if (in->op == WASM_OP_MEMORY_SIZE) push(o, o->memories[in->a].pages);
    else if (in->op == WASM_OP_MEMORY_GROW) push(o, grow(o, &o->memories[in->a], pop(o)));
    else if (in->op == WASM_OP_DATA_DROP) o->dropped_data[in->a] = true;
    else if (in->op == WASM_OP_MEMORY_INIT) init(o, &o->memories[in->b], in->a);
    else if (in->op == WASM_OP_MEMORY_COPY) copy(o, &o->memories[in->a], &o->memories[in->b]);
    else if (in->op == WASM_OP_MEMORY_FILL) fill(o, &o->memories[in->a]);
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

static void table_grow(struct oracle *o, struct oracle_table *t, bool wide) {
    u64 delta = pop(o), ref = pop(o), old = t->len;
    if (delta > t->max || old > t->max - delta) {
        push(o, wide ? UINT64_MAX : UINT32_MAX);
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
    case WASM_OP_TABLE_GROW: table_grow(o, &o->tables[in->a], o->m->tables[in->a].limits.is64); return true;
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
