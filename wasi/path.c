/* path.c: names below preopened directories.
 *
 * I1 a path that reaches the host is relative, not empty, without a zero inside,
 *    and no prefix of it has more ".." than names before them. Links are
 *    the host's to keep inside (wasi.h). */
#include "wasi/internal.h"

struct named {
    struct wasi *w;
    struct wasi_fd *dir;
    struct wasi_at at;
    char text[WASI_MAX_PATH];
};

enum { FOLLOW = 1 };

/* Does any prefix climb above its start? */
static bool climbs(const char *p) {
    i64 depth = 0;
    while (*p) {
        size_t n = 0;
        while (p[n] && p[n] != '/') n++;
        if (n == 2 && p[0] == '.' && p[1] == '.') depth--;
        else if (n && !(n == 1 && p[0] == '.')) depth++;
        if (depth < 0) return true;
        p += n;
        while (*p == '/') p++;
    }
    return false;
}

static u32 text_in(struct abi_ctx *c, u32 at, u32 n, char *out) {
    if (n >= WASI_MAX_PATH) return WASI_ENAMETOOLONG;
    if (!wasi_get(c, at, out, n)) return WASI_EFAULT;
    out[n] = 0;
    if (strlen(out) != n) return WASI_EINVAL;
    if (!n) return WASI_ENOENT;
    return out[0] == '/' ? WASI_ENOTCAPABLE : WASI_OK;
}

static u32 take(struct abi_ctx *c, u32 fd, u64 rights, u32 at, u32 n, u32 lookup, struct named *out) {
    out->w = wasi_of(c);
    out->dir = wasi_fd_at(out->w, fd);
    if (!out->dir) return WASI_EBADF;
    if (out->dir->kind != FD_FILE || out->dir->type != WASI_TYPE_DIRECTORY) return WASI_ENOTDIR;
    if (rights & ~out->dir->rights) return WASI_ENOTCAPABLE;
    if (lookup > FOLLOW) return WASI_EINVAL;
    u32 e = text_in(c, at, n, out->text);
    if (e) return e;
    if (climbs(out->text)) return WASI_ENOTCAPABLE;
    out->at = (struct wasi_at){out->dir->file, out->text, !(lookup & FOLLOW)};
    return WASI_OK;
}

/* A walk that would have left its directory. */
static u32 walked(i64 r) {
    u32 e = wasi_errno_of(r);
    return e == WASI_EXDEV ? WASI_ENOTCAPABLE : e;
}

typedef i64 one_path(void *self, struct wasi_at at);

static u32 on_one(struct abi_ctx *c, u32 fd, u64 rights, u32 path, u32 n, one_path *f) {
    struct named p;
    if (!f) return WASI_ENOSYS;
    u32 e = take(c, fd, rights, path, n, 0, &p);
    return e ? e : walked(f(p.w->host->self, p.at));
}

u64 wasi_path_create_directory(struct abi_ctx *c, u32 fd, u32 path, u32 n) {
    return on_one(c, fd, WASI_RIGHT_CREATE_DIR, path, n, wasi_of(c)->host->mkdir);
}
u64 wasi_path_remove_directory(struct abi_ctx *c, u32 fd, u32 path, u32 n) {
    return on_one(c, fd, WASI_RIGHT_REMOVE_DIR, path, n, wasi_of(c)->host->rmdir);
}
u64 wasi_path_unlink_file(struct abi_ctx *c, u32 fd, u32 path, u32 n) {
    return on_one(c, fd, WASI_RIGHT_UNLINK, path, n, wasi_of(c)->host->unlink);
}

u64 wasi_path_filestat_get(struct abi_ctx *c, u32 fd, u32 lookup, u32 path, u32 n, u32 out) {
    struct wasi_stat s = {0};
    struct named p;
    u32 e = take(c, fd, WASI_RIGHT_PATH_STAT, path, n, lookup, &p);
    if (e) return e;
    if (!p.w->host->stat_at) return WASI_ENOSYS;
    if ((e = walked(p.w->host->stat_at(p.w->host->self, p.at, &s)))) return e;
    return wasi_put_stat(c, out, &s) ? WASI_OK : WASI_EFAULT;
}

u64 wasi_path_filestat_set_times(struct abi_ctx *c, u32 fd, u32 lookup, u32 path, u32 n, u64 atime,
                                 u64 mtime, u32 which) {
    struct named p;
    u64 t[2];
    u32 e = take(c, fd, WASI_RIGHT_PATH_SET_TIMES, path, n, lookup, &p);
    if (e || (e = wasi_times(p.w, atime, mtime, which, t))) return e;
    if (!p.w->host->set_times_at) return WASI_ENOSYS;
    return walked(p.w->host->set_times_at(p.w->host->self, p.at, t[0], t[1]));
}

typedef i64 two_paths(void *self, struct wasi_at from, struct wasi_at to);

/* A path as a module gives it: the directory, the text, what the directory must allow. */
struct spelled {
    u32 fd, path, n;
    u64 rights;
};

/* Two texts of 4 KiB: within what a host function may use of the stack. */
static u32 on_two(struct abi_ctx *c, struct spelled from, struct spelled to, two_paths *f) {
    struct named a, b;
    u32 e;
    if (!f) return WASI_ENOSYS;
    if ((e = take(c, from.fd, from.rights, from.path, from.n, 0, &a))) return e;
    if ((e = take(c, to.fd, to.rights, to.path, to.n, 0, &b))) return e;
    return walked(f(a.w->host->self, a.at, b.at));
}

u64 wasi_path_rename(struct abi_ctx *c, u32 fd, u32 path, u32 n, u32 to_fd, u32 to, u32 to_n) {
    return on_two(c, (struct spelled){fd, path, n, WASI_RIGHT_RENAME_SOURCE},
                  (struct spelled){to_fd, to, to_n, WASI_RIGHT_RENAME_TARGET}, wasi_of(c)->host->rename);
}

/* A link to what a link names is not offered: hosts differ too much. */
u64 wasi_path_link(struct abi_ctx *c, u32 fd, u32 lookup, u32 path, u32 n, u32 to_fd, u32 to, u32 to_n) {
    if (lookup & FOLLOW) return WASI_EINVAL;
    return on_two(c, (struct spelled){fd, path, n, WASI_RIGHT_LINK_SOURCE},
                  (struct spelled){to_fd, to, to_n, WASI_RIGHT_LINK_TARGET}, wasi_of(c)->host->link);
}

/* The target is text, and may lead nowhere; an absolute one is refused, since
 * others may follow the link with other rights. */
u64 wasi_path_symlink(struct abi_ctx *c, u32 target, u32 target_n, u32 fd, u32 path, u32 n) {
    char to[WASI_MAX_PATH];
    struct named p;
    u32 e = text_in(c, target, target_n, to);
    if (e || (e = take(c, fd, WASI_RIGHT_SYMLINK, path, n, 0, &p))) return e;
    if (!p.w->host->symlink) return WASI_ENOSYS;
    return walked(p.w->host->symlink(p.w->host->self, to, p.at));
}

u64 wasi_path_readlink(struct abi_ctx *c, u32 fd, u32 path, u32 n, u32 buf, u32 cap, u32 out) {
    struct named p;
    u32 e = take(c, fd, WASI_RIGHT_READLINK, path, n, 0, &p);
    if (e) return e;
    char *to = rt_mem(c, buf, cap);
    if (!to || !rt_mem(c, out, 4)) return WASI_EFAULT;
    if (!p.w->host->readlink) return WASI_ENOSYS;
    i64 r = p.w->host->readlink(p.w->host->self, p.at, to, cap);
    if (r < 0) return walked(r);
    assert((u64)r <= cap);
    wasi_put32(c, out, (u32)r);
    return WASI_OK;
}

/* Opening. */

enum { O_CREATE = 1, O_DIRECTORY = 2, O_EXCLUSIVE = 4, O_TRUNCATE = 8 };

static u32 open_flags(u32 oflags, u64 rights, u32 fdflags) {
    u32 f = 0;
    if (oflags & O_CREATE) f |= WASI_OPEN_CREATE;
    if (oflags & O_EXCLUSIVE) f |= WASI_OPEN_EXCLUSIVE;
    if (oflags & O_TRUNCATE) f |= WASI_OPEN_TRUNCATE | WASI_OPEN_WRITE;
    if (rights & (WASI_RIGHT_WRITE | WASI_RIGHT_ALLOCATE | WASI_RIGHT_SET_SIZE)) f |= WASI_OPEN_WRITE;
    if (rights & (WASI_RIGHT_READ | WASI_RIGHT_READDIR) || !(f & WASI_OPEN_WRITE)) f |= WASI_OPEN_READ;
    if (oflags & O_DIRECTORY) f |= WASI_OPEN_DIRECTORY;
    if (fdflags & WASI_FDFLAG_APPEND) f |= WASI_OPEN_APPEND;
    if (fdflags & WASI_FDFLAG_NONBLOCK) f |= WASI_OPEN_NONBLOCK;
    if (fdflags & (WASI_FDFLAG_DSYNC | WASI_FDFLAG_RSYNC | WASI_FDFLAG_SYNC)) f |= WASI_OPEN_SYNC;
    return f;
}

/* What the directory must allow for an open of this kind. */
static u64 open_rights(u32 oflags) {
    return WASI_RIGHT_OPEN | (oflags & O_CREATE ? WASI_RIGHT_CREATE_FILE : 0) |
           (oflags & O_TRUNCATE ? WASI_RIGHT_PATH_SET_SIZE : 0);
}

static enum wasi_filetype type_of(struct wasi *w, void *file) {
    struct wasi_stat s = {0};
    if (!w->host->stat || w->host->stat(w->host->self, file, &s) < 0) return WASI_TYPE_UNKNOWN;
    return s.type;
}

u64 wasi_path_open(struct abi_ctx *c, u32 fd, u32 lookup, u32 path, u32 n, u32 oflags, u64 rights,
                   u64 inherit, u32 fdflags, u32 out) {
    struct named p;
    void *file = NULL;
    if (oflags > 15 || fdflags > 31) return WASI_EINVAL;
    u32 e = take(c, fd, open_rights(oflags), path, n, lookup, &p);
    if (e) return e;
    if ((rights | inherit) & WASI_RIGHTS_BELOW & ~p.dir->inherit) return WASI_ENOTCAPABLE;
    if (!rt_mem(c, out, 4)) return WASI_EFAULT;
    if (!p.w->host->open) return WASI_ENOSYS;
    u32 slot = wasi_fd_free_slot(p.w);
    if (slot == WASI_MAX_FDS) return WASI_EMFILE;
    i64 r = p.w->host->open(p.w->host->self, p.at, open_flags(oflags, rights, fdflags), &file);
    if (r < 0) return walked(r);
    enum wasi_filetype type = type_of(p.w, file);
    u64 apply = type == WASI_TYPE_DIRECTORY ? WASI_RIGHTS_DIR : WASI_RIGHTS_FILE;
    p.w->fds[slot] = (struct wasi_fd){.kind = FD_FILE, .file = file, .type = type, .flags = fdflags,
                                      .rights = rights & apply, .inherit = inherit & WASI_RIGHTS_BELOW};
    wasi_put32(c, out, slot);
    return WASI_OK;
}
