/* boot_tables.h: what firmware and loaders leave in memory, honest: ACPI's tables,
 * PVH's information, Linux's zero page. For tests that then change bytes. */
#ifndef WHELK_TEST_LIB_BOOT_TABLES_H
#define WHELK_TEST_LIB_BOOT_TABLES_H

#include "base/types.h"

enum { BOOT_MEMORY = 16384, BOOT_ROOT = 0x100, BOOT_RSDT = 0x200, BOOT_FADT = 0x400, BOOT_DSDT = 0x800, BOOT_MCFG = 0x1000,
       BOOT_MADT = 0x1100, BOOT_PVH = 0x1200, BOOT_ZERO_PAGE = 0x2000 };

extern u8 *boot_memory; /* physical 0 onwards, BOOT_MEMORY bytes: the test's */
/* What of it readers see (plat/vm/boot.h's boot_seen). */
const void *boot_tables_seen(u64 at, u64 n);

void boot_tables_make(void);  /* ACPI; all else is zero */
void boot_tables_close(void); /* makes the sums right */
void boot_protocols_make(void); /* PVH and the zero page; all else is zero */

#endif
