/* timerfd.c: see timerfd.h.
 *
 * I1 set.deadline is the first expiration that was not read yet; 0: disarmed.
 * I2 the kernel's timer is armed for the next expiration to come, if there is one:
 *    each makes a wake, so that edge-triggered watchers see each. */
#include "fs/timerfd.h"

#include "base/assert.h"
#include "base/mem.h"
#include "fs/pipe.h"
#include "kern/heap.h"
#include "kern/time.h"

struct timerfd {
    struct timer timer;
    struct waitq queue;
    struct spin lock;
    struct timerfd_setting set; /* under lock */
};

static u64 expirations(const struct timerfd *t, u64 now) {
    if (!t->set.deadline || now < t->set.deadline) return 0;
    return t->set.interval ? 1 + (now - t->set.deadline) / t->set.interval : 1;
}

/* The next expiration after now; 0: none. */
static u64 coming(const struct timerfd *t, u64 now) {
    u64 past = expirations(t, now);
    if (!past) return t->set.deadline;
    return t->set.interval ? t->set.deadline + past * t->set.interval : 0;
}

static void arm(struct timerfd *t) {
    u64 next = coming(t, time_mono_ns());
    if (next) timer_arm(&t->timer, next);
    else timer_cancel(&t->timer);
}

/* In the timer interrupt. */
static void on_timer(struct timer *timer) {
    struct timerfd *t = CONTAINER_OF(timer, struct timerfd, timer);
    arm(t);
    wait_wake_all(&t->queue);
}

static bool expired(void *object) { return expirations(object, time_mono_ns()) != 0; }

static i64 timerfd_read(struct file *f, void *buf, size_t n, u64 *pos) {
    struct timerfd *t = f->object;
    if (n < 8) return -LINUX_EINVAL;
    for (;;) {
        u64 flags = spin_lock(&t->lock), past = expirations(t, time_mono_ns());
        if (past) t->set.deadline = t->set.interval ? t->set.deadline + past * t->set.interval : 0;
        spin_unlock(&t->lock, flags);
        if (past) return memcpy(buf, &past, 8), 8;
        i64 r = file_wait(f, expired, t);
        if (r < 0) return r;
    }
}

static u32 timerfd_poll(struct file *f) { return expired(f->object) ? LINUX_POLLIN | LINUX_POLLRDNORM : 0; }

static void timerfd_close(struct file *f) {
    struct timerfd *t = f->object;
    timer_cancel(&t->timer);
    kfree(t);
}

static const struct file_ops ops = {.kind = "timerfd", .anonymous = true, .read = timerfd_read, .poll = timerfd_poll, .close = timerfd_close};

bool timerfd_is(const struct file *f) { return f->ops == &ops; }

struct timerfd_setting timerfd_get(struct file *f) {
    struct timerfd *t = f->object;
    assert(timerfd_is(f));
    u64 flags = spin_lock(&t->lock);
    struct timerfd_setting s = {coming(t, time_mono_ns()), t->set.interval};
    spin_unlock(&t->lock, flags);
    return s;
}

struct timerfd_setting timerfd_set(struct file *f, struct timerfd_setting now) {
    struct timerfd *t = f->object;
    struct timerfd_setting old = timerfd_get(f);
    u64 flags = spin_lock(&t->lock);
    t->set = now;
    arm(t);
    spin_unlock(&t->lock, flags);
    wait_wake_all(&t->queue); /* it may have expired already */
    return old;
}

i64 timerfd_open(u32 flags, struct file **out) {
    struct timerfd *t = kzalloc(sizeof *t);
    struct file *f = t ? file_new(&ops, t, flags | LINUX_O_RDWR) : NULL;
    if (!f) return kfree(t), -LINUX_ENOMEM;
    t->timer.fn = on_timer;
    waitq_init(&t->queue);
    f->queue = &t->queue;
    *out = f;
    return 0;
}
