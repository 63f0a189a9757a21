/* ext.c: `whelk ext`: load, ls, stat, resume, unload. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/ctl.h"

/* Prints an answer's text, with one newline at its end. */
static void show(struct ctl_frame *f) {
    fwrite(f->payload, 1, f->n, stdout);
    if (f->n && f->payload[f->n - 1] != '\n') putchar('\n');
    free(f->payload);
}

/* The text of the string or number after "KEY": in a line of JSON that the
 * guest made, up to cap - 1 bytes; "?" if it is not there. Returns where to look on. */
static const char *field(const char *line, const char *key, char *out, size_t cap) {
    char quoted[40];
    snprintf(out, cap, "?");
    snprintf(quoted, sizeof(quoted), "\"%s\":", key);
    const char *at = strstr(line, quoted);
    if (!at) return NULL;
    at += strlen(quoted);
    at += *at == '"';
    snprintf(out, cap, "%.*s", (int)strcspn(at, "\",}]"), at);
    return at;
}

/* NAME STATE HOOK:CALLS..., for people; --json has everything. */
static void show_line(const char *line) {
    char name[64], state[16], hook[32], calls[24];
    field(line, "name", name, sizeof(name));
    field(line, "state", state, sizeof(state));
    printf("%-24s %-12s", name, state);
    for (const char *at = strstr(line, "\"hooks\""); at && (at = field(at, "hook", hook, sizeof(hook)));) {
        field(at, "calls", calls, sizeof(calls));
        printf(" %s (%s calls)", hook, calls);
    }
    putchar('\n');
}

static void show_list(struct ctl_frame *f) {
    char *rest = (char *)f->payload;
    for (char *line; (line = strsep(&rest, "\n"));)
        if (*line) show_line(line);
    free(f->payload);
}

/* One question to the guest of that name, its answer to show_it. */
static int ask(const char *name, u16 kind, const char *text, void (*show_it)(struct ctl_frame *f)) {
    struct guest g;
    struct ctl c;
    struct ctl_frame f;
    if (!guest_find(&g, name) || !ctl_open(&c, &g)) return EXIT_FAILED;
    bool ok = ctl_ask(&c, kind, text, strlen(text), CTL_TIMEOUT_MS, &f);
    if (ok) show_it(&f);
    ctl_close(&c);
    return ok ? EXIT_OK : EXIT_FAILED;
}

struct unit {
    const char *name;
    u64 is;
};
static const struct unit sizes[] = {{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}};
static const struct unit times[] = {{"", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}};

static bool amount(const char *name, const char *value, const struct unit units[4], u64 *out) {
    char *end;
    if (!value) return true;
    errno = 0;
    u64 n = strtoull(value, &end, 10);
    for (u32 i = 0; i < 4 && !errno && end != value && *value != '-'; i++)
        if (!strcmp(end, units[i].name) && !__builtin_mul_overflow(n, units[i].is, out)) return true;
    return usage("--%s %s: a whole number, or one with %s, %s or %s", name, value, units[1].name, units[2].name, units[3].name), false;
}

static int load(const char *guest, const struct ext_spec *s, struct ctl_load_options *o) {
    struct guest g;
    struct ctl c;
    struct ctl_frame f;
    struct bytes module = file_read(s->file);
    if (!module.p || !guest_find(&g, guest) || !ctl_open(&c, &g)) return EXIT_FAILED;
    bool ok = ctl_load_module(&c, o, module, &f);
    if (ok) show(&f);
    ctl_close(&c);
    return ok ? EXIT_OK : EXIT_FAILED;
}

static int load_main(int argc, char **argv) {
    struct ctl_load_options o = {0};
    const char *as = NULL, *budget = NULL, *memory = NULL, *words[2];
    const struct opt opts[] = {
        {0, "as", "EXTNAME", "its name in the guest (after the file)", OPT_TEXT, &as},
        {0, "replace", NULL, "upgrade the extension of that name", OPT_FLAG, &o.replace},
        {0, "budget", "TIME", "time for one call: 20ms, 2s, or nanoseconds (the hook's default)", OPT_TEXT, &budget},
        {0, "memory", "SIZE", "limit of its memory: 64M, or bytes (the guest's default)", OPT_TEXT, &memory},
    };
    const struct command c = {"whelk ext load [OPTIONS] NAME FILE[@HOOK[:EXPORT]]",
                              "Loads a WebAssembly module into the running guest NAME. Without @HOOK the module's\n"
                              "exports name its hooks; with it, EXPORT (a handler of type () -> ()) is bound to HOOK.\n",
                              opts, ARRAY_LEN(opts)};
    for (u32 n = 0; n < 2; n++) { /* options may stand between the words */
        int at = opts_parse(&c, argc, argv);
        if (at < 0) return opts_status(at);
        if (at >= argc) return usage("ext load: NAME and FILE, please");
        words[n] = argv[at];
        argc -= at;
        argv += at;
    }
    int at = opts_parse(&c, argc, argv);
    if (at < 0) return opts_status(at);
    if (at != argc) return usage("ext load: %s is one word too many", argv[at]);
    if (!amount("budget", budget, times, &o.budget_ns) || !amount("memory", memory, sizes, &o.max_memory)) return EXIT_USAGE;
    struct ext_spec s = ext_spec_parse(words[1]);
    o.name = as ? as : s.name;
    o.hook = s.hook;
    o.about = s.file;
    if (!*o.name || strlen(o.name) > 63 || strlen(o.hook) > 200) return usage("%s: name or hook is empty or too long", words[1]);
    return load(words[0], &s, &o);
}

struct simple {
    const char *name, *usage, *about;
    u16 kind;
    int min, max; /* words after the verb */
};
static const struct simple simples[] = {
    {"ls", "whelk ext ls NAME [--json]", "Lists the extensions of guest NAME, one a line.\n", CTL_LIST, 1, 1},
    {"stat", "whelk ext stat NAME [EXT]", "Counters of an extension, or of the whole guest, as JSON.\n", CTL_STAT, 1, 2},
    {"resume", "whelk ext resume NAME EXT",
     "Ends a quarantine: the extension goes on with a new instance of its module, its memory as\n"
     "after loading. What led to the quarantine is in `whelk ext stat NAME EXT`.\n", CTL_RESUME, 2, 2},
    {"unload", "whelk ext unload NAME EXT", "Detaches the extension from its hooks and removes it.\n", CTL_UNLOAD, 2, 2},
};

static int simple_main(const struct simple *s, int argc, char **argv) {
    bool json = false;
    const struct opt opts[] = {{0, "json", NULL, "a JSON object for each", OPT_FLAG, &json}};
    const struct command c = {s->usage, s->about, opts, s->kind == CTL_LIST};
    const char *words[2] = {"", ""};
    int count = 0;
    while (argc > 1) { /* options may stand between the words */
        int at = opts_parse(&c, argc, argv);
        if (at < 0) return opts_status(at);
        if (at < argc && count == s->max) return usage("usage: %s", s->usage);
        if (at < argc) words[count++] = argv[at];
        argc -= at;
        argv += at;
    }
    if (count < s->min) return usage("usage: %s", s->usage);
    return ask(words[0], s->kind, words[1], s->kind == CTL_LIST && !json ? show_list : show);
}

int ext_main(int argc, char **argv) {
    if (argc > 1 && !strcmp(argv[1], "load")) return load_main(argc - 1, argv + 1);
    for (u32 i = 0; argc > 1 && i < ARRAY_LEN(simples); i++)
        if (!strcmp(argv[1], simples[i].name)) return simple_main(&simples[i], argc - 1, argv + 1);
    bool help = argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
    FILE *to = help ? stdout : stderr;
    fprintf(to, "usage: whelk ext load [OPTIONS] NAME FILE[@HOOK[:EXPORT]]\n");
    for (u32 i = 0; i < ARRAY_LEN(simples); i++) fprintf(to, "       %s\n", simples[i].usage);
    return help ? EXIT_OK : EXIT_USAGE;
}
