/* socket.h: sockets over IPv4: TCP, UDP, raw ICMP.
 *
 * Results: >= 0, or a negated Linux errno number (net/errno.h).
 * Threads: any thread context; calls may block, unless NET_DONTWAIT. lwIP has
 *   one owner, the network thread: control calls are queued to it and wait for
 *   their answer, data moves through the socket's own queues. A hook handler
 *   must not call any of these (it runs in that thread).
 * Ownership: a socket has one owner (its struct file) who must not close it
 *   while a call on it is under way; buffers are the caller's, kernel memory
 *   or checked and present program memory: only the calling thread touches them.
 * Interruption: a blocking call returns -NET_EINTR when thread_interrupt hits it
 *   before anything was moved.
 * Addresses and ports are in host byte order. */
#ifndef WHELK_NET_SOCKET_H
#define WHELK_NET_SOCKET_H

#include "base/types.h"
#include "kern/wait.h"
#include "net/errno.h"

struct socket;

struct net_addr {
    u32 ip; /* 0: any */
    u16 port;
};

/* Linux's numbers. */
enum { NET_AF_INET = 2 };
enum { NET_SOCK_STREAM = 1, NET_SOCK_DGRAM = 2, NET_SOCK_RAW = 3 };
enum { NET_PROTO_ICMP = 1, NET_PROTO_TCP = 6, NET_PROTO_UDP = 17 };
enum { NET_SHUT_RD = 0, NET_SHUT_WR = 1, NET_SHUT_RDWR = 2 };
/* Flags of the calls that can block: MSG_* of Linux; others are -EOPNOTSUPP.
 * NOSIGNAL is accepted: raising SIGPIPE on -EPIPE is the caller's business. */
enum {
    NET_PEEK = 0x2,
    NET_TRUNC = 0x20,     /* recv on a datagram socket: the result is its full length */
    NET_DONTWAIT = 0x40,
    NET_WAITALL = 0x100,
    NET_NOSIGNAL = 0x4000,
    NET_MORE = 0x8000,
};
/* Readiness: POLL* of Linux. */
enum { NET_POLLIN = 0x1, NET_POLLOUT = 0x4, NET_POLLERR = 0x8, NET_POLLHUP = 0x10, NET_POLLRDHUP = 0x2000 };

/* type without SOCK_NONBLOCK and SOCK_CLOEXEC. protocol 0: the usual one. */
i64 socket_create(int domain, int type, int protocol, struct socket **out);
/* Never blocks for data: what was sent still goes out after it. Frees s. */
void socket_close(struct socket *s);

i64 socket_bind(struct socket *s, struct net_addr a);
i64 socket_listen(struct socket *s, int backlog);
/* -EAGAIN with NET_DONTWAIT; peer may be NULL. */
i64 socket_accept(struct socket *s, u32 flags, struct socket **out, struct net_addr *peer);
/* -EINPROGRESS with NET_DONTWAIT on a stream socket; then POLLOUT and SO_ERROR tell. */
i64 socket_connect(struct socket *s, struct net_addr a, u32 flags);
/* Dissolves the association of a datagram socket (connect to AF_UNSPEC). */
i64 socket_disconnect(struct socket *s);
/* Bytes taken: all of n when blocking. to: NULL or the destination of a
 * datagram (-EISCONN on a connected stream is not raised, as on Linux). */
i64 socket_send(struct socket *s, const void *buf, size_t n, u32 flags, const struct net_addr *to);
/* 0: end of stream. A datagram that does not fit is cut, *truncated says so.
 * from, truncated: NULL allowed. */
i64 socket_recv(struct socket *s, void *buf, size_t n, u32 flags, struct net_addr *from, bool *truncated);
i64 socket_shutdown(struct socket *s, int how);
i64 socket_name(struct socket *s, struct net_addr *out);
i64 socket_peer(struct socket *s, struct net_addr *out); /* -ENOTCONN */

/* Linux's levels, names and layouts. Supported:
 *   SOL_SOCKET: SO_REUSEADDR SO_TYPE SO_ERROR SO_BROADCAST SO_SNDBUF
 *     SO_RCVBUF SO_KEEPALIVE SO_LINGER SO_RCVTIMEO SO_SNDTIMEO SO_ACCEPTCONN SO_PROTOCOL SO_DOMAIN
 *     (SO_LINGER of 0 seconds only: close then resets; SO_RCVBUF of a stream cannot be made smaller)
 *   IPPROTO_TCP: TCP_NODELAY TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT;  IPPROTO_IP: IP_TTL IP_TOS
 * Others: -ENOPROTOOPT. val is kernel memory; *n in: room, out: bytes. */
i64 socket_setopt(struct socket *s, int level, int name, const void *val, u32 n);
i64 socket_getopt(struct socket *s, int level, int name, void *val, u32 *n);

/* What is ready now; never blocks. */
u32 socket_poll(struct socket *s);
/* Woken when socket_poll may have changed. */
struct waitq *socket_queue(struct socket *s);
/* FIONREAD: bytes that a recv would find (datagram: of the first). */
size_t socket_pending(struct socket *s);
int socket_type(struct socket *s); /* NET_SOCK_* */

#endif
