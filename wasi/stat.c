/* stat.c: what descriptors and files are; preopens; directories. */
#include "wasi/internal.h"

u64 wasi_fd_fdstat_get(struct abi_ctx *c, u32 fd, u32 out) {
    struct wasi_fd *f = wasi_fd_at(wasi_of(c), fd);
    u8 s[24] = {0};
    if (!f) return WASI_EBADF;
    s[0] = (u8)f->type;
    memcpy(s + 2, &(u16){(u16)f->flags}, 2);
    memcpy(s + 8, &f->rights, 8);
    memcpy(s + 16, &f->inherit, 8);
    return wasi_put(c, out, s, sizeof s) ? WASI_OK : WASI_EFAULT;
}

/* An open file can change how it appends and waits; how it is synchronised was
 * settled when it was opened. */
u64 wasi_fd_fdstat_set_flags(struct abi_ctx *c, u32 fd, u32 flags) {
    const struct wasi_host *h = wasi_of(c)->host;
    struct wasi_fd *f;
    u32 e = wasi_take_fd(wasi_of(c), fd, WASI_RIGHT_SET_FLAGS, &f);
    if (e) return e;
    if ((flags ^ f->flags) & ~(u32)(WASI_FDFLAG_APPEND | WASI_FDFLAG_NONBLOCK)) return WASI_EINVAL;
    if (flags == f->flags) return WASI_OK;
    if (f->kind != FD_FILE || !h->set_flags) return WASI_ENOTSUP;
    u32 open = (flags & WASI_FDFLAG_APPEND ? WASI_OPEN_APPEND : 0) | (flags & WASI_FDFLAG_NONBLOCK ? WASI_OPEN_NONBLOCK : 0);
    i64 r = h->set_flags(h->self, f->file, open);
    if (r < 0) return wasi_errno_of(r);
    f->flags = flags;
    return WASI_OK;
}

/* Rights can only shrink. */
u64 wasi_fd_fdstat_set_rights(struct abi_ctx *c, u32 fd, u64 rights, u64 inherit) {
    struct wasi_fd *f = wasi_fd_at(wasi_of(c), fd);
    if (!f) return WASI_EBADF;
    if ((rights & ~f->rights) || (inherit & ~f->inherit)) return WASI_ENOTCAPABLE;
    f->rights = rights;
    f->inherit = inherit;
    return WASI_OK;
}

bool wasi_put_stat(struct abi_ctx *c, u32 at, const struct wasi_stat *s) {
    u64 v[8] = {s->dev, s->ino, (u64)s->type, s->nlink, s->size, s->atime_ns, s->mtime_ns, s->ctime_ns};
    return wasi_put(c, at, v, sizeof v);
}

u64 wasi_fd_filestat_get(struct abi_ctx *c, u32 fd, u32 out) {
    struct wasi *w = wasi_of(c);
    struct wasi_fd *f;
    u32 e = wasi_take_fd(w, fd, WASI_RIGHT_STAT, &f);
    if (e) return e;
    struct wasi_stat s = {.type = f->type, .nlink = 1};
    if (f->kind == FD_FILE) {
        if (!w->host->stat) return WASI_ENOSYS;
        i64 r = w->host->stat(w->host->self, f->file, &s);
        if (r < 0) return wasi_errno_of(r);
    }
    return wasi_put_stat(c, out, &s) ? WASI_OK : WASI_EFAULT;
}

/* An open file whose length may be changed, or an errno. */
static u32 resizable(struct abi_ctx *c, u32 fd, u64 right, struct wasi_fd **out) {
    struct wasi_fd *f = wasi_fd_at(wasi_of(c), fd);
    if (f && (f->kind != FD_FILE || wasi_is_socket(f))) return WASI_EINVAL;
    return wasi_take_fd(wasi_of(c), fd, right, out);
}

u64 wasi_fd_filestat_set_size(struct abi_ctx *c, u32 fd, u64 size) {
    const struct wasi_host *h = wasi_of(c)->host;
    struct wasi_fd *f;
    u32 e = resizable(c, fd, WASI_RIGHT_SET_SIZE, &f);
    if (e) return e;
    if (size > INT64_MAX) return WASI_EFBIG;
    return h->truncate ? wasi_errno_of(h->truncate(h->self, f->file, size)) : WASI_ENOSYS;
}

/* Makes a file at least that long, as posix_fallocate. */
u64 wasi_fd_allocate(struct abi_ctx *c, u32 fd, u64 at, u64 n) {
    const struct wasi_host *h = wasi_of(c)->host;
    struct wasi_stat s;
    struct wasi_fd *f;
    u32 e = resizable(c, fd, WASI_RIGHT_ALLOCATE, &f);
    if (e) return e;
    if (!n || at > INT64_MAX || n > INT64_MAX - at) return WASI_EINVAL;
    if (!h->truncate || !h->stat) return WASI_ENOSYS;
    i64 r = h->stat(h->self, f->file, &s);
    if (r >= 0 && s.size < at + n) r = h->truncate(h->self, f->file, at + n);
    return wasi_errno_of(r);
}

/* A hint without promised effect: success is honest. */
u64 wasi_fd_advise(struct abi_ctx *c, u32 fd, u64 at, u64 n, u32 advice) {
    struct wasi_fd *f = wasi_fd_at(wasi_of(c), fd);
    if (!f) return WASI_EBADF;
    if (f->kind != FD_FILE || wasi_is_socket(f)) return WASI_ESPIPE;
    if (!(f->rights & WASI_RIGHT_ADVISE)) return WASI_ENOTCAPABLE;
    return advice > 5 ? WASI_EINVAL : WASI_OK;
}

enum { SET_ATIME = 1, ATIME_NOW = 2, SET_MTIME = 4, MTIME_NOW = 8 };

/* out: {atime, mtime}, UINT64_MAX for those to leave. */
u32 wasi_times(struct wasi *w, u64 atime, u64 mtime, u32 which, u64 out[2]) {
    bool both = (which & SET_ATIME && which & ATIME_NOW) || (which & SET_MTIME && which & MTIME_NOW);
    if (both || which > 15) return WASI_EINVAL;
    i64 now = 0;
    if (which & (ATIME_NOW | MTIME_NOW)) {
        now = w->host->clock_ns ? w->host->clock_ns(w->host->self, WASI_CLOCK_REALTIME) : -38;
        if (now < 0) return wasi_errno_of(now);
    }
    out[0] = which & SET_ATIME ? atime : which & ATIME_NOW ? (u64)now : UINT64_MAX;
    out[1] = which & SET_MTIME ? mtime : which & MTIME_NOW ? (u64)now : UINT64_MAX;
    return WASI_OK;
}

u64 wasi_fd_filestat_set_times(struct abi_ctx *c, u32 fd, u64 atime, u64 mtime, u32 which) {
    struct wasi *w = wasi_of(c);
    struct wasi_fd *f = wasi_fd_at(w, fd);
    u64 t[2];
    if (!f) return WASI_EBADF;
    if (f->kind != FD_FILE) return WASI_EINVAL;
    if (!(f->rights & WASI_RIGHT_SET_TIMES)) return WASI_ENOTCAPABLE;
    u32 e = wasi_times(w, atime, mtime, which, t);
    if (e) return e;
    if (!w->host->set_times) return WASI_ENOSYS;
    return wasi_errno_of(w->host->set_times(w->host->self, f->file, t[0], t[1]));
}

/* Preopens. */

u64 wasi_fd_prestat_get(struct abi_ctx *c, u32 fd, u32 out) {
    struct wasi_fd *f = wasi_fd_at(wasi_of(c), fd);
    if (!f || !f->preopen) return WASI_EBADF; /* how libc finds the last one */
    u32 s[2] = {0 /* a directory */, (u32)strlen(f->preopen)};
    return wasi_put(c, out, s, sizeof s) ? WASI_OK : WASI_EFAULT;
}

u64 wasi_fd_prestat_dir_name(struct abi_ctx *c, u32 fd, u32 out, u32 n) {
    struct wasi_fd *f = wasi_fd_at(wasi_of(c), fd);
    if (!f || !f->preopen) return WASI_EBADF;
    size_t len = strlen(f->preopen);
    if (n < len) return WASI_ENAMETOOLONG;
    return wasi_put(c, out, f->preopen, len) ? WASI_OK : WASI_EFAULT;
}

/* Directories. Entries are {u64 next, u64 ino, u32 length, u32 type, name};
 * the one that no longer fits is cut, which tells the caller to ask again. */

struct listing {
    u8 *out;
    u32 room, used;
};

static void append(struct listing *l, const void *p, size_t n) {
    u32 part = (u32)MIN(n, (size_t)(l->room - l->used));
    if (part) memcpy(l->out + l->used, p, part);
    l->used += part;
}

static bool list_entry(void *arg, struct bytes name, u64 ino, enum wasi_filetype type, u64 next) {
    struct listing *l = arg;
    u32 tail[2] = {(u32)name.n, (u32)type};
    if (l->used == l->room) return false;
    append(l, &next, 8);
    append(l, &ino, 8);
    append(l, tail, 8);
    append(l, name.p, name.n);
    return l->used < l->room;
}

u64 wasi_fd_readdir(struct abi_ctx *c, u32 fd, u32 buf, u32 n, u64 cookie, u32 out) {
    struct wasi *w = wasi_of(c);
    struct wasi_fd *f = wasi_fd_at(w, fd);
    if (!f) return WASI_EBADF;
    if (f->kind != FD_FILE || f->type != WASI_TYPE_DIRECTORY) return WASI_ENOTDIR;
    if (!(f->rights & WASI_RIGHT_READDIR)) return WASI_ENOTCAPABLE;
    struct listing l = {.out = rt_mem(c, buf, n), .room = n};
    if (!l.out || !rt_mem(c, out, 4)) return WASI_EFAULT;
    if (!w->host->readdir) return WASI_ENOSYS;
    i64 r = w->host->readdir(w->host->self, f->file, cookie, list_entry, &l);
    if (r < 0) return wasi_errno_of(r);
    wasi_put32(c, out, l.used);
    return WASI_OK;
}
