/* process.h: the guest as a process of this host (--plat process): from options
 * to its command line, and its network. */
#ifndef WHELK_CLI_PROCESS_H
#define WHELK_CLI_PROCESS_H

#include <sys/types.h>

#include "cli/qemu.h"

/* Checks options, starts the network (*network: its process, or 0) and fills
 * argv as qemu_args does. */
int process_args(struct words *argv, const struct vm_options *o, const char *initrd, int control_fd, pid_t *network);
/* wait status of the guest -> exit status for `whelk run`. */
int process_status(int wait_status);
bool process_panicked(int wait_status);

#endif
