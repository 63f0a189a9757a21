/* link.h: where frames pass between a network device and the IP stack, and
 * where hooks fire. Loopback does not pass here: it has no frames.
 *
 * Order. In:  device -> tap -> rx hook -> IP stack.
 *        Out: IP stack -> tx hook -> device -> tap.
 * So the tap sees exactly what the wire sees: each frame once; one that the rx
 * hook drops is seen, one that the tx hook drops or the device refuses is not.
 * A frame that an rx verdict sends back (TX) does not pass the tx hook, as it
 * never was the stack's, but it is tapped as sent.
 * Before a frame is sent, what has already arrived is collected and tapped, so
 * that both directions come in the order of the wire, as nearly as the device
 * lets the guest know it.
 *
 * Threads: all in the network thread, interrupts on. */
#ifndef WHELK_NET_LINK_H
#define WHELK_NET_LINK_H

#include "base/types.h"
#include "dev/net.h"

/* Numbers equal to enum whelk_verdict and whelk_direction. */
enum link_verdict { LINK_PASS = 0, LINK_DROP = 1, LINK_TX = 2 };
enum link_direction { LINK_IN = 0, LINK_OUT = 1 };

/* A NULL member passes everything. A handler may write data[0..length) and set
 * length up to capacity, but must not keep the frame. It never re-enters link_*
 * or a socket call. Any other number than a verdict counts as PASS. */
struct link_hooks {
    u32 (*rx)(struct frame *f); /* PASS, DROP, TX */
    u32 (*tx)(struct frame *f); /* PASS, DROP */
    void (*tap)(const struct frame *f, enum link_direction direction);
};
/* Set by init/ before net_init. */
extern struct link_hooks link_hooks;

/* Hands f to the device's stack; the device's deliver and arrived callbacks. */
void link_rx(struct frame *f);
void link_arrived(const struct frame *f);
/* false: dropped (by verdict or device) and counted. */
bool link_tx(struct frame *f);

/* The heads of the last frames on the wire, for a panic: as text2pcap reads them. */
void link_report(void (*say)(const char *format, ...));

/* Counted by link; see net_stats for the whole. */
struct link_stats {
    u64 rx, tx, rx_dropped, tx_dropped, tx_bounced; /* frames; dropped = by a hook */
};
extern struct link_stats link_stats;

#endif
