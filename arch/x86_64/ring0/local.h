/* local.h: what kern/ asks of the CPU that it runs on, in ring 0: its twin is
 * arch/process/local.h. Included by cpu.h alone. */
#ifndef WHELK_ARCH_RING0_LOCAL_H
#define WHELK_ARCH_RING0_LOCAL_H

#include "arch/x86_64/cpu.h"

#define CONTROL_REGISTER(name)                                                          \
    static inline u64 read_##name(void) {                                               \
        u64 v;                                                                          \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(v));                              \
        return v;                                                                       \
    }                                                                                   \
    static inline void write_##name(u64 v) {                                            \
        __asm__ volatile("mov %0, %%" #name : : "r"(v) : "memory");                     \
    }
CONTROL_REGISTER(cr0)
CONTROL_REGISTER(cr2)
CONTROL_REGISTER(cr3)
CONTROL_REGISTER(cr4)

static inline void invlpg(uptr va) { __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory"); }

/* Interrupts: off, returning what was; and back. */
static inline u64 irq_save(void) {
    u64 flags;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
    return flags;
}
static inline void irq_restore(u64 flags) {
    if (flags & 1 << 9) __asm__ volatile("sti" : : : "memory");
}
static inline bool irq_enabled(void) {
    u64 flags;
    __asm__ volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
    return flags >> 9 & 1;
}
static inline void irq_on(void) { __asm__ volatile("sti" : : : "memory"); }
static inline void irq_off(void) { __asm__ volatile("cli" : : : "memory"); }
/* Sleeps until an interrupt. The shadow of sti covers hlt: none is missed. */
static inline void irq_on_and_halt(void) { __asm__ volatile("sti; hlt" : : : "memory"); }

/* What the page fault that was just taken tried to reach. */
static inline uptr fault_address(void) { return read_cr2(); }
static inline u64 page_root(void) { return read_cr3(); }
/* Thread-local storage of programs; this CPU's data. */
static inline void cpu_set_fs(u64 base) { wrmsr(MSR_FS_BASE, base); }
static inline void cpu_set_gs(u64 base) { wrmsr(MSR_GS_BASE, base); }

#endif
