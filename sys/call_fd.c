/* call_fd.c: descriptors themselves, and what they tell of their files. */
#include "base/assert.h"
#include "base/mem.h"
#include "fs/pipe.h"
#include "kern/heap.h"
#include "fs/vfs.h"
#include "sys/calls.h"
#include "sys/filestat.h"

i64 call_close(const struct call *c) { return fd_close(c->a[0]); }

i64 call_fstat(const struct call *c) {
    struct file_stat st;
    struct file *f = fd_any(c->a[0]);
    if (!f) return -LINUX_EBADF;
    i64 r = file_stat(f, &st);
    file_put(f);
    return r < 0 ? r : stat_write(c->a[1], &st);
}

enum ioctls {
    IOCTL_TCGETS = 0x5401,
    IOCTL_TIOCGWINSZ = 0x5413,
    IOCTL_FIONREAD = 0x541b,
    IOCTL_FIONBIO = 0x5421,
    IOCTL_FIONCLEX = 0x5450,
    IOCTL_FIOCLEX = 0x5451,
};

static void set_nonblock(struct file *f, bool on) {
    if (on) __atomic_or_fetch(&f->flags, LINUX_O_NONBLOCK, __ATOMIC_RELAXED);
    else __atomic_and_fetch(&f->flags, ~(u32)LINUX_O_NONBLOCK, __ATOMIC_RELAXED);
}

/* Of a regular file: what is left from its position on. Others know themselves. */
static i64 bytes_to_read(struct file *f, u64 arg) {
    struct file_stat st;
    i64 r = file_stat(f, &st);
    if (r < 0 || (st.mode & LINUX_S_IFMT) != LINUX_S_IFREG) return file_ioctl(f, IOCTL_FIONREAD, arg);
    i32 left = (i32)(st.size - f->pos);
    return user_write(arg, &left, sizeof left) ? 0 : -LINUX_EFAULT;
}

static i64 do_ioctl(struct file *f, u64 fd, u32 request, u64 arg) {
    i32 value;
    u16 size[4] = {24, 80, 0, 0};
    switch (request) {
    case IOCTL_FIONBIO:
        if (!user_read(&value, arg, 4)) return -LINUX_EFAULT;
        set_nonblock(f, value);
        return 0;
    case IOCTL_FIOCLEX:
    case IOCTL_FIONCLEX:
        fd_set_cloexec(fd, request == IOCTL_FIOCLEX);
        return 0;
    case IOCTL_FIONREAD: return bytes_to_read(f, arg);
    case IOCTL_TIOCGWINSZ:
        if (strcmp(f->ops->kind, "console")) return -LINUX_ENOTTY;
        return user_write(arg, size, sizeof size) ? 0 : -LINUX_EFAULT;
    default: {
        i64 r = file_ioctl(f, request, arg);
        if (r == -LINUX_ENOTTY && request != IOCTL_TCGETS) refuse_once("ioctl", request);
        return r;
    }
    }
}

i64 call_ioctl(const struct call *c) {
    struct file *f = fd_file(c->a[0]);
    if (!f) return -LINUX_EBADF;
    i64 r = do_ioctl(f, c->a[0], (u32)c->a[1], c->a[2]);
    file_put(f);
    return r;
}

i64 install_pair(struct file *pair[2], bool cloexec, u64 user) {
    i64 a = fd_install(pair[0], 0, cloexec);
    if (a < 0) {
        file_put(pair[1]);
        return a;
    }
    i64 b = fd_install(pair[1], 0, cloexec);
    i32 out[2] = {(i32)a, (i32)b};
    if (b >= 0 && user_write(user, out, sizeof out)) return 0;
    fd_close((u64)a);
    if (b < 0) return b;
    fd_close((u64)b);
    return -LINUX_EFAULT;
}

static i64 make_pipe(u64 user, u64 flags) {
    struct file *pair[2];
    if (flags & ~(u64)(LINUX_O_CLOEXEC | LINUX_O_NONBLOCK)) return -LINUX_EINVAL;
    i64 r = pipe_open((u32)flags & LINUX_O_NONBLOCK, pair);
    return r < 0 ? r : install_pair(pair, flags & LINUX_O_CLOEXEC, user);
}
i64 call_pipe(const struct call *c) { return make_pipe(c->a[0], 0); }
i64 call_pipe2(const struct call *c) { return make_pipe(c->a[0], c->a[1]); }

i64 call_dup(const struct call *c) {
    struct file *f = fd_any(c->a[0]);
    return f ? fd_install(f, 0, false) : -LINUX_EBADF;
}
i64 call_dup2(const struct call *c) {
    struct file *f = fd_any(c->a[0]);
    if (!f) return -LINUX_EBADF;
    if (c->a[0] != c->a[1]) return fd_replace(c->a[1], f, false);
    file_put(f);
    return (i64)c->a[0];
}
i64 call_dup3(const struct call *c) {
    if (c->a[0] == c->a[1] || c->a[2] & ~(u64)LINUX_O_CLOEXEC) return -LINUX_EINVAL;
    struct file *f = fd_any(c->a[0]);
    return f ? fd_replace(c->a[1], f, c->a[2]) : -LINUX_EBADF;
}

enum fcntls { FCNTL_DUPFD = 0, FCNTL_GETFD, FCNTL_SETFD, FCNTL_GETFL, FCNTL_SETFL, FCNTL_DUPFD_CLOEXEC = 1030 };

/* fcntl(2), F_SETFL: only these change; the others are ignored by definition. */
static i64 set_flags(struct file *f, u64 flags) {
    if (flags & LINUX_O_DIRECT) return -LINUX_EINVAL;
    set_nonblock(f, flags & LINUX_O_NONBLOCK);
    if (flags & LINUX_O_APPEND) __atomic_or_fetch(&f->flags, LINUX_O_APPEND, __ATOMIC_RELAXED);
    else __atomic_and_fetch(&f->flags, ~(u32)LINUX_O_APPEND, __ATOMIC_RELAXED);
    return 0;
}

static i64 do_fcntl(struct file *f, u64 fd, u64 command, u64 arg) {
    bool of_descriptor = command <= FCNTL_GETFL || command == FCNTL_DUPFD_CLOEXEC;
    if (f->flags & LINUX_O_PATH && !of_descriptor) return -LINUX_EBADF;
    switch (command) {
    case FCNTL_DUPFD:
    case FCNTL_DUPFD_CLOEXEC:
        if (arg >= FD_MAX) return -LINUX_EINVAL;
        return fd_install(file_get(f), arg, command == FCNTL_DUPFD_CLOEXEC);
    case FCNTL_GETFD: return fd_cloexec(fd);
    case FCNTL_SETFD:
        fd_set_cloexec(fd, arg & 1);
        return 0;
    case FCNTL_GETFL: return (i64)(f->flags | (f->inode && !(f->flags & LINUX_O_PATH) ? LINUX_O_LARGEFILE : 0));
    case FCNTL_SETFL: return set_flags(f, arg);
    case FCNTL_GETLK:
    case FCNTL_SETLK:
    case FCNTL_SETLKW: return lock_record(f, command, arg);
    default:
        refuse_once("fcntl", command);
        return -LINUX_EINVAL;
    }
}

i64 call_fcntl(const struct call *c) {
    struct file *f = fd_any(c->a[0]);
    if (!f) return -LINUX_EBADF;
    i64 r = do_fcntl(f, c->a[0], c->a[1], c->a[2]);
    file_put(f);
    return r;
}

/* Memory is all the storage that there is: what was written is where it stays. */
i64 call_fsync(const struct call *c) {
    struct file *f = fd_file(c->a[0]);
    if (!f) return -LINUX_EBADF;
    u32 kind = f->inode ? inode_mode(f->inode) & LINUX_S_IFMT : 0;
    bool ok = kind == LINUX_S_IFREG || kind == LINUX_S_IFDIR;
    file_put(f);
    return ok ? 0 : -LINUX_EINVAL;
}
i64 call_fdatasync(const struct call *c) { return call_fsync(c); }

i64 call_ftruncate(const struct call *c) {
    if (c->a[1] > INT64_MAX) return -LINUX_EINVAL;
    struct file *f = fd_file(c->a[0]);
    if (!f) return -LINUX_EBADF;
    i64 r = file_truncate(f, c->a[1]);
    file_put(f);
    return r;
}

/* getdents64(2): struct linux_dirent64, padded to 8 bytes. */
struct listing {
    u8 *out;
    size_t n, cap;
    bool short_buffer;
};
enum { DIRENT_NAME = 19 };

static bool list_one(void *arg, struct bytes name, u64 ino, u32 mode, u64 next) {
    struct listing *l = arg;
    size_t size = ALIGN_UP(DIRENT_NAME + name.n + 1, 8);
    if (l->cap - l->n < size) {
        l->short_buffer = !l->n;
        return false;
    }
    u8 *p = l->out + l->n;
    memset(p, 0, size);
    memcpy(p, &ino, 8);
    memcpy(p + 8, &next, 8);
    p[16] = (u8)size, p[17] = (u8)(size >> 8);
    p[18] = (u8)(mode >> 12 & 15); /* DT_* is the kind of the mode */
    memcpy(p + DIRENT_NAME, name.p, name.n);
    l->n += size;
    return true;
}

static i64 list_to(struct file *f, u64 user, u64 size) {
    struct bounce b;
    if (!bounce_begin(&b, size)) return -LINUX_ENOMEM;
    struct listing l = {.out = b.p, .cap = b.cap};
    i64 r = file_readdir(f, list_one, &l);
    if (r >= 0) r = l.short_buffer ? -LINUX_EINVAL : user_write(user, b.p, l.n) ? (i64)l.n : -LINUX_EFAULT;
    bounce_end(&b);
    return r;
}

i64 call_getdents64(const struct call *c) {
    struct file *f = fd_file(c->a[0]);
    if (!f) return -LINUX_EBADF;
    i64 r = list_to(f, c->a[1], (u32)c->a[2]);
    file_put(f);
    return r;
}

static i64 make_eventfd(u32 initial, u64 flags) {
    struct file *f;
    if (flags & ~(u64)(1 | LINUX_O_CLOEXEC | LINUX_O_NONBLOCK)) return -LINUX_EINVAL;
    i64 r = eventfd_open(initial, flags & 1, (u32)flags & LINUX_O_NONBLOCK, &f);
    return r < 0 ? r : fd_install(f, 0, flags & LINUX_O_CLOEXEC);
}
i64 call_eventfd(const struct call *c) { return make_eventfd((u32)c->a[0], 0); }
i64 call_eventfd2(const struct call *c) { return make_eventfd((u32)c->a[0], c->a[1]); }

i64 call_close_range(const struct call *c) {
    enum { CLOEXEC = 4 };
    if (c->a[0] > c->a[1] || c->a[2] & ~(u64)CLOEXEC) return -LINUX_EINVAL;
    for (u64 fd = c->a[0]; fd < FD_MAX && fd <= c->a[1]; fd++) {
        if (c->a[2] & CLOEXEC) fd_set_cloexec(fd, true);
        else fd_close(fd);
    }
    return 0;
}
