/* tcp.c: stream sockets over lwIP's raw interface.
 *
 * I1 s->tcp and tcp_arg(pcb) == s point at each other, or neither at the other:
 *    every way in which a pcb ends passes detach() or on_error().
 * I2 the sum of bytes given to the reader and of consumed equals what lwIP was
 *    told by tcp_recved or still will be.
 * I3 FIN is sent after the last byte of out was given to lwIP.
 * I4 a child that nobody has accepted belongs to its listener, and ends with it. */
#include "base/assert.h"
#include "base/fault.h"
#include "base/mem.h"
#include "kern/heap.h"
#include "net/sock.h"

#define ERR_OK LWIP_ERR_OK
#include "lwip/priv/tcp_priv.h" /* tcp_ticks */
#undef ERR_OK

enum { TELL_BYTES = 16 * 1024, CHUNK_MAX = 16 * 1024 };
/* lwIP's coarse ticks are of 500 ms: 1 s between polls; two minutes of patience. */
enum { POLL_TICKS = 2, ORPHAN_POLLS = 120 };
static u64 accepted, refused;

u64 tcp_sock_accepted(void) { return accepted; }
u64 tcp_sock_refused(void) { return refused; }

static void detach(struct socket *s) {
    struct tcp_pcb *pcb = s->tcp;
    assert(pcb && pcb->callback_arg == s);
    tcp_arg(pcb, NULL);
    if (pcb->state != LISTEN) {
        tcp_recv(pcb, NULL);
        tcp_sent(pcb, NULL);
        tcp_err(pcb, NULL);
    }
    s->tcp = NULL;
}

static void wake(struct socket *s) { wait_wake_all(&s->wait); }

/* The connection has ended; error: positive errno number or 0. */
static void end(struct socket *s, i32 error) {
    u64 flags = spin_lock(&s->lock);
    s->state = SOCK_CLOSED;
    s->in_eof = true;
    s->out_shut = true;
    if (error) s->error = error;
    spin_unlock(&s->lock, flags);
    wake(s);
}

/* In LAST_ACK lwIP forgets a connection 2 MSL after the peer's last segment, though
 * what was said last may be lost: with our short MSL before it is sent again. */
static void keep_last_ack(struct tcp_pcb *pcb) {
    if (pcb->state == LAST_ACK) pcb->tmr = tcp_ticks;
}

/* A connection that has lost its socket, and whose peer has taken nothing for
 * two minutes, is given up: lwIP alone would go on for hours after a slow round
 * trip. Its argument is the last acknowledgment, below the polls since. */
static err_t on_orphan_poll(void *arg, struct tcp_pcb *pcb) {
    u64 polls = (u32)(uptr)arg == pcb->lastack ? ((uptr)arg >> 32) + 1 : 0;
    if (polls >= ORPHAN_POLLS) {
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    keep_last_ack(pcb);
    tcp_arg(pcb, (void *)(uptr)(polls << 32 | pcb->lastack));
    return ERR_OK;
}

/* lwIP finishes what detach has let go. */
static void leave(struct tcp_pcb *pcb) {
    tcp_arg(pcb, (void *)(uptr)pcb->lastack);
    tcp_poll(pcb, on_orphan_poll, POLL_TICKS);
}

/* lwIP has freed the pcb. */
static void on_error(void *arg, err_t e) {
    struct socket *s = arg;
    if (!s) return;
    s->tcp = NULL;
    if (s->closing) return sock_free(s);
    i32 number = e == ERR_RST ? NET_ECONNRESET : e == ERR_ABRT ? NET_ETIMEDOUT : (i32)-net_errno(e);
    if (s->state == SOCK_CONNECTING && e == ERR_RST) number = NET_ECONNREFUSED;
    end(s, e == ERR_CLSD ? 0 : number);
}

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t e) {
    struct socket *s = arg;
    if (!p) { /* FIN */
        u64 flags = spin_lock(&s->lock);
        s->in_eof = true;
        spin_unlock(&s->lock, flags);
        /* Both FINs are on their way: lwIP goes on alone, and would free the
         * pcb at the end of TIME_WAIT without a word (I1). */
        if (s->fin_sent) {
            detach(s);
            leave(pcb);
            end(s, 0);
        }
        wake(s);
        return ERR_OK;
    }
    struct chunk *c = chunk_new(p->tot_len);
    if (!c) return ERR_MEM; /* lwIP keeps p and offers it again */
    pbuf_copy_partial(p, c->data, p->tot_len, 0);
    u64 flags = spin_lock(&s->lock);
    bool take = !s->in_eof && !s->closing;
    if (take) {
        list_push_back(&s->in, &c->node);
        s->in_bytes += c->n;
    }
    spin_unlock(&s->lock, flags);
    if (!take) {
        tcp_recved(pcb, p->tot_len);
        kfree(c);
    }
    pbuf_free(p);
    wake(s);
    return ERR_OK;
}

/* Moves one chunk's bytes to lwIP. false: it takes no more now. */
static bool push_chunk(struct socket *s, struct chunk *c, bool last) {
    u32 n = MIN(c->n - c->at, (u32)MIN(tcp_sndbuf(s->tcp), 0xffff));
    if (!n) return false;
    u8 how = TCP_WRITE_FLAG_COPY | (last && n == c->n - c->at ? 0 : TCP_WRITE_FLAG_MORE);
    if (tcp_write(s->tcp, c->data + c->at, (u16)n, how)) return false;
    c->at += n;
    return c->at == c->n;
}

static struct chunk *first_out(struct socket *s, bool *last) {
    u64 flags = spin_lock(&s->lock);
    struct list *node = s->out.next;
    *last = node->next == &s->out;
    spin_unlock(&s->lock, flags);
    return node == &s->out ? NULL : LIST_ENTRY(node, struct chunk, node);
}

static void push_output(struct socket *s) {
    bool last, moved = false;
    for (struct chunk *c; (c = first_out(s, &last));) {
        u32 before = c->at;
        bool whole = push_chunk(s, c, last);
        u64 flags = spin_lock(&s->lock);
        s->out_bytes -= c->at - before;
        if (whole) list_remove(&c->node);
        spin_unlock(&s->lock, flags);
        moved |= c->at != before;
        if (!whole) break;
        kfree(c);
    }
    if (!moved) return;
    tcp_output(s->tcp);
    if (s->out_bytes < s->out_limit && __atomic_exchange_n(&s->no_room, false, __ATOMIC_SEQ_CST)) wake(s);
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t n) {
    sock_mark(arg); /* more room: service pushes on, and closes what is done */
    return ERR_OK;
}

/* The same for a closed socket that still has bytes to send. */
static bool hopeless(struct socket *s, struct tcp_pcb *pcb) {
    if (!s->closing) return false;
    s->idle_polls = pcb->lastack == s->last_ack ? s->idle_polls + 1 : 0;
    s->last_ack = pcb->lastack;
    return s->idle_polls >= ORPHAN_POLLS;
}

static err_t on_poll(void *arg, struct tcp_pcb *pcb) {
    struct socket *s = arg;
    if (hopeless(s, pcb)) {
        detach(s);
        tcp_abort(pcb);
        sock_free(s);
        return ERR_ABRT;
    }
    keep_last_ack(pcb);
    sock_mark(s); /* what memory was short for may work now */
    return ERR_OK;
}

static void attach(struct socket *s, struct tcp_pcb *pcb) {
    s->tcp = pcb;
    tcp_arg(pcb, s);
    tcp_recv(pcb, on_recv);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_error);
    tcp_poll(pcb, on_poll, POLL_TICKS);
}

i64 tcp_sock_open(struct socket *s) {
    struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_V4);
    if (!pcb) return -NET_ENOBUFS;
    attach(s, pcb);
    return 0;
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t e) {
    struct socket *s = arg;
    struct socket *child = pcb && !e && s ? sock_new(s->type, s->protocol) : NULL;
    if (!child) {
        refused++;
        return ERR_MEM; /* lwIP aborts the connection */
    }
    attach(child, pcb);
    tcp_backlog_delayed(pcb);
    child->state = SOCK_CONNECTED;
    child->listener = s;
    child->peer = (struct net_addr){ip_host(&pcb->remote_ip), pcb->remote_port};
    child->in_limit = s->in_limit, child->out_limit = s->out_limit;
    u64 flags = spin_lock(&s->lock);
    list_push_back(&s->accepted, &child->sibling);
    s->accepted_count++;
    spin_unlock(&s->lock, flags);
    accepted++;
    wake(s);
    return ERR_OK;
}

i64 tcp_sock_bind(struct socket *s, struct net_addr a) {
    if (!s->tcp || s->state != SOCK_NEW || s->tcp->local_port) return -NET_EINVAL;
    ip_addr_t ip = ip_of(a.ip);
    if (a.ip && !ip_addr_isloopback(&ip) && !netif_owns(a.ip)) return -NET_EADDRNOTAVAIL;
    return net_errno(tcp_bind(s->tcp, &ip, a.port));
}

i64 tcp_sock_listen(struct socket *s, u8 backlog) {
    if (s->state == SOCK_LISTENING) {
        tcp_backlog_set((struct tcp_pcb_listen *)s->tcp, backlog);
        return 0;
    }
    if (!s->tcp || s->state != SOCK_NEW) return -NET_EINVAL;
    if (!s->tcp->local_port) {
        i64 r = net_errno(tcp_bind(s->tcp, IP4_ADDR_ANY, 0));
        if (r) return r;
    }
    err_t e;
    struct tcp_pcb *listener = tcp_listen_with_backlog_and_err(s->tcp, backlog, &e);
    if (!listener) return e == ERR_MEM ? -NET_ENOBUFS : net_errno(e);
    s->tcp = listener; /* the old pcb is gone; the argument went over */
    tcp_arg(listener, s);
    tcp_accept(listener, on_accept);
    s->state = SOCK_LISTENING;
    return 0;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t e) {
    struct socket *s = arg;
    s->state = SOCK_CONNECTED;
    wake(s);
    return ERR_OK;
}

i64 tcp_sock_connect(struct socket *s, struct net_addr a) {
    switch (s->state) {
    case SOCK_CONNECTED: return -NET_EISCONN;
    case SOCK_CONNECTING: return -NET_EALREADY;
    case SOCK_NEW: break;
    default: return -NET_EINVAL;
    }
    if (!s->tcp) return -NET_EINVAL;
    ip_addr_t ip = ip_of(a.ip ? a.ip : 0x7f000001); /* as Linux: 0.0.0.0 is this host */
    s->state = SOCK_CONNECTING;
    err_t e = tcp_connect(s->tcp, &ip, a.port, on_connected);
    if (!e) return 0;
    s->state = SOCK_NEW;
    return e == ERR_BUF ? -NET_EADDRNOTAVAIL : net_errno(e);
}

/* Aborts without a callback. */
static void abort_pcb(struct socket *s) {
    struct tcp_pcb *pcb = s->tcp;
    detach(s);
    tcp_abort(pcb);
}

static void close_listener(struct socket *s) {
    LIST_EACH(it, &s->accepted) {
        struct socket *child = LIST_ENTRY(it, struct socket, sibling);
        list_remove(&child->sibling);
        if (child->tcp && !fault(CHILD_KEPT)) abort_pcb(child);
        sock_free(child);
    }
    struct tcp_pcb *pcb = s->tcp;
    detach(s);
    tcp_accept(pcb, NULL);
    tcp_close(pcb); /* cannot fail: a listener has nothing to send */
    sock_free(s);
}

/* The owner has gone and all output is with lwIP, which ends the connection by
 * itself: by FIN, or by RST if the peer's bytes were not all read. */
static void close_stream(struct socket *s) {
    struct tcp_pcb *pcb = s->tcp;
    if (s->abort_on_close) {
        abort_pcb(s);
    } else {
        detach(s);
        leave(pcb); /* first: tcp_close may free it */
        if (tcp_close(pcb)) tcp_abort(pcb);
    }
    sock_free(s);
}

static void send_fin(struct socket *s) {
    if (s->fin_sent || s->state != SOCK_CONNECTED) return;
    if (tcp_shutdown(s->tcp, 0, 1)) return; /* memory is short: on_poll tries again */
    s->fin_sent = true;
}

static void tell_consumed(struct socket *s) {
    u64 flags = spin_lock(&s->lock);
    u32 n = s->consumed;
    s->consumed = 0;
    spin_unlock(&s->lock, flags);
    for (u32 part; n; n -= part) {
        part = MIN(n, 0xffffu);
        tcp_recved(s->tcp, (u16)part);
    }
}

void tcp_sock_service(struct socket *s) {
    if (s->state == SOCK_LISTENING) {
        if (s->closing) close_listener(s);
        return;
    }
    if (!s->tcp) {
        if (s->closing) sock_free(s);
        return;
    }
    if (s->taken && s->listener) {
        s->listener = NULL;
        tcp_backlog_accepted(s->tcp);
    }
    tell_consumed(s);
    if (s->state == SOCK_CONNECTED) push_output(s);
    if (!s->tcp || s->out.next != &s->out) return;
    if (s->closing) close_stream(s);
    else if (s->out_shut) send_fin(s);
}

/* A socket that nobody closed: as shutdown would. True: its end is not sent yet. */
static bool finish(struct socket *s) {
    bool open = s->state == SOCK_CONNECTED && !s->fin_sent;
    u64 flags = spin_lock(&s->lock);
    s->out_shut = true;
    spin_unlock(&s->lock, flags);
    if (open) sock_mark(s);
    return open;
}

u64 tcp_sock_finish(void) {
    u64 owed = 0;
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
        if (pcb->state < ESTABLISHED || ip_addr_isloopback(&pcb->remote_ip) || netif_owns(ip_host(&pcb->remote_ip))) continue;
        struct socket *s = pcb->poll == on_poll ? pcb->callback_arg : NULL;
        if (s) owed += finish(s) + s->out_bytes;
        owed += (u64)(TCP_SND_BUF - pcb->snd_buf) + (pcb->unsent || pcb->unacked);
    }
    return owed;
}

/* --- called by other threads --- */

static bool can_send(struct socket *s) {
    return s->error || s->out_shut || (s->state != SOCK_CONNECTING && sock_has_room(s));
}

/* Queues at most what there is room for; takes c. */
static i64 queue_output(struct socket *s, struct chunk *c) {
    i64 r = c->n;
    u64 flags = spin_lock(&s->lock);
    if (s->out_shut) r = -NET_EPIPE;
    else if (s->state != SOCK_CONNECTED) r = s->state == SOCK_CONNECTING ? -NET_EAGAIN : -NET_EPIPE;
    else {
        list_push_back(&s->out, &c->node);
        s->out_bytes += c->n;
    }
    spin_unlock(&s->lock, flags);
    if (r < 0) kfree(c);
    else sock_mark(s);
    return r;
}

static i64 send_some(struct socket *s, const u8 *from, size_t n) {
    i64 e = sock_take_error(s);
    if (e) return e;
    if (s->out_shut || s->state == SOCK_NEW || s->state == SOCK_LISTENING) return -NET_EPIPE;
    if (s->state == SOCK_CONNECTING || !sock_has_room(s)) return -NET_EAGAIN;
    u32 queued = __atomic_load_n(&s->out_bytes, __ATOMIC_RELAXED);
    if (queued >= s->out_limit) return -NET_EAGAIN; /* another thread sent meanwhile */
    struct chunk *c = chunk_new(MIN(n, (size_t)MIN(s->out_limit - queued, (u32)CHUNK_MAX)));
    if (!c) return -NET_ENOMEM;
    memcpy(c->data, from, c->n);
    return queue_output(s, c);
}

i64 tcp_sock_send(struct socket *s, const void *buf, size_t n, u32 flags) {
    size_t done = 0;
    while (done < n) {
        i64 r = send_some(s, (const u8 *)buf + done, n - done);
        if (r == -NET_EAGAIN && !(flags & NET_DONTWAIT)) {
            r = sock_wait(s, can_send, s->out_timeout);
            if (!r) continue;
        }
        if (r < 0) return done ? (i64)done : r;
        done += (size_t)r;
    }
    return (i64)done;
}

static bool can_recv(struct socket *s) { return s->in_bytes || s->in_eof || s->error; }

static struct list *next_in(struct socket *s, struct list *node) {
    u64 flags = spin_lock(&s->lock);
    node = node->next;
    spin_unlock(&s->lock, flags);
    return node;
}

/* n bytes of c were read. The chunk is gone if they were its last. */
static void consume(struct socket *s, struct chunk *c, u32 n) {
    u64 flags = spin_lock(&s->lock);
    c->at += n, s->in_bytes -= n, s->consumed += n;
    assert(c->at <= c->n);
    bool whole = c->at == c->n;
    if (whole) list_remove(&c->node);
    spin_unlock(&s->lock, flags);
    if (whole) kfree(c);
}

/* Copies outside of the spin lock, since the target may fault: in_lock keeps
 * other readers away, and the network thread only adds at the end. */
static size_t copy_out(struct socket *s, u8 *to, size_t n, bool peek) {
    size_t done = 0;
    mutex_lock(&s->in_lock);
    for (struct list *node = next_in(s, &s->in), *next; done < n && node != &s->in; node = next) {
        struct chunk *c = LIST_ENTRY(node, struct chunk, node);
        u32 part = (u32)MIN(n - done, (size_t)(c->n - c->at));
        memcpy(to + done, c->data + c->at, part);
        done += part;
        next = next_in(s, node);
        if (!peek) consume(s, c, part);
    }
    mutex_unlock(&s->in_lock);
    return done;
}

/* The end is asked for before the bytes: those that come with it come first. */
static i64 recv_some(struct socket *s, u8 *to, size_t n, bool peek) {
    bool ended = __atomic_load_n(&s->in_eof, __ATOMIC_ACQUIRE);
    size_t got = copy_out(s, to, n, peek);
    if (got) {
        /* Half-spoken windows are announced in large steps (RFC 1122, 4.2.3.3). */
        if (!peek && (s->consumed >= TELL_BYTES || !s->in_bytes)) sock_mark(s);
        return (i64)got;
    }
    i64 e = sock_take_error(s);
    if (e) return e;
    if (ended) return 0;
    if (__atomic_load_n(&s->in_eof, __ATOMIC_ACQUIRE)) return recv_some(s, to, n, peek); /* it ended meanwhile */
    return s->state == SOCK_CONNECTED ? -NET_EAGAIN : -NET_ENOTCONN;
}

i64 tcp_sock_recv(struct socket *s, void *buf, size_t n, u32 flags) {
    size_t done = 0;
    bool peek = flags & NET_PEEK;
    if (!n) return 0;
    for (;;) {
        i64 r = recv_some(s, (u8 *)buf + done, n - done, peek);
        if (r == -NET_EAGAIN && !(flags & NET_DONTWAIT)) {
            r = sock_wait(s, can_recv, s->in_timeout);
            if (!r) continue;
        }
        if (r <= 0) return done ? (i64)done : r;
        done += (size_t)r;
        if (!(flags & NET_WAITALL) || peek || done == n) return (i64)done;
    }
}

i64 tcp_sock_name(struct socket *s, struct net_addr *local, struct net_addr *remote) {
    if (!s->tcp) return -NET_ENOTCONN;
    if (local) *local = (struct net_addr){ip_host(&s->tcp->local_ip), s->tcp->local_port};
    if (!remote) return 0;
    if (s->state != SOCK_CONNECTED) return -NET_ENOTCONN;
    *remote = (struct net_addr){ip_host(&s->tcp->remote_ip), s->tcp->remote_port};
    return 0;
}
