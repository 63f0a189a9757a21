#include "cli/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/core.h"

enum { NAMES = 9, SHOWN = 200 };

bool crash_base(struct crash *c, const char *option) {
    struct stat st;
    c->base = NULL;
    if (option && !strcmp(option, "none")) return true;
    c->base = realpath(option ? option : ".", NULL);
    if (!option || (c->base && !stat(c->base, &st) && S_ISDIR(st.st_mode))) return true;
    return usage("--crash-dir %s: not a folder", option), false;
}

static const char *path_of(const struct crash *c, const char *file, char out[CRASH_PATH]) {
    snprintf(out, CRASH_PATH, "%.4000s/%s", c->dir, file);
    return out;
}

static void name_folder(struct crash *c, int number) {
    char when[32], suffix[8] = "";
    time_t now = time(NULL);
    struct tm t;
    strftime(when, sizeof(when), "%Y%m%d-%H%M%S", gmtime_r(&now, &t));
    if (number > 1) snprintf(suffix, sizeof(suffix), "-%d", number);
    snprintf(c->dir, sizeof(c->dir), "%.3900s/%s-crash-%s%s", c->base, c->name, when, suffix);
}

bool crash_begin(struct crash *c, char core[CRASH_PATH]) {
    if (!c->base) return false;
    for (int i = 1; i <= NAMES; i++) {
        name_folder(c, i);
        if (!mkdir(c->dir, 0700)) return path_of(c, "core", core), true;
        if (errno != EEXIST) break;
    }
    return fail("no crash report: %s: %s (--crash-dir names another place)", c->dir, strerror(errno)), false;
}

void crash_abandon(struct crash *c) {
    char path[CRASH_PATH];
    unlink(path_of(c, "core", path));
    rmdir(c->dir);
}

/* --- the report --- */

/* A guest's bytes must not move a terminal's cursor. */
static void clean(char *text, u32 n) {
    for (u32 i = 0; i < n; i++)
        if (text[i] != '\n' && text[i] != '\t' && (text[i] < 0x20 || text[i] > 0x7e)) text[i] = '?';
}

/* The line that begins at p, shortened. */
static void line_at(const char *p, char out[SHOWN]) { snprintf(out, SHOWN, "%.*s", (int)strcspn(p, "\n"), p); }

/* What happened, and in which function: the panic's line and the backtrace's first. */
static void summarise(const char *text, char what[SHOWN], char where[SHOWN]) {
    const char *from = !strncmp(text, "panic: ", 7) ? text + 7 : text, *trace = strstr(text, "\nbacktrace:\n  ");
    line_at(from, what);
    line_at(trace ? trace + 14 : "", where);
    const char *function = strchr(where, ' '); /* ADDRESS FUNCTION+OFFSET */
    if (function) memmove(where, function + 1, strlen(function));
}

static bool write_report(const struct crash *c, const char *text) {
    char path[CRASH_PATH], when[64];
    time_t now = time(NULL);
    struct tm t;
    FILE *f = fopen(path_of(c, "report.txt", path), "we");
    if (!f) return fail("%s: %s", path, strerror(errno)), false;
    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&now, &t));
    fprintf(f, "guest    %s, %s\nwhen     %s\nkernel   %s (its copy is beside this file)\n\n%s", c->name, c->program, when,
            c->kernel, text);
    if (!fclose(f)) return true;
    return fail("%s: %s", path, strerror(errno)), false;
}

static void copy_kernel(const struct crash *c) {
    char path[CRASH_PATH];
    struct bytes kernel = file_read(c->kernel);
    int fd = kernel.p ? open(path_of(c, "kernel", path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (kernel.p && (fd < 0 || !write_all(fd, kernel.p, kernel.n))) fail("%s: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    free((void *)(uptr)kernel.p);
}

static void tell(const struct crash *c, const char *text) {
    char what[SHOWN], where[SHOWN];
    summarise(text, what, where);
    fail("%s: the kernel panicked: %s%s%s%s\n"
         "  report: %s/report.txt\n"
         "  memory: gdb %s/kernel %s/core",
         c->name, what, *where ? " (in " : "", where, *where ? ")" : "", c->dir, c->dir, c->dir);
}

/* The text of the record, ended, in place; or that there is none. */
static const char *text_of(struct core *core, struct crash_record *r) {
    bool found = core_record(core, r);
    if (!found) r->length = (u32)snprintf(r->text, CRASH_TEXT, "panic: unknown: the kernel left no record of it\n");
    if (r->length == CRASH_TEXT) r->length--;
    r->text[r->length] = 0;
    clean(r->text, r->length);
    if (found && r->registers.rip) core_set_registers(core, &r->registers);
    return r->text;
}

void crash_end(struct crash *c) {
    char path[CRASH_PATH];
    struct core core;
    struct crash_record *r = need(calloc(1, sizeof(*r)));
    chmod(path_of(c, "core", path), 0600); /* QEMU's is read-only */
    if (core_open(&core, path)) {
        const char *text = text_of(&core, r);
        core_make_sparse(&core);
        core_close(&core);
        copy_kernel(c);
        if (write_report(c, text)) tell(c, text);
    }
    free(r);
}
