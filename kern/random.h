/* random.h: the kernel's random pool, seeded from virtio-rng and RDSEED.
 * There is no weak fallback: before it is seeded random_bytes blocks. */
#ifndef WHELK_KERN_RANDOM_H
#define WHELK_KERN_RANDOM_H

#include "base/types.h"

void random_feed(const void *p, size_t n); /* entropy from a device */
bool random_ready(void);
void random_bytes(void *p, size_t n);
void random_init(void); /* at boot: seeds from RDSEED */

#endif
