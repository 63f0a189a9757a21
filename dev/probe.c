/* probe.c: from addresses on the command line to drivers. */
#include "base/assert.h"
#include "dev/dev.h"
#include "dev/virtio.h"
#include "kern/bootinfo.h"
#include "kern/heap.h"
#include "kern/log.h"

static const struct driver {
    u32 id;
    const char *name;
    enum err (*probe)(struct virtio_dev *d);
} drivers[] = {
    {VIRTIO_RNG, "entropy", virtio_rng_probe},
    {VIRTIO_NET, "network", virtio_net_probe},
    {VIRTIO_CONSOLE, "console", virtio_console_probe},
};

static const struct driver *driver_for(u32 id) {
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
        if (drivers[i].id == id) return &drivers[i];
    return NULL;
}

static void probe(u64 base, u32 gsi) {
    struct virtio_dev found;
    if (!virtio_identify(&found, base, gsi)) return; /* an empty slot: usual on microvm */
    const struct driver *driver = driver_for(found.id);
    if (!driver) {
        log_warn("virtio device %u at 0x%lx: no driver", found.id, (unsigned long)base);
        return;
    }
    struct virtio_dev *d = kmalloc(sizeof *d); /* lives as long as the kernel */
    if (!d) return log_error("virtio %s: out of memory", driver->name);
    *d = found;
    enum err e = driver->probe(d);
    if (e) virtio_fail(d, err_text(e));
    else
        log_info("virtio %s at 0x%lx, line %u, %s", driver->name, (unsigned long)base, gsi,
                 d->legacy ? "legacy" : "modern");
}

void dev_init(void) {
    assert(bootinfo.mmio_count <= ARRAY_LEN(bootinfo.mmio));
    for (u32 i = 0; i < bootinfo.mmio_count; i++) probe(bootinfo.mmio[i].base, bootinfo.mmio[i].gsi);
}
