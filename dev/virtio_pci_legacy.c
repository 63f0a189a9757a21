/* virtio_pci_legacy.c: the legacy interface of a transitional device (virtio 1.2,
 * 4.1.4.10): registers in I/O ports, queues of the device's own size. */
#include "base/assert.h"
#include "dev/virtio_pci.h"
#include "kern/page.h"
#include "kern/port.h"

enum {
    DEVICE_FEATURES = 0,
    GUEST_FEATURES = 4,
    QUEUE_PFN = 8,
    QUEUE_SIZE = 12,
    QUEUE_SELECT = 14,
    QUEUE_NOTIFY = 16,
    DEVICE_STATUS = 18,
    ISR_STATUS = 19,
    CONFIG_VECTOR = 20, /* these two only while MSI-X is enabled */
    QUEUE_VECTOR = 22,
    SPECIFIC_MSIX = 24,
    SPECIFIC = 20,
};
enum { WINDOW_LEAST = 32, CONFIG_BYTES = 64 };

static u16 port(struct virtio_dev *d, u32 at) { return (u16)(d->gsi + at); }

static u8 status(struct virtio_dev *d) { return port_read8(port(d, DEVICE_STATUS)); }
static void set_status(struct virtio_dev *d, u8 v) { port_write8(port(d, DEVICE_STATUS), v); }
static u64 features(struct virtio_dev *d) { return port_read32(port(d, DEVICE_FEATURES)); }

static void set_features(struct virtio_dev *d, u64 v) {
    port_write32(port(d, GUEST_FEATURES), (u32)v);
    if (d->msix) port_write16(port(d, CONFIG_VECTOR), 0);
}

static u32 queue_max(struct virtio_dev *d, u16 index) {
    port_write16(port(d, QUEUE_SELECT), index);
    return port_read16(port(d, QUEUE_SIZE));
}

static void queue_publish(struct virtio_dev *d, const struct vring *r) {
    u64 at = virt_to_phys((const void *)r->desc).v;
    assert(at >> 32 < PAGE_SIZE); /* a 32-bit page number */
    if (d->msix) port_write16(port(d, QUEUE_VECTOR), 0);
    port_write32(port(d, QUEUE_PFN), (u32)(at / PAGE_SIZE));
}

static u32 generation(struct virtio_dev *d) { return 0; }

static u8 config(struct virtio_dev *d, u32 offset) {
    return offset < d->specific_bytes ? port_read8(port(d, (d->msix ? SPECIFIC_MSIX : SPECIFIC) + offset)) : 0;
}

static u32 ack(struct virtio_dev *d) { return d->msix ? 1 : port_read8(port(d, ISR_STATUS)); }
static void notify(struct virtio_dev *d, u16 queue) { port_write16(port(d, QUEUE_NOTIFY), queue); }

static const struct virtio_transport legacy = {
    .name = "pci ports", .status = status, .set_status = set_status, .features = features, .set_features = set_features,
    .queue_max = queue_max, .queue_publish = queue_publish, .generation = generation, .config = config,
    .ack = ack, .notify = notify, .interrupts = virtio_pci_interrupts, .config_bytes = CONFIG_BYTES,
    .size_is_devices = true,
};

bool virtio_pci_legacy(struct virtio_dev *d, const struct pci_function *f) {
    struct pci_window w = pci_window(f, 0);
    if (!w.ports || w.size < WINDOW_LEAST) return false;
    d->transport = &legacy;
    d->gsi = (u32)w.base;
    d->legacy = true;
    d->specific_bytes = (u32)w.size - (d->msix ? SPECIFIC_MSIX : SPECIFIC);
    return true;
}
