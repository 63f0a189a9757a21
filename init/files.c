/* files.c: struct wasi_host on the kernel's tree of names, for extensions.
 * A directory that a module was given is an inode behind an open file; below
 * it the walk is beneath: no link leads out. */
#include "init/files.h"

#include "base/mem.h"
#include "fs/vfs.h"
#include "kern/lock.h"
#include "kern/log.h"
#include "kern/thread.h"

static struct vfs_at at_of(struct wasi_at a) {
    const struct file *dir = a.dir;
    return (struct vfs_at){.base = dir->inode, .path = a.path, .beneath = true, .nofollow = a.nofollow};
}

static u32 flags_of(u32 wasi) {
    u32 f = LINUX_O_RDONLY;
    if (wasi & WASI_OPEN_WRITE) f = wasi & WASI_OPEN_READ ? LINUX_O_RDWR : LINUX_O_WRONLY;
    if (wasi & WASI_OPEN_CREATE) f |= LINUX_O_CREAT;
    if (wasi & WASI_OPEN_EXCLUSIVE) f |= LINUX_O_EXCL;
    if (wasi & WASI_OPEN_TRUNCATE) f |= LINUX_O_TRUNC;
    if (wasi & WASI_OPEN_DIRECTORY) f |= LINUX_O_DIRECTORY;
    if (wasi & WASI_OPEN_APPEND) f |= LINUX_O_APPEND;
    return f | LINUX_O_NONBLOCK; /* a pipe or device must not hold the worker up */
}

static enum wasi_filetype type_of(u32 mode) {
    switch (mode & LINUX_S_IFMT) {
    case LINUX_S_IFREG: return WASI_TYPE_REGULAR;
    case LINUX_S_IFDIR: return WASI_TYPE_DIRECTORY;
    case LINUX_S_IFLNK: return WASI_TYPE_LINK;
    case LINUX_S_IFCHR: return WASI_TYPE_CHARACTER;
    case LINUX_S_IFSOCK: return WASI_TYPE_SOCKET_STREAM;
    default: return WASI_TYPE_UNKNOWN;
    }
}

static void stat_of(const struct file_stat *s, struct wasi_stat *out) {
    *out = (struct wasi_stat){.dev = 1, .ino = s->ino, .type = type_of(s->mode), .nlink = s->nlink, .size = s->size,
                              .atime_ns = s->atime_ns, .mtime_ns = s->mtime_ns, .ctime_ns = s->ctime_ns};
}

/* A native handler runs with preemption off: it must not wait for a lock of
 * the tree. Handlers that use files are called by a worker (ext/record.c). */
#define MAY_BLOCK_OR_AGAIN \
    if (!thread_may_block()) return -LINUX_EAGAIN

static i64 open_at(void *self, struct wasi_at a, u32 flags, void **file) {
    MAY_BLOCK_OR_AGAIN;
    struct file *f;
    struct vfs_at at = at_of(a);
    i64 r = vfs_open(at, flags_of(flags), 0644, &f);
    if (r >= 0) *file = f;
    return r;
}
/* A file closed where nothing may block waits here for the next close that may. */
enum { CLOSING_MAX = 32 };
static struct file *closing[CLOSING_MAX];
static u32 closing_count; /* changed with preemption off */

static struct file *take_closing(void) {
    preempt_disable();
    struct file *f = closing_count ? closing[--closing_count] : NULL;
    preempt_enable();
    return f;
}

static void close_file(void *self, void *file) {
    if (thread_may_block()) {
        file_put(file);
        for (struct file *f; (f = take_closing());) file_put(f);
    } else if (closing_count < CLOSING_MAX) {
        closing[closing_count++] = file;
    } else {
        log_warn("files: an extension closes too many files in a native handler; one stays open");
    }
}

static i64 read_file(void *self, void *file, void *out, size_t n) {
    MAY_BLOCK_OR_AGAIN;
    return file_read(file, out, n);
}
static i64 write_file(void *self, void *file, const void *p, size_t n) {
    MAY_BLOCK_OR_AGAIN;
    return file_write(file, p, n);
}
static i64 pread_file(void *self, void *file, void *out, size_t n, u64 at) {
    MAY_BLOCK_OR_AGAIN;
    return file_pread(file, out, n, at);
}
static i64 pwrite_file(void *self, void *file, const void *p, size_t n, u64 at) {
    MAY_BLOCK_OR_AGAIN;
    return file_pwrite(file, p, n, at);
}
static i64 seek_file(void *self, void *file, i64 offset, int whence) {
    MAY_BLOCK_OR_AGAIN;
    return file_seek(file, offset, whence);
}
static i64 truncate_file(void *self, void *file, u64 size) {
    MAY_BLOCK_OR_AGAIN;
    return file_truncate(file, size);
}
static i64 sync_file(void *self, void *file) { return 0; } /* the tree lives in memory */

static i64 stat_file(void *self, void *file, struct wasi_stat *out) {
    MAY_BLOCK_OR_AGAIN;
    struct file_stat s;
    i64 r = file_stat(file, &s);
    if (r >= 0) stat_of(&s, out);
    return r;
}

struct listing {
    wasi_emit *emit;
    void *arg;
};
static bool emit_one(void *arg, struct bytes name, u64 ino, u32 mode, u64 next) {
    struct listing *l = arg;
    return l->emit(l->arg, name, ino, type_of(mode), next);
}
static i64 read_dir(void *self, void *file, u64 cookie, wasi_emit *emit, void *arg) {
    MAY_BLOCK_OR_AGAIN;
    struct listing l = {emit, arg};
    i64 r = file_seek(file, (i64)cookie, 0);
    return r < 0 ? r : file_readdir(file, emit_one, &l);
}

static i64 stat_at(void *self, struct wasi_at a, struct wasi_stat *out) {
    MAY_BLOCK_OR_AGAIN;
    struct file_stat s;
    i64 r = vfs_stat(at_of(a), &s);
    if (r >= 0) stat_of(&s, out);
    return r;
}
static i64 mkdir_at(void *self, struct wasi_at a) {
    MAY_BLOCK_OR_AGAIN;
    return vfs_mkdir(at_of(a), 0755);
}
static i64 unlink_at(void *self, struct wasi_at a) {
    MAY_BLOCK_OR_AGAIN;
    return vfs_unlink(at_of(a));
}
static i64 rmdir_at(void *self, struct wasi_at a) {
    MAY_BLOCK_OR_AGAIN;
    return vfs_rmdir(at_of(a));
}
static i64 rename_at(void *self, struct wasi_at from, struct wasi_at to) {
    MAY_BLOCK_OR_AGAIN;
    return vfs_rename(at_of(from), at_of(to), false);
}
static i64 readlink_at(void *self, struct wasi_at a, char *out, size_t cap) {
    MAY_BLOCK_OR_AGAIN;
    return vfs_readlink(at_of(a), out, cap);
}

static i64 link_at(void *self, struct wasi_at from, struct wasi_at to) {
    MAY_BLOCK_OR_AGAIN;
    return vfs_link(at_of(from), at_of(to));
}
static i64 symlink_at(void *self, const char *target, struct wasi_at a) {
    MAY_BLOCK_OR_AGAIN;
    return vfs_symlink(at_of(a), target);
}
static i64 set_times_at(void *self, struct wasi_at a, u64 atime_ns, u64 mtime_ns) {
    MAY_BLOCK_OR_AGAIN;
    return vfs_set_times(at_of(a), atime_ns, mtime_ns);
}
static i64 set_times(void *self, void *file, u64 atime_ns, u64 mtime_ns) {
    MAY_BLOCK_OR_AGAIN;
    struct file *f = file;
    return f->inode ? inode_set_times(f->inode, atime_ns, mtime_ns) : -LINUX_EINVAL;
}
static i64 set_flags(void *self, void *file, u32 wasi) {
    struct file *f = file;
    u32 may = LINUX_O_APPEND | LINUX_O_NONBLOCK, now = flags_of(wasi) & may;
    if (!(wasi & WASI_OPEN_NONBLOCK)) now &= ~(u32)LINUX_O_NONBLOCK;
    __atomic_store_n(&f->flags, (f->flags & ~may) | now, __ATOMIC_RELAXED);
    return 0;
}

/* A program's own thread may wait for a pipe or a device. */
i64 files_open_blocking(void *self, struct wasi_at a, u32 flags, void **file) {
    i64 r = open_at(self, a, flags, file);
    if (r >= 0) set_flags(self, *file, flags);
    return r;
}

const struct wasi_host files_wasi = {
    .open = open_at, .close = close_file, .read = read_file, .write = write_file,
    .pread = pread_file, .pwrite = pwrite_file, .seek = seek_file, .truncate = truncate_file,
    .sync = sync_file, .stat = stat_file, .readdir = read_dir, .stat_at = stat_at,
    .mkdir = mkdir_at, .unlink = unlink_at, .rmdir = rmdir_at, .rename = rename_at,
    .readlink = readlink_at, .link = link_at, .symlink = symlink_at, .set_times = set_times,
    .set_times_at = set_times_at, .set_flags = set_flags,
};

i64 files_open_dir(const char *path, void **dir) {
    i64 r = vfs_mkdir((struct vfs_at){.path = path}, 0755);
    if (r < 0 && r != -LINUX_EEXIST) return r;
    struct file *f;
    r = vfs_open((struct vfs_at){.path = path}, LINUX_O_RDONLY | LINUX_O_DIRECTORY, 0, &f);
    if (r >= 0) *dir = f;
    return r;
}

i64 files_open(const char *path, void **file) {
    struct file *f;
    i64 r = vfs_open((struct vfs_at){.path = path}, LINUX_O_RDONLY | LINUX_O_NONBLOCK, 0, &f);
    if (r >= 0) *file = f;
    return r;
}
