/* virtio_net.c: the network card (virtio 1.2, 5.1), one pair of queues, no
 * offloads: a frame is one buffer, and the header before it is all zeros.
 *
 * I1 a receive buffer is in exactly one place: with the device, or in the queue
 *    of arrived frames, or being delivered.
 * I2 arrived frames are delivered in the order in which the device gave them.
 * I3 a frame's length is between ETHERNET_MIN and FRAME_MAX; others are counted
 *    and their buffers go back.
 * I4 all but the interrupt handler runs in the network thread. */
#include "base/assert.h"
#include "base/mem.h"
#include "dev/net.h"
#include "dev/virtio.h"
#include "kern/heap.h"
#include "kern/page.h"
#include "kern/random.h"
#include "kern/time.h"
#include "kern/wait.h"

#define VIRTIO_NET_F_MAC (1ull << 5)
enum { QUEUE_RX = 0, QUEUE_TX = 1 };
enum { HEADER_LEGACY = 10, HEADER_MODERN = 12, HEADER_ROOM = 16 };
enum { BUFFERS = 256, BUFFER_BYTES = 2048, ETHERNET_MIN = 14 };
#define TX_PATIENCE_NS (20ull * 1000000)
static_assert(HEADER_ROOM + FRAME_CAPACITY == BUFFER_BYTES, "dev/net.h");

struct buffer {
    u8 *memory; /* BUFFER_BYTES: the header ends at HEADER_ROOM, the frame follows */
    u64 time;
    u32 length; /* of the frame */
};

struct card {
    struct netdev net;
    struct virtio_dev *dev;
    u32 header; /* bytes */
    struct virtqueue rx, tx;
    struct buffer rx_buffer[BUFFERS], tx_buffer[BUFFERS];
    struct buffer *tx_free[BUFFERS];
    u32 tx_free_count;
    struct buffer *arrived[BUFFERS]; /* ring: [first, last) modulo BUFFERS */
    u32 first, last;
    struct waitq tx_wait;
    bool dead;
};

static void die(struct card *c) {
    if (c->dead) return;
    c->dead = true;
    virtio_fail(c->dev, "broke the rules of its queue");
}

/* The header may share a descriptor with the frame in all but old devices
 * (virtio 1.2, 2.7.4.1, 5.1.6: legacy without ANY_LAYOUT has it alone). */
static enum err post(struct card *c, struct virtqueue *q, struct buffer *b, u32 frame, bool rx) {
    u64 at = virt_to_phys(b->memory).v + HEADER_ROOM - c->header;
    bool apart = c->dev->legacy && !(c->dev->features & VIRTIO_F_ANY_LAYOUT);
    struct vring_piece piece[2] = {{at, c->header + (apart ? 0 : frame), rx}, {at + c->header, frame, rx}};
    return vring_post(&q->ring, piece, apart ? 2 : 1, b);
}

static void give_back(struct card *c, struct buffer *b) {
    if (post(c, &c->rx, b, FRAME_MAX, true)) die(c);
}

static bool pending(struct card *c) { return c->first != c->last; }

static struct frame frame_of(struct card *c, struct buffer *b) {
    return (struct frame){b->memory + HEADER_ROOM, b->length, FRAME_CAPACITY, &c->net, b->time};
}

static void arrive(struct card *c, struct buffer *b, u32 written) {
    if (written < c->header + ETHERNET_MIN || written > c->header + FRAME_MAX) {
        c->net.stats.rx_errors++;
        return give_back(c, b);
    }
    b->length = written - c->header;
    b->time = time_mono_ns();
    c->net.stats.rx_frames++;
    c->net.stats.rx_bytes += b->length;
    assert(c->last - c->first < BUFFERS);
    c->arrived[c->last++ % BUFFERS] = b;
    struct frame f = frame_of(c, b);
    if (c->net.arrived) c->net.arrived(&f);
}

static void collect(struct netdev *n) {
    struct card *c = CONTAINER_OF(n, struct card, net);
    u32 written;
    for (struct buffer *b; (b = vring_take(&c->rx.ring, &written));) arrive(c, b, written);
    if (c->rx.ring.broken) die(c);
}

static u32 poll(struct netdev *n, u32 budget) {
    struct card *c = CONTAINER_OF(n, struct card, net);
    collect(n);
    u32 done = 0;
    for (; done < budget && pending(c); done++) {
        struct buffer *b = c->arrived[c->first++ % BUFFERS];
        struct frame f = frame_of(c, b);
        if (n->deliver) n->deliver(&f);
        give_back(c, b);
    }
    if (done && !c->dead) virtio_kick(&c->rx);
    return done;
}

static void reclaim(struct card *c) {
    u32 written;
    for (struct buffer *b; (b = vring_take(&c->tx.ring, &written));) {
        assert(c->tx_free_count < BUFFERS);
        c->tx_free[c->tx_free_count++] = b;
    }
    if (c->tx.ring.broken) die(c);
}

/* The host has not kept up: sleep a little rather than lose the frame. */
static void wait_for_room(struct card *c) {
    vring_interrupts(&c->tx.ring, true);
    wait_event(&c->tx_wait, vring_pending(&c->tx.ring), time_mono_ns() + TX_PATIENCE_NS);
    vring_interrupts(&c->tx.ring, false);
    reclaim(c);
}

static bool transmit(struct netdev *n, const struct frame *f) {
    struct card *c = CONTAINER_OF(n, struct card, net);
    assert(f->length <= f->capacity);
    if (f->length < ETHERNET_MIN || f->length > FRAME_MAX || c->dead) goto refuse;
    reclaim(c);
    if (!c->tx_free_count && !c->dead) wait_for_room(c);
    if (!c->tx_free_count || c->dead) goto refuse;
    struct buffer *b = c->tx_free[--c->tx_free_count];
    memcpy(b->memory + HEADER_ROOM, f->data, f->length);
    if (post(c, &c->tx, b, f->length, false)) {
        c->tx_free[c->tx_free_count++] = b;
        goto refuse;
    }
    virtio_kick(&c->tx);
    n->stats.tx_frames++;
    n->stats.tx_bytes += f->length;
    return true;
refuse:
    n->stats.tx_dropped++;
    return false;
}

static void on_interrupt(void *arg) {
    struct card *c = arg;
    virtio_ack(c->dev);
    wait_wake_all(&c->tx_wait);
    if (c->net.wake) c->net.wake();
}

/* Two buffers a page. */
static enum err make_buffers(struct buffer *b) {
    for (u32 i = 0; i < BUFFERS; i += 2) {
        phys page = page_alloc_zeroed();
        if (!page.v) return ERR_NOMEM;
        b[i].memory = phys_to_virt(page);
        b[i + 1].memory = b[i].memory + BUFFER_BYTES;
    }
    return ERR_OK;
}

static void choose_mac(struct card *c) {
    if (c->dev->features & VIRTIO_NET_F_MAC) {
        virtio_config(c->dev, 0, c->net.mac, sizeof c->net.mac);
    } else {
        random_bytes(c->net.mac, sizeof c->net.mac);
    }
    /* Never a group address; one that we made up is marked as local. */
    if (c->net.mac[0] & 1 || !(c->dev->features & VIRTIO_NET_F_MAC))
        c->net.mac[0] = (u8)((c->net.mac[0] & ~1) | 2);
}

static enum err set_up(struct card *c) {
    enum err e = virtio_negotiate(c->dev, VIRTIO_NET_F_MAC | VIRTIO_F_ANY_LAYOUT);
    if (!e) e = virtio_queue_setup(c->dev, &c->rx, QUEUE_RX, VRING_MAX);
    if (!e) e = virtio_queue_setup(c->dev, &c->tx, QUEUE_TX, VRING_MAX);
    if (!e) e = make_buffers(c->rx_buffer);
    if (!e) e = make_buffers(c->tx_buffer);
    if (!e) e = virtio_interrupts(c->dev, on_interrupt, c);
    return e;
}

enum err virtio_net_probe(struct virtio_dev *d) {
    struct card *c = kzalloc(sizeof *c);
    if (!c) return ERR_NOMEM;
    c->dev = d;
    c->net.mtu = 1500;
    c->net.transmit = transmit, c->net.collect = collect, c->net.poll = poll;
    waitq_init(&c->tx_wait);
    enum err e = set_up(c);
    if (e) return e;
    c->header = d->legacy ? HEADER_LEGACY : HEADER_MODERN;
    choose_mac(c);
    for (u32 i = 0; i < BUFFERS; i++) c->tx_free[c->tx_free_count++] = &c->tx_buffer[i];
    vring_interrupts(&c->tx.ring, false);
    /* A small ring holds fewer buffers, and fewest if each takes two pieces. */
    for (u32 i = 0; i < BUFFERS; i++)
        if (post(c, &c->rx, &c->rx_buffer[i], FRAME_MAX, true)) break;
    virtio_start(d);
    virtio_kick(&c->rx);
    netdev_add(&c->net);
    return ERR_OK;
}
