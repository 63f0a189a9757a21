/* absent.c: what an image without some part does in its place. Weak: the part's
 * own definition wins, and the steps in main.c need no #ifdef. */
#include "init/init.h"

#define WEAK __attribute__((weak))

WEAK void dev_init(void) {}
WEAK void fs_init(void) {}
WEAK void net_init(void) {}
WEAK void net_finish(void) {}
WEAK void ext_init(void) {}
WEAK void engine_init(void) {}
WEAK int sys_start(void) { return 0; }
WEAK bool sys_terminate(void) { return false; }
WEAK int sys_status(void) { return 0; }
WEAK int vm_test(void) { return VM_TEST_NONE; }
