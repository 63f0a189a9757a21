/* host_rt.h: the engine's machine in a Linux process: struct rt_host on mmap,
 * faults by signals on an alternate stack, deadlines by POSIX timers.
 *
 * Threads: host_rt_init once per process; every thread that calls into modules
 * first calls host_rt_thread. */
#ifndef WHELK_CLI_HOST_RT_H
#define WHELK_CLI_HOST_RT_H

#include <time.h>

#include "base/arena.h"
#include "rt/rt.h"

/* malloc and free. */
extern const struct arena_source host_heap;

/* Fills in all of *out, the CPU's features included. */
void host_rt_fill(struct rt_host *out);

/* Installs handlers of SIGSEGV, SIGBUS, SIGFPE, SIGILL and of the deadline's
 * signal (SIGRTMIN). Faults that are not a trap of a module of e go to whoever handled
 * them before. One engine per process. ERR_IO when the system refuses. */
enum err host_rt_install(struct rt_engine *e);
/* The alternate signal stack of the calling thread; kept until the process ends. */
enum err host_rt_thread(void);

/* How many threads sleep in memory.atomic.wait and have not been woken. */
u32 host_rt_sleepers(void);

/* Stops what runs in a store on this thread after ns nanoseconds, and again each
 * millisecond until host_deadline_end: the same thread calls both. */
struct host_deadline {
    struct rt_store *store;
    timer_t timer;
    enum abi_trap why; /* DEADLINE, or since host_deadline_now INTERRUPTED */
};
enum err host_deadline_start(struct host_deadline *d, struct rt_store *s, u64 ns);
void host_deadline_end(struct host_deadline *d);
/* Now, from any thread; not at the same time as host_deadline_end. */
void host_deadline_now(struct host_deadline *d);

#endif
