/* eventfd.c: a counter to wait on (eventfd(2)).
 *
 * I1 count <= UINT64_MAX - 1. */
#include "base/mem.h"
#include "fs/pipe.h"
#include "kern/heap.h"

struct counter {
    struct waitq queue;
    struct mutex lock;
    u64 count; /* under lock */
    bool semaphore;
};

static bool positive(void *object) { return ((struct counter *)object)->count > 0; }
/* What a blocked writer waits for; it then tries its own addend again. */
static bool not_full(void *object) { return ((struct counter *)object)->count < UINT64_MAX - 1; }

static i64 counter_read(struct file *f, void *buf, size_t n, u64 *pos) {
    struct counter *c = f->object;
    if (n < 8) return -LINUX_EINVAL;
    for (;;) {
        mutex_lock(&c->lock);
        u64 got = c->semaphore ? c->count > 0 : c->count;
        c->count -= got;
        mutex_unlock(&c->lock);
        if (got) {
            memcpy(buf, &got, 8);
            wait_wake_all(&c->queue);
            return 8;
        }
        i64 r = file_wait(f, positive, c);
        if (r < 0) return r;
    }
}

static i64 counter_write(struct file *f, const void *buf, size_t n, u64 *pos) {
    struct counter *c = f->object;
    u64 add;
    if (n < 8) return -LINUX_EINVAL;
    memcpy(&add, buf, 8);
    if (add == UINT64_MAX) return -LINUX_EINVAL;
    for (;;) {
        mutex_lock(&c->lock);
        bool fits = add <= UINT64_MAX - 1 - c->count;
        if (fits) c->count += add;
        mutex_unlock(&c->lock);
        if (fits) {
            wait_wake_all(&c->queue);
            return 8;
        }
        i64 r = file_wait(f, not_full, c);
        if (r < 0) return r;
    }
}

static u32 counter_poll(struct file *f) {
    struct counter *c = f->object;
    return (positive(c) ? LINUX_POLLIN | LINUX_POLLRDNORM : 0) |
           (not_full(c) ? LINUX_POLLOUT | LINUX_POLLWRNORM : 0);
}

static void counter_close(struct file *f) { kfree(f->object); }

static const struct file_ops counter_ops = {.kind = "eventfd", .anonymous = true, .read = counter_read,
                                            .write = counter_write, .poll = counter_poll,
                                            .close = counter_close};

i64 eventfd_open(u64 initial, bool semaphore, u32 flags, struct file **out) {
    struct counter *c = kzalloc(sizeof *c);
    struct file *f = c ? file_new(&counter_ops, c, flags | LINUX_O_RDWR) : NULL;
    if (!f) {
        kfree(c);
        return -LINUX_ENOMEM;
    }
    waitq_init(&c->queue);
    mutex_init(&c->lock);
    c->count = initial;
    c->semaphore = semaphore;
    f->queue = &c->queue;
    *out = f;
    return 0;
}
