/* scarce.c: every allocation fails once, by the linker's --wrap: whatever cannot be
 * had is NULL, nothing crashes, and nothing is left behind (LeakSanitizer). */
#include <stdlib.h>

#include "test/capi/lib/embed.h"
#include "test/lib/wat.h"

static unsigned long fail_at, count;
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_malloc(size_t n) { return ++count == fail_at ? NULL : __real_malloc(n); }
void *__wrap_calloc(size_t n, size_t size) { return ++count == fail_at ? NULL : __real_calloc(n, size); }

static wasm_trap_t *twice(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    results->data[0].of.i32 = 2 * args->data[0].of.i32;
    return NULL;
}

/* Of a function that could be had, once; the environment of another stays the caller's. */
static void count_final(void *env) { ++*(unsigned *)env; }

static void touch_types(const wasm_module_t *m) {
    wasm_importtype_vec_t in, copy;
    wasm_module_imports(m, &in);
    wasm_importtype_vec_copy(&copy, &in);
    wasm_importtype_vec_delete(&copy);
    wasm_importtype_vec_delete(&in);
}

/* Of each kind that the embedder makes one, and a type of tags: are they all there? */
static bool touch_things(wasm_store_t *s) {
    wasm_val_t v = WASM_I32_VAL(1);
    wasm_limits_t limits = {1, 2};
    wasm_memorytype_t *mt = wasm_memorytype_new(&limits);
    wasm_tabletype_t *tt = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits);
    wasm_globaltype_t *gt = wasm_globaltype_new(wasm_valtype_new_i32(), WASM_VAR);
    wasm_tagtype_t *tag = wasm_tagtype_new(wasm_functype_new_1_0(wasm_valtype_new_i32()));
    wasm_externtype_t *copy = tag ? wasm_externtype_copy(wasm_tagtype_as_externtype(tag)) : NULL;
    wasm_extern_t *all[] = {wasm_memory_as_extern(wasm_memory_new(s, mt)), wasm_table_as_extern(wasm_table_new(s, tt, NULL)),
                            wasm_global_as_extern(wasm_global_new(s, gt, &v))};
    bool whole = copy && all[0] && all[1] && all[2];
    for (int k = 0; k < 3; k++) wasm_extern_delete(all[k]);
    wasm_externtype_delete(copy);
    wasm_tagtype_delete(tag);
    wasm_globaltype_delete(gt);
    wasm_tabletype_delete(tt);
    wasm_memorytype_delete(mt);
    return whole;
}

static void touch_bytes(wasm_store_t *s, const wasm_module_t *m) {
    wasm_byte_vec_t bytes;
    wasm_module_serialize(m, &bytes);
    wasm_module_delete(wasm_module_deserialize(s, &bytes));
    wasm_byte_vec_delete(&bytes);
}

/* A call that cannot be is a trap, whatever is short. */
static void refuse(const wasm_func_t *f) {
    wasm_trap_t *t = wasm_func_call(f, NULL, NULL);
    if (!t) CHECK(!"a call without arguments is refused");
    wasm_trap_delete(t);
}

/* 42, or less than it: 0 when something was not to be had. */
static int call(const wasm_instance_t *i) {
    wasm_extern_vec_t exports;
    wasm_val_t a[] = {WASM_I32_VAL(21)}, r[] = {WASM_I32_VAL(0)};
    wasm_val_vec_t args = WASM_ARRAY_VEC(a), results = WASM_ARRAY_VEC(r);
    wasm_instance_exports(i, &exports);
    wasm_func_t *f = exports.size && exports.data[0] ? wasm_extern_as_func(exports.data[0]) : NULL;
    wasm_trap_t *t = f ? wasm_func_call(f, &args, &results) : NULL;
    if (f && !t && r[0].of.i32 != 42) CHECK(!"no trap is success");
    wasm_trap_delete(t);
    if (f) refuse(f);
    wasm_extern_vec_delete(&exports);
    return r[0].of.i32;
}

/* The engine keeps modules for what is made again: each time without. */
static void forget(void) {
    fail_at = 0;
    wasm_engine_delete(wasm_engine_new());
}

static int scenario(const wasm_byte_vec_t *bytes) {
    int answer = 0;
    unsigned finals = 0;
    wasm_store_t *s = wasm_store_new(engine);
    if (!s) return 0;
    wasm_functype_t *t = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
    wasm_func_t *f = t ? wasm_func_new_with_env(s, t, twice, &finals, count_final) : NULL;
    wasm_module_t *m = wasm_module_new(s, bytes);
    bool whole = touch_things(s);
    if (m) touch_types(m);
    if (m) touch_bytes(s, m);
    if (f && m) {
        wasm_extern_t *given[] = {wasm_func_as_extern(f)};
        wasm_extern_vec_t imports = WASM_ARRAY_VEC(given);
        wasm_trap_t *trap;
        wasm_instance_t *i = wasm_instance_new(s, m, &imports, &trap);
        wasm_trap_delete(trap);
        if (i && whole) answer = call(i);
        wasm_instance_delete(i);
    }
    wasm_module_delete(m);
    wasm_func_delete(f);
    wasm_functype_delete(t);
    wasm_store_delete(s);
    if (finals != (f != NULL)) CHECK(!"the environment is the function's, or the caller's");
    return answer;
}

int main(void) {
    embed_open();
    struct bytes b = wat("(module (import \"\" \"\" (func $f (param i32) (result i32)))"
                         "(func (export \"\") (param i32) (result i32) (call $f (local.get 0))))");
    wasm_byte_vec_t bytes = {b.n, (char *)(uptr)b.p};
    EQUAL(scenario(&bytes), 42);
    forget();
    count = 0;
    EQUAL(scenario(&bytes), 42);
    unsigned long all = count;
    unsigned refused = 0;
    for (unsigned long at = 1; at <= all; at++) {
        forget();
        fail_at = at;
        count = 0;
        int answer = scenario(&bytes);
        CHECK(answer == 42 || answer == 0);
        refused += answer == 0;
    }
    fail_at = 0;
    CHECK(all > 30 && refused > all / 2);
    EQUAL(scenario(&bytes), 42);
    free((void *)(uptr)b.p);
    embed_close();
    return test_end("capi_scarce");
}
