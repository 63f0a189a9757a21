/* net.h: the network as a whole: start, addresses, counters. */
#ifndef WHELK_NET_NET_H
#define WHELK_NET_NET_H

#include "base/err.h"
#include "base/types.h"

/* Starts the network thread on the devices that were probed, and loopback.
 * Addresses: by DHCP, or fixed by the command line
 *   ip=ADDRESS/BITS[,gw=ADDRESS][,dns=ADDRESS]    or   ip=off (loopback only)
 * A malformed option is logged and DHCP used instead. Does not wait for an
 * address. Once, in thread context. */
void net_init(void);

/* Addresses are IPv4 in host byte order: 10.0.2.15 is 0x0a00020f. 0: none. */
struct net_config {
    bool up;      /* the first device has an address */
    bool dynamic; /* from DHCP */
    u8 mac[6];
    u32 address, mask, gateway, dns;
};
void net_config(struct net_config *out);
/* Waits for the first device's address. false: deadline passed, or no device. */
bool net_wait_up(u64 deadline);

/* The program has ended: sends what its connections still hold, and their ends. Returns
 * when the peers have acknowledged all of it, took nothing for 3 s, or after 30 s; the log
 * says what is lost. Not what goes to this host itself. Thread context; may block. */
void net_finish(void);

struct net_stats {
    u64 rx_frames, rx_bytes, tx_frames, tx_bytes;
    u64 rx_dropped, tx_dropped;   /* by hook verdicts */
    u64 device_errors;            /* frames that the device or driver refused */
    u64 no_memory;                /* frames lost because buffers were short */
    u64 connections_accepted, connections_refused;
    u32 sockets, tcp_pcbs;        /* now */
    u32 pbufs_used;               /* now: 0 when nothing is under way */
};
/* Any thread; each number is right at some moment during the call. */
void net_stats(struct net_stats *out);

#endif
