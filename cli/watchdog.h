/* watchdog.h: notices a guest that has stopped answering. */
#ifndef WHELK_CLI_WATCHDOG_H
#define WHELK_CLI_WATCHDOG_H

#include <sys/types.h>

#include "cli/guest.h"

/* A process that asks the guest every few seconds, once it has answered for the
 * first time. No answer for `seconds`: says so, makes the guest's CPU take an
 * NMI, by which its kernel panics with a backtrace, and ends; the caller ends a
 * guest that does not even do that. Its pid; -1 after an error that it has named. */
pid_t watchdog_start(const struct guest *g, u32 seconds);

#endif
