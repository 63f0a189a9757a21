/* probe.c: from the addresses that the boot protocol named, and the PCI buses, to drivers. */
#include "base/assert.h"
#include "dev/dev.h"
#include "dev/pci.h"
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

static void bind(const struct virtio_dev *found) {
    const struct driver *driver = driver_for(found->id);
    const char *transport = found->transport->name;
    if (!driver) {
        log_warn("virtio device %u at %s %lx: no driver", found->id, transport, (unsigned long)found->base);
        return;
    }
    struct virtio_dev *d = kmalloc(sizeof *d); /* lives as long as the kernel */
    if (!d) return log_error("virtio %s: out of memory", driver->name);
    *d = *found;
    enum err e = driver->probe(d);
    if (e) virtio_fail(d, err_text(e));
    else log_info("virtio %s at %s %lx, %s", driver->name, transport, (unsigned long)d->base, d->legacy ? "legacy" : "modern");
}

static void probe_function(const struct pci_function *f) {
    struct virtio_dev found;
    if (virtio_pci_identify(&found, f)) bind(&found);
}

void dev_init(void) {
    struct virtio_dev found;
    assert(bootinfo.mmio_count <= ARRAY_LEN(bootinfo.mmio));
    for (u32 i = 0; i < bootinfo.mmio_count; i++) /* an empty slot is usual on microvm */
        if (virtio_mmio_identify(&found, bootinfo.mmio[i].base, bootinfo.mmio[i].gsi)) bind(&found);
    pci_each(probe_function);
}
