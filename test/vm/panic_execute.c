/* EXPECT: panic: page fault at .*, error 0x11
 * EXPECT: vm_test\+0x */
#include "init/init.h"
#include "kern/page.h"

/* The direct map never runs. */
int vm_test(void) {
    u8 *p = phys_to_virt(page_alloc(0));
    p[0] = 0xc3; /* ret */
    ((void (*)(void))p)();
    return 0;
}
