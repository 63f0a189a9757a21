/* irq.h: device interrupts. Handlers run with interrupts off: acknowledge, wake, return. */
#ifndef WHELK_KERN_IRQ_H
#define WHELK_KERN_IRQ_H

#include "base/err.h"
#include "base/types.h"

typedef void irq_handler(void *arg);
/* gsi: a line of the IOAPIC, edge (virtio-mmio on microvm) or level triggered. Unmasks it. */
enum err irq_register(u32 gsi, bool level, irq_handler *fn, void *arg);
/* What a device writes, and where, to interrupt by a message (MSI, MSI-X). */
struct irq_message {
    u64 address;
    u32 data;
};
enum err irq_register_message(irq_handler *fn, void *arg, struct irq_message *out);

#endif
