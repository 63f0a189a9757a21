/* pvh.c: the PVH start information (xen/include/public/arch-x86/hvm/start_info.h).
 * Copied and checked while the boot tables still show the first 4 GiB.
 *
 * I1 nothing points into the start information afterwards but the initrd, whose
 *    pages machine_reserved names. */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "base/mem.h"
#include "kern/bootinfo.h"
#include "kern/bootparse.h"
#include "kern/log.h"
#include "kern/machine.h"
#include "kern/page.h"
#include "kern/panic.h"

enum { START_MAGIC = 0x336ec578, RAM = 1, COMMAND_LINE_MAX = 4096 };
#define BOOT_MAPPED (4ull << 30)

struct start_info {
    u32 magic, version, flags, module_count;
    u64 modules, command_line, rsdp;
    u64 memory_map; /* version 1 */
    u32 memory_map_entries, reserved;
};
struct module {
    u64 address, size, command_line, reserved;
};
struct memory_entry {
    u64 address, size;
    u32 type, reserved;
};

static struct machine_range ram[MACHINE_RANGES];
static u32 ram_count;
static struct machine_range initrd; /* start == end: none */
static char command_line[COMMAND_LINE_MAX];

/* n bytes at a physical address, or NULL if the boot tables do not show them. */
static const void *seen(u64 at, u64 n) {
    if (!at || at >= BOOT_MAPPED || n > BOOT_MAPPED - at) return NULL;
    return (const void *)(DIRECT_MAP + at);
}

static void read_command_line(u64 at) {
    const char *p = seen(at, 1);
    if (!p) return;
    size_t n = 0, most = (size_t)MIN(BOOT_MAPPED - at, (u64)COMMAND_LINE_MAX - 1);
    while (n < most && p[n]) n++;
    memcpy(command_line, p, n);
    if (n == COMMAND_LINE_MAX - 1) log_warn("boot: the command line is cut at %u bytes", (u32)n);
    bootinfo.command_line = command_line;
}

static void add_ram(u64 start, u64 size) {
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

static void read_memory(const struct start_info *s) {
    if (s->version < 1 || s->memory_map_entries > 1024) return;
    const struct memory_entry *e = seen(s->memory_map, s->memory_map_entries * sizeof *e);
    for (u32 i = 0; e && i < s->memory_map_entries; i++)
        if (e[i].type == RAM) add_ram(e[i].address, e[i].size);
}

static void read_modules(const struct start_info *s) {
    const struct module *m = s->module_count ? seen(s->modules, sizeof *m) : NULL;
    if (!m || !m->size) return;
    const void *bytes = seen(m->address, m->size);
    bool in_ram = false;
    for (u32 i = 0; i < ram_count; i++)
        in_ram |= m->address >= ram[i].start && m->address < ram[i].end && m->size <= ram[i].end - m->address;
    if (!bytes || !in_ram) {
        log_error("boot: the initrd lies outside of memory");
        return;
    }
    initrd = (struct machine_range){ALIGN_DOWN(m->address, PAGE_SIZE), ALIGN_UP(m->address + m->size, PAGE_SIZE)};
    bootinfo.initrd = (struct bytes){bytes, m->size};
}

void machine_boot(u64 at) {
    bootinfo.boot_tsc = rdtsc();
    const struct start_info *s = seen(at, sizeof *s);
    if (!s || s->magic != START_MAGIC) panic("not booted by PVH: no start information");
    read_command_line(s->command_line);
    read_memory(s);
    if (!ram_count) panic("the boot protocol names no memory");
    read_modules(s);
    boot_parse_devices();
}

u32 machine_memory(struct machine_range out[MACHINE_RANGES]) {
    memcpy(out, ram, ram_count * sizeof *ram);
    return ram_count;
}

u32 machine_reserved(struct machine_range out[MACHINE_RANGES]) {
    if (initrd.start == initrd.end) return 0;
    out[0] = initrd;
    return 1;
}
