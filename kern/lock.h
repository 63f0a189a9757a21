/* lock.h: spin locks and mutexes.
 * A spin lock is held with interrupts off (irqsave form) for short sections
 * that interrupt handlers share. A mutex may be held across blocking. */
#ifndef WHELK_KERN_LOCK_H
#define WHELK_KERN_LOCK_H

#include "base/list.h"
#include "base/types.h"

struct spin {
    u32 taken;
};
u64 spin_lock(struct spin *s);             /* returns the flags to give back */
void spin_unlock(struct spin *s, u64 flags);

struct thread;
struct mutex {
    struct spin guard;
    struct thread *owner;
    struct list waiters;
};
#define MUTEX_INIT(name) {.waiters = LIST_INIT((name).waiters)}
void mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m);   /* thread context, preemption on */
void mutex_unlock(struct mutex *m);

/* Preemption off: extensions and per-CPU data. Nests. Interrupts stay as they are. */
void preempt_disable(void);
void preempt_enable(void);

#endif
