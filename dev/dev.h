/* dev.h: finds the devices that the boot protocol named and binds their drivers.
 *
 * Called once by init/ in thread context, after memory, interrupts and threads
 * work. A device that is absent, unknown or misbehaves is logged and left alone:
 * never a reason not to boot. */
#ifndef WHELK_DEV_DEV_H
#define WHELK_DEV_DEV_H

/* Probes bootinfo.mmio[] and the PCI buses. */
void dev_init(void);

#endif
