/* lock.c: spin locks and mutexes. With one CPU a spin lock is interrupts off;
 * the word stays, so that taking one twice is found. */
#include "kern/lock.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/percpu.h"
#include "base/assert.h"
#include "kern/sched.h"
#include "kern/thread.h"
#include "kern/wait.h"

u64 spin_lock(struct spin *s) {
    u64 flags = irq_save();
    assert(!s->taken);
    s->taken = 1;
    return flags;
}

void spin_unlock(struct spin *s, u64 flags) {
    assert(s->taken);
    s->taken = 0;
    irq_restore(flags);
}

void mutex_init(struct mutex *m) { *m = (struct mutex){.waiters = LIST_INIT(m->waiters)}; }

void mutex_lock(struct mutex *m) {
    struct thread *self = thread_current();
    assert(m->owner != self);
    assert(!this_cpu()->preempt_count);
    u64 flags = spin_lock(&m->guard);
    if (!m->owner) {
        m->owner = self;
        spin_unlock(&m->guard, flags);
        return;
    }
    struct waiter w = {.thread = self};
    list_push_back(&m->waiters, &w.node);
    while (m->owner != self) { /* unlock hands over */
        spin_unlock(&m->guard, flags);
        wait_block(WAIT_FOREVER);
        flags = spin_lock(&m->guard);
    }
    spin_unlock(&m->guard, flags);
}

void mutex_unlock(struct mutex *m) {
    u64 flags = spin_lock(&m->guard);
    assert(m->owner == thread_current());
    struct list *node = list_pop_front(&m->waiters);
    m->owner = node ? LIST_ENTRY(node, struct waiter, node)->thread : NULL;
    if (m->owner) sched_wake(m->owner);
    spin_unlock(&m->guard, flags);
}

void preempt_disable(void) {
    __asm__ volatile("incl %%gs:%c0" : : "i"(offsetof(struct percpu, preempt_count)) : "memory");
}

void preempt_enable(void) {
    struct percpu *c = this_cpu();
    assert(c->preempt_count);
    __asm__ volatile("decl %%gs:%c0" : : "i"(offsetof(struct percpu, preempt_count)) : "memory");
    if (c->need_resched && !c->preempt_count && irq_enabled()) thread_yield();
}
