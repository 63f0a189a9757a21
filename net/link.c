/* link.c: hooks between the device and the stack.
 *
 * I1 tap fires once for each frame on the wire: on arrival, and after the
 *    device took a frame to send.
 * I2 a frame that a hook made longer than its buffer is a frame dropped. */
#include "net/link.h"

#include "base/assert.h"
#include "base/mem.h"
#include "net/netif.h"

enum { RECENT = 16, HEAD = 64, HEX_COLUMNS = 16 };

struct link_hooks link_hooks;
struct link_stats link_stats;

/* What was last on the wire. */
static struct {
    u64 count; /* the next goes to frames[count % RECENT] */
    struct recent {
        u64 time;
        u32 length;
        enum link_direction direction;
        u8 head[HEAD];
    } frames[RECENT];
} recent;

static void keep(const struct frame *f, enum link_direction direction) {
    struct recent *r = &recent.frames[recent.count++ % RECENT];
    r->time = f->time;
    r->length = f->length;
    r->direction = direction;
    memcpy(r->head, f->data, MIN(f->length, (u32)HEAD));
}

static void report_frame(const struct recent *r, u64 number, void (*say)(const char *format, ...)) {
    u32 us = (u32)(r->time / 1000 % 1000000), s = (u32)(r->time / 1000000000);
    say("# frame %lu, %s, %u bytes", number, r->direction == LINK_IN ? "in" : "out", r->length);
    if (r->time) say(", [%3u.%06u]", s, us);
    for (u32 i = 0; i < MIN(r->length, (u32)HEAD); i++) {
        if (i % HEX_COLUMNS == 0) say("\n%04x ", i);
        say(" %02x", r->head[i]);
    }
    say("\n");
}

void link_report(void (*say)(const char *format, ...)) {
    u64 end = recent.count;
    for (u64 i = end > RECENT ? end - RECENT : 0; i < end; i++) report_frame(&recent.frames[i % RECENT], i + 1, say);
}

static void tap(const struct frame *f, enum link_direction direction) {
    keep(f, direction);
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
