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

/* Sends the program SIGTERM; false if it has no handler for it. */
bool sys_terminate(void);

/* The whole of a small file (at most 128 KiB) with a zero behind it, for kfree.
 * NULL if it is absent, unreadable or too long. */
char *program_text(const char *path, size_t *n);

i64 program_syscall(struct trap_frame *frame);
const char *call_name(u64 number); /* never NULL */

#endif
