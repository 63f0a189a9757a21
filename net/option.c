/* option.c: getsockopt and setsockopt: one table of what is known, and two
 * switches. What has no effect is not accepted. */
#include "base/assert.h"
#include "base/mem.h"
#include "net/sock.h"

/* Linux uapi: asm-generic/socket.h, linux/tcp.h, linux/in.h */
enum level { SOL_IP = 0, LEVEL_SOCKET = 1, SOL_TCP = 6 };
enum {
    OPT_REUSEADDR = 2, OPT_TYPE = 3, OPT_ERROR = 4, OPT_BROADCAST = 6, OPT_SNDBUF = 7, OPT_RCVBUF = 8,
    OPT_KEEPALIVE = 9, OPT_LINGER = 13, OPT_RCVTIMEO = 20, OPT_SNDTIMEO = 21, OPT_ACCEPTCONN = 30,
    OPT_PROTOCOL = 38, OPT_DOMAIN = 39,
    OPT_TCP_NODELAY = 1, OPT_TCP_KEEPIDLE = 4, OPT_TCP_KEEPINTVL = 5, OPT_TCP_KEEPCNT = 6,
    OPT_IP_TOS = 1, OPT_IP_TTL = 2,
};
enum { BUFFER_MIN = 2048, BUFFER_MAX = 1024 * 1024 };

struct linger {
    i32 on, seconds;
};
struct timeval {
    i64 seconds, microseconds;
};

/* One call: val and n as the caller gave them, r the result. */
struct option {
    struct socket *s;
    int level, name;
    i32 value;
};

#define KEY(level, name) ((u32)(level) << 16 | (u32)(name))

static struct ip_pcb *ip_block(struct socket *s) { return (struct ip_pcb *)s->tcp; }
static bool stream(const struct socket *s) { return s->type == NET_SOCK_STREAM; }
static bool connection(const struct socket *s) { return stream(s) && s->state != SOCK_LISTENING; }

static i64 flag(struct socket *s, u8 bit, i32 value) {
    if (value) ip_set_option(ip_block(s), bit);
    else ip_reset_option(ip_block(s), bit);
    return 0;
}

static i64 set_tcp(struct socket *s, int name, i32 v) {
    if (!connection(s)) return -NET_ENOPROTOOPT;
    if (name == OPT_TCP_NODELAY) {
        if (v) tcp_nagle_disable(s->tcp);
        else tcp_nagle_enable(s->tcp);
        return 0;
    }
    if (v < 1 || v > 32767) return -NET_EINVAL;
    switch (name) {
    case OPT_TCP_KEEPIDLE: s->tcp->keep_idle = (u32)v * 1000; return 0;
    case OPT_TCP_KEEPINTVL: s->tcp->keep_intvl = (u32)v * 1000; return 0;
    case OPT_TCP_KEEPCNT: s->tcp->keep_cnt = (u32)v; return 0;
    default: return -NET_ENOPROTOOPT;
    }
}

/* Network thread: options that live in lwIP's block. */
static i64 do_set(void *arg) {
    struct option *o = arg;
    struct socket *s = o->s;
    if (!s->tcp) return -NET_EINVAL; /* the connection has ended */
    switch (KEY(o->level, o->name)) {
    case KEY(LEVEL_SOCKET, OPT_REUSEADDR): return flag(s, SOF_REUSEADDR, o->value);
    case KEY(LEVEL_SOCKET, OPT_BROADCAST): return flag(s, SOF_BROADCAST, o->value);
    case KEY(LEVEL_SOCKET, OPT_KEEPALIVE): return flag(s, SOF_KEEPALIVE, o->value);
    case KEY(SOL_IP, OPT_IP_TTL):
        if (o->value < 1 || o->value > 255) return -NET_EINVAL;
        ip_block(s)->ttl = (u8)o->value;
        return 0;
    case KEY(SOL_IP, OPT_IP_TOS): ip_block(s)->tos = (u8)o->value; return 0;
    default: return o->level == SOL_TCP ? set_tcp(s, o->name, o->value) : -NET_ENOPROTOOPT;
    }
}

static i64 do_get(void *arg) {
    struct option *o = arg;
    struct socket *s = o->s;
    if (!s->tcp) return -NET_EINVAL;
    bool c = connection(s);
    switch (KEY(o->level, o->name)) {
    case KEY(LEVEL_SOCKET, OPT_REUSEADDR): o->value = ip_get_option(ip_block(s), SOF_REUSEADDR) != 0; return 0;
    case KEY(LEVEL_SOCKET, OPT_BROADCAST): o->value = ip_get_option(ip_block(s), SOF_BROADCAST) != 0; return 0;
    case KEY(LEVEL_SOCKET, OPT_KEEPALIVE): o->value = ip_get_option(ip_block(s), SOF_KEEPALIVE) != 0; return 0;
    case KEY(SOL_IP, OPT_IP_TTL): o->value = ip_block(s)->ttl; return 0;
    case KEY(SOL_IP, OPT_IP_TOS): o->value = ip_block(s)->tos; return 0;
    case KEY(SOL_TCP, OPT_TCP_NODELAY): o->value = c && tcp_nagle_disabled(s->tcp); return 0;
    case KEY(SOL_TCP, OPT_TCP_KEEPIDLE): o->value = c ? (i32)(s->tcp->keep_idle / 1000) : 0; return 0;
    case KEY(SOL_TCP, OPT_TCP_KEEPINTVL): o->value = c ? (i32)(s->tcp->keep_intvl / 1000) : 0; return 0;
    case KEY(SOL_TCP, OPT_TCP_KEEPCNT): o->value = c ? (i32)s->tcp->keep_cnt : 0; return 0;
    default: return -NET_ENOPROTOOPT;
    }
}

static i64 set_linger(struct socket *s, const void *val, u32 n) {
    struct linger l;
    if (n < sizeof l) return -NET_EINVAL;
    memcpy(&l, val, sizeof l);
    /* A close that waits is not there: do not pretend. */
    if (l.on && l.seconds) return -NET_EINVAL;
    s->abort_on_close = l.on;
    return 0;
}

static i64 set_timeout(u64 *out, const void *val, u32 n) {
    struct timeval t;
    if (n < sizeof t) return -NET_EINVAL;
    memcpy(&t, val, sizeof t);
    if (t.microseconds < 0 || t.microseconds >= 1000000) return -NET_EDOM;
    if (t.seconds < 0 || t.seconds > 1000000000) t = (struct timeval){0};
    *out = (u64)t.seconds * 1000000000 + (u64)t.microseconds * 1000;
    return 0;
}

/* As Linux: asks are doubled and kept within bounds. */
static u32 buffer_size(i32 asked) {
    i64 twice = asked < 0 ? BUFFER_MAX : (i64)asked * 2;
    return (u32)MIN(MAX(twice, (i64)BUFFER_MIN), (i64)BUFFER_MAX);
}

i64 socket_setopt(struct socket *s, int level, int name, const void *val, u32 n) {
    struct option o = {.s = s, .level = level, .name = name};
    u32 key = KEY(level, name);
    if (level < 0 || level > 255 || name < 0 || name > 255) return -NET_ENOPROTOOPT;
    if (key == KEY(LEVEL_SOCKET, OPT_LINGER)) return set_linger(s, val, n);
    if (key == KEY(LEVEL_SOCKET, OPT_RCVTIMEO)) return set_timeout(&s->in_timeout, val, n);
    if (key == KEY(LEVEL_SOCKET, OPT_SNDTIMEO)) return set_timeout(&s->out_timeout, val, n);
    if (n < sizeof o.value) return -NET_EINVAL;
    memcpy(&o.value, val, sizeof o.value);
    if (key == KEY(LEVEL_SOCKET, OPT_SNDBUF)) {
        s->out_limit = buffer_size(o.value);
        return 0;
    }
    /* A stream's window is lwIP's: only datagram queues can be sized. */
    if (key == KEY(LEVEL_SOCKET, OPT_RCVBUF)) {
        if (!stream(s)) s->in_limit = buffer_size(o.value);
        return stream(s) && buffer_size(o.value) < s->in_limit ? -NET_ENOPROTOOPT : 0;
    }
    return net_run(do_set, &o);
}

/* What the socket knows without lwIP. */
static bool known_here(struct option *o) {
    struct socket *s = o->s;
    switch (KEY(o->level, o->name)) {
    case KEY(LEVEL_SOCKET, OPT_TYPE): o->value = s->type; return true;
    case KEY(LEVEL_SOCKET, OPT_ERROR): o->value = (i32)-sock_take_error(s); return true;
    case KEY(LEVEL_SOCKET, OPT_SNDBUF): o->value = (i32)s->out_limit; return true;
    case KEY(LEVEL_SOCKET, OPT_RCVBUF): o->value = (i32)s->in_limit; return true;
    case KEY(LEVEL_SOCKET, OPT_ACCEPTCONN): o->value = s->state == SOCK_LISTENING; return true;
    case KEY(LEVEL_SOCKET, OPT_PROTOCOL): o->value = s->protocol; return true;
    case KEY(LEVEL_SOCKET, OPT_DOMAIN): o->value = NET_AF_INET; return true;
    default: return false;
    }
}

static i64 give(void *val, u32 *n, const void *from, u32 size) {
    *n = MIN(*n, size);
    memcpy(val, from, *n);
    return 0;
}

i64 socket_getopt(struct socket *s, int level, int name, void *val, u32 *n) {
    struct option o = {.s = s, .level = level, .name = name};
    if (level < 0 || level > 255 || name < 0 || name > 255) return -NET_ENOPROTOOPT;
    if (level == LEVEL_SOCKET && name == OPT_LINGER) {
        struct linger l = {.on = s->abort_on_close};
        return give(val, n, &l, sizeof l);
    }
    if (level == LEVEL_SOCKET && (name == OPT_RCVTIMEO || name == OPT_SNDTIMEO)) {
        u64 ns = name == OPT_RCVTIMEO ? s->in_timeout : s->out_timeout;
        struct timeval t = {(i64)(ns / 1000000000), (i64)(ns % 1000000000 / 1000)};
        return give(val, n, &t, sizeof t);
    }
    i64 r = known_here(&o) ? 0 : net_run(do_get, &o);
    return r ? r : give(val, n, &o.value, sizeof o.value);
}
