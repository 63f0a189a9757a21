/* boot.h: what the readers of boot protocols share. For plat/vm only; before
 * vm_init, while the boot tables show the first 4 GiB. */
#ifndef WHELK_PLAT_VM_BOOT_H
#define WHELK_PLAT_VM_BOOT_H

#include "base/types.h"

/* n bytes at a physical address, or NULL if the boot tables do not show them. */
const void *boot_seen(u64 at, u64 n);
/* What a protocol says: each is checked, copied or kept in mind. */
void boot_command_line(u64 at);
void boot_add_ram(u64 start, u64 size);
void boot_initrd(u64 at, u64 size); /* after the RAM */

/* False: at is not the information of that protocol. *rsdp: what it says of
 * ACPI's root, or 0. */
bool pvh_read(u64 at, u64 *rsdp);
bool linux_read(u64 at, u64 *rsdp);

/* Looks for ACPI's root there, or where a PC has it, and fills bootinfo. */
void acpi_read(u64 rsdp);

#endif
