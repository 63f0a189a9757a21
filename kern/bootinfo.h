/* bootinfo.h: what the boot protocol told us, copied and validated. Fixed after boot. */
#ifndef WHELK_KERN_BOOTINFO_H
#define WHELK_KERN_BOOTINFO_H

#include "base/types.h"

struct bootinfo {
    const char *command_line;   /* zero-terminated; "" if none */
    struct bytes initrd;        /* in the direct map; n == 0 if none */
    struct {
        u64 base, size;
        u32 gsi;
    } mmio[32];                 /* virtio_mmio.device=SIZE@BASE:GSI on the command line, or in ACPI */
    u32 mmio_count;
    struct {
        u64 base;               /* of bus `first`; 0: none */
        u8 first, last;         /* buses */
    } ecam;                     /* PCI configuration space (ACPI MCFG) */
    struct {
        u64 base;
        u32 first;              /* interrupt of its first pin */
    } ioapic[4];
    u32 ioapic_count;           /* 0: ACPI names none */
    struct {
        u16 event, control;     /* ports of the PM1a registers; 0: none */
        u16 enable;             /* offset from event of what may interrupt */
        u16 smi;                /* port and value that turn ACPI on; 0: it is on */
        u8 smi_on;
        u8 off_type;            /* SLP_TYP of S5 */
        bool can_off, power_button;
        u32 gsi;                /* of its interrupt */
    } acpi;
    u64 boot_tsc;               /* at entry */
};
extern struct bootinfo bootinfo;

/* The value of "key=" on the command line: copied to out (empty if key stands
 * alone). false if absent or cap is too small. Values may be quoted with ". */
bool option(const char *key, char *out, u32 cap);

#endif
