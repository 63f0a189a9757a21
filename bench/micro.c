/* micro.c: what the engine itself costs: a small module's way from bytes to
 * code, instances, calls in every direction. Two of each in turn.
 *
 * I1 a sample of a call is the mean of CALLS, of a compile or a life of REPEAT, of CPU
 *    time of LIVES. REPEAT loads take less than a slice of the scheduler, or the mean would
 *    hold a slice of somebody else in each sample. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/harness.h"
#include "cli/cli.h"
#include "rt/enter.h"

enum { CALLS = 200000, REPEAT = 40, BATCH = 32, LIVES = 100000 };

struct calls {
    struct rt_store *store[2];
    struct rt_instance *instance[2];
    struct rt_callable nop[2], add[2], hostcall[2], indirect[2];
};

static struct bytes tiny, filter;
static struct rt_module *tiny_module, *calls_module;
static struct rt_linker *linker;
static struct calls calls;

static u64 host_add(struct abi_ctx *caller, u32 a, u32 b) { return a + b; }

static struct bytes text(const char *s) { return (struct bytes){(const u8 *)s, strlen(s)}; }

static struct rt_module *load(struct bytes in) {
    struct rt_module *m = NULL;
    struct rt_error error = {0};
    if (rt_module_load(whelk_engine(), in, NULL, &m, &error)) fprintf(stderr, "bench: whelk: %s\n", error.text);
    return m;
}

static struct rt_instance *create(struct rt_store *s, struct rt_module *m) {
    struct rt_instance *i = NULL;
    struct rt_error error = {0};
    enum abi_trap trap;
    if (rt_instantiate(s, m, linker, &i, &trap, &error)) fprintf(stderr, "bench: whelk: %s\n", error.text);
    return i;
}

static bool open_calls(void) {
    struct calls *c = &calls;
    for (u32 k = 0; k < 2; k++) {
        if (rt_store_new(whelk_engine(), NULL, &c->store[k])) return false;
        c->instance[k] = create(c->store[k], calls_module);
        if (!c->instance[k]) return false;
        rt_find_func(c->instance[k], text("nop"), &c->nop[k]);
        rt_find_func(c->instance[k], text("add"), &c->add[k]);
        rt_find_func(c->instance[k], text("hostcall"), &c->hostcall[k]);
        rt_find_func(c->instance[k], text("indirect"), &c->indirect[k]);
    }
    return true;
}

static bool ready(void) {
    static bool tried, ok;
    if (tried) return ok;
    tried = true;
    struct bytes in = whelk_file("micro", "calls");
    tiny = whelk_file("micro", "tiny");
    filter = whelk_file("micro", "filter");
    if (!in.p || !tiny.p || !filter.p || rt_linker_new(whelk_engine(), &linker)) return false;
    if (rt_define_func(linker, "env", "host", "ii:i", (const void *)(uptr)host_add)) return false;
    calls_module = load(in);
    tiny_module = load(tiny);
    free((void *)in.p);
    return ok = calls_module && tiny_module && open_calls();
}

void micro_stop(void) {
    for (u32 k = 0; k < 2; k++) rt_store_free(calls.store[k]);
    rt_module_free(calls_module);
    rt_module_free(tiny_module);
    rt_linker_free(linker);
    free((void *)tiny.p);
    free((void *)filter.p);
}

/* ---- modules ---- */

static double compile(struct bytes in) {
    struct rt_module *live[2] = {NULL, NULL};
    u64 spent = 0;
    for (u32 k = 0; k < REPEAT; k++) {
        rt_module_free(live[k & 1]);
        u64 start = bench_now();
        live[k & 1] = load(in);
        spent += bench_now() - start;
    }
    rt_module_free(live[0]);
    rt_module_free(live[1]);
    return (double)spent / REPEAT;
}

static void call_nop(struct rt_instance *i) {
    struct rt_callable f;
    union abi_value none[1] = {{.bits = {0, 0}}};
    if (!rt_find_func(i, text("nop"), &f)) rt_call(&f, none);
}

static void call_write(struct rt_instance *i) {
    struct rt_callable f;
    union abi_value vals[2] = {{.bits = {128, 0}}, {.bits = {7, 0}}};
    if (!rt_find_func(i, text("write_at"), &f)) rt_call(&f, vals);
}

static double first_call(struct rt_store *s) {
    u64 spent = 0;
    for (u32 k = 0; k < REPEAT; k++) {
        u64 start = bench_now();
        struct rt_module *m = load(tiny);
        struct rt_instance *i = create(s, m);
        call_nop(i);
        spent += bench_now() - start;
        rt_instance_free(i);
        rt_module_free(m);
    }
    return (double)spent / REPEAT;
}

/* ---- instances ---- */

static double create_batches(struct rt_store *s, bool destroying) {
    struct rt_instance *live[BATCH];
    u64 spent[2] = {0, 0};
    for (u32 k = 0; k < REPEAT; k++) {
        u64 start = bench_now();
        for (u32 i = 0; i < BATCH; i++) live[i] = create(s, tiny_module);
        u64 middle = bench_now();
        for (u32 i = 0; i < BATCH; i++) call_write(live[i]);
        u64 end = bench_now();
        for (u32 i = 0; i < BATCH; i++) rt_instance_free(live[i]);
        spent[0] += middle - start;
        spent[1] += bench_now() - end;
    }
    return (double)spent[destroying] / REPEAT / BATCH;
}

static double life(struct rt_store *s) {
    u64 start = bench_now();
    for (u32 k = 0; k < REPEAT * BATCH; k++) {
        struct rt_instance *i = create(s, tiny_module);
        call_write(i);
        rt_instance_free(i);
    }
    return (double)(bench_now() - start) / REPEAT / BATCH;
}

/* User and system time of this process. */
static u64 cpu_now(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (u64)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000000 + (u64)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1000;
}

static double life_cpu(struct rt_store *s) {
    u64 start = cpu_now();
    for (u32 k = 0; k < LIVES; k++) {
        struct rt_instance *i = create(s, tiny_module);
        call_write(i);
        rt_instance_free(i);
    }
    return (double)(cpu_now() - start) / LIVES;
}

/* In batches: the clock ticks in microseconds. */
static double create_cpu(struct rt_store *s) {
    struct rt_instance *live[BATCH];
    u64 spent = 0;
    for (u32 k = 0; k < LIVES / BATCH; k++) {
        u64 start = cpu_now();
        for (u32 i = 0; i < BATCH; i++) live[i] = create(s, tiny_module);
        spent += cpu_now() - start;
        for (u32 i = 0; i < BATCH; i++) {
            call_write(live[i]);
            rt_instance_free(live[i]);
        }
    }
    return (double)spent / (LIVES / BATCH * BATCH);
}

/* ---- calls ---- */

/* As hooks call. */
static double call_each(const struct rt_callable *f) {
    u64 sum = 0, start = bench_now();
    for (u32 k = 0; k < CALLS; k++)
        if (rt_call2(&f[k & 1], sum, k, &sum)) return -1;
    return (double)(bench_now() - start) / CALLS;
}

static double call_loop(const struct rt_callable *f) {
    u64 start = bench_now();
    for (u32 k = 0; k < 2; k++) {
        union abi_value vals[1] = {{.bits = {CALLS, 0}}};
        rt_call(&f[k], vals);
    }
    return (double)(bench_now() - start) / CALLS / 2;
}

bool whelk_micro(struct engine *e, enum metric m, double *ns) {
    if (!ready()) return false;
    switch (m) {
    case METRIC_COMPILE_TINY: *ns = compile(tiny); return true;
    case METRIC_COMPILE_FILTER: *ns = compile(filter); return true;
    case METRIC_FIRST_CALL: *ns = first_call(calls.store[0]); return true;
    case METRIC_INSTANTIATE: *ns = create_batches(calls.store[0], false); return true;
    case METRIC_DESTROY: *ns = create_batches(calls.store[0], true); return true;
    case METRIC_LIFE: *ns = life(calls.store[0]); return true;
    case METRIC_LIFE_CPU: *ns = life_cpu(calls.store[0]); return true;
    case METRIC_CREATE_CPU: *ns = create_cpu(calls.store[0]); return true;
    case METRIC_CALL: *ns = call_each(calls.nop); return true;
    case METRIC_CALL2: *ns = call_each(calls.add); return true;
    case METRIC_HOSTCALL: *ns = call_loop(calls.hostcall); return true;
    case METRIC_INDIRECT: *ns = call_loop(calls.indirect); return true;
    case METRIC_COUNT: break;
    }
    return false;
}
