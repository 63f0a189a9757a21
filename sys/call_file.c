/* call_file.c: calls about files that few programs make: advice, space, times of
 * the older kinds, files without a name; and memory that stays. */
#include "base/mem.h"
#include "fs/tmpfs.h"
#include "kern/page.h"
#include "kern/time.h"
#include "kern/vm.h"
#include "sys/at.h"
#include "sys/calls.h"
#include "sys/mm.h"

#define CWD ((u64)(i64)AT_FDCWD)

/* Those that Linux knows, whatever the file. */
static bool known_mode(u64 mode) {
    enum { KEEP_SIZE = 1, PUNCH = 2, COLLAPSE = 8, ZERO = 16, INSERT = 32, UNSHARE = 64 };
    u64 kind = mode & ~(u64)KEEP_SIZE;
    if (mode == kind) return !kind || kind == COLLAPSE || kind == ZERO || kind == INSERT || kind == UNSHARE;
    return !kind || kind == PUNCH || kind == ZERO || kind == UNSHARE;
}

/* Only the plain kind; the space is there when it is written, or ENOSPC then. */
i64 call_fallocate(const struct call *c) {
    struct file_stat s;
    i64 at = (i64)c->a[2], n = (i64)c->a[3], end;
    struct file *f = fd_file(c->a[0]);
    if (!f) return -LINUX_EBADF;
    i64 r = at < 0 || n <= 0 ? -LINUX_EINVAL : !known_mode(c->a[1]) ? -LINUX_EOPNOTSUPP : !file_writable(f) ? -LINUX_EBADF : !f->inode ? (strcmp(f->ops->kind, "pipe") ? -LINUX_ENODEV : -LINUX_ESPIPE) : c->a[1] ? -LINUX_EOPNOTSUPP : file_stat(f, &s);
    if (r >= 0 && __builtin_add_overflow(at, n, &end)) r = -LINUX_EFBIG;
    if (r >= 0 && (u64)end > s.size) r = file_truncate(f, (u64)end);
    file_put(f);
    return r;
}

static i64 is_open(u64 fd) {
    struct file *f = fd_file(fd);
    if (!f) return -LINUX_EBADF;
    bool pipe = !f->ops->seekable && !f->ops->readdir;
    file_put(f);
    return pipe;
}
/* All is in memory: advice has nothing to do. */
i64 call_fadvise64(const struct call *c) {
    struct file *f = fd_file(c->a[0]);
    if (!f) return -LINUX_EBADF;
    bool pipe = !strcmp(f->ops->kind, "pipe");
    file_put(f);
    if (pipe) return -LINUX_ESPIPE;
    return c->a[3] > 5 || (i64)c->a[2] < 0 ? -LINUX_EINVAL : 0;
}
i64 call_readahead(const struct call *c) {
    struct file *f = fd_file(c->a[0]);
    i64 r = !f || !file_readable(f) ? -LINUX_EBADF : f->ops->truncate ? 0 : -LINUX_EINVAL;
    file_put(f);
    return r;
}
i64 call_sync(const struct call *c) { return 0; }
i64 call_syncfs(const struct call *c) {
    i64 r = is_open(c->a[0]);
    return MIN(r, 0);
}

i64 call_memfd_create(const struct call *c) {
    enum { CLOEXEC = 1, ALLOW_SEALING = 2, NAME_MAX = 249 };
    char name[NAME_MAX + 1];
    struct file *f;
    if (c->a[1] & ~(u64)(CLOEXEC | ALLOW_SEALING)) return -LINUX_EINVAL;
    i64 n = user_read_string(name, c->a[0], sizeof name);
    if (n < 0) return n == -1 ? -LINUX_EFAULT : -LINUX_EINVAL;
    if (c->a[1] & ALLOW_SEALING) refuse_once("seals of memfd_create", c->a[1]);
    struct inode *i = inode_new(LINUX_S_IFREG | 0777);
    if (!i) return -LINUX_ENOMEM;
    i64 r = vfs_open_inode(i, LINUX_O_RDWR | LINUX_O_LARGEFILE, &f);
    inode_put(i);
    return r < 0 ? r : fd_install(f, 0, c->a[1] & CLOEXEC);
}

/* --- times --- */

static i64 set_times(u64 dirfd, u64 path, const u64 ns[2]) {
    struct at at;
    i64 r = at_begin(&at, dirfd, path, 0);
    if (r < 0) return r;
    r = vfs_set_times(at.v, ns[0], ns[1]);
    at_end(&at);
    return r;
}

i64 call_utime(const struct call *c) {
    i64 seconds[2];
    u64 now = time_wall_ns(), ns[2] = {now, now};
    if (c->a[1] && !user_read(seconds, c->a[1], sizeof seconds)) return -LINUX_EFAULT;
    for (int i = 0; c->a[1] && i < 2; i++) {
        if (seconds[i] < 0 || seconds[i] > 1ll << 33) return -LINUX_EINVAL;
        ns[i] = (u64)seconds[i] * 1000000000;
    }
    return set_times(CWD, c->a[0], ns);
}

static i64 micro_times(u64 dirfd, u64 path, u64 user) {
    i64 t[4]; /* seconds, microseconds; twice */
    u64 now = time_wall_ns(), ns[2] = {now, now};
    if (user && !user_read(t, user, sizeof t)) return -LINUX_EFAULT;
    for (int i = 0; user && i < 2; i++) {
        if (t[2 * i] < 0 || t[2 * i] > 1ll << 33 || t[2 * i + 1] < 0 || t[2 * i + 1] > 999999) return -LINUX_EINVAL;
        ns[i] = (u64)t[2 * i] * 1000000000 + (u64)t[2 * i + 1] * 1000;
    }
    return set_times(dirfd, path, ns);
}
i64 call_utimes(const struct call *c) { return micro_times(CWD, c->a[0], c->a[1]); }
i64 call_futimesat(const struct call *c) { return micro_times(c->a[0], c->a[1], c->a[2]); }

/* --- memory that stays: nothing is ever taken away, it only has to be there --- */

static i64 lock_pages(u64 start, u64 n) {
    u8 byte;
    u64 from = ALIGN_DOWN(start, PAGE_SIZE), end = ALIGN_UP(start + n, PAGE_SIZE);
    if (end < from || end > VM_USER_END) return n ? -LINUX_ENOMEM : 0;
    for (u64 at = from; at < end && n; at += PAGE_SIZE)
        if (!user_read(&byte, at, 1)) return -LINUX_ENOMEM;
    return 0;
}
i64 call_mlock(const struct call *c) { return lock_pages(c->a[0], c->a[1]); }
i64 call_mlock2(const struct call *c) { return c->a[2] & ~1ull ? -LINUX_EINVAL : c->a[2] ? 0 : lock_pages(c->a[0], c->a[1]); }
i64 call_munlock(const struct call *c) {
    u64 from = ALIGN_DOWN(c->a[0], PAGE_SIZE), n = ALIGN_UP(c->a[1] + c->a[0] - from, PAGE_SIZE);
    return !c->a[1] || (n < VM_USER_END && mm_covers(from, n)) ? 0 : -LINUX_ENOMEM;
}
i64 call_mlockall(const struct call *c) {
    if (!c->a[0] || c->a[0] & ~7ull || c->a[0] == 4) return -LINUX_EINVAL;
    return 0;
}
i64 call_munlockall(const struct call *c) { return 0; }

i64 call_setrlimit(const struct call *c) {
    const struct call as = {{0, c->a[0], c->a[1], 0, 0, 0}, c->frame};
    return c->a[1] ? call_prlimit64(&as) : -LINUX_EFAULT;
}
