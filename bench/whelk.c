/* whelk.c: programs on Whelk's engine, in this process: the objects are those
 * of the kernel. A deadline is armed while a program runs. */
#include <stdlib.h>
#include <string.h>

#include "bench/harness.h"
#include "cli/cli.h"
#include "cli/host_rt.h"
#include "cli/host_wasi.h"

struct whelk {
    struct rt_host host;
    struct rt_engine *engine;
    struct rt_linker *linker;
    struct wasi *wasi;
    struct rt_module *module;
    struct rt_store *store;
    struct rt_instance *instance;
    struct rt_callable run;
};
static struct whelk whelk;

struct rt_engine *whelk_engine(void) { return whelk.engine; }

bool whelk_start(struct engine *e) {
    struct whelk *w = e->state = &whelk;
    struct wasi_config c = {.host = &host_wasi, .source = &host_heap};
    host_rt_fill(&w->host);
    return !rt_engine_init(&w->engine, &w->host) && !host_rt_install(w->engine) && !rt_linker_new(w->engine, &w->linker) &&
           !wasi_define(w->linker) && !wasi_new(&c, &w->wasi);
}

void whelk_stop(struct engine *e) {
    struct whelk *w = e->state;
    micro_stop();
    wasi_free(w->wasi);
    rt_linker_free(w->linker);
    rt_engine_free(w->engine);
}

/* build/bench/FOLDER/NAME.wasm, allocated. */
struct bytes whelk_file(const char *folder, const char *name) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s/%s.wasm", bench_options.dir, folder, name);
    return file_read(path);
}

static bool call(const struct rt_callable *f, union abi_value *vals) {
    struct host_deadline d;
    if (host_deadline_start(&d, rt_ctx_store(f->caller), 100000000000)) return false;
    enum abi_trap trap = rt_call(f, vals);
    host_deadline_end(&d);
    if (trap) fprintf(stderr, "bench: whelk: %s\n", rt_trap_text(trap));
    return !trap;
}

static bool open_program(struct whelk *w, struct rt_error *error) {
    struct rt_limits limits = {.stack_bytes = 8 << 20};
    struct rt_callable f;
    union abi_value none[1] = {{.bits = {0, 0}}};
    enum abi_trap trap;
    if (rt_store_new(w->engine, &limits, &w->store)) return false;
    wasi_attach(w->wasi, w->store);
    if (rt_instantiate(w->store, w->module, w->linker, &w->instance, &trap, error)) return false;
    if (!rt_find_func(w->instance, (struct bytes){(const u8 *)"_initialize", 11}, &f) && !call(&f, none)) return false;
    return !rt_find_func(w->instance, (struct bytes){(const u8 *)"run", 3}, &w->run) && rt_type_is(w->run.type, "i:i");
}

bool whelk_load(struct engine *e, const struct program *p, double *compile_ns) {
    struct whelk *w = e->state;
    struct rt_error error = {0};
    struct bytes in = whelk_file("wasm", p->name);
    if (!in.p) return false;
    u64 start = bench_now();
    enum err err = rt_module_load(w->engine, in, NULL, &w->module, &error);
    *compile_ns = (double)(bench_now() - start);
    free((void *)in.p);
    if (!err && open_program(w, &error)) return true;
    fprintf(stderr, "bench: whelk: %s: %s\n", p->name, error.text);
    whelk_unload(e);
    return false;
}

bool whelk_run(struct engine *e, u32 n, u32 *sum, double *ns) {
    struct whelk *w = e->state;
    union abi_value vals[1] = {{.bits = {n, 0}}};
    u64 start = bench_now();
    if (!call(&w->run, vals)) return false;
    *ns = (double)(bench_now() - start);
    *sum = vals[0].i32;
    return true;
}

void whelk_unload(struct engine *e) {
    struct whelk *w = e->state;
    if (w->store) rt_store_free(w->store);
    if (w->module) rt_module_free(w->module);
    w->store = NULL;
    w->module = NULL;
}

bool whelk_compile(struct engine *e, const struct program *p, double *ns) {
    struct whelk *w = e->state;
    struct rt_module *m;
    struct rt_error error;
    struct bytes in = whelk_file("wasm", p->name);
    if (!in.p) return false;
    u64 start = bench_now();
    enum err err = rt_module_load(w->engine, in, NULL, &m, &error);
    *ns = (double)(bench_now() - start);
    free((void *)in.p);
    if (err) return false;
    rt_module_free(m);
    return true;
}
