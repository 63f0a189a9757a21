/* kvmclock.c: what KVM says of its clock (Linux: Documentation/virt/kvm/x86/
 * msr.rst): the TSC's rate, exactly, and the time of day. Read once at boot;
 * from then on the TSC counts, so that the page is not the host's any longer.
 *
 * I1 the host writes these structures: a version that is odd or changes means
 *    that the reading is not whole. */
#include "plat/vm/clock.h"

#include "arch/x86_64/cpu.h"
#include "base/mem.h"
#include "kern/page.h"

enum { LEAF_FEATURES = 0x40000001, FEATURE_CLOCKSOURCE2 = 1 << 3, TRIES = 100 };
enum { MSR_WALL_CLOCK = 0x4b564d00, MSR_SYSTEM_TIME = 0x4b564d01, SYSTEM_TIME_ON = 1 };
#define NS_PER_S 1000000000ull

struct system_time {
    u32 version, pad;
    u64 tsc, ns;
    u32 multiplier;
    i8 shift;
    u8 flags, pad2[2];
};
struct wall_clock {
    u32 version, seconds, nanoseconds;
};
/* One page each side of nothing: neither crosses a page. */
static volatile struct system_time shared_time __attribute__((aligned(64)));
static volatile struct wall_clock shared_wall __attribute__((aligned(64)));

static bool read_time(struct system_time *out) {
    for (int i = 0; i < TRIES; i++) {
        u32 before = shared_time.version;
        out->tsc = shared_time.tsc, out->ns = shared_time.ns;
        out->multiplier = shared_time.multiplier, out->shift = shared_time.shift;
        if (before && !(before & 1) && before == shared_time.version) return out->multiplier;
    }
    return false;
}

static u64 shifted(u64 v, int by) { return by >= 0 ? v << MIN(by, 31) : v >> MIN(-by, 63); }

/* ns = (ticks << shift) * multiplier / 2^32 */
static u64 ns_of(const struct system_time *t, u64 tsc) {
    return t->ns + (u64)((unsigned __int128)shifted(tsc - t->tsc, t->shift) * t->multiplier >> 32);
}

bool kvm_clock_read(u64 *hz, u64 *wall_ns) {
    struct system_time t;
    if (!(cpuid(LEAF_FEATURES, 0).a & FEATURE_CLOCKSOURCE2)) return false;
    wrmsr(MSR_SYSTEM_TIME, virt_to_phys((const void *)&shared_time).v | SYSTEM_TIME_ON);
    wrmsr(MSR_WALL_CLOCK, virt_to_phys((const void *)&shared_wall).v);
    bool ok = read_time(&t) && !(shared_wall.version & 1) && shared_wall.seconds;
    wrmsr(MSR_SYSTEM_TIME, 0);
    if (!ok) return false;
    *hz = shifted((NS_PER_S << 32) / t.multiplier, -t.shift);
    *wall_ns = shared_wall.seconds * NS_PER_S + shared_wall.nanoseconds + ns_of(&t, rdtsc());
    return *hz;
}
