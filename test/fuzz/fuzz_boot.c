/* fuzz_boot.c: what firmware, loader and whoever wrote the command line leave
 * behind: ACPI's tables, PVH's information and Linux's zero page, honest ones
 * with bytes changed; then a command line. Nothing outside of the memory that
 * holds them is touched, and what bootinfo then says keeps its bounds. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/cursor.h"
#include "kern/bootinfo.h"
#include "kern/bootparse.h"
#include "kern/log.h"
#include "plat/vm/boot.h"
#include "test/lib/boot_tables.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t n);

const void *boot_seen(u64 at, u64 n) { return boot_tables_seen(at, n); }
void log_line(enum log_level level, const char *format, ...) {}
void boot_command_line(u64 at) {}
void boot_add_ram(u64 start, u64 size) {}
void boot_initrd(u64 at, u64 size) {}

/* Some bytes at some places. */
static void change(struct cursor *c) {
    u8 count = 0, v;
    u16 at;
    take_u8(c, &count);
    for (; count && !take_le16(c, &at) && !take_u8(c, &v); count--) boot_memory[at % BOOT_MEMORY] = v;
}

static void tables(struct cursor *c) {
    u8 where = 0;
    boot_tables_make();
    change(c);
    boot_tables_close();
    take_u8(c, &where);
    acpi_read(where & 1 ? BOOT_ROOT : (u64)where << 8);
    assert(bootinfo.mmio_count <= ARRAY_LEN(bootinfo.mmio) && bootinfo.ioapic_count <= ARRAY_LEN(bootinfo.ioapic));
    assert(!bootinfo.ecam.base || bootinfo.ecam.first <= bootinfo.ecam.last);
}

static void protocols(struct cursor *c) {
    u64 rsdp;
    boot_protocols_make();
    change(c);
    pvh_read(BOOT_PVH, &rsdp);
    linux_read(BOOT_ZERO_PAGE, &rsdp);
}

static void look_up(const char *key, u32 cap) {
    char *out = malloc(MAX(cap, 1u)); /* its end is watched */
    if (option(key, out, cap)) assert(strlen(out) < cap && !strchr(out, '"'));
    free(out);
}

/* A copy that ends where it ends. */
static void command_line(struct cursor *c) {
    size_t n = cursor_left(c);
    char *line = malloc(n + 1);
    if (n) memcpy(line, c->p, n);
    line[n] = 0;
    bootinfo = (struct bootinfo){.command_line = line};
    boot_parse_devices();
    for (u32 i = 0; i < bootinfo.mmio_count; i++) {
        assert(bootinfo.mmio[i].size && bootinfo.mmio[i].size <= 1 << 20);
        assert(bootinfo.mmio[i].base + bootinfo.mmio[i].size >= bootinfo.mmio[i].base);
    }
    look_up("ip=", 0), look_up("ip=", 1), look_up("init", 8), look_up("net=", 64), look_up("", 64);
    bootinfo.command_line = "";
    free(line);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t n) {
    struct cursor c = cursor_of((struct bytes){data, n});
    if (!boot_memory) boot_memory = malloc(BOOT_MEMORY);
    bootinfo = (struct bootinfo){.command_line = ""};
    tables(&c);
    protocols(&c);
    command_line(&c);
    return 0;
}
