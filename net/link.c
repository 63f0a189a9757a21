/* link.c: hooks between the device and the stack.
 *
 * I1 tap fires once for each frame on the wire: on arrival, and after the
 *    device took a frame to send.
 * I2 a frame that a hook made longer than its buffer is a frame dropped. */
#include "net/link.h"

#include "base/assert.h"
#include "net/netif.h"

struct link_hooks link_hooks;
struct link_stats link_stats;

static void tap(const struct frame *f, enum link_direction direction) {
    if (link_hooks.tap) link_hooks.tap(f, direction);
}

void link_arrived(const struct frame *f) { tap(f, LINK_IN); }

/* The device copies the frame, so that the tap may follow: only what the
 * device took is on the wire. */
static bool put_on_wire(struct frame *f) {
    struct netdev *d = f->dev;
    assert(d);
    d->collect(d);
    if (f->length > f->capacity || !d->transmit(d, f)) return false;
    link_stats.tx++;
    tap(f, LINK_OUT);
    return true;
}

void link_rx(struct frame *f) {
    assert(f->length <= f->capacity);
    link_stats.rx++;
    u32 verdict = link_hooks.rx ? link_hooks.rx(f) : LINK_PASS;
    if (f->length > f->capacity) verdict = LINK_DROP;
    switch (verdict) {
    case LINK_DROP: link_stats.rx_dropped++; break;
    case LINK_TX:
        if (put_on_wire(f)) link_stats.tx_bounced++;
        break;
    default: netif_receive(f); break;
    }
}

bool link_tx(struct frame *f) {
    assert(f->length <= f->capacity);
    u32 verdict = link_hooks.tx ? link_hooks.tx(f) : LINK_PASS;
    if (verdict == LINK_DROP || f->length > f->capacity) {
        link_stats.tx_dropped++;
        return false;
    }
    return put_on_wire(f);
}
