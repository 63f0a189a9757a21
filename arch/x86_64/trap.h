/* trap.h: the saved registers of whatever an interrupt, a fault or a system
 * call interrupted, and the ways in and out of a program.
 *
 * I1 a trap frame lies on a stack of the thread that it belongs to, never on
 *    an IST stack: the thread may be preempted, or fault again, while it is used.
 * I2 "program" means: the interrupted rip or rsp is in the program's part of the
 *    address space. Kernel, program and extensions have one privilege; cs tells nothing. */
#ifndef WHELK_ARCH_TRAP_H
#define WHELK_ARCH_TRAP_H

#include "arch/x86_64/paging.h"
#include "base/assert.h"
#include "base/types.h"

/* In memory order; entry.S pushes and pops it. */
struct trap_frame {
    u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    u64 vector; /* 0..255, or TRAP_SYSCALL, TRAP_SYSCALL_FULL */
    u64 error;  /* the CPU's error code; of a system call: its number, kept */
    u64 rip, cs, rflags, rsp, ss;
};
static_assert(sizeof(struct trap_frame) == 176, "entry.S");

/* A system call: number in rax (and in error), arguments in rdi rsi rdx r10 r8
 * r9; rip is where it returns to, rflags and rsp are the program's. Its handler
 * may set vector to TRAP_SYSCALL_FULL: then all registers of the frame are
 * restored, rcx and r11 too (a signal's delivery and return, a new thread). */
enum { TRAP_SYSCALL = 256, TRAP_SYSCALL_FULL = 257 };

enum {
    TRAP_DIVIDE = 0,
    TRAP_DEBUG = 1,
    TRAP_NMI = 2,
    TRAP_BREAKPOINT = 3,
    TRAP_ILLEGAL = 6,
    TRAP_DOUBLE_FAULT = 8,
    TRAP_PROTECTION = 13,
    TRAP_PAGE = 14,
    TRAP_FPU = 16,
    TRAP_ALIGNMENT = 17,
    TRAP_MACHINE_CHECK = 18,
    TRAP_SIMD = 19,
    TRAP_EXCEPTIONS = 32, /* vectors below are the CPU's */
};

enum { RFLAGS_IF = 1 << 9, RFLAGS_DF = 1 << 10, RFLAGS_TF = 1 << 8 };

static inline bool trap_from_program(const struct trap_frame *f) {
    return address_of_program(f->rip) || address_of_program(f->rsp);
}

/* Leaves the kernel: every register from the frame, interrupts as in its
 * rflags. The frame may be anywhere; the kernel stack is empty afterwards. */
_Noreturn void arch_return(const struct trap_frame *frame);
/* Starts a program's thread at rip with rsp; all other registers are zero. */
_Noreturn void arch_enter_program(u64 rip, u64 rsp);

/* Implemented above this folder (kern/trap.c): interrupts are off. */
void trap_handle(struct trap_frame *frame);
void trap_syscall(struct trap_frame *frame);
_Noreturn void trap_fatal(struct trap_frame *frame); /* on an IST stack: cannot go on */

/* The copy of a frame that lies on an interrupt stack; NULL: trap_fatal. */
struct trap_frame *trap_place(const struct trap_frame *f);

void trap_init(void); /* the ways into the kernel on this CPU */

#endif
