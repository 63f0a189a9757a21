/* sched.h: the scheduler's inside: thread.c, sched.c, lock.c, trap.c, time.c. */
#ifndef WHELK_KERN_SCHED_H
#define WHELK_KERN_SCHED_H

#include "base/list.h"
#include "kern/lock.h"
#include "kern/thread.h"

enum run_state { RUN_NEW, RUN_READY, RUN_RUNNING, RUN_BLOCKED, RUN_DEAD };

struct thread_state {
    struct thread *thread; /* fixed */
    struct list node; /* in the run queue, or among the dead */
    struct list all;  /* of every thread */
    enum run_state run;
    bool wake_pending; /* a wake came while it ran: the next block returns at once */
    bool interrupted;
    u32 queues; /* wait queues that it is in */
    u64 rsp;    /* while it does not run */
    u64 fs_base;
    u64 slice_ns;   /* left of its turn */
    u64 started_ns; /* of this run */
    u64 cpu_ns;
    void *fpu; /* 64-aligned inside fpu_block */
    void *fpu_block;
    u8 *window; /* guard, kernel stack, guard, trap stack */
    void (*fn)(void *);
    void *arg;
};

enum { KERNEL_STACK = 64 * 1024, TRAP_STACK = 16 * 1024 };

void sched_init(void);      /* makes the running code the idle thread */
void sched_start(struct thread *t);
void sched_wake(struct thread *t);
void sched_block(void);     /* interrupts off; returns when woken */
void sched_yield(void);     /* interrupts off: lets another ready thread run */
_Noreturn void sched_exit(void);
void sched_tick(void);      /* from the timer interrupt: is the turn over? */
_Noreturn void sched_idle(void);

void thread_reap(struct thread *t); /* frees what a dead thread had */
extern struct list all_threads;

#endif
