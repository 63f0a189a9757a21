/* virtio.c: a device from reset to DRIVER_OK, over any transport.
 *
 * I1 DRIVER_OK is written only after features and queues are agreed.
 * I2 a device that fails is reset and never started again; its memory stays
 *    allocated, since a device that misbehaves may go on writing to it. */
#include "dev/virtio.h"

#include "base/assert.h"
#include "kern/log.h"
#include "kern/page.h"

enum status {
    STATUS_ACKNOWLEDGE = 1,
    STATUS_DRIVER = 2,
    STATUS_DRIVER_OK = 4,
    STATUS_FEATURES_OK = 8,
    STATUS_FAILED = 128,
};
enum { RESET_TRIES = 1000, CONFIG_TRIES = 100 };

static bool reset(struct virtio_dev *d) {
    d->transport->set_status(d, 0);
    /* 2.1.2: the device shows 0 when the reset is complete */
    for (u32 i = 0; i < RESET_TRIES; i++)
        if (!d->transport->status(d)) return true;
    return false;
}

/* 3.1.1, the steps before the device's own set-up. */
enum err virtio_negotiate(struct virtio_dev *d, u64 wanted) {
    if (!reset(d)) return ERR_IO;
    const struct virtio_transport *t = d->transport;
    t->set_status(d, STATUS_ACKNOWLEDGE);
    t->set_status(d, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    u64 offered = t->features(d);
    if (!d->legacy && !(offered & VIRTIO_F_VERSION_1)) return ERR_UNSUPPORTED;
    d->features = offered & (wanted | (d->legacy ? 0 : VIRTIO_F_VERSION_1));
    t->set_features(d, d->features);
    if (d->legacy) return ERR_OK;
    t->set_status(d, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
    /* 3.1.1 step 6: did FEATURES_OK stick? */
    return t->status(d) & STATUS_FEATURES_OK ? ERR_OK : ERR_UNSUPPORTED;
}

static unsigned order_of(size_t bytes) {
    unsigned order = 0;
    while ((size_t)PAGE_SIZE << order < bytes) order++;
    return order;
}

/* The largest power of two that neither side exceeds. */
static u16 queue_size(u32 max, u16 limit) {
    u16 n = 1;
    while (n * 2u <= MIN(max, (u32)limit)) n *= 2;
    return n;
}

enum err virtio_queue_setup(struct virtio_dev *d, struct virtqueue *q, u16 index, u16 limit) {
    assert(limit >= 1 && limit <= VRING_MAX);
    u32 max = d->transport->queue_max(d, index);
    if (!max) return ERR_UNSUPPORTED;
    u16 size = queue_size(max, d->transport->size_is_devices ? VRING_MAX : limit);
    if (d->transport->size_is_devices && size != max) return ERR_UNSUPPORTED;
    phys memory = page_alloc(order_of(vring_bytes(size)));
    if (!memory.v) return ERR_NOMEM;
    q->dev = d;
    q->index = index;
    vring_init(&q->ring, size, phys_to_virt(memory));
    d->transport->queue_publish(d, &q->ring);
    return ERR_OK;
}

enum err virtio_interrupts(struct virtio_dev *d, irq_handler *fn, void *arg) {
    return d->transport->interrupts(d, fn, arg);
}

void virtio_start(struct virtio_dev *d) {
    const struct virtio_transport *t = d->transport;
    t->set_status(d, t->status(d) | STATUS_DRIVER_OK);
}

void virtio_fail(struct virtio_dev *d, const char *why) {
    log_error("virtio device %u at 0x%lx: %s; it is stopped", d->id, (unsigned long)d->base, why);
    reset(d);
    d->transport->set_status(d, STATUS_FAILED);
}

/* 2.5.1: a configuration is whole if its generation did not change. Legacy
 * devices have no generation: two equal readings do as well as can be. */
void virtio_config(struct virtio_dev *d, u32 offset, void *out, u32 n) {
    const struct virtio_transport *t = d->transport;
    assert(offset + n <= t->config_bytes);
    u8 *to = out;
    for (u32 tries = 0; tries < CONFIG_TRIES; tries++) {
        u32 before = t->generation(d);
        bool same = true;
        for (u32 i = 0; i < n; i++) {
            u8 b = t->config(d, offset + i);
            same &= b == to[i];
            to[i] = b;
        }
        if (d->legacy ? same : before == t->generation(d)) return;
    }
}

u32 virtio_ack(struct virtio_dev *d) { return d->transport->ack(d); }

void virtio_kick(struct virtqueue *q) {
    if (vring_wants_kick(&q->ring)) q->dev->transport->notify(q->dev, q->index);
}
