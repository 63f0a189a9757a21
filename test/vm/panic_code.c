/* EXPECT: panic: page fault at .*, error 0x3
 * EXPECT: vm_test\+0x */
#include "init/init.h"

/* The kernel's own code is not writable, in ring 0 either (CR0.WP). */
int vm_test(void) {
    *(volatile u8 *)kernel_main = 0x90;
    return 0;
}
