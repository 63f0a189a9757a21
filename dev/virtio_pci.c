/* virtio_pci.c: the PCI transport (virtio 1.2, 4.1): the modern interface where
 * the device has one, else the legacy one (virtio_pci_legacy.c).
 *
 * I1 entry 0 of the MSI-X table serves the configuration and every queue.
 * I2 what the capabilities name is used only as far as it lies in a window. */
#include "base/assert.h"
#include "base/mem.h"
#include "dev/pci.h"
#include "dev/virtio_pci.h"
#include "kern/log.h"
#include "kern/page.h"

enum { VENDOR = 0x1af4, DEVICE_TRANSITIONAL = 0x1000, DEVICE_MODERN = 0x1040, DEVICE_LAST = 0x107f };
/* 4.1.4: struct virtio_pci_cap, offsets in the capability */
enum { CAP_KIND = 3, CAP_WINDOW = 4, CAP_OFFSET = 8, CAP_LENGTH = 12, CAP_NOTIFY_STEP = 16 };
enum { KIND_COMMON = 1, KIND_NOTIFY = 2, KIND_ISR = 3, KIND_SPECIFIC = 4 };
/* 4.1.4.3: struct virtio_pci_common_cfg */
enum {
    DEVICE_FEATURE_SELECT = 0x00,
    DEVICE_FEATURE = 0x04,
    DRIVER_FEATURE_SELECT = 0x08,
    DRIVER_FEATURE = 0x0c,
    CONFIG_VECTOR = 0x10,
    DEVICE_STATUS = 0x14,
    CONFIG_GENERATION = 0x15,
    QUEUE_SELECT = 0x16,
    QUEUE_SIZE = 0x18,
    QUEUE_VECTOR = 0x1a,
    QUEUE_ENABLE = 0x1c,
    QUEUE_NOTIFY_OFFSET = 0x1e,
    QUEUE_DESC = 0x20,
    QUEUE_DRIVER = 0x28,
    QUEUE_DEVICE = 0x30,
    COMMON_BYTES = 0x38,
};
enum { NO_VECTOR = 0xffff, CONFIG_BYTES = 256 };
#define POLL_NS 1000000ull

static volatile u8 *reg8(struct virtio_dev *d, u32 at) { return d->regs + at; }
static volatile u16 *reg16(struct virtio_dev *d, u32 at) { return (volatile u16 *)(d->regs + at); }
static volatile u32 *reg32(struct virtio_dev *d, u32 at) { return (volatile u32 *)(d->regs + at); }
static void put64(struct virtio_dev *d, u32 at, u64 v) {
    *reg32(d, at) = (u32)v;
    *reg32(d, at + 4) = (u32)(v >> 32);
}

static u8 status(struct virtio_dev *d) { return *reg8(d, DEVICE_STATUS); }
static void set_status(struct virtio_dev *d, u8 v) { *reg8(d, DEVICE_STATUS) = v; }

static u64 features(struct virtio_dev *d) {
    *reg32(d, DEVICE_FEATURE_SELECT) = 0;
    u64 f = *reg32(d, DEVICE_FEATURE);
    *reg32(d, DEVICE_FEATURE_SELECT) = 1;
    return f | (u64)*reg32(d, DEVICE_FEATURE) << 32;
}

static void set_features(struct virtio_dev *d, u64 v) {
    *reg32(d, DRIVER_FEATURE_SELECT) = 0;
    *reg32(d, DRIVER_FEATURE) = (u32)v;
    *reg32(d, DRIVER_FEATURE_SELECT) = 1;
    *reg32(d, DRIVER_FEATURE) = (u32)(v >> 32);
    *reg16(d, CONFIG_VECTOR) = d->msix ? 0 : NO_VECTOR;
}

/* Also where a queue is told: a queue whose place lies outside is none. */
static u32 queue_max(struct virtio_dev *d, u16 index) {
    *reg16(d, QUEUE_SELECT) = index;
    u64 at = (u64)*reg16(d, QUEUE_NOTIFY_OFFSET) * d->notify_step;
    if (index >= VIRTIO_PCI_QUEUES || at + 2 > d->notify_bytes) return 0;
    d->notify_at[index] = (u32)at;
    return *reg16(d, QUEUE_SIZE);
}

static void queue_publish(struct virtio_dev *d, const struct vring *r) {
    *reg16(d, QUEUE_SIZE) = r->size;
    *reg16(d, QUEUE_VECTOR) = d->msix ? 0 : NO_VECTOR;
    put64(d, QUEUE_DESC, virt_to_phys((const void *)r->desc).v);
    put64(d, QUEUE_DRIVER, virt_to_phys((const void *)r->avail).v);
    put64(d, QUEUE_DEVICE, virt_to_phys((const void *)r->used).v);
    *reg16(d, QUEUE_ENABLE) = 1;
}

static u32 generation(struct virtio_dev *d) { return *reg8(d, CONFIG_GENERATION); }
static u8 config(struct virtio_dev *d, u32 offset) { return offset < d->specific_bytes ? d->specific[offset] : 0; }
static void notify(struct virtio_dev *d, u16 queue) { *(volatile u16 *)(d->notify + d->notify_at[queue]) = queue; }

/* Reading acknowledges a line; a message needs none (4.1.4.5). */
static u32 ack(struct virtio_dev *d) { return d->msix ? 1 : *d->isr; }

static void on_poll(struct timer *t) {
    struct virtio_dev *d = CONTAINER_OF(t, struct virtio_dev, poll);
    d->poll_fn(d->poll_arg);
    timer_arm(t, time_mono_ns() + POLL_NS);
}

/* Where the lines of a PCI bus lead only AML can say: a device without
 * messages is looked at every millisecond instead. */
enum err virtio_pci_interrupts(struct virtio_dev *d, irq_handler *fn, void *arg) {
    if (d->msix) return pci_msix_route(d->msix, fn, arg);
    log_warn("virtio device %u at pci %x: no MSI-X; it is polled", d->id, (u32)d->base);
    d->poll_fn = fn, d->poll_arg = arg, d->poll.fn = on_poll;
    timer_arm(&d->poll, time_mono_ns() + POLL_NS);
    return ERR_OK;
}

static const struct virtio_transport modern = {
    .name = "pci", .status = status, .set_status = set_status, .features = features, .set_features = set_features,
    .queue_max = queue_max, .queue_publish = queue_publish, .generation = generation, .config = config,
    .ack = ack, .notify = notify, .interrupts = virtio_pci_interrupts, .config_bytes = CONFIG_BYTES,
};

/* The first capability of a kind, mapped (4.1.4: the driver takes the first that
 * it can use). least: bytes that it must have. */
static volatile u8 *map_kind(const struct pci_function *f, u8 kind, u32 least, u32 *bytes, u32 *cap) {
    for (u32 at, nth = 0; (at = pci_capability(f, PCI_CAP_VENDOR, nth)); nth++) {
        if (at + CAP_LENGTH + 4 > 256 || pci_read8(f, at + CAP_KIND) != kind) continue;
        u32 length = pci_read32(f, at + CAP_LENGTH), offset = pci_read32(f, at + CAP_OFFSET);
        if (length < least || offset % 4) continue;
        length = MIN(length, 1u << 20);
        volatile u8 *p = pci_map(f, pci_read8(f, at + CAP_WINDOW), offset, length);
        if (!p) continue;
        *bytes = length;
        *cap = at;
        return p;
    }
    return NULL;
}

static bool map_modern(struct virtio_dev *d, const struct pci_function *f) {
    u32 bytes, cap;
    if (!(d->regs = map_kind(f, KIND_COMMON, COMMON_BYTES, &bytes, &cap))) return false;
    if (!(d->isr = map_kind(f, KIND_ISR, 1, &bytes, &cap))) return false;
    d->specific = map_kind(f, KIND_SPECIFIC, 1, &d->specific_bytes, &cap);
    if (!d->specific) d->specific_bytes = 0; /* an entropy device has none */
    if (!(d->notify = map_kind(f, KIND_NOTIFY, 2, &d->notify_bytes, &cap))) return false;
    if (cap + CAP_NOTIFY_STEP + 4 > 256) return false;
    d->notify_step = pci_read32(f, cap + CAP_NOTIFY_STEP);
    return d->notify_step % 2 == 0;
}

/* 4.1.2.1: what a function's ids say that it is; 0: none of ours. */
static u32 kind_of(const struct pci_function *f) {
    if (f->vendor != VENDOR || f->device < DEVICE_TRANSITIONAL || f->device > DEVICE_LAST) return 0;
    return f->device >= DEVICE_MODERN ? (u32)f->device - DEVICE_MODERN : f->subsystem;
}

bool virtio_pci_identify(struct virtio_dev *d, const struct pci_function *f) {
    *d = (struct virtio_dev){.transport = &modern, .base = pci_address(f), .id = kind_of(f)};
    if (!d->id) return false;
    pci_enable(f);
    d->msix = pci_msix_enable(f);
    if (map_modern(d, f)) return true;
    if (f->device < DEVICE_MODERN && virtio_pci_legacy(d, f)) return true;
    log_warn("virtio device %u at pci %x: no registers that can be used", d->id, (u32)d->base);
    return false;
}
