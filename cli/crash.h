/* crash.h: what is kept of a guest whose kernel panicked: a folder with
 *   report.txt  what happened: registers, backtrace, log, extensions, frames
 *   core        the guest's memory and the registers, for gdb
 *   kernel      a copy of the kernel with its symbols
 * The guest is not trusted: its text is cleaned, its numbers are checked. */
#ifndef WHELK_CLI_CRASH_H
#define WHELK_CLI_CRASH_H

#include "base/types.h"

enum { CRASH_PATH = 4096 };

struct crash {
    const char *base; /* where the folder shall be; NULL: nowhere */
    const char *name, *program, *kernel;
    char dir[CRASH_PATH];
};

/* Sets base: an absolute path; "none": NULL. false: usage, named. */
bool crash_base(struct crash *c, const char *option);
/* Makes the folder and says where the core goes. false: nothing wanted, or an error that is named. */
bool crash_begin(struct crash *c, char core[CRASH_PATH]);
/* The core is written: writes the rest, and tells the user. */
void crash_end(struct crash *c);
/* There will be no core: the folder goes. */
void crash_abandon(struct crash *c);

#endif
