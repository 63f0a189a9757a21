/* main.c: `whelk bench`: engines side by side, in turn, medians.
 *
 * I1 every engine takes one sample of a thing before any takes its next: what
 *    else the machine does meets them all alike.
 * I2 one round more than asked for: the first warms caches and does not count. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/harness.h"
#include "bench/vm.h"
#include "cli/cli.h"

struct options bench_options = {"build/bench", NULL, 9};

#define NATIVE .start = native_start, .load = native_load, .run = native_run, .unload = native_unload
#define PEER .start = peer_start, .load = peer_load, .run = peer_run, .unload = peer_unload, .compile = peer_compile, \
             .micro = peer_micro, .stop = peer_stop
static struct engine engines[] = {
    {.name = "gcc", .where = "gcc", NATIVE, .micro = native_micro},
    {.name = "clang", .where = "clang", NATIVE},
    {.name = "clang-novec", .where = "novec", NATIVE},
    {.name = "whelk", .start = whelk_start, .load = whelk_load, .run = whelk_run, .unload = whelk_unload,
     .compile = whelk_compile, .micro = whelk_micro, .stop = whelk_stop},
    {.name = "v8", .where = "node", .flags = "--no-liftoff --no-wasm-tier-up --no-wasm-lazy-compilation", PEER},
    {.name = "v8-liftoff", .where = "node", .flags = "--liftoff-only --no-wasm-lazy-compilation", PEER},
    {.name = "jsc", .where = "bun", PEER},
    {.name = "wasmtime", .where = "wizer", .start = wizer_start, .load = wizer_load, .run = wizer_run, .compile = wizer_compile},
    {.name = "wasm2c", .where = "wasm2c", NATIVE},
};

u64 bench_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

#define X(id, name, bench) name,
const char *metric_name(enum metric m) { return (const char *const[]){BENCH_METRICS(X)}[m]; }
#undef X
#define X(id, name, bench) bench,
const char *metric_bench(enum metric m) { return (const char *const[]){BENCH_METRICS(X)}[m]; }
#undef X

/* Is the name in a comma-separated list? */
static bool listed(const char *list, const char *name) {
    size_t n = strlen(name);
    for (const char *p = list; p && (p = strstr(p, name)); p += n)
        if ((p == list || p[-1] == ',') && (!p[n] || p[n] == ',')) return true;
    return false;
}

bool bench_wanted(const char *name) { return !bench_options.only || listed(bench_options.only, name); }

static u32 programs_read(struct program *out, u32 most) {
    char line[200], source[32];
    u32 n = 0;
    FILE *f = fopen("bench/suite/programs", "r");
    while (f && n < most && fgets(line, sizeof line, f))
        if (*line != '#' && sscanf(line, "%31s %31s %u", out[n].name, source, &out[n].n) == 3) n += bench_wanted(out[n].name);
    if (f) fclose(f);
    return n;
}

/* ---- programs ---- */

static bool use(const struct engine *e, const bool *in) { return !e->absent && in[e - engines]; }

static void load_all(struct records *r, const struct program *p, bool *in) {
    for (struct engine *e = engines; e < engines + ARRAY_LEN(engines); e++) {
        double ns = -1;
        in[e - engines] = !e->absent && e->load && e->load(e, p, &ns);
    }
}

static bool run_once(struct engine *e, const struct program *p, u32 *want, bool *known, double *ns) {
    u32 sum = 0;
    if (!e->run(e, p->n, &sum, ns)) return false;
    if (!*known) *want = sum, *known = true;
    if (sum == *want) return true;
    fprintf(stderr, "bench: %s: %s answers %08x, the first engine %08x: not counted\n", p->name, e->name, sum, *want);
    return false;
}

static void measure_program(struct records *r, const struct program *p) {
    bool in[ARRAY_LEN(engines)], known = false;
    u32 want = 0;
    load_all(r, p, in);
    for (u32 round = 0; round <= bench_options.rounds; round++)
        for (struct engine *e = engines; e < engines + ARRAY_LEN(engines); e++) {
            double ns;
            if (!use(e, in)) continue;
            if (!run_once(e, p, &want, &known, &ns)) in[e - engines] = false;
            else if (round) record_add(r, p->name, e->name, "run", "ns", ns);
        }
    for (struct engine *e = engines; e < engines + ARRAY_LEN(engines); e++)
        if (!e->absent && e->unload) e->unload(e);
    fprintf(stderr, ".");
}

/* Compile times of the two large modules. */
static void measure_compile(struct records *r, const struct program *p) {
    for (u32 round = 0; round <= bench_options.rounds; round++)
        for (struct engine *e = engines; e < engines + ARRAY_LEN(engines); e++) {
            double ns;
            if (e->absent || !e->compile || !e->compile(e, p, &ns)) continue;
            if (round) record_add(r, p->name, e->name, "compile", "ns", ns);
        }
    fprintf(stderr, ".");
}

static void measure_micro(struct records *r, enum metric m) {
    for (u32 round = 0; round <= bench_options.rounds; round++)
        for (struct engine *e = engines; e < engines + ARRAY_LEN(engines); e++) {
            double ns;
            if (e->absent || !e->micro || !e->micro(e, m, &ns)) continue;
            if (round) record_add(r, metric_bench(m), e->name, metric_name(m), "ns", ns);
        }
    fprintf(stderr, ".");
}

/* ---- the verb ---- */

static void start_all(const char *without) {
    for (struct engine *e = engines; e < engines + ARRAY_LEN(engines); e++) {
        if (listed(without, e->name)) e->absent = "left out";
        else if (!e->start(e) && !e->absent) e->absent = "does not start";
        if (e->absent) fprintf(stderr, "bench: %s: %s\n", e->name, e->absent);
    }
}

static void measure_all(struct records *r) {
    static struct program programs[64];
    u32 n = programs_read(programs, ARRAY_LEN(programs));
    for (u32 m = 0; m < METRIC_COUNT; m++)
        if (bench_wanted("micro")) measure_micro(r, (enum metric)m);
    for (u32 k = 0; k < n; k++) {
        if (!strcmp(programs[k].name, "lua") || !strcmp(programs[k].name, "sqlite")) measure_compile(r, &programs[k]);
        measure_program(r, &programs[k]);
    }
    fprintf(stderr, "\n");
}

static bool report(const struct records *r) {
    char path[300];
    report_table(r, engines, ARRAY_LEN(engines));
    snprintf(path, sizeof path, "%s/bench.svg", bench_options.dir);
    bool ok = report_svg(r, engines, ARRAY_LEN(engines), path);
    snprintf(path, sizeof path, "%s.json", bench_options.dir); /* build/bench.json */
    return report_json(r, path) && ok;
}

int bench_main(int argc, char **argv) {
    const char *rounds = "9", *without = NULL;
    bool vm = false;
    struct records r = {0};
    const struct opt opts[] = {
        {'n', "rounds", "N", "samples of each thing (default 9)", OPT_TEXT, &rounds},
        {'o', "only", "NAMES", "programs of the suite, or micro; comma-separated", OPT_TEXT, &bench_options.only},
        {'w', "without", "NAMES", "engines to leave out, comma-separated", OPT_TEXT, &without},
        {0, "vm", NULL, "inside a VM: instructions, or times where KVM is real (make bench-vm-images)", OPT_FLAG, &vm},
        {'d', "dir", "DIR", "where make bench-suite built it (default build/bench)", OPT_TEXT, &bench_options.dir},
    };
    const struct command c = {"whelk bench [OPTIONS]",
                              "Measures native code, Whelk, and the other engines that are present, in turn, from the\n"
                              "top of the source tree after `make bench-suite`. A table on stdout, DIR.json with one\n"
                              "object a line, DIR/bench.svg. Peers come by `make bench-peers`.\n", opts, ARRAY_LEN(opts)};
    int at = opts_parse(&c, argc, argv);
    if (at < 0) return opts_status(at);
    bench_options.rounds = (u32)strtoul(rounds, NULL, 10);
    if (at != argc || !bench_options.rounds) return usage("usage: %s", c.usage);
    if (vm) return bench_vm();
    start_all(without);
    measure_all(&r);
    if (!r.count) return fail("nothing was measured: `make bench-suite` first, from the top of the tree");
    bool ok = report(&r);
    for (struct engine *e = engines; e < engines + ARRAY_LEN(engines); e++)
        if (!e->absent && e->stop) e->stop(e);
    return ok ? EXIT_OK : EXIT_FAILED;
}
