/* virtio.c: the MMIO transport (virtio 1.2, 4.2.2 modern, 4.2.4 legacy).
 *
 * I1 DRIVER_OK is written only after features and queues are agreed.
 * I2 a device that fails is reset and never started again; its memory stays
 *    allocated, since a device that misbehaves may go on writing to it. */
#include "dev/virtio.h"

#include "base/assert.h"
#include "kern/log.h"
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
enum status {
    STATUS_ACKNOWLEDGE = 1,
    STATUS_DRIVER = 2,
    STATUS_DRIVER_OK = 4,
    STATUS_FEATURES_OK = 8,
    STATUS_FAILED = 128,
};
enum { RESET_TRIES = 1000, CONFIG_TRIES = 100 };

static u32 get(struct virtio_dev *d, u32 reg) { return *(volatile u32 *)(d->regs + reg); }
static void put(struct virtio_dev *d, u32 reg, u32 v) { *(volatile u32 *)(d->regs + reg) = v; }
static void put64(struct virtio_dev *d, u32 reg, u64 v) {
    put(d, reg, (u32)v);
    put(d, reg + 4, (u32)(v >> 32));
}

bool virtio_identify(struct virtio_dev *d, u64 base, u32 gsi) {
    *d = (struct virtio_dev){.base = base, .gsi = gsi};
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

static u64 device_features(struct virtio_dev *d) {
    put(d, REG_DEVICE_FEATURES_SEL, 0);
    u64 f = get(d, REG_DEVICE_FEATURES);
    put(d, REG_DEVICE_FEATURES_SEL, 1);
    return f | (u64)get(d, REG_DEVICE_FEATURES) << 32;
}

static bool reset(struct virtio_dev *d) {
    put(d, REG_STATUS, 0);
    /* 2.1.2: the device shows 0 when the reset is complete */
    for (u32 i = 0; i < RESET_TRIES; i++)
        if (!get(d, REG_STATUS)) return true;
    return false;
}

/* 3.1.1, the steps before the device's own set-up. */
enum err virtio_negotiate(struct virtio_dev *d, u64 wanted) {
    if (!reset(d)) return ERR_IO;
    put(d, REG_STATUS, STATUS_ACKNOWLEDGE);
    put(d, REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    u64 offered = device_features(d);
    if (!d->legacy && !(offered & VIRTIO_F_VERSION_1)) return ERR_UNSUPPORTED;
    d->features = offered & (wanted | (d->legacy ? 0 : VIRTIO_F_VERSION_1));
    put(d, REG_DRIVER_FEATURES_SEL, 0);
    put(d, REG_DRIVER_FEATURES, (u32)d->features);
    put(d, REG_DRIVER_FEATURES_SEL, 1);
    put(d, REG_DRIVER_FEATURES, (u32)(d->features >> 32));
    if (d->legacy) {
        put(d, REG_GUEST_PAGE_SIZE, PAGE_SIZE);
        return ERR_OK;
    }
    put(d, REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
    /* 3.1.1 step 6: did FEATURES_OK stick? */
    return get(d, REG_STATUS) & STATUS_FEATURES_OK ? ERR_OK : ERR_UNSUPPORTED;
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

static void publish_modern(struct virtio_dev *d, const struct vring *r) {
    put64(d, REG_QUEUE_DESC, virt_to_phys((const void *)r->desc).v);
    put64(d, REG_QUEUE_DRIVER, virt_to_phys((const void *)r->avail).v);
    put64(d, REG_QUEUE_DEVICE, virt_to_phys((const void *)r->used).v);
    put(d, REG_QUEUE_READY, 1);
}

static void publish_legacy(struct virtio_dev *d, const struct vring *r) {
    put(d, REG_QUEUE_ALIGN, VRING_ALIGN);
    put(d, REG_QUEUE_PFN, (u32)(virt_to_phys((const void *)r->desc).v / PAGE_SIZE));
}

enum err virtio_queue_setup(struct virtio_dev *d, struct virtqueue *q, u16 index, u16 limit) {
    assert(limit >= 1 && limit <= VRING_MAX);
    put(d, REG_QUEUE_SEL, index);
    u32 max = get(d, REG_QUEUE_NUM_MAX);
    if (!max) return ERR_UNSUPPORTED;
    u16 size = queue_size(max, limit);
    phys memory = page_alloc(order_of(vring_bytes(size)));
    if (!memory.v) return ERR_NOMEM;
    /* Legacy devices take a 32-bit page number. */
    assert(memory.v >> 32 < PAGE_SIZE);
    q->dev = d;
    q->index = index;
    vring_init(&q->ring, size, phys_to_virt(memory));
    put(d, REG_QUEUE_NUM, size);
    if (d->legacy) publish_legacy(d, &q->ring);
    else publish_modern(d, &q->ring);
    return ERR_OK;
}

void virtio_start(struct virtio_dev *d) { put(d, REG_STATUS, get(d, REG_STATUS) | STATUS_DRIVER_OK); }

void virtio_fail(struct virtio_dev *d, const char *why) {
    log_error("virtio device %u at 0x%lx: %s; it is stopped", d->id, (unsigned long)d->base, why);
    reset(d);
    put(d, REG_STATUS, STATUS_FAILED);
}

/* 2.5.1: a configuration is whole if its generation did not change. Legacy
 * devices have no generation: two equal readings do as well as can be. */
void virtio_config(struct virtio_dev *d, u32 offset, void *out, u32 n) {
    assert(offset + n <= REGS_BYTES - REG_CONFIG);
    u8 *to = out;
    for (u32 tries = 0; tries < CONFIG_TRIES; tries++) {
        u32 before = d->legacy ? 0 : get(d, REG_CONFIG_GENERATION);
        bool same = true;
        for (u32 i = 0; i < n; i++) {
            u8 b = d->regs[REG_CONFIG + offset + i];
            same &= b == to[i];
            to[i] = b;
        }
        if (d->legacy ? same : before == get(d, REG_CONFIG_GENERATION)) return;
    }
}

u32 virtio_ack(struct virtio_dev *d) {
    u32 why = get(d, REG_INTERRUPT_STATUS);
    put(d, REG_INTERRUPT_ACK, why);
    return why;
}

void virtio_kick(struct virtqueue *q) {
    if (vring_wants_kick(&q->ring)) put(q->dev, REG_QUEUE_NOTIFY, q->index);
}
