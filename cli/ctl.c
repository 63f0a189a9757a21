#include "cli/ctl.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cli.h"

bool ctl_open_path(struct ctl *c, const char *path, const char *name, bool quiet) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    *c = (struct ctl){.fd = -1, .guest = name};
    if (strlen(path) >= sizeof(a.sun_path)) return quiet ? false : (fail("%s: path too long for a socket", path), false);
    strcpy(a.sun_path, path);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd >= 0 && !connect(c->fd, (struct sockaddr *)&a, sizeof(a))) return true;
    if (!quiet) fail("%s: %s: its control channel does not answer (is its `whelk run` alive?)", path, strerror(errno));
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    return false;
}

bool ctl_open(struct ctl *c, const struct guest *g) {
    char path[256];
    return ctl_open_path(c, guest_path(g, "ctl.sock", path), g->name, false);
}

void ctl_close(struct ctl *c) {
    if (c->fd >= 0) close(c->fd);
    queue_free(&c->in);
    c->fd = -1;
}

bool ctl_send_as(struct ctl *c, u32 id, u16 kind, const void *payload, size_t n) {
    struct queue q = {0};
    frame_put(&q, kind, id, payload, n);
    bool ok = true;
    while (ok && queue_size(&q)) {
        ssize_t put = send(c->fd, q.p + q.start, queue_size(&q), MSG_NOSIGNAL);
        if (put > 0) queue_drop(&q, (size_t)put);
        else ok = put < 0 && errno == EINTR;
    }
    queue_free(&q);
    if (!ok) fail("%s: the control channel closed", c->guest);
    return ok;
}

u32 ctl_send(struct ctl *c, u16 kind, const void *payload, size_t n) {
    if (n > CTL_MAX) return fail("%s: a message of %zu bytes is over the limit of %d", c->guest, n, CTL_MAX), 0;
    u32 id = ++c->last_id;
    return ctl_send_as(c, id, kind, payload, n) ? id : 0;
}

static i64 now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (i64)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

enum ctl_got ctl_receive(struct ctl *c, struct ctl_frame *out, int timeout_ms) {
    i64 deadline = now_ms() + timeout_ms;
    struct ctl_header h;
    size_t skipped = 0;
    while (!frame_next(&c->in, &h, &skipped)) {
        struct pollfd p = {c->fd, POLLIN, 0};
        i64 left = deadline - now_ms();
        int n = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (n <= 0) return CTL_TIMED_OUT;
        if (!queue_fill(&c->in, c->fd)) return CTL_LOST;
    }
    *out = (struct ctl_frame){h.kind, h.id, need(malloc(h.length + 1)), h.length};
    memcpy(out->payload, frame_payload(&c->in), h.length);
    out->payload[h.length] = 0;
    frame_drop(&c->in, &h);
    return CTL_GOT;
}

void ctl_complain(const struct ctl *c, const struct ctl_frame *f, const char *about) {
    u32 code = 0;
    if (f->n >= 4) memcpy(&code, f->payload, 4);
    const char *text = f->n > 4 ? (const char *)f->payload + 4 : "no reason given";
    if (about) fail("%s: %s: %s (%s)", c->guest, about, text, err_text((enum err)code));
    else fail("%s: %s (%s)", c->guest, text, err_text((enum err)code));
}

static bool ask_about(struct ctl *c, u32 id, int timeout_ms, struct ctl_frame *out, const char *about) {
    i64 deadline = now_ms() + timeout_ms;
    while (id) {
        i64 left = deadline - now_ms();
        enum ctl_got got = ctl_receive(c, out, left > 0 ? (int)left : 0);
        if (got == CTL_LOST) return fail("%s: the guest ended before it answered", c->guest), false;
        if (got == CTL_TIMED_OUT && now_ms() < deadline) continue; /* a signal */
        if (got == CTL_TIMED_OUT) return fail("%s: no answer within %d s", c->guest, timeout_ms / 1000), false;
        if (out->id == id && out->kind == CTL_OK) return true;
        if (c->shows && out->id == id && out->kind == CTL_DATA) write_all(1, out->payload, out->n);
        bool refused = out->kind == CTL_ERROR && (out->id == id || out->id == 0);
        if (refused) ctl_complain(c, out, about);
        free(out->payload);
        if (refused) return false;
    }
    return false;
}

bool ctl_ask(struct ctl *c, u16 kind, const void *payload, size_t n, int timeout_ms, struct ctl_frame *out) {
    return ask_about(c, ctl_send(c, kind, payload, n), timeout_ms, out, NULL);
}

bool ctl_stop(struct ctl *c, const char *reason, int timeout_ms) {
    struct ctl_frame f = {0};
    u32 id = ctl_send(c, CTL_STOP, reason, strlen(reason));
    i64 deadline = now_ms() + timeout_ms;
    enum ctl_got got = id ? CTL_TIMED_OUT : CTL_LOST;
    while (id && got == CTL_TIMED_OUT && now_ms() < deadline) got = ctl_receive(c, &f, (int)(deadline - now_ms()));
    bool refused = got == CTL_GOT && f.kind == CTL_ERROR;
    if (refused) ctl_complain(c, &f, NULL);
    if (got == CTL_TIMED_OUT) fail("%s: no answer within %d ms", c->guest, timeout_ms);
    free(f.payload);
    return !refused && got != CTL_TIMED_OUT;
}

bool ctl_load_module(struct ctl *c, const struct ctl_load_options *o, struct bytes module, struct ctl_frame *out) {
    struct queue q = {0};
    struct ctl_load head = {
        .name_length = (u16)strlen(o->name),
        .hook_length = (u16)strlen(o->hook),
        .flags = o->replace ? CTL_LOAD_REPLACE : 0,
        .budget_ns = o->budget_ns,
        .max_memory = o->max_memory,
    };
    queue_put(&q, &head, sizeof(head));
    queue_put(&q, o->name, head.name_length);
    queue_put(&q, o->hook, head.hook_length);
    queue_put(&q, module.p, module.n);
    u32 id = ctl_send(c, CTL_LOAD, q.p + q.start, queue_size(&q));
    queue_free(&q);
    return ask_about(c, id, CTL_TIMEOUT_MS, out, o->about);
}
