/* reflect.c: what a module says of itself; types; modules shared between stores. */
#include "include/whelk/engine.h"
#include "test/capi/lib/embed.h"

#include <string.h>

static bool is(const wasm_name_t *n, const char *text) { return n->size == strlen(text) && (!n->size || !memcmp(n->data, text, n->size)); }

static void reflect(void) {
    wasm_module_t *m = embed_module(
        "(module (import \"env\" \"f\" (func (param i32 externref) (result f64 funcref)))"
        "(import \"env\" \"t\" (table 3 funcref)) (tag (import \"env\" \"tag\") (param i64))"
        "(memory (export \"m\") 1 9) (global (export \"\") (mut i64) (i64.const 0)) (export \"g\" (func 0)))");
    wasm_importtype_vec_t in;
    wasm_exporttype_vec_t out, copy;
    wasm_module_imports(m, &in);
    wasm_module_exports(m, &out);
    wasm_exporttype_vec_copy(&copy, &out);
    EQUAL(in.size, 3);
    EQUAL(copy.size, 3);
    CHECK(is(wasm_importtype_module(in.data[0]), "env") && is(wasm_importtype_name(in.data[1]), "t"));
    const wasm_functype_t *f = wasm_externtype_as_functype_const(wasm_importtype_type(in.data[0]));
    EQUAL(wasm_functype_params(f)->size, 2);
    EQUAL(wasm_valtype_kind(wasm_functype_params(f)->data[1]), WASM_EXTERNREF);
    EQUAL(wasm_valtype_kind(wasm_functype_results(f)->data[0]), WASM_F64);
    const wasm_tabletype_t *t = wasm_externtype_as_tabletype_const(wasm_importtype_type(in.data[1]));
    EQUAL(wasm_tabletype_limits(t)->min, 3);
    EQUAL(wasm_tabletype_limits(t)->max, wasm_limits_max_default);
    CHECK(!wasm_externtype_as_memorytype_const(wasm_importtype_type(in.data[1])));
    wasm_externtype_t *tag = wasm_externtype_copy(wasm_importtype_type(in.data[2]));
    EQUAL(wasm_externtype_kind(tag), WASM_EXTERN_TAG);
    const wasm_functype_t *payload = wasm_tagtype_functype(wasm_externtype_as_tagtype(tag));
    EQUAL(wasm_functype_params(payload)->size, 1);
    EQUAL(wasm_valtype_kind(wasm_functype_params(payload)->data[0]), WASM_I64);
    CHECK(!wasm_externtype_as_functype(tag) && !wasm_externtype_as_tagtype_const(wasm_importtype_type(in.data[1])));
    wasm_externtype_delete(tag);
    wasm_exporttype_vec_delete(&out);
    const wasm_externtype_t *mem = wasm_exporttype_type(copy.data[0]), *g = wasm_exporttype_type(copy.data[1]);
    EQUAL(wasm_memorytype_limits(wasm_externtype_as_memorytype_const(mem))->max, 9);
    EQUAL(wasm_globaltype_mutability(wasm_externtype_as_globaltype_const(g)), WASM_VAR);
    CHECK(is(wasm_exporttype_name(copy.data[1]), "") && is(wasm_exporttype_name(copy.data[2]), "g"));
    wasm_importtype_vec_delete(&in);
    wasm_exporttype_vec_delete(&copy);
    wasm_module_delete(m);
}

/* What was handed on may be deleted again: programs for other engines do. */
static void handed_on(void) {
    wasm_valtype_t *v[] = {wasm_valtype_new_i32()}, *w[] = {wasm_valtype_new_f64()};
    wasm_valtype_vec_t params, results;
    wasm_valtype_vec_new(&params, 1, v);
    wasm_valtype_vec_new(&results, 1, w);
    wasm_functype_t *f = wasm_functype_new(&params, &results);
    wasm_valtype_vec_delete(&params);
    wasm_valtype_vec_delete(&results);
    EQUAL(wasm_valtype_kind(wasm_functype_params(f)->data[0]), WASM_I32);
    wasm_name_t module, name, again;
    wasm_name_new_from_string(&module, "m");
    wasm_name_new_from_string(&name, "n");
    wasm_name_new_from_string(&again, "x");
    wasm_importtype_t *in = wasm_importtype_new(&module, &name, wasm_externtype_copy(wasm_functype_as_externtype(f)));
    wasm_exporttype_t *out = wasm_exporttype_new(&again, wasm_functype_as_externtype(f));
    wasm_name_delete(&module);
    wasm_name_delete(&name);
    wasm_name_delete(&again);
    CHECK(is(wasm_importtype_module(in), "m") && is(wasm_importtype_name(in), "n") && is(wasm_exporttype_name(out), "x"));
    wasm_importtype_delete(in);
    wasm_exporttype_delete(out);
}

/* Of nothing, which is what there is when memory is short: nothing. */
static void nothing(void) {
    CHECK(!wasm_valtype_copy(NULL) && !wasm_functype_copy(NULL) && !wasm_tagtype_copy(NULL) && !wasm_externtype_copy(NULL));
    CHECK(!wasm_importtype_copy(NULL) && !wasm_exporttype_copy(NULL) && !wasm_frame_copy(NULL) && !wasm_func_copy(NULL));
    CHECK(!wasm_externtype_as_functype(NULL) && !wasm_externtype_as_tagtype_const(NULL) && !wasm_extern_as_func(NULL));
    CHECK(!wasm_tagtype_new(NULL) && !wasm_globaltype_new(NULL, WASM_VAR) && !wasm_module_new(store, NULL));
    wasm_importtype_delete(NULL);
    wasm_exporttype_delete(NULL);
    wasm_tagtype_delete(NULL);
    wasm_frame_delete(NULL);
    wasm_shared_module_delete(NULL);
}

static void refused(void) {
    wasm_byte_vec_t bytes;
    wasm_byte_vec_new(&bytes, 8, "\0asm\2\0\0\0");
    CHECK(!wasm_module_new(store, &bytes) && !wasm_module_validate(store, &bytes));
    CHECK(!wasm_module_deserialize(store, &bytes));
    wasm_byte_vec_delete(&bytes);
    wasm_byte_vec_new_empty(&bytes);
    CHECK(!wasm_module_new(store, &bytes));
    CHECK(!embed_module("(module (func (result i32)))"));
}

/* One module, two stores; and through its bytes. */
static void shared(void) {
    wasm_module_t *m = embed_module("(module (func (export \"\") (result i32) (i32.const 5)))");
    wasm_shared_module_t *s = wasm_module_share(m);
    wasm_byte_vec_t bytes;
    wasm_module_serialize(m, &bytes);
    wasm_module_delete(m);
    wasm_store_t *mine = store, *other = wasm_store_new(engine);
    wasm_module_t *two[] = {wasm_module_obtain(other, s), wasm_module_deserialize(other, &bytes)};
    store = other;
    for (int k = 0; k < 2; k++) {
        wasm_instance_t *i = wasm_instance_new(other, two[k], NULL, NULL);
        EQUAL(embed_call1(i, 0).of.i32, 5);
        wasm_instance_delete(i);
        wasm_module_delete(two[k]);
    }
    store = mine;
    wasm_store_delete(other);
    wasm_shared_module_delete(s);
    wasm_byte_vec_delete(&bytes);
}

static bool answers_5(wasm_module_t *m) {
    wasm_instance_t *i = wasm_instance_new(store, m, NULL, NULL);
    bool ok = embed_call1(i, 0).of.i32 == 5;
    wasm_instance_delete(i);
    wasm_module_delete(m);
    return ok;
}

/* With its code, which is used; with damaged code, which is not; cut short anywhere. */
static void serialized(void) {
    wasm_module_t *m = embed_module("(module (func (export \"\") (result i32) (i32.const 5)))"), *back;
    wasm_byte_vec_t bytes;
    CHECK(whelk_module_was_compiled(m));
    wasm_module_serialize(m, &bytes);
    wasm_module_delete(m);
    back = wasm_module_deserialize(store, &bytes);
    CHECK(!whelk_module_was_compiled(back));
    CHECK(answers_5(back));
    bytes.data[bytes.size - 1] ^= 1;
    back = wasm_module_deserialize(store, &bytes);
    CHECK(whelk_module_was_compiled(back));
    CHECK(answers_5(back));
    size_t whole = bytes.size, modules = 0;
    for (bytes.size = 0; bytes.size < whole; bytes.size++) {
        back = wasm_module_deserialize(store, &bytes);
        modules += back != NULL;
        if (back) CHECK(whelk_module_was_compiled(back));
        wasm_module_delete(back);
    }
    uint64_t binary;
    memcpy(&binary, bytes.data + 8, sizeof binary);
    EQUAL(modules, whole - 16 - binary);
    memset(bytes.data + 8, 0xff, 8);
    CHECK(!wasm_module_deserialize(store, &bytes));
    wasm_byte_vec_delete(&bytes);
}

int main(void) {
    embed_open();
    reflect();
    handed_on();
    nothing();
    refused();
    shared();
    serialized();
    embed_close();
    return test_end("capi_reflect");
}
