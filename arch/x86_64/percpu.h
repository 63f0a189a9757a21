/* percpu.h: what belongs to one CPU, found through GS. Programs have no GS base
 * of their own, so there is no swapgs anywhere. */
#ifndef WHELK_ARCH_PERCPU_H
#define WHELK_ARCH_PERCPU_H

#include "base/assert.h"
#include "base/types.h"

struct thread;
struct trap_frame;

struct percpu {
    struct percpu *self;
    /* of the running thread; asm and trap_place read them */
    u64 kernel_stack_top;
    u64 program_rsp; /* scratch of the system call entry */
    u64 kernel_stack_base;
    u64 trap_stack_base, trap_stack_top;
    struct thread *current;
    /* owning cpu only */
    u32 preempt_count;
    bool need_resched;
    struct trap_frame *irq_frame; /* interrupted by the handler that runs now, or NULL */
    u32 id;
};
static_assert(offsetof(struct percpu, kernel_stack_top) == 8, "entry.S");
static_assert(offsetof(struct percpu, program_rsp) == 16, "entry.S");

/* Valid while preemption or interrupts are off, or where any CPU will do. */
static inline struct percpu *this_cpu(void) {
    struct percpu *p;
    __asm__ volatile("movq %%gs:0, %0" : "=r"(p));
    return p;
}
/* One load: right even if the thread moves to another CPU meanwhile. */
static inline struct thread *current_thread(void) {
    struct thread *t;
    __asm__ volatile("movq %%gs:%c1, %0" : "=r"(t) : "i"(offsetof(struct percpu, current)));
    return t;
}

#endif
