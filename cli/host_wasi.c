/* host_wasi.c: see host_wasi.h. A file of WASI is a descriptor plus one, as a
 * pointer.
 *
 * I1 every path goes through beneath(): the directory part is opened inside the
 *    preopen, and the last part is used on that alone, never followed by name. */
#include "cli/host_wasi.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"

static void *handle(int fd) { return (void *)(intptr_t)(fd + 1); }
static int fd_of(const void *file) { return (int)(intptr_t)file - 1; }
static i64 result(i64 r) { return r < 0 ? -errno : r; }

static u64 ns_of(struct timespec t) { return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec; }

static i64 clock_ns(void *self, u32 clock) {
    static const clockid_t ids[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
                                    CLOCK_THREAD_CPUTIME_ID};
    struct timespec t;
    assert(clock < ARRAY_LEN(ids));
    return clock_gettime(ids[clock], &t) ? -errno : (i64)ns_of(t);
}

static i64 random_bytes(void *self, void *out, size_t n) {
    for (size_t done = 0; done < n;) {
        ssize_t r = getrandom((u8 *)out + done, n - done, 0);
        if (r < 0) return -errno;
        done += (size_t)r;
    }
    return 0;
}

static i64 sleep_until(void *self, u64 ns) {
    struct timespec t = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    return -clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void yield(void *self) { sched_yield(); }

static int beneath(int dir, const char *path, u64 flags, u64 mode) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

static i64 open_file(void *self, struct wasi_at at, u32 f, void **file) {
    u64 flags = f & WASI_OPEN_WRITE ? (f & WASI_OPEN_READ ? O_RDWR : O_WRONLY) : O_RDONLY;
    if (f & WASI_OPEN_CREATE) flags |= O_CREAT;
    if (f & WASI_OPEN_EXCLUSIVE) flags |= O_EXCL;
    if (f & WASI_OPEN_TRUNCATE) flags |= O_TRUNC;
    if (f & WASI_OPEN_DIRECTORY) flags |= O_DIRECTORY;
    if (f & WASI_OPEN_APPEND) flags |= O_APPEND;
    if (f & WASI_OPEN_NONBLOCK) flags |= O_NONBLOCK;
    if (f & WASI_OPEN_SYNC) flags |= O_SYNC;
    if (at.nofollow) flags |= O_NOFOLLOW;
    int fd = beneath(fd_of(at.dir), at.path, flags, f & WASI_OPEN_CREATE ? 0666 : 0);
    if (fd < 0) return -errno;
    *file = handle(fd);
    return 0;
}

static void close_file(void *self, void *file) { close(fd_of(file)); }
static i64 read_file(void *self, void *file, void *out, size_t n) { return result(read(fd_of(file), out, n)); }
static i64 write_file(void *self, void *file, const void *p, size_t n) {
    return result(write(fd_of(file), p, n));
}
static i64 pread_file(void *self, void *file, void *out, size_t n, u64 at) {
    return result(pread(fd_of(file), out, n, (off_t)at));
}
static i64 pwrite_file(void *self, void *file, const void *p, size_t n, u64 at) {
    return result(pwrite(fd_of(file), p, n, (off_t)at));
}
static i64 seek_file(void *self, void *file, i64 offset, int whence) {
    static const int how[] = {SEEK_SET, SEEK_CUR, SEEK_END};
    return result(lseek(fd_of(file), offset, how[whence]));
}
static i64 truncate_file(void *self, void *file, u64 size) { return result(ftruncate(fd_of(file), (off_t)size)); }
static i64 sync_file(void *self, void *file) { return result(fsync(fd_of(file))); }

static enum wasi_filetype type_of(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG: return WASI_TYPE_REGULAR;
    case S_IFDIR: return WASI_TYPE_DIRECTORY;
    case S_IFCHR: return WASI_TYPE_CHARACTER;
    case S_IFBLK: return WASI_TYPE_BLOCK;
    case S_IFLNK: return WASI_TYPE_LINK;
    case S_IFSOCK: return WASI_TYPE_SOCKET_STREAM;
    default: return WASI_TYPE_UNKNOWN;
    }
}

static void stat_out(const struct stat *s, struct wasi_stat *out) {
    *out = (struct wasi_stat){.dev = s->st_dev, .ino = s->st_ino, .type = type_of(s->st_mode),
                              .nlink = s->st_nlink, .size = (u64)s->st_size, .atime_ns = ns_of(s->st_atim),
                              .mtime_ns = ns_of(s->st_mtim), .ctime_ns = ns_of(s->st_ctim)};
}

static i64 stat_file(void *self, void *file, struct wasi_stat *out) {
    struct stat s;
    if (fstat(fd_of(file), &s)) return -errno;
    stat_out(&s, out);
    return 0;
}

static struct timespec time_of(u64 ns) {
    if (ns == UINT64_MAX) return (struct timespec){0, UTIME_OMIT};
    return (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
}

static i64 set_times(void *self, void *file, u64 atime, u64 mtime) {
    struct timespec t[2] = {time_of(atime), time_of(mtime)};
    return result(futimens(fd_of(file), t));
}

static enum wasi_filetype entry_type(u8 d) {
    return d == DT_UNKNOWN ? WASI_TYPE_UNKNOWN : type_of(DTTOIF(d));
}

/* d_off is the cookie: where the next getdents goes on. */
static i64 readdir_file(void *self, void *file, u64 cookie, wasi_emit *emit, void *arg) {
    char buf[8192] __attribute__((aligned(8)));
    int fd = fd_of(file);
    if (lseek(fd, (off_t)cookie, SEEK_SET) < 0) return -errno;
    for (;;) {
        i64 n = syscall(SYS_getdents64, fd, buf, sizeof buf);
        if (n <= 0) return n ? -errno : 0;
        for (i64 at = 0; at < n;) {
            struct dirent64 *d = (struct dirent64 *)(buf + at);
            struct bytes name = {(u8 *)d->d_name, strlen(d->d_name)};
            if (!emit(arg, name, d->d_ino, entry_type(d->d_type), (u64)d->d_off)) return 0;
            at += d->d_reclen;
        }
    }
}

/* Descriptors and sockets. */

static i64 set_flags(void *self, void *file, u32 flags) {
    int fd = fd_of(file), now = fcntl(fd, F_GETFL);
    if (now < 0) return -errno;
    now &= ~(O_APPEND | O_NONBLOCK);
    now |= (flags & WASI_OPEN_APPEND ? O_APPEND : 0) | (flags & WASI_OPEN_NONBLOCK ? O_NONBLOCK : 0);
    return result(fcntl(fd, F_SETFL, now));
}

static void poll_answer(const struct pollfd *from, struct wasi_poll *out) {
    int n = 0;
    out->ready = from->revents != 0;
    out->hangup = from->revents & (POLLHUP | POLLERR | POLLRDHUP);
    if (!out->write && ioctl(from->fd, FIONREAD, &n)) n = 0;
    out->bytes = out->write ? from->revents & POLLOUT : (u64)n;
}

static i64 poll_files(void *self, struct wasi_poll *list, u32 n, u64 deadline) {
    struct pollfd fds[256]; /* as many as poll_oneoff takes */
    u64 now = (u64)clock_ns(NULL, WASI_CLOCK_MONOTONIC), wait = deadline > now ? deadline - now : 0;
    struct timespec t = {(time_t)(wait / 1000000000), (long)(wait % 1000000000)};
    assert(n <= ARRAY_LEN(fds));
    for (u32 k = 0; k < n; k++)
        fds[k] = (struct pollfd){fd_of(list[k].file), (short)(list[k].write ? POLLOUT : POLLIN | POLLRDHUP), 0};
    int ready = ppoll(fds, n, deadline == UINT64_MAX ? NULL : &t, NULL);
    if (ready < 0) return -errno;
    for (u32 k = 0; k < n; k++) poll_answer(&fds[k], &list[k]);
    return ready;
}

static i64 accept_socket(void *self, void *listener, bool nonblock, void **file) {
    int fd = accept4(fd_of(listener), NULL, NULL, SOCK_CLOEXEC | (nonblock ? SOCK_NONBLOCK : 0));
    if (fd < 0) return -errno;
    *file = handle(fd);
    return 0;
}

static i64 recv_socket(void *self, void *file, void *out, size_t n, u32 flags) {
    int f = (flags & WASI_RECV_PEEK ? MSG_PEEK : 0) | (flags & WASI_RECV_WAITALL ? MSG_WAITALL : 0);
    return result(recv(fd_of(file), out, n, f));
}
static i64 send_socket(void *self, void *file, const void *p, size_t n) {
    return result(send(fd_of(file), p, n, MSG_NOSIGNAL));
}
static i64 shutdown_socket(void *self, void *file, u32 how) {
    return result(shutdown(fd_of(file), how == WASI_SHUT_RD ? SHUT_RD : how == WASI_SHUT_WR ? SHUT_WR : SHUT_RDWR));
}

/* The directory of a path's last part, opened inside at.dir, and that part
 * (in name, which has room for all of the path). The caller closes it. Slashes
 * behind the part stay with it: they decide what it may be, and no call here
 * follows a link for them. */
static int parent(struct wasi_at at, char *name, size_t cap) {
    char path[4096];
    size_t n = strlen(at.path);
    if (n >= sizeof path || n >= cap) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(path, at.path, n + 1);
    while (n > 1 && path[n - 1] == '/') n--;
    const char *slash = memrchr(path, '/', n);
    size_t start = slash ? (size_t)(slash - path) + 1 : 0;
    strcpy(name, path + start);
    bool up = n - start == 2 && !memcmp(name, "..", 2);
    path[start ? start - 1 : 0] = 0;
    if (up) { /* would leave what was opened */
        errno = EXDEV;
        return -1;
    }
    return beneath(fd_of(at.dir), start ? path : ".", O_PATH | O_DIRECTORY, 0);
}

static i64 stat_at(void *self, struct wasi_at at, struct wasi_stat *out) {
    int fd = beneath(fd_of(at.dir), at.path, O_PATH | (at.nofollow ? O_NOFOLLOW : 0), 0);
    if (fd < 0) return -errno;
    i64 r = stat_file(NULL, handle(fd), out);
    close(fd);
    return r;
}

static i64 set_times_at(void *self, struct wasi_at at, u64 atime, u64 mtime) {
    struct timespec t[2] = {time_of(atime), time_of(mtime)};
    int fd = beneath(fd_of(at.dir), at.path, O_PATH | (at.nofollow ? O_NOFOLLOW : 0), 0);
    if (fd < 0) return -errno;
    i64 r = result(utimensat(fd, "", t, AT_EMPTY_PATH));
    close(fd);
    return r;
}

static i64 make_dir(void *self, struct wasi_at at) {
    char name[4096];
    int dir = parent(at, name, sizeof name);
    if (dir < 0) return -errno;
    i64 r = result(mkdirat(dir, name, 0777));
    close(dir);
    return r;
}

static i64 remove_at(struct wasi_at at, int flags) {
    char name[4096];
    int dir = parent(at, name, sizeof name);
    if (dir < 0) return -errno;
    i64 r = result(unlinkat(dir, name, flags));
    close(dir);
    return r;
}
static i64 unlink_at(void *self, struct wasi_at at) { return remove_at(at, 0); }
static i64 rmdir_at(void *self, struct wasi_at at) { return remove_at(at, AT_REMOVEDIR); }

static i64 two(struct wasi_at from, struct wasi_at to, bool link) {
    char a[4096], b[4096];
    int x = parent(from, a, sizeof a);
    if (x < 0) return -errno;
    int y = parent(to, b, sizeof b);
    i64 r = y < 0 ? -errno : result(link ? linkat(x, a, y, b, 0) : renameat(x, a, y, b));
    close(x);
    if (y >= 0) close(y);
    return r;
}
static i64 rename_at(void *self, struct wasi_at from, struct wasi_at to) { return two(from, to, false); }
static i64 link_at(void *self, struct wasi_at from, struct wasi_at to) { return two(from, to, true); }

static i64 symlink_at(void *self, const char *target, struct wasi_at at) {
    char name[4096];
    int dir = parent(at, name, sizeof name);
    if (dir < 0) return -errno;
    i64 r = result(symlinkat(target, dir, name));
    close(dir);
    return r;
}

static i64 readlink_at(void *self, struct wasi_at at, char *out, size_t cap) {
    char name[4096];
    int dir = parent(at, name, sizeof name);
    if (dir < 0) return -errno;
    i64 r = result(readlinkat(dir, name, out, cap));
    close(dir);
    return r;
}

const struct wasi_host host_wasi = {
    .clock_ns = clock_ns, .random = random_bytes, .sleep_until = sleep_until, .yield = yield,
    .open = open_file, .close = close_file, .read = read_file, .write = write_file,
    .pread = pread_file, .pwrite = pwrite_file, .seek = seek_file, .truncate = truncate_file,
    .sync = sync_file, .stat = stat_file, .set_times = set_times, .readdir = readdir_file,
    .stat_at = stat_at, .set_times_at = set_times_at, .mkdir = make_dir, .unlink = unlink_at,
    .rmdir = rmdir_at, .rename = rename_at, .link = link_at, .symlink = symlink_at,
    .readlink = readlink_at, .set_flags = set_flags, .poll = poll_files, .accept = accept_socket,
    .recv = recv_socket, .send = send_socket, .shutdown = shutdown_socket,
};

void *host_wasi_dir(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? NULL : handle(fd);
}

static i64 stream_read(void *self, void *out, size_t n) { return read_file(NULL, self, out, n); }
static i64 stream_write(void *self, const void *p, size_t n) { return write_file(NULL, self, p, n); }

void *host_wasi_file(int fd) { return handle(fd); }

struct wasi_stream host_wasi_stream(int fd) {
    return (struct wasi_stream){stream_read, stream_write, handle(fd), handle(fd), isatty(fd) == 1};
}
