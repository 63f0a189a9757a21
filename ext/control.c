/* control.c: the control channel, one thread that reads and answers requests.
 *
 * I1 frames go out whole: output_lock is held from the header to the last byte.
 * I2 each request with an id gets exactly one answer; what cannot be done says
 *    why. Garbage is answered with id 0 and changes nothing.
 * I3 a host that goes away takes its subscriptions with it. */
#include "ext/control.h"

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

enum { READ_CHUNK = 32 << 10 };

static struct bytes text(const char *s) { return (struct bytes){(const u8 *)s, strlen(s)}; }

void control_lock_output(void) { mutex_lock(&output_lock); }
void control_unlock_output(void) { mutex_unlock(&output_lock); }

static enum err host_write(void *self, const void *p, size_t n) { return config->write(config->self, p, n); }
static const struct channel host = {.write = host_write, .output = &output_lock};

enum err control_put(u16 kind, u32 id, struct bytes payload) { return channel_put(&host, kind, id, payload); }
enum err control_send(u16 kind, u32 id, struct bytes payload) {
    return config ? channel_send(&host, kind, id, payload) : ERR_CLOSED;
}

static void refuse(u32 id, enum err code, const char *why) { channel_refuse(&host, id, code, why); }
static void accept(u32 id, const char *answer) { channel_accept(&host, id, answer); }

/* Requests that only the host makes. */

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
    switch (h->kind) {
    case CTL_STREAM: on_stream(h->id, p); break;
    case CTL_READ: on_read(h->id, p); break;
    case CTL_STOP: on_stop(h->id, p); break;
    case CTL_END: on_end(h->id, p); break;
    default:
        if (!channel_request(&host, h, p)) refuse(h->id, ERR_UNSUPPORTED, "a request of programs, not of the host");
    }
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

/* What the engine keeps for the next instances goes back first: two counts, with
 * the same loaded, can be compared. */
size_t control_describe_system(char *out, size_t cap) {
    if (ext_config.engine) rt_engine_trim(ext_config.engine);
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
