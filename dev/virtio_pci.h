/* virtio_pci.h: what the two PCI transports share. For dev/virtio_pci*.c only. */
#ifndef WHELK_DEV_VIRTIO_PCI_H
#define WHELK_DEV_VIRTIO_PCI_H

#include "dev/pci.h"
#include "dev/virtio.h"

/* The device has the legacy interface: sets its transport. */
bool virtio_pci_legacy(struct virtio_dev *d, const struct pci_function *f);
enum err virtio_pci_interrupts(struct virtio_dev *d, irq_handler *fn, void *arg);

#endif
