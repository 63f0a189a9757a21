/* engine.c: whelk/engine.h: limits, budgets, interruption, reasons, WASI. */
#include "include/whelk/engine.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "test/capi/lib/embed.h"

static const char spin[] = "(module (func (export \"\") (loop (br 0))))";

static void limits(void) {
    wasm_config_t *c = wasm_config_new();
    wasm_store_t *mine = store;
    whelk_config_limit_memory(c, 3 * 65536);
    whelk_config_limit_module(c, 100);
    wasm_engine_t *e = wasm_engine_new_with_config(c);
    store = wasm_store_new(e);
    wasm_limits_t l = {2, 10};
    wasm_memorytype_t *t = wasm_memorytype_new(&l);
    wasm_memory_t *m = wasm_memory_new(store, t);
    CHECK(wasm_memory_grow(m, 1) && !wasm_memory_grow(m, 1));
    CHECK(!wasm_memory_new(store, t));
    CHECK(!embed_module("(module (func (export \"a name that makes the module longer than the hundred bytes it may have"
                        "................................\")))"));
    CHECK(strstr(whelk_store_error(store), "limit is 100") != NULL);
    wasm_memorytype_delete(t);
    wasm_memory_delete(m);
    wasm_store_delete(store);
    wasm_engine_delete(e);
    store = mine;
    CHECK(!embed_instance("(module (import \"a\" \"b\" (func)))", NULL, 0, NULL));
    EQUAL_TEXT(whelk_store_error(store), "0 imports given, module has 1");
}

static void budget(void) {
    wasm_trap_t *trap;
    wasm_val_vec_t none = WASM_EMPTY_VEC;
    wasm_instance_t *i = embed_instance(spin, NULL, 0, NULL);
    wasm_extern_t *f = embed_export(i, 0);
    CHECK(!whelk_store_interrupt(store));
    whelk_store_set_budget(store, 3000000);
    embed_call(wasm_extern_as_func(f), &none, &none, "time budget exceeded");
    CHECK(!embed_instance("(module (func $f (loop (br 0))) (start $f))", NULL, 0, &trap));
    CHECK(trap != NULL);
    wasm_trap_delete(trap);
    whelk_store_set_budget(store, 0);
    wasm_extern_delete(f);
    wasm_instance_delete(i);
}

static void *interrupter(void *arg) {
    for (int k = 0; k < 60000 && !whelk_store_interrupt(store); k++) usleep(1000);
    return NULL;
}

static void interrupted(void) {
    wasm_val_vec_t none = WASM_EMPTY_VEC;
    pthread_t t;
    wasm_instance_t *i = embed_instance(spin, NULL, 0, NULL);
    wasm_extern_t *f = embed_export(i, 0);
    whelk_store_set_budget(store, WHELK_UNBOUNDED);
    CHECK(!pthread_create(&t, NULL, interrupter, NULL));
    embed_call(wasm_extern_as_func(f), &none, &none, "interrupted");
    pthread_join(t, NULL);
    whelk_store_set_budget(store, 0);
    wasm_extern_delete(f);
    wasm_instance_delete(i);
}

/* The module counts its arguments, then leaves with 40 more. */
static void wasi(void) {
    static const char *args[] = {"one", "two"}, *names[] = {"/d"}, *none[] = {"/nowhere/at/all"};
    whelk_wasi_config_t c = {.arg_count = 2, .args = args, .dir_count = 1, .dir_names = names, .dir_paths = none};
    static const char text[] =
        "(module (import \"wasi_snapshot_preview1\" \"args_sizes_get\" (func $sizes (param i32 i32) (result i32)))"
        "(import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32))) (memory (export \"memory\") 1)"
        "(func (export \"_start\") (drop (call $sizes (i32.const 0) (i32.const 4)))"
        "  (call $exit (i32.add (i32.load (i32.const 0)) (i32.const 40)))))";
    wasm_val_vec_t empty = WASM_EMPTY_VEC;
    wasm_importtype_vec_t in;
    wasm_module_t *m = embed_module(text);
    wasm_module_imports(m, &in);
    CHECK(!whelk_wasi_func(store, in.data[0])); /* there is no WASI yet */
    CHECK(!whelk_store_set_wasi(store, &c));
    c.dir_count = 0;
    CHECK(whelk_store_set_wasi(store, &c) && !whelk_store_set_wasi(store, &c));
    wasm_func_t *f[] = {whelk_wasi_func(store, in.data[0]), whelk_wasi_func(store, in.data[1])};
    wasm_extern_t *given[] = {wasm_func_as_extern(f[0]), wasm_func_as_extern(f[1])};
    wasm_instance_t *i = embed_instance(text, given, 2, NULL);
    wasm_extern_t *start = embed_export(i, 1);
    embed_call(wasm_extern_as_func(start), &empty, &empty, "exit");
    EQUAL(whelk_wasi_exit_status(store), 42);
    wasm_extern_delete(start);
    wasm_instance_delete(i);
    wasm_func_delete(f[0]);
    wasm_func_delete(f[1]);
    wasm_importtype_vec_delete(&in);
    wasm_module_delete(m);
}

int main(void) {
    embed_open();
    limits();
    budget();
    interrupted();
    wasi();
    embed_close();
    return test_end("capi_engine");
}
