/* memory.h: what page.c, vm.c and heap.c share and nobody else sees. */
#ifndef WHELK_KERN_MEMORY_H
#define WHELK_KERN_MEMORY_H

#include "kern/page.h"

enum { PAGE_ABSENT, PAGE_USED, PAGE_FREE, PAGE_SLAB, PAGE_LARGE };

/* One for every page of RAM that the allocator owns. */
struct page {
    u8 state;   /* PAGE_* */
    u8 order;   /* of a free block */
    u16 writers, execs; /* mappings beside the direct map; never both non-zero */
    u32 count;  /* PAGE_LARGE: pages of the allocation */
    u32 next, previous; /* PAGE_FREE: indices, 0 for none */
};

/* NULL for what is no RAM, or was never the allocator's (kernel image, initrd). */
struct page *page_info(phys p);
void page_init(void);      /* RAM that the boot tables show */
void page_init_high(void); /* the rest, once the direct map is whole */
u64 page_highest(void);    /* end of RAM */
void vm_init(void);        /* the final page tables */
void vm_boot_map(uptr va, phys p, u32 prot); /* for machine_paging: anywhere, for ever */

#endif
