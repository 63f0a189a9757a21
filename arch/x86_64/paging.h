/* paging.h: the shape of x86-64 page tables (Intel SDM 3A, 4.5) and the layout
 * of the one address space.
: program, direct map of RAM, windows (stacks, memories,
 * code), kernel image. In a process the tables say what the host shall map. */
#ifndef WHELK_ARCH_PAGING_H
#define WHELK_ARCH_PAGING_H

#include "base/types.h"

enum {
    PTE_PRESENT = 1 << 0,
    PTE_WRITE = 1 << 1,
    PTE_UNCACHED = 1 << 3 | 1 << 4,
    PTE_ACCESSED = 1 << 5,
    PTE_DIRTY = 1 << 6,
    PTE_GLOBAL = 1 << 8,
};
#define PTE_NX (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

#ifdef WHELK_PROCESS
#include "arch/process/layout.h"
#else
#include "arch/x86_64/ring0/layout.h"
#endif

static inline unsigned table_index(uptr va, unsigned level) { return va >> (12 + 9 * level) & 511; }
static inline u64 *table_at(u64 physical) { return (u64 *)(DIRECT_MAP + (physical & PTE_ADDRESS)); }
/* Bytes that one entry at level covers; level 0 is a page. */
static inline u64 entry_bytes(unsigned level) { return 4096ull << (9 * level); }

#endif
