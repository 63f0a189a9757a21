/* engine.c: what all modules of a machine share: type ids, the map of code.
 *
 * I1 ids are never reused: code that was forgotten cannot match a new type.
 * I2 a published code map never changes. A change publishes a new one and
 *    frees the one before the last: a handler that was reading has finished by
 *    then, since handlers neither block nor are preempted for two changes. */
#include <stdarg.h>

#include "base/assert.h"
#include "base/fmt.h"
#include "base/hash.h"
#include "base/mem.h"
#include "rt/internal.h"

void *rt_alloc(struct rt_engine *e, size_t n) {
    void *p = e->host.alloc(e->host.self, n);
    assert((uptr)p % 16 == 0);
    return p ? memset(p, 0, n) : NULL;
}

void rt_free(struct rt_engine *e, void *p, size_t n) {
    if (p) e->host.free(e->host.self, p, n);
}

void rt_lock(struct rt_engine *e) {
    if (e->host.lock) e->host.lock(e->host.self);
}

void rt_unlock(struct rt_engine *e) {
    if (e->host.unlock) e->host.unlock(e->host.self);
}

void rt_holder(struct rt_engine *e, int change) {
    rt_lock(e);
    assert(change > 0 || e->holders > 0);
    e->holders += (u32)change;
    rt_unlock(e);
}

enum err rt_fail(struct rt_error *error, enum err code, size_t offset, const char *format, ...) {
    assert(code != ERR_OK);
    if (!error) return code;
    va_list args;
    va_start(args, format);
    vfmt(error->text, sizeof error->text, format, args);
    va_end(args);
    error->code = code;
    error->offset = offset;
    return code;
}

/* Is there address space for a memory's window, now? */
static bool windows_fit(const struct rt_host *h) {
    void *p = h->reserve(h->self, RT_WINDOW_FRONT + RT_WINDOW_BACK);
    if (p) h->release(h->self, p, RT_WINDOW_FRONT + RT_WINDOW_BACK);
    return p != NULL;
}

/* Chunks of arenas: the last few stay for the next compile. */

static void *spare_take(struct rt_engine *e) {
    rt_lock(e);
    void *p = e->spare_count ? e->spares[--e->spare_count] : NULL;
    rt_unlock(e);
    return p;
}

static void *chunk_take(void *self, size_t n) {
    struct rt_engine *e = self;
    void *p = n == ARENA_CHUNK ? spare_take(e) : NULL;
    return p ? p : e->host.alloc(e->host.self, n);
}

static void chunk_give(void *self, void *p, size_t n) {
    struct rt_engine *e = self;
    rt_lock(e);
    bool keep = n == ARENA_CHUNK && e->spare_count < ARRAY_LEN(e->spares);
    if (keep) e->spares[e->spare_count++] = p;
    rt_unlock(e);
    if (!keep) rt_free(e, p, n);
}

void rt_engine_trim(struct rt_engine *e) {
    rt_pool_flush(e);
    for (void *p; (p = spare_take(e));) rt_free(e, p, ARENA_CHUNK);
}

enum err rt_engine_init(struct rt_engine **out, const struct rt_host *host) {
    assert(host->alloc && host->free && host->reserve && host->release && host->commit);
    assert(host->decommit && host->code_place && host->code_free);
    assert(host->page && !(host->page & (host->page - 1)) && WASM_PAGE % host->page == 0);
    struct rt_engine *e = host->alloc(host->self, sizeof *e);
    if (!e) return ERR_NOMEM;
    *e = (struct rt_engine){.host = *host};
    if (!windows_fit(host)) e->host.checked_memory = true;
    e->source = (struct arena_source){chunk_take, chunk_give, e};
    *out = e;
    return ERR_OK;
}

static void free_map(struct rt_engine *e, struct rt_code_map *m) {
    if (m) rt_free(e, m, m->bytes);
}

void rt_engine_free(struct rt_engine *e) {
    if (!e) return;
    assert(e->holders == 0); /* modules, stores and linkers go first */
    for (u32 i = 0; i < RT_TYPE_CHAINS; i++) assert(!e->types[i]);
    rt_engine_trim(e);
    free_map(e, e->old_map);
    free_map(e, e->map);
    rt_free(e, e->free_ids, e->free_id_room * sizeof *e->free_ids);
    struct rt_host h = e->host;
    h.free(h.self, e, sizeof *e);
}

/* Types. */

static struct bytes list_bytes(const wasm_type *t, u32 n) { return (struct bytes){(const u8 *)t, n * sizeof *t}; }

static u32 type_chain(const wasm_type *params, u32 np, const wasm_type *results, u32 nr) {
    u64 h = hash_bytes(list_bytes(params, np)) * 31 + hash_bytes(list_bytes(results, nr));
    return (u32)((h ^ h >> 32) % RT_TYPE_CHAINS);
}

static bool type_same(const struct rt_type *t, const wasm_type *params, u32 np,
                      const wasm_type *results, u32 nr) {
    return wasm_types_equal(t->sig, t->params, params, np) &&
           wasm_types_equal(t->sig + t->params, t->results, results, nr);
}

static size_t type_bytes(u32 params, u32 results) {
    return sizeof(struct rt_type) + ((size_t)params + results) * sizeof(wasm_type);
}

/* No code names an id once its type is gone, so it may be used again: indices of
 * references are short (RT_TYPE_LAST). */
static u32 id_new(struct rt_engine *e) { return e->free_id_count ? e->free_ids[--e->free_id_count] : ++e->last_type_id; }

/* Short of memory the id is lost, and that is all. */
static void id_give(struct rt_engine *e, u32 id) {
    if (e->free_id_count == e->free_id_room) {
        u32 room = MAX(e->free_id_room * 2, 64u);
        u32 *p = rt_alloc(e, room * sizeof *p);
        if (!p) return;
        if (e->free_id_count) memcpy(p, e->free_ids, e->free_id_count * sizeof *p);
        rt_free(e, e->free_ids, e->free_id_room * sizeof *p);
        e->free_ids = p;
        e->free_id_room = room;
    }
    e->free_ids[e->free_id_count++] = id;
}

static struct rt_type *type_new(struct rt_engine *e, const wasm_type *params, u32 np,
                                const wasm_type *results, u32 nr) {
    if (!e->free_id_count && e->last_type_id == RT_TYPE_LAST) return NULL;
    struct rt_type *t = rt_alloc(e, type_bytes(np, nr));
    if (!t) return NULL;
    *t = (struct rt_type){.id = id_new(e), .params = np, .results = nr};
    if (np) memcpy(t->sig, params, np * sizeof *params);
    if (nr) memcpy(t->sig + np, results, nr * sizeof *results);
    return t;
}

/* NULL: no memory. Each hold is given back by rt_type_drop. */
struct rt_type *rt_type_hold(struct rt_engine *e, const wasm_type *params, u32 np,
                             const wasm_type *results, u32 nr) {
    struct rt_type **chain = &e->types[type_chain(params, np, results, nr)];
    rt_lock(e);
    struct rt_type *t = *chain;
    while (t && !type_same(t, params, np, results, nr)) t = t->next;
    if (!t && (t = type_new(e, params, np, results, nr))) {
        t->next = *chain;
        *chain = t;
    }
    if (t) t->holders++;
    rt_unlock(e);
    return t;
}

void rt_type_drop(struct rt_engine *e, struct rt_type *t) {
    u32 chain = type_chain(t->sig, t->params, t->sig + t->params, t->results);
    rt_lock(e);
    assert(t->holders);
    if (--t->holders == 0) {
        struct rt_type **at = &e->types[chain];
        while (*at != t) {
            assert(*at);
            at = &(*at)->next;
        }
        *at = t->next;
        id_give(e, t->id);
        rt_free(e, t, type_bytes(t->params, t->results));
    }
    rt_unlock(e);
}

/* The map of code. */

static void publish(struct rt_engine *e, struct rt_code_map *next) {
    free_map(e, e->old_map);
    e->old_map = e->map;
    __atomic_store_n(&e->map, next, __ATOMIC_RELEASE);
}

static struct rt_code_map *map_new(struct rt_engine *e, u32 count) {
    size_t bytes = sizeof(struct rt_code_map) + count * sizeof(struct rt_code_range);
    struct rt_code_map *m = rt_alloc(e, bytes);
    if (m) *m = (struct rt_code_map){.bytes = bytes, .count = count};
    return m;
}

/* Entries that rt_code_remove could only empty are left behind here. */
static u32 map_copy(struct rt_code_map *to, const struct rt_code_map *from, uptr low, uptr high, u32 n) {
    for (u32 i = 0; from && i < from->count; i++) {
        const struct rt_code_range *r = &from->ranges[i];
        if (r->module && r->start >= low && r->start < high) to->ranges[n++] = *r;
    }
    return n;
}

enum err rt_code_add(struct rt_engine *e, struct rt_module *m) {
    struct rt_code_range r = {(uptr)m->exec, (uptr)m->exec + m->code.code_end, m};
    rt_lock(e);
    struct rt_code_map *next = map_new(e, (e->map ? e->map->count : 0) + 1);
    if (!next) {
        rt_unlock(e);
        return ERR_NOMEM;
    }
    u32 at = map_copy(next, e->map, 0, r.start, 0);
    next->ranges[at] = r;
    next->count = map_copy(next, e->map, r.start, UINTPTR_MAX, at + 1);
    assert(at == 0 || next->ranges[at - 1].end <= r.start);
    assert(at + 1 == next->count || r.end <= next->ranges[at + 1].start);
    publish(e, next);
    rt_unlock(e);
    return ERR_OK;
}

/* Cannot fail: without memory for a smaller map the entry is made empty in
 * place. A reader sees either end; nothing runs in a module that goes. */
void rt_code_remove(struct rt_engine *e, struct rt_module *m) {
    rt_lock(e);
    struct rt_code_map *map = e->map;
    assert(map && map->count);
    u32 at = 0;
    while (map->ranges[at].module != m) assert(++at < map->count);
    struct rt_code_map *next = map->count > 1 ? map_new(e, map->count - 1) : NULL;
    if (next || map->count == 1) {
        for (u32 i = 0; next && i < next->count; i++) next->ranges[i] = map->ranges[i + (i >= at)];
        publish(e, next);
    } else {
        map->ranges[at].end = map->ranges[at].start;
        map->ranges[at].module = NULL;
    }
    rt_unlock(e);
}

struct rt_module *rt_code_find(const struct rt_engine *e, uptr pc) {
    const struct rt_code_map *m = __atomic_load_n(&e->map, __ATOMIC_ACQUIRE);
    u32 low = 0, high = m ? m->count : 0;
    while (low < high) {
        u32 mid = low + (high - low) / 2;
        if (m->ranges[mid].start <= pc) low = mid + 1;
        else high = mid;
    }
    if (!low || pc >= m->ranges[low - 1].end) return NULL;
    return m->ranges[low - 1].module;
}

bool rt_is_code(struct rt_engine *e, u64 pc) { return rt_code_find(e, pc) != NULL; }
