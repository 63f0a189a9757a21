/* ext.c: wires extensions to the rest: the network's frames to the hooks, the
 * timer to their deadlines, the tree of names to their files, the console port
 * to their control. */
#include "ext/ext.h"

#include "arch/x86_64/cpu.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "dev/console.h"
#include "ext/control.h"
#include "init/engine.h"
#include "init/files.h"
#include "init/init.h"
#include "kern/interrupt.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/time.h"
#include "fs/linux.h"
#include "net/link.h"
#include "net/net.h"
#include "sys/program.h"

#define TICK_NS 5000000ull
#define PORT_NAME "whelk.ctl"
#define PORT_WAIT_NS 2000000000ull

static_assert((int)LINK_TX == (int)WHELK_TX && (int)LINK_DROP == (int)WHELK_DROP, "link.h");
static_assert((int)LINK_OUT == (int)WHELK_TX_OUT, "link.h");

/* --- frames to hooks --- */

static struct hook *rx_hook, *tx_hook, *tap_hook;

static struct hook_frame frame_of(const struct frame *f, u32 direction, bool writable) {
    return (struct hook_frame){.bytes = f->data, .length = f->length, .interface = f->dev ? f->dev->index : 0,
                               .direction = direction, .writable = writable};
}

static u32 on_rx(struct frame *f) {
    if (likely(!rx_hook->slots)) return LINK_PASS;
    struct hook_frame h = frame_of(f, WHELK_RX, true);
    return ext_fire_frame(rx_hook, &h);
}

static u32 on_tx(struct frame *f) {
    if (likely(!tx_hook->slots)) return LINK_PASS;
    struct hook_frame h = frame_of(f, WHELK_TX_OUT, true);
    return ext_fire_frame(tx_hook, &h);
}

static void on_tap(const struct frame *f, enum link_direction direction) {
    if (likely(!tap_hook->slots)) return;
    struct hook_frame h = frame_of(f, direction, false);
    h.time_ns = f->time ? time_wall_ns() - (time_mono_ns() - f->time) : 0;
    ext_fire_frame(tap_hook, &h);
}

/* --- system calls to hooks --- */

static struct hook *enter_hook, *exit_hook;

static struct hook_syscall syscall_of(u64 number, const u64 args[6], u32 thread, i64 result) {
    struct hook_syscall c = {.number = number, .result = result, .thread = thread};
    memcpy(c.args, args, sizeof c.args);
    return c;
}

static bool on_call_enter(u64 number, const u64 args[6], u32 thread, i64 *result) {
    if (likely(!enter_hook->slots)) return true;
    struct hook_syscall c = syscall_of(number, args, thread, -LINUX_EPERM);
    bool made = ext_fire_syscall(enter_hook, &c) == WHELK_PASS;
    *result = c.result;
    return made;
}

static void on_call_exit(u64 number, const u64 args[6], u32 thread, i64 *result) {
    if (likely(!exit_hook->slots)) return;
    struct hook_syscall c = syscall_of(number, args, thread, *result);
    ext_fire_syscall(exit_hook, &c);
    if (c.decided) *result = c.result;
}

/* --- the control port --- */

static enum err port_read(void *self, void *buf, size_t cap, size_t *got) {
    return console_read(self, buf, cap, got, WAIT_FOREVER);
}
static enum err port_write(void *self, const void *p, size_t n) { return console_write(self, p, n, NULL, WAIT_FOREVER); }
static enum err port_wait(void *self) { return console_wait_host(self, WAIT_FOREVER); }

static size_t describe_net(char *out, size_t cap) {
    struct net_stats s;
    net_stats(&s);
    return fmt(out, cap,
               ",\"net\":{\"rx_frames\":%lu,\"rx_bytes\":%lu,\"tx_frames\":%lu,\"tx_bytes\":%lu,"
               "\"rx_dropped\":%lu,\"tx_dropped\":%lu,\"device_errors\":%lu,\"no_memory\":%lu,"
               "\"connections_accepted\":%lu,\"connections_refused\":%lu,\"sockets\":%u,\"tcp_pcbs\":%u,\"pbufs_used\":%u}",
               s.rx_frames, s.rx_bytes, s.tx_frames, s.tx_bytes, s.rx_dropped, s.tx_dropped, s.device_errors,
               s.no_memory, s.connections_accepted, s.connections_refused, s.sockets, s.tcp_pcbs, s.pbufs_used);
}

static void stop(const char *reason) { machine_shut_down(); }

static void ticking(bool on) { engine_on_tick(on ? ext_tick : NULL, TICK_NS); }

static u64 cycles(void) { return rdtsc(); }

static void control(void) {
    static struct control_config c = {
        .read = port_read, .write = port_write, .wait_host = port_wait,
        .describe = describe_net, .open_file = files_open, .stop = stop,
    };
    c.self = console_find(PORT_NAME, time_mono_ns() + PORT_WAIT_NS);
    if (!c.self) {
        log_info("control: no port " PORT_NAME "; extensions cannot be loaded from outside");
        return;
    }
    enum err e = control_start(&c);
    if (e) log_error("control: %s", err_text(e));
}

void ext_init(void) {
    const struct ext_config c = {.engine = engine(), .files = &files_wasi, .open_dir = files_open_dir,
                                 .cycles = cycles, .tick_ns = TICK_NS, .ticking = ticking};
    rx_hook = hook_by_id(WHELK_HOOK_NET_RX);
    tx_hook = hook_by_id(WHELK_HOOK_NET_TX);
    tap_hook = hook_by_id(WHELK_HOOK_NET_TAP);
    enter_hook = hook_by_id(WHELK_HOOK_CALL_ENTER);
    exit_hook = hook_by_id(WHELK_HOOK_CALL_EXIT);
    call_watch = (struct call_watch){.enter = on_call_enter, .exit = on_call_exit};
    link_hooks = (struct link_hooks){.rx = on_rx, .tx = on_tx, .tap = on_tap};
    if (!engine()) {
        log_error("extensions: there is no engine");
        return;
    }
    enum err e = ext_start(&c);
    if (e) {
        log_error("extensions: %s", err_text(e));
        return;
    }
    panic_set_describe(ext_running);
    panic_add_section("extensions", ext_report);
    panic_add_section("frames on the wire, the last ones", link_report);
    inside_init();
    control();
}
