/* libwhelk.c: the protocol of include/whelk/ctl.h over /dev/whelk.
 *
 * I1 one request is under way at a time; whatever comes before its answer is an
 *    upcall, which is served at once.
 * I2 nothing of a request is sent before all of it is known to fit. */
#include "libwhelk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "whelk/ctl.h"

struct whelk {
    int fd;
    uint32_t last_id, count;
    struct {
        whelk_function *fn;
        void *data;
    } functions[CTL_FUNCTIONS];
    char error[400];
};

struct whelk_caller {
    struct whelk *w;
    int failed;
};

struct answer {
    struct ctl_header head;
    unsigned char *bytes; /* a zero follows them */
};

/* A part of a request. */
struct part {
    const void *p;
    size_t n;
};

static int complain(struct whelk *w, const char *what) {
    snprintf(w->error, sizeof w->error, "%s", what);
    return -1;
}

static int write_whole(struct whelk *w, const void *p, size_t n) {
    for (size_t done = 0; done < n;) {
        ssize_t r = write(w->fd, (const char *)p + done, n - done);
        if (r < 0 && errno == EINTR) continue;
        if (r <= 0) return complain(w, "the connection is broken");
        done += (size_t)r;
    }
    return 0;
}

static int read_whole(struct whelk *w, void *p, size_t n) {
    for (size_t done = 0; done < n;) {
        ssize_t r = read(w->fd, (char *)p + done, n - done);
        if (r < 0 && errno == EINTR) continue;
        if (r <= 0) return complain(w, "the connection is broken");
        done += (size_t)r;
    }
    return 0;
}

static int send_parts(struct whelk *w, uint16_t kind, uint32_t id, const struct part *parts, int count) {
    struct ctl_header h = {CTL_MAGIC, CTL_VERSION, kind, id, 0};
    size_t n = 0;
    for (int i = 0; i < count; i++) n += parts[i].n;
    if (n > CTL_MAX) return complain(w, "too long: a request has at most 16 MiB");
    h.length = (uint32_t)n;
    int r = write_whole(w, &h, sizeof h);
    for (int i = 0; i < count && !r; i++) r = write_whole(w, parts[i].p, parts[i].n);
    return r;
}

static int receive(struct whelk *w, struct answer *a) {
    a->bytes = NULL;
    if (read_whole(w, &a->head, sizeof a->head)) return -1;
    if (a->head.magic != CTL_MAGIC || a->head.length > CTL_MAX) return complain(w, "the connection is out of step");
    if (!(a->bytes = malloc((size_t)a->head.length + 1))) return complain(w, "out of memory");
    a->bytes[a->head.length] = 0;
    if (!read_whole(w, a->bytes, a->head.length)) return 0;
    free(a->bytes);
    return -1;
}

static int serve_upcall(struct whelk *w, const struct answer *a) {
    struct ctl_upcall u;
    struct ctl_return r = {0, 1, 0};
    struct whelk_caller c = {w, 0};
    if (a->head.length != sizeof u) return complain(w, "the connection is out of step");
    memcpy(&u, a->bytes, sizeof u);
    if (u.function < w->count) {
        r.result = w->functions[u.function].fn(&c, u.arguments, w->functions[u.function].data);
        r.failed = (uint32_t)c.failed;
    }
    return send_parts(w, CTL_RETURN, a->head.id, &(struct part){&r, sizeof r}, 1);
}

/* One request and its answer, which is the caller's to free on success. */
static int ask(struct whelk *w, uint16_t kind, const struct part *parts, int count, struct answer *out) {
    uint32_t id = ++w->last_id;
    if (send_parts(w, kind, id, parts, count)) return -1;
    while (!receive(w, out)) {
        int upcall = out->head.kind == CTL_UPCALL, mine = out->head.id == id || !out->head.id;
        if (!upcall && mine && out->head.kind == CTL_OK) return 0;
        if (!upcall && mine && out->head.kind == CTL_ERROR)
            complain(w, out->head.length > 4 ? (char *)out->bytes + 4 : "refused");
        int bad = upcall ? serve_upcall(w, out) : 0;
        free(out->bytes);
        if (bad || (!upcall && mine)) return -1;
    }
    return -1;
}

/* The same, when the answer says nothing. */
static int order(struct whelk *w, uint16_t kind, const struct part *parts, int count) {
    struct answer a;
    if (ask(w, kind, parts, count, &a)) return -1;
    free(a.bytes);
    return 0;
}

struct whelk *whelk_open(void) {
    struct whelk *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->fd = open("/dev/whelk", O_RDWR | O_CLOEXEC);
    if (w->fd >= 0 && !order(w, CTL_HELLO, NULL, 0)) return w;
    int e = w->fd < 0 ? errno : EPROTO;
    if (w->fd >= 0) close(w->fd);
    free(w);
    errno = e;
    return NULL;
}

void whelk_close(struct whelk *w) {
    if (!w) return;
    close(w->fd);
    free(w);
}

const char *whelk_error(const struct whelk *w) { return w->error; }

int whelk_define(struct whelk *w, const char *module, const char *name, const char *type, whelk_function *fn, void *data) {
    size_t m = strlen(module), n = strlen(name), t = strlen(type);
    struct ctl_define d = {(uint16_t)m, (uint16_t)n, (uint16_t)t, 0};
    struct answer a;
    if (m > 63 || n > 63 || t > 15) return complain(w, "a name or the type is too long");
    if (w->count == CTL_FUNCTIONS) return complain(w, "too many functions");
    if (ask(w, CTL_DEFINE, (const struct part[]){{&d, sizeof d}, {module, m}, {name, n}, {type, t}}, 4, &a)) return -1;
    free(a.bytes);
    w->functions[w->count].fn = fn;
    w->functions[w->count++].data = data;
    return 0;
}

int whelk_peek(struct whelk_caller *c, uint32_t at, void *to, uint32_t n) {
    struct ctl_memory m = {at, n};
    struct answer a;
    if (ask(c->w, CTL_PEEK, &(struct part){&m, sizeof m}, 1, &a)) return -1;
    int ok = a.head.length == n;
    if (ok) memcpy(to, a.bytes, n);
    free(a.bytes);
    return ok ? 0 : complain(c->w, "the connection is out of step");
}

int whelk_poke(struct whelk_caller *c, uint32_t at, const void *from, uint32_t n) {
    struct ctl_memory m = {at, n};
    return order(c->w, CTL_POKE, (const struct part[]){{&m, sizeof m}, {from, n}}, 2);
}

void whelk_fail(struct whelk_caller *c) { c->failed = 1; }

static int load(struct whelk *w, const char *name, const char *hook, const void *module, size_t n, uint32_t flags) {
    size_t name_length = strlen(name), hook_length = hook ? strlen(hook) : 0;
    if (name_length > 63 || hook_length > 200) return complain(w, "a name is too long");
    struct ctl_load l = {(uint16_t)name_length, (uint16_t)hook_length, flags, 0, 0};
    const struct part parts[] = {{&l, sizeof l}, {name, name_length}, {hook, hook_length}, {module, n}};
    return order(w, CTL_LOAD, parts, 4);
}
int whelk_load(struct whelk *w, const char *name, const char *hook, const void *module, size_t n) {
    return load(w, name, hook, module, n, 0);
}
int whelk_replace(struct whelk *w, const char *name, const char *hook, const void *module, size_t n) {
    return load(w, name, hook, module, n, CTL_LOAD_REPLACE);
}
int whelk_unload(struct whelk *w, const char *name) {
    return order(w, CTL_UNLOAD, &(struct part){name, strlen(name)}, 1);
}

int whelk_resume(struct whelk *w, const char *name) {
    return order(w, CTL_RESUME, &(struct part){name, strlen(name)}, 1);
}

long whelk_call(struct whelk *w, const char *name, const char *export_name, const void *in, size_t n, void *out, size_t cap) {
    size_t name_length = strlen(name), export_length = export_name ? strlen(export_name) : 0;
    if (name_length > 63 || export_length > 63) return complain(w, "a name is too long");
    struct ctl_call k = {(uint16_t)name_length, (uint16_t)export_length, 0};
    struct answer a;
    const struct part parts[] = {{&k, sizeof k}, {name, name_length}, {export_name, export_length}, {in, n}};
    if (ask(w, CTL_CALL, parts, 4, &a)) return -1;
    size_t have = a.head.length;
    if (have < cap) cap = have;
    if (cap) memcpy(out, a.bytes, cap);
    free(a.bytes);
    return (long)have;
}

static char *ask_text(struct whelk *w, uint16_t kind, const char *name) {
    struct answer a;
    const struct part part = {name, name ? strlen(name) : 0};
    return ask(w, kind, &part, 1, &a) ? NULL : (char *)a.bytes;
}
char *whelk_list(struct whelk *w) { return ask_text(w, CTL_LIST, NULL); }
char *whelk_stat(struct whelk *w, const char *name) { return ask_text(w, CTL_STAT, name); }
