/* local.h: what kern/ asks of the CPU that it runs on, in a process of Linux: its
 * twin is arch/x86_64/ring0/local.h. Included by cpu.h alone.
 *
 * I1 interrupts are signals. They are never blocked outside of their handler:
 *    one that comes while `on` is false is noted in `pending`, and taken by
 *    whoever sets `on` (a flag costs a nanosecond, sigprocmask a hundred).
 * I2 there is one CPU, which is one thread of Linux: plain loads and stores. */
#ifndef WHELK_ARCH_PROCESS_LOCAL_H
#define WHELK_ARCH_PROCESS_LOCAL_H

#ifndef WHELK_PROCESS
#define WHELK_PROCESS /* alone: test/tidy */
#endif
#include "arch/x86_64/cpu.h"

struct process_cpu {
    u32 on;      /* entry.S knows the offsets */
    u32 pending; /* bits of enum process_interrupt */
    u64 fault;   /* address of the last page fault */
    bool fsgsbase;
};
extern struct process_cpu process_cpu;

/* Takes what is pending, interrupts off; then they are on. */
void process_take_pending(void);
/* Sleeps until something is pending, interrupts off. plat/process. */
void process_wait(void);
void process_set_fs(u64 base);
void process_set_gs(u64 base);

#define PROCESS_BARRIER() __asm__ volatile("" : : : "memory")

static inline bool irq_enabled(void) { return *(volatile u32 *)&process_cpu.on; }
static inline void irq_off(void) {
    *(volatile u32 *)&process_cpu.on = 0;
    PROCESS_BARRIER();
}
static inline void irq_on(void) {
    PROCESS_BARRIER();
    *(volatile u32 *)&process_cpu.on = 1;
    if (__builtin_expect(*(volatile u32 *)&process_cpu.pending, 0)) process_take_pending();
}
/* Interrupts: off, returning what was (as in RFLAGS); and back. */
static inline u64 irq_save(void) {
    u64 flags = (u64)irq_enabled() << 9;
    irq_off();
    return flags;
}
static inline void irq_restore(u64 flags) {
    if (flags & 1 << 9) irq_on();
}
static inline void irq_on_and_halt(void) {
    irq_off();
    if (!*(volatile u32 *)&process_cpu.pending) process_wait();
    irq_on();
}

static inline uptr fault_address(void) { return process_cpu.fault; }
static inline u64 page_root(void) { return 0; }

static inline void cpu_set_fs(u64 base) {
    if (process_cpu.fsgsbase) __asm__ volatile("wrfsbase %0" : : "r"(base) : "memory");
    else process_set_fs(base);
}
static inline void cpu_set_gs(u64 base) { process_set_gs(base); }

#endif
