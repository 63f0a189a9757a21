/* memory.c: linear memories (WebAssembly 2.0, 4.2.8) in guarded windows.
 *
 * I1 [base, base + pages * 64 KiB) is readable and writable; the rest of the
 *    window, front and back, is inaccessible.
 * I2 the base never moves, so compiled code may keep it in a register.
 * I3 every context in `users` shows the current size. */
#include "base/assert.h"
#include "rt/internal.h"

static enum err window_open(struct rt_memory *m) {
    const struct rt_host *h = &m->store->engine->host;
    m->window = h->reserve(h->self, RT_WINDOW_FRONT + RT_WINDOW_BACK);
    if (!m->window) return ERR_NOMEM;
    m->base = m->window + RT_WINDOW_FRONT;
    if (!m->pages || !h->commit(h->self, m->base, m->pages * WASM_PAGE)) return ERR_OK;
    h->release(h->self, m->window, RT_WINDOW_FRONT + RT_WINDOW_BACK);
    return ERR_NOMEM;
}

/* What the store's limit leaves for all its memories. */
static u64 pages_left(const struct rt_store *s) {
    if (!s->limits.memory_bytes) return UINT64_MAX;
    assert(s->pages_used <= s->limits.memory_bytes / WASM_PAGE);
    return s->limits.memory_bytes / WASM_PAGE - s->pages_used;
}

enum err rt_memory_new(struct rt_store *s, const struct wasm_limits *type, struct rt_memory **out) {
    u64 max = MIN(65536ull, type->max);
    if (type->is64 || type->shared) return ERR_UNSUPPORTED;
    if (type->min > MIN(max, pages_left(s))) return ERR_LIMIT;
    struct rt_memory *m = rt_alloc(s->engine, sizeof *m);
    if (!m) return ERR_NOMEM;
    *m = (struct rt_memory){.store = s, .holders = 1, .pages = type->min, .max = max, .type = *type};
    list_init(&m->users);
    if (window_open(m)) {
        rt_free(s->engine, m, sizeof *m);
        return ERR_NOMEM;
    }
    list_push_back(&s->memories, &m->link);
    s->pages_used += m->pages;
    *out = m;
    return ERR_OK;
}

void rt_memory_drop(struct rt_memory *m) {
    struct rt_engine *e = m->store->engine;
    assert(m->holders);
    if (--m->holders) return;
    assert(list_empty(&m->users) && m->store->pages_used >= m->pages);
    m->store->pages_used -= m->pages;
    list_remove(&m->link);
    e->host.release(e->host.self, m->window, RT_WINDOW_FRONT + RT_WINDOW_BACK);
    rt_free(e, m, sizeof *m);
}

static void show(const struct rt_memory *m, struct abi_ctx *ctx) {
    ctx->mem_base = m->base;
    ctx->mem_pages = m->pages;
    ctx->mem_bytes = m->pages * WASM_PAGE;
}

void rt_memory_use(struct rt_memory *m, struct rt_instance *i) {
    assert(i->memories[0] == m);
    list_push_back(&m->users, &i->mem_link);
    show(m, i->ctx);
}

u64 rt_memory_grow(struct rt_memory *m, u64 delta) {
    const struct rt_host *h = &m->store->engine->host;
    u64 old = m->pages;
    assert(old <= m->max);
    if (delta > MIN(m->max - old, pages_left(m->store))) return UINT64_MAX;
    if (delta && h->commit(h->self, m->base + old * WASM_PAGE, delta * WASM_PAGE)) return UINT64_MAX;
    m->pages = old + delta;
    m->store->pages_used += delta;
    LIST_EACH(it, &m->users) show(m, LIST_ENTRY(it, struct rt_instance, mem_link)->ctx);
    return old;
}

void *rt_mem(struct abi_ctx *ctx, u64 at, u64 n) {
    return ctx->mem_base && rt_inside(at, n, ctx->mem_bytes) ? ctx->mem_base + at : NULL;
}
