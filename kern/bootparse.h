/* bootparse.h: what plat/ calls to fill bootinfo. */
#ifndef WHELK_KERN_BOOTPARSE_H
#define WHELK_KERN_BOOTPARSE_H

#include "base/types.h"

bool boot_parse_mmio(const char *text, u64 *size, u64 *base, u32 *gsi);
/* One device, unless its base is known already. */
void boot_add_mmio(u64 base, u64 size, u32 gsi);
/* Reads the devices out of bootinfo.command_line. */
void boot_parse_devices(void);

#endif
