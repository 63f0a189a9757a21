/* dgram.c: datagram sockets: UDP, and raw ICMP (whose datagrams carry their IP
 * header when they arrive, as on Linux).
 *
 * I1 input waits in s->in, whole datagrams, at most in_limit bytes: what does
 *    not fit is dropped, as UDP may.
 * I2 output is sent by the network thread while its sender waits. */
#include "base/assert.h"
#include "base/fault.h"
#include "base/mem.h"
#include "kern/heap.h"
#include "net/sock.h"

enum { DATAGRAM_MAX = 65507 /* 65535 - 20 - 8 */, CHARGE = 256 /* bytes that an empty one counts */ };

static bool is_udp(const struct socket *s) { return s->type == NET_SOCK_DGRAM; }

static void keep(struct socket *s, struct pbuf *p, const ip_addr_t *from, u16 port) {
    struct chunk *c = s->closing ? NULL : chunk_new(p->tot_len);
    if (!c) return;
    pbuf_copy_partial(p, c->data, p->tot_len, 0);
    c->addr = (struct net_addr){ip_host(from), port};
    u64 flags = spin_lock(&s->lock);
    bool fits = s->in_bytes + c->n + CHARGE <= s->in_limit;
    if (fits) {
        list_push_back(&s->in, &c->node);
        s->in_bytes += c->n + CHARGE;
    }
    spin_unlock(&s->lock, flags);
    if (!fits) return kfree(c);
    wait_wake_all(&s->wait);
}

static void on_udp(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port) {
    keep(arg, p, from, port);
    pbuf_free(p);
}

/* 0: others may see it as well (lwIP answers echo requests itself). */
static u8_t on_raw(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from) {
    struct socket *s = arg;
    if (!s->has_peer || ip_host(from) == s->peer.ip) keep(s, p, from, 0);
    return 0;
}

i64 dgram_open(struct socket *s) {
    if (is_udp(s)) {
        if (!(s->udp = udp_new_ip_type(IPADDR_TYPE_V4))) return -NET_ENOBUFS;
        udp_recv(s->udp, on_udp, s);
    } else {
        if (!(s->raw = raw_new_ip_type(IPADDR_TYPE_V4, (u8)s->protocol))) return -NET_ENOBUFS;
        raw_recv(s->raw, on_raw, s);
    }
    return 0;
}

void dgram_close(struct socket *s) {
    if (is_udp(s)) udp_remove(s->udp);
    else raw_remove(s->raw);
    s->udp = NULL;
    sock_free(s);
}

i64 dgram_bind(struct socket *s, struct net_addr a) {
    ip_addr_t ip = ip_of(a.ip);
    if (a.ip && !ip_addr_isloopback(&ip) && !netif_owns(a.ip)) return -NET_EADDRNOTAVAIL;
    if (!is_udp(s)) return net_errno(raw_bind(s->raw, &ip));
    if (s->udp->local_port) return -NET_EINVAL;
    return net_errno(udp_bind(s->udp, &ip, a.port));
}

i64 dgram_connect(struct socket *s, struct net_addr a, bool connect) {
    ip_addr_t ip = ip_of(a.ip ? a.ip : 0x7f000001);
    if (is_udp(s) && !connect) udp_disconnect(s->udp);
    if (is_udp(s) && connect) {
        i64 r = net_errno(udp_connect(s->udp, &ip, a.port));
        if (r) return r;
    }
    u64 flags = spin_lock(&s->lock);
    s->has_peer = connect;
    s->peer = (struct net_addr){ip_host(&ip), a.port};
    spin_unlock(&s->lock, flags);
    return 0;
}

i64 dgram_name(struct socket *s, struct net_addr *local) {
    if (is_udp(s)) *local = (struct net_addr){ip_host(&s->udp->local_ip), s->udp->local_port};
    else *local = (struct net_addr){ip_host(&s->raw->local_ip), 0};
    return 0;
}

struct sending {
    struct socket *s;
    const u8 *data;
    size_t n;
    struct net_addr to;
};

static i64 do_send(void *arg) {
    struct sending *q = arg;
    ip_addr_t ip = ip_of(q->to.ip ? q->to.ip : 0x7f000001);
    if (is_udp(q->s) && ip4_addr_isbroadcast(ip_2_ip4(&ip), netif_default ? netif_default : netif_list) &&
        !ip_get_option(q->s->udp, SOF_BROADCAST))
        return -NET_EACCES;
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16)q->n, PBUF_RAM);
    if (!p) return -NET_ENOBUFS;
    pbuf_take(p, q->data, (u16)q->n);
    err_t e = is_udp(q->s) ? udp_sendto(q->s->udp, p, &ip, q->to.port) : raw_sendto(q->s->raw, p, &ip);
    pbuf_free(p);
    return net_errno(e);
}

i64 dgram_send(struct socket *s, const void *buf, size_t n, const struct net_addr *to) {
    if (n > DATAGRAM_MAX) return -NET_EMSGSIZE;
    if (!to && !s->has_peer) return -NET_EDESTADDRREQ;
    i64 e = sock_take_error(s);
    if (e) return e;
    /* buf may be the program's: only the caller's thread may touch it. */
    struct chunk *c = chunk_new(n);
    if (!c) return -NET_ENOMEM;
    memcpy(c->data, buf, n);
    struct sending q = {s, c->data, n, to ? *to : s->peer};
    i64 r = is_udp(s) && !q.to.port ? -NET_EINVAL : net_run(do_send, &q);
    kfree(c);
    return r ? r : (i64)n;
}

static bool can_recv(struct socket *s) { return s->in_bytes || sock_failed(s); }

/* The first datagram, taken out unless it is only looked at. */
static struct chunk *take(struct socket *s, bool peek) {
    u64 flags = spin_lock(&s->lock);
    struct list *node = s->in.next;
    struct chunk *c = node == &s->in ? NULL : LIST_ENTRY(node, struct chunk, node);
    if (c && !peek) {
        list_remove(node);
        assert(s->in_bytes >= c->n + CHARGE);
        s->in_bytes -= c->n + CHARGE;
    }
    spin_unlock(&s->lock, flags);
    return c;
}

static i64 deliver(const struct chunk *c, void *buf, size_t n, u32 flags, struct net_addr *from, bool *truncated) {
    size_t part = fault(DATAGRAM_LENGTH) ? c->n : MIN(n, (size_t)c->n);
    memcpy(buf, c->data, part);
    if (from) *from = c->addr;
    if (truncated) *truncated = part < c->n;
    return (i64)(flags & NET_TRUNC ? c->n : part);
}

i64 dgram_recv(struct socket *s, void *buf, size_t n, u32 flags, struct net_addr *from, bool *truncated) {
    bool peek = flags & NET_PEEK;
    for (;;) {
        mutex_lock(&s->in_lock); /* a peeked datagram stays while it is copied */
        struct chunk *c = take(s, peek);
        i64 r = c ? deliver(c, buf, n, flags, from, truncated) : sock_take_error(s);
        mutex_unlock(&s->in_lock);
        if (c && !peek) kfree(c);
        if (c || r) return r;
        if (flags & NET_DONTWAIT) return -NET_EAGAIN;
        if ((r = sock_wait(s, can_recv, s->in_timeout))) return r;
    }
}
