/* pci.c: configuration space, by ECAM where ACPI names it, else by ports.
 *
 * I1 a bus is walked only from a bridge on a lower bus: the walk ends.
 * I2 a function decodes nothing while the size of a window is asked for. */
#include "dev/pci.h"

#include "base/assert.h"
#include "kern/bootinfo.h"
#include "kern/log.h"
#include "kern/port.h"
#include "kern/vm.h"

enum { CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc };
enum { ECAM_BUS_BYTES = 1 << 20, CAPABILITIES_MAX = 48 };
/* PCI 3.0, figure 6-1 */
enum {
    REG_ID = 0x00,
    REG_COMMAND = 0x04, /* status in the high half */
    REG_CLASS = 0x08,
    REG_HEADER = 0x0e,
    REG_BAR = 0x10,
    REG_BUSES = 0x18, /* of a bridge: primary, secondary, subordinate */
    REG_SUBSYSTEM = 0x2c,
    REG_CAPABILITIES = 0x34,
};
enum { COMMAND_PORTS = 1, COMMAND_MEMORY = 2, COMMAND_MASTER = 4, COMMAND_NO_INTX = 1 << 10 };
enum { STATUS_CAPABILITIES = 1 << 20 };
enum { BAR_PORTS = 1, BAR_64 = 4, BARS = 6 };
enum { HEADER_KIND = 0x7f, HEADER_BRIDGE = 1, HEADER_MANY = 0x80 };
/* 6.8.2 */
enum { MSIX_ENABLE = 1u << 31, MSIX_MASK_ALL = 1u << 30, MSIX_ENTRY_BYTES = 16, MSIX_MASKED = 1 };

static volatile u8 *ecam_bus[256]; /* mapped when first read */

static volatile u32 *ecam(const struct pci_function *f, u32 at) {
    if (!bootinfo.ecam.base || f->bus < bootinfo.ecam.first || f->bus > bootinfo.ecam.last) return NULL;
    u64 bus = bootinfo.ecam.base + (u64)(f->bus - bootinfo.ecam.first) * ECAM_BUS_BYTES;
    if (!ecam_bus[f->bus]) ecam_bus[f->bus] = vm_map_device((phys){bus}, ECAM_BUS_BYTES);
    if (!ecam_bus[f->bus]) return NULL;
    return (volatile u32 *)(ecam_bus[f->bus] + ((u32)f->slot << 15 | (u32)f->function << 12 | (at & ~3u)));
}

static void select(const struct pci_function *f, u32 at) {
    port_write32(CONFIG_ADDRESS, 1u << 31 | pci_address(f) << 8 | (at & ~3u));
}

u32 pci_address(const struct pci_function *f) { return (u32)f->bus << 8 | (u32)f->slot << 3 | f->function; }

u32 pci_read32(const struct pci_function *f, u32 at) {
    assert(at < 256);
    volatile u32 *p = ecam(f, at);
    if (p) return *p;
    select(f, at);
    return port_read32(CONFIG_DATA);
}

u8 pci_read8(const struct pci_function *f, u32 at) { return (u8)(pci_read32(f, at) >> at % 4 * 8); }

void pci_write32(const struct pci_function *f, u32 at, u32 v) {
    assert(at < 256 && at % 4 == 0);
    volatile u32 *p = ecam(f, at);
    if (p) {
        *p = v;
        return;
    }
    select(f, at);
    port_write32(CONFIG_DATA, v);
}

/* --- the walk --- */

static void walk_bus(u8 bus, void (*each)(const struct pci_function *));

static void walk_bridge(const struct pci_function *f, void (*each)(const struct pci_function *)) {
    u8 secondary = (u8)(pci_read32(f, REG_BUSES) >> 8);
    if (secondary > f->bus) walk_bus(secondary, each); /* I1; 0: the firmware gave it none */
}

static bool walk_function(struct pci_function *f, void (*each)(const struct pci_function *)) {
    u32 id = pci_read32(f, REG_ID);
    if ((u16)id == 0xffff || !id) return false;
    f->vendor = (u16)id, f->device = (u16)(id >> 16);
    if ((pci_read8(f, REG_HEADER) & HEADER_KIND) == HEADER_BRIDGE) {
        walk_bridge(f, each);
    } else {
        f->subsystem = (u16)(pci_read32(f, REG_SUBSYSTEM) >> 16);
        each(f);
    }
    return true;
}

static void walk_bus(u8 bus, void (*each)(const struct pci_function *)) {
    for (u8 slot = 0; slot < 32; slot++) {
        struct pci_function f = {.bus = bus, .slot = slot};
        if (!walk_function(&f, each) || !(pci_read8(&f, REG_HEADER) & HEADER_MANY)) continue;
        for (u8 n = 1; n < 8; n++) {
            f = (struct pci_function){.bus = bus, .slot = slot, .function = n};
            walk_function(&f, each);
        }
    }
}

/* The address register reads back what was written, if there is one. */
static bool ports_answer(void) {
    port_write32(CONFIG_ADDRESS, 1u << 31);
    return port_read32(CONFIG_ADDRESS) == 1u << 31;
}

void pci_each(void (*each)(const struct pci_function *f)) {
    if (bootinfo.ecam.base) walk_bus(bootinfo.ecam.first, each);
    else if (ports_answer()) walk_bus(0, each);
}

/* --- one function --- */

u32 pci_capability(const struct pci_function *f, u8 kind, u32 nth) {
    if (!(pci_read32(f, REG_COMMAND) & STATUS_CAPABILITIES)) return 0;
    u32 at = pci_read8(f, REG_CAPABILITIES) & ~3u;
    /* A list that a broken device closed to a ring ends too. */
    for (u32 i = 0; at >= 0x40 && i < CAPABILITIES_MAX; i++) {
        if (pci_read8(f, at) == kind && !nth--) return at;
        at = pci_read8(f, at + 1) & ~3u;
    }
    return 0;
}

/* All ones written, the bits that stuck read (6.2.5.1). */
static u64 ask_size(const struct pci_function *f, u32 at, u64 mask, bool wide) {
    u32 command = pci_read32(f, REG_COMMAND) & 0xffff, low = pci_read32(f, at), high = wide ? pci_read32(f, at + 4) : 0;
    pci_write32(f, REG_COMMAND, command & ~(u32)(COMMAND_PORTS | COMMAND_MEMORY)); /* I2 */
    pci_write32(f, at, UINT32_MAX);
    if (wide) pci_write32(f, at + 4, UINT32_MAX);
    u64 bits = pci_read32(f, at) | (wide ? (u64)pci_read32(f, at + 4) << 32 : UINT64_MAX << 32);
    pci_write32(f, at, low);
    if (wide) pci_write32(f, at + 4, high);
    pci_write32(f, REG_COMMAND, command);
    return ~(bits & mask) + 1;
}

struct pci_window pci_window(const struct pci_function *f, u32 index) {
    if (index >= BARS) return (struct pci_window){0};
    u32 at = REG_BAR + 4 * index, low = pci_read32(f, at);
    bool ports = low & BAR_PORTS, wide = !ports && low & BAR_64 && index + 1 < BARS;
    u64 mask = ports ? ~3ull : ~15ull;
    u64 base = (low | (wide ? (u64)pci_read32(f, at + 4) << 32 : 0)) & mask;
    if (!base) return (struct pci_window){0};
    u64 size = ask_size(f, at, mask, wide);
    if (!size || base + size < base || (ports && base + size > 65536)) return (struct pci_window){0};
    return (struct pci_window){base, size, ports};
}

volatile u8 *pci_map(const struct pci_function *f, u32 index, u64 offset, u64 bytes) {
    struct pci_window w = pci_window(f, index);
    if (w.ports || !bytes || bytes > 1 << 20 || offset > w.size || bytes > w.size - offset) return NULL;
    return vm_map_device((phys){w.base + offset}, bytes);
}

void pci_enable(const struct pci_function *f) {
    u32 command = pci_read32(f, REG_COMMAND) & 0xffff;
    pci_write32(f, REG_COMMAND, command | COMMAND_PORTS | COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX);
}

volatile u32 *pci_msix_enable(const struct pci_function *f) {
    u32 at = pci_capability(f, PCI_CAP_MSIX, 0);
    if (!at || at + 8 > 256) return NULL;
    u32 control = pci_read32(f, at), where = pci_read32(f, at + 4);
    u32 entries = (control >> 16 & 0x7ff) + 1;
    volatile u32 *table = (volatile u32 *)pci_map(f, where & 7, where & ~7u, (u64)entries * MSIX_ENTRY_BYTES);
    if (!table) return NULL;
    for (u32 i = 0; i < entries; i++) table[i * 4 + 3] = MSIX_MASKED;
    pci_write32(f, at, (control & ~MSIX_MASK_ALL) | MSIX_ENABLE);
    return table;
}

enum err pci_msix_route(volatile u32 *table, irq_handler *fn, void *arg) {
    struct irq_message m;
    enum err e = irq_register_message(fn, arg, &m);
    if (e) return e;
    table[0] = (u32)m.address;
    table[1] = (u32)(m.address >> 32);
    table[2] = m.data;
    table[3] = 0;
    return ERR_OK;
}
