/* netif.h: the IP stack's side of a network device. Network thread only. */
#ifndef WHELK_NET_NETIF_H
#define WHELK_NET_NETIF_H

#include "dev/net.h"

/* Hands a copy of a frame to the IP stack; counts it as lost if memory is short. */
void netif_receive(const struct frame *f);

#endif
