/* virtio_mmio.c: the MMIO transport (virtio 1.2, 4.2.2 modern, 4.2.4 legacy). */
#include "base/assert.h"
#include "dev/virtio.h"
#include "kern/page.h"
#include "kern/vm.h"

/* 4.2.2, table 4.1; 4.2.4, table 4.3 */
enum reg {
    REG_MAGIC = 0x000,
    REG_VERSION = 0x004,
    REG_DEVICE_ID = 0x008,
    REG_DEVICE_FEATURES = 0x010,
    REG_DEVICE_FEATURES_SEL = 0x014,
    REG_DRIVER_FEATURES = 0x020,
    REG_DRIVER_FEATURES_SEL = 0x024,
    REG_GUEST_PAGE_SIZE = 0x028, /* legacy */
    REG_QUEUE_SEL = 0x030,
    REG_QUEUE_NUM_MAX = 0x034,
    REG_QUEUE_NUM = 0x038,
    REG_QUEUE_ALIGN = 0x03c, /* legacy */
    REG_QUEUE_PFN = 0x040,   /* legacy */
    REG_QUEUE_READY = 0x044,
    REG_QUEUE_NOTIFY = 0x050,
    REG_INTERRUPT_STATUS = 0x060,
    REG_INTERRUPT_ACK = 0x064,
    REG_STATUS = 0x070,
    REG_QUEUE_DESC = 0x080,
    REG_QUEUE_DRIVER = 0x090,
    REG_QUEUE_DEVICE = 0x0a0,
    REG_CONFIG_GENERATION = 0x0fc,
    REG_CONFIG = 0x100,
};
enum { MAGIC = 0x74726976 /* "virt" */, REGS_BYTES = 0x200 };

static u32 get(struct virtio_dev *d, u32 reg) { return *(volatile u32 *)(d->regs + reg); }
static void put(struct virtio_dev *d, u32 reg, u32 v) { *(volatile u32 *)(d->regs + reg) = v; }
static void put64(struct virtio_dev *d, u32 reg, u64 v) {
    put(d, reg, (u32)v);
    put(d, reg + 4, (u32)(v >> 32));
}

static u8 status(struct virtio_dev *d) { return (u8)get(d, REG_STATUS); }
static void set_status(struct virtio_dev *d, u8 v) { put(d, REG_STATUS, v); }

static u64 features(struct virtio_dev *d) {
    put(d, REG_DEVICE_FEATURES_SEL, 0);
    u64 f = get(d, REG_DEVICE_FEATURES);
    put(d, REG_DEVICE_FEATURES_SEL, 1);
    return f | (u64)get(d, REG_DEVICE_FEATURES) << 32;
}

static void set_features(struct virtio_dev *d, u64 v) {
    put(d, REG_DRIVER_FEATURES_SEL, 0);
    put(d, REG_DRIVER_FEATURES, (u32)v);
    put(d, REG_DRIVER_FEATURES_SEL, 1);
    put(d, REG_DRIVER_FEATURES, (u32)(v >> 32));
    if (d->legacy) put(d, REG_GUEST_PAGE_SIZE, PAGE_SIZE);
}

static u32 queue_max(struct virtio_dev *d, u16 index) {
    put(d, REG_QUEUE_SEL, index);
    return get(d, REG_QUEUE_NUM_MAX);
}

static void queue_publish(struct virtio_dev *d, const struct vring *r) {
    u64 at = virt_to_phys((const void *)r->desc).v;
    put(d, REG_QUEUE_NUM, r->size);
    if (d->legacy) {
        assert(at >> 32 < PAGE_SIZE); /* a 32-bit page number */
        put(d, REG_QUEUE_ALIGN, VRING_ALIGN);
        put(d, REG_QUEUE_PFN, (u32)(at / PAGE_SIZE));
        return;
    }
    put64(d, REG_QUEUE_DESC, at);
    put64(d, REG_QUEUE_DRIVER, virt_to_phys((const void *)r->avail).v);
    put64(d, REG_QUEUE_DEVICE, virt_to_phys((const void *)r->used).v);
    put(d, REG_QUEUE_READY, 1);
}

/* The legacy interface has no generation. */
static u32 generation(struct virtio_dev *d) { return d->legacy ? 0 : get(d, REG_CONFIG_GENERATION); }
static u8 config(struct virtio_dev *d, u32 offset) { return d->regs[REG_CONFIG + offset]; }

static u32 ack(struct virtio_dev *d) {
    u32 why = get(d, REG_INTERRUPT_STATUS);
    put(d, REG_INTERRUPT_ACK, why);
    return why;
}

static void notify(struct virtio_dev *d, u16 queue) { put(d, REG_QUEUE_NOTIFY, queue); }

static enum err interrupts(struct virtio_dev *d, irq_handler *fn, void *arg) {
    return irq_register(d->gsi, false, fn, arg);
}

static const struct virtio_transport mmio = {
    .name = "mmio", .status = status, .set_status = set_status, .features = features, .set_features = set_features,
    .queue_max = queue_max, .queue_publish = queue_publish, .generation = generation, .config = config,
    .ack = ack, .notify = notify, .interrupts = interrupts, .config_bytes = REGS_BYTES - REG_CONFIG,
};

bool virtio_mmio_identify(struct virtio_dev *d, u64 base, u32 gsi) {
    *d = (struct virtio_dev){.transport = &mmio, .base = base, .gsi = gsi};
    u8 *page = vm_map_device((phys){base & ~(u64)(PAGE_SIZE - 1)}, PAGE_SIZE);
    if (!page) return false;
    d->regs = page + base % PAGE_SIZE;
    if (base % PAGE_SIZE + REGS_BYTES > PAGE_SIZE || get(d, REG_MAGIC) != MAGIC) return false;
    u32 version = get(d, REG_VERSION);
    if (version != 1 && version != 2) return false;
    d->legacy = version == 1;
    d->id = get(d, REG_DEVICE_ID);
    return d->id != 0; /* 4.2.3.1.1: 0 is a placeholder */
}

