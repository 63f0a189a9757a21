/* qmp.h: QEMU's own control socket, in the guest's folder (qmp.sock): for what
 * reaches a guest that does not answer. */
#ifndef WHELK_CLI_QMP_H
#define WHELK_CLI_QMP_H

#include "cli/guest.h"

/* Runs one command without arguments ("system_powerdown", "inject-nmi").
 * false: there is no socket, or QEMU refused; nothing is printed. */
bool qmp_command(const struct guest *g, const char *command);
/* The same for a line of QEMU's own monitor, which has neither " nor \. */
bool qmp_monitor(const struct guest *g, const char *line);

#endif
