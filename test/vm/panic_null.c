/* EXPECT: panic: page fault at .*, error 0x2, address 0x8
 * EXPECT: rip (ffffffff8|00007000801)
 * EXPECT: running: thread [0-9]+ "init"
 * EXPECT: vm_test\+0x */
#include "init/init.h"

int vm_test(void) {
    static volatile uptr at = 8; /* the compiler must not see it */
    *(volatile u64 *)at = 1;
    return 0;
}
