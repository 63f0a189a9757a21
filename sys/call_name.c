/* call_name.c: making, moving and taking away names; attributes. */
#include "base/mem.h"
#include "kern/heap.h"
#include "kern/page.h"
#include "kern/time.h"
#include "sys/at.h"
#include "sys/calls.h"

#define CWD ((u64)AT_FDCWD)

static i64 do_mkdir(u64 dirfd, u64 path, u64 mode) {
    struct at at;
    i64 r = at_begin(&at, dirfd, path, 0);
    if (r < 0) return r;
    r = vfs_mkdir(at.v, (u32)mode & 01777 & ~process.umask);
    at_end(&at);
    return r;
}
i64 call_mkdir(const struct call *c) { return do_mkdir(CWD, c->a[0], c->a[1]); }
i64 call_mkdirat(const struct call *c) { return do_mkdir(c->a[0], c->a[1], c->a[2]); }

static i64 do_unlink(u64 dirfd, u64 path, u64 flags) {
    struct at at;
    if (flags & ~(u64)AT_REMOVEDIR) return -LINUX_EINVAL;
    i64 r = at_begin(&at, dirfd, path, 0);
    if (r < 0) return r;
    r = flags ? vfs_rmdir(at.v) : vfs_unlink(at.v);
    at_end(&at);
    return r;
}
i64 call_rmdir(const struct call *c) { return do_unlink(CWD, c->a[0], AT_REMOVEDIR); }
i64 call_unlink(const struct call *c) { return do_unlink(CWD, c->a[0], 0); }
i64 call_unlinkat(const struct call *c) { return do_unlink(c->a[0], c->a[1], c->a[2]); }

enum pair_kind { PAIR_RENAME, PAIR_RENAME_NEW, PAIR_LINK };

static i64 do_pair(enum pair_kind kind, u64 from_dir, u64 from, u64 to_dir, u64 to, u32 flags) {
    struct at a, b;
    i64 r = at_begin(&a, from_dir, from, flags);
    if (r < 0) return r;
    r = at_begin(&b, to_dir, to, 0);
    if (r >= 0) {
        r = kind == PAIR_LINK ? vfs_link(a.v, b.v) : vfs_rename(a.v, b.v, kind == PAIR_RENAME_NEW);
        at_end(&b);
    }
    at_end(&a);
    return r;
}
i64 call_rename(const struct call *c) { return do_pair(PAIR_RENAME, CWD, c->a[0], CWD, c->a[1], 0); }
i64 call_renameat(const struct call *c) { return do_pair(PAIR_RENAME, c->a[0], c->a[1], c->a[2], c->a[3], 0); }
i64 call_renameat2(const struct call *c) {
    if (c->a[4] > 1) return -LINUX_EINVAL; /* RENAME_EXCHANGE, RENAME_WHITEOUT */
    return do_pair(c->a[4] ? PAIR_RENAME_NEW : PAIR_RENAME, c->a[0], c->a[1], c->a[2], c->a[3], 0);
}
i64 call_link(const struct call *c) { return do_pair(PAIR_LINK, CWD, c->a[0], CWD, c->a[1], AT_SYMLINK_NOFOLLOW); }
i64 call_linkat(const struct call *c) {
    if (c->a[4] & ~(u64)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) return -LINUX_EINVAL;
    u32 flags = (c->a[4] & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW) | (c->a[4] & AT_EMPTY_PATH);
    return do_pair(PAIR_LINK, c->a[0], c->a[1], c->a[2], c->a[3], flags);
}

static i64 do_symlink(u64 target, u64 dirfd, u64 path) {
    struct at at;
    char *text;
    i64 r = path_read(target, &text);
    if (r < 0) return r;
    r = at_begin(&at, dirfd, path, 0);
    if (r >= 0) {
        r = vfs_symlink(at.v, text);
        at_end(&at);
    }
    kfree(text);
    return r;
}
i64 call_symlink(const struct call *c) { return do_symlink(c->a[0], CWD, c->a[1]); }
i64 call_symlinkat(const struct call *c) { return do_symlink(c->a[0], c->a[1], c->a[2]); }

static i64 do_readlink(u64 dirfd, u64 path, u64 out, u64 cap) {
    struct at at;
    if (!cap || cap > INT32_MAX) return -LINUX_EINVAL;
    i64 r = at_begin(&at, dirfd, path, AT_EMPTY_PATH);
    if (r < 0) return r;
    char *text = kmalloc(LINUX_PATH_MAX);
    r = text ? vfs_readlink(at.v, text, (size_t)MIN(cap, (u64)LINUX_PATH_MAX)) : -LINUX_ENOMEM;
    if (r >= 0 && !user_write(out, text, (size_t)r)) r = -LINUX_EFAULT;
    if (r == -LINUX_EINVAL && !at.path[0]) r = -LINUX_ENOENT;
    kfree(text);
    at_end(&at);
    return r;
}
i64 call_readlink(const struct call *c) { return do_readlink(CWD, c->a[0], c->a[1], c->a[2]); }
i64 call_readlinkat(const struct call *c) { return do_readlink(c->a[0], c->a[1], c->a[2], c->a[3]); }

static i64 do_chmod(u64 dirfd, u64 path, u64 mode) {
    struct at at;
    i64 r = at_begin(&at, dirfd, path, 0);
    if (r < 0) return r;
    r = vfs_chmod(at.v, (u32)mode);
    at_end(&at);
    return r;
}
i64 call_chmod(const struct call *c) { return do_chmod(CWD, c->a[0], c->a[1]); }
i64 call_fchmodat(const struct call *c) { return do_chmod(c->a[0], c->a[1], c->a[2]); }
i64 call_fchmod(const struct call *c) {
    struct file *f = fd_file(c->a[0]);
    if (!f) return -LINUX_EBADF;
    struct vfs_at at = {.base = f->inode, .path = "", .empty = true};
    i64 r = f->inode ? vfs_chmod(at, (u32)c->a[1]) : -LINUX_EOPNOTSUPP;
    file_put(f);
    return r;
}

i64 call_umask(const struct call *c) { return __atomic_exchange_n(&process.umask, (u32)c->a[0] & 0777, __ATOMIC_RELAXED); }

/* utimensat(2): UTIME_NOW and UTIME_OMIT stand in the nanoseconds. */
static i64 times_read(u64 user, u64 ns[2]) {
    enum { NOW = (1 << 30) - 1, OMIT = (1 << 30) - 2 };
    struct timespec t[2];
    ns[0] = ns[1] = time_wall_ns();
    if (!user) return 0;
    if (!user_read(t, user, sizeof t)) return -LINUX_EFAULT;
    for (int i = 0; i < 2; i++) {
        if (t[i].nsec == NOW) continue;
        if (t[i].nsec == OMIT) ns[i] = UINT64_MAX;
        else if (t[i].nsec < 0 || t[i].nsec > 999999999 || t[i].sec < 0 || t[i].sec > 1ll << 33) return -LINUX_EINVAL;
        else ns[i] = (u64)t[i].sec * 1000000000 + (u64)t[i].nsec;
    }
    return 0;
}

i64 call_utimensat(const struct call *c) {
    u64 ns[2];
    struct at at;
    i64 r = times_read(c->a[2], ns);
    if (r < 0 || c->a[3] & ~(u64)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return r < 0 ? r : -LINUX_EINVAL;
    if (!c->a[1] && (i32)c->a[0] != AT_FDCWD) { /* futimens(3) */
        struct file *f = fd_file(c->a[0]);
        if (!f) return -LINUX_EBADF;
        r = f->inode ? inode_set_times(f->inode, ns[0], ns[1]) : -LINUX_EINVAL;
        file_put(f);
        return r;
    }
    if ((r = at_begin(&at, c->a[0], c->a[1], (u32)c->a[3])) < 0) return r;
    r = vfs_set_times(at.v, ns[0], ns[1]);
    at_end(&at);
    return r;
}

struct linux_statfs {
    i64 type, block_size;
    u64 blocks, free, available, files, files_free;
    i32 id[2];
    i64 name_max, fragment, flags, spare[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "Linux ABI");

static i64 statfs_write(u64 user) {
    struct linux_statfs s = {.type = 0x01021994 /* TMPFS_MAGIC */, .block_size = PAGE_SIZE, .blocks = pages_total(),
                             .free = pages_free(), .available = pages_free(), .files = vfs_usage().inodes,
                             .name_max = LINUX_NAME_MAX, .fragment = PAGE_SIZE};
    return user_write(user, &s, sizeof s) ? 0 : -LINUX_EFAULT;
}
i64 call_statfs(const struct call *c) {
    struct at at;
    struct file_stat st;
    i64 r = at_begin(&at, CWD, c->a[0], 0);
    if (r < 0) return r;
    r = vfs_stat(at.v, &st);
    at_end(&at);
    return r < 0 ? r : statfs_write(c->a[1]);
}
i64 call_fstatfs(const struct call *c) {
    struct file *f = fd_any(c->a[0]);
    if (!f) return -LINUX_EBADF;
    file_put(f);
    return statfs_write(c->a[1]);
}
