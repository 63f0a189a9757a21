/* EXPECT: panic: invalid opcode at
 * EXPECT: vm_test(.cold)?\+0x */
#include "init/init.h"

int vm_test(void) {
    static volatile int one = 1, far = 31;
    return one << far << one;
}
