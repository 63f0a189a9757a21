/* virtio.h: virtio over MMIO (virtio 1.2, 4.2), modern and legacy.
 *
 * Threads: probe and set-up in the thread that boots; afterwards each queue
 *   has one owner, and virtio_ack is for the interrupt handler.
 * Errors: ERR_UNSUPPORTED, ERR_IO, ERR_NOMEM; the device is then reset (FAILED).
 * The device is not trusted: see vring.h; configuration is read as bytes and
 * checked by each driver. */
#ifndef WHELK_DEV_VIRTIO_H
#define WHELK_DEV_VIRTIO_H

#include "base/err.h"
#include "base/types.h"
#include "dev/vring.h"
#include "kern/irq.h"

enum virtio_id { VIRTIO_NET = 1, VIRTIO_BLK = 2, VIRTIO_CONSOLE = 3, VIRTIO_RNG = 4 };

#define VIRTIO_F_ANY_LAYOUT (1ull << 27)
#define VIRTIO_F_VERSION_1 (1ull << 32)

struct virtio_dev {
    volatile u8 *regs; /* of the transport */
    u64 base;          /* physical, for messages */
    u32 gsi;
    u32 id;            /* enum virtio_id */
    bool legacy;
    u64 features;      /* negotiated */
};

/* A queue of a device: its ring and the memory under it. */
struct virtqueue {
    struct virtio_dev *dev;
    u16 index;
    struct vring ring;
};

/* Looks at the registers at base: false if there is no virtio device. */
bool virtio_identify(struct virtio_dev *d, u64 base, u32 gsi);
/* Reset, acknowledge, and agree on the device's features that are in wanted
 * (VERSION_1 is added on a modern device, and required there). */
enum err virtio_negotiate(struct virtio_dev *d, u64 wanted);
/* The ring gets as many entries as the device has, at most limit (<= VRING_MAX). */
enum err virtio_queue_setup(struct virtio_dev *d, struct virtqueue *q, u16 index, u16 limit);
/* DRIVER_OK: from here on the device works. */
void virtio_start(struct virtio_dev *d);
/* Stops the device for good. Its memory is not handed out again: who would
 * trust such a device to have let go of it? */
void virtio_fail(struct virtio_dev *d, const char *why);
/* Bytes of the device's configuration, read until its generation is stable. */
void virtio_config(struct virtio_dev *d, u32 offset, void *out, u32 n);
/* Interrupt handler: says why the device interrupts, and acknowledges it. */
u32 virtio_ack(struct virtio_dev *d);
/* Tells the device about new buffers, if it wants to hear of them. */
void virtio_kick(struct virtqueue *q);

/* The drivers: bind a device that virtio_identify found. They keep *d. */
enum err virtio_net_probe(struct virtio_dev *d);
enum err virtio_console_probe(struct virtio_dev *d);
enum err virtio_rng_probe(struct virtio_dev *d);

#endif
