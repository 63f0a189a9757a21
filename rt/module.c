/* module.c: bytes in, sealed code out.
 *
 * I1 a module is published (in the code map) last: before that nobody knows it.
 * I2 executable bytes are exactly those that were compiled (and verified); rt/ never
 *    sees a writable view of them. */
#include "base/assert.h"
#include "base/mem.h"
#include "rt/internal.h"

static void drop_types(struct rt_module *m, u32 count) {
    for (u32 i = 0; i < count; i++) rt_type_drop(m->engine, m->types[i]);
}

wasm_type rt_type_of(const struct rt_module *m, wasm_type t) {
    if (!(t & WASM_TYPE_INDEX)) return t;
    return wasm_ref_to(m->type_ids[wasm_type_index(t)], t & WASM_TYPE_NONNULL);
}

/* Types in terms of those before it, and of itself. */
static void close_types(const struct rt_module *m, u32 self, const wasm_type *from, u32 n, wasm_type *to) {
    for (u32 i = 0; i < n; i++) {
        bool own = from[i] & WASM_TYPE_INDEX && wasm_type_index(from[i]) == m->info.types[self].canon;
        to[i] = own ? wasm_ref_to(RT_TYPE_SELF, from[i] & WASM_TYPE_NONNULL) : rt_type_of(m, from[i]);
    }
}

static struct rt_type *hold_type(struct rt_module *m, u32 i) {
    const struct wasm_functype *t = &m->info.types[i];
    struct arena_mark mark = arena_mark(&m->arena);
    wasm_type *sig = ARENA_ARRAY(&m->arena, wasm_type, t->param_count + t->result_count);
    if (!sig) return NULL;
    close_types(m, i, t->params, t->param_count, sig);
    close_types(m, i, t->results, t->result_count, sig + t->param_count);
    struct rt_type *held = rt_type_hold(m->engine, sig, t->param_count, sig + t->param_count, t->result_count);
    arena_release(&m->arena, mark);
    return held;
}

static enum err hold_types(struct rt_module *m) {
    const struct wasm_module *w = &m->info;
    m->types = ARENA_ARRAY(&m->arena, struct rt_type *, w->type_count);
    m->type_ids = ARENA_ARRAY(&m->arena, u32, w->type_count);
    if (m->arena.failed) return ERR_NOMEM;
    for (u32 i = 0; i < w->type_count; i++) {
        m->types[i] = hold_type(m, i);
        if (!m->types[i]) {
            drop_types(m, i);
            return ERR_NOMEM;
        }
        m->type_ids[i] = m->types[i]->id;
    }
    return ERR_OK;
}

/* The code's tables, out of the compile's arena into the module's. */
static void *keep(struct arena *a, const void *from, size_t count, size_t size) {
    void *p = arena_array(a, count, size);
    if (p && count) memcpy(p, from, count * size);
    return p;
}

static enum err keep_tables(struct rt_module *m, const struct jit_code *c) {
    struct arena *a = &m->arena;
    m->code = *c;
    m->code.bytes = NULL;
    m->code.points = NULL; /* for the verifier only */
    m->code.type_uses = NULL; /* for the cache only */
    m->code.funcs = keep(a, c->funcs, c->func_count, sizeof *c->funcs);
    m->code.thunks = keep(a, c->thunks, m->info.type_count, sizeof *c->thunks);
    m->code.adaptors = keep(a, c->adaptors, m->info.imported_funcs, sizeof *c->adaptors);
    m->code.host_stubs = keep(a, c->host_stubs, m->info.type_count, sizeof *c->host_stubs);
    m->code.traps = keep(a, c->traps, c->trap_count, sizeof *c->traps);
    m->code.sites = keep(a, c->sites, c->site_count, sizeof *c->sites);
    m->code.catches = keep(a, c->catches, c->catch_count, sizeof *c->catches);
    return a->failed ? ERR_NOMEM : ERR_OK;
}

static enum err seal(struct rt_module *m, const struct jit_code *c) {
    const struct rt_host *h = &m->engine->host;
    void *exec;
    enum err e = h->code_place(h->self, c->bytes, c->size, &exec);
    if (e) return e;
    m->exec = exec;
    m->exec_bytes = c->size;
    return ERR_OK;
}

static enum err compile(struct rt_module *m, struct arena *result, struct arena *scratch, const struct jit_options *options,
                        struct jit_code *code, struct rt_error *error) {
    struct jit_error why = {0};
    enum err e = jit_compile(result, scratch, &m->info, options, code, &why);
    if (!e) return rt_prove(scratch, &m->info, options, code, error);
    size_t at = why.func < m->info.func_count ? m->info.funcs[why.func].code_offset : SIZE_MAX;
    return rt_fail(error, e, at, "compile: %s: %s (function %u)", err_text(e), why.text, why.func);
}

/* Machine code, proven: from the cache or the compiler. */
static enum err find_code(struct rt_module *m, const struct rt_cache *cache, struct arena *result, struct arena *scratch,
                          struct jit_code *code, struct rt_error *error) {
    const struct rt_host *h = &m->engine->host;
    const struct jit_options options = {.cpu = h->cpu, .checked_memory = h->checked_memory, .type_ids = m->type_ids,
                                        .registers = h->registers, .coarse = h->coarse};
    u8 key[RT_KEY_BYTES];
    if (cache && m->info.bytes.n < cache->least) cache = NULL;
    if (cache) rt_cache_key(m->engine, m->info.bytes, key);
    if (cache && rt_cache_find(cache, result, scratch, &m->info, &options, key, code)) {
        m->cached = true;
        return ERR_OK;
    }
    enum err e = compile(m, result, scratch, &options, code, error);
    if (!e && cache) rt_cache_keep(cache, scratch, &m->info, code, key);
    return e;
}

static enum err make_code(struct rt_module *m, const struct rt_cache *cache, struct arena *result, struct arena *scratch,
                          struct rt_error *error) {
    struct jit_code code = {0};
    enum err e = find_code(m, cache, result, scratch, &code, error);
    if (e) return e;
    if ((e = keep_tables(m, &code))) return rt_fail(error, e, SIZE_MAX, "%s", err_text(e));
    if ((e = seal(m, &code))) return rt_fail(error, e, SIZE_MAX, "code memory: %s", err_text(e));
    return ERR_OK;
}

static enum err decode(struct rt_module *m, struct bytes in, struct rt_error *error) {
    u8 *copy = arena_alloc(&m->arena, in.n);
    if (!copy) return rt_fail(error, ERR_NOMEM, SIZE_MAX, "out of memory for %zu bytes of module", in.n);
    if (in.n) memcpy(copy, in.p, in.n);
    struct wasm_error why = {0};
    enum err e = wasm_decode(&m->arena, (struct bytes){copy, in.n}, &m->info, &why);
    if (!e) e = wasm_validate(&m->arena, &m->info, &why);
    if (e) return rt_fail(error, e, why.offset, "%s", why.text);
    return ERR_OK;
}

/* A small module may ask for a compile of many gigabytes: m->arena.limit bounds
 * each of the arenas. */
static enum err build(struct rt_module *m, const struct rt_cache *cache, struct bytes in, struct rt_error *error) {
    struct rt_engine *e = m->engine;
    enum err err = decode(m, in, error);
    if (err) return err;
    if (hold_types(m)) return rt_fail(error, ERR_NOMEM, SIZE_MAX, "out of memory for types");
    struct arena result, scratch;
    arena_init(&result, &e->source, m->arena.limit);
    arena_init(&scratch, &e->source, m->arena.limit);
    err = make_code(m, cache, &result, &scratch, error);
    arena_reset(&scratch);
    arena_reset(&result);
    if (!err && (err = rt_code_add(e, m))) {
        e->host.code_free(e->host.self, m->exec, m->exec_bytes);
        rt_fail(error, err, SIZE_MAX, "out of memory for the map of code");
    }
    if (err) drop_types(m, m->info.type_count);
    return err;
}

/* A module stays: a small one takes little. */
enum { FIRST_CHUNK = 4096 };

enum err rt_module_load_by(struct rt_engine *e, const struct rt_cache *cache, struct bytes bytes, const struct rt_limits *limits,
                           struct rt_module **out, struct rt_error *error) {
    if (limits && limits->module_bytes && bytes.n > limits->module_bytes)
        return rt_fail(error, ERR_LIMIT, SIZE_MAX, "module of %zu bytes, the limit is %llu", bytes.n,
                       (unsigned long long)limits->module_bytes);
    struct arena a;
    arena_init(&a, &e->source, limits ? limits->load_bytes : 0);
    a.chunk = FIRST_CHUNK;
    struct rt_module *m = ARENA_NEW(&a, struct rt_module);
    if (!m) return rt_fail(error, ERR_NOMEM, SIZE_MAX, "out of memory");
    *m = (struct rt_module){.engine = e, .arena = a, .holders = 1};
    enum err err = build(m, cache, bytes, error);
    if (err) {
        a = m->arena; /* m lives in it */
        arena_reset(&a);
        return err;
    }
    rt_holder(e, 1);
    *out = m;
    return ERR_OK;
}

enum err rt_module_load(struct rt_engine *e, struct bytes bytes, const struct rt_limits *limits,
                        struct rt_module **out, struct rt_error *error) {
    return rt_module_load_by(e, e->host.cache, bytes, limits, out, error);
}

void rt_module_hold(struct rt_module *m) {
    rt_lock(m->engine);
    assert(m->holders);
    m->holders++;
    rt_unlock(m->engine);
}

void rt_module_free(struct rt_module *m) {
    if (!m) return;
    struct rt_engine *e = m->engine;
    rt_lock(e);
    assert(m->holders);
    u32 left = --m->holders;
    rt_unlock(e);
    if (left) return;
    rt_code_remove(e, m);
    e->host.code_free(e->host.self, m->exec, m->exec_bytes);
    drop_types(m, m->info.type_count);
    struct arena a = m->arena;
    arena_reset(&a);
    rt_holder(e, -1);
}

const struct wasm_module *rt_module_info(const struct rt_module *m) { return &m->info; }

bool rt_module_vectors(const struct rt_module *m) { return m->code.vectors; }
bool rt_module_cached(const struct rt_module *m) { return m->cached; }
