/* wait.c: queues of waiters.
 *
 * I1 a waiter that was woken is in no list; a watcher stays until wait_end.
 * I2 wake_pending is set by every wake and cleared when the thread enters its
 *    first queue or returns from a block: a wake between wait_begin and
 *    wait_block is never lost. */
#include "kern/wait.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/percpu.h"
#include "base/assert.h"
#include "kern/sched.h"
#include "kern/time.h"

void waitq_init(struct waitq *q) { *q = (struct waitq){.waiters = LIST_INIT(q->waiters)}; }

size_t wait_wake_n(struct waitq *q, size_t n) {
    size_t woken = 0;
    u64 flags = spin_lock(&q->lock);
    LIST_EACH(it, &q->waiters) {
        struct waiter *w = LIST_ENTRY(it, struct waiter, node);
        if (w->notify) {
            w->notify(w);
            continue;
        }
        if (woken == n) continue; /* watchers further on still hear of it */
        list_remove(&w->node);
        w->woken = true;
        sched_wake(w->thread);
        woken++;
    }
    spin_unlock(&q->lock, flags);
    return woken;
}

void wait_wake_all(struct waitq *q) { wait_wake_n(q, SIZE_MAX); }
void wait_wake_one(struct waitq *q) { wait_wake_n(q, 1); }

void wait_begin(struct waitq *q, struct waiter *w) {
    struct thread *t = thread_current();
    *w = (struct waiter){.thread = t, .queue = q};
    u64 flags = spin_lock(&q->lock);
    if (t->state->queues++ == 0) t->state->wake_pending = false;
    list_push_back(&q->waiters, &w->node);
    spin_unlock(&q->lock, flags);
}

void wait_watch(struct waitq *q, struct waiter *w, void (*notify)(struct waiter *w)) {
    *w = (struct waiter){.queue = q, .notify = notify};
    u64 flags = spin_lock(&q->lock);
    list_push_back(&q->waiters, &w->node);
    spin_unlock(&q->lock, flags);
}

void wait_end(struct waiter *w) {
    u64 flags = spin_lock(&w->queue->lock);
    list_remove(&w->node); /* harmless if it is in no list */
    if (!w->notify) {
        assert(w->thread == thread_current() && w->thread->state->queues);
        w->thread->state->queues--;
    }
    spin_unlock(&w->queue->lock, flags);
}

struct alarm {
    struct timer timer;
    struct thread *thread;
};
static void ring(struct timer *t) { sched_wake(CONTAINER_OF(t, struct alarm, timer)->thread); }

bool wait_block(u64 deadline) {
    struct thread *t = thread_current();
    struct alarm alarm = {.timer.fn = ring, .thread = t};
    assert(!this_cpu()->preempt_count); /* extensions and lock holders never block */
    u64 flags = irq_save();
    bool in_time = true;
    if (!t->state->wake_pending) {
        if (deadline != WAIT_FOREVER && time_mono_ns() >= deadline) in_time = false;
        else {
            if (deadline != WAIT_FOREVER) timer_arm(&alarm.timer, deadline);
            sched_block();
            timer_cancel(&alarm.timer);
            in_time = deadline == WAIT_FOREVER || time_mono_ns() < deadline;
        }
    }
    t->state->wake_pending = false;
    irq_restore(flags);
    return in_time;
}
