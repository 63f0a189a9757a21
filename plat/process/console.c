/* console.c: standard output, and the end. */
#include "base/mem.h"
#include "kern/bootinfo.h"
#include "kern/irq.h"
#include "kern/log.h"
#include "kern/machine.h"
#include "plat/process/process.h"

enum { PANICKED = 125, LARGEST = 95, POWER_GSI = 1 };

void machine_console_init(void) {}

/* One that takes no more (a closed pipe) must not hang the kernel. */
void machine_console_write(const char *p, size_t n) {
    while (n) {
        i64 done = host(HOST_WRITE, 1, p, n);
        if (done == -HOST_EINTR || done == -HOST_EAGAIN) continue;
        if (done <= 0) return;
        p += done;
        n -= (size_t)done;
    }
}

/* The statuses that a VM can have (plat/vm/power.c): the same program gives the
 * same answer on both machines. */
static int exit_status(int status) {
    static const u8 large[] = {126, 127, 129, 130, 132, 134, 135, 136, 137, 139, 141, 143, 131, 133};
    if (status == MACHINE_PANICKED) return PANICKED;
    for (u32 i = 0; i < ARRAY_LEN(large); i++)
        if (status == large[i]) return status;
    return status == 0 ? 0 : MIN(status & 0xff, LARGEST);
}

bool process_stops(void) {
    char value[8];
    return option("crash", value, sizeof value) && !strcmp(value, "stop");
}

/* `whelk run` sees its child stop, and takes the memory before it ends it. */
static void stop_for_parent(void) {
    if (process_stops()) host(HOST_KILL, process_id ? process_id : host(HOST_GETPID), HOST_SIGSTOP);
}

_Noreturn void machine_exit(int status) {
    if (status == MACHINE_PANICKED) stop_for_parent();
    for (;;) host(HOST_EXIT_GROUP, exit_status(status));
}

_Noreturn void process_no_dispatch(void) {
    panic("this Linux has no Syscall User Dispatch (5.11 and later have)");
}

static void (*button)(void);
static void on_button(void *arg) { button(); }

/* SIGTERM. */
void machine_on_power_button(void (*fn)(void)) {
    button = fn;
    enum err e = irq_register(POWER_GSI, false, on_button, NULL);
    if (e) log_warn("power: %s", err_text(e));
}
