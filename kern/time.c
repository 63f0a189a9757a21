/* time.c: the TSC as the clock, the local APIC's timer as the alarm.
 *
 * I1 timers are sorted by deadline.
 * I2 after every change the APIC is set for the earlier of the first timer and
 *    the end of the running thread's turn: nothing ticks without a reason. */
#include "kern/time.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "base/assert.h"
#include "kern/bootinfo.h"
#include "kern/clock.h"
#include "kern/log.h"
#include "kern/machine.h"
#include "kern/sched.h"

#define NS_PER_S 1000000000ull
enum { TIMER_MIN_TICKS = 500 };

/* fixed by clock_init */
static u64 tsc_start, ns_per_tick_32; /* 32.32 fixed point */
static u64 timer_hz, wall_start_ns;

static struct list timers = LIST_INIT(timers); /* interrupts off */
static u64 turn_end = UINT64_MAX;              /* interrupts off */

u64 time_mono_ns(void) {
    if (!ns_per_tick_32) return 0;
    return (u64)((unsigned __int128)(rdtsc() - tsc_start) * ns_per_tick_32 >> 32);
}

u64 time_wall_ns(void) { return wall_start_ns + time_mono_ns(); }

static void set_alarm(void) {
    u64 next = turn_end;
    if (!list_empty(&timers))
        next = MIN(next, LIST_ENTRY(timers.next, struct timer, node)->deadline_ns);
    if (!timer_hz) return; /* too early */
    if (next == UINT64_MAX) {
        apic_timer(0);
        return;
    }
    u64 now = time_mono_ns(), wait = next > now ? next - now : 0;
    wait = MIN(wait, NS_PER_S); /* 32-bit counter: come back and look again */
    apic_timer((u32)MAX(wait * timer_hz / NS_PER_S + 1, (u64)TIMER_MIN_TICKS));
}

void timer_arm(struct timer *t, u64 deadline_ns) {
    u64 flags = irq_save();
    if (t->armed) list_remove(&t->node);
    t->armed = true;
    t->deadline_ns = deadline_ns;
    struct list *at = &timers;
    LIST_EACH(it, &timers)
        if (LIST_ENTRY(it, struct timer, node)->deadline_ns > deadline_ns) {
            at = it;
            break;
        }
    list_insert(at, &t->node);
    set_alarm();
    irq_restore(flags);
}

void timer_cancel(struct timer *t) {
    u64 flags = irq_save();
    if (t->armed) {
        list_remove(&t->node);
        t->armed = false; /* an alarm for nothing is harmless */
    }
    irq_restore(flags);
}

void clock_set_turn(u64 at_ns) {
    turn_end = at_ns;
    set_alarm();
}

void clock_interrupt(void) {
    u64 now = time_mono_ns();
    while (!list_empty(&timers)) {
        struct timer *t = LIST_ENTRY(timers.next, struct timer, node);
        if (t->deadline_ns > now) break;
        list_remove(&t->node);
        t->armed = false;
        t->fn(t);
    }
    if (turn_end <= now) {
        turn_end = UINT64_MAX;
        sched_tick();
    }
    set_alarm();
}

void clock_init(void) {
    struct machine_clock c = {0};
    if (!machine_clock(&c) || !c.tsc_hz || !c.timer_hz) panic("no clock to calibrate the timer against");
    timer_hz = c.timer_hz;
    ns_per_tick_32 = (NS_PER_S << 32) / c.tsc_hz;
    tsc_start = bootinfo.boot_tsc;
    wall_start_ns = c.wall_ns - time_mono_ns();
    log_info("clock: TSC at %u MHz, timer at %u MHz%s", (u32)(c.tsc_hz / 1000000), (u32)(timer_hz / 1000000), c.from);
}
