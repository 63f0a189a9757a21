/* power.c: the machine ends from outside, by the control channel or the power
 * button: the program is asked first.
 *
 * I1 shutdown runs in a thread and never returns; the interrupt only wakes it. */
#include "init/init.h"
#include "kern/log.h"
#include "kern/machine.h"
#include "kern/thread.h"
#include "kern/time.h"
#include "kern/wait.h"

#define GRACE_NS 1000000000ull /* less than `whelk run` has patience (cli/run.c) */

static struct waitq queue = WAITQ_INIT(queue);
static bool pressed; /* set in the interrupt, then the wake */

static void on_button(void) {
    __atomic_store_n(&pressed, true, __ATOMIC_RELEASE);
    wait_wake_all(&queue);
}

/* A program with a handler for SIGTERM ends by itself, with its own status; what its
 * connections still hold may take longer than our patience. */
_Noreturn void machine_shut_down(void) {
    if (sys_terminate()) thread_sleep_until(time_mono_ns() + GRACE_NS);
    machine_exit(sys_status());
}

static void power_thread(void *arg) {
    wait_event(&queue, __atomic_load_n(&pressed, __ATOMIC_ACQUIRE), WAIT_FOREVER);
    log_info("stopped by the power button");
    machine_shut_down();
}

void power_init(void) {
    enum err e = thread_create("power", power_thread, NULL, NULL);
    if (e) log_error("power: %s", err_text(e));
    else machine_on_power_button(on_button);
}
