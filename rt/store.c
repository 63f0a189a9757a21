/* store.c: stores, their stack, references and cells.
 *
 * I1 handle 0 is null; refs[h] for 0 < h < ref_count is what handle h means.
 * I2 refs and abi.refs.entries have room for ref_capacity; with none of them,
 *    entries is the one null pair, which nobody writes.
 * I3 free slots form a list through next_free, starting at free_ref (0: none). */
#include "base/assert.h"
#include "base/mem.h"
#include "rt/enter.h"
#include "rt/internal.h"

/* The lowest part is the guard: never committed, so an overflow faults. */
static enum err stack_open(struct rt_store *s) {
    const struct rt_host *h = &s->engine->host;
    u64 want = s->limits.stack_bytes ? s->limits.stack_bytes : RT_STACK_DEFAULT;
    if (want > (1ull << 30)) return ERR_LIMIT;
    s->stack_bytes = ALIGN_UP(MAX(want, 2 * RT_HOST_STACK), (u64)h->page);
    s->stack = h->reserve(h->self, RT_STACK_GUARD + s->stack_bytes);
    if (!s->stack) return ERR_NOMEM;
    size_t n = s->stack_bytes;
    if (h->commit(h->self, s->stack + RT_STACK_GUARD, &n, NULL)) {
        h->release(h->self, s->stack, RT_STACK_GUARD + s->stack_bytes);
        return ERR_NOMEM;
    }
    s->abi.stack_limit = (u64)(s->stack + RT_STACK_GUARD + RT_HOST_STACK);
    s->abi.trap_sp = s->abi.entry_sp = rt_stack_top(s);
    rt_stack_arm(s);
    return ERR_OK;
}

u64 rt_stack_top(const struct rt_store *s) {
    return (u64)(s->stack + RT_STACK_GUARD + s->stack_bytes) - sizeof(struct rt_frame);
}

/* What the trap exit pops after rt_call2, all but what the call writes itself. */
void rt_stack_arm(struct rt_store *s) {
    struct rt_frame *f = (struct rt_frame *)rt_stack_top(s);
    *f = (struct rt_frame){.store = (u64)&s->abi, .rsp = (u64)&f->trap_sp, .trap_sp = (u64)f, .rbx = (u64)&s->abi};
}

enum err rt_store_new(struct rt_engine *e, const struct rt_limits *limits, struct rt_store **out) {
    struct rt_store *s = rt_alloc(e, sizeof *s);
    if (!s) return ERR_NOMEM;
    *s = (struct rt_store){.engine = e, .ref_count = 1, .collect_at = RT_COLLECT_FIRST};
    s->abi.refs = (struct abi_table){.entries = (struct abi_func *)(uptr)&rt_null_pair, .len = 1}; /* until there is another */
    if (limits) s->limits = *limits;
    s->abi.owner = s;
    list_init(&s->instances);
    list_init(&s->memories);
    list_init(&s->tables);
    list_init(&s->exceptions);
    enum err err = stack_open(s);
    if (err) {
        rt_free(e, s, sizeof *s);
        return err;
    }
    rt_holder(e, 1);
    *out = s;
    return ERR_OK;
}

/* What is left after the instances are gone was brought by the embedder. */
static void drop_brought(struct rt_store *s) {
    for (u32 i = 0; i < s->cell_count; i++) rt_cell_drop(s->cells[i]);
    rt_free(s->engine, s->cells, s->cell_capacity * sizeof *s->cells);
    while (!list_empty(&s->memories)) rt_memory_disown(s, LIST_ENTRY(s->memories.next, struct rt_memory, link));
    while (!list_empty(&s->tables)) rt_table_drop(LIST_ENTRY(s->tables.next, struct rt_table, link));
}

void rt_store_free(struct rt_store *s) {
    if (!s) return;
    struct rt_engine *e = s->engine;
    assert(s->abi.depth == 0); /* nothing runs in it */
    rt_exceptions_free(s);
    while (!list_empty(&s->instances))
        rt_instance_destroy(LIST_ENTRY(s->instances.next, struct rt_instance, link));
    drop_brought(s);
    rt_free(e, s->refs, s->ref_capacity * sizeof *s->refs);
    if (s->ref_capacity) rt_free(e, s->abi.refs.entries, s->ref_capacity * sizeof *s->abi.refs.entries);
    e->host.release(e->host.self, s->stack, RT_STACK_GUARD + s->stack_bytes);
    rt_free(e, s, sizeof *s);
    rt_holder(e, -1);
}

void rt_store_set_slot(struct rt_store *s, enum rt_slot slot, void *p) {
    assert(slot < RT_SLOT_COUNT);
    s->slots[slot] = p;
}
void *rt_slot(const struct abi_ctx *caller, enum rt_slot slot) {
    assert(slot < RT_SLOT_COUNT);
    return rt_ctx_store(caller)->slots[slot];
}
void rt_store_set_data(struct rt_store *s, void *data) { rt_store_set_slot(s, RT_SLOT_DATA, data); }
void *rt_store_data(const struct rt_store *s) { return s->slots[RT_SLOT_DATA]; }
struct rt_store *rt_ctx_store(const struct abi_ctx *ctx) { return ctx->store->owner; }
struct rt_instance *rt_ctx_instance(const struct abi_ctx *ctx) { return ctx->instance; }
void *rt_data(const struct abi_ctx *caller) { return rt_slot(caller, RT_SLOT_DATA); }

/* Doubles an array of `size`-byte things; *capacity in things. */
static void *enlarge(struct rt_engine *e, void *old, u32 *capacity, u32 first, size_t size) {
    u32 n = *capacity ? *capacity * 2 : first;
    void *p = rt_alloc(e, n * size);
    if (!p) return NULL;
    if (old) memcpy(p, old, *capacity * size);
    rt_free(e, old, *capacity * size);
    *capacity = n;
    return p;
}

/* References. */

/* Room for one more, here and in what compiled code reads. */
static bool refs_room(struct rt_store *s) {
    u32 old = s->ref_capacity, now = old;
    if (s->ref_count < s->ref_capacity) return true;
    struct abi_func *pairs = rt_alloc(s->engine, (old ? old * 2 : 64) * sizeof *pairs);
    void *refs = pairs ? enlarge(s->engine, s->refs, &now, 64, sizeof *s->refs) : NULL;
    if (!refs) {
        rt_free(s->engine, pairs, (old ? old * 2 : 64) * sizeof *pairs);
        return false;
    }
    memcpy(pairs, s->abi.refs.entries, s->ref_count * sizeof *pairs);
    if (old) rt_free(s->engine, s->abi.refs.entries, old * sizeof *pairs);
    s->refs = refs;
    s->abi.refs.entries = pairs;
    s->ref_capacity = now;
    return true;
}

u32 rt_ref_new(struct rt_store *s, const struct rt_ref *r, const struct abi_func *pair) {
    u32 h = s->free_ref;
    assert(r->kind != RT_REF_FREE);
    if (h) {
        assert(s->refs[h].kind == RT_REF_FREE);
        s->free_ref = s->refs[h].next_free;
    } else {
        if (s->ref_count == RT_MAX_REFS) return 0;
        if (!refs_room(s)) return 0;
        h = s->ref_count++;
        s->abi.refs.len = s->ref_count;
    }
    s->refs[h] = *r;
    s->abi.refs.entries[h] = pair ? *pair : rt_null_pair;
    return h;
}

struct abi_func rt_ref_pair(struct rt_store *s, u32 handle) {
    return handle < s->ref_count ? s->abi.refs.entries[handle] : rt_null_pair;
}

void rt_ref_free(struct rt_store *s, u32 handle) {
    assert(handle && handle < s->ref_count && s->refs[handle].kind != RT_REF_FREE);
    s->refs[handle] = (struct rt_ref){.kind = RT_REF_FREE, .next_free = s->free_ref};
    s->abi.refs.entries[handle] = rt_null_pair;
    s->free_ref = handle;
}

const struct rt_ref *rt_ref_at(struct rt_store *s, u32 handle) {
    if (!handle || handle >= s->ref_count || s->refs[handle].kind == RT_REF_FREE) return NULL;
    return &s->refs[handle];
}

static enum rt_ref_kind kind_of(wasm_type t) {
    if (rt_is_func_ref(t)) return RT_REF_FUNC;
    return rt_is_exn_ref(t) ? RT_REF_EXN : RT_REF_EXTERN;
}

bool rt_handle_fits(struct rt_store *s, wasm_type type, u32 handle) {
    if (!handle) return wasm_has_default(type);
    const struct rt_ref *r = rt_ref_at(s, handle);
    if (!r || r->kind != kind_of(type)) return false;
    return !(type & WASM_TYPE_INDEX) || abi_type_id(rt_ref_pair(s, handle).code) == wasm_type_index(type);
}

u32 rt_extern_new(struct rt_store *s, void *value) {
    struct rt_ref r = {.kind = RT_REF_EXTERN, .value = value};
    return rt_ref_new(s, &r, NULL);
}

bool rt_extern_get(struct rt_store *s, u32 handle, void **value) {
    const struct rt_ref *r = rt_ref_at(s, handle);
    if (!r || r->kind != RT_REF_EXTERN) return false;
    *value = r->value;
    return true;
}

/* Cells. */

enum err rt_cell_new(struct rt_store *s, union abi_value v, struct rt_cell **out) {
    struct rt_cell *c = rt_alloc(s->engine, sizeof *c);
    if (!c) return ERR_NOMEM;
    *c = (struct rt_cell){.value = v, .store = s, .holders = 1};
    *out = c;
    return ERR_OK;
}

void rt_cell_drop(struct rt_cell *c) {
    assert(c->holders);
    if (--c->holders == 0) rt_free(c->store->engine, c, sizeof *c);
}

enum err rt_store_keep_cell(struct rt_store *s, struct rt_cell *c) {
    if (s->cell_count >= s->cell_capacity) {
        void *p = enlarge(s->engine, s->cells, &s->cell_capacity, 8, sizeof *s->cells);
        if (!p) return ERR_NOMEM;
        s->cells = p;
    }
    s->cells[s->cell_count++] = c;
    return ERR_OK;
}
