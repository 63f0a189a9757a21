/* load.c: the kernel's segments to their physical addresses, and a zero page
 * from PVH's information, as a Linux boot loader would write it. No checks: it
 * is a test's, and what it loads was built beside it. */
#include "base/types.h"

struct start_info {
    u32 magic, version, flags, module_count;
    u64 modules, command_line, rsdp, memory_map;
    u32 memory_map_entries, reserved;
};
struct module {
    u64 address, size, command_line, reserved;
};
struct memory_entry {
    u64 address, size;
    u32 type, reserved;
};
struct segment {
    u32 type, flags;
    u64 offset, virtual, physical, in_file, in_memory, align;
};

extern u8 kernel[];
u8 zero_page[4096] __attribute__((aligned(4096)));

static void copy(u8 *to, const u8 *from, u64 n) {
    for (u64 i = 0; i < n; i++) to[i] = from[i];
}
static void put32(u32 at, u64 v) { *(u32 *)(zero_page + at) = (u32)v; }

/* zero-page.rst: e820 entries of 20 bytes. */
static void put_memory(const struct start_info *s) {
    const struct memory_entry *e = (const void *)s->memory_map;
    zero_page[0x1e8] = (u8)s->memory_map_entries;
    for (u32 i = 0; i < s->memory_map_entries; i++) copy(zero_page + 0x2d0 + 20 * i, (const u8 *)&e[i], 20);
}

static void put_zero_page(const struct start_info *s) {
    const struct module *m = (const void *)s->modules;
    put32(0x202, 0x53726448); /* "HdrS" */
    zero_page[0x1fe] = 0x55, zero_page[0x1ff] = 0xaa;
    zero_page[0x206] = 0x0f, zero_page[0x207] = 2; /* protocol 2.15 */
    zero_page[0x210] = 0xff;
    put32(0x228, s->command_line);
    if (s->module_count) put32(0x218, m->address), put32(0x21c, m->size);
    *(u64 *)(zero_page + 0x70) = s->rsdp;
    put_memory(s);
}

u64 load(const struct start_info *s);
u64 load(const struct start_info *s) {
    const struct segment *p = (const void *)(kernel + *(u64 *)(kernel + 32));
    for (u32 i = 0; i < *(u16 *)(kernel + 56); i++) {
        if (p[i].type != 1) continue;
        u8 *to = (u8 *)p[i].physical;
        copy(to, kernel + p[i].offset, p[i].in_file);
        for (u64 k = p[i].in_file; k < p[i].in_memory; k++) to[k] = 0;
    }
    put_zero_page(s);
    return *(u64 *)(kernel + 24);
}
