/* call_socket.c: sockets: making, naming and connecting them.
 *
 * The kernel's socket has one user at a time for its end of life: the file's
 * last reference closes it, and each call holds one. */
#include "base/mem.h"
#include "sys/calls.h"
#include "sys/local.h"
#include "sys/socket_file.h"

enum { IOCTL_FIONREAD = 0x541b, AF_UNSPEC = 0 };

static i64 sock_read(struct file *f, void *buf, size_t n, u64 *pos) {
    if (!n) return 0;
    return socket_recv(f->object, buf, n, f->flags & LINUX_O_NONBLOCK ? NET_DONTWAIT : 0, NULL, NULL);
}

static i64 sock_write(struct file *f, const void *buf, size_t n, u64 *pos) {
    return socket_send(f->object, buf, n, f->flags & LINUX_O_NONBLOCK ? NET_DONTWAIT : 0, NULL);
}

/* The RDNORM and WRNORM twins of IN and OUT are the same readiness. */
static u32 sock_poll(struct file *f) {
    u32 r = socket_poll(f->object);
    return r | (r & LINUX_POLLIN ? LINUX_POLLRDNORM : 0) | (r & LINUX_POLLOUT ? LINUX_POLLWRNORM : 0);
}

static i64 sock_ioctl(struct file *f, u32 request, u64 arg) {
    if (request != IOCTL_FIONREAD) return -LINUX_ENOTTY;
    i32 n = (i32)MIN(socket_pending(f->object), (size_t)INT32_MAX);
    return user_write(arg, &n, 4) ? 0 : -LINUX_EFAULT;
}

static i64 sock_stat(struct file *f, struct file_stat *out) {
    *out = (struct file_stat){.mode = LINUX_S_IFSOCK | 0777, .nlink = 1};
    return 0;
}

static void sock_close(struct file *f) { socket_close(f->object); }

static const struct file_ops socket_ops = {.kind = "socket", .read = sock_read, .write = sock_write, .poll = sock_poll,
                                           .ioctl = sock_ioctl, .stat = sock_stat, .close = sock_close};

i64 socket_file_new(struct socket *s, u32 flags, struct file **out) {
    struct file *f = file_new(&socket_ops, s, LINUX_O_RDWR | flags);
    if (!f) {
        socket_close(s);
        return -LINUX_ENOMEM;
    }
    f->queue = socket_queue(s);
    *out = f;
    return 0;
}

struct socket *file_socket(struct file *f) { return f->ops == &socket_ops ? f->object : NULL; }

i64 socket_flags(const struct file *f, u64 flags) {
    const u64 known = NET_PEEK | NET_TRUNC | NET_DONTWAIT | NET_WAITALL | NET_NOSIGNAL | NET_MORE;
    if (flags & ~known) {
        refuse_once("socket call with flags", flags & ~known);
        return -LINUX_EOPNOTSUPP;
    }
    return (i64)(flags | (f->flags & LINUX_O_NONBLOCK ? NET_DONTWAIT : 0));
}

struct sockaddr_in {
    u16 family, port_be;
    u32 ip_be;
    u8 zero[8];
};

static i64 read_sockaddr(u64 user, u64 length, struct sockaddr_in *a) {
    if (length < 2 || length > 128) return -LINUX_EINVAL;
    *a = (struct sockaddr_in){0};
    if (!user_read(a, user, MIN(length, sizeof *a))) return -LINUX_EFAULT;
    return a->family != AF_UNSPEC && a->family != NET_AF_INET ? -LINUX_EAFNOSUPPORT : length >= sizeof *a || a->family == AF_UNSPEC ? 0 : -LINUX_EINVAL;
}

i64 address_read(u64 user, u64 length, struct net_addr *out) {
    struct sockaddr_in a;
    i64 r = read_sockaddr(user, length, &a);
    if (r < 0) return r;
    if (a.family != NET_AF_INET) return -LINUX_EAFNOSUPPORT;
    *out = (struct net_addr){__builtin_bswap32(a.ip_be), __builtin_bswap16(a.port_be)};
    return 0;
}

i64 address_write(u64 user, u64 user_length, const struct net_addr *a) {
    struct sockaddr_in out = {NET_AF_INET, __builtin_bswap16(a->port), __builtin_bswap32(a->ip), {0}};
    u32 cap, length = sizeof out;
    if (!user) return 0;
    if (!user_read(&cap, user_length, 4)) return -LINUX_EFAULT;
    if ((i32)cap < 0) return -LINUX_EINVAL;
    bool ok = user_write(user, &out, MIN(cap, length)) && user_write(user_length, &length, 4);
    return ok ? 0 : -LINUX_EFAULT;
}

i64 call_socket(const struct call *c) {
    enum { KIND = 0xf, KINDS = 11 };
    struct socket *s;
    struct file *f;
    u64 type = c->a[1];
    if (type & ~(u64)(KIND | SOCKET_CLOEXEC | SOCKET_NONBLOCK)) return -LINUX_EINVAL;
    if ((type & KIND) >= KINDS) return -LINUX_EINVAL;
    if (c->a[0] == LOCAL_FAMILY) return local_create(type, c->a[2]);
    if (c->a[0] != NET_AF_INET) return -LINUX_EAFNOSUPPORT;
    i64 r = socket_create((int)c->a[0], (int)(type & KIND), (int)c->a[2], &s);
    if (r >= 0) r = socket_file_new(s, type & SOCKET_NONBLOCK ? LINUX_O_NONBLOCK : 0, &f);
    return r < 0 ? r : fd_install(f, 0, type & SOCKET_CLOEXEC);
}

i64 call_socketpair(const struct call *c) {
    enum { KIND = 0xf, STREAM = 1, DGRAM = 2, RAW = 3 };
    u32 none[2] = {0, 0}, kind = (u32)c->a[1] & KIND;
    if (!user_write(c->a[3], none, sizeof none)) return -LINUX_EFAULT;
    if (c->a[0] == LOCAL_FAMILY) {
        struct file *pair[2];
        i64 r = local_pair(c->a[1], c->a[2], pair);
        return r < 0 ? r : install_pair(pair, c->a[1] & SOCKET_CLOEXEC, c->a[3]);
    }
    if (c->a[0] == NET_AF_INET && kind == RAW && !c->a[2]) return -LINUX_EPROTONOSUPPORT;
    if (c->a[0] == NET_AF_INET && kind > RAW) return kind > 10 ? -LINUX_EINVAL : -94 /* ESOCKTNOSUPPORT */;
    refuse_once("socketpair", c->a[0]);
    return c->a[0] == NET_AF_INET ? -LINUX_EOPNOTSUPP : -LINUX_EAFNOSUPPORT;
}

/* The file of a socket descriptor, counted: NULL with *r set. */
static struct file *socket_fd(u64 fd, i64 *r) {
    struct file *f = fd_file(fd);
    *r = -LINUX_EBADF;
    if (!f || file_socket(f)) return f;
    *r = -LINUX_ENOTSOCK;
    file_put(f);
    return NULL;
}

/* A local socket's file, counted; NULL: it is another's. */
static struct file *local_fd(u64 fd) {
    struct file *f = fd_file(fd);
    if (!f || local_is(f)) return f;
    file_put(f);
    return NULL;
}
static i64 with(struct file *f, i64 r) {
    file_put(f);
    return r;
}

i64 call_bind(const struct call *c) {
    struct net_addr a;
    i64 r;
    struct file *l = local_fd(c->a[0]);
    if (l) return with(l, local_bind(l, c->a[1], (u32)c->a[2]));
    struct file *f = socket_fd(c->a[0], &r);
    if (!f) return r;
    r = address_read(c->a[1], (u32)c->a[2], &a);
    if (r >= 0) r = socket_bind(file_socket(f), a);
    file_put(f);
    return r;
}

i64 call_listen(const struct call *c) {
    i64 r;
    struct file *l = local_fd(c->a[0]);
    if (l) return with(l, local_listen(l, (int)c->a[1]));
    struct file *f = socket_fd(c->a[0], &r);
    if (!f) return r;
    r = socket_listen(file_socket(f), (int)c->a[1]);
    file_put(f);
    return r;
}

static i64 do_accept(struct file *f, u64 user, u64 user_length, u64 flags) {
    struct socket *s;
    struct file *out;
    struct net_addr peer;
    i64 r = socket_accept(file_socket(f), f->flags & LINUX_O_NONBLOCK ? NET_DONTWAIT : 0, &s, &peer);
    if (r < 0) return r;
    r = socket_file_new(s, flags & SOCKET_NONBLOCK ? LINUX_O_NONBLOCK : 0, &out);
    if (r < 0) return r;
    r = address_write(user, user_length, &peer);
    if (r >= 0) return fd_install(out, 0, flags & SOCKET_CLOEXEC);
    file_put(out);
    return r;
}

static i64 accept_local(struct file *l, const struct call *c) {
    struct file *out;
    i64 r = local_accept(l, c->a[3] & SOCKET_NONBLOCK ? LINUX_O_NONBLOCK : 0, &out);
    if (r < 0) return r;
    if (c->a[1] && (r = local_name(out, true, c->a[1], c->a[2])) < 0) return file_put(out), r;
    return fd_install(out, 0, c->a[3] & SOCKET_CLOEXEC);
}

i64 call_accept4(const struct call *c) {
    i64 r;
    const u64 known = SOCKET_CLOEXEC | SOCKET_NONBLOCK;
    struct file *l = c->a[3] & ~known ? NULL : local_fd(c->a[0]);
    if (l) return with(l, accept_local(l, c));
    struct file *f = socket_fd(c->a[0], &r);
    if (c->a[3] & ~known) return file_put(f), r == -LINUX_EBADF && !f ? r : -LINUX_EINVAL;
    if (!f) return r;
    r = do_accept(f, c->a[1], c->a[2], c->a[3]);
    file_put(f);
    return r;
}
i64 call_accept(const struct call *c) { return call_accept4(&(struct call){{c->a[0], c->a[1], c->a[2], 0}, c->frame}); }

static i64 do_connect(struct file *f, u64 user, u64 length) {
    struct sockaddr_in raw;
    struct net_addr a;
    i64 r = read_sockaddr(user, length, &raw);
    if (r < 0) return r;
    if (raw.family == AF_UNSPEC) return socket_disconnect(file_socket(f));
    r = address_read(user, length, &a);
    return r < 0 ? r : socket_connect(file_socket(f), a, f->flags & LINUX_O_NONBLOCK ? NET_DONTWAIT : 0);
}

i64 call_connect(const struct call *c) {
    i64 r;
    u8 address[128];
    /* Linux looks at the address before it looks whether this is a socket. */
    if ((u32)c->a[2] > sizeof address) {
        struct file *any = fd_file(c->a[0]);
        file_put(any);
        return any ? -LINUX_EINVAL : -LINUX_EBADF;
    }
    if ((u32)c->a[2] <= sizeof address && !user_read(address, c->a[1], (u32)c->a[2])) {
        struct file *any = fd_file(c->a[0]);
        file_put(any);
        return any ? -LINUX_EFAULT : -LINUX_EBADF;
    }
    struct file *l = local_fd(c->a[0]);
    if (l) return with(l, local_connect(l, c->a[1], (u32)c->a[2]));
    struct file *f = socket_fd(c->a[0], &r);
    if (!f) return r;
    r = do_connect(f, c->a[1], (u32)c->a[2]);
    file_put(f);
    return r;
}

i64 call_shutdown(const struct call *c) {
    i64 r;
    struct file *l = local_fd(c->a[0]);
    if (l) return with(l, local_shutdown(l, c->a[1]));
    struct file *f = socket_fd(c->a[0], &r);
    if (!f) return r;
    r = socket_shutdown(file_socket(f), (int)c->a[1]);
    file_put(f);
    return r;
}

static i64 tell_name(const struct call *c, i64 (*ask)(struct socket *, struct net_addr *)) {
    struct net_addr a;
    i64 r;
    struct file *l = local_fd(c->a[0]);
    if (l) return with(l, local_name(l, ask == socket_peer, c->a[1], c->a[2]));
    struct file *f = socket_fd(c->a[0], &r);
    if (!f) return r;
    r = ask(file_socket(f), &a);
    if (r >= 0) r = c->a[1] ? address_write(c->a[1], c->a[2], &a) : -LINUX_EFAULT;
    file_put(f);
    return r;
}
i64 call_getsockname(const struct call *c) { return tell_name(c, socket_name); }
i64 call_getpeername(const struct call *c) { return tell_name(c, socket_peer); }

enum { OPTION_MAX = 64 };

i64 call_setsockopt(const struct call *c) {
    u8 value[OPTION_MAX];
    i64 r;
    u32 n = (u32)c->a[4];
    struct file *l = local_fd(c->a[0]);
    if (l) return with(l, local_setopt(c->a[1], c->a[2], c->a[3], n));
    struct file *f = socket_fd(c->a[0], &r);
    if (!f) return r;
    if (n > OPTION_MAX) r = -LINUX_EINVAL;
    else if (!user_read(value, c->a[3], n)) r = -LINUX_EFAULT;
    else r = socket_setopt(file_socket(f), (int)c->a[1], (int)c->a[2], value, n);
    if (r == -LINUX_ENOPROTOOPT) refuse_once("setsockopt level and name", c->a[1] << 32 | (u32)c->a[2]);
    file_put(f);
    return r;
}

i64 call_getsockopt(const struct call *c) {
    u8 value[OPTION_MAX];
    u32 n;
    i64 r;
    struct file *l = local_fd(c->a[0]);
    if (l) return with(l, local_getopt(l, c->a[1], c->a[2], c->a[3], c->a[4]));
    struct file *f = socket_fd(c->a[0], &r);
    if (!f) return r;
    if (!user_read(&n, c->a[4], 4)) r = -LINUX_EFAULT;
    else if ((i32)n < 0) r = -LINUX_EINVAL;
    else {
        n = MIN(n, (u32)OPTION_MAX);
        r = socket_getopt(file_socket(f), (int)c->a[1], (int)c->a[2], value, &n);
        if (r >= 0 && (!user_write(c->a[3], value, n) || !user_write(c->a[4], &n, 4))) r = -LINUX_EFAULT;
    }
    file_put(f);
    return r;
}
