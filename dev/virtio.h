/* virtio.h: virtio (virtio 1.2), over MMIO and over PCI, modern and legacy.
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
#include "kern/time.h"

enum virtio_id { VIRTIO_NET = 1, VIRTIO_BLK = 2, VIRTIO_CONSOLE = 3, VIRTIO_RNG = 4 };

enum { VIRTIO_PCI_QUEUES = 16 };

#define VIRTIO_F_ANY_LAYOUT (1ull << 27)
#define VIRTIO_F_VERSION_1 (1ull << 32)

struct virtio_dev;
struct virtqueue;

/* How one transport does what every driver needs. All but ack and notify run
 * in the thread that sets the device up. */
struct virtio_transport {
    const char *name;
    u8 (*status)(struct virtio_dev *d);
    void (*set_status)(struct virtio_dev *d, u8 v); /* 0 resets */
    u64 (*features)(struct virtio_dev *d);
    void (*set_features)(struct virtio_dev *d, u64 v);
    /* Selects a queue: its entries, 0 if there is no such queue. */
    u32 (*queue_max)(struct virtio_dev *d, u16 index);
    void (*queue_publish)(struct virtio_dev *d, const struct vring *r); /* the selected one */
    u32 (*generation)(struct virtio_dev *d);
    u8 (*config)(struct virtio_dev *d, u32 offset);
    u32 (*ack)(struct virtio_dev *d);
    void (*notify)(struct virtio_dev *d, u16 queue);
    enum err (*interrupts)(struct virtio_dev *d, irq_handler *fn, void *arg);
    u32 config_bytes;     /* that config may be asked for */
    bool size_is_devices; /* a queue has exactly the device's number of entries */
};

struct virtio_dev {
    const struct virtio_transport *transport;
    u64 base;          /* physical address or PCI address, for messages */
    u32 id;            /* enum virtio_id */
    bool legacy;
    u64 features;      /* negotiated */
    /* of the transport */
    volatile u8 *regs; /* MMIO: all of them; PCI: the common configuration */
    u32 gsi;           /* MMIO: the line; PCI: the legacy interface's first port */
    volatile u8 *notify, *isr, *specific; /* PCI, modern */
    u32 notify_bytes, notify_step, specific_bytes;
    u32 notify_at[VIRTIO_PCI_QUEUES]; /* offset in notify, by queue */
    volatile u32 *msix; /* PCI: the table; NULL: there is none */
    struct timer poll;  /* PCI without messages: looks now and then */
    irq_handler *poll_fn;
    void *poll_arg;
};

/* A queue of a device: its ring and the memory under it. */
struct virtqueue {
    struct virtio_dev *dev;
    u16 index;
    struct vring ring;
};

/* Looks at the registers at base: false if there is no virtio device. */
bool virtio_mmio_identify(struct virtio_dev *d, u64 base, u32 gsi);
/* The same for a function on a PCI bus. */
struct pci_function;
bool virtio_pci_identify(struct virtio_dev *d, const struct pci_function *f);
/* Reset, acknowledge, and agree on the device's features that are in wanted
 * (VERSION_1 is added on a modern device, and required there). */
enum err virtio_negotiate(struct virtio_dev *d, u64 wanted);
/* The ring gets as many entries as the device has, at most limit (<= VRING_MAX);
 * over the legacy PCI interface as many as the device has. */
enum err virtio_queue_setup(struct virtio_dev *d, struct virtqueue *q, u16 index, u16 limit);
/* fn(arg) runs whenever the device interrupts. After the queues, before the start. */
enum err virtio_interrupts(struct virtio_dev *d, irq_handler *fn, void *arg);
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

/* The drivers: bind a device that virtio_*_identify found. They keep *d. */
enum err virtio_net_probe(struct virtio_dev *d);
enum err virtio_console_probe(struct virtio_dev *d);
enum err virtio_rng_probe(struct virtio_dev *d);

#endif
