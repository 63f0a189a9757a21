/* boot_tables.c: see boot_tables.h. */
#include "test/lib/boot_tables.h"

#include <string.h>

u8 *boot_memory;

const void *boot_tables_seen(u64 at, u64 n) { return !at || at >= BOOT_MEMORY || n > BOOT_MEMORY - at ? NULL : boot_memory + at; }

static void put(u32 at, u64 v, u32 bytes) { memcpy(boot_memory + at, &v, bytes); }
static u8 sum(u32 at, u32 n) {
    u8 s = 0;
    for (u32 i = 0; i < n; i++) s = (u8)(s + boot_memory[at + i]);
    return s;
}
static void close_table(u32 at) {
    u32 n;
    memcpy(&n, boot_memory + at + 4, 4);
    if (n < 36 || n > BOOT_MEMORY - at) return;
    boot_memory[at + 9] = 0;
    boot_memory[at + 9] = (u8)-sum(at, n);
}
static void table(u32 at, const char *name, u32 n) {
    memcpy(boot_memory + at, name, 4);
    put(at + 4, n, 4);
}

static const u8 aml[] = {
    '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a, 0x05, 0x00, 0x00, 0x00,
    'L', 'N', 'R', 'O', '0', '0', '0', '5', 0, 0x86, 9, 0, 1, 0x00, 0x10, 0x00, 0xc0, 0x00, 0x02, 0, 0,
    0x89, 6, 0, 1, 1, 33, 0, 0, 0, 0x79, 0,
    'L', 'N', 'R', 'O', '0', '0', '0', '5', 0, /* without resources: left out */
};

void boot_tables_make(void) {
    memset(boot_memory, 0, BOOT_MEMORY);
    memcpy(boot_memory + BOOT_ROOT, "RSD PTR ", 8);
    put(BOOT_ROOT + 16, BOOT_RSDT, 4);
    boot_memory[BOOT_ROOT + 8] = (u8)-sum(BOOT_ROOT, 20);
    table(BOOT_RSDT, "RSDT", 36 + 3 * 4);
    put(BOOT_RSDT + 36, BOOT_FADT, 4), put(BOOT_RSDT + 40, BOOT_MCFG, 4), put(BOOT_RSDT + 44, BOOT_MADT, 4);
    table(BOOT_FADT, "FACP", 148);
    put(BOOT_FADT + 40, BOOT_DSDT, 4), put(BOOT_FADT + 46, 9, 2), put(BOOT_FADT + 48, 0xb2, 4), put(BOOT_FADT + 52, 2, 1);
    put(BOOT_FADT + 56, 0x600, 4), put(BOOT_FADT + 64, 0x604, 4), put(BOOT_FADT + 88, 4, 1);
    table(BOOT_DSDT, "DSDT", 36 + sizeof aml);
    memcpy(boot_memory + BOOT_DSDT + 36, aml, sizeof aml);
    table(BOOT_MCFG, "MCFG", 60);
    put(BOOT_MCFG + 44, 0xb0000000, 8), put(BOOT_MCFG + 55, 255, 1);
    table(BOOT_MADT, "APIC", 56);
    put(BOOT_MADT + 44, 1, 1), put(BOOT_MADT + 45, 12, 1), put(BOOT_MADT + 48, 0xfec10000, 4), put(BOOT_MADT + 52, 24, 4);
}

void boot_tables_close(void) {
    static const u32 all[] = {BOOT_RSDT, BOOT_FADT, BOOT_DSDT, BOOT_MCFG, BOOT_MADT};
    for (u32 i = 0; i < ARRAY_LEN(all); i++) close_table(all[i]);
    boot_memory[BOOT_ROOT + 8] = 0;
    boot_memory[BOOT_ROOT + 8] = (u8)-sum(BOOT_ROOT, 20);
}

void boot_protocols_make(void) {
    memset(boot_memory, 0, BOOT_MEMORY);
    put(BOOT_PVH, 0x336ec578, 4), put(BOOT_PVH + 4, 1, 4), put(BOOT_PVH + 12, 1, 4), put(BOOT_PVH + 16, 0x1300, 8), put(BOOT_PVH + 24, 0x1400, 8);
    put(BOOT_PVH + 32, 0x77, 8), put(BOOT_PVH + 40, 0x1500, 8), put(BOOT_PVH + 48, 2, 4);
    put(0x1300, 0x5000, 8), put(0x1308, 0x123, 8);
    put(0x1500, 0x100000, 8), put(0x1508, 0x200000, 8), put(0x1510, 1, 4);
    put(0x1518, 0x900000, 8), put(0x1520, 0x200000, 8), put(0x1528, 2, 4); /* reserved: no RAM */
    put(BOOT_ZERO_PAGE + 0x202, 0x53726448, 4), put(BOOT_ZERO_PAGE + 0x70, 0x78, 8), put(BOOT_ZERO_PAGE + 0x228, 0x1400, 4);
    put(BOOT_ZERO_PAGE + 0x218, 0x6000, 4), put(BOOT_ZERO_PAGE + 0x21c, 0x321, 4), put(BOOT_ZERO_PAGE + 0x1e8, 1, 1);
    put(BOOT_ZERO_PAGE + 0x2d0, 0x300000, 8), put(BOOT_ZERO_PAGE + 0x2d8, 0x400000, 8), put(BOOT_ZERO_PAGE + 0x2e0, 1, 4);
}

