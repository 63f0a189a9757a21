/* EXPECT: panic: AddressSanitizer: read of 8 bytes at 0x
 * EXPECT: vm_test(.cold)?\+0x */
#include "init/init.h"
#include "kern/heap.h"

int vm_test(void) {
    volatile u64 *p = kmalloc(33);
    kfree((void *)p);
    return (int)*p;
}
