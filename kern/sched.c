/* sched.c: round robin with turns of SLICE_NS. A woken thread goes to the front
 * with what is left of its turn, so that waiting for a device or a lock costs
 * it nothing, and two threads that wake each other cannot starve a third.
 *
 * I1 a thread is in the run queue iff it is RUN_READY; idle never is.
 * I2 everything here runs with interrupts off.
 * I3 only dead threads other than the running one are freed (reaper). */
#include "kern/sched.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/percpu.h"
#include "arch/x86_64/switch.h"
#include "base/assert.h"
#include "kern/clock.h"
#include "kern/panic.h"
#include "kern/time.h"
#include "kern/wait.h"

#define SLICE_NS 4000000ull
enum { BOOT_STACK = 16384 /* boot.S */ };

static struct list ready = LIST_INIT(ready), dead = LIST_INIT(dead);
static struct waitq dead_queue = WAITQ_INIT(dead_queue);
static struct thread_state idle_state;
static struct thread idle = {.name = "idle", .state = &idle_state};
static u8 idle_fpu[4096] __attribute__((aligned(64)));

static struct thread *thread_of(struct list *node) {
    return LIST_ENTRY(node, struct thread_state, node)->thread;
}

static void account(struct thread_state *s, u64 now) {
    u64 used = now - s->started_ns;
    s->cpu_ns += used;
    s->slice_ns -= MIN(used, s->slice_ns);
    s->started_ns = now;
}

/* The timer must end the turn only if somebody waits for it. */
static void set_turn(struct thread *t, u64 now) {
    bool contended = t != &idle && !list_empty(&ready);
    clock_set_turn(contended ? now + t->state->slice_ns : WAIT_FOREVER);
}

static void become(struct thread *t) {
    struct percpu *c = this_cpu();
    struct thread_state *s = t->state;
    c->current = t;
    c->kernel_stack_top = (u64)t->stack;
    c->kernel_stack_base = (u64)t->stack - (t == &idle ? BOOT_STACK : KERNEL_STACK);
    c->trap_stack_top = s->window ? (u64)t->stack + 4096 + TRAP_STACK : 0;
    c->trap_stack_base = c->trap_stack_top - (s->window ? TRAP_STACK : 0);
    cpu_set_fs(s->fs_base);
}

/* Gives the CPU to the first ready thread, or to idle. */
static void switch_away(void) {
    assert(!irq_enabled());
    struct percpu *c = this_cpu();
    assert(!c->preempt_count);
    struct thread *prev = c->current;
    u64 now = time_mono_ns();
    account(prev->state, now);
    c->need_resched = false;
    struct list *node = list_pop_front(&ready);
    struct thread *next = node ? thread_of(node) : &idle;
    struct thread_state *s = next->state;
    assert(s->run == RUN_READY);
    s->run = RUN_RUNNING;
    if (!s->slice_ns) s->slice_ns = SLICE_NS;
    s->started_ns = now;
    set_turn(next, now);
    if (next == prev) return;
    fpu_save(prev->state->fpu);
    fpu_restore(s->fpu);
    become(next);
    arch_switch(&prev->state->rsp, s->rsp);
}

void sched_yield(void) {
    struct thread *t = current_thread();
    t->state->run = RUN_READY;
    account(t->state, time_mono_ns());
    if (t != &idle) {
        /* A turn that was cut short by a waking thread goes on soon. */
        if (t->state->slice_ns > SLICE_NS / 8) list_insert(list_empty(&ready) ? &ready : ready.next->next, &t->state->node);
        else {
            t->state->slice_ns = SLICE_NS;
            list_push_back(&ready, &t->state->node);
        }
    }
    switch_away();
}

void thread_yield(void) {
    u64 flags = irq_save();
    struct thread *t = current_thread();
    if (!this_cpu()->need_resched) t->state->slice_ns = 0; /* asked for: to the back */
    sched_yield();
    irq_restore(flags);
}

void sched_block(void) {
    struct thread_state *s = current_thread()->state;
    assert(s != &idle_state);
    s->run = RUN_BLOCKED;
    switch_away();
}

static void make_ready(struct thread *t) {
    struct percpu *c = this_cpu();
    t->state->run = RUN_READY;
    if (t->state->slice_ns) list_push_front(&ready, &t->state->node);
    else list_push_back(&ready, &t->state->node);
    if (t->state->slice_ns || c->current == &idle) c->need_resched = true;
    else set_turn(c->current, time_mono_ns());
}

void sched_start(struct thread *t) {
    u64 flags = irq_save();
    assert(t->state->run == RUN_NEW);
    t->state->slice_ns = SLICE_NS;
    t->state->run = RUN_READY;
    list_push_back(&ready, &t->state->node);
    struct percpu *c = this_cpu();
    if (c->current == &idle) c->need_resched = true;
    else set_turn(c->current, time_mono_ns());
    irq_restore(flags);
}

void sched_wake(struct thread *t) {
    u64 flags = irq_save();
    t->state->wake_pending = true;
    if (t->state->run == RUN_BLOCKED) make_ready(t);
    irq_restore(flags);
}

void sched_tick(void) {
    struct percpu *c = this_cpu();
    u64 now = time_mono_ns();
    account(c->current->state, now);
    if (c->current->state->slice_ns) set_turn(c->current, now);
    else c->need_resched = true;
}

/* --- ends --- */

_Noreturn void sched_exit(void) {
    irq_off();
    struct thread *t = current_thread();
    t->state->run = RUN_DEAD;
    list_push_back(&dead, &t->state->node);
    wait_wake_all(&dead_queue);
    switch_away();
    unreachable();
}

static struct list *next_dead(void) {
    u64 flags = irq_save();
    struct list *node = list_pop_front(&dead);
    irq_restore(flags);
    return node;
}

static void reaper(void *arg) {
    for (;;) {
        wait_event(&dead_queue, !list_empty(&dead), WAIT_FOREVER);
        for (struct list *node; (node = next_dead());) thread_reap(thread_of(node));
    }
}

void sched_init(void) {
    extern char boot_stack_top[];
    idle.stack = boot_stack_top;
    idle_state = (struct thread_state){.thread = &idle, .run = RUN_RUNNING, .fpu = idle_fpu};
    list_init(&idle_state.node);
    assert(fpu_bytes() <= sizeof idle_fpu);
    fpu_reset(idle_fpu);
    become(&idle);
    struct thread *t;
    if (thread_create("reaper", reaper, NULL, &t)) panic("no memory for threads");
}

/* The boot's own thread of control ends here. */
_Noreturn void sched_idle(void) {
    for (;;) {
        irq_off();
        if (!list_empty(&ready)) sched_yield();
        irq_on_and_halt();
    }
}
