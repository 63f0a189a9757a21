/* poll.c: poll_oneoff: clocks and descriptors.
 *
 * I1 the subscriptions are read once, from a copy each.
 * I2 what cannot be waited for (a file, a stream without a host's file, an
 *    error) is ready at once: then nothing waits. */
#include "wasi/internal.h"

enum { SUB_BYTES = 48, EVENT_BYTES = 32 };
enum { TAG_CLOCK = 0, TAG_READ = 1, TAG_WRITE = 2 };
enum { EVENT_HANGUP = 1, NOT_POLLED = UINT16_MAX };

struct sub {
    u64 user;
    u32 tag, id; /* of the clock, or the descriptor */
    u64 at;      /* CLOCK: monotonic time at which it fires */
    u16 error;
    u16 poll;    /* index in polls, or NOT_POLLED */
};

struct waits {
    struct sub subs[WASI_MAX_SUBSCRIPTIONS];
    struct wasi_poll polls[WASI_MAX_SUBSCRIPTIONS];
    u32 count, poll_count;
    u64 first; /* when the first clock fires; 0: something is ready */
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

/* What the host can wait for on a descriptor; NULL: it is always ready. */
static void *waitable(const struct wasi *w, const struct wasi_fd *f) {
    if (!w->host->poll) return NULL;
    if (f->kind == FD_STREAM) return w->streams[f->stream].file;
    return f->type == WASI_TYPE_REGULAR || f->type == WASI_TYPE_DIRECTORY ? NULL : f->file;
}

static u32 file_sub(struct wasi *w, struct waits *t, struct sub *out) {
    bool write = out->tag == TAG_WRITE;
    struct wasi_fd *f;
    u32 e = wasi_take_fd(w, out->id, WASI_RIGHT_POLL | (write ? WASI_RIGHT_WRITE : WASI_RIGHT_READ), &f);
    if (e) return e;
    void *file = waitable(w, f);
    if (!file) return WASI_OK;
    assert(t->poll_count < WASI_MAX_SUBSCRIPTIONS);
    out->poll = (u16)t->poll_count;
    t->polls[t->poll_count++] = (struct wasi_poll){.file = file, .write = write};
    return WASI_OK;
}

static void take_sub(struct abi_ctx *c, struct wasi *w, u32 at, struct waits *t) {
    u8 s[SUB_BYTES] = {0};
    struct sub *out = &t->subs[t->count++];
    u32 e = WASI_EINVAL;
    *out = (struct sub){.poll = NOT_POLLED};
    wasi_get(c, at, s, sizeof s);
    memcpy(&out->user, s, 8);
    memcpy(&out->id, s + 16, 4);
    out->tag = s[8];
    if (out->tag == TAG_CLOCK) e = clock_sub(w, s, out);
    else if (out->tag <= TAG_WRITE) e = file_sub(w, t, out);
    out->error = (u16)e;
    bool waits = !e && (out->tag == TAG_CLOCK || out->poll != NOT_POLLED);
    if (!waits) t->first = 0;
    else if (out->tag == TAG_CLOCK) t->first = MIN(t->first, out->at);
}

static bool is_ready(const struct waits *t, const struct sub *s, u64 now) {
    if (s->error) return true;
    if (s->tag == TAG_CLOCK) return s->at <= now;
    return s->poll == NOT_POLLED || t->polls[s->poll].ready;
}

static void event(struct abi_ctx *c, u32 out, const struct waits *t, const struct sub *s) {
    u8 e[EVENT_BYTES] = {0};
    u64 bytes = 1;
    memcpy(e, &s->user, 8);
    memcpy(e + 8, &s->error, 2);
    e[10] = (u8)s->tag;
    if (s->tag != TAG_CLOCK && !s->error) {
        if (s->poll != NOT_POLLED) bytes = t->polls[s->poll].bytes;
        if (s->poll != NOT_POLLED && t->polls[s->poll].hangup) e[24] = EVENT_HANGUP;
        memcpy(e + 16, &bytes, 8);
    }
    wasi_put(c, out, e, sizeof e);
}

static u32 report(struct abi_ctx *c, const struct waits *t, u64 now, u32 out) {
    u32 count = 0;
    for (u32 k = 0; k < t->count; k++)
        if (is_ready(t, &t->subs[k], now)) event(c, out + count++ * EVENT_BYTES, t, &t->subs[k]);
    return count;
}

/* Until something is ready, or the first clock fires. */
static u32 wait_for(struct wasi *w, struct waits *t) {
    if (t->poll_count) return wasi_errno_of(w->host->poll(w->host->self, t->polls, t->poll_count, t->first));
    i64 now = clock_now(w, WASI_CLOCK_MONOTONIC);
    if (!t->first || (now >= 0 && (u64)now >= t->first)) return WASI_OK;
    if (!w->host->sleep_until) return WASI_ENOTSUP;
    return wasi_errno_of(w->host->sleep_until(w->host->self, t->first));
}

u64 wasi_poll_oneoff(struct abi_ctx *c, u32 in, u32 out, u32 n, u32 events) {
    struct waits t;
    struct wasi *w = wasi_of(c);
    t.count = t.poll_count = 0;
    t.first = UINT64_MAX;
    if (!n || n > WASI_MAX_SUBSCRIPTIONS) return WASI_EINVAL;
    if (!rt_mem(c, in, (u64)n * SUB_BYTES) || !rt_mem(c, out, (u64)n * EVENT_BYTES) || !rt_mem(c, events, 4))
        return WASI_EFAULT;
    for (u32 k = 0; k < n; k++) take_sub(c, w, in + k * SUB_BYTES, &t);
    u32 e = wait_for(w, &t);
    if (e) return e;
    i64 now = clock_now(w, WASI_CLOCK_MONOTONIC);
    wasi_put32(c, events, report(c, &t, now < 0 ? t.first : (u64)now, out));
    return WASI_OK;
}
