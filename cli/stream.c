/* stream.c: `whelk stream`: what an extension streams, as it comes. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/ctl.h"

enum { DRAIN_MS = 5000, STEP_MS = 200 };

static volatile sig_atomic_t stop_asked;
static void on_stop(int number) {
    (void)number;
    stop_asked = 1;
}

enum step { STEP_MORE, STEP_END, STEP_FAILED };

/* One frame, or STEP_MS without one. */
static enum step take(struct ctl *c, u32 id, const char *ext) {
    struct ctl_frame f;
    enum step result = STEP_MORE;
    enum ctl_got got = ctl_receive(c, &f, STEP_MS);
    if (got == CTL_TIMED_OUT) return STEP_MORE;
    if (got == CTL_LOST) return stop_asked ? STEP_END : (fail("%s: the guest ended", c->guest), STEP_FAILED);
    if (f.kind == CTL_ERROR) {
        ctl_complain(c, &f, ext);
        result = STEP_FAILED;
    } else if (f.id == id && f.kind == CTL_DATA && !write_all(1, f.payload, f.n)) {
        if (errno != EPIPE) fail("standard output: %s", strerror(errno));
        result = STEP_FAILED;
    } else if (f.id == id && f.kind == CTL_END) {
        fprintf(stderr, "whelk: %s: %s: %s\n", c->guest, ext, (char *)f.payload);
        result = STEP_END;
    }
    free(f.payload);
    return result;
}

static int follow(struct ctl *c, const char *ext) {
    u32 id = ctl_send(c, CTL_STREAM, ext, strlen(ext));
    enum step s = id ? STEP_MORE : STEP_FAILED;
    while (s == STEP_MORE && !stop_asked) s = take(c, id, ext);
    if (s == STEP_MORE) ctl_send_as(c, id, CTL_END, "done", 4);
    for (int waited = 0; s == STEP_MORE && waited < DRAIN_MS; waited += STEP_MS) s = take(c, id, ext);
    return s == STEP_END ? EXIT_OK : EXIT_FAILED;
}

int stream_main(int argc, char **argv) {
    struct guest g;
    struct ctl c;
    struct sigaction stop = {.sa_handler = on_stop};
    const struct command command = {"whelk stream NAME EXT",
                                    "Writes what the extension EXT of guest NAME streams to standard output, until Ctrl-C\n"
                                    "or until it is unloaded. For system calls:\n"
                                    "  whelk ext load NAME build/ext/strace.wasm && whelk stream NAME strace\n", NULL, 0};
    int at = opts_parse(&command, argc, argv);
    if (at < 0) return opts_status(at);
    if (argc - at != 2) return usage("usage: %s", command.usage);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (!guest_find(&g, argv[at]) || !ctl_open(&c, &g)) return EXIT_FAILED;
    int status = follow(&c, argv[at + 1]);
    ctl_close(&c);
    return status;
}
