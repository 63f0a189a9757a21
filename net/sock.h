/* sock.h: the inside of a socket, for net/ *.c only.
 *
 * Whose what is: lock guards what both sides touch, the queues and the flags.
 * Protocol blocks (pcb) belong to the network thread. A thread that leaves
 * work (bytes to send, bytes consumed, a close) marks the socket dirty; the
 * network thread then looks at it in sock_service. */
#ifndef WHELK_NET_SOCK_H
#define WHELK_NET_SOCK_H

#include "base/list.h"
#include "net/glue.h"

/* Bytes on their way in or out; from the kernel's heap. */
struct chunk {
    struct list node;
    u32 n, at; /* bytes; how many were used */
    struct net_addr addr; /* datagrams: the other side */
    u8 data[];
};

enum sock_state {
    SOCK_NEW,
    SOCK_LISTENING,
    SOCK_CONNECTING,
    SOCK_CONNECTED,
    SOCK_CLOSED, /* the connection has ended */
};

struct socket {
    /* fixed */
    int type, protocol;
    struct waitq wait;

    struct mutex in_lock; /* stream: one reader at a time; taken before lock */

    /* under lock */
    struct spin lock;
    enum sock_state state;
    i32 error;          /* SO_ERROR: a positive errno number, told once */
    struct list in, out;
    u32 in_bytes, out_bytes, in_limit, out_limit;
    u32 consumed;       /* stream bytes read since lwIP was told */
    bool in_eof;        /* the peer, or shutdown, ended the input */
    bool out_shut;      /* no more output is taken */
    bool no_room;       /* atomic: somebody was told so: room is worth a wake */
    struct list accepted; /* of a listener: children in order, by .sibling */
    u32 accepted_count;
    bool taken;         /* child: accept() has given it out */
    struct net_addr peer; /* datagrams: default destination */
    bool has_peer;

    /* under the dirty lock */
    bool closing; /* the owner has gone: the network thread frees the socket */
    bool dirty;
    struct list dirty_node;

    /* network thread only */
    union {
        struct tcp_pcb *tcp;
        struct udp_pcb *udp;
        struct raw_pcb *raw;
    };
    struct list sibling;
    struct socket *listener; /* child that was not taken yet */
    bool fin_sent;
    u32 last_ack, idle_polls; /* of a closed one: see hopeless() */

    /* options: single words, written by their owner */
    u64 in_timeout, out_timeout; /* ns; 0: none */
    bool abort_on_close;         /* SO_LINGER of 0 seconds */
};

struct socket *sock_new(int type, int protocol);
/* Network thread; no pcb may point to it any more. */
void sock_free(struct socket *s);
void sock_mark(struct socket *s); /* dirty; wakes the network thread */
struct chunk *chunk_new(size_t n);
void chunks_free(struct list *chunks);

/* Waits until ready(s); 0, -EINTR, or -EAGAIN after timeout ns (0: none). */
i64 sock_wait(struct socket *s, bool (*ready)(struct socket *s), u64 timeout);
/* The pending error, negated and cleared; 0 if there is none. */
i64 sock_take_error(struct socket *s);
/* For ready functions: an error is pending. */
static inline bool sock_failed(struct socket *s) { return __atomic_load_n(&s->error, __ATOMIC_ACQUIRE) != 0; }

/* Room for output. Whoever hears no is woken when there is some; nobody is woken
 * for room that he had (edge-triggered epoll would report it, Linux does not). */
static inline bool sock_has_room(struct socket *s) {
    if (__atomic_load_n(&s->out_bytes, __ATOMIC_SEQ_CST) < s->out_limit) return true;
    __atomic_store_n(&s->no_room, true, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&s->out_bytes, __ATOMIC_SEQ_CST) < s->out_limit;
}

/* tcp.c; finish, service, open, close: network thread. */
u64 tcp_sock_accepted(void); /* totals */
u64 tcp_sock_refused(void);
u64 tcp_sock_finish(void);   /* ends every connection; bytes, and ends, not acknowledged yet */
i64 tcp_sock_open(struct socket *s);
void tcp_sock_service(struct socket *s);
i64 tcp_sock_send(struct socket *s, const void *buf, size_t n, u32 flags);
i64 tcp_sock_recv(struct socket *s, void *buf, size_t n, u32 flags);
i64 tcp_sock_bind(struct socket *s, struct net_addr a);
i64 tcp_sock_connect(struct socket *s, struct net_addr a);
i64 tcp_sock_listen(struct socket *s, u8 backlog);
i64 tcp_sock_name(struct socket *s, struct net_addr *local, struct net_addr *remote);

/* dgram.c: UDP and raw. */
i64 dgram_open(struct socket *s);
void dgram_close(struct socket *s);
i64 dgram_bind(struct socket *s, struct net_addr a);
i64 dgram_connect(struct socket *s, struct net_addr a, bool connect);
i64 dgram_name(struct socket *s, struct net_addr *local);
i64 dgram_send(struct socket *s, const void *buf, size_t n, const struct net_addr *to);
i64 dgram_recv(struct socket *s, void *buf, size_t n, u32 flags, struct net_addr *from, bool *truncated);

#endif
