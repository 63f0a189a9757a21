/* plat/vm: ACPI's tables, PVH's information and Linux's zero page, honest ones
 * and then with their bytes changed at random: whatever they say, nothing
 * outside of the memory that holds them is touched (ASan watches). */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "kern/bootinfo.h"
#include "kern/log.h"
#include "plat/vm/boot.h"
#include "test/lib/boot_tables.h"
#include "test/lib/test.h"

const void *boot_seen(u64 at, u64 n) { return boot_tables_seen(at, n); }
void log_line(enum log_level level, const char *format, ...) {}

/* What boot.c would do with it. */
static struct {
    u64 line, ram, ram_size, initrd, initrd_size;
    u32 rams;
} told;
void boot_command_line(u64 at) { told.line = at; }
void boot_add_ram(u64 start, u64 size) { told.ram = start, told.ram_size = size, told.rams++; }
void boot_initrd(u64 at, u64 size) { told.initrd = at, told.initrd_size = size; }

static void start(void) { memset(&bootinfo, 0, sizeof bootinfo), bootinfo.command_line = ""; }

static void test_acpi(void) {
    boot_tables_make(), boot_tables_close(), start();
    acpi_read(BOOT_ROOT);
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
    boot_memory[BOOT_MCFG + 50]++, start();
    acpi_read(BOOT_ROOT);
    EQUAL(bootinfo.ecam.base, 0);
    EQUAL(bootinfo.mmio_count, 1);
    boot_memory[BOOT_ROOT + 3]++, start();
    acpi_read(BOOT_ROOT);
    EQUAL(bootinfo.mmio_count, 0);
}

static void test_protocols(void) {
    u64 rsdp = 0;
    boot_protocols_make(), memset(&told, 0, sizeof told);
    CHECK(!linux_read(BOOT_PVH, &rsdp) && !pvh_read(BOOT_ZERO_PAGE, &rsdp) && !pvh_read(BOOT_MEMORY - 8, &rsdp) && !pvh_read(0, &rsdp));
    CHECK(pvh_read(BOOT_PVH, &rsdp));
    CHECK(rsdp == 0x77 && told.line == 0x1400 && told.rams == 1 && told.ram == 0x100000);
    CHECK(told.initrd == 0x5000 && told.initrd_size == 0x123);
    CHECK(linux_read(BOOT_ZERO_PAGE, &rsdp));
    CHECK(rsdp == 0x78 && told.line == 0x1400 && told.rams == 2 && told.ram_size == 0x400000);
    CHECK(told.initrd == 0x6000 && told.initrd_size == 0x321);
}

/* A few bytes changed; sums made right again, so that the change is looked at. */
static void test_hostile(void) {
    u32 found = 0;
    srand(1);
    for (int i = 0; i < 20000; i++) {
        u64 rsdp = 0;
        boot_tables_make();
        for (int k = rand() % 8; k >= 0; k--) boot_memory[BOOT_RSDT + rand() % (BOOT_PVH - BOOT_RSDT)] = (u8)(rand() % 3 ? rand() : 255);
        boot_tables_close(), start();
        acpi_read(BOOT_ROOT);
        found += bootinfo.mmio_count;
        boot_protocols_make();
        for (int k = rand() % 8; k >= 0; k--) boot_memory[BOOT_PVH + rand() % 0x340] = (u8)rand();
        boot_memory[BOOT_ZERO_PAGE + 0x1e8] = (u8)rand();
        pvh_read(BOOT_PVH, &rsdp);
        linux_read(BOOT_ZERO_PAGE, &rsdp);
    }
    CHECK(found > 1000); /* most changes hurt nothing */
}

int main(void) {
    boot_memory = malloc(BOOT_MEMORY);
    test_acpi();
    test_protocols();
    test_hostile();
    free(boot_memory);
    return test_end("vm_boot");
}
