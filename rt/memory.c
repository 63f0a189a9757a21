/* memory.c: linear memories (WebAssembly 3.0, 4.2.8).
 *
 * I1 [base, base + bytes) is readable and writable, and so is the rest of the
 *    machine's page that it ends in; what else the window has is inaccessible.
 * I2 the base never moves, so compiled code may keep it in a register: a window
 *    has room for all that the memory may become.
 * I3 every user's struct abi_memory shows the current size.
 *    A shared memory's are changed under `busy`: a thread that reads its own
 *    sees the old size or the new one.
 * I4 what a store's limit allows is charged to who made the memory: what it has
 *    now, or, if it is shared, what it may become.
 * I5 one that is stopped while it grows has grown by a part: what there is, is shown and
 *    charged. Nobody sees memory.grow's answer then.
 * I6 a guarded memory's window is larger than anything that compiled code can
 *    reach (internal.h); for others compiled code checks every access itself. */
#include "base/assert.h"
#include "rt/internal.h"

static u64 bytes_of(const struct rt_memory *m, u64 pages) { return pages << wasm_page_log2(&m->type); }
static u64 bytes_now(const struct rt_memory *m) { return bytes_of(m, m->pages); }

/* What is committed for so many bytes. */
static u64 committed(const struct rt_memory *m, u64 bytes) {
    return ALIGN_UP(bytes, (u64)m->engine->host.page);
}

static bool guarded(const struct rt_memory *m) {
    return wasm_memory_guarded(&m->type) && !m->engine->host.checked_memory;
}

static u64 power_below(u64 n) { return n > 1 ? 1ull << (63 - __builtin_clzll(n - 1)) : 0; }

/* Without guards: as much as the memory may become, up to a bound; less where
 * address space is short. Lowers max to what fits. */
static void *reserve_checked(struct rt_memory *m) {
    const struct rt_host *h = &m->engine->host;
    u64 least = MAX(committed(m, bytes_now(m)), (u64)h->page);
    u64 most = m->max >= RT_CHECKED_WINDOW >> wasm_page_log2(&m->type) ? RT_CHECKED_WINDOW : bytes_of(m, m->max);
    for (u64 n = MAX(ALIGN_UP(most, (u64)h->page), least);; n = MAX(power_below(n), least)) {
        void *p = h->reserve(h->self, n);
        m->window_bytes = n;
        m->max = MIN(m->max, n >> wasm_page_log2(&m->type));
        if (p || n == least) return p;
    }
}

static enum err window_new(struct rt_memory *m) {
    const struct rt_host *h = &m->engine->host;
    size_t front = guarded(m) ? RT_WINDOW_FRONT : 0, bytes = committed(m, bytes_now(m));
    if (guarded(m)) {
        m->window_bytes = RT_WINDOW_FRONT + RT_WINDOW_BACK;
        m->window = h->reserve(h->self, m->window_bytes);
    } else {
        m->window = reserve_checked(m);
    }
    if (!m->window) return ERR_NOMEM;
    m->base = m->window + front;
    assert(bytes <= m->window_bytes - front);
    if (!bytes || !h->commit(h->self, m->base, &bytes, NULL)) return ERR_OK;
    h->release(h->self, m->window, m->window_bytes);
    return ERR_NOMEM;
}

static enum err window_open(struct rt_memory *m) {
    u8 *kept = guarded(m) ? rt_pool_take(m->engine, committed(m, bytes_now(m))) : NULL;
    if (!kept) {
        enum err e = window_new(m);
        return e && rt_pool_flush(m->engine) ? window_new(m) : e;
    }
    m->window = kept;
    m->window_bytes = RT_WINDOW_FRONT + RT_WINDOW_BACK;
    m->base = kept + RT_WINDOW_FRONT;
    return ERR_OK;
}

static void window_close(struct rt_memory *m) {
    if (guarded(m) && rt_pool_give(m->engine, m->window, committed(m, bytes_now(m)))) return;
    m->engine->host.release(m->engine->host.self, m->window, m->window_bytes);
}

/* What the store's limit leaves for all its memories. */
static u64 bytes_left(const struct rt_store *s) {
    if (!s->limits.memory_bytes) return UINT64_MAX;
    assert(s->memory_used <= s->limits.memory_bytes);
    return s->limits.memory_bytes - s->memory_used;
}

static u64 most_bytes(const struct wasm_memory *type) { return type->limits.is64 ? RT_MEMORY_MAX : RT_MEMORY32_MAX; }

/* The size of the declaration, or one that no memory can have. */
static bool size_fits(const struct rt_store *s, const struct wasm_memory *type) {
    u64 most = MIN(bytes_left(s), most_bytes(type));
    return type->limits.min <= type->limits.max && type->limits.min <= most >> wasm_page_log2(type);
}

static u64 charge_of(const struct rt_memory *m) { return bytes_of(m, m->type.limits.shared ? m->max : m->pages); }

enum err rt_memory_new(struct rt_store *s, const struct wasm_memory *type, struct rt_memory **out) {
    if (!size_fits(s, type)) return ERR_LIMIT;
    struct rt_memory *m = rt_alloc(s->engine, sizeof *m);
    if (!m) return ERR_NOMEM;
    *m = (struct rt_memory){.engine = s->engine, .holders = 1, .pages = type->limits.min, .type = *type};
    u64 all = s->limits.memory_bytes ? s->limits.memory_bytes : UINT64_MAX;
    u64 most = MIN(most_bytes(type), type->limits.shared ? bytes_left(s) : all); /* no window for more */
    m->max = MIN(type->limits.max, most >> wasm_page_log2(type));
    list_init(&m->users);
    if (window_open(m)) {
        rt_free(s->engine, m, sizeof *m);
        return ERR_NOMEM;
    }
    list_push_back(&s->memories, &m->link);
    s->memory_used += charge_of(m);
    *out = m;
    return ERR_OK;
}

void rt_memory_hold(struct rt_memory *m) {
    u32 before = __atomic_fetch_add(&m->holders, 1, __ATOMIC_RELAXED);
    assert(before);
}

void rt_memory_drop(struct rt_memory *m) {
    struct rt_engine *e = m->engine;
    u32 before = __atomic_fetch_sub(&m->holders, 1, __ATOMIC_ACQ_REL);
    assert(before);
    if (before > 1) return;
    assert(list_empty(&m->users) && list_empty(&m->link));
    window_close(m);
    rt_free(e, m, sizeof *m);
}

void rt_memory_disown(struct rt_store *s, struct rt_memory *m) {
    assert(s->memory_used >= charge_of(m) && !list_empty(&m->link));
    s->memory_used -= charge_of(m);
    list_remove(&m->link);
    rt_memory_drop(m);
}

/* Only a shared memory needs it: others belong to one thread. Not patient: an
 * extension, which must not wait for a thread that it keeps from running. */
static bool enter(struct rt_memory *m, bool patient) {
    if (!m->type.limits.shared) return true;
    for (u32 tries = 0; __atomic_exchange_n(&m->busy, 1, __ATOMIC_ACQUIRE); tries++) {
        if (!patient && tries > 1000) return false;
        __builtin_ia32_pause();
    }
    return true;
}

static void leave(struct rt_memory *m) {
    if (m->type.limits.shared) __atomic_store_n(&m->busy, 0, __ATOMIC_RELEASE);
}

static void show(const struct rt_memory *m, struct abi_memory *to) {
    to->base = m->base;
    to->pages = m->pages;
    to->bytes = bytes_now(m);
}

void rt_memory_use(struct rt_memory *m, struct rt_memory_user *u, struct abi_memory *shown) {
    assert(list_empty(&u->link) && !shown->base);
    u->shown = shown;
    enter(m, true);
    list_push_back(&m->users, &u->link);
    show(m, shown);
    leave(m);
}

void rt_memory_unuse(struct rt_memory *m, struct rt_memory_user *u) {
    enter(m, true);
    list_remove(&u->link);
    leave(m);
}

u64 rt_memory_bytes(const struct rt_memory *m) { return bytes_now(m); }

bool rt_memory_window(const struct rt_memory *m, u64 address) {
    return guarded(m) && address - (u64)m->window < m->window_bytes;
}

static u64 grow_entered(struct rt_memory *m, u64 room, u64 delta, const u32 *stop) {
    const struct rt_host *h = &m->engine->host;
    u64 old = m->pages, have = committed(m, bytes_now(m));
    assert(old <= m->max);
    if (delta > MIN(m->max - old, room)) return UINT64_MAX;
    size_t want = committed(m, bytes_of(m, old + delta)) - have, got = want;
    if (want && h->commit(h->self, m->base + have, &got, stop)) return UINT64_MAX;
    assert(got == want || (got < want && got % WASM_PAGE == 0));
    m->pages = got == want ? old + delta : (have + got) >> wasm_page_log2(&m->type);
    LIST_EACH(it, &m->users) show(m, LIST_ENTRY(it, struct rt_memory_user, link)->shown);
    return got == want ? old : UINT64_MAX;
}

u64 rt_memory_grow(struct rt_store *s, struct rt_memory *m, u64 delta) {
    bool shared = m->type.limits.shared;
    u64 room = shared ? UINT64_MAX : bytes_left(s) >> wasm_page_log2(&m->type);
    if (!enter(m, s->may_wait)) return UINT64_MAX;
    u64 before = m->pages, old = grow_entered(m, room, delta, &s->abi.pending);
    if (!shared) s->memory_used += bytes_of(m, m->pages - before);
    leave(m);
    return old;
}

u64 rt_store_memory(const struct rt_store *s) { return s->memory_used; }

void *rt_mem(struct abi_ctx *ctx, u64 at, u64 n) {
    return ctx->mem_base && rt_inside(at, n, ctx->mem_bytes) ? ctx->mem_base + at : NULL;
}
