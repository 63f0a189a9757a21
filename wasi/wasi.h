/* wasi.h: WASI preview 1 (wasi_snapshot_preview1) for modules, over functions
 * that the embedder brings: the kernel its vfs, the host command its files.
 *
 * One struct wasi is one program's view: arguments, environment, open files,
 * preopened directories. It is attached to one store. wasi_define puts all
 * functions into a linker once; they find their struct wasi through the caller's store.
 * What a host lacks (a NULL pointer) answers ENOSYS to the module.
 *
 * Threads: as its store. Errors of host functions: results >= 0, or a negated
 * Linux errno number (the kernel's own, and the host's).
 * Escapes: a path that is absolute or climbs above its directory is refused
 * here; links that lead outside must be refused by the host's walk. */
#ifndef WHELK_WASI_WASI_H
#define WHELK_WASI_WASI_H

#include "base/arena.h"
#include "base/err.h"
#include "rt/rt.h"

enum wasi_filetype {
    WASI_TYPE_UNKNOWN = 0,
    WASI_TYPE_BLOCK = 1,
    WASI_TYPE_CHARACTER = 2,
    WASI_TYPE_DIRECTORY = 3,
    WASI_TYPE_REGULAR = 4,
    WASI_TYPE_SOCKET_DGRAM = 5,
    WASI_TYPE_SOCKET_STREAM = 6,
    WASI_TYPE_LINK = 7,
};

enum { WASI_CLOCK_REALTIME = 0, WASI_CLOCK_MONOTONIC = 1, WASI_CLOCK_PROCESS = 2, WASI_CLOCK_THREAD = 3 };

enum wasi_open {
    WASI_OPEN_READ = 1,
    WASI_OPEN_WRITE = 2,
    WASI_OPEN_CREATE = 4,
    WASI_OPEN_EXCLUSIVE = 8,
    WASI_OPEN_TRUNCATE = 16,
    WASI_OPEN_DIRECTORY = 32, /* fail unless it is one */
    WASI_OPEN_APPEND = 64,
    WASI_OPEN_NONBLOCK = 128,
    WASI_OPEN_SYNC = 256,
};

struct wasi_stat {
    u64 dev, ino;
    enum wasi_filetype type;
    u64 nlink, size;
    u64 atime_ns, mtime_ns, ctime_ns;
};

/* A name below an open directory. path is relative, zero-terminated, without
 * climbing above dir by "..". The host must not leave dir by symbolic links
 * (vfs_at.beneath; RESOLVE_BENEATH) and answers -EXDEV for one that tries. */
struct wasi_at {
    void *dir; /* of open(), or a preopen */
    const char *path;
    bool nofollow; /* do not follow a link in the last part */
};

/* One descriptor of poll_oneoff. file: the host's. */
struct wasi_poll {
    void *file;
    bool write;  /* wanted: room to write; else bytes to read */
    bool ready;  /* answer; also when reading or writing would fail at once */
    bool hangup; /* answer: the other side has closed */
    u64 bytes;   /* answer: at least so many can be read or written without waiting */
};

/* next: the cookie to go on after this entry. false: not taken, stop. */
typedef bool wasi_emit(void *arg, struct bytes name, u64 ino, enum wasi_filetype type, u64 next);

/* Any pointer may be NULL. file is what open() gave out, or a preopen's dir. */
struct wasi_host {
    void *self;
    i64 (*clock_ns)(void *self, u32 clock);
    i64 (*random)(void *self, void *out, size_t n); /* all n bytes, or an error */
    i64 (*sleep_until)(void *self, u64 monotonic_ns); /* programs only; extensions leave it NULL */
    void (*yield)(void *self);

    i64 (*open)(void *self, struct wasi_at at, u32 flags, void **file);
    void (*close)(void *self, void *file);
    i64 (*read)(void *self, void *file, void *out, size_t n);
    i64 (*write)(void *self, void *file, const void *p, size_t n);
    i64 (*pread)(void *self, void *file, void *out, size_t n, u64 at);
    i64 (*pwrite)(void *self, void *file, const void *p, size_t n, u64 at);
    i64 (*seek)(void *self, void *file, i64 offset, int whence); /* 0 set, 1 current, 2 end */
    i64 (*truncate)(void *self, void *file, u64 size);
    i64 (*sync)(void *self, void *file);
    i64 (*stat)(void *self, void *file, struct wasi_stat *out);
    i64 (*set_times)(void *self, void *file, u64 atime_ns, u64 mtime_ns); /* UINT64_MAX: leave */
    i64 (*readdir)(void *self, void *file, u64 cookie, wasi_emit *emit, void *arg); /* cookie 0: start */
    i64 (*set_flags)(void *self, void *file, u32 flags); /* WASI_OPEN_APPEND and NONBLOCK, as they shall be */
    /* Waits until something is ready: how many are; 0 when the monotonic deadline
     * has come (0: looks only; UINT64_MAX: none). */
    i64 (*poll)(void *self, struct wasi_poll *list, u32 n, u64 deadline_ns);

    /* Sockets are files too: read, write, close and poll take them. */
    i64 (*accept)(void *self, void *listener, bool nonblock, void **file);
    i64 (*recv)(void *self, void *file, void *out, size_t n, u32 flags); /* WASI_RECV_* */
    i64 (*send)(void *self, void *file, const void *p, size_t n);
    i64 (*shutdown)(void *self, void *file, u32 how); /* WASI_SHUT_* */

    i64 (*stat_at)(void *self, struct wasi_at at, struct wasi_stat *out);
    i64 (*set_times_at)(void *self, struct wasi_at at, u64 atime_ns, u64 mtime_ns);
    i64 (*mkdir)(void *self, struct wasi_at at);
    i64 (*unlink)(void *self, struct wasi_at at);
    i64 (*rmdir)(void *self, struct wasi_at at);
    i64 (*rename)(void *self, struct wasi_at from, struct wasi_at to);
    i64 (*link)(void *self, struct wasi_at from, struct wasi_at to);
    i64 (*symlink)(void *self, const char *target, struct wasi_at at);
    i64 (*readlink)(void *self, struct wasi_at at, char *out, size_t cap); /* bytes, not terminated */
};

enum { WASI_RECV_PEEK = 1, WASI_RECV_WAITALL = 2 };
enum { WASI_SHUT_RD = 1, WASI_SHUT_WR = 2 };

/* Descriptors 0, 1 and 2. read == NULL on 0: the record of wasi_set_record.
 * write == NULL on 1 or 2: what is written is dropped. */
struct wasi_stream {
    i64 (*read)(void *self, void *out, size_t n);
    i64 (*write)(void *self, const void *p, size_t n);
    void *self;
    void *file; /* for wasi_host.poll; NULL: always ready */
    bool tty; /* wasi-libc buffers stdout by lines when it is one */
};

struct wasi_preopen {
    const char *name; /* as the module sees it: "/data", "." */
    void *dir;        /* closed by wasi_free */
};

/* Everything but host and source is copied. */
struct wasi_config {
    const struct wasi_host *host;      /* must live as long */
    const struct arena_source *source; /* memory for it all */
    const char *const *args, *const *env; /* env: "NAME=value" */
    u32 arg_count, env_count;
    struct wasi_stream streams[3];
    const struct wasi_preopen *preopens; /* descriptors 3, 4, ... */
    u32 preopen_count;
    /* Listening stream sockets: the descriptors after the preopens, where a libc
     * that looks for directories has stopped. Closed by wasi_free. */
    void *const *listeners;
    u32 listener_count;
};

struct wasi;

/* ERR_NOMEM, ERR_LIMIT (too many preopens). On failure preopens and listeners stay the caller's. */
enum err wasi_new(const struct wasi_config *c, struct wasi **out);
/* Closes what is open, the preopens too. */
void wasi_free(struct wasi *w); /* NULL allowed */
/* w must outlive what runs in s. */
void wasi_attach(struct wasi *w, struct rt_store *s);

/* All of wasi_snapshot_preview1: ERR_EXISTS, ERR_NOMEM (a part may be defined). */
enum err wasi_define(struct rt_linker *l);

/* What descriptor 0 reads from now on: these bytes, then end of file. Borrowed
 * until the next call. */
void wasi_set_record(struct wasi *w, struct bytes record);

/* After ABI_TRAP_EXIT: the status given to proc_exit. */
u32 wasi_exit_code(const struct wasi *w);

#endif
