/* clock.c: how fast the TSC and the local APIC's timer count, and what time it is. */
#include "plat/vm/clock.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "base/mem.h"
#include "kern/machine.h"

#define NS_PER_S 1000000000ull
enum { CALIBRATE_NS = 5000000, BEST_OF = 8 };

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
static u64 tsc_hz_from_rtc(u64 *timer_hz) {
    apic_timer(UINT32_MAX);
    u32 before = apic_timer_left();
    u64 ns = 0, ticks = rtc_measure_tsc(&ns);
    u32 after = apic_timer_left();
    apic_timer(0);
    if (!ticks || !ns) return 0;
    *timer_hz = (u64)(before - after) * NS_PER_S / ns;
    return ticks * 1000000 / (ns / 1000);
}

bool machine_clock(struct machine_clock *out) {
    char name[13];
    read_signature(name);
    mem_rep_slow = !strcmp(name, "TCGTCGTCGTCG");
    out->from = "";
    out->timer_hz = NS_PER_S;
    if (!strcmp(name, "KVMKVMKVM") && kvm_clock_read(&out->tsc_hz, &out->wall_ns)) {
        out->from = ", time by KVM";
        return true;
    }
    out->tsc_hz = hypervisor_timer(name) ? tsc_hz_from_timer() : tsc_hz_from_rtc(&out->timer_hz);
    out->wall_ns = rtc_seconds() * NS_PER_S;
    return true;
}
