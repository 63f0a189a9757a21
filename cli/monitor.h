/* monitor.h: QEMU's control channel to the `whelk run` that started it, for as long as
 * QEMU lives: a panic is told here. (qmp.h is for other commands, one at a time.) */
#ifndef WHELK_CLI_MONITOR_H
#define WHELK_CLI_MONITOR_H

#include "base/types.h"

struct monitor {
    int fd; /* -1: none */
    bool panicked; /* the guest's kernel has said so, and QEMU has stopped it */
    /* of the answer that is waited for */
    bool answered, failed;
    char why[200];
    /* the line under way; what does not fit is cut */
    u32 n;
    char line[2048];
};

/* fd is the monitor's from here on. */
void monitor_start(struct monitor *m, int fd);
/* Takes what has come; does not wait. */
void monitor_poll(struct monitor *m);
/* Writes the guest's memory, by its own page tables, as an ELF core to path.
 * The guest must stand still. false after an error that is named. */
bool monitor_dump(struct monitor *m, const char *path);
/* Ends QEMU; false: it does not answer. */
bool monitor_quit(struct monitor *m);

#endif
