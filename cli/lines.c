/* lines.c: see lines.h; and `whelk lines`.
 *
 * I1 the compiler is a function of module, CPU and mode: what it makes here is what
 *    it made there, byte for byte. So no table of lines is ever in a guest.
 * I2 DWARF of WebAssembly counts from the code section's contents. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cursor.h"
#include "cli/cli.h"
#include "cli/host_rt.h"
#include "cli/lines.h"
#include "jit/jit.h"

struct lines {
    const char *file;
    struct bytes in;
    struct arena arena, scratch;
    struct wasm_module module;
    struct jit_code code;
    u32 section; /* where the code section's contents begin */
};

static u32 code_section(struct bytes in) {
    enum { HEADER = 8, CODE = 10 };
    struct cursor c = cursor_of(in);
    struct bytes skipped;
    u8 id;
    u32 size;
    if (take_bytes(&c, HEADER, &skipped)) return 0;
    while (!take_u8(&c, &id) && !take_leb_u32(&c, &size)) {
        if (id == CODE) return (u32)cursor_at(&c);
        if (take_bytes(&c, size, &skipped)) return 0;
    }
    return 0;
}

static const char *compile(struct lines *l, u32 cpu, bool checked) {
    struct wasm_error bad;
    struct jit_error why;
    if (wasm_decode(&l->arena, l->in, &l->module, &bad) || wasm_validate(&l->arena, &l->module, &bad)) return "it is no valid module";
    u32 *ids = need(calloc(l->module.type_count + 1, sizeof *ids));
    for (u32 k = 0; k < l->module.type_count; k++) ids[k] = 1 + l->module.types[k].canon;
    struct jit_options o = {.cpu = cpu, .checked_memory = checked, .type_ids = ids, .lines = true};
    enum err e = jit_compile(&l->arena, &l->scratch, &l->module, &o, &l->code, &why);
    free(ids);
    return e ? "it does not compile" : NULL;
}

struct lines *lines_open(const char *file, u32 cpu, bool checked, bool quiet) {
    struct lines *l = need(calloc(1, sizeof *l));
    l->file = file;
    arena_init(&l->arena, &host_heap, 0);
    arena_init(&l->scratch, &host_heap, 0);
    l->in = file_read(file);
    const char *why = l->in.p ? compile(l, cpu, checked) : "";
    l->section = why ? 0 : code_section(l->in);
    if (!why) return l;
    if (*why && !quiet) fail("%s: %s; `whelk check %s` tells more", file, why, file);
    lines_close(l);
    return NULL;
}

void lines_close(struct lines *l) {
    if (!l) return;
    arena_reset(&l->arena);
    arena_reset(&l->scratch);
    free((void *)l->in.p);
    free(l);
}

bool lines_known(const struct lines *l) { return l->module.has_lines; }

/* In the module; 0: not known. */
static u32 offset_of(const struct lines *l, u32 func, u32 at) {
    const struct jit_code *c = &l->code;
    u32 first = l->module.imported_funcs;
    if (func < first || func - first >= c->func_count) return 0;
    u32 pc = c->funcs[func - first].entry + at, found = 0;
    if (pc >= c->funcs[func - first].end || pc < at) return 0;
    for (u32 k = 0; k < c->line_count && c->lines[k].pc <= pc; k++) found = c->lines[k].offset;
    return found;
}

static const char *symbolizer(void) {
    static const char *const names[] = {"llvm-symbolizer-19", "llvm-symbolizer", "llvm-symbolizer-14"};
    char path[300];
    for (u32 k = 0; k < ARRAY_LEN(names); k++) {
        const char *dirs = getenv("PATH");
        for (const char *p = dirs ? dirs : "/usr/bin"; *p; p += strcspn(p, ":"), p += *p == ':') {
            snprintf(path, sizeof path, "%.*s/%s", (int)MIN(strcspn(p, ":"), (size_t)200), p, names[k]);
            if (!access(path, X_OK)) return names[k];
        }
    }
    return NULL;
}

/* Runs the symbolizer, without a shell; what it writes goes to the result. */
static FILE *ask(const char *tool, const char *file, u32 address, pid_t *pid) {
    char object[4200], where[16];
    int ends[2];
    if (snprintf(object, sizeof object, "--obj=%s", file) >= (int)sizeof object || pipe2(ends, O_CLOEXEC)) return NULL;
    snprintf(where, sizeof where, "0x%x", address);
    *pid = fork();
    if (!*pid) {
        dup2(ends[1], 1);
        execlp(tool, tool, "--no-inlines", "--functions=none", object, where, (char *)NULL);
        _exit(EXIT_NOT_FOUND);
    }
    close(ends[1]);
    return *pid > 0 ? fdopen(ends[0], "r") : NULL;
}

bool lines_find(struct lines *l, u32 func, u32 at, char *out, size_t cap) {
    u32 offset = offset_of(l, func, at);
    const char *tool = symbolizer();
    char answer[600] = "";
    pid_t pid = -1;
    if (!offset || !l->section) return false;
    if (tool) {
        FILE *from = ask(tool, l->file, offset - l->section, &pid);
        if (from && !fgets(answer, sizeof answer, from)) answer[0] = 0;
        if (from) fclose(from);
        if (pid > 0) waitpid(pid, NULL, 0);
    }
    answer[strcspn(answer, "\n")] = 0;
    bool known = answer[0] && answer[0] != '?';
    if (known) snprintf(out, cap, "%s", answer);
    else snprintf(out, cap, "offset 0x%x of the module%s", offset, tool ? "" : "; lines need llvm-symbolizer (Debian: llvm)");
    return true;
}

/* "function 12 +0x1c" in text: behind it, or NULL. */
static const char *place_in(const char *text, u32 *func, u32 *at) {
    for (const char *p = strstr(text, "function "); p; p = strstr(p + 1, "function ")) {
        int n = 0;
        if (sscanf(p, "function %u +0x%x%n", func, at, &n) == 2 && n) return p + n;
    }
    return NULL;
}

void lines_print(struct lines *l, FILE *out, const char *text) {
    char line[700];
    u32 func, at;
    const char *rest = place_in(text, &func, &at);
    if (rest && lines_find(l, func, at, line, sizeof line)) fprintf(out, "%.*s (%s)%s\n", (int)(rest - text), text, line, rest);
    else fprintf(out, "%s\n", text);
}

/* --- the verb --- */

static int filter(struct lines *l) {
    char *text = NULL;
    size_t room = 0;
    for (ssize_t n; (n = getline(&text, &room, stdin)) >= 0;) {
        if (n && text[n - 1] == '\n') text[n - 1] = 0;
        lines_print(l, stdout, text);
        fflush(stdout); /* of a log that is followed */
    }
    free(text);
    return EXIT_OK;
}

static int each(struct lines *l, int count, char **places) {
    for (int k = 0; k < count; k++) {
        char line[700];
        u32 func, at;
        int n = 0;
        if (sscanf(places[k], "%u+%x%n", &func, &at, &n) != 2 || places[k][n]) return usage("lines: %s: want FUNCTION+OFFSET, as in 12+0x1c", places[k]);
        bool known = lines_find(l, func, at, line, sizeof line);
        printf("%s %s\n", places[k], known ? line : "??");
    }
    return EXIT_OK;
}

int lines_main(int argc, char **argv) {
    struct rt_host host;
    const char *cpu = NULL;
    bool checked = false;
    host_rt_fill(&host);
    const struct opt opts[] = {
        {0, "cpu", "FEATURES", "of the machine that compiled it, as its log says (default: this one's)", OPT_TEXT, &cpu},
        {0, "checked", NULL, "its accesses to memory were checked in code", OPT_FLAG, &checked},
    };
    const struct command c = {
        "whelk lines [OPTIONS] FILE.wasm [FUNCTION+OFFSET ...]",
        "Source lines for the backtraces of traps, from the module's DWARF (clang and rustc: -g). Without\n"
        "places it copies its input, and adds to each line that names one:\n\n"
        "  whelk logs web | whelk lines --cpu 0x1f filter.wasm\n",
        opts, ARRAY_LEN(opts)};
    int at = opts_parse(&c, argc, argv);
    if (at < 0) return opts_status(at);
    if (at == argc) return usage("lines: which FILE.wasm?");
    char *end = NULL;
    u32 features = cpu ? (u32)strtoul(cpu, &end, 0) : host.cpu;
    if (cpu && (*end || end == cpu)) return usage("lines: --cpu %s: want a number, as in 0x1f", cpu);
    struct lines *l = lines_open(argv[at], features, checked, false);
    if (!l) return EXIT_FAILED;
    int status = at + 1 < argc ? each(l, argc - at - 1, argv + at + 1) : filter(l);
    lines_close(l);
    return status;
}
