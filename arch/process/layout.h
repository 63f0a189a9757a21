/* layout.h: the address space of a kernel that is a process of Linux; its twin
 * is arch/x86_64/ring0/layout.h. Included by paging.h.
 *
 *   0x0000000000010000 .. 0x0000400000000000  the program
 *   0x0000400000000000 ..                     all RAM, in order: a memfd (direct map)
 *   0x0000500000000000 .. 0x0000700000000000  reservations: stacks, memories
 *   0x0000700080000000 ..                     the kernel image
 *   above 0x00007e0000000000                  what Linux gave: stack, vdso
 *
 * I1 the tables (kern/vm.c) are in RAM as ever, but no CPU reads them: each
 *    change is told here, and the host's mappings follow by mmap. */
#ifndef WHELK_ARCH_PROCESS_LAYOUT_H
#define WHELK_ARCH_PROCESS_LAYOUT_H

#include "base/types.h"

#define PROGRAM_END 0x400000000000ull
#define DIRECT_MAP 0x400000000000ull
#define DIRECT_MAP_END 0x500000000000ull
#define WINDOWS 0x500000000000ull
#define WINDOWS_END 0x700000000000ull
/* Its lower half as the VM's: the table of symbols counts from there. */
#define KERNEL_BASE 0x700080000000ull

static inline bool address_of_program(u64 a) { return a < PROGRAM_END; }

/* An entry of the tables has changed. Neighbours are gathered into one call. */
void paging_changed(uptr va, u64 before, u64 now);
/* The host's mappings follow. false: it maps no more (vm.max_map_count). */
bool paging_flush(void);
/* So many changes that cut a mapping in two cannot be refused. */
u32 paging_spares(void);
static inline void paging_table_gone(uptr va) {}

#endif
