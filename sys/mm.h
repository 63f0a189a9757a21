/* mm.h: the program's half of the address space: ranges, each with a
 * protection and a source of pages, made present by faults.
 *
 * Errors: results >= 0 or negated LINUX_E* numbers; a failed call has changed
 * nothing, but for mm_protect and mm_discard where there are holes. Addresses and lengths are as the program gave them: unchecked. */
#ifndef WHELK_SYS_MM_H
#define WHELK_SYS_MM_H

#include "base/types.h"
#include "fs/file.h"
#include "fs/vfs.h"

enum mm_prot { MM_READ = 1, MM_WRITE = 2, MM_EXEC = 4 }; /* PROT_* of Linux, VM_* of kern */
enum mm_flags {
    MM_SHARED = 0x01,
    MM_PRIVATE = 0x02,
    MM_FIXED = 0x10,
    MM_ANONYMOUS = 0x20,
    MM_GROWSDOWN = 0x100,
    MM_DENYWRITE = 0x800,
    MM_EXECUTABLE = 0x1000,
    MM_LOCKED = 0x2000,
    MM_NORESERVE = 0x4000,
    MM_POPULATE = 0x8000,
    MM_NONBLOCK = 0x10000,
    MM_STACK = 0x20000,
    MM_HUGETLB = 0x40000,
    MM_FIXED_NOREPLACE = 0x100000,
};

struct mm_source {
    struct inode *inode; /* NULL: zeros. The map takes its own reference. */
    u64 offset;          /* page-aligned */
    u64 bytes;           /* from offset on; zeros behind them */
};

void mm_init(void);
/* Makes every page present that may be executed, and lets no other become so:
 * for a machine that fixes code. false: memory is short. */
bool mm_fix_code(void);
i64 mm_map(u64 address, u64 length, u32 prot, u32 flags, struct mm_source source, const char *name);
i64 mm_unmap(u64 address, u64 length);
i64 mm_protect(u64 address, u64 length, u32 prot);
i64 mm_remap(u64 old, u64 old_length, u64 new_length, bool may_move);
i64 mm_discard(u64 address, u64 length); /* MADV_DONTNEED */
/* All of the range is mapped, whether present or not. */
bool mm_covers(u64 address, u64 length);
/* Of n bytes at address, so many from the first on may be accessed in one way of prot (MM_*). */
size_t mm_reach(u64 address, size_t n, u32 prot);
void mm_set_break(u64 start);
u64 mm_break(u64 wanted); /* brk(2): the break after the call */
/* All mappings and their pages go. */
void mm_clear(void);
/* The text of /proc/self/maps: what vfs_make says. */
size_t mm_describe(void *arg, char *out, size_t cap);

struct mm_usage {
    u64 virtual_bytes, present_pages;
};
struct mm_usage mm_usage(void);

#endif
