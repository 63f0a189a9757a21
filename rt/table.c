/* table.c: tables (WebAssembly 2.0, 4.2.7).
 *
 * I1 refs[0..len) holds the handle of each element; for tables of funcref
 *    entries[k] is the callable pair of refs[k], or the null pair.
 * I2 entries and refs have room for `capacity` elements, len <= capacity. */
#include "base/assert.h"
#include "base/mem.h"
#include "rt/internal.h"

/* The null pair's code: compares unequal to every type, and is never called. */
static const u32 null_code[4];
const struct abi_func rt_null_pair = {&null_code[1], NULL};

/* What the store's limit leaves for all its tables. */
static u64 elements_left(const struct rt_store *s) {
    if (!s->limits.table_elements) return UINT64_MAX;
    assert(s->elements_used <= s->limits.table_elements);
    return s->limits.table_elements - s->elements_used;
}

static void give_back(struct rt_engine *e, struct abi_func *entries, u32 *refs, u64 n) {
    if (entries) rt_free(e, entries, n * sizeof *entries);
    if (refs) rt_free(e, refs, n * sizeof *refs);
}

/* Moves the elements to arrays of `capacity`. */
static enum err resize(struct rt_table *t, u64 capacity) {
    struct rt_engine *e = t->store->engine;
    bool funcs = rt_is_func_ref(t->type.type);
    struct abi_func *entries = funcs ? rt_alloc(e, capacity * sizeof *entries) : NULL;
    u32 *refs = rt_alloc(e, capacity * sizeof *refs);
    assert(capacity >= t->abi.len && capacity);
    if (!refs || (funcs && !entries)) {
        give_back(e, entries, refs, capacity);
        return ERR_NOMEM;
    }
    if (t->abi.len) {
        memcpy(refs, t->abi.refs, t->abi.len * sizeof *refs);
        if (funcs) memcpy(entries, t->abi.entries, t->abi.len * sizeof *entries);
    }
    give_back(e, t->abi.entries, t->abi.refs, t->capacity);
    t->abi.entries = entries;
    t->abi.refs = refs;
    t->capacity = capacity;
    return ERR_OK;
}

static bool pair_of(struct rt_table *t, u32 handle, struct abi_func *out) {
    if (!rt_handle_fits(t->store, t->type.type, handle)) return false;
    *out = rt_ref_pair(t->store, handle);
    return true;
}

bool rt_table_put(struct rt_table *t, u64 index, u32 handle) {
    struct abi_func pair;
    assert(index < t->abi.len);
    if (!pair_of(t, handle, &pair)) return false;
    t->abi.refs[index] = handle;
    if (t->abi.entries) t->abi.entries[index] = pair;
    return true;
}

u64 rt_table_enlarge(struct rt_table *t, u64 delta, u32 handle) {
    u64 old = t->abi.len;
    struct abi_func pair;
    if (delta > MIN(t->max - old, elements_left(t->store)) || !pair_of(t, handle, &pair)) return UINT64_MAX;
    if (old + delta > t->capacity) {
        u64 room = MIN(t->max, old + MIN(elements_left(t->store), t->max));
        u64 capacity = MIN(MAX(old + delta, t->capacity * 2), room);
        if (resize(t, capacity)) return UINT64_MAX;
    }
    for (u64 k = old; k < old + delta; k++) {
        t->abi.refs[k] = handle;
        if (t->abi.entries) t->abi.entries[k] = pair;
    }
    t->abi.len = old + delta;
    t->store->elements_used += delta;
    return old;
}

enum err rt_table_new(struct rt_store *s, const struct wasm_table *type, u32 handle, struct rt_table **out) {
    u64 max = MIN((u64)WASM_MAX_TABLE, type->limits.max);
    if (!rt_is_ref(type->type)) return ERR_UNSUPPORTED;
    if (type->limits.min > MIN(max, elements_left(s))) return ERR_LIMIT;
    struct rt_table *t = rt_alloc(s->engine, sizeof *t);
    if (!t) return ERR_NOMEM;
    *t = (struct rt_table){.store = s, .holders = 1, .max = max, .type = *type};
    if (rt_table_enlarge(t, type->limits.min, handle) == UINT64_MAX) {
        rt_free(s->engine, t, sizeof *t);
        return ERR_NOMEM;
    }
    list_push_back(&s->tables, &t->link);
    *out = t;
    return ERR_OK;
}

void rt_table_drop(struct rt_table *t) {
    struct rt_engine *e = t->store->engine;
    assert(t->holders);
    if (--t->holders) return;
    list_remove(&t->link);
    assert(t->store->elements_used >= t->abi.len);
    t->store->elements_used -= t->abi.len;
    give_back(e, t->abi.entries, t->abi.refs, t->capacity);
    rt_free(e, t, sizeof *t);
}
