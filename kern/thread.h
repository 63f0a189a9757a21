/* thread.h: preemptive threads, kernel and program alike. */
#ifndef WHELK_KERN_THREAD_H
#define WHELK_KERN_THREAD_H

#include "base/err.h"
#include "base/list.h"
#include "base/types.h"

struct trap_frame; /* arch: the saved registers of an interrupted or entering program */

struct thread {
    /* fixed at creation */
    u32 id;
    char name[16];
    void *stack; /* kernel stack, guard page below */
    void *owner; /* sys/: struct task of a program's thread; NULL for kernel threads */
    /* the rest is kern/sched.c's and arch's; see kern/thread.c */
    struct thread_state *state;
};

struct thread *thread_current(void);
/* A kernel thread that runs fn(arg) on its own stack; it ends when fn returns. */
enum err thread_create(const char *name, void (*fn)(void *), void *arg, struct thread **out);
/* Starts later: the caller sets owner, FS base etc. first. */
enum err thread_prepare(const char *name, void (*fn)(void *), void *arg, struct thread **out);
void thread_start(struct thread *t);
/* Instead of thread_start: frees a prepared thread. */
void thread_discard(struct thread *t);
_Noreturn void thread_exit(void);
/* False where waiting is a bug: preemption or interrupts are off. For code that
 * must answer "would block" there: what extensions call. */
bool thread_may_block(void);
void thread_yield(void);
void thread_sleep_until(u64 deadline_ns);
/* FS base of the thread (the program's TLS); takes effect at once for the current one. */
void thread_set_fs_base(struct thread *t, u64 base);
u64 thread_fs_base(struct thread *t);
/* Called by sys/ for a thread that must notice a signal or its process's exit:
 * makes its wait_block return. */
void thread_interrupt(struct thread *t);
bool thread_interrupted(struct thread *t); /* and clears */
u64 thread_cpu_ns(struct thread *t);
/* The thread's vector registers in memory (FXSAVE layout first), brought up to
 * date; to copy to a new thread, to a signal frame, or to change. A change to
 * the current thread's takes effect with thread_vector_load. Code that uses
 * vector registers inside the kernel keeps a program's intact by
 *   thread_vector_state(thread_current()); ...; thread_vector_load(...)
 * with preemption off in between. */
void *thread_vector_state(struct thread *t);
void thread_vector_load(struct thread *t);
size_t thread_vector_bytes(void);

#endif
