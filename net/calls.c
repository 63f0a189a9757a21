/* calls.c: the calls of net/socket.h that go to one kind of socket or another,
 * and to the network thread: arguments are checked here. */
#include "base/assert.h"
#include "net/guard.h"
#include "net/sock.h"

enum { KNOWN_SEND = NET_DONTWAIT | NET_NOSIGNAL | NET_MORE };
enum { KNOWN_RECV = NET_DONTWAIT | NET_PEEK | NET_TRUNC | NET_WAITALL | NET_NOSIGNAL };
enum { BACKLOG_MIN = 1, BACKLOG_MAX = 255 - HALF_OPEN_MAX /* lwIP counts in a byte */ };

/* The arguments of a call that the network thread makes for another. */
struct call {
    struct socket *s;
    struct net_addr addr, *local, *remote;
    int number;
};

static bool stream(const struct socket *s) { return s->type == NET_SOCK_STREAM; }

static i64 do_bind(void *arg) {
    struct call *c = arg;
    return stream(c->s) ? tcp_sock_bind(c->s, c->addr) : dgram_bind(c->s, c->addr);
}

i64 socket_bind(struct socket *s, struct net_addr a) {
    struct call c = {.s = s, .addr = a};
    return net_run(do_bind, &c);
}

static i64 do_listen(void *arg) {
    struct call *c = arg;
    return tcp_sock_listen(c->s, (u8)(c->number + HALF_OPEN_MAX));
}

i64 socket_listen(struct socket *s, int backlog) {
    if (!stream(s)) return -NET_EOPNOTSUPP;
    /* As on Linux, a value out of range is silently the nearest one. */
    struct call c = {.s = s, .number = backlog < 0 ? BACKLOG_MAX : MAX(MIN(backlog, BACKLOG_MAX), BACKLOG_MIN)};
    return net_run(do_listen, &c);
}

static i64 do_connect(void *arg) {
    struct call *c = arg;
    return stream(c->s) ? tcp_sock_connect(c->s, c->addr) : dgram_connect(c->s, c->addr, true);
}

static bool connect_done(struct socket *s) { return s->state != SOCK_CONNECTING || sock_failed(s); }

i64 socket_connect(struct socket *s, struct net_addr a, u32 flags) {
    struct call c = {.s = s, .addr = a};
    if (stream(s) && !a.port) return -NET_ECONNREFUSED;
    i64 r = net_run(do_connect, &c);
    if (r || !stream(s)) return r;
    if (flags & NET_DONTWAIT) return connect_done(s) ? sock_take_error(s) : -NET_EINPROGRESS;
    r = sock_wait(s, connect_done, s->out_timeout);
    if (r == -NET_EAGAIN) return -NET_EINPROGRESS; /* SO_SNDTIMEO, as on Linux */
    return r ? r : sock_take_error(s);
}

static i64 do_disconnect(void *arg) {
    struct call *c = arg;
    return dgram_connect(c->s, c->addr, false);
}

i64 socket_disconnect(struct socket *s) {
    struct call c = {.s = s};
    return stream(s) ? -NET_EOPNOTSUPP : net_run(do_disconnect, &c);
}

i64 socket_send(struct socket *s, const void *buf, size_t n, u32 flags, const struct net_addr *to) {
    if (flags & ~(u32)KNOWN_SEND) return -NET_EOPNOTSUPP;
    if (!stream(s)) return flags & NET_MORE ? -NET_EOPNOTSUPP : dgram_send(s, buf, n, to);
    return tcp_sock_send(s, buf, n, flags);
}

i64 socket_recv(struct socket *s, void *buf, size_t n, u32 flags, struct net_addr *from, bool *truncated) {
    if (flags & ~(u32)KNOWN_RECV) return -NET_EOPNOTSUPP;
    if (truncated) *truncated = false;
    if (!stream(s)) return dgram_recv(s, buf, n, flags, from, truncated);
    if (flags & NET_TRUNC) return -NET_EOPNOTSUPP; /* Linux throws bytes away: nobody means it */
    if (from) *from = (struct net_addr){0};
    return tcp_sock_recv(s, buf, n, flags);
}

static i64 do_shutdown(void *arg) {
    struct call *c = arg;
    struct socket *s = c->s;
    if (s->state != SOCK_CONNECTED) return -NET_ENOTCONN;
    u64 flags = spin_lock(&s->lock);
    if (c->number != NET_SHUT_WR) s->in_eof = true;
    if (c->number != NET_SHUT_RD) s->out_shut = true;
    spin_unlock(&s->lock, flags);
    wait_wake_all(&s->wait);
    sock_mark(s);
    return 0;
}

i64 socket_shutdown(struct socket *s, int how) {
    if (how < NET_SHUT_RD || how > NET_SHUT_RDWR) return -NET_EINVAL;
    struct call c = {.s = s, .number = how};
    return stream(s) ? net_run(do_shutdown, &c) : -NET_EOPNOTSUPP;
}

static i64 do_name(void *arg) {
    struct call *c = arg;
    assert(c->local || c->remote);
    if (stream(c->s)) return tcp_sock_name(c->s, c->local, c->remote);
    if (c->local) return dgram_name(c->s, c->local);
    if (!c->s->has_peer) return -NET_ENOTCONN;
    *c->remote = c->s->peer;
    return 0;
}

i64 socket_name(struct socket *s, struct net_addr *out) {
    struct call c = {.s = s, .local = out};
    *out = (struct net_addr){0};
    i64 r = net_run(do_name, &c);
    return r == -NET_ENOTCONN ? 0 : r; /* a connection that ended has no name left */
}

i64 socket_peer(struct socket *s, struct net_addr *out) {
    struct call c = {.s = s, .remote = out};
    return net_run(do_name, &c);
}
