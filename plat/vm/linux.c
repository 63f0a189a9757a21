/* linux.c: the zero page of the 64-bit Linux boot protocol (Linux:
 * Documentation/arch/x86/boot.rst, zero-page.rst). Its reader trusts no count:
 * what a loader left out is zero. */
#include "plat/vm/boot.h"

#include "base/assert.h"
#include "base/mem.h"

enum { HEADER_MAGIC = 0x53726448 /* "HdrS" */, RAM = 1, E820_MAX = 128 };

struct e820 {
    u64 address, size;
    u32 type;
} __attribute__((packed));

struct zero_page {
    u8 screen[0x70];
    u64 rsdp; /* protocol 2.14 */
    u8 gap1[0xc0 - 0x78];
    u32 initrd_high, initrd_size_high, command_line_high;
    u8 gap2[0x1e8 - 0xcc];
    u8 e820_count;
    u8 gap3[0x202 - 0x1e9];
    u32 magic;
    u8 gap4[0x218 - 0x206];
    u32 initrd, initrd_size;
    u8 gap5[0x228 - 0x220];
    u32 command_line;
    u8 gap6[0x2d0 - 0x22c];
    struct e820 e820[E820_MAX];
} __attribute__((packed));
static_assert(offsetof(struct zero_page, magic) == 0x202 && offsetof(struct zero_page, e820) == 0x2d0, "zero-page.rst");
static_assert(offsetof(struct zero_page, initrd) == 0x218 && offsetof(struct zero_page, command_line) == 0x228, "boot.rst");

static u64 whole(u32 low, u32 high) { return low | (u64)high << 32; }

bool linux_read(u64 at, u64 *rsdp) {
    const struct zero_page *z = boot_seen(at, sizeof *z);
    if (!z || z->magic != HEADER_MAGIC) return false;
    boot_command_line(whole(z->command_line, z->command_line_high));
    for (u32 i = 0; i < MIN((u32)z->e820_count, (u32)E820_MAX); i++)
        if (z->e820[i].type == RAM) boot_add_ram(z->e820[i].address, z->e820[i].size);
    boot_initrd(whole(z->initrd, z->initrd_high), whole(z->initrd_size, z->initrd_size_high));
    *rsdp = z->rsdp;
    return true;
}
