/* guests.c: `whelk stop`, `call`, `cp`. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/ctl.h"
#include "cli/qmp.h"

enum { STOP_TIMEOUT_MS = 5000 };

/* Through the control channel; a guest that does not answer there gets its
 * power button pressed, if its machine has one. */
static bool ask_to_stop(const struct guest *g, bool button) {
    struct ctl ctl;
    bool asked = false;
    if (!button && ctl_open(&ctl, g)) {
        asked = ctl_stop(&ctl, "whelk stop", STOP_TIMEOUT_MS);
        ctl_close(&ctl);
    }
    return asked || qmp_command(g, "system_powerdown");
}

bool guest_stop(const struct guest *g, bool button) {
    bool ok = ask_to_stop(g, button);
    for (int i = 0; ok && i < 200 && guest_pid(g); i++) poll(NULL, 0, 50);
    if (!ok || !guest_pid(g)) return ok;
    return fail("%s: still there after 10 s; Ctrl-C or SIGTERM to its whelk run ends it", g->name), false;
}

int stop_main(int argc, char **argv) {
    struct guest g;
    bool button = false;
    const struct opt opts[] = {{0, "button", NULL, "by the power button alone (--machine q35)", OPT_FLAG, &button}};
    const struct command c = {"whelk stop [--button] NAME",
                              "Shuts the guest down in order, and waits until it is gone. A program with a handler\n"
                              "for SIGTERM gets that signal, and a second to end by itself.\n", opts, ARRAY_LEN(opts)};
    int at = opts_parse(&c, argc, argv);
    if (at < 0) return opts_status(at);
    if (argc - at != 1) return usage("usage: %s", c.usage);
    return guest_find(&g, argv[at]) && guest_stop(&g, button) ? EXIT_OK : EXIT_FAILED;
}

/* What call sends: a file's bytes, standard input's (-), or none. */
static bool read_input(const char *path, struct queue *q) {
    int fd = !path ? -1 : !strcmp(path, "-") ? 0 : open(path, O_RDONLY | O_CLOEXEC);
    u8 buffer[4096];
    ssize_t n = 0;
    if (!path) return true;
    if (fd < 0) return fail("%s: %s", path, strerror(errno)), false;
    while ((n = read(fd, buffer, sizeof(buffer))) > 0 && queue_size(q) < CTL_MAX) queue_put(q, buffer, (size_t)n);
    if (fd) close(fd);
    if (n < 0) return fail("%s: %s", path, strerror(errno)), false;
    return true;
}

int call_main(int argc, char **argv) {
    const char *input = NULL;
    struct guest g;
    struct ctl ctl;
    struct ctl_frame f;
    struct queue bytes = {0}, words = {0}, q = {0};
    const struct opt opts[] = {{'i', "input", "FILE|-", "bytes that the call gets", OPT_TEXT, &input}};
    const struct command c = {"whelk call [-i FILE|-] NAME EXT [EXPORT] [-- ARGS]",
                              "Calls the extension EXT of guest NAME through its ctl.call handler (or EXPORT) and\n"
                              "writes the bytes that it answers to standard output. A WASI program that was loaded\n"
                              "as extension runs once, with ARGS; the input is its standard input, and what it writes\n"
                              "is there whatever its status.\n", opts, ARRAY_LEN(opts)};
    int at = opts_parse(&c, argc, argv);
    if (at < 0) return opts_status(at);
    int end = at; /* of NAME EXT [EXPORT] */
    while (end < argc && strcmp(argv[end], "--")) end++;
    if (end - at < 2 || end - at > 3) return usage("usage: %s", c.usage);
    const char *ext = argv[at + 1], *export = end - at == 3 ? argv[at + 2] : "";
    if (strlen(ext) > 64 || strlen(export) > 200) return usage("call: a name is too long");
    if (!read_input(input, &bytes) || !guest_find(&g, argv[at]) || !ctl_open(&ctl, &g)) return EXIT_FAILED;
    for (int k = end + 1; k < argc; k++) queue_put(&words, argv[k], strlen(argv[k]) + 1);
    struct ctl_call head = {(u16)strlen(ext), (u16)strlen(export), (u32)queue_size(&words)};
    queue_put(&q, &head, sizeof(head));
    queue_put(&q, ext, head.name_length);
    queue_put(&q, export, head.export_length);
    queue_put(&q, words.p + words.start, queue_size(&words));
    queue_put(&q, bytes.p + bytes.start, queue_size(&bytes));
    ctl.shows = true;
    bool ok = ctl_ask(&ctl, CTL_CALL, q.p + q.start, queue_size(&q), CTL_TIMEOUT_MS, &f);
    if (ok && !write_all(1, f.payload, f.n)) ok = (fail("standard output: %s", strerror(errno)), false);
    ctl_close(&ctl);
    return ok ? EXIT_OK : EXIT_FAILED;
}

/* The rest of a CTL_READ after its CTL_OK: to fd until CTL_END. */
static bool take_stream(struct ctl *c, u32 id, int fd, const char *about) {
    for (;;) {
        struct ctl_frame f;
        enum ctl_got got = ctl_receive(c, &f, CTL_TIMEOUT_MS);
        if (got == CTL_TIMED_OUT) return fail("%s: no more bytes within %d s", about, CTL_TIMEOUT_MS / 1000), false;
        if (got == CTL_LOST) return fail("%s: the guest ended in the middle", about), false;
        bool mine = f.id == id, end = mine && f.kind == CTL_END, bad = mine && f.kind == CTL_ERROR;
        bool written = !(mine && f.kind == CTL_DATA) || write_all(fd, f.payload, f.n);
        if (bad) ctl_complain(c, &f, about);
        free(f.payload);
        if (!written) return fail("writing: %s", strerror(errno)), false;
        if (end || bad) return end;
    }
}

/* Where the bytes go is opened once the guest has the file. */
static bool read_file(const struct guest *g, const char *path, const char *dest, int fd) {
    struct ctl c;
    struct ctl_frame f;
    if (!ctl_open(&c, g)) return false;
    bool ok = ctl_ask(&c, CTL_READ, path, strlen(path), CTL_TIMEOUT_MS, &f);
    u32 id = ok ? f.id : 0;
    if (ok) free(f.payload);
    if (ok && dest && (fd = open(dest, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) < 0)
        ok = (fail("%s: %s", dest, strerror(errno)), false);
    ok = ok && take_stream(&c, id, fd, path);
    if (dest && fd >= 0 && close(fd) && ok) ok = (fail("%s: %s", dest, strerror(errno)), false);
    ctl_close(&c);
    return ok;
}

bool ctl_read_file(const struct guest *g, const char *path, int fd) { return read_file(g, path, NULL, fd); }

/* In a folder the file keeps its name. */
static const char *file_of(const char *dest, const char *path) {
    struct stat s;
    char *in;
    const char *slash = strrchr(path, '/');
    if (stat(dest, &s) || !S_ISDIR(s.st_mode)) return dest;
    if (asprintf(&in, "%s/%s", dest, slash ? slash + 1 : path) < 0) need(NULL);
    return in;
}

static int copy_out(const char *guest, const char *path, const char *dest) {
    struct guest g;
    bool out = !strcmp(dest, "-");
    if (!out) dest = file_of(dest, path);
    return guest_find(&g, guest) && read_file(&g, path, out ? NULL : dest, out ? 1 : -1) ? EXIT_OK : EXIT_FAILED;
}

int cp_main(int argc, char **argv) {
    const struct command c = {"whelk cp NAME:PATH DEST",
                              "Copies the file PATH of guest NAME to DEST, a file or a folder (- is standard output).\n", NULL, 0};
    int at = opts_parse(&c, argc, argv);
    if (at < 0) return opts_status(at);
    char *colon = argc - at == 2 ? strchr(argv[at], ':') : NULL;
    if (!colon || !colon[1]) return usage("usage: %s", c.usage);
    *colon = 0;
    return copy_out(argv[at], colon + 1, argv[at + 1]);
}
