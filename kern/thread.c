/* thread.c: the life of a thread.
 *
 * I1 a window of address space holds its stacks: guard page, kernel stack,
 *    guard page, trap stack (frames that interrupt extension code).
 * I2 a thread is freed by the reaper, after it has left its stack for good. */
#include "kern/thread.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/percpu.h"
#include "arch/x86_64/switch.h"
#include "base/assert.h"
#include "base/mem.h"
#include "kern/heap.h"
#include "kern/lock.h"
#include "kern/sched.h"
#include "kern/time.h"
#include "kern/vm.h"
#include "kern/wait.h"

enum { WINDOW = PAGE_SIZE + KERNEL_STACK + PAGE_SIZE + TRAP_STACK };

struct list all_threads = LIST_INIT(all_threads);
static struct spin all_lock;
static u32 last_id; /* under all_lock */

struct thread *thread_current(void) { return current_thread(); }

static bool give_stacks(struct thread *t) {
    u8 *w = vm_reserve(WINDOW);
    if (!w) return false;
    t->state->window = w;
    t->stack = w + PAGE_SIZE + KERNEL_STACK;
    return !vm_commit(w + PAGE_SIZE, KERNEL_STACK, VM_READ | VM_WRITE) &&
           !vm_commit((u8 *)t->stack + PAGE_SIZE, TRAP_STACK, VM_READ | VM_WRITE);
}

static bool give_fpu(struct thread_state *s) {
    s->fpu_block = kmalloc(fpu_bytes() + 64);
    if (!s->fpu_block) return false;
    s->fpu = (void *)ALIGN_UP((uptr)s->fpu_block, 64);
    fpu_reset(s->fpu);
    return true;
}

static void release(struct thread *t) {
    if (t->state) {
        if (t->state->window) vm_release(t->state->window, WINDOW);
        kfree(t->state->fpu_block);
        kfree(t->state);
    }
    kfree(t);
}

enum err thread_prepare(const char *name, void (*fn)(void *), void *arg, struct thread **out) {
    struct thread *t = kzalloc(sizeof *t);
    if (!t) return ERR_NOMEM;
    struct thread_state *s = t->state = kzalloc(sizeof *s);
    if (!s || !give_stacks(t) || !give_fpu(s)) {
        release(t);
        return ERR_NOMEM;
    }
    memcpy(t->name, name, MIN(strlen(name), sizeof t->name - 1));
    s->thread = t;
    s->fn = fn;
    s->arg = arg;
    s->rsp = arch_new_stack(t->stack);
    list_init(&s->node);
    u64 flags = spin_lock(&all_lock);
    t->id = ++last_id;
    list_push_back(&all_threads, &s->all);
    spin_unlock(&all_lock, flags);
    *out = t;
    return ERR_OK;
}

void thread_start(struct thread *t) { sched_start(t); }

enum err thread_create(const char *name, void (*fn)(void *), void *arg, struct thread **out) {
    struct thread *t;
    enum err e = thread_prepare(name, fn, arg, &t);
    if (e) return e;
    if (out) *out = t;
    thread_start(t);
    return ERR_OK;
}

void thread_discard(struct thread *t) {
    assert(t->state->run == RUN_NEW);
    thread_reap(t);
}

void thread_reap(struct thread *t) {
    assert(t->state->run == RUN_DEAD || t->state->run == RUN_NEW);
    u64 flags = spin_lock(&all_lock);
    list_remove(&t->state->all);
    spin_unlock(&all_lock, flags);
    release(t);
}

/* First code of a new thread; the switch to it left interrupts off. */
_Noreturn void thread_begin(void) {
    struct thread_state *s = current_thread()->state;
    irq_on();
    s->fn(s->arg);
    thread_exit();
}

_Noreturn void thread_exit(void) { sched_exit(); }

bool thread_may_block(void) { return irq_enabled() && !this_cpu()->preempt_count; }

void thread_sleep_until(u64 deadline_ns) {
    while (time_mono_ns() < deadline_ns) wait_block(deadline_ns);
}

void thread_set_fs_base(struct thread *t, u64 base) {
    u64 flags = irq_save();
    t->state->fs_base = base;
    if (t == current_thread()) cpu_set_fs(base);
    irq_restore(flags);
}

u64 thread_fs_base(struct thread *t) { return t->state->fs_base; }

void thread_interrupt(struct thread *t) {
    u64 flags = irq_save();
    t->state->interrupted = true;
    sched_wake(t);
    irq_restore(flags);
}

bool thread_interrupted(struct thread *t) {
    u64 flags = irq_save();
    bool was = t->state->interrupted;
    t->state->interrupted = false;
    irq_restore(flags);
    return was;
}

u64 thread_cpu_ns(struct thread *t) {
    u64 flags = irq_save();
    u64 ns = t->state->cpu_ns;
    if (t == current_thread()) ns += time_mono_ns() - t->state->started_ns;
    irq_restore(flags);
    return ns;
}

void *thread_vector_state(struct thread *t) {
    u64 flags = irq_save();
    if (t == current_thread()) fpu_save(t->state->fpu);
    irq_restore(flags);
    return t->state->fpu;
}

void thread_vector_load(struct thread *t) {
    assert(t == current_thread());
    fpu_restore(t->state->fpu);
}

size_t thread_vector_bytes(void) { return fpu_bytes(); }
