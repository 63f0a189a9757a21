/* absent.c: an image without the network. Weak: net/'s own definitions win. */
#include "net/socket.h"

#define WEAK __attribute__((weak))
enum { NO_FAMILY = -97 /* EAFNOSUPPORT */ };

WEAK i64 socket_create(int domain, int type, int protocol, struct socket **out) { return NO_FAMILY; }
WEAK void socket_close(struct socket *s) {}
WEAK i64 socket_bind(struct socket *s, struct net_addr a) { return NO_FAMILY; }
WEAK i64 socket_listen(struct socket *s, int backlog) { return NO_FAMILY; }
WEAK i64 socket_accept(struct socket *s, u32 flags, struct socket **out, struct net_addr *peer) { return NO_FAMILY; }
WEAK i64 socket_connect(struct socket *s, struct net_addr a, u32 flags) { return NO_FAMILY; }
WEAK i64 socket_disconnect(struct socket *s) { return NO_FAMILY; }
WEAK i64 socket_send(struct socket *s, const void *buf, size_t n, u32 flags, const struct net_addr *to) { return NO_FAMILY; }
WEAK i64 socket_recv(struct socket *s, void *buf, size_t n, u32 flags, struct net_addr *from, bool *truncated) { return NO_FAMILY; }
WEAK i64 socket_shutdown(struct socket *s, int how) { return NO_FAMILY; }
WEAK i64 socket_name(struct socket *s, struct net_addr *out) { return NO_FAMILY; }
WEAK i64 socket_peer(struct socket *s, struct net_addr *out) { return NO_FAMILY; }
WEAK i64 socket_setopt(struct socket *s, int level, int name, const void *val, u32 n) { return NO_FAMILY; }
WEAK i64 socket_getopt(struct socket *s, int level, int name, void *val, u32 *n) { return NO_FAMILY; }
WEAK u32 socket_poll(struct socket *s) { return 0; }
WEAK struct waitq *socket_queue(struct socket *s) { return NULL; }
WEAK size_t socket_pending(struct socket *s) { return 0; }
WEAK int socket_type(struct socket *s) { return 0; }
