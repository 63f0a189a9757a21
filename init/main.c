/* main.c: the boot in order. The only file that sees every part. */
#include "init/init.h"

#include "kern/log.h"
#include "kern/machine.h"

struct step {
    const char *name;
    void (*run)(void);
};

/* In the init thread: may block. */
static const struct step parts[] = {
    {"devices", dev_init},     /* needs interrupts, pages */
    {"files", fs_init},        /* needs the initrd */
    {"network", net_init},     /* needs devices */
    {"engine", engine_init},   /* needs vm, the timer */
    {"extensions", ext_init},  /* needs the engine, the control port */
};

static void init_thread(void *arg) {
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) parts[i].run();
    int status = vm_test();
    if (status == VM_TEST_NONE) status = sys_start();
    machine_exit(status);
}

_Noreturn void kernel_main(u64 start_info) {
    machine_console_init();
    log_info("Whelk, a kernel in one address space");
    init_thread(NULL);
    panic("the init thread returned");
}
