/* linker.c: what imports can resolve to.
 *
 * I1 a definition is complete before it is in its chain, and never changes.
 * I2 definitions of objects belong to one store, and are used with it only. */
#include "base/assert.h"
#include "base/hash.h"
#include "base/mem.h"
#include "rt/internal.h"

/* The library has a linker for each callback: most have little in them. */
enum { FEW_DEFS = 2048 };

enum err rt_linker_new(struct rt_engine *e, struct rt_linker **out) {
    struct arena a;
    arena_init(&a, &e->source, 0);
    a.chunk = FEW_DEFS;
    struct rt_linker *l = ARENA_NEW(&a, struct rt_linker);
    if (!l) return ERR_NOMEM;
    *l = (struct rt_linker){.engine = e, .arena = a};
    rt_holder(e, 1);
    *out = l;
    return ERR_OK;
}

void rt_linker_free(struct rt_linker *l) {
    if (!l) return;
    struct rt_engine *e = l->engine;
    for (u32 i = 0; i < RT_DEF_CHAINS; i++)
        for (struct rt_def *d = l->defs[i]; d; d = d->next) {
            if (d->type) rt_type_drop(e, d->type);
            if (d->tag) rt_tag_drop(d->tag);
        }
    struct arena a = l->arena; /* l lives in it */
    arena_reset(&a);
    rt_holder(e, -1);
}

static u32 chain_of(struct bytes module, struct bytes name) {
    u64 h = hash_bytes(module) * 31 + hash_bytes(name);
    return (u32)((h ^ h >> 32) % RT_DEF_CHAINS);
}

static bool same(struct bytes a, struct bytes b) { return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n)); }

const struct rt_def *rt_find_def(const struct rt_linker *l, struct bytes module, struct bytes name) {
    const struct rt_def *d = l->defs[chain_of(module, name)];
    while (d && !(same(d->module, module) && same(d->name, name))) d = d->next;
    return d;
}

struct rt_instance *rt_find_named(const struct rt_linker *l, struct bytes module) {
    for (const struct rt_named_instance *n = l->instances; n; n = n->next)
        if (same(n->name, module)) return n->instance;
    return NULL;
}

static bool copy_text(struct arena *a, struct bytes from, struct bytes *out) {
    u8 *p = arena_alloc(a, from.n);
    if (!p) return false;
    if (from.n) memcpy(p, from.p, from.n);
    *out = (struct bytes){p, from.n};
    return true;
}

static struct bytes text(const char *s) { return (struct bytes){(const u8 *)s, strlen(s)}; }

/* A definition that is not in its chain yet; *mark undoes it. */
static enum err def_new(struct rt_linker *l, const char *module, const char *name, enum wasm_kind kind,
                        struct arena_mark *mark, struct rt_def **out) {
    if (rt_find_def(l, text(module), text(name))) return ERR_EXISTS;
    *mark = arena_mark(&l->arena);
    struct rt_def *d = ARENA_NEW(&l->arena, struct rt_def);
    if (!d || !copy_text(&l->arena, text(module), &d->module) ||
        !copy_text(&l->arena, text(name), &d->name)) {
        arena_release(&l->arena, *mark);
        return ERR_NOMEM;
    }
    d->kind = kind;
    *out = d;
    return ERR_OK;
}

static void def_add(struct rt_linker *l, struct rt_def *d) {
    struct rt_def **chain = &l->defs[chain_of(d->module, d->name)];
    d->next = *chain;
    *chain = d;
}

/* Types as text. */

static wasm_type letter_type(char c) {
    switch (c) {
    case 'i': return WASM_I32;
    case 'I': return WASM_I64;
    case 'f': return WASM_F32;
    case 'F': return WASM_F64;
    case 'r': return WASM_FUNCREF;
    case 'x': return WASM_EXTERNREF;
    default: return 0;
    }
}

enum { TEXT_TYPES = 64 };

/* out has room for TEXT_TYPES; ERR_INVALID when the text is not a type. */
static enum err parse_type(const char *s, wasm_type *out, u32 *params, u32 *results) {
    u32 n = 0, split = UINT32_MAX;
    for (; *s; s++) {
        if (*s == ':' && split == UINT32_MAX) {
            split = n;
            continue;
        }
        if (n == TEXT_TYPES || !(out[n] = letter_type(*s))) return ERR_INVALID;
        n++;
    }
    if (split == UINT32_MAX) return ERR_INVALID;
    *params = split;
    *results = n - split;
    return ERR_OK;
}

bool rt_type_is(const struct wasm_functype *t, const char *s) {
    wasm_type sig[TEXT_TYPES];
    u32 params, results;
    if (parse_type(s, sig, &params, &results)) return false;
    return wasm_types_equal(t->params, t->param_count, sig, params) &&
           wasm_types_equal(t->results, t->result_count, sig + params, results);
}

enum err rt_define_func(struct rt_linker *l, const char *module, const char *name, const char *type,
                        const void *fn) {
    wasm_type sig[TEXT_TYPES];
    u32 params, results;
    struct arena_mark mark;
    struct rt_def *d;
    enum err e;
    assert(fn);
    if ((e = parse_type(type, sig, &params, &results))) return e;
    if ((e = def_new(l, module, name, WASM_KIND_FUNC, &mark, &d))) return e;
    d->type = rt_type_hold(l->engine, sig, params, sig + params, results);
    if (!d->type) {
        arena_release(&l->arena, mark);
        return ERR_NOMEM;
    }
    d->host.fn = fn;
    def_add(l, d);
    return ERR_OK;
}

enum err rt_define_instance(struct rt_linker *l, struct bytes module, struct rt_instance *i) {
    for (struct rt_named_instance *n = l->instances; n; n = n->next)
        if (same(n->name, module)) {
            n->instance = i;
            return ERR_OK;
        }
    struct arena_mark mark = arena_mark(&l->arena);
    struct rt_named_instance *n = ARENA_NEW(&l->arena, struct rt_named_instance);
    if (!n || !copy_text(&l->arena, module, &n->name)) {
        arena_release(&l->arena, mark);
        return ERR_NOMEM;
    }
    n->instance = i;
    n->next = l->instances;
    l->instances = n;
    return ERR_OK;
}

enum err rt_define_global(struct rt_linker *l, const char *module, const char *name,
                          struct rt_store *s, wasm_type type, bool mutable, union abi_value value) {
    struct arena_mark mark;
    struct rt_def *d;
    enum err e;
    if (rt_is_ref(type) && !rt_handle_fits(s, type, value.i32)) return ERR_INVALID;
    if ((e = def_new(l, module, name, WASM_KIND_GLOBAL, &mark, &d))) return e;
    if ((e = rt_cell_new(s, value, &d->cell))) goto undo;
    if ((e = rt_store_keep_cell(s, d->cell))) {
        rt_cell_drop(d->cell);
        goto undo;
    }
    d->store = s;
    d->value_type = type;
    d->mutable = mutable;
    def_add(l, d);
    return ERR_OK;
undo:
    arena_release(&l->arena, mark);
    return e;
}

enum err rt_define_table(struct rt_linker *l, const char *module, const char *name,
                         struct rt_store *s, const struct wasm_table *type) {
    struct arena_mark mark;
    struct rt_def *d;
    enum err e = def_new(l, module, name, WASM_KIND_TABLE, &mark, &d);
    if (e) return e;
    if ((e = rt_table_new(s, type, 0, &d->table))) {
        arena_release(&l->arena, mark);
        return e;
    }
    d->store = s;
    def_add(l, d);
    return ERR_OK;
}

enum err rt_define_tag(struct rt_linker *l, const char *module, const char *name, struct rt_store *s,
                       const char *params, struct rt_tag **out) {
    wasm_type sig[TEXT_TYPES];
    u32 count, results;
    struct arena_mark mark;
    struct rt_def *d;
    enum err e = parse_type(params, sig, &count, &results);
    if (e || results) return ERR_INVALID;
    if ((e = def_new(l, module, name, WASM_KIND_TAG, &mark, &d))) return e;
    d->type = rt_type_hold(l->engine, sig, count, NULL, 0);
    e = d->type ? rt_tag_new(s, d->type->id, sig, count, &d->tag) : ERR_NOMEM;
    if (e) {
        if (d->type) rt_type_drop(l->engine, d->type);
        arena_release(&l->arena, mark);
        return e;
    }
    d->store = s;
    def_add(l, d);
    *out = d->tag;
    return ERR_OK;
}

enum err rt_define_memory(struct rt_linker *l, const char *module, const char *name,
                          struct rt_store *s, const struct wasm_memory *type) {
    struct arena_mark mark;
    struct rt_def *d;
    enum err e = def_new(l, module, name, WASM_KIND_MEMORY, &mark, &d);
    if (e) return e;
    if ((e = rt_memory_new(s, type, &d->memory))) {
        arena_release(&l->arena, mark);
        return e;
    }
    d->store = s;
    def_add(l, d);
    return ERR_OK;
}
