/* slirp.h: a user-mode network for a guest that is a process: what QEMU's
 * `-netdev user` is for a virtual machine, by the same library. */
#ifndef WHELK_CLI_SLIRP_H
#define WHELK_CLI_SLIRP_H

#include <sys/types.h>

#include "cli/qemu.h"

/* A process that carries frames between ours (a SEQPACKET socket, one frame a
 * message) and the host, with o's ports, addresses and dump. theirs: the
 * guest's end, which it must not hold. EXIT_OK, or the status after an error
 * that it has named; the ports are listening when it returns. */
int slirp_start(const struct vm_options *o, int ours, int theirs, pid_t *pid);

#endif
