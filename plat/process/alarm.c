/* alarm.c: the timer's interrupt by a POSIX timer, and sleeping. What kern/ knows
 * as the local APIC, with a timer that counts nanoseconds.
 *
 * I1 the host's timer is set for no later than `deadline`. It may be set for
 *    earlier (one that was given up): an alarm too early is set again. So most
 *    changes cost no system call. */
#include "arch/process/host.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "kern/interrupt.h"
#include "kern/machine.h"
#include "plat/process/process.h"

#define NS_PER_S 1000000000ull
#define NEVER UINT64_MAX
enum { CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, SIGEV_SIGNAL = 0, CALIBRATE_NS = 10000000, DEVICE_PINS = 2 };
enum { F_SETOWN = 8, F_SETFL = 4, POLLIN = 1 };

struct pollfd {
    i32 fd;
    i16 events, got;
};

/* arch/process/entry.S */
i64 process_sleep(struct pollfd *fds, u64 count, const struct host_timespec *wait);

u64 process_alarm;
i64 process_id;
static u64 ns_per_tick_32; /* 32.32 */
static volatile u64 deadline = NEVER, armed = NEVER; /* the handler's too */
static struct pollfd watched[PROCESS_WATCHED];
static u32 watched_count;

static u64 host_ns(u32 clock) {
    struct host_timespec t = {0, 0};
    host(HOST_CLOCK_GETTIME, clock, &t);
    return (u64)t.seconds * NS_PER_S + (u64)t.nanoseconds;
}

static u64 now_ns(void) { return (u64)((unsigned __int128)rdtsc() * ns_per_tick_32 >> 32); }

/* Both clocks at one moment: the tightest of a few tries. */
static u64 pair(u64 *tsc) {
    u64 best = NEVER, ns = 0;
    for (int i = 0; i < 8; i++) {
        u64 before = rdtsc(), at = host_ns(CLOCK_MONOTONIC), gap = rdtsc() - before;
        if (gap >= best) continue;
        best = gap;
        ns = at;
        *tsc = before + gap / 2;
    }
    return ns;
}

bool machine_clock(struct machine_clock *out) {
    u64 tsc_a, tsc_b, a = pair(&tsc_a), b;
    while ((b = host_ns(CLOCK_MONOTONIC)) - a < CALIBRATE_NS) continue;
    b = pair(&tsc_b);
    out->tsc_hz = (tsc_b - tsc_a) * NS_PER_S / (b - a); /* some 10 ms: fits */
    out->timer_hz = NS_PER_S;
    out->wall_ns = host_ns(CLOCK_REALTIME);
    out->from = ", time by Linux";
    ns_per_tick_32 = (NS_PER_S << 32) / out->tsc_hz;
    alarm_init();
    return true;
}

void alarm_init(void) {
    struct {
        u64 value;
        i32 signal, notify;
        u64 rest[6];
    } event = {.signal = HOST_SIGALRM, .notify = SIGEV_SIGNAL};
    i32 id = 0;
    i64 e = host(HOST_TIMER_CREATE, CLOCK_MONOTONIC, &event, &id);
    if (e < 0) panic("no timer (errno %d)", (int)-e);
    process_alarm = (u64)id;
    process_id = host(HOST_GETPID);
}

static void ring_in(u64 ns) {
    const struct host_timespec at[2] = {{0, 0}, {(i64)(ns / NS_PER_S), (i64)(ns % NS_PER_S)}};
    host(HOST_TIMER_SETTIME, process_alarm, 0, at, NULL);
}

void apic_timer(u32 ns) {
    if (!ns) {
        deadline = NEVER;
        return;
    }
    u64 at = now_ns() + ns;
    deadline = at;
    if (at >= armed) return;
    armed = at;
    ring_in(ns);
}

bool process_alarm_due(void) {
    u64 now = now_ns(), at = deadline;
    armed = NEVER;
    if (at <= now) {
        deadline = NEVER;
        return true;
    }
    if (at == NEVER) return false;
    armed = at;
    ring_in(at - now);
    return false;
}

/* --- sleep --- */

void process_watch(i32 fd) {
    if (watched_count == PROCESS_WATCHED) panic("too many devices");
    watched[watched_count++] = (struct pollfd){fd, POLLIN, 0};
    host(HOST_FCNTL, fd, F_SETOWN, process_id);
    host(HOST_FCNTL, fd, F_SETFL, PROCESS_FILE_FLAGS);
}

void process_unwatch(i32 fd) {
    for (u32 i = 0; i < watched_count; i++)
        if (watched[i].fd == fd) watched[i] = watched[--watched_count];
}

/* Interrupts are off: a signal ends the sleep, also one that comes just before it. */
void process_wait(void) {
    u64 now = now_ns(), at = deadline;
    u64 ns = at == NEVER ? 3600 * NS_PER_S : at > now ? at - now : 0;
    struct host_timespec wait = {(i64)(ns / NS_PER_S), (i64)(ns % NS_PER_S)};
    i64 ready = process_sleep(watched, watched_count, &wait);
    u32 pending = 0;
    if (ready > 0) pending |= 1u << PROCESS_DEVICE;
    if (deadline <= now_ns()) {
        deadline = NEVER;
        pending |= 1u << PROCESS_TIMER;
    }
    __atomic_or_fetch(&process_cpu.pending, pending, __ATOMIC_RELAXED);
}

/* --- the rest of an APIC --- */

void irq_init(void) {}
u32 apic_timer_left(void) { return 0; }
void apic_end_of_interrupt(void) {}
bool ioapic_has(u32 gsi) { return gsi < DEVICE_PINS; }
void ioapic_route(u32 gsi, u8 vector, bool level) {}
u64 apic_message_address(void) { return 0; }
