/* net.h: network devices, as net/ sees them.
 *
 * Threads: everything here but the interrupt handler runs in the one network
 *   thread (net/net.h). The driver's interrupt handler only calls *wake.
 * Ownership: a frame belongs to the driver and is valid during the callback. */
#ifndef WHELK_DEV_NET_H
#define WHELK_DEV_NET_H

#include "base/list.h"
#include "base/types.h"

struct netdev;

enum {
    FRAME_MAX = 1514,      /* Ethernet header and 1500 bytes, no checksum */
    FRAME_CAPACITY = 2032, /* what a handler may grow a frame to in place: still sent only up to FRAME_MAX */
};

/* An Ethernet frame. data[0..length) is writable, length may change up to capacity. */
struct frame {
    u8 *data;
    u32 length, capacity; /* bytes; length <= capacity */
    struct netdev *dev;
    u64 time;             /* time_mono_ns when the driver saw it */
};

/* Plain counters of the network thread: read by others without a lock, each
 * one whole (64-bit loads). */
struct netdev_stats {
    u64 rx_frames, rx_bytes, tx_frames, tx_bytes;
    u64 rx_errors;  /* refused by the driver: too short, too long, bad header */
    u64 tx_dropped; /* the device took no more */
};

struct netdev {
    /* fixed after netdev_add */
    char name[8];
    u8 mac[6];
    u16 mtu;
    u32 index; /* 1, 2, ...: the interface number that hooks see */
    /* Sends a copy of f. false: the device takes no more now; nothing was sent. */
    bool (*transmit)(struct netdev *d, const struct frame *f);
    /* Takes what has arrived from the device, in the order of the wire, and
     * calls *arrived for each: no frame is delivered yet. */
    void (*collect)(struct netdev *d);
    /* collect, then calls *deliver for at most budget frames. How many. */
    u32 (*poll)(struct netdev *d, u32 budget);

    /* set by net/ before it calls any of the above */
    void (*arrived)(const struct frame *f);
    void (*deliver)(struct frame *f);
    void (*wake)(void); /* from the interrupt: something may have arrived */
    void *stack;        /* net/'s */

    struct netdev_stats stats;
    struct list node;
};

/* Drivers add, net/ lists. Boot only. */
void netdev_add(struct netdev *d);
extern struct list netdevs;

#endif
