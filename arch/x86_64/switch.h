/* switch.h: from one thread's stack to another's, and vector state. */
#ifndef WHELK_ARCH_SWITCH_H
#define WHELK_ARCH_SWITCH_H

#include "base/types.h"

/* Callee-saved registers go on the old stack; *save gets its rsp. Interrupts off. */
void arch_switch(u64 *save, u64 load);
/* A stack on which arch_switch finds a thread that calls thread_begin(). */
u64 arch_new_stack(void *top);
_Noreturn void thread_begin(void); /* kern/thread.c */

/* Vector state of a program: x87, SSE, and what the CPU has of AVX. Areas are
 * 64-aligned and fpu_bytes() long. */
void fpu_init(void);
/* x87, SSE, AVX; and AVX-512's three. */
enum { FPU_WANTED = 7 | 0xe0 };
/* ring0/ or process/: the components of XSAVE that are in use; 0: FXSAVE. */
u64 fpu_enable(void);
size_t fpu_bytes(void);
void fpu_reset(void *area); /* to the state of a new program */
void fpu_save(void *area);
void fpu_restore(const void *area);

/* 0, or 1 after a fault: see entry.S. */
u64 user_copy(void *to, const void *from, u64 n);
extern char user_copy_fault[];

#endif
