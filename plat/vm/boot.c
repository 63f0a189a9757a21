/* boot.c: from the boot protocol's information to bootinfo: PVH or Linux, then
 * ACPI. All is copied and checked while the boot tables show the first 4 GiB.
 *
 * I1 nothing points into the boot information afterwards but the initrd, whose
 *    pages machine_reserved names.
 * I2 ram[] is sorted and free of overlaps. */
#include "plat/vm/boot.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "base/assert.h"
#include "base/mem.h"
#include "kern/bootinfo.h"
#include "kern/bootparse.h"
#include "kern/log.h"
#include "kern/machine.h"
#include "kern/page.h"
#include "kern/panic.h"

enum { COMMAND_LINE_MAX = 4096 };
#define BOOT_MAPPED (4ull << 30)

static struct machine_range ram[MACHINE_RANGES];
static u32 ram_count;
static struct machine_range initrd; /* start == end: none */
static char command_line[COMMAND_LINE_MAX];

const void *boot_seen(u64 at, u64 n) {
    if (!at || at >= BOOT_MAPPED || n > BOOT_MAPPED - at) return NULL;
    return (const void *)(DIRECT_MAP + at);
}

void boot_command_line(u64 at) {
    const char *p = boot_seen(at, 1);
    if (!p) return;
    size_t n = 0, most = (size_t)MIN(BOOT_MAPPED - at, (u64)COMMAND_LINE_MAX - 1);
    while (n < most && p[n]) n++;
    memcpy(command_line, p, n);
    if (n == COMMAND_LINE_MAX - 1) log_warn("boot: the command line is cut at %u bytes", (u32)n);
    bootinfo.command_line = command_line;
}

void boot_add_ram(u64 start, u64 size) {
    u64 from = ALIGN_UP(start, 4096), to = start + size < start ? 0 : ALIGN_DOWN(start + size, 4096);
    if (from >= to || to > 1ull << 46) return;
    u32 i = ram_count;
    for (u32 k = 0; k < ram_count; k++)
        if (from < ram[k].end && ram[k].start < to) {
            log_warn("boot: memory at %p is listed twice", (void *)start);
            return;
        }
    if (ram_count == MACHINE_RANGES) {
        log_warn("boot: too many memory ranges");
        return;
    }
    for (; i && ram[i - 1].start > from; i--) ram[i] = ram[i - 1];
    ram[i] = (struct machine_range){from, to};
    ram_count++;
}

void boot_initrd(u64 at, u64 size) {
    if (!size) return;
    const void *bytes = boot_seen(at, size);
    bool in_ram = false;
    for (u32 i = 0; i < ram_count; i++)
        in_ram |= at >= ram[i].start && at < ram[i].end && size <= ram[i].end - at;
    if (!bytes || !in_ram) {
        log_error("boot: the initrd lies outside of memory");
        return;
    }
    initrd = (struct machine_range){ALIGN_DOWN(at, PAGE_SIZE), ALIGN_UP(at + size, PAGE_SIZE)};
    bootinfo.initrd = (struct bytes){bytes, size};
}

void machine_boot(u64 at) {
    u64 rsdp = 0;
    bootinfo.boot_tsc = rdtsc();
    if (!pvh_read(at, &rsdp) && !linux_read(at, &rsdp)) panic("booted neither by PVH nor as Linux: no information");
    if (!ram_count) panic("the boot protocol names no memory");
    boot_parse_devices();
    acpi_read(rsdp);
}

u32 machine_memory(struct machine_range out[MACHINE_RANGES]) {
    assert(ram_count <= MACHINE_RANGES);
    memcpy(out, ram, ram_count * sizeof *ram);
    return ram_count;
}

u32 machine_reserved(struct machine_range out[MACHINE_RANGES]) {
    assert(initrd.start <= initrd.end);
    if (initrd.start == initrd.end) return 0;
    out[0] = initrd;
    return 1;
}
