/* frame.c: where a trap frame goes, and the first frames of threads.
 *
 * I1 code on a trap stack never moves to another stack except by a thread
 *    switch: so a frame from a foreign (extension) stack finds it empty. */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/percpu.h"
#include "arch/x86_64/switch.h"
#include "arch/x86_64/trap.h"
#include "base/mem.h"

enum { STACK_HEADROOM = 2048, GUARD = 4096 };

static bool within(u64 rsp, u64 base, u64 top) { return rsp > base && rsp <= top; }

/* The place for a frame on a stack of the interrupted thread; NULL if there is
 * none, because its stack is at an end, or the CPU's own exception is the end
 * of the kernel anyhow. On the interrupt stack, interrupts off. */
struct trap_frame *trap_place(const struct trap_frame *f) {
    const struct percpu *c = this_cpu();
    u64 to;
    if (f->vector == TRAP_NMI || f->vector == TRAP_MACHINE_CHECK || f->vector == TRAP_DOUBLE_FAULT) return NULL;
    if (trap_from_program(f)) to = c->kernel_stack_top;
    else if (within(f->rsp, c->kernel_stack_base + STACK_HEADROOM, c->kernel_stack_top)) to = f->rsp;
    else if (within(f->rsp, c->trap_stack_base + STACK_HEADROOM, c->trap_stack_top)) to = f->rsp;
    else if (within(f->rsp, c->kernel_stack_base - GUARD, c->kernel_stack_top)) return NULL;
    else if (within(f->rsp, c->trap_stack_base - GUARD, c->trap_stack_top)) return NULL;
    else to = c->trap_stack_top; /* an extension's stack */
    struct trap_frame *copy = (struct trap_frame *)ALIGN_DOWN(to - sizeof *f, 16);
    memcpy(copy, f, sizeof *f);
    return copy;
}

u64 arch_new_stack(void *top) {
    extern const char arch_thread_start[];
    /* r15 r14 r13 r12 rbx rbp, the return address; then 16-aligned, as a call wants it. */
    u64 *sp = (u64 *)top - 7;
    memset(sp, 0, 7 * sizeof *sp);
    sp[6] = (u64)arch_thread_start;
    return (u64)sp;
}

_Noreturn void arch_enter_program(u64 rip, u64 rsp) {
    struct trap_frame f = {.rip = rip, .rsp = rsp, .rflags = RFLAGS_IF | 2};
    u16 cs, ss; /* the program has the kernel's own */
    __asm__("mov %%cs, %0; mov %%ss, %1" : "=r"(cs), "=r"(ss));
    f.cs = cs, f.ss = ss;
    arch_return(&f);
}
