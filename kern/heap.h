/* heap.h: kernel objects of any size. 16-aligned. Any thread; not in hard interrupts. */
#ifndef WHELK_KERN_HEAP_H
#define WHELK_KERN_HEAP_H

#include "base/arena.h"
#include "base/types.h"

void *kmalloc(size_t n);  /* NULL when memory is short */
void *kzalloc(size_t n);
void kfree(void *p);      /* NULL allowed */
extern const struct arena_source kernel_heap; /* for arenas */

#endif
