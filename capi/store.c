/* store.c: configurations, engines, stores.
 *
 * I1 a process has one rt_engine, made with the first wasm_engine_t and kept: the
 *    signal handlers know it for as long as they are there.
 * I2 it is made under `mutex`. */
#include <pthread.h>
#include <stdlib.h>

#include "base/assert.h"
#include "capi/internal.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct rt_engine *machine;
static struct rt_host host; /* beside it */

static bool start_machine(void) {
    pthread_mutex_lock(&mutex);
    if (!machine) {
        struct rt_engine *e;
        host_rt_fill(&host);
        if (!rt_engine_init(&e, &host)) {
            if (host_rt_install(e)) rt_engine_free(e);
            else machine = e;
        }
    }
    bool up = machine != NULL;
    pthread_mutex_unlock(&mutex);
    return up;
}

wasm_config_t *wasm_config_new(void) { return calloc(1, sizeof(wasm_config_t)); }
void wasm_config_delete(wasm_config_t *c) { free(c); }

wasm_engine_t *wasm_engine_new_with_config(wasm_config_t *c) {
    wasm_engine_t *e = c && start_machine() ? calloc(1, sizeof *e) : NULL;
    if (e) e->limits = c->limits;
    wasm_config_delete(c);
    return e;
}
wasm_engine_t *wasm_engine_new(void) { return wasm_engine_new_with_config(wasm_config_new()); }
void wasm_engine_delete(wasm_engine_t *e) {
    if (!e) return;
    capi_make_trim();
    rt_engine_trim(machine);
    free(e);
}

/* Callbacks run on the store's stack: more of it than modules alone need. */
enum { STACK_BYTES = 1 << 20 };

wasm_store_t *wasm_store_new(wasm_engine_t *e) {
    wasm_store_t *s = e && !host_rt_thread() ? calloc(1, sizeof *s) : NULL;
    if (!s) return NULL;
    s->engine = machine;
    s->limits = e->limits;
    if (!s->limits.stack_bytes) s->limits.stack_bytes = STACK_BYTES;
    s->holders = 1;
    pthread_mutex_init(&s->mutex, NULL);
    s->spare = capi_spare_trap();
    if (s->spare && !rt_store_new(machine, &s->limits, &s->rt)) return s;
    wasm_trap_delete(s->spare);
    pthread_mutex_destroy(&s->mutex);
    free(s);
    return NULL;
}

void capi_store_drop(wasm_store_t *s) {
    u32 left = __atomic_sub_fetch(&s->holders, 1, __ATOMIC_ACQ_REL);
    assert(left != UINT32_MAX);
    if (left) return;
    assert(!s->rt);
    wasm_trap_delete(s->spare);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

void wasm_store_delete(wasm_store_t *s) {
    if (!s) return;
    assert(s->rt && !s->raised && !s->depth);
    rt_store_free(s->rt);
    s->rt = NULL;
    rt_linker_free(s->wasi_linker);
    wasi_free(s->wasi);
    while (s->funcs) {
        struct host_func *h = s->funcs;
        s->funcs = h->next;
        capi_host_free(h);
    }
    while (s->retained) {
        struct wasm_ref_t *r = s->retained;
        s->retained = r->next_retained;
        capi_ref_drop(r);
    }
    capi_store_drop(s);
}
