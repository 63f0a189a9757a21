/* wait.h: wait queues. The one way to block.
 *
 *   wait_event(&q, cond, deadline)   re-checks cond after every wake
 * Wakers change the state first, then wake. wait_wake may be called from
 * interrupts. Deadlines are absolute, in time_mono_ns; WAIT_FOREVER for none. */
#ifndef WHELK_KERN_WAIT_H
#define WHELK_KERN_WAIT_H

#include "base/list.h"
#include "base/types.h"
#include "kern/lock.h"

#define WAIT_FOREVER UINT64_MAX

struct waitq {
    struct spin lock;
    struct list waiters;
};
#define WAITQ_INIT(name) {.waiters = LIST_INIT((name).waiters)}

/* One thread's place in a queue; on its stack. A thread may be in several
 * queues at once (poll): wake makes it ready whichever fires. */
struct waiter {
    struct list node;
    struct thread *thread;
    struct waitq *queue;
    bool woken;
    void (*notify)(struct waiter *w); /* NULL: wake thread */
};

void waitq_init(struct waitq *q);
void wait_wake_all(struct waitq *q);
void wait_wake_one(struct waitq *q);
size_t wait_wake_n(struct waitq *q, size_t n); /* how many were woken */

void wait_begin(struct waitq *q, struct waiter *w); /* enqueue */
void wait_end(struct waiter *w);                    /* dequeue, if still in */
/* Enqueue a watcher instead of a thread (epoll): every wake of q calls notify,
 * with q->lock held and interrupts off, and leaves w in the queue; it is not
 * counted as woken by wait_wake_one and _n. Ends with wait_end, after which
 * notify is not running and will not be called. */
void wait_watch(struct waitq *q, struct waiter *w, void (*notify)(struct waiter *w));
/* Blocks until some queue that this thread is in wakes it, it is interrupted,
 * or the deadline passes. Returns at once if a wake came since wait_begin.
 * false: the deadline passed. */
bool wait_block(u64 deadline);

#define wait_event(q, cond, deadline)                         \
    ({                                                        \
        bool ok_ = true;                                      \
        while (!(cond)) {                                     \
            struct waiter w_;                                 \
            wait_begin((q), &w_);                             \
            bool in_time_ = (cond) || wait_block(deadline);   \
            wait_end(&w_);                                    \
            if (!in_time_ && !(cond)) {                       \
                ok_ = false;                                  \
                break;                                        \
            }                                                 \
        }                                                     \
        ok_;                                                  \
    })

#endif
