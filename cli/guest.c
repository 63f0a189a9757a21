#include "cli/guest.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

static void base_dir(char out[160]) {
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (!runtime || !*runtime || strlen(runtime) > 40) runtime = "/tmp";
    snprintf(out, 160, "%s/whelk-%u", runtime, (unsigned)getuid());
}

/* The base folder must be ours alone: in /tmp somebody else could have made it. */
static bool base_make(char out[160]) {
    struct stat st;
    base_dir(out);
    if (mkdir(out, 0700) && errno != EEXIST) return fail("%s: %s", out, strerror(errno)), false;
    if (lstat(out, &st) || !S_ISDIR(st.st_mode) || st.st_uid != getuid() || (st.st_mode & 077))
        return fail("%s: not a folder of yours alone (mode 0700): remove it, or set XDG_RUNTIME_DIR", out), false;
    return true;
}

bool guest_name_ok(const char *name) {
    size_t n = strlen(name);
    if (!n || n > GUEST_NAME_MAX || name[0] == '.' || name[0] == '-') return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i])) return false;
    return true;
}

static void set_name(struct guest *g, const char *base, const char *name) {
    snprintf(g->name, sizeof(g->name), "%.*s", GUEST_NAME_MAX, name);
    snprintf(g->dir, sizeof(g->dir), "%s/%s", base, g->name);
}

const char *guest_path(const struct guest *g, const char *file, char out[256]) {
    snprintf(out, 256, "%s/%s", g->dir, file);
    return out;
}

int guest_pid(const struct guest *g) {
    char path[256];
    FILE *f = fopen(guest_path(g, "pid", path), "re");
    int pid = 0;
    if (!f) return 0;
    if (fscanf(f, "%d", &pid) != 1 || pid <= 0 || (kill(pid, 0) && errno == ESRCH)) pid = 0;
    fclose(f);
    return pid;
}

bool guest_put(const struct guest *g, const char *file, const char *text) {
    char path[256];
    FILE *f = fopen(guest_path(g, file, path), "we");
    if (!f || fprintf(f, "%s\n", text) < 0 || fclose(f)) return fail("%s: %s", path, strerror(errno)), false;
    return true;
}

/* mkdir decides who gets a name; what a dead guest left is cleared first. */
static bool claim(struct guest *g) {
    if (!mkdir(g->dir, 0700)) return true;
    if (errno != EEXIST || guest_pid(g)) return false;
    guest_remove(g);
    return !mkdir(g->dir, 0700);
}

/* The program's file name, made fit for a guest's. */
static void derive_name(const char *program, char out[GUEST_NAME_MAX - 4]) {
    const char *base = strrchr(program, '/');
    snprintf(out, GUEST_NAME_MAX - 4, "%s", base ? base + 1 : program);
    for (char *p = out; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '_' && (*p != '.' || p == out)) *p = '_';
    if (!*out) strcpy(out, "guest");
}

bool guest_create(struct guest *g, const char *name, const char *program) {
    char base[160], derived[GUEST_NAME_MAX - 4], text[16];
    if (!base_make(base)) return false;
    bool ok = false;
    if (name) {
        if (!guest_name_ok(name)) return fail("--name %s: use letters, digits, dot, dash, underscore", name), false;
        set_name(g, base, name);
        if (!(ok = claim(g))) fail("a guest named %s runs already: stop it, or choose another --name", name);
    } else {
        derive_name(program, derived);
        for (int i = 1; i < 100 && !ok; i++) {
            char numbered[GUEST_NAME_MAX];
            snprintf(numbered, sizeof(numbered), i == 1 ? "%s" : "%s-%d", derived, i);
            set_name(g, base, numbered);
            ok = claim(g);
        }
        if (!ok) fail("%s: %s", g->dir, strerror(errno));
    }
    if (!ok) return false;
    snprintf(text, sizeof(text), "%d", getpid());
    return guest_put(g, "pid", text) && guest_put(g, "program", program);
}

bool guest_find(struct guest *g, const char *name) {
    char base[160];
    base_dir(base);
    if (guest_name_ok(name)) {
        set_name(g, base, name);
        if (guest_pid(g)) return true;
    }
    return fail("no guest named %s runs (whelk ps lists them)", name), false;
}

bool guest_find_any(struct guest *g, const char *name) {
    char base[160];
    int status;
    base_dir(base);
    if (guest_name_ok(name)) {
        set_name(g, base, name);
        if (guest_pid(g) || guest_status(g, &status)) return true;
    }
    return fail("no guest named %s (whelk ps -a lists them)", name), false;
}

void guest_keep(const struct guest *g, int status) {
    static const char *const gone[] = {"ctl.sock", "qmp.sock", "gdb.sock", "initrd", "kernel", "process"};
    char path[256], text[16];
    for (u32 i = 0; i < ARRAY_LEN(gone); i++) unlink(guest_path(g, gone[i], path));
    snprintf(text, sizeof(text), "%d", status);
    guest_put(g, "status", text);
    unlink(guest_path(g, "pid", path)); /* last: without it the guest has ended */
}

bool guest_status(const struct guest *g, int *status) {
    char path[256];
    FILE *f = fopen(guest_path(g, "status", path), "re");
    bool ok = f && fscanf(f, "%d", status) == 1;
    if (f) fclose(f);
    return ok;
}

bool guest_text(const struct guest *g, const char *file, char out[GUEST_TEXT]) {
    char path[256];
    *out = 0;
    FILE *f = fopen(guest_path(g, file, path), "re");
    if (!f) return false;
    if (fgets(out, GUEST_TEXT, f)) out[strcspn(out, "\n")] = 0;
    fclose(f);
    return *out;
}

void guest_program(const struct guest *g, char out[200]) {
    char text[GUEST_TEXT];
    snprintf(out, 200, "%.199s", guest_text(g, "program", text) ? text : "?");
}

void guest_remove(const struct guest *g) {
    static const char *const files[] = {"status", "ctl.sock", "qmp.sock", "gdb.sock", "pid", "program",
                                        "kernel", "process", "console.log", "initrd"};
    char path[256];
    for (u32 i = 0; i < ARRAY_LEN(files); i++) unlink(guest_path(g, files[i], path));
    rmdir(g->dir);
}

void guest_each(bool all, void (*each)(const struct guest *g, void *arg), void *arg) {
    char base[160];
    struct dirent **names;
    base_dir(base);
    int count = scandir(base, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        struct guest g;
        if (guest_name_ok(names[i]->d_name)) {
            set_name(&g, base, names[i]->d_name);
            int status;
            if (guest_pid(&g) || (all && guest_status(&g, &status))) each(&g, arg);
        }
        free(names[i]);
    }
    if (count >= 0) free(names);
}
