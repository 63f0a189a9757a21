/* call_timer.c: timers of the program: the interval timer behind SIGALRM, and
 * timerfd. POSIX timers (timer_create) are not there.
 *
 * I1 the interval timer has one thread, made when it is first armed: a signal
 *    takes a mutex, which the timer interrupt may not. */
#include "fs/timerfd.h"
#include "kern/time.h"
#include "sys/calls.h"

enum { SECOND = 1000000000, MICRO = 1000, SIGNAL_ALRM = 14 };
enum { REALTIME = 0, MONOTONIC = 1, BOOTTIME = 7 };

static struct {
    struct mutex lock;
    struct waitq changed;
    /* under lock */
    u64 deadline, interval; /* deadline 0: off */
    u32 changes;
    bool has_thread;
} alarm = {.lock = MUTEX_INIT(alarm.lock), .changed = WAITQ_INIT(alarm.changed)};

/* What is due now; when to look again. */
static u64 alarm_step(bool *due, u32 *seen) {
    mutex_lock(&alarm.lock);
    u64 now = time_mono_ns();
    *seen = alarm.changes;
    *due = alarm.deadline && now >= alarm.deadline;
    if (*due && alarm.interval) alarm.deadline += (1 + (now - alarm.deadline) / alarm.interval) * alarm.interval;
    else if (*due) alarm.deadline = 0;
    u64 next = alarm.deadline ? alarm.deadline : WAIT_FOREVER;
    mutex_unlock(&alarm.lock);
    return next;
}

static void alarm_thread(void *arg) {
    for (;;) {
        bool due;
        u32 seen;
        u64 next = alarm_step(&due, &seen);
        if (due) signal_process(SIGNAL_ALRM);
        wait_event(&alarm.changed, __atomic_load_n(&alarm.changes, __ATOMIC_ACQUIRE) != seen, next);
    }
}

/* Arms (deadline 0: disarms); what was left, and the old interval. */
static i64 alarm_set(u64 after, u64 interval, u64 *left, u64 *old_interval) {
    mutex_lock(&alarm.lock);
    u64 now = time_mono_ns();
    if (after && !alarm.has_thread) alarm.has_thread = !thread_create("alarm", alarm_thread, NULL, NULL);
    bool ok = !after || alarm.has_thread;
    *left = alarm.deadline > now ? alarm.deadline - now : alarm.deadline ? 1 : 0;
    *old_interval = alarm.interval;
    if (ok) {
        alarm.deadline = after ? deadline_after(after) : 0;
        alarm.interval = interval;
        __atomic_add_fetch(&alarm.changes, 1, __ATOMIC_RELEASE);
    }
    mutex_unlock(&alarm.lock);
    wait_wake_all(&alarm.changed);
    return ok ? 0 : -LINUX_ENOMEM;
}

i64 call_alarm(const struct call *c) {
    u64 left, interval;
    i64 r = alarm_set((c->a[0] & UINT32_MAX) * SECOND, 0, &left, &interval);
    return r < 0 ? r : (i64)((left + SECOND / 2) / SECOND + (left && left < SECOND / 2)); /* never 0 when armed */
}

struct timeval {
    i64 sec, usec;
};
static bool timeval_ok(const struct timeval *t) { return t->sec >= 0 && t->usec >= 0 && t->usec < SECOND / MICRO; }
static u64 timeval_ns(const struct timeval *t) {
    return t->sec > INT64_MAX / SECOND - 1 ? INT64_MAX : (u64)t->sec * SECOND + (u64)t->usec * MICRO;
}
static struct timeval timeval_of(u64 ns) { return (struct timeval){(i64)(ns / SECOND), (i64)(ns % SECOND / MICRO)}; }

/* Only ITIMER_REAL can be armed: the two others count the CPU's time. */
static i64 set_other(u64 which, const struct timeval t[2], u64 user) {
    struct timeval old[2] = {{0, 0}, {0, 0}};
    if (which > 2) return -LINUX_EINVAL;
    if (t[1].sec || t[1].usec) return refuse_once("interval timer", which), -LINUX_EINVAL;
    return !user || user_write(user, old, sizeof old) ? 0 : -LINUX_EFAULT;
}

i64 call_setitimer(const struct call *c) {
    struct timeval t[2] = {{0, 0}, {0, 0}}; /* interval, value */
    u64 left, interval;
    i64 r;
    if (c->a[1] && !user_read(t, c->a[1], sizeof t)) return -LINUX_EFAULT;
    if (!timeval_ok(&t[0]) || !timeval_ok(&t[1])) return -LINUX_EINVAL;
    if (c->a[0]) return set_other(c->a[0], t, c->a[2]);
    if ((r = alarm_set(timeval_ns(&t[1]), timeval_ns(&t[0]), &left, &interval)) < 0) return r;
    struct timeval old[2] = {timeval_of(interval), timeval_of(left)};
    return !c->a[2] || user_write(c->a[2], old, sizeof old) ? 0 : -LINUX_EFAULT;
}

i64 call_getitimer(const struct call *c) {
    if (c->a[0] > 2) return -LINUX_EINVAL;
    mutex_lock(&alarm.lock);
    u64 now = time_mono_ns();
    struct timeval t[2] = {timeval_of(alarm.interval), timeval_of(alarm.deadline > now ? alarm.deadline - now : 0)};
    if (c->a[0]) t[0] = t[1] = (struct timeval){0, 0}; /* never armed */
    mutex_unlock(&alarm.lock);
    return user_write(c->a[1], t, sizeof t) ? 0 : -LINUX_EFAULT;
}

/* --- timerfd --- */

i64 call_timerfd_create(const struct call *c) {
    struct file *f;
    if (c->a[1] & ~(u64)(LINUX_O_CLOEXEC | LINUX_O_NONBLOCK)) return -LINUX_EINVAL;
    if (c->a[0] != REALTIME && c->a[0] != MONOTONIC && c->a[0] != BOOTTIME) return -LINUX_EINVAL;
    i64 r = timerfd_open((u32)c->a[1] & LINUX_O_NONBLOCK, &f);
    if (r < 0) return r;
    f->pos = c->a[0]; /* its clock: such a file has no position */
    return fd_install(f, 0, c->a[1] & LINUX_O_CLOEXEC);
}

static struct file *timerfd_file(u64 fd, i64 *r) {
    struct file *f = fd_file(fd);
    *r = f ? -LINUX_EINVAL : -LINUX_EBADF;
    if (!f || timerfd_is(f)) return f;
    file_put(f);
    return NULL;
}

struct itimerspec {
    struct timespec interval, value;
};

static i64 write_setting(u64 user, struct timerfd_setting s) {
    u64 now = time_mono_ns();
    u64 left = !s.deadline ? 0 : s.deadline > now ? s.deadline - now : 1;
    struct itimerspec out = {timespec_of(s.interval), timespec_of(left)};
    return user_write(user, &out, sizeof out) ? 0 : -LINUX_EFAULT;
}

/* A time of the file's clock, or from now on: as time_mono_ns has it, never 0. */
static u64 deadline_of(const struct file *f, u64 value, bool absolute) {
    u64 now = time_mono_ns();
    if (!absolute) return deadline_after(value);
    if (f->pos == REALTIME) {
        u64 wall = time_wall_ns();
        value = value > wall ? now + (value - wall) : 1;
    }
    return MAX(value, 1ull);
}

i64 call_timerfd_settime(const struct call *c) {
    enum { ABSOLUTE = 1, CANCEL_ON_SET = 2 /* the clock is never set */ };
    u64 interval, value;
    i64 r;
    struct itimerspec both;
    if (!user_read(&both, c->a[2], sizeof both)) return -LINUX_EFAULT;
    if (c->a[1] & ~(u64)(ABSOLUTE | CANCEL_ON_SET)) return -LINUX_EINVAL;
    if ((r = timespec_read(c->a[2], &interval)) < 0) return r;
    if ((r = timespec_read(c->a[2] + sizeof(struct timespec), &value)) < 0) return r;
    struct file *f = timerfd_file(c->a[0], &r);
    if (!f) return r;
    struct timerfd_setting now = {value ? deadline_of(f, value, c->a[1] & ABSOLUTE) : 0, interval};
    struct timerfd_setting old = timerfd_set(f, now);
    file_put(f);
    return c->a[3] ? write_setting(c->a[3], old) : 0;
}

i64 call_timerfd_gettime(const struct call *c) {
    i64 r;
    struct file *f = timerfd_file(c->a[0], &r);
    if (!f) return r;
    struct timerfd_setting s = timerfd_get(f);
    file_put(f);
    return write_setting(c->a[1], s);
}
