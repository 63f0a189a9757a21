/* program.h: the seam between the kernel and the program that it runs. sys/
 * fills it in; the kernel runs without it too (test images). */
#ifndef WHELK_KERN_PROGRAM_H
#define WHELK_KERN_PROGRAM_H

#include "arch/x86_64/trap.h"
#include "base/err.h"
#include "base/types.h"

struct program_ops {
    /* A system call, interrupts on, on the kernel stack of thread_current().
     * The result goes into frame->rax. May block, and need not return. */
    i64 (*syscall)(struct trap_frame *frame);
    /* A fault that the program caused and nobody handled: deliver a signal by
     * rewriting the frame, or end the program. vector as in trap.h; address
     * is the accessed one for page faults, else rip. Interrupts on. */
    void (*fault)(struct trap_frame *frame, uptr address);
    /* Before any return into program code, interrupts on: pending signals,
     * exit of the process. May be NULL. */
    void (*leave)(struct trap_frame *frame);
};
void program_set_ops(const struct program_ops *ops); /* kept, not copied */

/* Copies from and to the program's memory. false if some byte is outside the
 * program's half or cannot be had (an unhandled page fault): then any prefix
 * may have been copied. Interrupts on; the pages may be lazy. */
bool user_read(void *to, uptr from, size_t n);
bool user_write(uptr to, const void *from, size_t n);
/* Reads without waiting: only what is present. How many of the n bytes. Any
 * thread context. */
size_t user_peek(void *to, uptr from, size_t n);
/* A string with its zero: the length; -1 on a bad address, -2 if cap is short. */
i64 user_read_string(char *to, uptr from, size_t cap);

#endif
