/* util.c: messages, options, files. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/cli.h"

_Noreturn void assert_fail(const char *what, const char *file, int line) {
    fprintf(stderr, "whelk: our own bug: %s:%d: %s\n", file, line, what);
    abort();
}

int fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("whelk: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return EXIT_FAILED;
}

int usage(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("whelk: ", stderr);
    vfprintf(stderr, format, args);
    fputs(" (--help tells how)\n", stderr);
    va_end(args);
    return EXIT_USAGE;
}

void *need(void *p) {
    if (p) return p;
    fputs("whelk: out of memory\n", stderr);
    exit(EXIT_RUN);
}

void words_add(struct words *w, const char *word) {
    w->items = need(realloc(w->items, (w->count + 1) * sizeof(*w->items)));
    w->items[w->count++] = word;
}

static void opts_help(const struct command *c) {
    printf("usage: %s\n\n%s", c->usage, c->about);
    if (c->opt_count) printf("\nOptions:\n");
    for (u32 i = 0; i < c->opt_count; i++) {
        const struct opt *o = &c->opts[i];
        char left[64];
        snprintf(left, sizeof(left), "%c%c%s --%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
                 o->letter ? "," : " ", o->name, o->value ? " " : "", o->value ? o->value : "");
        printf("  %-34s %s\n", left, o->help);
    }
}

static const struct opt *opt_find(const struct command *c, const char *word, const char **joined) {
    *joined = NULL;
    for (u32 i = 0; i < c->opt_count; i++) {
        const struct opt *o = &c->opts[i];
        size_t n = strlen(o->name);
        if (word[1] == '-' && !strncmp(word + 2, o->name, n) && (word[2 + n] == 0 || word[2 + n] == '=')) {
            if (word[2 + n]) *joined = word + 3 + n;
            return o;
        }
        if (word[1] != '-' && word[1] == o->letter) {
            if (word[2]) *joined = word + 2;
            return o;
        }
    }
    return NULL;
}

/* Takes the option at argv[at]; the index after it, or -1. */
static int opt_take(const struct command *c, int at, int argc, char **argv) {
    const char *value;
    const struct opt *o = opt_find(c, argv[at], &value);
    if (!o) return usage("%s: no option '%s'", argv[0], argv[at]), -1;
    if (o->kind == OPT_FLAG) {
        if (value) return usage("%s: %s takes no value", argv[0], argv[at]), -1;
        *(bool *)o->out = true;
        return at + 1;
    }
    if (!value) {
        if (++at == argc) return usage("%s: --%s needs a value", argv[0], o->name), -1;
        value = argv[at];
    }
    if (o->kind == OPT_LIST) words_add(o->out, value);
    else *(const char **)o->out = value;
    return at + 1;
}

int opts_parse(const struct command *c, int argc, char **argv) {
    int at = 1;
    while (at < argc && argv[at][0] == '-' && argv[at][1]) {
        if (!strcmp(argv[at], "--")) return at + 1;
        if (!strcmp(argv[at], "--help") || !strcmp(argv[at], "-h")) {
            opts_help(c);
            return -2;
        }
        if ((at = opt_take(c, at, argc, argv)) < 0) return -1;
    }
    return at;
}

int opts_operand(const struct command *c, int argc, char **argv) {
    int at = opts_parse(c, argc, argv);
    return at == argc ? usage("usage: %s", c->usage), -1 : at;
}

struct bytes file_read(const char *path) {
    struct bytes none = {NULL, 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st)) {
        fail("%s: %s", path, strerror(errno));
        if (fd >= 0) close(fd);
        return none;
    }
    if (!S_ISREG(st.st_mode)) {
        close(fd);
        return fail("%s: not a regular file", path), none;
    }
    u8 *p = need(malloc((size_t)st.st_size + 1));
    size_t n = 0;
    while (n < (size_t)st.st_size) {
        ssize_t got = read(fd, p + n, (size_t)st.st_size - n);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        n += (size_t)got;
    }
    close(fd);
    if (n < (size_t)st.st_size) {
        free(p);
        return fail("%s: shrank while it was read; try again", path), none;
    }
    return (struct bytes){p, n};
}

bool write_all(int fd, const void *p, size_t n) {
    for (const u8 *at = p; n;) {
        ssize_t put = write(fd, at, n);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return false;
        at += put;
        n -= (size_t)put;
    }
    return true;
}

struct ext_spec ext_spec_parse(const char *text) {
    struct ext_spec s;
    const char *at = strrchr(text, '@');
    s.file = need(at ? strndup(text, (size_t)(at - text)) : strdup(text));
    s.hook = need(strdup(at ? at + 1 : ""));
    const char *base = strrchr(s.file, '/');
    s.name = need(strdup(base ? base + 1 : s.file));
    size_t n = strlen(s.name);
    if (n > 5 && !strcmp(s.name + n - 5, ".wasm")) s.name[n - 5] = 0;
    return s;
}
