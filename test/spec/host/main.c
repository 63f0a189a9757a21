/* main.c: the hosted spec run. main PACK [SCRIPT] [--deferred] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/host_rt.h"
#include "jit/jit.h"
#include "test/spec/runner.h"

static void print(const char *text, size_t n) { fwrite(text, 1, n, stdout); }

static struct bytes read_file(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f) return (struct bytes){NULL, 0};
    fseek(f, 0, SEEK_END);
    size_t n = (size_t)ftell(f);
    rewind(f);
    u8 *p = malloc(n);
    n = fread(p, 1, n, f);
    fclose(f);
    return (struct bytes){p, n};
}

/* SPEC_CPU: baseline, as qemu64; sse4: without what has VEX. */
static u32 cpu_as(u32 cpu, const char *name) {
    if (name && !strcmp(name, "baseline")) return 0;
    if (name && !strcmp(name, "sse4")) return cpu & (JIT_CPU_SSE41 | JIT_CPU_POPCNT | JIT_CPU_LZCNT);
    return cpu;
}

int main(int argc, char **argv) {
    struct rt_host host;
    struct rt_engine *engine;
    struct spec_counts counts;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 2) return 2;
    struct bytes pack = read_file(argv[1]);
    if (!pack.p) {
        fprintf(stderr, "spec: cannot read %s\n", argv[1]);
        return 2;
    }
    host_rt_fill(&host);
    host.cpu = cpu_as(host.cpu, getenv("SPEC_CPU"));
    host.checked_memory = getenv("SPEC_CHECKED") != NULL; /* without guard pages */
    if (rt_engine_init(&engine, &host) || host_rt_install(engine) || host_rt_thread()) return 2;
    struct spec_options o = {.engine = engine, .print = print, .label = ""};
    for (int i = 2; i < argc; i++)
        if (!strcmp(argv[i], "--deferred")) o.list_deferred = true;
        else o.only = argv[i];
    bool ok = spec_run(&o, pack, &counts);
    rt_engine_free(engine);
    free((void *)pack.p);
    return ok ? 0 : 1;
}
