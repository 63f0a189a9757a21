/* glue.h: lwIP's headers, for net/ *.c only, and what those files share.
 * lwIP's enumerator ERR_OK would clash with ours; both are 0. */
#ifndef WHELK_NET_GLUE_H
#define WHELK_NET_GLUE_H

#define ERR_OK LWIP_ERR_OK
#include "lwip/init.h"
#include "lwip/ip.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/raw.h"
#include "lwip/tcp.h"
#include "lwip/udp.h"
#undef ERR_OK

#include "base/types.h"
#include "dev/net.h"
#include "net/net.h"
#include "net/socket.h"

/* Runs fn(arg) in the network thread and waits for its result. Any thread
 * but that one's callbacks may call it; from the thread itself fn runs at once. */
i64 net_run(i64 (*fn)(void *), void *arg);
/* Makes the network thread look at its work. Any context. */
void net_wake(void);
/* The negated errno for lwIP's err_t; 0 for success. */
i64 net_errno(err_t e);

/* net.c: one turn of the network thread's loop: all work that is there. */
void net_work_once(void);

/* netif.c, network thread */
/* net.c: an interface got or lost its address. */
void net_changed(void);

void netif_start_all(void);
void netif_poll_devices(void);
u64 netif_no_memory(void);
bool netif_owns(u32 ip); /* an address of this host */

/* socket.c, network thread: what other threads left to do. */
void sockets_flush(void);
/* Adds the sockets' part. Any thread. */
void sockets_count(struct net_stats *out);

static inline u32 ip_host(const ip_addr_t *a) { return lwip_ntohl(ip4_addr_get_u32(ip_2_ip4(a))); }
static inline ip_addr_t ip_of(u32 host) {
    ip_addr_t a;
    ip_addr_set_ip4_u32_val(a, lwip_htonl(host));
    return a;
}

#endif
