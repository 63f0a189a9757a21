/* control.c: the control channel, one thread that reads and answers requests.
 *
 * I1 frames go out whole: output_lock is held from the header to the last byte.
 * I2 each request with an id gets exactly one answer; what cannot be done says
 *    why. Garbage is answered with id 0 and changes nothing.
 * I3 a host that goes away takes its subscriptions with it. */
#include "ext/control.h"

#include "base/cursor.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "ext/control_internal.h"
#include "ext/internal.h"
#include "kern/heap.h"
#include "kern/log.h"
#include "kern/page.h"
#include "kern/thread.h"
#include "kern/time.h"
#include "kern/vm.h"

static const struct control_config *config;
static struct mutex output_lock = MUTEX_INIT(output_lock);

enum { REPLY_MAX = 256 << 10, CALL_REPLY_MAX = 64 << 10, READ_CHUNK = 32 << 10 };

static struct bytes text(const char *s) { return (struct bytes){(const u8 *)s, strlen(s)}; }

void control_lock_output(void) { mutex_lock(&output_lock); }
void control_unlock_output(void) { mutex_unlock(&output_lock); }

enum err control_put(u16 kind, u32 id, struct bytes payload) {
    struct ctl_header h = {CTL_MAGIC, CTL_VERSION, kind, id, (u32)payload.n};
    assert(payload.n <= CTL_MAX);
    enum err e = config->write(config->self, &h, sizeof h);
    if (!e && payload.n) e = config->write(config->self, payload.p, payload.n);
    return e;
}

enum err control_send(u16 kind, u32 id, struct bytes payload) {
    if (!config) return ERR_CLOSED;
    control_lock_output();
    enum err e = control_put(kind, id, payload);
    control_unlock_output();
    return e;
}

static void refuse(u32 id, enum err code, const char *why) {
    u8 out[sizeof(u32) + sizeof((struct ext_error *)0)->text];
    u32 number = code;
    size_t n = MIN(strlen(why), sizeof out - sizeof number);
    memcpy(out, &number, sizeof number);
    memcpy(out + sizeof number, why, n);
    control_send(CTL_ERROR, id, (struct bytes){out, sizeof number + n});
}

static void accept(u32 id, const char *answer) { control_send(CTL_OK, id, text(answer)); }

/* Requests. p: the payload. */

static void on_hello(u32 id, struct bytes p) { accept(id, "whelk 1"); }

static void on_load(u32 id, struct bytes p) {
    struct ctl_load l;
    struct ext_error error;
    char out[512];
    struct cursor c = cursor_of(p);
    struct bytes head;
    if (take_bytes(&c, sizeof l, &head)) return refuse(id, ERR_TRUNCATED, "CTL_LOAD without its header");
    memcpy(&l, head.p, sizeof l);
    struct ext_request r = {.budget_ns = l.budget_ns, .max_memory = l.max_memory,
                            .replace = l.flags & CTL_LOAD_REPLACE};
    if (l.flags & ~(u32)CTL_LOAD_REPLACE) return refuse(id, ERR_UNSUPPORTED, "CTL_LOAD: unknown flags");
    if (take_bytes(&c, l.name_length, &r.name) || take_bytes(&c, l.hook_length, &r.hook))
        return refuse(id, ERR_TRUNCATED, "CTL_LOAD: names longer than the message");
    take_bytes(&c, cursor_left(&c), &r.module);
    if (ext_load(&r, out, sizeof out, &error)) return refuse(id, error.code, error.text);
    accept(id, out);
}

static void on_unload(u32 id, struct bytes p) {
    struct ext_error error;
    if (ext_unload(p, &error)) return refuse(id, error.code, error.text);
    accept(id, "");
}

static size_t describe_one(struct bytes name, char *out, size_t cap) {
    return name.n ? ext_stat(name, out, cap) : control_describe_system(out, cap);
}
static size_t describe_all(struct bytes name, char *out, size_t cap) { return ext_list(out, cap); }

static void answer_text(u32 id, size_t (*make)(struct bytes, char *, size_t), struct bytes p) {
    char *out = kmalloc(REPLY_MAX);
    if (!out) return refuse(id, ERR_NOMEM, "out of memory");
    size_t n = make(p, out, REPLY_MAX);
    if (n >= REPLY_MAX) refuse(id, ERR_LIMIT, "the answer is too long");
    else control_send(CTL_OK, id, (struct bytes){(const u8 *)out, n});
    kfree(out);
}

static void on_list(u32 id, struct bytes p) { answer_text(id, describe_all, p); }

static void on_stat(u32 id, struct bytes p) {
    char why[96];
    if (!p.n || ext_stat(p, NULL, 0)) return answer_text(id, describe_one, p);
    fmt(why, sizeof why, "there is no extension %.*s", (int)MIN(p.n, (size_t)EXT_NAME_MAX), (const char *)p.p);
    refuse(id, ERR_NOT_FOUND, why);
}

static void on_call(u32 id, struct bytes p) {
    struct ctl_call k;
    struct ext_error error;
    struct cursor c = cursor_of(p);
    struct bytes head, name, export;
    struct hook_call call = {.output_cap = CALL_REPLY_MAX};
    if (take_bytes(&c, sizeof k, &head)) return refuse(id, ERR_TRUNCATED, "CTL_CALL without its header");
    memcpy(&k, head.p, sizeof k);
    if (take_bytes(&c, k.name_length, &name) || take_bytes(&c, k.export_length, &export))
        return refuse(id, ERR_TRUNCATED, "CTL_CALL: names longer than the message");
    take_bytes(&c, cursor_left(&c), &call.input);
    if (!(call.output = kmalloc(CALL_REPLY_MAX))) return refuse(id, ERR_NOMEM, "out of memory");
    if (ext_call(name, export, &call, &error)) {
        refuse(id, error.code, error.text);
    } else if (call.status) {
        fmt(error.text, sizeof error.text, "%.*s: status %d: %.*s", (int)MIN(name.n, (size_t)EXT_NAME_MAX),
            (const char *)name.p, call.status, (int)MIN(call.output_length, (size_t)200), (const char *)call.output);
        refuse(id, ERR_INVALID, error.text);
    } else {
        control_send(CTL_OK, id, (struct bytes){call.output, call.output_length});
    }
    kfree(call.output);
}

static void on_stream(u32 id, struct bytes p) {
    const char *why;
    enum err e = stream_subscribe(id, p, &why);
    if (e) refuse(id, e, why);
}

static void send_file(u32 id, const struct wasi_host *files, void *file, u8 *chunk) {
    i64 n = 0;
    accept(id, "");
    while ((n = files->read(files->self, file, chunk, READ_CHUNK)) > 0)
        if (control_send(CTL_DATA, id, (struct bytes){chunk, (size_t)n})) return;
    control_send(CTL_END, id, text(n < 0 ? "the file could not be read to its end" : ""));
}

static void on_read(u32 id, struct bytes p) {
    const struct wasi_host *files = ext_config.files;
    void *file;
    char why[200];
    if (!config->open_file || !files || !files->read || !p.n) return refuse(id, ERR_UNSUPPORTED, "no such file");
    i64 r = config->open_file((const char *)p.p, &file); /* frame_read put a zero after it */
    if (r < 0) {
        fmt(why, sizeof why, "cannot open %.*s: error %ld", (int)MIN(p.n, (size_t)128), (const char *)p.p, (long)-r);
        return refuse(id, ERR_NOT_FOUND, why);
    }
    u8 *chunk = kmalloc(READ_CHUNK);
    if (chunk) send_file(id, files, file, chunk);
    else refuse(id, ERR_NOMEM, "out of memory");
    kfree(chunk);
    files->close(files->self, file);
}

static void on_stop(u32 id, struct bytes p) {
    if (!config->stop) return refuse(id, ERR_UNSUPPORTED, "this machine cannot be stopped");
    accept(id, "");
    log_info("stopped by the host: %.*s", (int)MIN(p.n, (size_t)100), p.n ? (const char *)p.p : "");
    config->stop(p.n ? (const char *)p.p : "");
}

static void on_end(u32 id, struct bytes p) { stream_unsubscribe(id); }

static void handle(const struct ctl_header *h, struct bytes p) {
    static void (*const requests[])(u32, struct bytes) = {
        [CTL_HELLO] = on_hello, [CTL_LOAD] = on_load, [CTL_UNLOAD] = on_unload, [CTL_LIST] = on_list,
        [CTL_STAT] = on_stat,   [CTL_CALL] = on_call, [CTL_STREAM] = on_stream, [CTL_READ] = on_read,
        [CTL_STOP] = on_stop,   [CTL_END] = on_end,
    };
    assert(h->kind < ARRAY_LEN(requests) && requests[h->kind]); /* frame_read checked it */
    requests[h->kind](h->id, p);
}

/* false: the host is gone. */
static bool serve_one(struct frame_reader *r) {
    struct ctl_header h;
    u8 *payload;
    enum err e = frame_read(r, &h, &payload);
    switch (e) {
    case ERR_OK:
        handle(&h, (struct bytes){payload, h.length});
        kfree(payload);
        return true;
    case ERR_NOMEM: refuse(h.id, e, "no memory for a message of that length"); return true;
    case ERR_MALFORMED: refuse(0, e, "not a control message"); return true;
    case ERR_LIMIT: refuse(0, e, "control message: too long"); return true;
    case ERR_VERSION: refuse(0, e, "control message: another version of the protocol"); return true;
    case ERR_UNSUPPORTED: refuse(0, e, "control message: unknown kind"); return true;
    default: return false;
    }
}

static void control_thread(void *arg) {
    static struct frame_reader reader;
    while (!config->wait_host(config->self)) {
        reader = (struct frame_reader){.source = config->read, .self = config->self};
        while (serve_one(&reader)) {}
        stream_unsubscribe_all();
    }
    log_warn("control: the port failed; no more control of this machine");
}

size_t control_describe_system(char *out, size_t cap) {
    size_t n = fmt(out, cap, "{\"uptime_ns\":%lu,\"pages_total\":%zu,\"pages_free\":%zu,\"pages_recounted\":%zu,\"page_tables\":%zu,\"extensions\":%u",
                   time_mono_ns(), pages_total(), pages_free(), pages_recount(), vm_recount_tables(), ext_count());
    if (config && config->describe) n += config->describe(n < cap ? out + n : NULL, n < cap ? cap - n : 0);
    return n + fmt(n < cap ? out + n : NULL, n < cap ? cap - n : 0, "}");
}

enum err control_start(const struct control_config *c) {
    struct thread *t;
    assert(c->read && c->write && c->wait_host);
    config = c;
    enum err e = stream_start();
    return e ? e : thread_create("control", control_thread, NULL, &t);
}
