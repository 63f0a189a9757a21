/* main.c: the boot in order. The only file that sees every part. */
#include "init/init.h"

#include "arch/x86_64/cpu.h"
#include "kern/boot.h"
#include "kern/bootinfo.h"
#include "kern/log.h"
#include "kern/machine.h"
#include "kern/time.h"

struct step {
    const char *name;
    void (*run)(void);
};

/* On the boot stack, interrupts off; nothing may block. */
static const struct step kernel[] = {
    {"cpu", percpu_init},    /* GS: the current CPU */
    {"traps", trap_init},    /* needs GS; from here on a fault is a panic with a name */
    {"vectors", fpu_init},   /* before the first thread's state is saved */
    {"pages", page_init},    /* needs the memory map */
    {"memory", vm_init},     /* needs pages; ends the boot tables and address 0 */
    {"interrupts", irq_init},/* needs memory for the controllers' registers */
    {"clock", clock_init},   /* needs the timer */
    {"random", random_init}, /* RDSEED only; devices follow */
    {"threads", sched_init}, /* needs pages, clock; the boot stack is now idle's */
};

/* In the init thread: may block. */
static const struct step parts[] = {
    {"power", power_init},    /* needs interrupts, threads */
    {"devices", dev_init},    /* needs interrupts, pages */
    {"files", fs_init},       /* needs the initrd */
    {"network", net_init},    /* needs devices */
    {"names", names_init},    /* needs files, network */
    {"engine", engine_init},  /* needs memory, the timer */
    {"extensions", ext_init}, /* needs the engine, the control port */
};

static void run(const struct step *steps, size_t n) {
    for (size_t i = 0; i < n; i++) {
        u64 start = rdtsc(); /* under QEMU's -icount: instructions (test/e2e/boot) */
        log_debug("boot: %s", steps[i].name);
        steps[i].run();
        log_debug("boot: %s took %lu cycles", steps[i].name, (unsigned long)(rdtsc() - start));
    }
}

static void init_thread(void *arg) {
    run(parts, ARRAY_LEN(parts));
    log_info("boot: ready after %u ms, %u of %u pages free", (u32)(time_mono_ns() / 1000000),
             (u32)pages_free(), (u32)pages_total());
    int status = vm_test();
    if (status == VM_TEST_NONE) status = wasm_start();
    if (status == NOT_WASM) status = sys_start();
    net_finish();
    machine_exit(status);
}

static void set_log_level(void) {
    char value[8];
    if (option("debug", value, sizeof value)) log_set_level(LOG_DEBUG);
    if (option("quiet", value, sizeof value)) log_set_level(LOG_WARN);
}

_Noreturn void kernel_main(u64 start_info) {
    machine_console_init();
    log_info("Whelk, a kernel in one address space");
    machine_boot(start_info);
    set_log_level();
    run(kernel, ARRAY_LEN(kernel));
    log_debug("boot: entered at cycle %lu", (unsigned long)bootinfo.boot_tsc);
    struct thread *t;
    if (thread_create("init", init_thread, NULL, &t)) panic("no memory for the init thread");
    sched_idle();
}
