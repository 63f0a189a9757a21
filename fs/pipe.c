/* pipe.c: a ring of bytes between two files.
 *
 * I1 head - tail <= PIPE_CAPACITY; both only grow.
 * I2 a write of at most PIPE_ATOMIC bytes goes in as a whole (pipe(7)).
 * I3 the pipe lives while one of its ends does. */
#include "fs/pipe.h"

#include "base/assert.h"
#include "base/mem.h"
#include "kern/heap.h"
#include "kern/program.h"
#include "kern/thread.h"

struct pipe {
    struct waitq queue;
    struct mutex lock;
    /* under lock */
    u64 head, tail;
    u32 readers, writers;
    bool refuses; /* as without readers for who writes, and without writers for who has read all */
    u8 ring[PIPE_CAPACITY];
};

i64 file_wait(struct file *f, bool (*ready)(void *), void *object) {
    if (f->flags & LINUX_O_NONBLOCK) return -LINUX_EAGAIN;
    struct waiter w;
    wait_begin(f->queue, &w);
    if (!ready(object)) wait_block(WAIT_FOREVER);
    wait_end(&w);
    return !ready(object) && thread_interrupted(thread_current()) ? -LINUX_EINTR : 0;
}

static size_t used(const struct pipe *p) {
    assert(p->head - p->tail <= PIPE_CAPACITY);
    return (size_t)(p->head - p->tail);
}
static size_t room(const struct pipe *p) { return PIPE_CAPACITY - used(p); }

static void take(struct pipe *p, u8 *out, size_t n) {
    size_t at = p->tail % PIPE_CAPACITY, first = MIN(n, PIPE_CAPACITY - at);
    memcpy(out, p->ring + at, first);
    memcpy(out + first, p->ring, n - first);
    p->tail += n;
}

static void put(struct pipe *p, const u8 *in, size_t n) {
    size_t at = p->head % PIPE_CAPACITY, first = MIN(n, PIPE_CAPACITY - at);
    memcpy(p->ring + at, in, first);
    memcpy(p->ring, in + first, n - first);
    p->head += n;
}

/* Racy answers: only for deciding whether to sleep. */
static bool readable(void *object) {
    struct pipe *p = object;
    return p->head != p->tail || !p->writers || p->refuses;
}
static bool has_room(void *object) {
    struct pipe *p = object;
    return room(p) >= PIPE_ATOMIC || !p->readers || p->refuses;
}

static i64 pipe_read(struct file *f, void *buf, size_t n, u64 *pos) {
    struct pipe *p = f->object;
    for (;;) {
        mutex_lock(&p->lock);
        size_t part = MIN(n, used(p));
        bool closed = !p->writers || p->refuses;
        take(p, buf, part);
        mutex_unlock(&p->lock);
        if (part) wait_wake_all(&p->queue);
        if (part || closed || !n) return (i64)part;
        i64 r = file_wait(f, readable, p);
        if (r < 0) return r;
    }
}

/* Before what came in since; should there be no room for it any more, it is lost. */
static void pipe_unread(struct file *f, const void *buf, size_t n) {
    struct pipe *p = f->object;
    mutex_lock(&p->lock);
    bool fits = n <= room(p) && n <= p->tail;
    for (size_t i = n; fits && i > 0; i--) p->ring[--p->tail % PIPE_CAPACITY] = ((const u8 *)buf)[i - 1];
    mutex_unlock(&p->lock);
    wait_wake_all(&p->queue);
}

void pipe_refuse(struct file *f) {
    struct pipe *p = f->object;
    mutex_lock(&p->lock);
    p->refuses = true;
    mutex_unlock(&p->lock);
    wait_wake_all(&p->queue);
}

/* One step: bytes taken, -EPIPE, or -EAGAIN when there is no room. */
static i64 write_step(struct pipe *p, const u8 *buf, size_t n) {
    mutex_lock(&p->lock);
    size_t part = MIN(n, room(p));
    i64 r = (i64)part;
    if (!p->readers || p->refuses) r = -LINUX_EPIPE;
    else if (!part || (part < n && n <= PIPE_ATOMIC)) r = -LINUX_EAGAIN;
    else put(p, buf, part);
    mutex_unlock(&p->lock);
    if (r > 0) wait_wake_all(&p->queue);
    return r;
}

static i64 pipe_write(struct file *f, const void *buf, size_t n, u64 *pos) {
    struct pipe *p = f->object;
    size_t done = 0;
    while (done < n) {
        i64 r = write_step(p, (const u8 *)buf + done, n - done);
        if (r == -LINUX_EAGAIN) r = file_wait(f, has_room, p);
        if (r < 0) return done ? (i64)done : r;
        done += (size_t)r;
    }
    return (i64)done;
}

static u32 pipe_poll(struct file *f) {
    struct pipe *p = f->object;
    u32 r = 0;
    if (file_readable(f)) {
        if (p->head != p->tail) r |= LINUX_POLLIN | LINUX_POLLRDNORM;
        if (!p->writers || p->refuses) r |= LINUX_POLLHUP;
    } else {
        if (room(p) >= PIPE_ATOMIC) r |= LINUX_POLLOUT | LINUX_POLLWRNORM;
        if (!p->readers || p->refuses) r |= LINUX_POLLERR;
    }
    return r;
}

static i64 pipe_stat(struct file *f, struct file_stat *out) {
    *out = (struct file_stat){.mode = LINUX_S_IFIFO | 0600, .nlink = 1};
    return 0;
}

static i64 pipe_ioctl(struct file *f, u32 request, u64 arg) {
    struct pipe *p = f->object;
    enum { FIONREAD = 0x541b };
    if (request != FIONREAD) return -LINUX_ENOTTY;
    mutex_lock(&p->lock);
    i32 n = (i32)used(p);
    mutex_unlock(&p->lock);
    return user_write(arg, &n, sizeof n) ? 0 : -LINUX_EFAULT;
}

static void pipe_close(struct file *f) {
    struct pipe *p = f->object;
    mutex_lock(&p->lock);
    if (file_readable(f)) p->readers--;
    else p->writers--;
    bool last = !p->readers && !p->writers;
    mutex_unlock(&p->lock);
    if (last) kfree(p);
    else wait_wake_all(&p->queue);
}

static const struct file_ops pipe_ops = {.kind = "pipe", .read = pipe_read, .write = pipe_write, .unread = pipe_unread,
                                         .poll = pipe_poll, .ioctl = pipe_ioctl, .stat = pipe_stat, .close = pipe_close};

i64 pipe_open(u32 flags, struct file *out[2]) {
    struct pipe *p = kzalloc(sizeof *p);
    struct file *r = file_new(&pipe_ops, p, flags | LINUX_O_RDONLY);
    struct file *w = file_new(&pipe_ops, p, flags | LINUX_O_WRONLY);
    if (!p || !r || !w) {
        kfree(p), kfree(r), kfree(w); /* nothing was opened: nothing to close */
        return -LINUX_ENOMEM;
    }
    waitq_init(&p->queue);
    mutex_init(&p->lock);
    p->readers = p->writers = 1;
    r->queue = w->queue = &p->queue;
    out[0] = r;
    out[1] = w;
    return 0;
}
