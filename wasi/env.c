/* env.c: arguments, environment, clocks, random bytes, the process. */
#include "wasi/internal.h"

/* list: an array of addresses; texts: where the texts go. */
static u32 texts_get(struct abi_ctx *c, const struct wasi_texts *t, u32 list, u32 texts) {
    if (!rt_mem(c, list, (u64)t->count * 4) || !rt_mem(c, texts, t->bytes)) return WASI_EFAULT;
    for (u32 i = 0; i < t->count; i++) {
        size_t n = strlen(t->list[i]) + 1;
        wasi_put32(c, list + i * 4, texts);
        wasi_put(c, texts, t->list[i], n);
        texts += (u32)n;
    }
    return WASI_OK;
}

static u32 texts_sizes(struct abi_ctx *c, const struct wasi_texts *t, u32 count, u32 bytes) {
    if (!rt_mem(c, count, 4) || !wasi_put32(c, bytes, (u32)t->bytes)) return WASI_EFAULT;
    wasi_put32(c, count, t->count);
    return WASI_OK;
}

u64 wasi_args_get(struct abi_ctx *c, u32 list, u32 texts) { return texts_get(c, &wasi_of(c)->args, list, texts); }
u64 wasi_args_sizes_get(struct abi_ctx *c, u32 count, u32 bytes) {
    return texts_sizes(c, &wasi_of(c)->args, count, bytes);
}
u64 wasi_environ_get(struct abi_ctx *c, u32 list, u32 texts) { return texts_get(c, &wasi_of(c)->env, list, texts); }
u64 wasi_environ_sizes_get(struct abi_ctx *c, u32 count, u32 bytes) {
    return texts_sizes(c, &wasi_of(c)->env, count, bytes);
}

static i64 clock_ns(struct wasi *w, u32 id) {
    if (id > WASI_CLOCK_THREAD) return -22; /* EINVAL */
    return w->host->clock_ns ? w->host->clock_ns(w->host->self, id) : -38;
}

/* Programs expect that time has passed between two looks at the monotonic clock;
 * a host's may stand still for some of them. */
static i64 later(struct wasi *w, i64 ns) {
    if (ns >= 0) w->last_monotonic = ns = MAX(ns, w->last_monotonic + 1);
    return ns;
}

u64 wasi_clock_time_get(struct abi_ctx *c, u32 id, u64 precision, u32 out) {
    i64 ns = clock_ns(wasi_of(c), id);
    if (id == WASI_CLOCK_MONOTONIC) ns = later(wasi_of(c), ns);
    if (ns < 0) return wasi_errno_of(ns);
    return wasi_put64(c, out, (u64)ns) ? WASI_OK : WASI_EFAULT;
}

u64 wasi_clock_res_get(struct abi_ctx *c, u32 id, u32 out) {
    if (id > WASI_CLOCK_THREAD) return WASI_EINVAL;
    return wasi_put64(c, out, 1) ? WASI_OK : WASI_EFAULT;
}

enum { RANDOM_CHUNK = 4096 };

u64 wasi_random_get(struct abi_ctx *c, u32 at, u32 n) {
    struct wasi *w = wasi_of(c);
    u8 *p = rt_mem(c, at, n);
    if (!p) return WASI_EFAULT;
    if (!w->host->random) return WASI_ENOSYS;
    for (u32 done = 0; done < n && !rt_stopping(c);) {
        u32 part = MIN(n - done, (u32)RANDOM_CHUNK);
        i64 r = w->host->random(w->host->self, p + done, part);
        if (r < 0) return wasi_errno_of(r);
        done += part;
    }
    return WASI_OK;
}

u64 wasi_proc_exit(struct abi_ctx *c, u32 code) {
    wasi_of(c)->exit_code = code;
    return rt_raise(c, ABI_TRAP_EXIT);
}

/* A program has no handlers here: a signal ends it, as a shell would tell, or
 * means nothing. Nobody could continue one that stopped. */
u64 wasi_proc_raise(struct abi_ctx *c, u32 signal) {
    enum { NONE = 0, CHLD = 16, CONT = 17, STOP = 18, TTOU = 21, URG = 22, WINCH = 27, LAST = 30, SIGNALLED = 128 };
    if (signal > LAST) return WASI_EINVAL;
    if (signal == NONE || signal == CHLD || signal == CONT || signal == URG || signal == WINCH) return WASI_OK;
    if (signal >= STOP && signal <= TTOU) return WASI_ENOTSUP;
    wasi_of(c)->exit_code = SIGNALLED + signal;
    return rt_raise(c, ABI_TRAP_EXIT);
}

u64 wasi_sched_yield(struct abi_ctx *c) {
    const struct wasi_host *h = wasi_of(c)->host;
    if (h->yield) h->yield(h->self);
    return WASI_OK;
}

