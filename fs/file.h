/* file.h: an open file of any kind: regular, directory, device, pipe, socket,
 * eventfd, epoll.
 *
 * Errors: every function returns a result >= 0 or a negated LINUX_E* number.
 * Threads: all functions are for thread context and may block, unless said.
 * Ownership: a struct file is counted; file_get and file_put. The last put
 *   closes it. Buffers are the caller's, in kernel memory or in checked and
 *   faulted-in program memory. */
#ifndef WHELK_FS_FILE_H
#define WHELK_FS_FILE_H

#include "base/list.h"
#include "base/types.h"
#include "fs/linux.h"
#include "kern/lock.h"
#include "kern/wait.h"

struct file;
struct inode;

struct file_stat {
    u64 ino;
    u32 mode; /* LINUX_S_IF* and permissions */
    u32 nlink;
    u64 size; /* bytes */
    u64 rdev;
    u64 atime_ns, mtime_ns, ctime_ns; /* wall clock */
};

/* One name of a directory. next: the position to give to continue after it.
 * false ends the listing; that entry counts as not taken. */
typedef bool file_emit(void *arg, struct bytes name, u64 ino, u32 mode, u64 next);

/* What a kind of file can do. A NULL entry means: not on this kind (EINVAL,
 * ESPIPE, ENOTTY or ENOTDIR, as Linux answers). */
struct file_ops {
    const char *kind; /* "socket", "pipe", ... for logs and /proc */
    /* pos: the offset to use and to advance; ignored by streams. */
    i64 (*read)(struct file *f, void *buf, size_t n, u64 *pos);
    i64 (*write)(struct file *f, const void *buf, size_t n, u64 *pos);
    bool seekable;
    bool anonymous; /* has no inode of its own: Linux has one for all such files, which flock locks */
    /* Gives back the last n bytes that a read took, which did not reach the program; NULL: they are lost. */
    void (*unread)(struct file *f, const void *buf, size_t n);
    /* What is ready now: LINUX_POLL*. Must not block; NULL means always in and out.
     * Changes are told through f->queue. */
    u32 (*poll)(struct file *f);
    /* arg is the raw third argument; sys/ has checked nothing about it. */
    i64 (*ioctl)(struct file *f, u32 request, u64 arg);
    i64 (*truncate)(struct file *f, u64 size);
    i64 (*stat)(struct file *f, struct file_stat *out);
    i64 (*readdir)(struct file *f, u64 *pos, file_emit *emit, void *arg);
    void (*close)(struct file *f); /* frees f->object */
};

struct file {
    /* fixed after open */
    const struct file_ops *ops;
    void *object;         /* of the kind: pipe, socket, ... */
    struct inode *inode;  /* counted; NULL for files without a name */
    struct waitq *queue;  /* woken when poll() may have changed; NULL: never changes */
    /* atomic */
    u32 refs;
    u32 flags;            /* LINUX_O_*: access mode, APPEND, NONBLOCK */
    /* under lock */
    struct mutex lock;
    u64 pos;
    struct list watches;  /* epoll's, under epoll's lock */
};

/* A file with one reference, or NULL when memory is short. */
struct file *file_new(const struct file_ops *ops, void *object, u32 flags);
struct file *file_get(struct file *f);
void file_put(struct file *f); /* NULL allowed */

static inline bool file_readable(const struct file *f) {
    return (f->flags & LINUX_O_ACCMODE) != LINUX_O_WRONLY && !(f->flags & LINUX_O_PATH);
}
static inline bool file_writable(const struct file *f) {
    return (f->flags & LINUX_O_ACCMODE) != LINUX_O_RDONLY && !(f->flags & LINUX_O_PATH);
}

/* Bytes moved; fewer than n is not an error. -EAGAIN for an O_NONBLOCK file
 * that would block, -EINTR when the thread was interrupted first. */
i64 file_read(struct file *f, void *buf, size_t n);
i64 file_write(struct file *f, const void *buf, size_t n);
i64 file_pread(struct file *f, void *buf, size_t n, u64 offset);
i64 file_pwrite(struct file *f, const void *buf, size_t n, u64 offset);
i64 file_seek(struct file *f, i64 offset, int whence);
i64 file_truncate(struct file *f, u64 size);
i64 file_stat(struct file *f, struct file_stat *out);
/* Emits entries from f's position on, and moves it; 0 at the end as well. */
i64 file_readdir(struct file *f, file_emit *emit, void *arg);
/* Never blocks. */
u32 file_poll(struct file *f);
i64 file_ioctl(struct file *f, u32 request, u64 arg);

/* epoll and flock register here, each at its own, to hear of a file's last close. */
extern void (*file_closing)(struct file *f), (*file_unlocking)(struct file *f);

#endif
