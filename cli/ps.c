/* ps.c: `whelk ps`, `logs`, `rm`: the guests of this user, and what they leave. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/ctl.h"

/* ---- ps ---- */

struct listing {
    bool quiet, json;
    u32 count;
};

/* In quotes, as JSON has them. */
static void put_json(const char *key, const char *text) {
    printf("\"%s\":\"", key);
    for (; *text; text++) {
        u8 c = (u8)*text;
        if (c == '"' || c == '\\') printf("\\%c", c);
        else if (c < 0x20) printf("\\u%04x", c);
        else putchar(c);
    }
    putchar('"');
}

static void show_json(const struct guest *g, const char *program, int pid, int status, u32 before) {
    printf("%s{", before ? ",\n " : "");
    put_json("name", g->name);
    putchar(',');
    put_json("state", pid ? "running" : "exited");
    if (pid) printf(",\"pid\":%d,", pid);
    else printf(",\"status\":%d,", status);
    put_json("program", program);
    putchar('}');
}

static void show_guest(const struct guest *g, void *arg) {
    struct listing *l = arg;
    char program[200], state[32];
    int pid = guest_pid(g), status = 0;
    guest_program(g, program);
    if (!pid) guest_status(g, &status);
    snprintf(state, sizeof(state), pid ? "running %d" : "exited (%d)", pid ? pid : status);
    if (l->json) show_json(g, program, pid, status, l->count);
    else if (l->quiet) printf("%s\n", g->name);
    else printf("%-20s %-16s %s\n", g->name, state, program);
    l->count++;
}

int ps_main(int argc, char **argv) {
    struct listing l = {0};
    bool all = false;
    const struct opt opts[] = {
        {'a', "all", NULL, "those that have ended in the background, too", OPT_FLAG, &all},
        {'q', "quiet", NULL, "names only", OPT_FLAG, &l.quiet},
        {0, "json", NULL, "a JSON array of objects: name, state, pid or status, program", OPT_FLAG, &l.json},
    };
    const struct command c = {"whelk ps [-a] [-q] [--json]",
                              "Lists the guests of this user: name, process or exit status, program.\n", opts, ARRAY_LEN(opts)};
    int at = opts_parse(&c, argc, argv);
    if (at < 0) return opts_status(at);
    if (at != argc) return usage("ps takes no words");
    if (l.json) putchar('[');
    guest_each(all, show_guest, &l);
    if (l.json) printf("]\n");
    return EXIT_OK;
}

/* ---- logs ---- */

/* Where the last lines begin. */
static long tail_start(FILE *f, u32 lines) {
    long at = fseek(f, 0, SEEK_END) ? 0 : ftell(f);
    for (u32 seen = 0; at > 0; at--) {
        if (fseek(f, at - 1, SEEK_SET)) return 0;
        if (getc(f) == '\n' && ++seen > lines) return at;
    }
    return 0;
}

static bool copy_new(FILE *f) {
    char buf[4096];
    size_t n;
    clearerr(f);
    while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
        if (fwrite(buf, 1, n, stdout) != n) return false;
    return !fflush(stdout);
}

static int show_console(const struct guest *g, bool follow, const char *lines) {
    enum { EVERY_MS = 100 };
    char path[256];
    FILE *f = fopen(guest_path(g, "console.log", path), "re");
    if (!f && errno == ENOENT) return fail("%s: its console is the terminal where it was started; with -d it is kept", g->name);
    if (!f) return fail("%s: %s", path, strerror(errno));
    if (lines) fseek(f, tail_start(f, (u32)strtoul(lines, NULL, 10)), SEEK_SET);
    bool ok = copy_new(f);
    while (ok && follow && guest_pid(g)) {
        poll(NULL, 0, EVERY_MS);
        ok = copy_new(f);
    }
    ok = ok && copy_new(f);
    fclose(f);
    return ok ? EXIT_OK : fail("standard output: %s", strerror(errno));
}

int logs_main(int argc, char **argv) {
    bool follow = false;
    const char *lines = NULL;
    struct guest g;
    const struct opt opts[] = {
        {'f', "follow", NULL, "go on with what comes, until the guest ends", OPT_FLAG, &follow},
        {'n', "tail", "LINES", "the last lines only", OPT_TEXT, &lines},
    };
    const struct command c = {"whelk logs [-f] [-n LINES] NAME",
                              "Writes the console of a guest that was started with -d, also after its end.\n", opts, ARRAY_LEN(opts)};
    int at = opts_parse(&c, argc, argv);
    if (at < 0) return opts_status(at);
    if (argc - at != 1) return usage("usage: %s", c.usage);
    if (lines && (!*lines || lines[strspn(lines, "0123456789")])) return usage("logs: -n %s: want a number of lines", lines);
    return guest_find_any(&g, argv[at]) ? show_console(&g, follow, lines) : EXIT_FAILED;
}

/* ---- rm ---- */

static bool forget(const char *name, bool force) {
    struct guest g;
    if (!guest_find_any(&g, name)) return false;
    if (guest_pid(&g) && !force) return fail("%s: it runs; stop it first, or use -f", name), false;
    if (guest_pid(&g) && !guest_stop(&g, false)) return false;
    guest_remove(&g);
    return true;
}

int rm_main(int argc, char **argv) {
    bool force = false;
    const struct opt opts[] = {{'f', "force", NULL, "stop those that run", OPT_FLAG, &force}};
    const struct command c = {"whelk rm [-f] NAME ...", "Forgets guests that have ended: their console and exit status.\n", opts,
                              ARRAY_LEN(opts)};
    int at = opts_operand(&c, argc, argv), status = EXIT_OK;
    if (at < 0) return opts_status(at);
    for (; at < argc; at++)
        if (!forget(argv[at], force)) status = EXIT_FAILED;
    return status;
}
