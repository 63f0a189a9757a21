/* EXPECT: panic: stack overflow: page fault at .*
 * EXPECT: running: thread [0-9]+ "init"
 * EXPECT: dig\+0x */
#include "init/init.h"
#include "kern/log.h"

static __attribute__((noinline)) u64 dig(volatile u64 *above) {
    volatile u64 room[64];
    room[0] = above ? above[0] + 1 : 0;
    return room[0] < 1 << 30 ? dig(room) + room[0] : 0;
}

int vm_test(void) {
    log_info("%u", (u32)dig(NULL));
    return 1;
}
