/* backlog.h: room for connections that QEMU has not yet accepted. */
#ifndef WHELK_CLI_BACKLOG_H
#define WHELK_CLI_BACKLOG_H

#include <sys/types.h>

#include "base/types.h"

/* QEMU's user network listens on a forwarded port with a backlog of 1: of a
 * burst of connections the host's kernel then drops some for good. Gives every
 * listening TCP socket of a child process a long one; how many there were.
 * Does nothing where the system does not let us (Linux before 5.6). */
u32 backlog_raise(pid_t child);

#endif
