/* plat/vm: ACPI's tables, PVH's information and Linux's zero page, honest ones
 * and then with their bytes changed at random: whatever they say, nothing
 * outside of the memory that holds them is touched (ASan watches). */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "kern/bootinfo.h"
#include "kern/log.h"
#include "plat/vm/boot.h"
#include "test/lib/test.h"

enum { MEMORY = 16384, ROOT = 0x100, RSDT = 0x200, FADT = 0x400, DSDT = 0x800, MCFG = 0x1000, MADT = 0x1100, PVH = 0x1200 };
enum { ZERO_PAGE = 0x2000 };
static u8 *memory; /* physical 0 onwards */

const void *boot_seen(u64 at, u64 n) { return !at || at >= MEMORY || n > MEMORY - at ? NULL : memory + at; }
void log_line(enum log_level level, const char *format, ...) {}

/* What boot.c would do with it. */
static struct {
    u64 line, ram, ram_size, initrd, initrd_size;
    u32 rams;
} told;
void boot_command_line(u64 at) { told.line = at; }
void boot_add_ram(u64 start, u64 size) { told.ram = start, told.ram_size = size, told.rams++; }
void boot_initrd(u64 at, u64 size) { told.initrd = at, told.initrd_size = size; }

static void put(u32 at, u64 v, u32 bytes) { memcpy(memory + at, &v, bytes); }
static u8 sum(u32 at, u32 n) {
    u8 s = 0;
    for (u32 i = 0; i < n; i++) s = (u8)(s + memory[at + i]);
    return s;
}
static void close_table(u32 at) {
    u32 n;
    memcpy(&n, memory + at + 4, 4);
    if (n < 36 || at + n > MEMORY) return;
    memory[at + 9] = 0;
    memory[at + 9] = (u8)-sum(at, n);
}
static void table(u32 at, const char *name, u32 n) {
    memcpy(memory + at, name, 4);
    put(at + 4, n, 4);
}

static const u8 aml[] = {
    '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a, 0x05, 0x00, 0x00, 0x00,
    'L', 'N', 'R', 'O', '0', '0', '0', '5', 0, 0x86, 9, 0, 1, 0x00, 0x10, 0x00, 0xc0, 0x00, 0x02, 0, 0,
    0x89, 6, 0, 1, 1, 33, 0, 0, 0, 0x79, 0,
    'L', 'N', 'R', 'O', '0', '0', '0', '5', 0, /* without resources: left out */
};

static void make_tables(void) {
    memset(memory, 0, MEMORY);
    memcpy(memory + ROOT, "RSD PTR ", 8);
    put(ROOT + 16, RSDT, 4);
    memory[ROOT + 8] = (u8)-sum(ROOT, 20);
    table(RSDT, "RSDT", 36 + 3 * 4);
    put(RSDT + 36, FADT, 4), put(RSDT + 40, MCFG, 4), put(RSDT + 44, MADT, 4);
    table(FADT, "FACP", 148);
    put(FADT + 40, DSDT, 4), put(FADT + 46, 9, 2), put(FADT + 48, 0xb2, 4), put(FADT + 52, 2, 1);
    put(FADT + 56, 0x600, 4), put(FADT + 64, 0x604, 4), put(FADT + 88, 4, 1);
    table(DSDT, "DSDT", 36 + sizeof aml);
    memcpy(memory + DSDT + 36, aml, sizeof aml);
    table(MCFG, "MCFG", 60);
    put(MCFG + 44, 0xb0000000, 8), put(MCFG + 55, 255, 1);
    table(MADT, "APIC", 56);
    put(MADT + 44, 1, 1), put(MADT + 45, 12, 1), put(MADT + 48, 0xfec10000, 4), put(MADT + 52, 24, 4);
}
static void close_tables(void) {
    static const u32 all[] = {RSDT, FADT, DSDT, MCFG, MADT};
    for (u32 i = 0; i < ARRAY_LEN(all); i++) close_table(all[i]);
}
static void start(void) { memset(&bootinfo, 0, sizeof bootinfo), bootinfo.command_line = ""; }

static void test_acpi(void) {
    make_tables(), close_tables(), start();
    acpi_read(ROOT);
    EQUAL(bootinfo.ecam.base, 0xb0000000);
    EQUAL(bootinfo.ecam.last, 255);
    EQUAL(bootinfo.ioapic_count, 1);
    EQUAL(bootinfo.ioapic[0].base, 0xfec10000);
    EQUAL(bootinfo.ioapic[0].first, 24);
    EQUAL(bootinfo.acpi.event, 0x600);
    EQUAL(bootinfo.acpi.control, 0x604);
    EQUAL(bootinfo.acpi.gsi, 9);
    CHECK(bootinfo.acpi.power_button && bootinfo.acpi.can_off);
    EQUAL(bootinfo.acpi.off_type, 5);
    EQUAL(bootinfo.mmio_count, 1);
    EQUAL(bootinfo.mmio[0].base, 0xc0001000);
    EQUAL(bootinfo.mmio[0].size, 0x200);
    EQUAL(bootinfo.mmio[0].gsi, 33);
    /* A wrong sum makes a table unseen, and only that one. */
    memory[MCFG + 50]++, start();
    acpi_read(ROOT);
    EQUAL(bootinfo.ecam.base, 0);
    EQUAL(bootinfo.mmio_count, 1);
    memory[ROOT + 3]++, start();
    acpi_read(ROOT);
    EQUAL(bootinfo.mmio_count, 0);
}

static void make_protocols(void) {
    memset(memory, 0, MEMORY), memset(&told, 0, sizeof told);
    put(PVH, 0x336ec578, 4), put(PVH + 4, 1, 4), put(PVH + 12, 1, 4), put(PVH + 16, 0x1300, 8), put(PVH + 24, 0x1400, 8);
    put(PVH + 32, 0x77, 8), put(PVH + 40, 0x1500, 8), put(PVH + 48, 2, 4);
    put(0x1300, 0x5000, 8), put(0x1308, 0x123, 8);
    put(0x1500, 0x100000, 8), put(0x1508, 0x200000, 8), put(0x1510, 1, 4);
    put(0x1518, 0x900000, 8), put(0x1520, 0x200000, 8), put(0x1528, 2, 4); /* reserved: no RAM */
    put(ZERO_PAGE + 0x202, 0x53726448, 4), put(ZERO_PAGE + 0x70, 0x78, 8), put(ZERO_PAGE + 0x228, 0x1400, 4);
    put(ZERO_PAGE + 0x218, 0x6000, 4), put(ZERO_PAGE + 0x21c, 0x321, 4), put(ZERO_PAGE + 0x1e8, 1, 1);
    put(ZERO_PAGE + 0x2d0, 0x300000, 8), put(ZERO_PAGE + 0x2d8, 0x400000, 8), put(ZERO_PAGE + 0x2e0, 1, 4);
}

static void test_protocols(void) {
    u64 rsdp = 0;
    make_protocols();
    CHECK(!linux_read(PVH, &rsdp) && !pvh_read(ZERO_PAGE, &rsdp) && !pvh_read(MEMORY - 8, &rsdp) && !pvh_read(0, &rsdp));
    CHECK(pvh_read(PVH, &rsdp));
    CHECK(rsdp == 0x77 && told.line == 0x1400 && told.rams == 1 && told.ram == 0x100000);
    CHECK(told.initrd == 0x5000 && told.initrd_size == 0x123);
    CHECK(linux_read(ZERO_PAGE, &rsdp));
    CHECK(rsdp == 0x78 && told.line == 0x1400 && told.rams == 2 && told.ram_size == 0x400000);
    CHECK(told.initrd == 0x6000 && told.initrd_size == 0x321);
}

/* A few bytes changed; sums made right again, so that the change is looked at. */
static void test_hostile(void) {
    u32 found = 0;
    srand(1);
    for (int i = 0; i < 20000; i++) {
        u64 rsdp = 0;
        make_tables();
        for (int k = rand() % 8; k >= 0; k--) memory[RSDT + rand() % (PVH - RSDT)] = (u8)(rand() % 3 ? rand() : 255);
        close_tables(), start();
        acpi_read(ROOT);
        found += bootinfo.mmio_count;
        make_protocols();
        for (int k = rand() % 8; k >= 0; k--) memory[PVH + rand() % 0x340] = (u8)rand();
        memory[ZERO_PAGE + 0x1e8] = (u8)rand();
        pvh_read(PVH, &rsdp);
        linux_read(ZERO_PAGE, &rsdp);
    }
    CHECK(found > 1000); /* most changes hurt nothing */
}

int main(void) {
    memory = malloc(MEMORY);
    test_acpi();
    test_protocols();
    test_hostile();
    free(memory);
    return test_end("vm_boot");
}
