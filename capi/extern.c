/* extern.c: globals, tables, memories: exports of an instance, by name. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/fault.h"
#include "capi/internal.h"

static bool alive(const struct wasm_ref_t *r) { return r->store->rt != NULL; }

/* A thing of its own, in an instance of its own. */
static void *thing_new(wasm_store_t *s, enum ref_kind kind, const void *type, const union abi_value *init) {
    const struct wasm_externtype_t *t = type;
    struct wasm_ref_t *r = s && t ? capi_ref_new(s, kind) : NULL;
    if (!r) return NULL;
    assert((int)t->kind == (int)kind);
    r->type = capi_type_copy(t);
    r->owner = r->type ? capi_make(s, t, init, NULL) : NULL;
    r->own = r->owner != NULL;
    if (r->owner) return r;
    capi_ref_drop(r);
    return NULL;
}

wasm_externkind_t wasm_extern_kind(const wasm_extern_t *e) { return (wasm_externkind_t)e->ref.kind; }

/* WebAssembly 2.0, 7.1 (table_type, mem_type): what has grown is of another type, its size the minimum. */
static void *type_now(const struct wasm_ref_t *r) {
    struct wasm_externtype_t *t = capi_type_copy(r->type);
    if (!t || !alive(r)) return t;
    if (r->kind == REF_TABLE) t->limits.min = wasm_table_size((const wasm_table_t *)r);
    if (r->kind == REF_MEMORY) t->limits.min = wasm_memory_size((const wasm_memory_t *)r);
    return t;
}
wasm_externtype_t *wasm_extern_type(const wasm_extern_t *e) { return type_now(&e->ref); }
wasm_globaltype_t *wasm_global_type(const wasm_global_t *g) { return type_now(&g->ref); }
wasm_tabletype_t *wasm_table_type(const wasm_table_t *t) { return type_now(&t->ref); }
wasm_memorytype_t *wasm_memory_type(const wasm_memory_t *m) { return type_now(&m->ref); }

/* Globals. */

wasm_global_t *wasm_global_new(wasm_store_t *s, const wasm_globaltype_t *type, const wasm_val_t *v) {
    union abi_value init;
    if (!s || !s->rt || !type || !capi_to_abi(s, wasm_globaltype_content(type)->kind, v, &init)) return NULL;
    return thing_new(s, REF_GLOBAL, type, &init);
}

void wasm_global_get(const wasm_global_t *g, wasm_val_t *out) {
    union abi_value v = {.bits = {0, 0}};
    *out = (wasm_val_t)WASM_INIT_VAL;
    if (!alive(&g->ref) || g->ref.type->value->kind == KIND_NONE) return;
    enum err e = rt_global_get(g->ref.owner, g->ref.name, &v, NULL);
    assert(!e);
    capi_from_abi(g->ref.store, g->ref.type->value->kind, &v, out);
}

/* An immutable one, or a value of another kind: nothing happens. */
void wasm_global_set(wasm_global_t *g, const wasm_val_t *v) {
    union abi_value value;
    if (!alive(&g->ref) || !capi_to_abi(g->ref.store, g->ref.type->value->kind, v, &value)) return;
    (void)rt_global_set(g->ref.owner, g->ref.name, value);
}

/* Tables. */

static bool table_handle(const struct wasm_ref_t *t, struct wasm_ref_t *r, u32 *handle) {
    return alive(t) && capi_handle_of(t->store, t->type->value->kind, r, handle);
}

wasm_table_t *wasm_table_new(wasm_store_t *s, const wasm_tabletype_t *type, wasm_ref_t *init) {
    wasm_table_t *t = thing_new(s, REF_TABLE, type, NULL);
    if (!t || !init) return t;
    for (u32 k = 0; k < wasm_table_size(t); k++)
        if (!wasm_table_set(t, k, init)) {
            wasm_table_delete(t);
            return NULL;
        }
    return t;
}

wasm_ref_t *wasm_table_get(const wasm_table_t *t, wasm_table_size_t index) {
    u32 handle;
    if (!alive(&t->ref) || rt_table_get(t->ref.owner, t->ref.name, index, &handle)) return NULL;
    return capi_ref_of(t->ref.store, t->ref.type->value->kind, handle);
}

bool wasm_table_set(wasm_table_t *t, wasm_table_size_t index, wasm_ref_t *r) {
    u32 handle;
    return table_handle(&t->ref, r, &handle) && !rt_table_set(t->ref.owner, t->ref.name, index, handle);
}

wasm_table_size_t wasm_table_size(const wasm_table_t *t) {
    u64 n;
    return alive(&t->ref) && !rt_table_size(t->ref.owner, t->ref.name, &n) ? (wasm_table_size_t)n : 0;
}

bool wasm_table_grow(wasm_table_t *t, wasm_table_size_t delta, wasm_ref_t *init) {
    u32 handle;
    if (!table_handle(&t->ref, init, &handle)) return false;
    return rt_export_table_grow(t->ref.owner, t->ref.name, delta, handle) != UINT64_MAX;
}

/* Memories. */

wasm_memory_t *wasm_memory_new(wasm_store_t *s, const wasm_memorytype_t *type) {
    return thing_new(s, REF_MEMORY, type, NULL);
}

static struct abi_memory shown(const wasm_memory_t *m) {
    struct abi_memory now = {.bytes = 0};
    if (alive(&m->ref) || fault(LEFT_OVER)) (void)rt_find_memory(m->ref.owner, m->ref.name, &now);
    return now;
}

byte_t *wasm_memory_data(wasm_memory_t *m) { return (byte_t *)shown(m).base; }
size_t wasm_memory_data_size(const wasm_memory_t *m) { return shown(m).bytes; }
wasm_memory_pages_t wasm_memory_size(const wasm_memory_t *m) { return (wasm_memory_pages_t)shown(m).pages; }
bool wasm_memory_grow(wasm_memory_t *m, wasm_memory_pages_t delta) {
    return alive(&m->ref) && rt_export_memory_grow(m->ref.owner, m->ref.name, delta) != UINT64_MAX;
}
