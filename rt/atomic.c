/* atomic.c: memory.atomic.wait and notify (threads proposal). Loads, stores and
 * read-modify-writes are compiled code's.
 *
 * I1 a wait compares, and goes to sleep, under the host's lock: the comparison
 *    here only tells whether it would have to sleep at all.
 * I2 who may not block (an extension) never calls the host's wait. */
#include "base/assert.h"
#include "rt/internal.h"

/* Where the access goes, or why it traps. */
static enum abi_trap word_at(const struct rt_memory *m, u64 index, u64 offset, u32 width, bool shared, u8 **out) {
    u64 at, end;
    assert(width == 4 || width == 8);
    if (__builtin_add_overflow(rt_cut(&m->type.limits, index), offset, &at) || __builtin_add_overflow(at, width, &end))
        return ABI_TRAP_MEMORY;
    if (at % width) return ABI_TRAP_UNALIGNED_ATOMIC;
    if (shared && !m->type.limits.shared) return ABI_TRAP_NOT_SHARED;
    if (!rt_inside(at, width, rt_memory_bytes(m))) return ABI_TRAP_MEMORY;
    *out = m->base + at;
    return ABI_TRAP_NONE;
}

u64 rt_atomic_notify(struct abi_ctx *ctx, u32 mem, u64 index, u64 offset, u32 count) {
    const struct rt_memory *m = rt_memory_at(ctx, mem);
    const struct rt_host *h = &rt_ctx_store(ctx)->engine->host;
    u8 *at = NULL;
    enum abi_trap t = m ? word_at(m, index, offset, 4, false, &at) : ABI_TRAP_HOST;
    if (t) return rt_raise(ctx, t);
    if (!m->type.limits.shared || !h->notify || !count) return 0; /* nobody can wait there */
    return h->notify(h->self, at, count);
}

static u64 load(const u8 *at, u32 width) {
    if (width == 8) return __atomic_load_n((const u64 *)(const void *)at, __ATOMIC_SEQ_CST);
    return __atomic_load_n((const u32 *)(const void *)at, __ATOMIC_SEQ_CST);
}

u64 rt_atomic_wait(struct abi_ctx *ctx, u32 mem, u64 index, u64 offset, u64 expected, i64 ns, u32 width) {
    const struct rt_memory *m = rt_memory_at(ctx, mem);
    struct rt_store *s = ctx->store->owner;
    const struct rt_host *h = &s->engine->host;
    u8 *at = NULL;
    enum abi_trap t = m ? word_at(m, index, offset, width, true, &at) : ABI_TRAP_HOST;
    if (t) return rt_raise(ctx, t);
    if (load(at, width) != expected) return RT_WAIT_NOT_EQUAL;
    if (!ns) return RT_WAIT_TIMED_OUT;
    if (!s->may_wait || !h->wait) return rt_raise(ctx, ABI_TRAP_MAY_NOT_WAIT);
    enum rt_wait r = h->wait(h->self, at, expected, width, ns, &s->abi.pending);
    assert(r != RT_WAIT_STOPPED || rt_stopping(ctx)); /* then compiled code leaves by itself */
    return r;
}

void rt_store_let_wait(struct rt_store *s, bool may) { s->may_wait = may; }
