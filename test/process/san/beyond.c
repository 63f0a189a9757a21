/* EXPECT: panic: AddressSanitizer: write of 1 bytes at 0x
 * EXPECT: vm_test(.cold)?\+0x */
#include "init/init.h"
#include "kern/heap.h"

int vm_test(void) {
    volatile u8 *p = kmalloc(33);
    p[32] = 1;
    p[33] = 1;
    return 0;
}
