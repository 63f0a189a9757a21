/* acpi.c: what we need of ACPI's tables: PCI configuration space (MCFG), the
 * IOAPICs (MADT), power button and way off (FADT), virtio devices (DSDT). AML is not run:
 * the few things wanted of it have a shape of their own, and are looked for.
 *
 * I1 a table is used only if all of it is seen and its bytes sum to zero.
 * I2 what is found here adds to what the command line said, and never replaces it. */
#include "base/assert.h"
#include "base/fault.h"
#include "base/mem.h"
#include "kern/bootinfo.h"
#include "kern/bootparse.h"
#include "kern/log.h"
#include "plat/vm/boot.h"

enum { HEADER = 36, TABLE_MAX = 1 << 20, TABLES_MAX = 64 };
enum { RSDP_V1 = 20, RSDP_V2 = 36 };
/* ACPI 6.4: 5.2.5.3, 5.2.9; PCI Firmware 3.0: 4.1.2 */
enum { RSDP_REVISION = 15, RSDP_RSDT = 16, RSDP_XSDT = 24 };
enum { FADT_DSDT = 40, FADT_SCI = 46, FADT_SMI = 48, FADT_ENABLE = 52, FADT_EVENT = 56, FADT_CONTROL = 64 };
enum { FADT_EVENT_BYTES = 88, FADT_FLAGS = 112, FADT_X_DSDT = 140 };
enum { FLAG_BUTTON_IS_METHOD = 1 << 4, FLAG_REDUCED = 1 << 20 };
enum { MADT_FIRST = 44, MADT_IOAPIC = 1, MADT_IOAPIC_BYTES = 12 };
enum { MCFG_FIRST = 44, MCFG_ENTRY = 16 };
/* 20.2: AML's package; 6.4.3: resource descriptors */
enum { AML_PACKAGE = 0x12, AML_BYTE = 0x0a };
enum { MEMORY32_FIXED = 0x86, EXTENDED_INTERRUPT = 0x89 };
#define BIOS_START 0xe0000u
#define BIOS_END 0x100000u

static u16 get16(const u8 *p) { return (u16)(p[0] | p[1] << 8); }
static u32 get32(const u8 *p) { return get16(p) | (u32)get16(p + 2) << 16; }
static u64 get64(const u8 *p) { return get32(p) | (u64)get32(p + 4) << 32; }

static bool sums_to_zero(const u8 *p, size_t n) {
    u8 sum = 0;
    for (size_t i = 0; i < n; i++) sum = (u8)(sum + p[i]);
    return !sum;
}

/* The table at a physical address; empty if it is none. */
static struct bytes table_at(u64 at) {
    const u8 *p = boot_seen(at, HEADER);
    u32 n = p ? get32(p + 4) : 0;
    if (n < HEADER || n > TABLE_MAX || (!fault(TABLE_LENGTH) && !boot_seen(at, n)) || !sums_to_zero(p, n)) return (struct bytes){0};
    return (struct bytes){p, n};
}

static bool is(struct bytes table, const char *name) { return table.n >= HEADER && !memcmp(table.p, name, 4); }

static void read_mcfg(struct bytes t) {
    for (size_t at = MCFG_FIRST; at + MCFG_ENTRY <= t.n; at += MCFG_ENTRY) {
        const u8 *e = t.p + at;
        if (get16(e + 8) || !get64(e) || e[10] > e[11]) continue; /* segment 0 only */
        bootinfo.ecam.base = get64(e);
        bootinfo.ecam.first = e[10], bootinfo.ecam.last = e[11];
        return;
    }
}

/* ACPI 6.4, 5.2.12.3. A record of no length would never end. */
static void read_madt(struct bytes t) {
    for (size_t at = MADT_FIRST; at + 2 <= t.n && t.p[at + 1] >= 2; at += t.p[at + 1]) {
        const u8 *r = t.p + at;
        u32 n = bootinfo.ioapic_count;
        if (r[0] != MADT_IOAPIC || r[1] < MADT_IOAPIC_BYTES || at + MADT_IOAPIC_BYTES > t.n) continue;
        if (n == ARRAY_LEN(bootinfo.ioapic)) return log_warn("acpi: too many IOAPICs");
        bootinfo.ioapic[n].base = get32(r + 4);
        bootinfo.ioapic[n].first = get32(r + 8);
        bootinfo.ioapic_count++;
    }
}

/* Name (_S5, Package (n) {type, ...}): the value for SLP_TYP (7.4.2). */
static void read_off(struct bytes aml) {
    for (size_t i = 0; i + 9 < aml.n; i++) {
        const u8 *p = aml.p + i;
        if (memcmp(p, "_S5_", 4) || p[4] != AML_PACKAGE) continue;
        p += 5 + (p[5] >> 6) + 2; /* the length: its top bits count its further bytes; then the count */
        if (p + 2 > aml.p + aml.n) return;
        u8 type = p[0] == AML_BYTE ? p[1] : p[0];
        bootinfo.acpi.can_off = type < 8 && bootinfo.acpi.control;
        bootinfo.acpi.off_type = type;
        return;
    }
}

/* Resource descriptors after a device's name: the first window and interrupt. */
static void read_device(const u8 *p, const u8 *end) {
    u64 base = 0, size = 0;
    for (; p + 12 <= end && !size; p++)
        if (p[0] == MEMORY32_FIXED && get16(p + 1) == 9) base = get32(p + 4), size = get32(p + 8);
    for (; p + 9 <= end && size; p++)
        if (p[0] == EXTENDED_INTERRUPT && get16(p + 1) >= 6 && p[4] >= 1) return boot_add_mmio(base, size, get32(p + 5));
}

/* "LNRO0005" is a virtio device over MMIO (QEMU, Firecracker). */
static void read_devices(struct bytes aml) {
    static const char name[] = "LNRO0005";
    enum { NAME = sizeof name - 1, REACH = 256 };
    for (size_t i = HEADER; i + NAME <= aml.n; i++) {
        if (memcmp(aml.p + i, name, NAME)) continue;
        size_t end = MIN(i + REACH, aml.n);
        for (size_t k = i + NAME; k + NAME <= end; k++)
            if (!memcmp(aml.p + k, name, NAME)) end = k; /* the next device's */
        read_device(aml.p + i + NAME, aml.p + end);
    }
}

static void read_fadt(struct bytes t) {
    if (t.n < FADT_FLAGS + 4) return;
    u32 flags = get32(t.p + FADT_FLAGS), event = get32(t.p + FADT_EVENT), control = get32(t.p + FADT_CONTROL);
    bool fixed = !(flags & FLAG_REDUCED) && event && event < 0xfff0 && control && control < 0xfff0;
    if (fixed) {
        bootinfo.acpi.event = (u16)event, bootinfo.acpi.control = (u16)control;
        bootinfo.acpi.enable = (u16)(t.p[FADT_EVENT_BYTES] / 2);
        bootinfo.acpi.smi = (u16)get32(t.p + FADT_SMI), bootinfo.acpi.smi_on = t.p[FADT_ENABLE];
        bootinfo.acpi.gsi = get16(t.p + FADT_SCI);
        bootinfo.acpi.power_button = !(flags & FLAG_BUTTON_IS_METHOD) && t.p[FADT_EVENT_BYTES] >= 4;
    }
    u64 wide = t.n >= FADT_X_DSDT + 8 ? get64(t.p + FADT_X_DSDT) : 0;
    struct bytes dsdt = table_at(wide ? wide : get32(t.p + FADT_DSDT));
    if (!is(dsdt, "DSDT")) return;
    read_off(dsdt);
    read_devices(dsdt);
}

static void read_table(struct bytes t) {
    if (is(t, "MCFG")) read_mcfg(t);
    else if (is(t, "APIC")) read_madt(t);
    else if (is(t, "FACP")) read_fadt(t);
    else if (is(t, "SSDT")) read_devices(t);
}

static const u8 *root_at(u64 at) {
    const u8 *p = boot_seen(at, RSDP_V1);
    return p && !memcmp(p, "RSD PTR ", 8) && sums_to_zero(p, RSDP_V1) ? p : NULL;
}

/* 5.2.5.1: on a PC it lies in the BIOS's memory, at a multiple of 16. */
static const u8 *find_root(void) {
    for (u64 at = BIOS_START; at < BIOS_END; at += 16) {
        const u8 *p = root_at(at);
        if (p) return p;
    }
    return NULL;
}

void acpi_read(u64 rsdp) {
    const u8 *root = rsdp ? root_at(rsdp) : find_root();
    if (!root) return;
    bool wide = root[RSDP_REVISION] >= 2 && get64(root + RSDP_XSDT);
    struct bytes list = table_at(wide ? get64(root + RSDP_XSDT) : get32(root + RSDP_RSDT));
    if (!is(list, wide ? "XSDT" : "RSDT")) return log_warn("acpi: its list of tables is damaged");
    size_t step = wide ? 8 : 4;
    for (size_t at = HEADER, n = 0; at + step <= list.n && n < TABLES_MAX; at += step, n++)
        read_table(table_at(wide ? get64(list.p + at) : get32(list.p + at)));
}
