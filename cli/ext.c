/* ext.c: `whelk ext`: load, ls, stat, unload. */
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

/* One question to the guest of that name, its answer on standard output. */
static int ask(const char *name, u16 kind, const char *text) {
    struct guest g;
    struct ctl c;
    struct ctl_frame f;
    if (!guest_find(&g, name) || !ctl_open(&c, &g)) return EXIT_FAILED;
    bool ok = ctl_ask(&c, kind, text, strlen(text), CTL_TIMEOUT_MS, &f);
    if (ok) show(&f);
    ctl_close(&c);
    return ok ? EXIT_OK : EXIT_FAILED;
}

static bool size_option(const char *name, const char *value, u64 *out) {
    char *end;
    if (!value) return true;
    errno = 0;
    *out = strtoull(value, &end, 10);
    if (!errno && end != value && !*end && *value != '-') return true;
    return usage("--%s %s: a whole number", name, value), false;
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
        {0, "budget", "NS", "time for one call, in nanoseconds (the hook's default)", OPT_TEXT, &budget},
        {0, "memory", "BYTES", "limit of its memory (the guest's default)", OPT_TEXT, &memory},
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
    if (!size_option("budget", budget, &o.budget_ns) || !size_option("memory", memory, &o.max_memory)) return EXIT_USAGE;
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
    {"ls", "whelk ext ls NAME", "Lists the extensions of guest NAME, one JSON object a line.\n", CTL_LIST, 1, 1},
    {"stat", "whelk ext stat NAME [EXT]", "Counters of an extension, or of the whole guest, as JSON.\n", CTL_STAT, 1, 2},
    {"unload", "whelk ext unload NAME EXT", "Detaches the extension from its hooks and removes it.\n", CTL_UNLOAD, 2, 2},
};

static int simple_main(const struct simple *s, int argc, char **argv) {
    const struct command c = {s->usage, s->about, NULL, 0};
    int at = opts_parse(&c, argc, argv);
    if (at < 0) return opts_status(at);
    if (argc - at < s->min || argc - at > s->max) return usage("usage: %s", s->usage);
    return ask(argv[at], s->kind, argc - at > 1 ? argv[at + 1] : "");
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
