/* poll.c: poll_oneoff, for clocks; descriptors are always ready here: files
 * never block, streams are the embedder's.
 *
 * I1 the subscriptions are read once, from a copy each. */
#include "wasi/internal.h"

enum { SUB_BYTES = 48, EVENT_BYTES = 32 };
enum { TAG_CLOCK = 0, TAG_READ = 1, TAG_WRITE = 2 };

struct sub {
    u64 user;
    u32 tag, id; /* of the clock, or the descriptor */
    u64 at;      /* CLOCK: monotonic time at which it fires */
    u32 error;
};

static i64 clock_now(struct wasi *w, u32 id) {
    return w->host->clock_ns ? w->host->clock_ns(w->host->self, id) : -38;
}

static u64 add(u64 a, u64 b) { return a > (u64)INT64_MAX - MIN(b, (u64)INT64_MAX) ? (u64)INT64_MAX : a + b; }

/* When it fires, on the monotonic clock. */
static u32 clock_sub(struct wasi *w, const u8 *s, struct sub *out) {
    u64 timeout;
    u16 flags;
    memcpy(&timeout, s + 24, 8);
    memcpy(&flags, s + 40, 2);
    if (out->id > WASI_CLOCK_MONOTONIC || flags > 1) return WASI_EINVAL;
    i64 mono = clock_now(w, WASI_CLOCK_MONOTONIC), its = clock_now(w, out->id);
    if (mono < 0 || its < 0) return wasi_errno_of(MIN(mono, its));
    if (flags) timeout = timeout > (u64)its ? timeout - (u64)its : 0; /* absolute */
    out->at = add((u64)mono, timeout);
    return WASI_OK;
}

static struct sub sub_at(struct abi_ctx *c, struct wasi *w, u32 at) {
    u8 s[SUB_BYTES] = {0};
    struct sub out = {0};
    wasi_get(c, at, s, sizeof s);
    memcpy(&out.user, s, 8);
    memcpy(&out.id, s + 16, 4);
    out.tag = s[8];
    if (out.tag == TAG_CLOCK) out.error = clock_sub(w, s, &out);
    else if (out.tag > TAG_WRITE) out.error = WASI_EINVAL;
    else if (!wasi_fd_at(w, out.id)) out.error = WASI_EBADF;
    return out;
}

static void event(struct abi_ctx *c, u32 out, const struct sub *s) {
    u8 e[EVENT_BYTES] = {0};
    memcpy(e, &s->user, 8);
    memcpy(e + 8, &(u16){(u16)s->error}, 2);
    e[10] = (u8)s->tag;
    if (s->tag != TAG_CLOCK) memcpy(e + 16, &(u64){1}, 8);
    wasi_put(c, out, e, sizeof e);
}

/* Everything that is ready at `fired`. */
static u32 report(struct abi_ctx *c, const struct sub *subs, u32 n, u64 fired, u32 out) {
    u32 count = 0;
    for (u32 k = 0; k < n; k++) {
        bool ready = subs[k].tag != TAG_CLOCK || subs[k].error || subs[k].at <= fired;
        if (ready) event(c, out + count++ * EVENT_BYTES, &subs[k]);
    }
    return count;
}

static u32 wait_until(struct wasi *w, u64 at) {
    i64 now = clock_now(w, WASI_CLOCK_MONOTONIC);
    if (!at || (now >= 0 && (u64)now >= at)) return WASI_OK;
    if (!w->host->sleep_until) return WASI_ENOTSUP;
    return wasi_errno_of(w->host->sleep_until(w->host->self, at));
}

u64 wasi_poll_oneoff(struct abi_ctx *c, u32 in, u32 out, u32 n, u32 events) {
    struct sub subs[WASI_MAX_SUBSCRIPTIONS];
    struct wasi *w = wasi_of(c);
    u64 first = UINT64_MAX;
    if (!n || n > WASI_MAX_SUBSCRIPTIONS) return WASI_EINVAL;
    if (!rt_mem(c, in, (u64)n * SUB_BYTES) || !rt_mem(c, out, (u64)n * EVENT_BYTES) || !rt_mem(c, events, 4))
        return WASI_EFAULT;
    for (u32 k = 0; k < n; k++) {
        subs[k] = sub_at(c, w, in + k * SUB_BYTES);
        first = MIN(first, subs[k].tag == TAG_CLOCK && !subs[k].error ? subs[k].at : 0);
    }
    u32 e = wait_until(w, first);
    if (e) return e;
    i64 now = clock_now(w, WASI_CLOCK_MONOTONIC);
    wasi_put32(c, events, report(c, subs, n, now < 0 ? first : MAX((u64)now, first), out));
    return WASI_OK;
}
