/* pool.c: windows of memories that are gone, kept for the next ones: reserving
 * address space, committing and giving back are what an instance costs most.
 *
 * I1 a kept window's first `bytes` are readable, writable and zero; the rest is
 *    inaccessible, as in a fresh one. They are cleaned when they come in.
 * I2 only guarded windows are kept, so all have one size.
 * I3 the pool is under host.lock, and bounded in number and in bytes: what it
 *    has goes back to the machine when memory is short (rt_pool_flush). */
#include "base/assert.h"
#include "base/mem.h"
#include "rt/internal.h"

/* A small memory is cleaned in less time than its pages take to come and go. */
enum { LARGEST = 4 * 65536, ALL = 4 << 20 };

static void take_out(struct rt_pool *p, u32 at) {
    assert(at < p->count && p->bytes >= p->kept[at].bytes);
    p->bytes -= p->kept[at].bytes;
    p->kept[at] = p->kept[--p->count];
}

u8 *rt_pool_take(struct rt_engine *e, u64 bytes) {
    struct rt_pool *p = &e->pool;
    u8 *window = NULL;
    rt_lock(e);
    for (u32 k = p->count; k-- > 0 && !window;) {
        if (p->kept[k].bytes != bytes) continue;
        window = p->kept[k].window;
        take_out(p, k);
    }
    rt_unlock(e);
    return window;
}

/* false: not kept, it is the caller's to release. */
bool rt_pool_give(struct rt_engine *e, u8 *window, u64 bytes) {
    struct rt_pool *p = &e->pool;
    if (!bytes || bytes > LARGEST || p->count == ARRAY_LEN(p->kept)) return false; /* a look; decided below */
    memset(window + RT_WINDOW_FRONT, 0, bytes);
    rt_lock(e);
    bool room = p->count < ARRAY_LEN(p->kept) && p->bytes + bytes <= ALL;
    if (room) {
        p->kept[p->count++] = (struct rt_kept){window, bytes};
        p->bytes += bytes;
    }
    rt_unlock(e);
    return room;
}

bool rt_pool_flush(struct rt_engine *e) {
    u32 released = 0;
    for (;; released++) {
        u8 *window = NULL;
        rt_lock(e);
        if (e->pool.count) {
            window = e->pool.kept[e->pool.count - 1].window;
            take_out(&e->pool, e->pool.count - 1);
        }
        rt_unlock(e);
        if (!window) break;
        e->host.release(e->host.self, window, RT_WINDOW_FRONT + RT_WINDOW_BACK);
    }
    assert(e->pool.count || !e->pool.bytes);
    return released > 0;
}
