/* socket.c: what all kinds of sockets share: life, waiting, readiness.
 *
 * I1 a socket is freed by the network thread only, after its owner closed it
 *    (or, for a child, its listener ended) and no pcb points to it.
 * I2 a socket is on the dirty list or not as its dirty flag says; both are
 *    under dirty_lock. */
#include "base/assert.h"
#include "base/mem.h"
#include "kern/heap.h"
#include "kern/thread.h"
#include "kern/time.h"
#include "net/sock.h"

enum { IN_LIMIT = 128 * 1024, OUT_LIMIT = 64 * 1024 };

static struct spin dirty_lock;
/* under dirty_lock */ static struct list dirty = LIST_INIT(dirty);
static u32 count;

struct chunk *chunk_new(size_t n) {
    assert(n <= UINT32_MAX);
    struct chunk *c = kmalloc(sizeof *c + n);
    if (!c) return NULL;
    *c = (struct chunk){.n = (u32)n};
    list_init(&c->node);
    return c;
}

void chunks_free(struct list *chunks) {
    for (struct list *node; (node = list_pop_front(chunks));) kfree(LIST_ENTRY(node, struct chunk, node));
}

struct socket *sock_new(int type, int protocol) {
    struct socket *s = kzalloc(sizeof *s);
    if (!s) return NULL;
    s->type = type, s->protocol = protocol;
    s->in_limit = IN_LIMIT, s->out_limit = OUT_LIMIT;
    waitq_init(&s->wait);
    mutex_init(&s->in_lock);
    list_init(&s->in), list_init(&s->out), list_init(&s->accepted);
    list_init(&s->sibling), list_init(&s->dirty_node);
    __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    return s;
}

void sock_free(struct socket *s) {
    assert(!s->tcp);
    u64 flags = spin_lock(&dirty_lock);
    if (s->dirty) list_remove(&s->dirty_node);
    spin_unlock(&dirty_lock, flags);
    chunks_free(&s->in);
    chunks_free(&s->out);
    __atomic_sub_fetch(&count, 1, __ATOMIC_RELAXED);
    kfree(s);
}

/* Under dirty_lock. */
static bool put_on_list(struct socket *s) {
    bool first = !s->dirty;
    if (first) list_push_back(&dirty, &s->dirty_node);
    s->dirty = true;
    return first;
}

void sock_mark(struct socket *s) {
    u64 flags = spin_lock(&dirty_lock);
    bool first = put_on_list(s);
    spin_unlock(&dirty_lock, flags);
    if (first) net_wake();
}

static struct socket *next_dirty(void) {
    u64 flags = spin_lock(&dirty_lock);
    struct list *node = list_pop_front(&dirty);
    struct socket *s = node ? LIST_ENTRY(node, struct socket, dirty_node) : NULL;
    if (s) s->dirty = false;
    spin_unlock(&dirty_lock, flags);
    return s;
}

void sockets_flush(void) {
    for (struct socket *s; (s = next_dirty());) {
        if (s->type == NET_SOCK_STREAM) tcp_sock_service(s);
        else if (s->closing) dgram_close(s);
    }
}

void sockets_count(struct net_stats *out) {
    out->sockets = count;
    out->connections_accepted = tcp_sock_accepted();
    out->connections_refused = tcp_sock_refused();
}

i64 sock_take_error(struct socket *s) {
    u64 flags = spin_lock(&s->lock);
    i64 e = -(i64)s->error;
    s->error = 0;
    spin_unlock(&s->lock, flags);
    return e;
}

i64 sock_wait(struct socket *s, bool (*ready)(struct socket *s), u64 timeout) {
    u64 deadline = timeout ? time_mono_ns() + timeout : WAIT_FOREVER;
    for (;;) {
        struct waiter w;
        bool stop = false, in_time = true;
        wait_begin(&s->wait, &w);
        if (!ready(s)) {
            stop = thread_interrupted(thread_current());
            if (!stop) in_time = wait_block(deadline);
            stop |= thread_interrupted(thread_current());
        }
        wait_end(&w);
        if (ready(s)) return 0;
        if (stop) return -NET_EINTR;
        if (!in_time) return -NET_EAGAIN;
    }
}

static i64 kind_of(int type, int *protocol) {
    static const struct {
        int type, protocol;
    } kinds[] = {{NET_SOCK_STREAM, NET_PROTO_TCP}, {NET_SOCK_DGRAM, NET_PROTO_UDP}, {NET_SOCK_RAW, NET_PROTO_ICMP}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].type != type) continue;
        if (!*protocol && type != NET_SOCK_RAW) *protocol = kinds[i].protocol;
        return *protocol == kinds[i].protocol ? 0 : -NET_EPROTONOSUPPORT;
    }
    return -NET_ESOCKTNOSUPPORT;
}

static i64 open_pcb(void *arg) {
    struct socket *s = arg;
    return s->type == NET_SOCK_STREAM ? tcp_sock_open(s) : dgram_open(s);
}

i64 socket_create(int domain, int type, int protocol, struct socket **out) {
    if (domain != NET_AF_INET) return -NET_EAFNOSUPPORT;
    i64 r = kind_of(type, &protocol);
    if (r) return r;
    struct socket *s = sock_new(type, protocol);
    if (!s) return -NET_ENOMEM;
    r = net_run(open_pcb, s);
    if (r) sock_free(s);
    else *out = s;
    return r;
}

void socket_close(struct socket *s) {
    /* In one step: a network thread that is just serving s and sees closing
     * frees it, and takes it off the list. From the unlock on s is not ours. */
    u64 flags = spin_lock(&dirty_lock);
    assert(!s->closing);
    s->closing = true;
    put_on_list(s);
    spin_unlock(&dirty_lock, flags);
    net_wake();
}

static bool has_child(struct socket *s) { return s->accepted_count || s->closing || s->error; }

static struct socket *take_child(struct socket *s) {
    struct socket *child = NULL;
    u64 flags = spin_lock(&s->lock);
    struct list *node = list_pop_front(&s->accepted);
    if (node) {
        s->accepted_count--;
        child = LIST_ENTRY(node, struct socket, sibling);
        child->taken = true;
    }
    spin_unlock(&s->lock, flags);
    return child;
}

i64 socket_accept(struct socket *s, u32 flags, struct socket **out, struct net_addr *peer) {
    if (s->type != NET_SOCK_STREAM) return -NET_EOPNOTSUPP;
    if (s->state != SOCK_LISTENING) return -NET_EINVAL;
    struct socket *child;
    while (!(child = take_child(s))) {
        i64 r = flags & NET_DONTWAIT ? -NET_EAGAIN : sock_wait(s, has_child, s->in_timeout);
        if (r) return r;
    }
    if (peer) *peer = child->peer;
    sock_mark(child);
    *out = child;
    return 0;
}

static u32 poll_listener(struct socket *s) { return s->accepted_count ? NET_POLLIN : 0; }

static u32 poll_stream(struct socket *s) {
    u32 mask = 0;
    if (s->state == SOCK_NEW) return NET_POLLOUT | NET_POLLHUP;
    if (s->in_bytes || s->in_eof) mask |= NET_POLLIN;
    if (s->in_eof) mask |= NET_POLLRDHUP;
    if (s->out_shut || (s->state == SOCK_CONNECTED && sock_has_room(s))) mask |= NET_POLLOUT;
    if (s->state == SOCK_CLOSED || (s->in_eof && s->out_shut)) mask |= NET_POLLHUP;
    return mask;
}

u32 socket_poll(struct socket *s) {
    u64 flags = spin_lock(&s->lock);
    u32 mask;
    if (s->type != NET_SOCK_STREAM) mask = NET_POLLOUT | (s->in.next != &s->in ? NET_POLLIN : 0);
    else mask = s->state == SOCK_LISTENING ? poll_listener(s) : poll_stream(s);
    if (s->error) mask |= NET_POLLERR | NET_POLLIN | NET_POLLOUT;
    spin_unlock(&s->lock, flags);
    return mask;
}

struct waitq *socket_queue(struct socket *s) { return &s->wait; }
int socket_type(struct socket *s) { return s->type; }

size_t socket_pending(struct socket *s) {
    u64 flags = spin_lock(&s->lock);
    size_t n = s->in_bytes;
    if (s->type != NET_SOCK_STREAM)
        n = s->in.next == &s->in ? 0 : LIST_ENTRY(s->in.next, struct chunk, node)->n;
    spin_unlock(&s->lock, flags);
    return n;
}
