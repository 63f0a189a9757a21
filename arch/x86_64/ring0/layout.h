/* layout.h: the address space of a machine of our own; its twin is
 * arch/process/layout.h. Included by paging.h.
 *
 *   0x0000000000010000 .. 0x00007ffffffff000  the program
 *   0xffff800000000000 ..                     all RAM, in order (direct map)
 *   0xffffc00000000000 .. 0xffffe00000000000  reservations: stacks, memories, code
 *   0xffffffff80000000 ..                     the kernel image */
#ifndef WHELK_ARCH_RING0_LAYOUT_H
#define WHELK_ARCH_RING0_LAYOUT_H

#include "arch/x86_64/cpu.h"

#define PROGRAM_END 0x7ffffffff000ull
#define DIRECT_MAP 0xffff800000000000ull
#define DIRECT_MAP_END 0xffffc00000000000ull
#define WINDOWS 0xffffc00000000000ull
#define WINDOWS_END 0xffffe00000000000ull
#define KERNEL_BASE 0xffffffff80000000ull

static inline bool address_of_program(u64 a) { return !(a >> 63); }

/* An entry of the tables has changed; the machine must follow at the latest at
 * paging_flush. The CPU reads the tables itself: it must only forget. */
static inline void paging_changed(uptr va, u64 before, u64 now) {
    if (before & 1) invlpg(va);
}
static inline bool paging_flush(void) { return true; }
static inline u32 paging_spares(void) { return UINT32_MAX; }
/* A table that covered va is gone: drops cached upper levels too. */
static inline void paging_table_gone(uptr va) { invlpg(va); }

#endif
