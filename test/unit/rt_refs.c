/* Typed references at run time: calls through them within and between
 * instances, null, typed tables and globals at the embedder's interface. */
#include <stdio.h>
#include <stdlib.h>

#include "test/lib/engine.h"
#include "test/lib/test.h"
#include "test/lib/wat.h"

static struct test_engine T;

static u64 twice(struct abi_ctx *c, u32 x) { return 2 * x; }

static const char first[] =
    "(module (type $t (func (param i32) (result i32))) (type $r (func (result (ref null $t))))"
    " (import \"env\" \"twice\" (func $twice (type $t)))"
    " (global $step (mut i32) (i32.const 3))"
    " (table $typed (export \"typed\") 2 4 (ref $t) (ref.func $add))"
    " (global (export \"g\") (mut (ref null $t)) (ref.func $add))"
    " (global (export \"k\") (ref $t) (ref.func $twice))"
    " (func $add (export \"add\") (type $t) (i32.add (local.get 0) (global.get $step)))"
    " (func (export \"get\") (param i32) (result (ref null $t))"
    "   (if (i32.eqz (local.get 0)) (then (return (ref.null $t))))"
    "   (if (i32.eq (local.get 0) (i32.const 1)) (then (return (ref.func $add)))) (ref.func $twice))"
    " (func (export \"via\") (param i32) (result i32)"
    "   (call_ref $t (i32.const 10) (table.get $typed (local.get 0)))))";

static const char second[] =
    "(module (type $t (func (param i32) (result i32))) (type $r (func (result (ref null $t))))"
    " (import \"a\" \"get\" (func $get (param i32) (result (ref null $t))))"
    " (import \"a\" \"k\" (global $k (ref null $t)))"
    " (import \"a\" \"typed\" (table 2 (ref $t)))"
    " (elem (i32.const 1) (ref $t) (ref.func $own))"
    " (func $own (type $t) (i32.mul (local.get 0) (i32.const 7)))"
    " (func (export \"call\") (param i32) (result i32)"
    "   (i32.add (call_ref $t (i32.const 10) (call $get (local.get 0))) (i32.const 100)))"
    " (func (export \"tail\") (param i32) (result i32) (return_call_ref $t (i32.const 10) (call $get (local.get 0))))"
    " (func (export \"const\") (param i32) (result i32) (call_ref $t (local.get 0) (global.get $k)))"
    " (func (export \"non\") (param i32) (result i32) (ref.is_null (ref.as_non_null (call $get (local.get 0))))))";

static struct rt_instance *add(struct rt_store *s, struct rt_linker *l, const char *text, const char *as) {
    struct bytes b = wat(text);
    struct rt_module *m;
    struct rt_instance *i;
    struct rt_error e = {0};
    enum err err = rt_module_load(T.engine, b, NULL, &m, &e);
    free((void *)(uptr)b.p);
    if (!err) err = rt_instantiate(s, m, l, &i, NULL, &e);
    if (err) {
        printf("failed: %s: %s\n", err_text(err), e.text);
        exit(1);
    }
    rt_module_free(m);
    EQUAL(rt_define_instance(l, test_name(as), i), ERR_OK);
    return i;
}

static u32 call(struct rt_instance *i, const char *name, u32 arg, enum abi_trap want) {
    struct rt_callable f;
    union abi_value v[1] = {{.i64 = arg}};
    EQUAL(rt_find_func(i, test_name(name), &f), ERR_OK);
    EQUAL(rt_call(&f, v), want);
    return v[0].i32;
}

static void calls(struct rt_instance *a, struct rt_instance *b) {
    static const struct {
        const char *name;
        u32 in, out;
        enum abi_trap trap;
    } cases[] = {
        {"call", 1, 113, 0}, {"call", 2, 120, 0}, {"call", 0, 0, ABI_TRAP_NULL_FUNCTION},
        {"tail", 1, 13, 0},  {"tail", 2, 20, 0},  {"tail", 0, 0, ABI_TRAP_NULL_FUNCTION},
        {"const", 4, 8, 0},  {"non", 1, 0, 0},    {"non", 0, 0, ABI_TRAP_NULL_REFERENCE},
    };
    for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
        u32 v = call(b, cases[k].name, cases[k].in, cases[k].trap);
        if (!cases[k].trap) EQUAL(v, cases[k].out);
    }
    EQUAL(call(a, "via", 0, 0), 13); /* the table's initialiser */
    EQUAL(call(a, "via", 1, 0), 70); /* the other instance's element segment */
    call(a, "via", 2, ABI_TRAP_TABLE_BOUNDS);
}

/* What the embedder may put where. */
static void embedder(struct rt_instance *a, struct rt_store *s) {
    struct rt_callable f;
    u32 adds = call(a, "get", 1, 0), other = 0;
    union abi_value v = {.i64 = adds};
    EQUAL(rt_table_get(a, test_name("typed"), 1, &other), ERR_OK);
    EQUAL(rt_func_of(s, other, &f), ERR_OK);
    EQUAL(rt_table_set(a, test_name("typed"), 1, 0), ERR_INVALID); /* never null */
    EQUAL(rt_table_set(a, test_name("typed"), 1, rt_extern_new(s, a)), ERR_INVALID);
    EQUAL(rt_table_set(a, test_name("typed"), 1, 12345), ERR_INVALID);
    EQUAL(rt_table_set(a, test_name("typed"), 1, adds), ERR_OK);
    EQUAL(call(a, "via", 1, 0), 13);
    EQUAL(rt_global_set(a, test_name("g"), v), ERR_OK);
    v.i64 = 0;
    EQUAL(rt_global_set(a, test_name("g"), v), ERR_OK); /* may be null */
    EQUAL(rt_global_set(a, test_name("k"), v), ERR_INVALID);
}

/* A function of another type is refused where the type is asked for. */
static void other_type(struct rt_store *s, struct rt_linker *l) {
    struct rt_instance *c = add(s, l,
                                "(module (type $v (func)) (func $f (export \"f\")) (elem declare func $f)"
                                " (func (export \"get\") (param i32) (result funcref) (ref.func $f)))", "c");
    u32 h = call(c, "get", 0, 0);
    struct rt_instance *a = add(s, l, first, "d");
    EQUAL(rt_table_set(a, test_name("typed"), 0, h), ERR_INVALID);
    union abi_value v = {.i64 = h};
    EQUAL(rt_global_set(a, test_name("g"), v), ERR_INVALID);
}

static void linking(struct rt_store *s, struct rt_linker *l) {
    static const char *const bad[] = {
        "(module (type $t (func (param i64))) (import \"a\" \"typed\" (table 2 (ref $t))))",
        "(module (type $t (func (param i32) (result i32))) (import \"a\" \"typed\" (table 2 (ref null $t))))",
        "(module (import \"a\" \"typed\" (table 2 funcref)))",
        "(module (type $t (func (param i32) (result i32))) (import \"a\" \"g\" (global (mut (ref $t)))))",
        "(module (type $t (func (param i32))) (import \"a\" \"k\" (global (ref $t))))",
    };
    static const char *const good[] = {
        "(module (import \"a\" \"k\" (global (ref func))))",
        "(module (import \"a\" \"k\" (global funcref)))",
        /* equal types, the long way round: through a type that mentions another */
        "(module (type (func)) (type $u (func (param i32) (result i32)))"
        " (import \"a\" \"get\" (func (param i32) (result (ref null $u)))))",
    };
    for (size_t k = 0; k < ARRAY_LEN(bad) + ARRAY_LEN(good); k++) {
        bool fits = k >= ARRAY_LEN(bad);
        struct bytes b = wat(fits ? good[k - ARRAY_LEN(bad)] : bad[k]);
        struct rt_module *m;
        struct rt_instance *i;
        struct rt_error e = {0};
        EQUAL(rt_module_load(T.engine, b, NULL, &m, &e), ERR_OK);
        EQUAL(rt_instantiate(s, m, l, &i, NULL, &e), fits ? ERR_OK : ERR_SIGNATURE);
        rt_module_free(m);
        free((void *)(uptr)b.p);
    }
}

int main(void) {
    struct rt_store *s;
    struct rt_linker *l;
    test_engine_open(&T);
    EQUAL(rt_store_new(T.engine, NULL, &s), ERR_OK);
    EQUAL(rt_linker_new(T.engine, &l), ERR_OK);
    EQUAL(rt_define_func(l, "env", "twice", "i:i", twice), ERR_OK);
    struct rt_instance *a = add(s, l, first, "a");
    calls(a, add(s, l, second, "b"));
    embedder(a, s);
    other_type(s, l);
    linking(s, l);
    rt_store_free(s);
    rt_linker_free(l);
    test_engine_close(&T);
    return test_end("rt_refs");
}
