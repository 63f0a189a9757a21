/* call_path.c: opening and asking by path. */
#include "base/mem.h"
#include "kern/heap.h"
#include "sys/at.h"
#include "sys/calls.h"
#include "sys/filestat.h"

static struct inode *cwd(void) {
    mutex_lock(&process.lock);
    struct inode *i = inode_get(process.cwd);
    mutex_unlock(&process.lock);
    return i;
}

static i64 base_of(u64 dirfd, struct inode **out) {
    if ((i32)dirfd == AT_FDCWD) {
        *out = cwd();
        return 0;
    }
    struct file *f = fd_any((u32)dirfd);
    if (!f) return -LINUX_EBADF;
    i64 r = f->inode ? 0 : -LINUX_ENOTDIR;
    if (r == 0) *out = inode_get(f->inode);
    file_put(f);
    return r;
}

i64 at_begin(struct at *at, u64 dirfd, u64 user_path, u32 flags) {
    *at = (struct at){0};
    i64 r = path_read(user_path, &at->path);
    if (r < 0) return r;
    /* An absolute path does not look at dirfd (openat(2)). */
    r = base_of(at->path[0] == '/' ? (u64)AT_FDCWD : dirfd, &at->base);
    if (r < 0) {
        kfree(at->path);
        return r;
    }
    at->v = (struct vfs_at){.base = at->base, .path = at->path, .nofollow = flags & AT_SYMLINK_NOFOLLOW,
                            .empty = flags & AT_EMPTY_PATH};
    return 0;
}

void at_end(struct at *at) {
    inode_put(at->base);
    kfree(at->path);
}

/* What open(2) knows but has no effect here is refused; what is unknown too. */
static i64 open_flags(u64 flags) {
    const u64 known = LINUX_O_ACCMODE | LINUX_O_CREAT | LINUX_O_EXCL | LINUX_O_NOCTTY | LINUX_O_TRUNC | LINUX_O_APPEND |
                      LINUX_O_NONBLOCK | LINUX_O_SYNC | LINUX_O_LARGEFILE | LINUX_O_DIRECTORY | LINUX_O_NOFOLLOW |
                      LINUX_O_NOATIME | LINUX_O_CLOEXEC | LINUX_O_PATH;
    if (flags & LINUX_O_CREAT && flags & LINUX_O_DIRECTORY) return -LINUX_EINVAL; /* as Linux since 6.4 */
    if (!(flags & ~known) && (flags & LINUX_O_ACCMODE) != 3) return 0;
    refuse_once("open with flags", flags & ~known);
    return (flags & LINUX_O_TMPFILE) == LINUX_O_TMPFILE ? -LINUX_EOPNOTSUPP : -LINUX_EINVAL;
}

static i64 do_open(u64 dirfd, u64 path, u64 flags, u64 mode) {
    struct at at;
    struct file *f;
    i64 r = open_flags(flags = (u32)flags);
    if (r < 0 || (r = at_begin(&at, dirfd, path, 0)) < 0) return r;
    r = vfs_open(at.v, (u32)flags, (u32)mode & ~process.umask, &f);
    at_end(&at);
    return r < 0 ? r : fd_install(f, 0, flags & LINUX_O_CLOEXEC);
}
i64 call_open(const struct call *c) { return do_open((u64)AT_FDCWD, c->a[0], c->a[1], c->a[2]); }
i64 call_openat(const struct call *c) { return do_open(c->a[0], c->a[1], c->a[2], c->a[3]); }
i64 call_creat(const struct call *c) {
    return do_open((u64)AT_FDCWD, c->a[0], LINUX_O_CREAT | LINUX_O_WRONLY | LINUX_O_TRUNC, c->a[1]);
}

/* struct stat, x86-64. */
struct linux_stat {
    u64 dev, ino, nlink;
    u32 mode, uid, gid, pad;
    u64 rdev;
    i64 size, block_size, blocks;
    struct timespec atime, mtime, ctime;
    i64 unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "Linux ABI");

i64 stat_write(u64 user, const struct file_stat *st) {
    struct linux_stat s = {
        .dev = 1, .ino = st->ino, .nlink = st->nlink, .mode = st->mode, .rdev = st->rdev,
        .size = (i64)st->size, .block_size = 4096, .blocks = (i64)((st->size + 511) / 512),
        .atime = timespec_of(st->atime_ns), .mtime = timespec_of(st->mtime_ns), .ctime = timespec_of(st->ctime_ns)};
    return user_write(user, &s, sizeof s) ? 0 : -LINUX_EFAULT;
}

/* struct statx (statx(2)). */
struct statx_time {
    i64 sec;
    u32 nsec, pad;
};
struct linux_statx {
    u32 mask, block_size;
    u64 attributes;
    u32 nlink, uid, gid;
    u16 mode, pad;
    u64 ino, size, blocks, attributes_mask;
    struct statx_time atime, btime, ctime, mtime;
    u32 rdev_major, rdev_minor, dev_major, dev_minor;
    u64 mount, spare[13];
};
_Static_assert(sizeof(struct linux_statx) == 256, "Linux ABI");

static struct statx_time statx_time(u64 ns) {
    return (struct statx_time){.sec = (i64)(ns / 1000000000), .nsec = (u32)(ns % 1000000000)};
}

i64 statx_write(u64 user, const struct file_stat *st) {
    enum { BASIC = 0x7ff };
    struct linux_statx s = {
        .mask = BASIC, .block_size = 4096, .nlink = st->nlink, .mode = (u16)st->mode, .ino = st->ino,
        .size = st->size, .blocks = (st->size + 511) / 512, .atime = statx_time(st->atime_ns),
        .ctime = statx_time(st->ctime_ns), .mtime = statx_time(st->mtime_ns),
        .rdev_major = (u32)(st->rdev >> 8), .rdev_minor = (u32)(st->rdev & 0xff), .dev_minor = 1};
    return user_write(user, &s, sizeof s) ? 0 : -LINUX_EFAULT;
}

/* With AT_EMPTY_PATH the descriptor itself is asked: it may have no inode. */
static i64 stat_by(u64 dirfd, u64 user_path, u32 flags, struct file_stat *st) {
    char first;
    struct at at;
    struct file *f;
    if ((flags & AT_EMPTY_PATH) && (i32)dirfd != AT_FDCWD && user_read(&first, user_path, 1) && !first) {
        if (!(f = fd_any((u32)dirfd))) return -LINUX_EBADF;
        i64 r = file_stat(f, st);
        file_put(f);
        return r;
    }
    i64 r = at_begin(&at, dirfd, user_path, flags);
    if (r < 0) return r;
    r = vfs_stat(at.v, st);
    at_end(&at);
    return r;
}

static i64 do_stat(u64 dirfd, u64 path, u64 out, u64 flags) {
    struct file_stat st;
    if (flags & ~(u64)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT)) return -LINUX_EINVAL;
    i64 r = stat_by(dirfd, path, (u32)flags, &st);
    return r < 0 ? r : stat_write(out, &st);
}
i64 call_stat(const struct call *c) { return do_stat((u64)AT_FDCWD, c->a[0], c->a[1], 0); }
i64 call_lstat(const struct call *c) { return do_stat((u64)AT_FDCWD, c->a[0], c->a[1], AT_SYMLINK_NOFOLLOW); }
i64 call_newfstatat(const struct call *c) { return do_stat(c->a[0], c->a[1], c->a[2], c->a[3]); }

i64 call_statx(const struct call *c) {
    struct file_stat st;
    if (c->a[2] & ~(u64)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC)) return -LINUX_EINVAL;
    i64 r = stat_by(c->a[0], c->a[1], (u32)c->a[2], &st);
    return r < 0 ? r : statx_write(c->a[4], &st);
}

/* The program is root: permission bits count only for execution. */
static i64 do_access(u64 dirfd, u64 path, u64 mode, u64 flags) {
    struct file_stat st;
    if (mode & ~7ull || flags & ~(u64)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -LINUX_EINVAL;
    i64 r = stat_by(dirfd, path, (u32)flags & ~(u32)AT_EACCESS, &st);
    if (r < 0) return r;
    bool dir = (st.mode & LINUX_S_IFMT) == LINUX_S_IFDIR;
    return (mode & 1) && !dir && !(st.mode & 0111) ? -LINUX_EACCES : 0;
}
i64 call_access(const struct call *c) { return do_access((u64)AT_FDCWD, c->a[0], c->a[1], 0); }
i64 call_faccessat(const struct call *c) { return do_access(c->a[0], c->a[1], c->a[2], 0); }
i64 call_faccessat2(const struct call *c) { return do_access(c->a[0], c->a[1], c->a[2], c->a[3]); }

i64 call_truncate(const struct call *c) {
    struct at at;
    if (c->a[1] > INT64_MAX) return -LINUX_EINVAL;
    i64 r = at_begin(&at, (u64)AT_FDCWD, c->a[0], 0);
    if (r < 0) return r;
    r = vfs_truncate(at.v, c->a[1]);
    at_end(&at);
    return r;
}

i64 call_getcwd(const struct call *c) {
    char *path = kmalloc(LINUX_PATH_MAX);
    if (!path) return -LINUX_ENOMEM;
    struct inode *i = cwd();
    i64 r = vfs_path(i, path, (size_t)MIN(c->a[1], (u64)LINUX_PATH_MAX));
    if (r >= 0 && !user_write(c->a[0], path, (size_t)r)) r = -LINUX_EFAULT;
    inode_put(i);
    kfree(path);
    return r;
}

/* Consumes the reference. */
static i64 change_dir(struct inode *i) {
    if ((inode_mode(i) & LINUX_S_IFMT) != LINUX_S_IFDIR) {
        inode_put(i);
        return -LINUX_ENOTDIR;
    }
    mutex_lock(&process.lock);
    struct inode *old = process.cwd;
    process.cwd = i;
    mutex_unlock(&process.lock);
    inode_put(old);
    return 0;
}

i64 call_chdir(const struct call *c) {
    struct at at;
    struct inode *i;
    i64 r = at_begin(&at, (u64)AT_FDCWD, c->a[0], 0);
    if (r < 0) return r;
    r = vfs_walk(at.v, &i);
    at_end(&at);
    return r < 0 ? r : change_dir(i);
}

i64 call_fchdir(const struct call *c) {
    struct inode *i;
    if ((i32)c->a[0] == AT_FDCWD) return -LINUX_EBADF;
    i64 r = base_of(c->a[0], &i);
    return r < 0 ? r : change_dir(i);
}
