/* page.h: physical pages of 4 KiB, and the direct map that shows them.
 * Any thread, interrupts on or off. */
#ifndef WHELK_KERN_PAGE_H
#define WHELK_KERN_PAGE_H

#include "base/types.h"

enum { PAGE_SIZE = 4096 };
typedef struct {
    u64 v;
} phys;

/* 2^order pages, physically contiguous, content undefined. v == 0: none left. */
phys page_alloc(unsigned order);
void page_free(phys p, unsigned order);
phys page_alloc_zeroed(void);
void *phys_to_virt(phys p);  /* through the direct map: readable, writable, never executable */
phys virt_to_phys(const void *p); /* of direct-map and kernel-image addresses; panics otherwise */
size_t pages_free(void);
size_t pages_total(void);
/* Recounts from the free lists themselves, not from the counter. */
size_t pages_recount(void);

#endif
