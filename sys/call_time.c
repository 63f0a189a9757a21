/* call_time.c: clocks and sleeping. All deadlines inside are time_mono_ns. */
#include "kern/time.h"
#include "sys/calls.h"

enum { SECOND = 1000000000 };

struct timespec timespec_of(u64 ns) { return (struct timespec){(i64)(ns / SECOND), (i64)(ns % SECOND)}; }

i64 timespec_read(u64 user, u64 *ns) {
    struct timespec t;
    if (!user_read(&t, user, sizeof t)) return -LINUX_EFAULT;
    if (t.sec < 0 || t.nsec < 0 || t.nsec >= SECOND) return -LINUX_EINVAL;
    *ns = t.sec > (i64)(INT64_MAX / SECOND) - 1 ? INT64_MAX : (u64)t.sec * SECOND + (u64)t.nsec;
    return 0;
}

u64 deadline_after(u64 ns) {
    u64 now = time_mono_ns();
    return ns >= WAIT_FOREVER - now ? WAIT_FOREVER : now + ns;
}

i64 deadline_read(u64 user, u64 *deadline) {
    u64 ns;
    *deadline = WAIT_FOREVER;
    if (!user) return 0;
    i64 r = timespec_read(user, &ns);
    if (r >= 0) *deadline = deadline_after(ns);
    return r;
}

enum clock { REALTIME, MONOTONIC, PROCESS_CPU, THREAD_CPU, MONOTONIC_RAW, REALTIME_COARSE, MONOTONIC_COARSE, BOOTTIME };

static u64 process_cpu(void) {
    u64 sum = 0;
    mutex_lock(&process.lock);
    LIST_EACH(it, &process.tasks) sum += thread_cpu_ns(LIST_ENTRY(it, struct task, node)->thread);
    mutex_unlock(&process.lock);
    return sum;
}

static i64 clock_ns(u64 id, u64 *ns) {
    switch ((i32)id) {
    case REALTIME:
    case REALTIME_COARSE: *ns = time_wall_ns(); return 0;
    case MONOTONIC:
    case MONOTONIC_RAW:
    case MONOTONIC_COARSE:
    case BOOTTIME: *ns = time_mono_ns(); return 0;
    case PROCESS_CPU: *ns = process_cpu(); return 0;
    case THREAD_CPU: *ns = thread_cpu_ns(thread_current()); return 0;
    default: return -LINUX_EINVAL;
    }
}

static i64 write_time(u64 user, u64 ns) {
    struct timespec t = timespec_of(ns);
    return user_write(user, &t, sizeof t) ? 0 : -LINUX_EFAULT;
}

i64 call_clock_gettime(const struct call *c) {
    u64 ns;
    i64 r = clock_ns(c->a[0], &ns);
    return r < 0 ? r : write_time(c->a[1], ns);
}

i64 call_clock_getres(const struct call *c) {
    u64 ns;
    i64 r = clock_ns(c->a[0], &ns);
    return r < 0 || !c->a[1] ? r : write_time(c->a[1], 1);
}

i64 call_gettimeofday(const struct call *c) {
    u64 ns = time_wall_ns();
    i64 t[2] = {(i64)(ns / SECOND), (i64)(ns % SECOND / 1000)};
    i32 zone[2] = {0, 0};
    if (c->a[0] && !user_write(c->a[0], t, sizeof t)) return -LINUX_EFAULT;
    return !c->a[1] || user_write(c->a[1], zone, sizeof zone) ? 0 : -LINUX_EFAULT;
}

i64 call_time(const struct call *c) {
    i64 now = (i64)(time_wall_ns() / SECOND);
    return !c->a[0] || user_write(c->a[0], &now, 8) ? now : -LINUX_EFAULT;
}

i64 call_times(const struct call *c) {
    enum { TICK = SECOND / 100 };
    i64 t[4] = {(i64)(process_cpu() / TICK)};
    if (c->a[0] && !user_write(c->a[0], t, sizeof t)) return -LINUX_EFAULT;
    return (i64)(time_mono_ns() / TICK);
}

/* 0, or -EINTR once a signal is there to deliver. */
static i64 sleep_until(u64 deadline) {
    struct waitq nobody = WAITQ_INIT(nobody);
    for (;;) {
        struct waiter w;
        wait_begin(&nobody, &w);
        bool early = wait_block(deadline);
        wait_end(&w);
        if (!early || time_mono_ns() >= deadline) return 0;
        if (signal_waiting()) return -LINUX_EINTR;
    }
}

static i64 sleep_relative(u64 ns, u64 user_left) {
    u64 deadline = deadline_after(ns);
    i64 r = sleep_until(deadline);
    u64 now = time_mono_ns();
    if (r < 0 && user_left) {
        i64 e = write_time(user_left, deadline > now ? deadline - now : 0);
        if (e < 0) return e;
    }
    return r;
}

i64 call_nanosleep(const struct call *c) {
    u64 ns;
    i64 r = timespec_read(c->a[0], &ns);
    return r < 0 ? r : sleep_relative(ns, c->a[1]);
}

i64 call_clock_nanosleep(const struct call *c) {
    enum { ABSOLUTE = 1 };
    u64 ns, now;
    i64 r = clock_ns(c->a[0], &now);
    if (r < 0 || c->a[0] == PROCESS_CPU) return -LINUX_EINVAL;
    if (c->a[0] >= THREAD_CPU && c->a[0] != BOOTTIME) return -LINUX_EOPNOTSUPP;
    if ((r = timespec_read(c->a[2], &ns)) < 0) return r;
    if (!(c->a[1] & ABSOLUTE)) return sleep_relative(ns, c->a[3]);
    return ns > now ? sleep_until(deadline_after(ns - now)) : 0;
}
