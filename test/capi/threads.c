/* threads.c: a store for each thread, one engine and module for all: callbacks of many
 * types at once, so that the modules that are kept for them come and go. */
#include <pthread.h>
#include <stdlib.h>

#include "test/capi/lib/embed.h"

enum { THREADS = 4, ROUNDS = 40, TYPES = 24 };

struct job {
    pthread_t thread;
    const wasm_shared_module_t *module;
    int base, wrong;
};

static wasm_trap_t *sum(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    results->data[0].of.i32 = ((struct job *)env)->base;
    for (size_t k = 0; k < args->size; k++) results->data[0].of.i32 += args->data[k].of.i32;
    return NULL;
}

/* Of n parameters: i32, and i64 where a bit of mix is set. */
static wasm_func_t *host(wasm_store_t *s, size_t n, unsigned mix, struct job *j) {
    wasm_valtype_vec_t params, results;
    wasm_valtype_t *one[] = {wasm_valtype_new_i32()};
    wasm_valtype_vec_new_uninitialized(&params, n);
    for (size_t k = 0; k < n; k++) params.data[k] = wasm_valtype_new(mix >> k & 1 ? WASM_I64 : WASM_I32);
    wasm_valtype_vec_new(&results, 1, one);
    wasm_functype_t *t = wasm_functype_new(&params, &results);
    wasm_func_t *f = wasm_func_new_with_env(s, t, sum, j, NULL);
    wasm_functype_delete(t);
    return f;
}

/* Each is called from C, one through a module. */
static void one_store(struct job *j, wasm_store_t *s, unsigned round) {
    wasm_val_t a[5] = {WASM_I32_VAL(0), WASM_I32_VAL(1), WASM_I32_VAL(2), WASM_I32_VAL(3), WASM_I32_VAL(4)}, r[1];
    wasm_val_vec_t args = {5, a}, results = WASM_ARRAY_VEC(r), none = WASM_EMPTY_VEC;
    wasm_module_t *m = wasm_module_obtain(s, j->module);
    for (unsigned k = 0; k < TYPES; k++) {
        unsigned mix = (round * 7 + k * 3 + (unsigned)j->base) % 32;
        wasm_func_t *f = host(s, 5, mix, j);
        for (unsigned n = 0; n < 5; n++) a[n].kind = mix >> n & 1 ? WASM_I64 : WASM_I32;
        wasm_trap_t *t = wasm_func_call(f, &args, &results);
        j->wrong += t || r[0].of.i32 != j->base + 10;
        wasm_trap_delete(t);
        wasm_func_delete(f);
    }
    wasm_func_t *f = host(s, 1, 0, j);
    wasm_extern_t *given[] = {wasm_func_as_extern(f)};
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(given), exports;
    wasm_instance_t *i = wasm_instance_new(s, m, &imports, NULL);
    wasm_func_delete(f);
    wasm_instance_exports(i, &exports);
    wasm_trap_t *t = wasm_func_call(wasm_extern_as_func(exports.data[0]), &none, &results);
    j->wrong += t || r[0].of.i32 != j->base + 7;
    wasm_trap_delete(t);
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(i);
    wasm_module_delete(m);
}

static void *run(void *job) {
    for (unsigned round = 0; round < ROUNDS; round++) {
        wasm_store_t *s = wasm_store_new(engine);
        one_store(job, s, round);
        wasm_store_delete(s);
        wasm_engine_t *other = round % 8 ? NULL : wasm_engine_new(); /* with it, what was kept goes */
        wasm_engine_delete(other);
    }
    return NULL;
}

int main(void) {
    struct job jobs[THREADS];
    embed_open();
    wasm_module_t *m = embed_module("(module (import \"\" \"\" (func $f (param i32) (result i32)))"
                                    "(func (export \"\") (result i32) (call $f (i32.const 7))))");
    wasm_shared_module_t *shared = wasm_module_share(m);
    wasm_module_delete(m);
    for (int k = 0; k < THREADS; k++) {
        jobs[k] = (struct job){.module = shared, .base = k * 100};
        if (pthread_create(&jobs[k].thread, NULL, run, &jobs[k])) exit(1);
    }
    for (int k = 0; k < THREADS; k++) {
        pthread_join(jobs[k].thread, NULL);
        EQUAL(jobs[k].wrong, 0);
    }
    wasm_shared_module_delete(shared);
    embed_close();
    return test_end("capi_threads");
}
