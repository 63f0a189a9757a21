/* state.c: one program's view of the world: texts, descriptors, streams.
 *
 * I1 the texts and names are copies; the host's files are owned by fds[]. */
#include "wasi/internal.h"

static char *copy(struct arena *a, const char *s) {
    size_t n = strlen(s) + 1;
    char *p = arena_alloc(a, n);
    return p ? memcpy(p, s, n) : NULL;
}

static void copy_texts(struct arena *a, const char *const *from, u32 count, struct wasi_texts *out) {
    out->list = ARENA_ARRAY(a, char *, count);
    for (u32 i = 0; i < count && !a->failed; i++) {
        out->list[i] = copy(a, from[i]);
        out->bytes += strlen(from[i]) + 1;
    }
    out->count = count;
}

/* A terminal has neither SEEK nor TELL: that is how wasi-libc's isatty knows. */
static struct wasi_fd stream_fd(u32 n, bool tty) {
    u64 rights = WASI_RIGHTS_COMMON | (n == 0 ? WASI_RIGHT_READ : WASI_RIGHT_WRITE);
    return (struct wasi_fd){.kind = FD_STREAM, .stream = n, .rights = rights,
                            .type = tty ? WASI_TYPE_CHARACTER : WASI_TYPE_UNKNOWN};
}

static void open_preopens(struct wasi *w, const struct wasi_config *c) {
    for (u32 i = 0; i < c->preopen_count; i++)
        w->fds[3 + i] = (struct wasi_fd){
            .kind = FD_FILE, .file = c->preopens[i].dir, .type = WASI_TYPE_DIRECTORY,
            .rights = WASI_RIGHTS_DIR, .inherit = WASI_RIGHTS_BELOW,
            .preopen = copy(&w->arena, c->preopens[i].name)};
    for (u32 i = 0; i < c->listener_count; i++)
        w->fds[3 + c->preopen_count + i] = (struct wasi_fd){
            .kind = FD_FILE, .file = c->listeners[i], .type = WASI_TYPE_SOCKET_STREAM,
            .rights = WASI_RIGHTS_SOCKET | WASI_RIGHT_ACCEPT, .inherit = WASI_RIGHTS_SOCKET};
}

enum err wasi_new(const struct wasi_config *c, struct wasi **out) {
    assert(c->host && c->source);
    if (c->preopen_count > WASI_MAX_FDS - 3 || c->listener_count > WASI_MAX_FDS - 3 - c->preopen_count) return ERR_LIMIT;
    struct arena a;
    arena_init(&a, c->source, 0);
    struct wasi *w = ARENA_NEW(&a, struct wasi);
    if (!w) return ERR_NOMEM;
    w->host = c->host;
    w->arena = a;
    copy_texts(&w->arena, c->args, c->arg_count, &w->args);
    copy_texts(&w->arena, c->env, c->env_count, &w->env);
    for (u32 i = 0; i < 3; i++) {
        w->streams[i] = c->streams[i];
        w->fds[i] = stream_fd(i, c->streams[i].tty);
    }
    open_preopens(w, c);
    if (w->arena.failed) {
        a = w->arena; /* w lives in it */
        arena_reset(&a);
        return ERR_NOMEM;
    }
    *out = w;
    return ERR_OK;
}

void wasi_free(struct wasi *w) {
    if (!w) return;
    for (u32 i = 0; i < WASI_MAX_FDS; i++)
        if (w->fds[i].kind != FD_FREE) wasi_fd_shut(w, &w->fds[i]);
    struct arena a = w->arena; /* w lives in it */
    arena_reset(&a);
}

void wasi_attach(struct wasi *w, struct rt_store *s) { rt_store_set_slot(s, RT_SLOT_WASI, w); }

void wasi_set_record(struct wasi *w, struct bytes record) { w->record = record; }

u32 wasi_exit_code(const struct wasi *w) { return w->exit_code; }

struct wasi_fd *wasi_fd_at(struct wasi *w, u32 fd) {
    if (fd >= WASI_MAX_FDS || w->fds[fd].kind == FD_FREE) return NULL;
    return &w->fds[fd];
}

u32 wasi_take_fd(struct wasi *w, u32 fd, u64 rights, struct wasi_fd **out) {
    struct wasi_fd *f = wasi_fd_at(w, fd);
    if (!f) return WASI_EBADF;
    if (rights & ~f->rights) return WASI_ENOTCAPABLE;
    *out = f;
    return WASI_OK;
}

u32 wasi_fd_free_slot(const struct wasi *w) {
    u32 fd = 0;
    while (fd < WASI_MAX_FDS && w->fds[fd].kind != FD_FREE) fd++;
    return fd;
}

void wasi_fd_shut(struct wasi *w, struct wasi_fd *f) {
    assert(f->kind != FD_FREE);
    if (f->kind == FD_FILE && w->host->close) w->host->close(w->host->self, f->file);
    f->kind = FD_FREE;
}

i64 wasi_stream_read(struct wasi *w, u32 stream, void *out, size_t n) {
    struct wasi_stream *s = &w->streams[stream];
    if (s->read) return s->read(s->self, out, n);
    if (stream != 0) return -9; /* EBADF */
    n = MIN(n, w->record.n);
    if (n) memcpy(out, w->record.p, n);
    w->record.p += n;
    w->record.n -= n;
    return (i64)n;
}

i64 wasi_stream_write(struct wasi *w, u32 stream, const void *p, size_t n) {
    struct wasi_stream *s = &w->streams[stream];
    if (stream == 0) return -9; /* EBADF */
    return s->write ? s->write(s->self, p, n) : (i64)n;
}
