/* cache.c: make bench-cache: what a load takes that compiles, and one that finds the code
 * in a cache: CPU time of the thread, the two in turn, medians.
 *
 * bench-cache DIRECTORY ROUNDS FILE.wasm... */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/host_cache.h"
#include "cli/host_rt.h"

enum { ROUNDS_MAX = 999 };

static struct host_cache cache;
static struct rt_engine *engines[2]; /* without, with the cache */

static double cpu_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static bool open_engines(const char *dir) {
    if (!host_cache_open(&cache, dir, HOST_CACHE_LIMIT)) return false;
    for (u32 k = 0; k < 2; k++) {
        struct rt_host host;
        host_rt_fill(&host);
        if (k) host.cache = &cache.cache;
        if (rt_engine_init(&engines[k], &host)) return false;
    }
    return true;
}

/* False: it says why. The first load with the cache may have to fill it. */
static bool load(struct bytes in, u32 k, bool first, double *ms) {
    struct rt_module *m;
    struct rt_error error;
    double start = cpu_ms();
    if (rt_module_load(engines[k], in, NULL, &m, &error)) return fail("%s", error.text), false;
    *ms = cpu_ms() - start;
    bool as_wanted = first || rt_module_cached(m) == (k == 1);
    rt_module_free(m);
    return as_wanted || (fail("the code was not kept: a module of less than 16 KiB?"), false);
}

static int measure(const char *file, u32 rounds) {
    static double ms[2][ROUNDS_MAX];
    double unused;
    struct bytes in = file_read(file);
    if (!in.p) return EXIT_FAILED;
    bool ok = load(in, 0, true, &unused) && load(in, 1, true, &unused);
    for (u32 r = 0; ok && r < rounds; r++) ok = load(in, 0, false, &ms[0][r]) && load(in, 1, false, &ms[1][r]);
    free((void *)(uptr)in.p);
    if (!ok) return fail("%s", file);
    for (u32 k = 0; k < 2; k++) qsort(ms[k], rounds, sizeof ms[k][0], ascending);
    double compiled = ms[0][rounds / 2], found = ms[1][rounds / 2];
    printf("%s: %zu bytes: compiled %.2f ms (least %.2f), from the cache %.2f ms (least %.2f): %.1f times\n", file, in.n, compiled,
           ms[0][0], found, ms[1][0], compiled / found);
    return EXIT_OK;
}

int main(int argc, char **argv) {
    u32 rounds = argc > 2 ? (u32)atoi(argv[2]) : 0;
    if (argc < 4 || rounds < 1 || rounds > ROUNDS_MAX) return usage("bench-cache DIRECTORY ROUNDS FILE.wasm...");
    if (!open_engines(argv[1])) return fail("%s: no directory for a cache, or no memory", argv[1]);
    int status = EXIT_OK;
    for (int k = 3; k < argc && !status; k++) status = measure(argv[k], rounds);
    return status;
}
