/* vm_walk.h: vm.c's inside, for kern/ and for tests. */
#ifndef WHELK_KERN_VM_WALK_H
#define WHELK_KERN_VM_WALK_H

#include "kern/vm.h"

/* Calls visit for every mapping, in order, under vm.c's lock; NULL: just
 * counts. Returns the number of page tables. */
typedef void vm_visit(void *arg, uptr va, phys p, u32 prot);
size_t vm_walk(vm_visit *visit, void *arg);
/* Unmaps a part of the windows; frees its pages and empty tables. */
void vm_clear(uptr at, size_t bytes);

/* Maps n pages one after the other, or none. */
enum err vm_map_all(uptr va, const phys *p, u32 n, u32 prot);

#endif
