#include "test/capi/lib/embed.h"

#include <stdlib.h>

#include "test/lib/wat.h"

wasm_engine_t *engine;
wasm_store_t *store;

void embed_open(void) {
    engine = wasm_engine_new();
    store = wasm_store_new(engine);
    if (!store) exit(1);
}

void embed_close(void) {
    wasm_store_delete(store);
    wasm_engine_delete(engine);
}

wasm_module_t *embed_module(const char *text) {
    struct bytes b = wat(text);
    wasm_byte_vec_t v = {b.n, (char *)(uptr)b.p};
    wasm_module_t *m = wasm_module_new(store, &v);
    EQUAL(wasm_module_validate(store, &v), m != NULL);
    free((void *)(uptr)b.p);
    return m;
}

wasm_instance_t *embed_instance(const char *text, wasm_extern_t *const *imports, size_t n, wasm_trap_t **trap) {
    wasm_extern_vec_t given = {n, (wasm_extern_t **)(uptr)imports};
    wasm_module_t *m = embed_module(text);
    CHECK(m != NULL);
    wasm_instance_t *i = wasm_instance_new(store, m, &given, trap);
    wasm_module_delete(m); /* the instance holds what it needs */
    return i;
}

wasm_extern_t *embed_export(const wasm_instance_t *i, size_t k) {
    wasm_extern_vec_t exports;
    wasm_instance_exports(i, &exports);
    wasm_extern_t *e = k < exports.size ? wasm_extern_copy(exports.data[k]) : NULL;
    CHECK(e != NULL);
    wasm_extern_vec_delete(&exports);
    return e;
}

void embed_call(const wasm_func_t *f, const wasm_val_vec_t *args, wasm_val_vec_t *results, const char *text) {
    wasm_message_t m = WASM_EMPTY_VEC;
    wasm_trap_t *t = wasm_func_call(f, args, results);
    if (t) wasm_trap_message(t, &m);
    EQUAL_TEXT(t ? m.data : "no trap", text ? text : "no trap");
    wasm_byte_vec_delete(&m);
    wasm_trap_delete(t);
}

wasm_val_t embed_call1(const wasm_instance_t *i, size_t k) {
    wasm_extern_t *e = embed_export(i, k);
    wasm_val_t v[] = {WASM_INIT_VAL};
    wasm_val_vec_t none = WASM_EMPTY_VEC, results = WASM_ARRAY_VEC(v);
    embed_call(wasm_extern_as_func(e), &none, &results, NULL);
    wasm_extern_delete(e);
    return v[0];
}
