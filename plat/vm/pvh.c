/* pvh.c: the PVH start information (xen/include/public/arch-x86/hvm/start_info.h). */
#include "plat/vm/boot.h"

#include "base/mem.h"

enum { START_MAGIC = 0x336ec578, RAM = 1, ENTRIES_MAX = 1024 };

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

/* Copies what lies at a physical address, aligned or not. */
static bool take(u64 at, void *out, size_t n) {
    const void *p = boot_seen(at, n);
    if (p) memcpy(out, p, n);
    return p;
}

static void read_memory(const struct start_info *s) {
    struct memory_entry e;
    if (s->version < 1 || s->memory_map_entries > ENTRIES_MAX) return;
    for (u32 i = 0; i < s->memory_map_entries && take(s->memory_map + i * sizeof e, &e, sizeof e); i++)
        if (e.type == RAM) boot_add_ram(e.address, e.size);
}

bool pvh_read(u64 at, u64 *rsdp) {
    struct start_info s;
    struct module m;
    if (!take(at, &s, sizeof s) || s.magic != START_MAGIC) return false;
    boot_command_line(s.command_line);
    read_memory(&s);
    if (s.module_count && take(s.modules, &m, sizeof m)) boot_initrd(m.address, m.size);
    *rsdp = s.rsdp;
    return true;
}
