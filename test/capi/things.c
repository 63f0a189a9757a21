/* things.c: globals, tables, memories, references, through wasm.h. */
#include "test/capi/lib/embed.h"

static wasm_global_t *global_of(wasm_valkind_t kind, wasm_mutability_t m, wasm_val_t v) {
    wasm_globaltype_t *t = wasm_globaltype_new(wasm_valtype_new(kind), m);
    wasm_global_t *g = wasm_global_new(store, t, &v);
    wasm_globaltype_delete(t);
    return g;
}

static void globals(void) {
    wasm_val_t f = WASM_F32_VAL(1.5f), l = WASM_I64_VAL(-7), out, wrong = WASM_I32_VAL(1), more = WASM_I64_VAL(1ll << 40);
    wasm_global_t *fixed = global_of(WASM_F32, WASM_CONST, f), *loose = global_of(WASM_I64, WASM_VAR, l);
    wasm_extern_t *given[] = {wasm_global_as_extern(fixed), wasm_global_as_extern(loose)};
    wasm_instance_t *i = embed_instance(
        "(module (global $f (import \"a\" \"a\") f32) (global $l (import \"a\" \"a\") (mut i64))" /* one name, two imports */
        "(func (export \"f\") (result f32) (global.get $f)) (func (export \"l\") (result i64) (global.get $l))"
        "(func (export \"set\") (result i32) (global.set $l (i64.const 99)) (i32.const 0))"
        "(global (export \"again\") (mut i64) (i64.const 3)) (export \"same\" (global $l)))", given, 2, NULL);
    EQUAL(embed_call1(i, 0).of.f32, 1.5f);
    EQUAL(embed_call1(i, 1).of.i64, -7);
    embed_call1(i, 2);
    wasm_global_get(loose, &out);
    EQUAL(out.of.i64, 99);
    wasm_global_set(loose, &more);
    EQUAL(embed_call1(i, 1).of.i64, 1ll << 40);
    wasm_global_set(loose, &wrong); /* nothing happens, as with: */
    wasm_global_set(fixed, &f);
    EQUAL(embed_call1(i, 1).of.i64, 1ll << 40);
    wasm_extern_t *other = embed_export(i, 3), *same = embed_export(i, 4);
    CHECK(wasm_global_same(loose, wasm_extern_as_global(same)) && !wasm_global_same(loose, wasm_extern_as_global(other)));
    CHECK(!wasm_extern_as_func(other) && wasm_extern_kind(other) == WASM_EXTERN_GLOBAL);
    CHECK(!global_of(WASM_I64, WASM_VAR, wrong));
    CHECK(!global_of(77, WASM_VAR, wrong)); /* no such type */
    wasm_extern_delete(other);
    wasm_extern_delete(same);
    wasm_instance_t *two = embed_instance("(module (global (export \"a\") i32 (i32.const 1)) (global (export \"b\") i32 (i32.const 1))"
                                          "(export \"c\" (global 0)))", NULL, 0, NULL);
    wasm_extern_t *a = embed_export(two, 0), *b = embed_export(two, 1), *c = embed_export(two, 2);
    CHECK(wasm_extern_same(a, c) && !wasm_extern_same(a, b)); /* immutable ones, too */
    wasm_extern_delete(a);
    wasm_extern_delete(b);
    wasm_extern_delete(c);
    wasm_instance_delete(two);
    /* Exchanged, they do not fit. */
    wasm_extern_t *crossed[] = {given[1], given[0]};
    CHECK(!embed_instance("(module (import \"a\" \"a\" (global f32)) (import \"a\" \"a\" (global (mut i64))))", crossed, 2, NULL));
    wasm_instance_delete(i);
    wasm_global_delete(fixed);
    wasm_global_delete(loose);
}

static void memories(void) {
    wasm_limits_t limits = {1, 3}, bad = {3, 1};
    wasm_memorytype_t *t = wasm_memorytype_new(&limits), *u = wasm_memorytype_new(&bad);
    wasm_memory_t *m = wasm_memory_new(store, t);
    CHECK(m && !wasm_memory_new(store, u));
    wasm_extern_t *given[] = {wasm_memory_as_extern(m)};
    wasm_instance_t *i = embed_instance("(module (import \"\" \"m\" (memory 1 3)) (data (i32.const 8) \"xyz\")"
                                        "(func (export \"\") (result i32) (i32.load8_u (i32.const 9)))"
                                        "(func (export \"size\") (result i32) memory.size))", given, 1, NULL);
    EQUAL(wasm_memory_data(m)[10], 'z');
    wasm_memory_data(m)[9] = 'Q';
    EQUAL(embed_call1(i, 0).of.i32, 'Q');
    EQUAL(wasm_memory_size(m), 1);
    EQUAL(wasm_memory_data_size(m), MEMORY_PAGE_SIZE);
    byte_t *before = wasm_memory_data(m);
    CHECK(wasm_memory_grow(m, 2) && !wasm_memory_grow(m, 1));
    EQUAL(wasm_memory_data(m), before);
    EQUAL(wasm_memory_size(m), 3);
    EQUAL(embed_call1(i, 1).of.i32, 3);
    wasm_memorytype_t *has = wasm_memory_type(m);
    EQUAL(wasm_memorytype_limits(has)->max, 3);
    EQUAL(wasm_memorytype_limits(has)->min, 3); /* it has grown */
    wasm_memorytype_delete(has);
    wasm_instance_delete(i);
    wasm_memory_delete(m);
    wasm_memorytype_delete(t);
    wasm_memorytype_delete(u);
}

static wasm_trap_t *seven(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    results->data[0].of.i32 = 7;
    return NULL;
}

static void tables(void) {
    wasm_limits_t limits = {2, 4};
    wasm_tabletype_t *t = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits);
    wasm_functype_t *ft = wasm_functype_new_0_1(wasm_valtype_new_i32());
    wasm_func_t *f = wasm_func_new(store, ft, seven);
    wasm_table_t *table = wasm_table_new(store, t, NULL);
    wasm_extern_t *given[] = {wasm_table_as_extern(table)};
    wasm_instance_t *i = embed_instance("(module (import \"\" \"t\" (table 2 4 funcref)) (elem (i32.const 1) $eight)"
                                        "(func $eight (export \"8\") (result i32) (i32.const 8))"
                                        "(func (export \"0\") (result i32) (call_indirect (result i32) (i32.const 0)))"
                                        "(func (export \"3\") (result i32) (call_indirect (result i32) (i32.const 3))))",
                                        given, 1, NULL);
    wasm_extern_t *eight = embed_export(i, 0), *zero = embed_export(i, 1);
    wasm_ref_t *r = wasm_table_get(table, 1);
    CHECK(wasm_ref_as_func(r) && wasm_func_same(wasm_ref_as_func(r), wasm_extern_as_func(eight)));
    CHECK(!wasm_table_get(table, 0) && !wasm_table_get(table, 2));
    wasm_val_t v[1];
    wasm_val_vec_t none = WASM_EMPTY_VEC, results = WASM_ARRAY_VEC(v);
    embed_call(wasm_extern_as_func(zero), &none, &results, "uninitialized element");
    CHECK(wasm_table_set(table, 0, wasm_func_as_ref(f)) && !wasm_table_set(table, 2, r));
    EQUAL(embed_call1(i, 1).of.i32, 7);
    CHECK(wasm_table_grow(table, 2, r) && !wasm_table_grow(table, 1, NULL));
    EQUAL(wasm_table_size(table), 4);
    wasm_externtype_t *has = wasm_extern_type(wasm_table_as_extern(table));
    EQUAL(wasm_tabletype_limits(wasm_externtype_as_tabletype(has))->min, 4);
    wasm_externtype_delete(has);
    EQUAL(embed_call1(i, 2).of.i32, 8);
    CHECK(!wasm_table_set(table, 0, wasm_table_as_ref(table))); /* no function */
    wasm_ref_delete(r);
    wasm_extern_delete(eight);
    wasm_extern_delete(zero);
    wasm_instance_delete(i);
    wasm_table_delete(table);
    wasm_func_delete(f);
    wasm_functype_delete(ft);
    wasm_tabletype_delete(t);
}

/* What no instance has had goes with its last holder: address space has an end. */
static void cycles(void) {
    wasm_limits_t limits = {1, 2};
    wasm_memorytype_t *m = wasm_memorytype_new(&limits);
    wasm_tabletype_t *t = wasm_tabletype_new(wasm_valtype_new_externref(), &limits);
    wasm_val_t v = WASM_I32_VAL(1);
    for (int k = 0; k < 20000; k++) {
        wasm_memory_t *memory = wasm_memory_new(store, m);
        wasm_table_t *table = wasm_table_new(store, t, NULL);
        wasm_global_t *global = global_of(WASM_I32, WASM_VAR, v);
        if (!memory || !table || !global) return CHECK(!"a thing");
        wasm_memory_delete(memory);
        wasm_table_delete(table);
        wasm_global_delete(global);
    }
    wasm_memory_t *memory = wasm_memory_new(store, m);
    wasm_extern_t *given[] = {wasm_memory_as_extern(memory)};
    wasm_instance_t *i = embed_instance("(module (import \"\" \"\" (memory 1)) (func (export \"\") (result i32) (i32.load (i32.const 0))))", given, 1, NULL);
    wasm_memory_data(memory)[0] = 5;
    wasm_memory_delete(memory); /* the instance has it */
    EQUAL(embed_call1(i, 0).of.i32, 5);
    wasm_instance_delete(i);
    wasm_memorytype_delete(m);
    wasm_tabletype_delete(t);
}

/* A tag of one module is what another throws: only as an export and an import. */
static void tags(void) {
    wasm_instance_t *i = embed_instance("(module (tag $a (export \"a\") (param i32)) (tag (export \"b\") (param i32))"
                                        "(tag (export \"c\")) (export \"d\" (tag $a)))", NULL, 0, NULL);
    wasm_extern_vec_t e;
    wasm_instance_exports(i, &e);
    EQUAL(e.size, 4);
    EQUAL(wasm_extern_kind(e.data[0]), WASM_EXTERN_TAG);
    CHECK(wasm_extern_same(e.data[0], e.data[3]) && !wasm_extern_same(e.data[0], e.data[1]));
    CHECK(!wasm_extern_as_func(e.data[0]) && !wasm_extern_as_memory_const(e.data[0]));
    CHECK(wasm_ref_as_extern(wasm_extern_as_ref(e.data[0])) == e.data[0]);
    wasm_externtype_t *t = wasm_extern_type(e.data[0]);
    EQUAL(wasm_functype_params(wasm_tagtype_functype(wasm_externtype_as_tagtype(t)))->size, 1);
    wasm_externtype_delete(t);
    static const char text[] = "(module (import \"\" \"x\" (tag $x (param i32))) (import \"\" \"y\" (tag $y (param i32)))"
                               "(func (export \"\") (result i32) try (result i32) (throw $x (i32.const 4))"
                               "  catch $y (i32.const 100) i32.add catch_all (i32.const 9) end))";
    wasm_extern_t *one[] = {e.data[0], e.data[3]}, *both[] = {e.data[0], e.data[1]}, *other[] = {e.data[0], e.data[2]};
    wasm_instance_t *j = embed_instance(text, one, 2, NULL), *k = embed_instance(text, both, 2, NULL);
    EQUAL(embed_call1(j, 0).of.i32, 104);
    EQUAL(embed_call1(k, 0).of.i32, 9);
    CHECK(!embed_instance(text, other, 2, NULL)); /* of another type */
    wasm_instance_delete(j);
    wasm_instance_delete(k);
    wasm_instance_delete(i);
    wasm_extern_vec_delete(&e);
}

static int gone;
static void forget(void *info) { gone += *(int *)info; }

/* An object through a module and back; host info is the object's. */
static void references(void) {
    static int info = 3;
    wasm_foreign_t *x = wasm_foreign_new(store);
    wasm_foreign_set_host_info_with_finalizer(x, &info, forget);
    wasm_instance_t *i = embed_instance("(module (func (export \"\") (param externref funcref) (result externref funcref)"
                                        "(local.get 0) (local.get 1)))", NULL, 0, NULL);
    wasm_extern_t *f = embed_export(i, 0);
    wasm_val_t a[] = {WASM_REF_VAL(wasm_foreign_as_ref(x)), {.kind = WASM_FUNCREF, .of.ref = wasm_extern_as_ref(f)}};
    wasm_val_t r[2] = {WASM_INIT_VAL, WASM_INIT_VAL};
    wasm_val_vec_t args = WASM_ARRAY_VEC(a), results = WASM_ARRAY_VEC(r);
    embed_call(wasm_extern_as_func(f), &args, &results, NULL);
    CHECK(wasm_ref_same(r[0].of.ref, wasm_foreign_as_ref(x)));
    EQUAL(wasm_ref_get_host_info(r[0].of.ref), &info);
    CHECK(wasm_ref_same(r[1].of.ref, wasm_extern_as_ref(f)) && r[1].kind == WASM_FUNCREF);
    wasm_val_delete(&r[0]);
    wasm_val_delete(&r[1]);
    a[1].of.ref = a[0].of.ref; /* no function */
    embed_call(wasm_extern_as_func(f), &args, &results, "call: wrong kind of argument");
    wasm_extern_delete(f);
    wasm_instance_delete(i);
    wasm_foreign_delete(x);
}

/* A value without a kind in wasm.h: nobody gets it, nobody changes it. */
static void vectors(void) {
    wasm_instance_t *i = embed_instance("(module (global $v (export \"v\") (mut v128) (v128.const i32x4 6 0 0 0))"
                                        "(func (export \"f\") (param v128))"
                                        "(func (export \"l\") (result i32) (i32x4.extract_lane 0 (global.get $v))))", NULL, 0, NULL);
    wasm_val_t out = WASM_I32_VAL(1), null = WASM_INIT_VAL, a[] = {WASM_INIT_VAL};
    wasm_val_vec_t args = WASM_ARRAY_VEC(a), none = WASM_EMPTY_VEC;
    wasm_extern_t *g = embed_export(i, 0), *f = embed_export(i, 1);
    wasm_global_get(wasm_extern_as_global(g), &out);
    CHECK(out.kind == WASM_EXTERNREF && !out.of.ref);
    wasm_global_set(wasm_extern_as_global(g), &null);
    EQUAL(embed_call1(i, 2).of.i32, 6);
    embed_call(wasm_extern_as_func(f), &args, &none, "call: a parameter is of a type that cannot be passed");
    wasm_extern_delete(g);
    wasm_extern_delete(f);
    wasm_instance_delete(i);
}

/* What is another store's, or left over from one, answers nothing. */
static void strangers(void) {
    wasm_store_t *mine = store;
    wasm_val_t v = WASM_I32_VAL(1), out, r[1];
    wasm_global_t *g = global_of(WASM_I32, WASM_CONST, v);
    wasm_extern_t *given[] = {wasm_global_as_extern(g)};
    store = wasm_store_new(engine);
    CHECK(!embed_instance("(module (import \"\" \"\" (global i32)))", given, 1, NULL));
    wasm_instance_t *i = embed_instance("(module (func (export \"\") (result i32) (i32.const 1)))", NULL, 0, NULL);
    wasm_extern_t *left = embed_export(i, 0);
    wasm_store_delete(store);
    wasm_val_vec_t none = WASM_EMPTY_VEC, results = WASM_ARRAY_VEC(r);
    embed_call(wasm_extern_as_func(left), &none, &results, "call: the store was deleted");
    wasm_extern_delete(left);
    wasm_instance_delete(i);
    store = mine;
    wasm_global_get(g, &out);
    EQUAL(out.of.i32, 1);
    wasm_global_delete(g);
}

int main(void) {
    embed_open();
    globals();
    memories();
    tables();
    tags();
    cycles();
    references();
    vectors();
    strangers();
    EQUAL(gone, 0);
    embed_close();
    EQUAL(gone, 3);
    return test_end("capi_things");
}
