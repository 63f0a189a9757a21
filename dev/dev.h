/* dev.h: finds the devices that the boot protocol named and binds their drivers.
 *
 * Called once by init/ in thread context, after memory, interrupts and threads
 * work. A device that is absent, unknown or misbehaves is logged and left alone:
 * never a reason not to boot. */
#ifndef WHELK_DEV_DEV_H
#define WHELK_DEV_DEV_H

#include "base/types.h"

/* Probes bootinfo.mmio[]; returns how many devices got a driver. */
u32 dev_probe_all(void);

#endif
