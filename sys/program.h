/* program.h: the program that this image runs, from its file to its end. */
#ifndef WHELK_SYS_PROGRAM_H
#define WHELK_SYS_PROGRAM_H

#include "arch/x86_64/trap.h"
#include "base/types.h"

/* The boot step: runs what /.whelk/argv names (arguments separated by zero
 * bytes; the first is the path), with the environment in /.whelk/env (the same
 * form). Returns its exit status: 128 + n if signal n ended it, 126 if it could
 * not be started and 127 if it is not there (the log says why). Call once, in the init thread. */
int sys_start(void);

/* proc.c: /proc, as far as programs ask. argv and env are kept. */
void proc_init(struct bytes argv, struct bytes env);

/* Sends the program SIGTERM; false if it has no handler for it. */
bool sys_terminate(void);
/* As the program ended; 0 while it runs. */
int sys_status(void);

/* The whole of a small file (at most 128 KiB) with a zero behind it, for kfree.
 * NULL if it is absent, unreadable or too long. */
char *program_text(const char *path, size_t *n);

i64 program_syscall(struct trap_frame *frame);
/* Who looks at system calls: set by init/ once; NULL: nobody. In the calling
 * thread, interrupts on, no lock held; they do not block.
 *   enter  false: the call is not made, *result is its result
 *   exit   after it; may change *result. Calls that do not return never get there. */
struct call_watch {
    bool (*enter)(u64 number, const u64 args[6], u32 thread, i64 *result);
    void (*exit)(u64 number, const u64 args[6], u32 thread, i64 *result);
};
extern struct call_watch call_watch;

const char *call_name(u64 number); /* never NULL */

#endif
