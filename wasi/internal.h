/* internal.h: what the files of wasi/ share. Layouts are those of
 * wasi_snapshot_preview1 (its witx document): all little-endian, unaligned
 * addresses allowed.
 *
 * I1 no pointer into a module's memory outlives the call that checked it, and
 *    nothing is read from there twice to be decided on.
 * I2 fds[n].kind == FD_FREE: the rest of the entry means nothing. */
#ifndef WHELK_WASI_INTERNAL_H
#define WHELK_WASI_INTERNAL_H

#include "base/assert.h"
#include "base/mem.h"
#include "wasi/wasi.h"

/* X(name, number here, number in Linux; 0: none) */
#define WASI_ERRNOS(X)                                                                          \
    X(E2BIG, 1, 7) X(EACCES, 2, 13) X(EAGAIN, 6, 11) X(EBADF, 8, 9) X(EBUSY, 10, 16)            \
    X(EEXIST, 20, 17) X(EFAULT, 21, 14) X(EFBIG, 22, 27) X(EILSEQ, 25, 84) X(EINTR, 27, 4)      \
    X(EINVAL, 28, 22) X(EIO, 29, 5) X(EISDIR, 31, 21) X(ELOOP, 32, 40) X(EMFILE, 33, 24)        \
    X(EMLINK, 34, 31) X(ENAMETOOLONG, 37, 36) X(ENFILE, 41, 23) X(ENOBUFS, 42, 105)             \
    X(ENODEV, 43, 19) X(ENOENT, 44, 2) X(ENOMEM, 48, 12) X(ENOSPC, 51, 28) X(ENOSYS, 52, 38)    \
    X(ENOTDIR, 54, 20) X(ENOTEMPTY, 55, 39) X(ENOTSOCK, 57, 88) X(ENOTSUP, 58, 95)              \
    X(ENOTTY, 59, 25) X(ENXIO, 60, 6) X(EOVERFLOW, 61, 75) X(EPERM, 63, 1) X(EPIPE, 64, 32)     \
    X(ERANGE, 68, 34) X(EROFS, 69, 30) X(ESPIPE, 70, 29) X(ESTALE, 72, 116)                     \
    X(ETIMEDOUT, 73, 110) X(ETXTBSY, 74, 26) X(EXDEV, 75, 18) X(ENOTCAPABLE, 76, 0)

enum wasi_errno {
    WASI_OK = 0,
#define X(name, wasi, linux_number) WASI_##name = wasi,
    WASI_ERRNOS(X)
#undef X
};

enum {
    WASI_MAX_FDS = 256,
    WASI_MAX_IOVS = 1024, /* IOV_MAX of POSIX systems */
    WASI_MAX_PATH = 4096,
    WASI_MAX_SUBSCRIPTIONS = 256, /* their copies are on the stack */
};

/* X(name, bit): the rights of a descriptor, in the order of the witx document.
 * A call without its right answers ENOTCAPABLE; fd_read and fd_write answer
 * EBADF, as POSIX does for a file that is open the other way. */
#define WASI_RIGHTS(X)                                                                          \
    X(DATASYNC, 0) X(READ, 1) X(SEEK, 2) X(SET_FLAGS, 3) X(SYNC, 4) X(TELL, 5) X(WRITE, 6)      \
    X(ADVISE, 7) X(ALLOCATE, 8) X(CREATE_DIR, 9) X(CREATE_FILE, 10) X(LINK_SOURCE, 11)          \
    X(LINK_TARGET, 12) X(OPEN, 13) X(READDIR, 14) X(READLINK, 15) X(RENAME_SOURCE, 16)          \
    X(RENAME_TARGET, 17) X(PATH_STAT, 18) X(PATH_SET_SIZE, 19) X(PATH_SET_TIMES, 20)            \
    X(STAT, 21) X(SET_SIZE, 22) X(SET_TIMES, 23) X(SYMLINK, 24) X(REMOVE_DIR, 25)               \
    X(UNLINK, 26) X(POLL, 27) X(SHUTDOWN, 28) X(ACCEPT, 29)

enum wasi_right {
#define X(name, bit) WASI_RIGHT_##name = 1 << bit,
    WASI_RIGHTS(X)
#undef X
};

/* What applies to a kind of file; other rights are dropped when one is opened. */
#define WASI_RIGHTS_COMMON \
    (WASI_RIGHT_SET_FLAGS | WASI_RIGHT_SYNC | WASI_RIGHT_ADVISE | WASI_RIGHT_STAT | WASI_RIGHT_SET_TIMES | WASI_RIGHT_POLL)
#define WASI_RIGHTS_DIR                                                                         \
    (WASI_RIGHTS_COMMON | WASI_RIGHT_CREATE_DIR | WASI_RIGHT_CREATE_FILE | WASI_RIGHT_LINK_SOURCE | \
     WASI_RIGHT_LINK_TARGET | WASI_RIGHT_OPEN | WASI_RIGHT_READDIR | WASI_RIGHT_READLINK |      \
     WASI_RIGHT_RENAME_SOURCE | WASI_RIGHT_RENAME_TARGET | WASI_RIGHT_PATH_STAT |               \
     WASI_RIGHT_PATH_SET_SIZE | WASI_RIGHT_PATH_SET_TIMES | WASI_RIGHT_SYMLINK |                \
     WASI_RIGHT_REMOVE_DIR | WASI_RIGHT_UNLINK)
#define WASI_RIGHTS_FILE                                                                        \
    (WASI_RIGHTS_COMMON | WASI_RIGHT_DATASYNC | WASI_RIGHT_READ | WASI_RIGHT_SEEK | WASI_RIGHT_TELL | \
     WASI_RIGHT_WRITE | WASI_RIGHT_ALLOCATE | WASI_RIGHT_SET_SIZE)
#define WASI_RIGHTS_BELOW (WASI_RIGHTS_DIR | WASI_RIGHTS_FILE) /* that a directory hands on */
#define WASI_RIGHTS_SOCKET \
    (WASI_RIGHT_READ | WASI_RIGHT_WRITE | WASI_RIGHT_SET_FLAGS | WASI_RIGHT_STAT | WASI_RIGHT_POLL | WASI_RIGHT_SHUTDOWN)

enum { WASI_FDFLAG_APPEND = 1, WASI_FDFLAG_DSYNC = 2, WASI_FDFLAG_NONBLOCK = 4, WASI_FDFLAG_RSYNC = 8, WASI_FDFLAG_SYNC = 16 };

enum wasi_fd_kind { FD_FREE, FD_STREAM, FD_FILE };

struct wasi_fd {
    enum wasi_fd_kind kind;
    u32 stream;         /* STREAM: index of wasi.streams */
    void *file;         /* FILE: the host's */
    enum wasi_filetype type;
    u32 flags;          /* WASI_FDFLAG_* */
    u64 rights, inherit;
    const char *preopen; /* its name; NULL: not a preopen */
};

static inline bool wasi_is_socket(const struct wasi_fd *f) {
    return f->kind == FD_FILE && (f->type == WASI_TYPE_SOCKET_STREAM || f->type == WASI_TYPE_SOCKET_DGRAM);
}

struct wasi_texts {
    char **list;
    u32 count;
    size_t bytes; /* with the zeros */
};

struct wasi {
    struct arena arena; /* this struct and all below */
    const struct wasi_host *host;
    struct wasi_texts args, env;
    struct wasi_stream streams[3];
    struct bytes record; /* what is left of it */
    u32 exit_code;
    i64 last_monotonic; /* what a program was told last */
    struct wasi_fd fds[WASI_MAX_FDS];
};

static inline struct wasi *wasi_of(const struct abi_ctx *c) { return rt_slot(c, RT_SLOT_WASI); }

/* errno.c: r >= 0 is OK. */
u32 wasi_errno_of(i64 r);

/* state.c: NULL: no such descriptor. */
struct wasi_fd *wasi_fd_at(struct wasi *w, u32 fd);
/* One that has all of rights, or EBADF, ENOTCAPABLE. */
u32 wasi_take_fd(struct wasi *w, u32 fd, u64 rights, struct wasi_fd **out);
u32 wasi_fd_free_slot(const struct wasi *w); /* WASI_MAX_FDS: none */
void wasi_fd_shut(struct wasi *w, struct wasi_fd *f);
i64 wasi_stream_read(struct wasi *w, u32 stream, void *out, size_t n);
i64 wasi_stream_write(struct wasi *w, u32 stream, const void *p, size_t n);

/* Module memory: false when [at, at + n) is not all inside. */
static inline bool wasi_put(struct abi_ctx *c, u32 at, const void *from, size_t n) {
    void *p = rt_mem(c, at, n);
    if (p && n) memcpy(p, from, n);
    return p != NULL;
}
static inline bool wasi_get(struct abi_ctx *c, u32 at, void *out, size_t n) {
    const void *p = rt_mem(c, at, n);
    if (p && n) memcpy(out, p, n);
    return p != NULL;
}
static inline bool wasi_put16(struct abi_ctx *c, u32 at, u16 v) { return wasi_put(c, at, &v, 2); }
static inline bool wasi_put32(struct abi_ctx *c, u32 at, u32 v) { return wasi_put(c, at, &v, 4); }
static inline bool wasi_put64(struct abi_ctx *c, u32 at, u64 v) { return wasi_put(c, at, &v, 8); }

/* stat.c */
bool wasi_put_stat(struct abi_ctx *c, u32 at, const struct wasi_stat *s);
u32 wasi_times(struct wasi *w, u64 atime, u64 mtime, u32 which, u64 out[2]);

/* X(name, "type"): all of wasi_snapshot_preview1. Every function but
 * proc_exit answers an errno. */
#define WASI_FUNCS(X)                                                                          \
    X(args_get, "ii:i") X(args_sizes_get, "ii:i") X(environ_get, "ii:i")                       \
    X(environ_sizes_get, "ii:i") X(clock_res_get, "ii:i") X(clock_time_get, "iIi:i")           \
    X(random_get, "ii:i") X(proc_exit, "i:") X(proc_raise, "i:i") X(sched_yield, ":i")         \
    X(poll_oneoff, "iiii:i")                                                                   \
    X(fd_advise, "iIIi:i") X(fd_allocate, "iII:i") X(fd_close, "i:i") X(fd_datasync, "i:i")    \
    X(fd_fdstat_get, "ii:i") X(fd_fdstat_set_flags, "ii:i")                                    \
    X(fd_fdstat_set_rights, "iII:i") X(fd_filestat_get, "ii:i")                                \
    X(fd_filestat_set_size, "iI:i") X(fd_filestat_set_times, "iIIi:i")                         \
    X(fd_pread, "iiiIi:i") X(fd_prestat_get, "ii:i") X(fd_prestat_dir_name, "iii:i")           \
    X(fd_pwrite, "iiiIi:i") X(fd_read, "iiii:i") X(fd_readdir, "iiiIi:i")                      \
    X(fd_renumber, "ii:i") X(fd_seek, "iIii:i") X(fd_sync, "i:i") X(fd_tell, "ii:i")           \
    X(fd_write, "iiii:i")                                                                      \
    X(path_create_directory, "iii:i") X(path_filestat_get, "iiiii:i")                          \
    X(path_filestat_set_times, "iiiiIIi:i") X(path_link, "iiiiiii:i")                          \
    X(path_open, "iiiiiIIii:i") X(path_readlink, "iiiiii:i")                                   \
    X(path_remove_directory, "iii:i") X(path_rename, "iiiiii:i") X(path_symlink, "iiiii:i")    \
    X(path_unlink_file, "iii:i")                                                               \
    X(sock_accept, "iii:i") X(sock_recv, "iiiiii:i") X(sock_send, "iiiii:i")                   \
    X(sock_shutdown, "ii:i")

u64 wasi_args_get(struct abi_ctx *c, u32 list, u32 texts);
u64 wasi_args_sizes_get(struct abi_ctx *c, u32 count, u32 bytes);
u64 wasi_environ_get(struct abi_ctx *c, u32 list, u32 texts);
u64 wasi_environ_sizes_get(struct abi_ctx *c, u32 count, u32 bytes);
u64 wasi_clock_res_get(struct abi_ctx *c, u32 id, u32 out);
u64 wasi_clock_time_get(struct abi_ctx *c, u32 id, u64 precision, u32 out);
u64 wasi_random_get(struct abi_ctx *c, u32 at, u32 n);
u64 wasi_proc_exit(struct abi_ctx *c, u32 code);
u64 wasi_proc_raise(struct abi_ctx *c, u32 signal);
u64 wasi_sched_yield(struct abi_ctx *c);
u64 wasi_poll_oneoff(struct abi_ctx *c, u32 in, u32 out, u32 n, u32 events);
u64 wasi_fd_advise(struct abi_ctx *c, u32 fd, u64 at, u64 n, u32 advice);
u64 wasi_fd_allocate(struct abi_ctx *c, u32 fd, u64 at, u64 n);
u64 wasi_fd_close(struct abi_ctx *c, u32 fd);
u64 wasi_fd_datasync(struct abi_ctx *c, u32 fd);
u64 wasi_fd_fdstat_get(struct abi_ctx *c, u32 fd, u32 out);
u64 wasi_fd_fdstat_set_flags(struct abi_ctx *c, u32 fd, u32 flags);
u64 wasi_fd_fdstat_set_rights(struct abi_ctx *c, u32 fd, u64 rights, u64 inherit);
u64 wasi_fd_filestat_get(struct abi_ctx *c, u32 fd, u32 out);
u64 wasi_fd_filestat_set_size(struct abi_ctx *c, u32 fd, u64 size);
u64 wasi_fd_filestat_set_times(struct abi_ctx *c, u32 fd, u64 atime, u64 mtime, u32 which);
u64 wasi_fd_pread(struct abi_ctx *c, u32 fd, u32 iovs, u32 count, u64 at, u32 out);
u64 wasi_fd_prestat_get(struct abi_ctx *c, u32 fd, u32 out);
u64 wasi_fd_prestat_dir_name(struct abi_ctx *c, u32 fd, u32 out, u32 n);
u64 wasi_fd_pwrite(struct abi_ctx *c, u32 fd, u32 iovs, u32 count, u64 at, u32 out);
u64 wasi_fd_read(struct abi_ctx *c, u32 fd, u32 iovs, u32 count, u32 out);
u64 wasi_fd_readdir(struct abi_ctx *c, u32 fd, u32 buf, u32 n, u64 cookie, u32 out);
u64 wasi_fd_renumber(struct abi_ctx *c, u32 from, u32 to);
u64 wasi_fd_seek(struct abi_ctx *c, u32 fd, i64 offset, u32 whence, u32 out);
u64 wasi_fd_sync(struct abi_ctx *c, u32 fd);
u64 wasi_fd_tell(struct abi_ctx *c, u32 fd, u32 out);
u64 wasi_fd_write(struct abi_ctx *c, u32 fd, u32 iovs, u32 count, u32 out);
u64 wasi_path_create_directory(struct abi_ctx *c, u32 fd, u32 path, u32 n);
u64 wasi_path_filestat_get(struct abi_ctx *c, u32 fd, u32 lookup, u32 path, u32 n, u32 out);
u64 wasi_path_filestat_set_times(struct abi_ctx *c, u32 fd, u32 lookup, u32 path, u32 n, u64 atime,
                                 u64 mtime, u32 which);
u64 wasi_path_link(struct abi_ctx *c, u32 fd, u32 lookup, u32 path, u32 n, u32 to_fd, u32 to, u32 to_n);
u64 wasi_path_open(struct abi_ctx *c, u32 fd, u32 lookup, u32 path, u32 n, u32 oflags, u64 rights,
                   u64 inherit, u32 fdflags, u32 out);
u64 wasi_path_readlink(struct abi_ctx *c, u32 fd, u32 path, u32 n, u32 buf, u32 cap, u32 out);
u64 wasi_path_remove_directory(struct abi_ctx *c, u32 fd, u32 path, u32 n);
u64 wasi_path_rename(struct abi_ctx *c, u32 fd, u32 path, u32 n, u32 to_fd, u32 to, u32 to_n);
u64 wasi_path_symlink(struct abi_ctx *c, u32 target, u32 target_n, u32 fd, u32 path, u32 n);
u64 wasi_path_unlink_file(struct abi_ctx *c, u32 fd, u32 path, u32 n);
u64 wasi_sock_accept(struct abi_ctx *c, u32 fd, u32 flags, u32 out);
u64 wasi_sock_recv(struct abi_ctx *c, u32 fd, u32 iovs, u32 n, u32 flags, u32 out, u32 oflags);
u64 wasi_sock_send(struct abi_ctx *c, u32 fd, u32 iovs, u32 n, u32 flags, u32 out);
u64 wasi_sock_shutdown(struct abi_ctx *c, u32 fd, u32 how);

#endif
