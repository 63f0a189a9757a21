/* engine.c: whelk/engine.h.
 *
 * I1 the outermost call of a store with a budget has a timer (host_deadline), on
 *    the thread that calls; others may hurry it, under store->mutex.
 * I2 the functions of WASI are instances of one linker of the store. */
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "capi/internal.h"
#include "cli/host_rt.h"
#include "cli/host_wasi.h"

void whelk_config_limit_memory(wasm_config_t *c, uint64_t bytes) { c->limits.memory_bytes = bytes; }
void whelk_config_limit_table(wasm_config_t *c, uint64_t elements) { c->limits.table_elements = elements; }
void whelk_config_limit_module(wasm_config_t *c, uint64_t bytes) { c->limits.module_bytes = bytes; }
void whelk_config_limit_compile(wasm_config_t *c, uint64_t bytes) { c->limits.load_bytes = bytes; }
void whelk_config_set_stack(wasm_config_t *c, uint64_t bytes) { c->limits.stack_bytes = bytes; }

const char *whelk_store_error(const wasm_store_t *s) { return s->error; }

/* Time. */

void whelk_store_set_budget(wasm_store_t *s, uint64_t ns) { s->budget = ns; }

bool capi_enter_call(wasm_store_t *s) {
    bool ready = !host_rt_thread();
    if (!ready) return false;
    if (!s->depth && s->budget) {
        pthread_mutex_lock(&s->mutex);
        ready = s->watched = !host_deadline_start(&s->watch, s->rt, s->budget);
        pthread_mutex_unlock(&s->mutex);
    }
    s->depth += ready;
    return ready;
}

void capi_leave_call(wasm_store_t *s) {
    assert(s->depth);
    if (--s->depth || !s->watched) return;
    pthread_mutex_lock(&s->mutex);
    host_deadline_end(&s->watch);
    s->watched = false;
    pthread_mutex_unlock(&s->mutex);
}

bool whelk_store_interrupt(wasm_store_t *s) {
    pthread_mutex_lock(&s->mutex);
    bool runs = s->watched;
    if (runs) host_deadline_now(&s->watch);
    pthread_mutex_unlock(&s->mutex);
    return runs;
}

/* WASI. */

static void close_dirs(const struct wasi_preopen *dirs, size_t n) {
    for (size_t k = 0; k < n; k++) host_wasi.close(host_wasi.self, dirs[k].dir);
}

/* How many could be opened. */
static size_t open_dirs(const whelk_wasi_config_t *c, struct wasi_preopen *out) {
    for (size_t k = 0; k < c->dir_count; k++) {
        out[k] = (struct wasi_preopen){c->dir_names[k], host_wasi_dir(c->dir_paths[k])};
        if (!out[k].dir) return k;
    }
    return c->dir_count;
}

static enum err wasi_open(wasm_store_t *s, const whelk_wasi_config_t *c, const struct wasi_preopen *dirs) {
    struct wasi_config w = {
        .host = &host_wasi, .source = &host_heap, .args = c->args, .env = c->env,
        .arg_count = (u32)c->arg_count, .env_count = (u32)c->env_count,
        .streams = {host_wasi_stream(STDIN_FILENO), host_wasi_stream(STDOUT_FILENO), host_wasi_stream(STDERR_FILENO)},
        .preopens = dirs, .preopen_count = (u32)c->dir_count,
    };
    struct rt_linker *l;
    enum err e = rt_linker_new(s->engine, &l);
    if (e) return e;
    if ((e = wasi_define(l)) || (e = wasi_new(&w, &s->wasi))) {
        rt_linker_free(l);
        return e;
    }
    wasi_attach(s->wasi, s->rt);
    s->wasi_linker = l;
    return ERR_OK;
}

bool whelk_store_set_wasi(wasm_store_t *s, const whelk_wasi_config_t *c) {
    enum { MOST = 1 << 16 };
    if (!s->rt || s->wasi || c->arg_count > MOST || c->env_count > MOST || c->dir_count > MOST) return false;
    struct wasi_preopen *dirs = calloc(c->dir_count + 1, sizeof *dirs);
    if (!dirs) return false;
    size_t opened = open_dirs(c, dirs);
    bool done = opened == c->dir_count && !wasi_open(s, c, dirs);
    if (!done) close_dirs(dirs, opened);
    free(dirs);
    return done;
}

wasm_func_t *whelk_wasi_func(wasm_store_t *s, const wasm_importtype_t *t) {
    const wasm_name_t *module = wasm_importtype_module(t), *name = wasm_importtype_name(t);
    const wasm_externtype_t *type = wasm_importtype_type(t);
    if (!s->rt || !s->wasi || !type || type->kind != WASM_EXTERN_FUNC) return NULL;
    struct capi_import import = {s->wasi_linker, {(const u8 *)module->data, module->size},
                                 {(const u8 *)name->data, name->size}};
    struct rt_instance *i = capi_make(s, type, NULL, &import);
    return i ? capi_func_of(s, rt_export_func(i, (struct bytes){NULL, 0})) : NULL;
}

uint32_t whelk_wasi_exit_status(const wasm_store_t *s) { return s->wasi ? wasi_exit_code(s->wasi) : 0; }
