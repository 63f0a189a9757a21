/* func.c: functions through wasm.h: callbacks of many signatures, traps, nesting. */
#include "test/capi/lib/embed.h"

#include <stdio.h>
#include <string.h>

/* With up to one import. */
static wasm_instance_t *open(const char *text, wasm_func_t *import, wasm_trap_t **trap) {
    wasm_extern_t *given[] = {import ? wasm_func_as_extern(import) : NULL};
    return embed_instance(text, given, import ? 1 : 0, trap);
}

static void call_is(wasm_instance_t *i, size_t k, wasm_val_vec_t *args, wasm_val_vec_t *results, const char *text) {
    wasm_extern_t *e = embed_export(i, k);
    embed_call(wasm_extern_as_func(e), args, results, text);
    wasm_extern_delete(e);
}

static wasm_functype_t *type_of(const char *params, const char *results) {
    wasm_valtype_vec_t v[2];
    const char *texts[] = {params, results};
    for (int side = 0; side < 2; side++) {
        wasm_valtype_vec_new_uninitialized(&v[side], strlen(texts[side]));
        for (size_t k = 0; k < v[side].size; k++) {
            char c = texts[side][k];
            v[side].data[k] = wasm_valtype_new(c == 'i'   ? WASM_I32
                                               : c == 'I' ? WASM_I64
                                               : c == 'f' ? WASM_F32
                                               : c == 'F' ? WASM_F64
                                               : c == 'r' ? WASM_FUNCREF
                                                          : WASM_EXTERNREF);
        }
    }
    return wasm_functype_new(&v[0], &v[1]);
}

static wasm_func_t *host(const char *params, const char *results, wasm_func_callback_with_env_t f, void *env,
                         void (*finalizer)(void *)) {
    wasm_functype_t *t = type_of(params, results);
    wasm_func_t *h = wasm_func_new_with_env(store, t, f, env, finalizer);
    wasm_functype_delete(t);
    return h;
}

/* Weighs each argument by its place, so that one in the wrong place shows. */
static wasm_trap_t *weigh(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    double sum = *(int *)env;
    for (size_t k = 0; k < args->size; k++) {
        const wasm_val_t *v = &args->data[k];
        double x = v->kind == WASM_I32   ? v->of.i32
                   : v->kind == WASM_I64 ? (double)v->of.i64
                   : v->kind == WASM_F32 ? v->of.f32
                                         : v->of.f64;
        sum += (double)(k + 1) * x;
    }
    for (size_t k = 0; k < results->size; k++) {
        wasm_val_t *r = &results->data[k];
        if (r->kind == WASM_F64) r->of.f64 = sum + (double)k;
        else if (r->kind == WASM_F32) r->of.f32 = (float)(sum + (double)k);
        else if (r->kind == WASM_I64) r->of.i64 = (int64_t)sum + (int64_t)k;
        else r->of.i32 = (int32_t)sum + (int32_t)k;
    }
    return NULL;
}

static int finalized;
static void count(void *env) { finalized += *(int *)env; }

static void with_env(void) {
    static int env = 1000;
    wasm_func_t *f = host("iI", "i", weigh, &env, count);
    wasm_instance_t *i = open("(module (import \"\" \"\" (func $f (param i32 i64) (result i32)))"
                              "(func (export \"\") (param i32) (result i32)"
                              "  (call $f (local.get 0) (i64.const 50))))", f, NULL);
    wasm_val_t a[] = {WASM_I32_VAL(7)}, r[] = {WASM_INIT_VAL};
    wasm_val_vec_t args = WASM_ARRAY_VEC(a), results = WASM_ARRAY_VEC(r);
    call_is(i, 0, &args, &results, NULL);
    EQUAL(r[0].of.i32, 1000 + 7 + 100);
    EQUAL(r[0].kind, WASM_I32);
    wasm_instance_delete(i);
    wasm_func_delete(f);
}

/* 8 integers and 10 floats: both overflow to the stack; three results. */
static void wide(void) {
    static int env = 5;
    wasm_func_t *f = host("iFIfiFIfiFIfiFIfFF", "FIf", weigh, &env, NULL);
    wasm_instance_t *i = open(
        "(module (import \"\" \"\" (func $f (param i32 f64 i64 f32 i32 f64 i64 f32 i32 f64 i64 f32 i32 f64 i64 f32 f64 f64)"
        "  (result f64 i64 f32)))"
        "(func (export \"\") (result f64 i64 f32) (call $f (i32.const 1) (f64.const 2) (i64.const 3) (f32.const 4)"
        "  (i32.const 5) (f64.const 6) (i64.const 7) (f32.const 8) (i32.const 9) (f64.const 10) (i64.const 11)"
        "  (f32.const 12) (i32.const 13) (f64.const 14) (i64.const 15) (f32.const 16) (f64.const 17) (f64.const 18))))",
        f, NULL);
    wasm_val_t r[3] = {0};
    wasm_val_vec_t none = WASM_EMPTY_VEC, results = WASM_ARRAY_VEC(r);
    call_is(i, 0, &none, &results, NULL);
    /* 5 and the squares up to 18 */
    EQUAL(r[0].of.f64, 5 + 18 * 19 * 37 / 6);
    EQUAL(r[1].of.i64, 5 + 18 * 19 * 37 / 6 + 1);
    EQUAL(r[2].of.f32, 5 + 18 * 19 * 37 / 6 + 2);
    wasm_instance_delete(i);
    /* The same from C, through its own stub. */
    wasm_val_t a[18];
    for (int k = 0; k < 18; k++) {
        wasm_valkind_t kinds[] = {WASM_I32, WASM_F64, WASM_I64, WASM_F32};
        a[k].kind = k == 16 ? WASM_F64 : kinds[k % 4];
        if (a[k].kind == WASM_F64) a[k].of.f64 = k + 1;
        else if (a[k].kind == WASM_F32) a[k].of.f32 = (float)(k + 1);
        else a[k].of.i64 = k + 1;
    }
    wasm_val_vec_t args = WASM_ARRAY_VEC(a);
    memset(r, 0, sizeof r);
    CHECK(!wasm_func_call(f, &args, &results));
    EQUAL(r[1].of.i64, 5 + 18 * 19 * 37 / 6 + 1);
    wasm_func_delete(f);
}

static wasm_trap_t *refuse(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    wasm_message_t m;
    wasm_name_new_from_string_nt(&m, env);
    wasm_trap_t *t = wasm_trap_new(store, &m);
    wasm_byte_vec_delete(&m);
    return t;
}

static void traps(void) {
    static char text[] = "not today";
    wasm_func_t *f = host("", "i", refuse, text, NULL);
    wasm_instance_t *i = open("(module (import \"\" \"\" (func $f (result i32)))"
                              "(func (export \"a\") (result i32) (call $f))"
                              "(func (export \"b\") (result i32) (i32.div_s (i32.const 1) (i32.const 0)))"
                              "(func $r (export \"c\") (call $r)))", f, NULL);
    wasm_val_t r[] = {WASM_INIT_VAL};
    wasm_val_vec_t none = WASM_EMPTY_VEC, results = WASM_ARRAY_VEC(r);
    call_is(i, 0, &none, &results, "not today");
    call_is(i, 1, &none, &results, "integer divide by zero");
    call_is(i, 2, &none, &none, "call stack exhausted");
    call_is(i, 0, &results, &results, "call: wrong number of arguments");
    call_is(i, 0, &none, &none, "not today"); /* it runs without room for the result, too */
    call_is(i, 0, NULL, NULL, "not today");
    wasm_instance_delete(i);
    wasm_func_delete(f);
}

/* Results go where there is room for them; the others are nobody's. */
static void few_results(void) {
    wasm_instance_t *i = open("(module (func (export \"\") (result i32 externref i64)"
                              "(i32.const 1) (ref.null extern) (i64.const 3)))", NULL, NULL);
    wasm_val_t r[] = {WASM_I32_VAL(7), WASM_I32_VAL(7), WASM_I32_VAL(7)};
    wasm_val_vec_t results = {0, r};
    for (size_t n = 0; n <= 3; n++) {
        results.size = n;
        call_is(i, 0, NULL, &results, NULL);
        EQUAL(r[0].of.i32, n > 0 ? 1 : 7);
        EQUAL(r[1].kind, n > 1 ? WASM_EXTERNREF : WASM_I32);
        EQUAL(r[2].kind, n > 2 ? WASM_I64 : WASM_I32);
    }
    EQUAL(r[2].of.i64, 3);
    wasm_instance_delete(i);
}

/* A message ends in a zero byte, whatever was given. */
static void messages(void) {
    char text[] = {'a', 'b'};
    const struct {
        wasm_message_t m;
        size_t size;
    } given[] = {{{2, text}, 3}, {{0, NULL}, 1}, {{3, "cd"}, 3}};
    for (size_t k = 0; k < 3; k++) {
        wasm_message_t m;
        wasm_trap_t *t = wasm_trap_new(store, &given[k].m);
        wasm_trap_message(t, &m);
        EQUAL(m.size, given[k].size);
        EQUAL(m.data[m.size - 1], 0);
        if (given[k].m.size) EQUAL(memcmp(m.data, given[k].m.data, given[k].m.size), 0);
        wasm_byte_vec_delete(&m);
        wasm_trap_delete(t);
    }
}

/* Own: indices of its frames, the innermost first. */
static void frames_are(wasm_trap_t *t, const char *text) {
    wasm_frame_vec_t frames;
    char have[200] = "";
    wasm_frame_t *origin = wasm_trap_origin(t);
    wasm_trap_trace(t, &frames);
    for (size_t k = 0; k < frames.size; k++)
        snprintf(have + strlen(have), sizeof have - strlen(have), "%u ", (unsigned)wasm_frame_func_index(frames.data[k]));
    EQUAL_TEXT(have, text);
    EQUAL(origin != NULL, frames.size > 0);
    if (origin) {
        wasm_frame_t *copy = wasm_frame_copy(origin);
        EQUAL(wasm_frame_func_index(copy), wasm_frame_func_index(frames.data[0]));
        EQUAL(wasm_frame_module_offset(copy), wasm_frame_module_offset(frames.data[0]));
        CHECK(wasm_frame_module_offset(copy) > 8 && !wasm_frame_func_offset(copy) && !wasm_frame_instance(copy));
        wasm_frame_delete(copy);
    }
    wasm_frame_delete(origin);
    wasm_frame_vec_delete(&frames);
    wasm_trap_delete(t);
}

static wasm_trap_t *call_text(wasm_extern_t *e) {
    wasm_val_t r[1];
    wasm_val_vec_t none = WASM_EMPTY_VEC, results = WASM_ARRAY_VEC(r);
    return wasm_func_call(wasm_extern_as_func(e), &none, &results);
}

static wasm_extern_t *inside;
static wasm_trap_t *hand_on(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) { return call_text(inside); }

/* Which functions: by their own fault, by a callback's trap, through a callback. */
static void frames(void) {
    static char text[] = "no";
    wasm_func_t *no = host("", "i", refuse, text, NULL), *through = host("", "i", hand_on, NULL, NULL);
    static const char module[] = "(module (import \"\" \"\" (func $f (result i32)))"
                                 "(func $deep (param i32) (result i32) (if (i32.eqz (local.get 0)) (then unreachable))"
                                 "  (i32.add (call $deep (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))"
                                 "(func (export \"a\") (result i32) (i32.add (call $f) (i32.const 1)))"
                                 "(func (export \"b\") (result i32) (i32.add (call $deep (i32.const 2)) (i32.const 1)))"
                                 "(func (export \"c\") (result i32) (i32.add (call $deep (i32.const 99)) (i32.const 1))))";
    wasm_instance_t *i = open(module, no, NULL), *j = open(module, through, NULL);
    wasm_extern_vec_t e, outer;
    wasm_instance_exports(i, &e);
    wasm_instance_exports(j, &outer);
    frames_are(call_text(e.data[0]), "2 ");
    frames_are(call_text(e.data[1]), "1 1 1 3 ");
    frames_are(call_text(e.data[2]), "1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 ");
    inside = e.data[1];
    frames_are(call_text(outer.data[0]), "1 1 1 3 "); /* where it began, not who handed it on */
    frames_are(refuse(text, NULL, NULL), ""); /* it never was in a module */
    wasm_extern_vec_delete(&e);
    wasm_extern_vec_delete(&outer);
    wasm_instance_delete(i);
    wasm_instance_delete(j);
    wasm_func_delete(no);
    wasm_func_delete(through);
}

static wasm_trap_t *hand_on_wide(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    volatile char much[32 << 10];
    much[0] = 1; /* most of what a callback has: the next call finds none left */
    wasm_trap_t *t = call_text(inside);
    much[1] = much[0];
    return t;
}

/* A call that finds no stack shows no frames of an earlier one, whose module is gone. */
static void no_stack(void) {
    wasm_trap_t *trap;
    wasm_message_t m;
    CHECK(!open("(module (func) (func) (func $s unreachable) (start $s))", NULL, &trap));
    frames_are(trap, "2 ");
    wasm_func_t *again = host("", "i", hand_on_wide, NULL, NULL);
    wasm_instance_t *i = open("(module (import \"\" \"\" (func $f (result i32))) (func (export \"\") (result i32) (call $f)))", again, NULL);
    inside = embed_export(i, 0);
    trap = call_text(inside);
    wasm_trap_message(trap, &m);
    EQUAL_TEXT(m.data, "call stack exhausted");
    wasm_byte_vec_delete(&m);
    frames_are(trap, "1 "); /* who called the callback that called */
    wasm_extern_delete(inside);
    wasm_instance_delete(i);
    wasm_func_delete(again);
}

static void start_traps(void) {
    wasm_trap_t *trap = NULL;
    wasm_message_t m;
    CHECK(!open("(module (func $s unreachable) (start $s))", NULL, &trap));
    CHECK(trap != NULL);
    if (trap) {
        wasm_trap_message(trap, &m);
        EQUAL_TEXT(m.data, "unreachable");
        EQUAL(m.data[m.size - 1], 0);
        wasm_byte_vec_delete(&m);
    }
    frames_are(trap, "0 "); /* the start function */
    CHECK(!open("(module (memory 1) (data (i32.const 65536) \"x\"))", NULL, &trap));
    frames_are(trap, ""); /* no function was called */
    CHECK(!open("(module (import \"\" \"\" (func)))", NULL, &trap)); /* an import too few */
    wasm_trap_message(trap, &m);
    EQUAL_TEXT(m.data, "0 imports given, module has 1");
    wasm_byte_vec_delete(&m);
    wasm_trap_delete(trap);
    CHECK(!open("(module (import \"\" \"\" (func)))", NULL, NULL)); /* nobody asks */
}

/* A callback that calls back, and hands the inner trap on. */
static wasm_func_t *inner;
static wasm_trap_t *again(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    return wasm_func_call(inner, args, results);
}

static void nested(void) {
    wasm_func_t *f = host("i", "i", again, NULL, NULL);
    wasm_extern_vec_t exports;
    wasm_instance_t *i = open("(module (import \"\" \"\" (func $f (param i32) (result i32)))"
                              "(func (export \"in\") (param i32) (result i32)"
                              "  (if (result i32) (i32.eqz (local.get 0)) (then unreachable)"
                              "  (else (i32.mul (local.get 0) (i32.const 2)))))"
                              "(func (export \"out\") (param i32) (result i32)"
                              "  (i32.add (call $f (local.get 0)) (i32.const 1))))", f, NULL);
    wasm_instance_exports(i, &exports);
    inner = wasm_extern_as_func(exports.data[0]);
    wasm_val_t a[] = {WASM_I32_VAL(21)}, r[] = {WASM_INIT_VAL};
    wasm_val_vec_t args = WASM_ARRAY_VEC(a), results = WASM_ARRAY_VEC(r);
    call_is(i, 1, &args, &results, NULL);
    EQUAL(r[0].of.i32, 43);
    a[0].of.i32 = 0;
    call_is(i, 1, &args, &results, "unreachable");
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(i);
    wasm_func_delete(f);
}

/* The pool of callbacks has an end, and gives back what a store had. */
static void pool(void) {
    enum { MANY = 20000 };
    static wasm_func_t *all[MANY];
    static int env = 0;
    wasm_store_t *mine = store;
    for (int round = 0; round < 2; round++) {
        unsigned made = 0;
        store = wasm_store_new(engine);
        while (made < MANY && (all[made] = host("", "", weigh, &env, NULL))) made++;
        CHECK(made > 16000 && made < 16384);
        if (round) wasm_store_delete(store); /* in either order */
        for (unsigned k = 0; k < made; k++) wasm_func_delete(all[k]);
        if (!round) wasm_store_delete(store);
    }
    store = mine;
}

/* One that no instance has had goes with its last holder; its place is free again. */
static void cycles(void) {
    static int env = 1;
    int before = finalized;
    for (int k = 0; k < 20000; k++) {
        wasm_func_t *f = host("i", "i", weigh, &env, count), *copy = wasm_func_copy(f);
        if (!f) return CHECK(!"a callback");
        wasm_func_delete(f);
        EQUAL(finalized, before + k);
        wasm_func_delete(copy);
    }
    EQUAL(finalized, before + 20000);
    finalized = before;
}

static wasm_trap_t *delete_itself(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    wasm_func_delete(*(wasm_func_t **)env);
    results->data[0].of.i32 = 6;
    return NULL;
}

/* Where it may still be called it stays: in a table, in an instance, by who calls it. */
static void held(void) {
    static int env = 0;
    static wasm_func_t *self;
    wasm_val_t r[] = {WASM_INIT_VAL};
    wasm_val_vec_t results = WASM_ARRAY_VEC(r), none = WASM_EMPTY_VEC;
    wasm_func_t *f = host("", "i", weigh, &env, count), *g = host("", "i", weigh, &env, count);
    wasm_instance_t *i = open("(module (import \"\" \"\" (func $f (result i32))) (table (export \"t\") 1 funcref)"
                              "(func (export \"\") (result i32) (i32.add (call $f) (call_indirect (result i32) (i32.const 0))))"
                              "(export \"f\" (func $f)))", f, NULL);
    wasm_extern_t *t = embed_export(i, 0), *again = embed_export(i, 2);
    CHECK(wasm_table_set(wasm_extern_as_table(t), 0, wasm_func_as_ref(g)));
    CHECK(wasm_func_same(f, wasm_extern_as_func(again)) && !wasm_func_same(g, wasm_extern_as_func(again)));
    env = 21;
    wasm_func_delete(f);
    wasm_func_delete(g);
    EQUAL(embed_call1(i, 1).of.i32, 42);
    env = 0;
    wasm_extern_delete(t);
    wasm_extern_delete(again);
    wasm_instance_delete(i);
    self = host("", "i", delete_itself, &self, NULL);
    embed_call(self, &none, &results, NULL); /* whoever calls it holds it */
    EQUAL(r[0].of.i32, 6);
}

int main(void) {
    embed_open();
    with_env();
    wide();
    traps();
    few_results();
    messages();
    start_traps();
    frames();
    no_stack();
    nested();
    pool();
    cycles();
    held();
    EQUAL(finalized, 0); /* the store has it still */
    embed_close();
    EQUAL(finalized, 1000);
    return test_end("capi_func");
}
