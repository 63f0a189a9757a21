#include "cli/watchdog.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/ctl.h"
#include "cli/qmp.h"

enum { BOOT_TRIES = 150, BOOT_STEP_MS = 100 };

/* The guest says hello. A frame of another id cannot come: the socket is ours alone. */
static bool answers(const struct guest *g, int timeout_ms) {
    struct ctl c;
    struct ctl_frame f;
    char path[256];
    if (!ctl_open_path(&c, guest_path(g, "ctl.sock", path), g->name, true)) return false;
    u32 id = ctl_send(&c, CTL_HELLO, NULL, 0);
    bool ok = id && ctl_receive(&c, &f, timeout_ms) == CTL_GOT;
    if (ok) free(f.payload);
    ctl_close(&c);
    return ok;
}

static _Noreturn void watch(const struct guest *g, u32 seconds) {
    int timeout_ms = (int)seconds * 1000;
    for (int i = 0; i < BOOT_TRIES && !answers(g, BOOT_STEP_MS); i++) poll(NULL, 0, BOOT_STEP_MS);
    while (answers(g, timeout_ms)) poll(NULL, 0, timeout_ms / 2);
    fail("%s: no answer for %u s: the watchdog ends it", g->name, seconds);
    qmp_command(g, "inject-nmi");
    _exit(EXIT_FAILED);
}

pid_t watchdog_start(const struct guest *g, u32 seconds) {
    pid_t parent = getpid(), pid = fork();
    if (pid < 0) return fail("fork: %s", strerror(errno)), -1;
    if (pid) return pid;
    signal(SIGINT, SIG_IGN); /* Ctrl-C is for the one that waits for QEMU */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(EXIT_FAILED);
    watch(g, seconds);
}
