/* native.c: programs as shared objects of this process: gcc, clang, wasm2c;
 * and the floors: calls that no engine can beat. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/harness.h"
#include "cli/cli.h"

struct native {
    void *so;
    u32 (*run)(u32 n);
};

bool native_start(struct engine *e) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s", bench_options.dir, e->where);
    e->state = need(calloc(1, sizeof(struct native)));
    if (access(path, R_OK)) e->absent = "its programs are not built";
    return !e->absent;
}

bool native_load(struct engine *e, const struct program *p, double *compile_ns) {
    struct native *s = e->state;
    char path[300];
    snprintf(path, sizeof path, "%s/%s/%s.so", bench_options.dir, e->where, p->name);
    if (access(path, R_OK)) return false;
    s->so = dlopen(path, RTLD_LAZY | RTLD_LOCAL); /* imports that are never called stay open */
    if (!s->so) {
        fprintf(stderr, "bench: %s: %s\n", path, dlerror());
        return false;
    }
    s->run = (u32(*)(u32))(uptr)dlsym(s->so, "run");
    return s->run != NULL;
}

bool native_run(struct engine *e, u32 n, u32 *sum, double *ns) {
    struct native *s = e->state;
    u64 start = bench_now();
    *sum = s->run(n);
    *ns = (double)(bench_now() - start);
    return true;
}

void native_unload(struct engine *e) {
    struct native *s = e->state;
    if (s->so) dlclose(s->so);
    s->so = NULL;
}

/* ---- the floors ---- */

enum { CALLS = 1000000 };

__attribute__((noipa)) static void nop(void) { __asm__ volatile(""); }
__attribute__((noipa)) static u32 add(u32 a, u32 b) {
    __asm__ volatile("" : "+r"(a));
    return a + b;
}
static void nop_other(void) { __asm__ volatile("" : : : "memory"); }
static u32 add_other(u32 a, u32 b) {
    __asm__ volatile("" : "+r"(b));
    return b + a;
}

/* Two callees in turn, as everywhere here. */
static void indirect_loop(void) {
    void (*volatile pick[2])(void) = {nop, nop_other};
    void (*f[2])(void) = {pick[0], pick[1]};
    for (u32 i = 0; i < CALLS; i++) f[i & 1]();
}

static u32 indirect2_loop(void) {
    u32 (*volatile pick[2])(u32, u32) = {add, add_other};
    u32 (*f[2])(u32, u32) = {pick[0], pick[1]}, sum = 0;
    for (u32 i = 0; i < CALLS; i++) sum = f[i & 1](sum, i);
    return sum;
}

static u32 direct_loop(void) {
    u32 sum = 0;
    for (u32 i = 0; i < CALLS; i++) sum = add(sum, i);
    return sum;
}

/* call: an indirect call; hostcall: a direct one; indirect: one with arguments. */
bool native_micro(struct engine *e, enum metric m, double *ns) {
    volatile u32 sink;
    u64 start = bench_now();
    switch (m) {
    case METRIC_CALL: indirect_loop(); break;
    case METRIC_CALL2:
    case METRIC_INDIRECT: sink = indirect2_loop(); break;
    case METRIC_HOSTCALL: sink = direct_loop(); break;
    default: return false;
    }
    (void)sink;
    *ns = (double)(bench_now() - start) / CALLS;
    return true;
}
