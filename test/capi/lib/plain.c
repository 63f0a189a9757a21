/* plain.c: a program that knows nothing of us but <wasm.h>, in C and in C++: what
 * programs for other engines take for granted there. */
#include <wasm.h>

static wasm_trap_t *sum(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    assert(args->size == 2 && results->size == 1); /* <assert.h> comes with it */
    results->data[0].of.i32 = args->data[0].of.i32 + (int32_t)args->data[1].of.f64;
    return NULL;
}

static void names(void) {
    wasm_name_t n, nt;
    wasm_name_new_uninitialized(&n, 3);
    memcpy(n.data, "abc", 3); /* as does <string.h> */
    wasm_name_delete(&n);
    wasm_name_new_from_string(&n, "abc");
    wasm_name_new_from_string_nt(&nt, "abc");
    assert(n.size == 3 && nt.size == 4);
    wasm_name_delete(&n);
    wasm_name_delete(&nt);
}

static void values(wasm_func_t *f) {
    wasm_val_t a[2] = {WASM_I32_VAL(40), WASM_F64_VAL(2)}, r[1] = {WASM_INIT_VAL};
    wasm_val_vec_t args = WASM_ARRAY_VEC(a), results = WASM_ARRAY_VEC(r), none = WASM_EMPTY_VEC;
    assert(!wasm_func_call(f, &args, &results) && r[0].kind == WASM_I32 && r[0].of.i32 == 42);
    wasm_trap_t *t = wasm_func_call(f, &none, &results);
    assert(t);
    wasm_trap_delete(t);
    wasm_val_t others[] = {WASM_I64_VAL(1), WASM_F32_VAL(1), WASM_REF_VAL(wasm_func_as_ref(f))};
    assert(others[2].kind == WASM_EXTERNREF && wasm_valkind_is_ref(others[2].kind) && wasm_valkind_is_num(others[0].kind));
}

static void tags(void) {
    wasm_tagtype_t *t = wasm_tagtype_new(wasm_functype_new_1_0(wasm_valtype_new_f32()));
    wasm_externtype_t *e = wasm_externtype_copy(wasm_tagtype_as_externtype(t));
    assert(wasm_externtype_kind(e) == WASM_EXTERN_TAG && wasm_externtype_as_tagtype(e) && !wasm_externtype_as_functype(e));
    assert(wasm_functype_params(wasm_tagtype_functype(wasm_externtype_as_tagtype_const(e)))->size == 1);
    wasm_tagtype_vec_t v, copy;
    wasm_tagtype_vec_new(&v, 1, &t);
    wasm_tagtype_vec_copy(&copy, &v);
    assert(copy.size == 1 && copy.data[0] != t);
    wasm_tagtype_vec_delete(&v);
    wasm_tagtype_vec_delete(&copy);
    wasm_externtype_delete(e);
}

int main(void) {
    wasm_engine_t *engine = wasm_engine_new();
    wasm_store_t *store = wasm_store_new(engine);
    wasm_functype_t *type = wasm_functype_new_2_1(wasm_valtype_new_i32(), wasm_valtype_new_f64(), wasm_valtype_new_i32());
    wasm_func_t *f = wasm_func_new(store, type, sum);
    assert(f);
    names();
    values(f);
    tags();
    wasm_func_delete(f);
    wasm_functype_delete(type);
    wasm_store_delete(store);
    wasm_engine_delete(engine);
    return 0;
}
