/* time.c: the TSC as the clock, the local APIC's timer as the alarm.
 *
 * I1 timers are sorted by deadline.
 * I2 after every change the APIC is set for the earlier of the first timer and
 *    the end of the running thread's turn: nothing ticks without a reason. */
#include "kern/time.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "base/assert.h"
#include "base/mem.h"
#include "kern/bootinfo.h"
#include "kern/clock.h"
#include "kern/log.h"
#include "kern/machine.h"
#include "kern/sched.h"

#define NS_PER_S 1000000000ull
enum { CALIBRATE_NS = 5000000, BEST_OF = 8, TIMER_MIN_TICKS = 500 };

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

/* --- calibration --- */

struct reading {
    u64 tsc;
    u32 left;
};

/* Both counters at one moment: the tightest of a few tries, since the host may
 * take the CPU away in between. */
static struct reading read_both(void) {
    struct reading best = {0, 0};
    u64 best_gap = UINT64_MAX;
    for (int i = 0; i < BEST_OF; i++) {
        u64 before = rdtsc();
        u32 left = apic_timer_left();
        u64 gap = rdtsc() - before;
        if (gap >= best_gap) continue;
        best_gap = gap;
        best = (struct reading){before + gap / 2, left};
    }
    return best;
}

/* The hypervisor's signature: CPUID 0x40000000. */
static void read_signature(char name[13]) {
    memset(name, 0, 13);
    if (!(cpuid(1, 0).c >> 31)) return;
    struct cpuid id = cpuid(0x40000000, 0);
    memcpy(name, &id.b, 4);
    memcpy(name + 4, &id.c, 4);
    memcpy(name + 8, &id.d, 4);
}

/* KVM's and QEMU's local APIC timer run at exactly 1 GHz. */
static bool hypervisor_timer(const char *name) {
    return !strcmp(name, "TCGTCGTCGTCG") || !strcmp(name, "KVMKVMKVM");
}

static u64 tsc_hz_from_timer(void) {
    apic_timer(UINT32_MAX);
    struct reading a = read_both();
    while (a.left - apic_timer_left() < CALIBRATE_NS) __asm__ volatile("pause");
    struct reading b = read_both();
    apic_timer(0);
    return (b.tsc - a.tsc) * NS_PER_S / (a.left - b.left); /* milliseconds: fits */
}

/* No hypervisor that we know: both against the battery clock's oscillator. */
static u64 tsc_hz_from_machine(void) {
    apic_timer(UINT32_MAX);
    u32 before = apic_timer_left();
    u64 ns = 0, ticks = machine_measure_tsc(&ns);
    u32 after = apic_timer_left();
    apic_timer(0);
    if (!ticks || !ns) return 0;
    timer_hz = (u64)(before - after) * NS_PER_S / ns;
    return ticks * 1000000 / (ns / 1000);
}

void clock_init(void) {
    u64 hz, wall_ns = 0;
    char name[13];
    read_signature(name);
    mem_rep_slow = !strcmp(name, "TCGTCGTCGTCG");
    if (!strcmp(name, "KVMKVMKVM") && kvm_clock_read(&hz, &wall_ns)) {
        timer_hz = NS_PER_S;
    } else if (hypervisor_timer(name)) {
        hz = tsc_hz_from_timer();
        timer_hz = NS_PER_S;
    } else {
        hz = tsc_hz_from_machine();
    }
    if (!hz || !timer_hz) panic("no clock to calibrate the timer against");
    ns_per_tick_32 = (NS_PER_S << 32) / hz;
    tsc_start = bootinfo.boot_tsc;
    bool kvm = wall_ns;
    if (!kvm) wall_ns = machine_wall_seconds() * NS_PER_S;
    wall_start_ns = wall_ns - time_mono_ns();
    log_info("clock: TSC at %u MHz, timer at %u MHz%s", (u32)(hz / 1000000), (u32)(timer_hz / 1000000), kvm ? ", time by KVM" : "");
}
