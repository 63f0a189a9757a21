/* host.c: the kernel's functions that an extension may import: env.now and
 * whelk.* (doc/hooks.md lists them for authors).
 *
 * H1 short: no loop over more bytes than a frame or a streamed record, no lock
 *    that may block. A function that cannot keep this belongs to a worker.
 * H2 offsets and lengths are the module's: each is checked here, against the
 *    event or by rt_mem, and nothing is read twice from module memory.
 * H3 outside an event of the right kind a function sees an empty one. */
#include "base/mem.h"
#include "ext/internal.h"
#include "kern/log.h"
#include "kern/time.h"

struct ext *ext_of(struct abi_ctx *c) {
    struct ext *x = rt_data(c);
    assert(x && x->busy);
    return x;
}

/* The part [at, at + n) of the frame; NULL if it is not all inside. */
static u8 *frame_at(struct abi_ctx *c, u32 at, u32 n) {
    struct hook_frame *f = ext_of(c)->frame;
    if (!f || at > f->length || n > f->length - at) return NULL;
    return f->bytes + at;
}

static u64 now(struct abi_ctx *c) { return time_mono_ns(); }

static u64 frame_length(struct abi_ctx *c) {
    const struct hook_frame *f = ext_of(c)->frame;
    return f ? f->length : 0;
}
static u64 frame_interface(struct abi_ctx *c) {
    const struct hook_frame *f = ext_of(c)->frame;
    return f ? f->interface : 0;
}
static u64 frame_direction(struct abi_ctx *c) {
    const struct hook_frame *f = ext_of(c)->frame;
    return f ? f->direction : 0;
}
/* The wall clock when the frame was seen; read when first asked for. */
static u64 frame_time(struct abi_ctx *c) {
    struct hook_frame *f = ext_of(c)->frame;
    if (!f) return 0;
    if (!f->time_ns) f->time_ns = time_wall_ns();
    return f->time_ns;
}

#define OUTSIDE (u64) - 1

/* Fields in network order; -1 outside the frame. */
static u64 frame_load8(struct abi_ctx *c, u32 at) {
    const u8 *p = frame_at(c, at, 1);
    return p ? p[0] : OUTSIDE;
}
static u64 frame_load16(struct abi_ctx *c, u32 at) {
    const u8 *p = frame_at(c, at, 2);
    return p ? (u64)p[0] << 8 | p[1] : OUTSIDE;
}
static u64 frame_load32(struct abi_ctx *c, u32 at) {
    const u8 *p = frame_at(c, at, 4);
    return p ? (u64)p[0] << 24 | (u64)p[1] << 16 | (u64)p[2] << 8 | p[3] : OUTSIDE;
}

/* Copies into the module's memory; how many bytes there were, at most n. */
static u64 frame_bytes(struct abi_ctx *c, u32 at, u32 to, u32 n) {
    const struct hook_frame *f = ext_of(c)->frame;
    if (!f || at > f->length) return 0;
    n = MIN(n, f->length - at);
    void *out = rt_mem(c, to, n);
    if (!out) return rt_raise(c, ABI_TRAP_MEMORY);
    if (n) memcpy(out, f->bytes + at, n);
    return n;
}

/* 0; or -1 when [at, at + n) is not inside, or the frame is not to be written. */
static u64 frame_store(struct abi_ctx *c, u32 at, u32 from, u32 n) {
    const struct hook_frame *f = ext_of(c)->frame;
    u8 *out = frame_at(c, at, n);
    const void *in = rt_mem(c, from, n);
    if (!in) return rt_raise(c, ABI_TRAP_MEMORY);
    if (!out || !f->writable) return OUTSIDE;
    if (n) memcpy(out, in, n);
    return 0;
}

/* What every new reader of the stream gets first: a file format's header. */
static u64 stream_preamble(struct abi_ctx *c, u32 from, u32 n) {
    struct ext *x = ext_of(c);
    const void *in = rt_mem(c, from, n);
    if (!in) return rt_raise(c, ABI_TRAP_MEMORY);
    if (n > EXT_PREAMBLE) return OUTSIDE;
    if (n) memcpy(x->preamble, in, n);
    x->preamble_length = n;
    return 0;
}

/* Without a reader the newest records are kept, with one the oldest: a flight
 * recorder until somebody looks, then a gapless stream or a counted gap. */
static u64 stream_begin(struct abi_ctx *c, u32 n) {
    struct ext *x = ext_of(c);
    preempt_disable();
    bool ok = n <= EXT_STREAM_RECORD && ring_begin(&x->stream, n, x->subscriber_count == 0);
    if (n > EXT_STREAM_RECORD) x->stream.lost++;
    preempt_enable();
    return ok;
}

static u64 stream_bytes(struct abi_ctx *c, u32 from, u32 n) {
    struct ext *x = ext_of(c);
    const void *in = rt_mem(c, from, n);
    if (!in) return rt_raise(c, ABI_TRAP_MEMORY);
    preempt_disable();
    bool ok = ring_put(&x->stream, in, n);
    preempt_enable();
    return ok;
}

/* Bytes of the frame, without a way through the module's memory. */
static u64 stream_frame(struct abi_ctx *c, u32 at, u32 n) {
    struct ext *x = ext_of(c);
    const u8 *in = frame_at(c, at, n);
    preempt_disable();
    bool ok = in && ring_put(&x->stream, in, n);
    preempt_enable();
    return ok;
}

static u64 stream_commit(struct abi_ctx *c) {
    struct ext *x = ext_of(c);
    preempt_disable();
    bool ok = ring_commit(&x->stream);
    preempt_enable();
    if (ok && x->subscriber_count) wait_wake_one(&ext_streams);
    return ok;
}

static u64 stream_write(struct abi_ctx *c, u32 from, u32 n) {
    if (!rt_mem(c, from, n)) return rt_raise(c, ABI_TRAP_MEMORY);
    return stream_begin(c, n) && stream_bytes(c, from, n) && stream_commit(c);
}

/* The module's text goes to the log cleaned of control characters, and not
 * faster than EXT_LOG_PER_SECOND lines. */
void ext_log_text(struct ext *x, u32 level, const u8 *p, u32 n) {
    char line[160];
    u64 second = time_mono_ns() / 1000000000;
    if (second != x->log_second) x->log_lines = 0;
    x->log_second = second;
    if (++x->log_lines > EXT_LOG_PER_SECOND) return;
    while (n && p[n - 1] == '\n') n--;
    n = MIN(n, (u32)sizeof line - 1);
    for (u32 i = 0; i < n; i++) line[i] = p[i] < ' ' || p[i] == 0x7f ? '?' : (char)p[i];
    line[n] = 0;
    log_line(MIN(level, (u32)LOG_DEBUG), "extension %s: %s", x->name, line);
}

static u64 log_write(struct abi_ctx *c, u32 level, u32 from, u32 n) {
    const void *in = rt_mem(c, from, n);
    if (!in) return rt_raise(c, ABI_TRAP_MEMORY);
    ext_log_text(ext_of(c), level, in, n);
    return 0;
}

static u64 call_length(struct abi_ctx *c) {
    const struct hook_call *k = ext_of(c)->call;
    return k ? (u32)k->input.n : 0;
}

static u64 call_read(struct abi_ctx *c, u32 at, u32 to, u32 n) {
    const struct hook_call *k = ext_of(c)->call;
    if (!k || at > k->input.n) return 0;
    n = (u32)MIN((size_t)n, k->input.n - at);
    void *out = rt_mem(c, to, n);
    if (!out) return rt_raise(c, ABI_TRAP_MEMORY);
    if (n) memcpy(out, k->input.p + at, n);
    return n;
}

/* Appends to the answer: 1; or 0, and nothing appended, when it is full. */
static u64 call_reply(struct abi_ctx *c, u32 from, u32 n) {
    struct hook_call *k = ext_of(c)->call;
    const void *in = rt_mem(c, from, n);
    if (!in) return rt_raise(c, ABI_TRAP_MEMORY);
    if (!k || n > k->output_cap - k->output_length) return 0;
    if (n) memcpy(k->output + k->output_length, in, n);
    k->output_length += n;
    return 1;
}

static const struct {
    const char *module, *name, *type;
    const void *fn;
} functions[] = {
    {"env", "now", ":I", now},
    {"whelk", "frame_length", ":i", frame_length},
    {"whelk", "frame_interface", ":i", frame_interface},
    {"whelk", "frame_direction", ":i", frame_direction},
    {"whelk", "frame_time", ":I", frame_time},
    {"whelk", "frame_load8", "i:i", frame_load8},
    {"whelk", "frame_load16", "i:i", frame_load16},
    {"whelk", "frame_load32", "i:I", frame_load32},
    {"whelk", "frame_bytes", "iii:i", frame_bytes},
    {"whelk", "frame_store", "iii:i", frame_store},
    {"whelk", "stream_preamble", "ii:i", stream_preamble},
    {"whelk", "stream_begin", "i:i", stream_begin},
    {"whelk", "stream_bytes", "ii:i", stream_bytes},
    {"whelk", "stream_frame", "ii:i", stream_frame},
    {"whelk", "stream_commit", ":i", stream_commit},
    {"whelk", "stream_write", "ii:i", stream_write},
    {"whelk", "log", "iii:", log_write},
    {"whelk", "call_length", ":i", call_length},
    {"whelk", "call_read", "iii:i", call_read},
    {"whelk", "call_reply", "ii:i", call_reply},
};

enum err ext_define(struct rt_linker *l) {
    enum err e = ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(functions) && !e; i++)
        e = rt_define_func(l, functions[i].module, functions[i].name, functions[i].type, functions[i].fn);
    return e ? e : ext_define_syscall(l);
}
