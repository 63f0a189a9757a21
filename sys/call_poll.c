/* call_poll.c: waiting for several files.
 *
 * I1 a waiter is in each file's queue before the file is asked, so a change
 *    between the question and the sleep wakes the thread. */
#include "fs/epoll.h"
#include "kern/heap.h"
#include "sys/calls.h"

struct pollfd {
    i32 fd;
    u16 events, revents;
};

struct watch {
    struct file *file; /* counted; NULL: nothing to ask */
    struct waiter waiter;
    bool in_queue;
};

static void begin(struct pollfd *p, struct watch *w) {
    p->revents = 0;
    if (p->fd < 0) return;
    w->file = fd_file((u32)p->fd);
    if (!w->file || !w->file->queue) return;
    if (file_is_epoll(w->file)) epoll_settle(w->file); /* nobody is asked yet: no wake is missed */
    wait_begin(w->file->queue, &w->waiter);
    w->in_queue = true;
}

static void end(struct watch *w) {
    if (w->in_queue) wait_end(&w->waiter);
    file_put(w->file);
    *w = (struct watch){0};
}

static bool ask(struct pollfd *p, const struct watch *w) {
    if (p->fd < 0) return false;
    u32 always = LINUX_POLLERR | LINUX_POLLHUP;
    p->revents = w->file ? (u16)(file_poll(w->file) & (p->events | always)) : LINUX_POLLNVAL;
    return p->revents;
}

/* One round: how many are ready, after at most one sleep. */
static u32 poll_round(struct pollfd *p, struct watch *w, u32 n, u64 deadline, bool *late) {
    u32 ready = 0;
    for (u32 i = 0; i < n; i++) begin(&p[i], &w[i]);
    for (u32 i = 0; i < n; i++) ready += ask(&p[i], &w[i]);
    if (!ready && !signal_waiting()) *late = !wait_block(deadline);
    for (u32 i = 0; !ready && i < n; i++) (void)ask(&p[i], &w[i]);
    if (!ready)
        for (u32 i = 0; i < n; i++) ready += p[i].revents != 0;
    for (u32 i = 0; i < n; i++) end(&w[i]);
    return ready;
}

static i64 poll_files(struct pollfd *p, u32 n, u64 deadline) {
    struct watch *w = kzalloc(MAX(n, 1) * sizeof *w);
    if (!w) return -LINUX_ENOMEM;
    i64 r = 0;
    for (bool late = false; !r && !late;) {
        r = poll_round(p, w, n, deadline, &late);
        if (!r && !late && signal_waiting()) r = -LINUX_EINTR;
    }
    kfree(w);
    return r;
}

static i64 do_poll(u64 user, u64 n, u64 deadline) {
    if (n > FD_MAX) return -LINUX_EINVAL;
    struct pollfd *p = kmalloc(MAX(n, 1) * sizeof *p);
    if (!p) return -LINUX_ENOMEM;
    i64 r = user_read(p, user, n * sizeof *p) ? 0 : -LINUX_EFAULT;
    if (r >= 0) r = poll_files(p, (u32)n, deadline);
    if (r >= 0 && !user_write(user, p, n * sizeof *p)) r = -LINUX_EFAULT;
    kfree(p);
    return r;
}

static u64 milliseconds(u64 ms) { return (i32)ms < 0 ? WAIT_FOREVER : deadline_after((u64)(u32)ms * 1000000); }

i64 call_poll(const struct call *c) { return do_poll(c->a[0], (u32)c->a[1], milliseconds(c->a[2])); }

i64 call_ppoll(const struct call *c) {
    u64 deadline;
    i64 r = deadline_read(c->a[2], &deadline);
    if (r >= 0) r = signal_mask_for_call(c->a[3], c->a[4]);
    return r < 0 ? r : do_poll(c->a[0], (u32)c->a[1], deadline);
}

/* select(2) by way of poll: three bit sets of at most FD_MAX descriptors. */
struct sets {
    u64 bits[3][FD_MAX / 64]; /* read, write, except */
};
static const u16 wanted[3] = {LINUX_POLLIN | LINUX_POLLRDHUP, LINUX_POLLOUT, LINUX_POLLPRI};
static const u16 meaning[3] = {LINUX_POLLIN | LINUX_POLLHUP | LINUX_POLLERR | LINUX_POLLRDHUP,
                               LINUX_POLLOUT | LINUX_POLLERR, LINUX_POLLPRI};

static u32 from_sets(const struct sets *s, u32 n, struct pollfd *p) {
    u32 count = 0;
    for (u32 fd = 0; fd < n; fd++) {
        u16 events = 0;
        for (u32 k = 0; k < 3; k++)
            if (s->bits[k][fd / 64] >> fd % 64 & 1) events |= wanted[k];
        if (events) p[count++] = (struct pollfd){(i32)fd, events, 0};
    }
    return count;
}

static i64 to_sets(const struct pollfd *p, u32 count, struct sets *s) {
    struct sets out = {0};
    i64 n = 0;
    for (u32 i = 0; i < count; i++) {
        if (p[i].revents & LINUX_POLLNVAL) return -LINUX_EBADF;
        for (u32 k = 0; k < 3; k++) {
            u64 bit = 1ull << p[i].fd % 64;
            if (!(p[i].revents & meaning[k]) || !(s->bits[k][p[i].fd / 64] & bit)) continue;
            out.bits[k][p[i].fd / 64] |= bit;
            n++;
        }
    }
    *s = out;
    return n;
}

static i64 select_sets(struct sets *s, u32 n, u64 deadline) {
    struct pollfd *p = kmalloc(FD_MAX * sizeof *p);
    if (!p) return -LINUX_ENOMEM;
    u32 count = from_sets(s, n, p);
    i64 r = poll_files(p, count, deadline);
    if (r >= 0) r = to_sets(p, count, s);
    kfree(p);
    return r;
}

static i64 do_select(const struct call *c, u64 deadline) {
    struct sets s = {0};
    u64 n = c->a[0];
    if (n > FD_MAX) return -LINUX_EINVAL;
    size_t bytes = (n + 63) / 64 * 8;
    for (u32 k = 0; k < 3; k++)
        if (c->a[1 + k] && !user_read(s.bits[k], c->a[1 + k], bytes)) return -LINUX_EFAULT;
    i64 r = select_sets(&s, (u32)n, deadline);
    for (u32 k = 0; r >= 0 && k < 3; k++)
        if (c->a[1 + k] && !user_write(c->a[1 + k], s.bits[k], bytes)) r = -LINUX_EFAULT;
    return r;
}

i64 call_select(const struct call *c) {
    i64 t[2];
    u64 deadline = WAIT_FOREVER;
    if (c->a[4]) {
        if (!user_read(t, c->a[4], sizeof t)) return -LINUX_EFAULT;
        if (t[0] < 0 || t[1] < 0 || t[0] > INT32_MAX) return -LINUX_EINVAL;
        deadline = deadline_after((u64)t[0] * 1000000000 + (u64)t[1] * 1000);
    }
    return do_select(c, deadline);
}

i64 call_pselect6(const struct call *c) {
    u64 deadline, sigset[2] = {0, 8}; /* pointer, size */
    i64 r = deadline_read(c->a[4], &deadline);
    if (r >= 0 && c->a[5] && !user_read(sigset, c->a[5], sizeof sigset)) r = -LINUX_EFAULT;
    if (r >= 0) r = signal_mask_for_call(sigset[0], sigset[1]);
    return r < 0 ? r : do_select(c, deadline);
}

static i64 new_epoll(bool cloexec) {
    struct file *f;
    i64 r = epoll_open(&f);
    return r < 0 ? r : fd_install(f, 0, cloexec);
}
i64 call_epoll_create(const struct call *c) { return (i32)c->a[0] > 0 ? new_epoll(false) : -LINUX_EINVAL; }
i64 call_epoll_create1(const struct call *c) {
    return c->a[0] & ~(u64)LINUX_O_CLOEXEC ? -LINUX_EINVAL : new_epoll(c->a[0]);
}

i64 call_epoll_ctl(const struct call *c) {
    struct epoll_event event = {0};
    if (c->a[1] != EPOLL_DEL && !user_read(&event, c->a[3], sizeof event)) return -LINUX_EFAULT;
    struct file *ep = fd_file(c->a[0]), *target = fd_file((u32)c->a[2]);
    i64 r = ep && target && !target->ops->poll && target->inode ? -LINUX_EPERM : ep && target ? epoll_change(ep, (enum epoll_op)c->a[1], (int)c->a[2], target, &event) : -LINUX_EBADF;
    file_put(target);
    file_put(ep);
    return r;
}

static i64 collect(struct file *ep, u64 user, u32 max, u64 deadline) {
    enum { STEP = 128 }; /* the rest stays ready for the next call */
    max = MIN(max, (u32)STEP);
    struct epoll_event *out = kmalloc(max * sizeof *out);
    if (!out) return -LINUX_ENOMEM;
    i64 r;
    do r = epoll_collect(ep, out, max, deadline);
    while (r == -LINUX_EINTR && !signal_waiting());
    if (r > 0 && !user_write(user, out, (size_t)r * sizeof *out)) r = -LINUX_EFAULT;
    kfree(out);
    return r;
}

static i64 do_epoll_wait(const struct call *c) {
    if ((i32)c->a[2] <= 0) return -LINUX_EINVAL;
    struct file *ep = fd_file(c->a[0]);
    if (!ep) return -LINUX_EBADF;
    i64 r = file_is_epoll(ep) ? collect(ep, c->a[1], (u32)c->a[2], milliseconds(c->a[3])) : -LINUX_EINVAL;
    file_put(ep);
    return r;
}
i64 call_epoll_wait(const struct call *c) { return do_epoll_wait(c); }
i64 call_epoll_pwait(const struct call *c) {
    i64 r = signal_mask_for_call(c->a[4], c->a[5]);
    return r < 0 ? r : do_epoll_wait(c);
}
