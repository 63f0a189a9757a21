/* devices.c: a process has three: frames, a control port, the host's entropy. */
#include "dev/dev.h"
#include "kern/bootinfo.h"
#include "kern/irq.h"
#include "kern/log.h"
#include "kern/random.h"
#include "plat/process/process.h"

enum { ENTROPY = 64, HANDLERS = 4, DEVICE_GSI = 0 };

struct process_files process_files = {-1, -1, -1};

static struct {
    void (*fn)(void *);
    void *arg;
} handlers[HANDLERS]; /* fixed after dev_init */
static u32 handler_count;

void process_on_device(void (*fn)(void *), void *arg) {
    if (handler_count == HANDLERS) return;
    handlers[handler_count].fn = fn;
    handlers[handler_count++].arg = arg;
}

static void on_event(void *arg) {
    for (u32 i = 0; i < handler_count; i++) handlers[i].fn(handlers[i].arg);
}

void dev_init(void) {
    u8 entropy[ENTROPY];
    if (host(HOST_GETRANDOM, entropy, sizeof entropy, 0) == ENTROPY) random_feed(entropy, sizeof entropy);
    net_device_init();
    port_init();
    enum err e = irq_register(DEVICE_GSI, false, on_event, NULL);
    if (e) log_error("devices: %s", err_text(e));
}
