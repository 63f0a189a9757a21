/* epoll.c: the interest list, and the list of what may be ready.
 *
 * I1 epoll_lock guards every interest list and every file's watches; the spin
 *    lock `ready` guards the ready lists, and is all that a wake takes.
 * I2 an item on a ready list may be stale: collecting asks the file again.
 *    An item that is ready is on the list, or will be put there by a wake.
 * I3 one collection reports an item once: a wake in the middle of it leaves the
 *    item for the next. A program may free what a second event would name.
 * I4 an item does not count a reference on its file: the file's last put
 *    removes it (file_closing). */
#include "fs/epoll.h"

#include "base/assert.h"
#include "base/fault.h"
#include "kern/heap.h"
#include "kern/thread.h"

struct epoll {
    struct waitq queue;
    struct list items; /* under epoll_lock */
    u64 collection;    /* under epoll_lock: counts take_ready */
    struct spin ready_lock;
    struct list ready; /* under ready_lock */
};

struct item {
    struct waiter waiter; /* in the file's queue */
    struct epoll *epoll;
    struct file *file;
    int fd;
    struct list in_epoll, in_file; /* under epoll_lock */
    struct epoll_event event;      /* under epoll_lock */
    u64 reported;                  /* under epoll_lock: the collection that last did (I3) */
    struct list in_ready;          /* under ready_lock; points at itself when out */
};

static struct mutex epoll_lock = MUTEX_INIT(epoll_lock);
static const struct file_ops epoll_ops;

bool file_is_epoll(const struct file *f) { return f->ops == &epoll_ops; }

static void mark_ready(struct item *i) {
    struct epoll *ep = i->epoll;
    u64 flags = spin_lock(&ep->ready_lock);
    if (list_empty(&i->in_ready)) list_push_back(&ep->ready, &i->in_ready);
    spin_unlock(&ep->ready_lock, flags);
    wait_wake_all(&ep->queue);
}

/* In the waker's context, interrupts off. */
static void notified(struct waiter *w) { mark_ready(CONTAINER_OF(w, struct item, waiter)); }

static u32 ready_bits(const struct item *i) {
    u32 wanted = i->event.events & 0xffff;
    return wanted ? file_poll(i->file) & wanted : 0; /* none: disarmed by ONESHOT */
}

/* ERR and HUP are always of interest (epoll_ctl(2)), also if nothing else is. */
static void want(struct item *i, const struct epoll_event *event) {
    i->event = *event;
    i->event.events |= LINUX_POLLERR | LINUX_POLLHUP;
}

static void item_remove(struct item *i) {
    if (i->file->queue) wait_end(&i->waiter);
    u64 flags = spin_lock(&i->epoll->ready_lock);
    list_remove(&i->in_ready);
    spin_unlock(&i->epoll->ready_lock, flags);
    list_remove(&i->in_epoll);
    list_remove(&i->in_file);
    kfree(i);
}

static void forget_file(struct file *f) {
    if (list_empty(&f->watches)) return; /* nobody else can add: the last reference */
    mutex_lock(&epoll_lock);
    LIST_EACH(it, &f->watches) item_remove(LIST_ENTRY(it, struct item, in_file));
    mutex_unlock(&epoll_lock);
}

static struct item *item_find(struct epoll *ep, int fd, struct file *f) {
    LIST_EACH(it, &f->watches) {
        struct item *i = LIST_ENTRY(it, struct item, in_file);
        if (i->epoll == ep && i->fd == fd) return i;
    }
    return NULL;
}

static i64 item_add(struct epoll *ep, int fd, struct file *f, const struct epoll_event *event) {
    struct item *i = kzalloc(sizeof *i);
    if (!i) return -LINUX_ENOMEM;
    i->epoll = ep;
    i->file = f;
    i->fd = fd;
    want(i, event);
    list_init(&i->in_ready);
    list_push_back(&ep->items, &i->in_epoll);
    list_push_back(&f->watches, &i->in_file);
    if (f->queue) wait_watch(f->queue, &i->waiter, notified);
    if (ready_bits(i)) mark_ready(i);
    return 0;
}

static i64 change_locked(struct epoll *ep, enum epoll_op op, int fd, struct file *target,
                         const struct epoll_event *event) {
    struct item *i = item_find(ep, fd, target);
    if (op == EPOLL_ADD) return i && !fault(WATCH_TWICE) ? -LINUX_EEXIST : item_add(ep, fd, target, event);
    if (!i) return -LINUX_ENOENT;
    if (op == EPOLL_DEL) {
        item_remove(i);
        return 0;
    }
    want(i, event);
    if (ready_bits(i)) mark_ready(i);
    return 0;
}

/* Regular files and directories cannot be watched; an epoll inside an epoll is
 * not supported yet, and says EINVAL as a cycle would. */
static i64 change_check(enum epoll_op op, struct file *target, const struct epoll_event *event) {
    if (op != EPOLL_ADD && op != EPOLL_DEL && op != EPOLL_MOD) return -LINUX_EINVAL;
    if (file_is_epoll(target)) return -LINUX_EINVAL;
    if (!target->ops->poll) return -LINUX_EPERM;
    if (op != EPOLL_DEL && (event->events & EPOLL_EXCLUSIVE) && op == EPOLL_MOD) return -LINUX_EINVAL;
    return 0;
}

i64 epoll_change(struct file *f, enum epoll_op op, int fd, struct file *target,
                 const struct epoll_event *event) {
    if (!file_is_epoll(f)) return -LINUX_EINVAL;
    i64 r = change_check(op, target, event);
    if (r < 0) return r;
    mutex_lock(&epoll_lock);
    r = change_locked(f->object, op, fd, target, event);
    mutex_unlock(&epoll_lock);
    return r;
}

static struct item *pop_ready(struct epoll *ep) {
    u64 flags = spin_lock(&ep->ready_lock);
    struct list *node = list_pop_front(&ep->ready);
    spin_unlock(&ep->ready_lock, flags);
    return node ? LIST_ENTRY(node, struct item, in_ready) : NULL;
}

static void keep(struct epoll *ep, struct list *to, struct item *i) {
    u64 flags = spin_lock(&ep->ready_lock);
    if (list_empty(&i->in_ready)) list_push_back(to, &i->in_ready);
    spin_unlock(&ep->ready_lock, flags);
}

static void put_back(struct epoll *ep, struct list *items) {
    u64 flags = spin_lock(&ep->ready_lock);
    for (struct list *node; (node = list_pop_front(items));) list_push_back(&ep->ready, node);
    spin_unlock(&ep->ready_lock, flags);
}

/* One look at what may be ready. Level-triggered items that are ready go back
 * to the end of the list, so that everyone gets a turn. */
static u32 take_ready(struct epoll *ep, struct epoll_event *out, u32 max) {
    struct list again = LIST_INIT(again);
    u32 n = 0;
    mutex_lock(&epoll_lock);
    ep->collection++;
    for (struct item *i; n < max && (i = pop_ready(ep));) {
        if (i->reported == ep->collection) { /* woken again since */
            keep(ep, &again, i);
            continue;
        }
        u32 bits = ready_bits(i);
        if (!bits) continue;
        i->reported = ep->collection;
        out[n].events = bits;
        out[n++].data = i->event.data;
        if (i->event.events & EPOLL_ONESHOT) {
            i->event.events &= ~0xffffu;
        } else if (!(i->event.events & EPOLL_EDGE)) {
            keep(ep, &again, i);
        }
    }
    put_back(ep, &again);
    mutex_unlock(&epoll_lock);
    return n;
}

void epoll_settle(struct file *f) {
    struct epoll *ep = f->object;
    struct list again = LIST_INIT(again);
    assert(file_is_epoll(f));
    mutex_lock(&epoll_lock);
    for (struct item *i; (i = pop_ready(ep));)
        if (ready_bits(i)) keep(ep, &again, i);
    put_back(ep, &again);
    mutex_unlock(&epoll_lock);
}

static bool may_be_ready(const struct epoll *ep) { return !list_empty(&ep->ready); }

i64 epoll_collect(struct file *f, struct epoll_event *out, u32 max, u64 deadline_ns) {
    struct epoll *ep = f->object;
    assert(file_is_epoll(f));
    for (;;) {
        u32 n = take_ready(ep, out, max);
        if (n) return n;
        struct waiter w;
        wait_begin(&ep->queue, &w);
        bool in_time = may_be_ready(ep) || wait_block(deadline_ns);
        wait_end(&w);
        if (!in_time) return 0;
        if (!may_be_ready(ep) && thread_interrupted(thread_current())) return -LINUX_EINTR;
    }
}

static u32 epoll_poll(struct file *f) {
    return may_be_ready(f->object) ? LINUX_POLLIN | LINUX_POLLRDNORM : 0;
}

static void epoll_close(struct file *f) {
    struct epoll *ep = f->object;
    mutex_lock(&epoll_lock);
    LIST_EACH(it, &ep->items) item_remove(LIST_ENTRY(it, struct item, in_epoll));
    mutex_unlock(&epoll_lock);
    kfree(ep);
}

static const struct file_ops epoll_ops = {.kind = "epoll", .anonymous = true, .poll = epoll_poll, .close = epoll_close};

i64 epoll_open(struct file **out) {
    struct epoll *ep = kzalloc(sizeof *ep);
    struct file *f = ep ? file_new(&epoll_ops, ep, LINUX_O_RDWR) : NULL;
    if (!f) {
        kfree(ep);
        return -LINUX_ENOMEM;
    }
    waitq_init(&ep->queue);
    list_init(&ep->items);
    list_init(&ep->ready);
    f->queue = &ep->queue;
    file_closing = forget_file;
    *out = f;
    return 0;
}
