/* qemu.h: the virtual machine: from options to QEMU's command line, and from
 * QEMU's exit status to the guest's. */
#ifndef WHELK_CLI_QEMU_H
#define WHELK_CLI_QEMU_H

#include "cli/cli.h"

struct vm_options {
    const char *memory, *accel, *cpu, *machine, *kernel, *ip, *tap, *dump, *append;
    const char *qmp; /* where QEMU's own control socket shall be; NULL: nowhere */
    bool hold;       /* of a process: stand still after a panic */
    struct words ports; /* HOST:GUEST[/udp] */
};

/* What both machines check of the options (process.c): false after an error that
 * is named. And the kernel's command line; the kernel's file, or NULL. */
bool memory_ok(const char *value);
bool ip_ok(const char *ip);
const char *command_line(const struct vm_options *o);
#define QEMU_KERNEL "WHELK_KERNEL", "vm/whelk.elf"
#define PROCESS_KERNEL "WHELK_PROCESS_KERNEL", "process/whelk"
const char *find_kernel(const char *want, const char *variable, const char *beside);

/* Checks options and fills argv (ended by NULL; on the heap, not freed: exec
 * follows). control_fd, monitor_fd: inherited by QEMU, the other ends of the
 * guest's control channel and of cli/monitor.h. EXIT_OK, or the status after an
 * error that it has named. */
int qemu_args(struct words *argv, const struct vm_options *o, const char *initrd, int control_fd, int monitor_fd);
/* wait status of QEMU -> exit status for `whelk run`. */
int qemu_status(int wait_status);
bool qemu_panicked(int wait_status);

#endif
