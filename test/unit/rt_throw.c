/* Exceptions at run time: registers and contexts after unwinding, hosts in
 * between, who frees what, and the hostile cases. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/host_rt.h"
#include "test/lib/engine.h"
#include "test/lib/test.h"
#include "test/lib/wat.h"

static struct test_engine T;
static struct rt_tag *host_tag;

/* Throws one of its own, with the argument and twice the argument. */
static u64 throws(struct abi_ctx *c, u32 x) {
    union abi_value v[2] = {{.i32 = x}, {.i64 = 2ull * x}};
    return rt_throw(c, host_tag, v);
}

/* Calls back; rethrows what that ends with, if it says 7, else tells its payload. */
static u64 through(struct abi_ctx *c, u32 x) {
    struct rt_callable f;
    union abi_value v[1] = {{.i32 = x}};
    struct rt_tag *tag, *want;
    const union abi_value *payload;
    u32 count;
    struct rt_store *s = rt_ctx_store(c);
    if (rt_find_func(rt_ctx_instance(c), test_name("inner"), &f)) return 1;
    if (rt_call(&f, v) != ABI_TRAP_EXCEPTION) return 2;
    if (!rt_exception_get(s, rt_uncaught(s), &tag, &payload, &count) || count != 1) return 3;
    if (rt_find_tag(rt_ctx_instance(c), test_name("e"), &want) || tag != want) return 4;
    if (payload[0].i32 == 7) return rt_rethrow(c, rt_uncaught(s));
    return payload[0].i32 + 100;
}

static const char first[] =
    "(module"
    " (import \"env\" \"throws\" (func $throws (param i32) (result i32)))"
    " (import \"env\" \"through\" (func $through (param i32) (result i32)))"
    " (import \"env\" \"host\" (tag $host (param i32 i64)))"
    " (tag $e (export \"e\") (param i32)) (tag $w (export \"w\") (param i64 f64 i32 i64 i64 i64 i64 f32))"
    " (global $kept (mut exnref) (ref.null exn)) (global $mine i32 (i32.const 1000))"
    " (func $raise (export \"raise\") (param i32) (result i32) (throw $e (local.get 0)))"
    " (func (export \"inner\") (param i32) (result i32) (throw $e (local.get 0)))"
    /* far down, with values of its own in every register */
    " (func $deep (param i32) (result i32) (local i32 i32 i32 i32)"
    "   (local.set 1 (i32.mul (local.get 0) (i32.const 3))) (local.set 2 (i32.mul (local.get 0) (i32.const 5)))"
    "   (local.set 3 (i32.mul (local.get 0) (i32.const 7))) (local.set 4 (i32.mul (local.get 0) (i32.const 9)))"
    "   (if (i32.eqz (local.get 0)) (then (throw $e (i32.const 42))))"
    "   (i32.add (call $deep (i32.sub (local.get 0) (i32.const 1)))"
    "     (i32.add (i32.add (local.get 1) (local.get 2)) (i32.add (local.get 3) (local.get 4)))))"
    " (func $catcher (param i32) (result i32)"
    "   (block $h (result i32) (try_table (catch $e $h) (drop (call $deep (local.get 0)))) (i32.const 1)))"
    " (func (export \"deep\") (param i32) (result i32) (local i32 i32 i32 i32 i32)"
    "   (local.set 1 (i32.add (local.get 0) (i32.const 1))) (local.set 2 (i32.add (local.get 0) (i32.const 2)))"
    "   (local.set 3 (i32.add (local.get 0) (i32.const 3))) (local.set 4 (i32.add (local.get 0) (i32.const 4)))"
    "   (local.set 5 (call $catcher (local.get 0)))"
    "   (i32.sub (i32.add (i32.add (local.get 1) (local.get 2)) (i32.add (local.get 3) (i32.add (local.get 4) (local.get 5))))"
    "     (i32.mul (local.get 0) (i32.const 4))))"
    " (func (export \"host\") (param i32) (result i32)"
    "   (block $h (result i32 i64) (try_table (catch $host $h) (return (call $throws (local.get 0)))) (unreachable))"
    "   (i32.wrap_i64) (i32.sub) (i32.add (global.get $mine)))"
    " (func (export \"through\") (param i32) (result i32)"
    "   (block $h (result i32) (try_table (catch $e $h) (return (call $through (local.get 0)))) (unreachable))"
    "   (i32.add (i32.const 500)))"
    " (func (export \"wide\") (param i32) (result i32)"
    "   (block $h (result i64 f64 i32 i64 i64 i64 i64 f32)"
    "     (try_table (catch $w $h)"
    "       (throw $w (i64.const 1) (f64.const 2) (i32.const 3) (i64.const 4) (i64.const 5) (i64.const 6)"
    "         (i64.extend_i32_u (local.get 0)) (f32.const 8)))"
    "     (unreachable))"
    "   (i32.trunc_f32_s) (i32.const 100) (i32.mul) (local.set 0) (i32.wrap_i64) (local.get 0) (i32.add) (local.set 0)"
    "   (drop) (drop) (drop) (drop) (drop) (drop) (local.get 0))"
    /* caught with and without a reference, over and over */
    " (func (export \"loop\") (param i32) (result i32)"
    "   (loop $l (block $h (result i32) (try_table (catch $e $h) (throw $e (local.get 0))) (unreachable))"
    "     (drop) (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (i32.const 5))"
    " (func (export \"looprefs\") (param i32) (result i32) (local exnref)"
    "   (loop $l (block $h (result i32 exnref) (try_table (catch_ref $e $h) (throw $e (local.get 0))) (unreachable))"
    "     (local.set 1) (drop) (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))"
    "   (block $h (result i32) (try_table (catch $e $h) (throw_ref (local.get 1))) (unreachable)))" /* the last one still is */
    " (func (export \"keep\") (param i32) (result i32)"
    "   (block $h (result exnref) (try_table (catch_all_ref $h) (throw $e (local.get 0))) (unreachable))"
    "   (global.set $kept) (i32.const 0))"
    " (func (export \"again\") (param i32) (result i32)"
    "   (block $h (result i32) (try_table (catch $e $h) (throw_ref (global.get $kept))) (unreachable)))"
    " (func (export \"null\") (param i32) (result i32) (throw_ref (ref.null exn)))"
    " (tag $chain (param exnref i64 i64 i64 i64))"
    " (func (export \"chain\") (param i32) (result i32) (local exnref)" /* each holds the one before */
    "   (loop $l (block $h (result exnref)"
    "       (try_table (catch_all_ref $h)"
    "         (throw $chain (local.get 1) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0))) (unreachable))"
    "     (local.set 1) (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (ref.is_null (local.get 1)))"
    " (func $down (param i32) (result i32) (i32.add (call $down (local.get 0)) (i32.const 1)))"
    " (func (export \"exhaust\") (param i32) (result i32)" /* in the handler */
    "   (block $h (result i32) (try_table (catch $e $h) (throw $e (i32.const 1))) (unreachable)) (call $down))"
    " (func (export \"untaken\") (param i32) (result i32)" /* a trap is no exception */
    "   (block $h (try_table (catch_all $h) (drop (i32.div_u (i32.const 1) (local.get 0))))) (i32.const 1)))";

static const char second[] =
    "(module (import \"a\" \"e\" (tag $e (param i32)))"
    " (import \"a\" \"raise\" (func $raise (param i32) (result i32))) (tag $own (param i32))"
    " (global $mine (mut i32) (i32.const 7))"
    " (func (export \"other\") (param i32) (result i32)" /* from the other instance, with its tag */
    "   (block $h (result i32) (try_table (catch $own $h) (catch $e $h) (return (call $raise (local.get 0)))) (unreachable))"
    "   (i32.add (global.get $mine)))"
    " (func (export \"wrong\") (param i32) (result i32)"
    "   (block $h (result i32) (try_table (catch $own $h) (return (call $raise (local.get 0)))) (unreachable)))"
    " (func (export \"legacy\") (param i32) (result i32)"
    "   (try (result i32)"
    "     (do (try (result i32) (do (call $raise (local.get 0))) (catch_all (global.set $mine (i32.const 9)) (rethrow 0))))"
    "     (catch $own (drop) (i32.const 1))"
    "     (catch $e (i32.add (global.get $mine))))))";

static struct rt_instance *add(struct rt_store *s, struct rt_linker *l, const char *text, const char *as, enum abi_trap *trap) {
    struct bytes b = wat(text);
    struct rt_module *m;
    struct rt_instance *i = NULL;
    struct rt_error e = {0};
    enum err err = rt_module_load(T.engine, b, NULL, &m, &e);
    free((void *)(uptr)b.p);
    if (err) {
        printf("failed: %s: %s at %zu\n", err_text(err), e.text, e.offset);
        exit(1);
    }
    err = rt_instantiate(s, m, l, &i, trap, &e);
    if (err) printf("instance: %s\n", e.text), fflush(stdout);
    EQUAL(err, trap && *trap ? ERR_TRAP : ERR_OK);
    rt_module_free(m);
    if (i) EQUAL(rt_define_instance(l, test_name(as), i), ERR_OK);
    return i;
}

static u32 call(struct rt_instance *i, const char *name, u32 arg, enum abi_trap want) {
    struct rt_callable f;
    union abi_value v[1] = {{.i64 = arg}};
    EQUAL(rt_find_func(i, test_name(name), &f), ERR_OK);
    enum abi_trap t = rt_call(&f, v);
    if (t != want) printf("%s(%u):\n", name, arg);
    EQUAL(t, want);
    return t ? 0 : v[0].i32;
}

struct row {
    const char *name;
    u32 in, out;
    enum abi_trap trap;
};

static void rows(struct rt_instance *i, const struct row *r, size_t n) {
    for (size_t k = 0; k < n; k++) {
        u32 v = call(i, r[k].name, r[k].in, r[k].trap);
        if (v != r[k].out) printf("%s(%u):\n", r[k].name, r[k].in);
        EQUAL(v, r[k].out);
    }
}

static const struct row within[] = {
    {"deep", 0, 52, 0},       {"deep", 1, 52, 0},      {"deep", 2000, 52, 0},
    {"host", 5, 995, 0},     {"through", 1, 101, 0},  {"through", 7, 507, 0},
    {"wide", 70, 870, 0},     {"loop", 100000, 5, 0},  {"looprefs", 20000, 1, 0},
    {"keep", 77, 0, 0},       {"loop", 1000, 5, 0},    {"again", 0, 77, 0},
    {"again", 0, 77, 0},      {"null", 0, 0, ABI_TRAP_NULL_EXCEPTION},
    {"exhaust", 0, 0, ABI_TRAP_STACK},                 {"untaken", 0, 0, ABI_TRAP_DIVIDE_BY_ZERO},
    {"untaken", 1, 1, 0},     {"raise", 3, 0, ABI_TRAP_EXCEPTION},
    {"chain", 1000, 0, 0},    {"chain", 1000000, 0, ABI_TRAP_NOMEM},
    {"deep", 100000, 0, ABI_TRAP_STACK},               {"deep", 3, 52, 0},
};

static const struct row between[] = {
    {"other", 30, 37, 0}, {"wrong", 3, 0, ABI_TRAP_EXCEPTION}, {"legacy", 30, 39, 0}, {"other", 30, 39, 0},
};

/* What a long-running module costs is bounded: by what the collector waits for. */
static void lifetimes(struct rt_instance *i) {
    call(i, "looprefs", 5000, 0);
    size_t before = T.bytes;
    for (u32 k = 0; k < 5; k++) {
        call(i, "loop", 20000, 0);
        call(i, "looprefs", 20000, 0);
        call(i, "raise", 1, ABI_TRAP_EXCEPTION);
        call(i, "keep", k, 0);
        call(i, "chain", 1000, 0);
    }
    CHECK(T.bytes < before + 2500 * 128); /* the chain's 1000, and as many again */
}

/* Without globals and tables that could hold one, nothing is left after a call. */
static void nothing_left(struct rt_store *s, struct rt_linker *l) {
    struct rt_instance *i = add(s, l,
                                "(module (tag $e (param i32))"
                                " (func (export \"refs\") (param i32) (result i32) (local exnref)"
                                "   (loop $l (block $h (result i32 exnref) (try_table (catch_ref $e $h) (throw $e (local.get 0))) (unreachable))"
                                "     (local.set 1) (drop) (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (i32.const 5))"
                                " (func (export \"out\") (param i32) (result i32) (throw $e (local.get 0))))", "x", NULL);
    call(i, "refs", 1000, 0); /* handles have room now */
    size_t before = T.bytes;
    call(i, "refs", 100, 0);
    EQUAL(T.bytes, before);
    call(i, "out", 100, ABI_TRAP_EXCEPTION);
    CHECK(T.bytes > before && rt_uncaught(s));
    call(i, "refs", 1, 0);
    EQUAL(T.bytes, before);
}

/* Vectors as payload, and live into a pad. */
static void vectors(struct rt_store *s, struct rt_linker *l) {
    struct rt_instance *i = add(s, l,
                                "(module (tag $e (param v128 i32 v128))"
                                " (func $throws (param v128 v128) (throw $e (local.get 0) (i32.const 7) (i32x4.add (local.get 0) (local.get 1))))"
                                " (func (export \"lanes\") (param i32) (result i32) (local v128 v128 v128 v128 i32)"
                                "   (local.set 1 (v128.const i32x4 1 2 3 4)) (local.set 2 (i32x4.splat (local.get 0)))"
                                "   (local.set 3 (i32x4.mul (local.get 1) (local.get 2))) (local.set 4 (i32x4.sub (local.get 1) (local.get 2)))"
                                "   (try (do (call $throws (local.get 1) (local.get 2)))"
                                "     (catch $e (local.set 4 (i32x4.add (local.get 4))) (local.set 5) (local.set 3 (i32x4.add (local.get 3)))))"
                                "   (i32.add (local.get 5) (i32.add (i32x4.extract_lane 1 (local.get 3))"
                                "     (i32.mul (i32.const 1000) (i32x4.extract_lane 3 (local.get 4))))))"
                                /* a minimum that waits in memory for the pad is made with a borrowed xmm0: a whole vector */
                                " (func (export \"lent\") (param i32) (result i32) (local f64 i32)"
                                "   (try (do (i32x4.splat (local.get 0))"
                                "     (local.set 1 (f64.min (f64.convert_i32_s (local.get 0)) (f64.const 1000)))"
                                "     (local.set 2 (i32x4.extract_lane 3))"
                                "     (call $throws (v128.const i64x2 1 2) (v128.const i64x2 3 4)))"
                                "     (catch_all (local.set 2 (i32.add (local.get 2) (i32.trunc_f64_s (local.get 1))))))"
                                "   (local.get 2)))", "v", NULL);
    EQUAL(call(i, "lanes", 20, 0), 7 + (2 * 20 + 2) + 1000 * (4 - 20 + 4 + 20));
    EQUAL(call(i, "lent", 2000, 0), 2000 + 1000);
}

static void uncaught(struct rt_instance *i, struct rt_store *s) {
    struct rt_tag *tag, *want;
    const union abi_value *payload;
    u32 count;
    EQUAL(rt_uncaught(s), 0);
    call(i, "raise", 1234, ABI_TRAP_EXCEPTION);
    CHECK(rt_exception_get(s, rt_uncaught(s), &tag, &payload, &count));
    EQUAL(rt_find_tag(i, test_name("e"), &want), ERR_OK);
    CHECK(tag == want && count == 1 && payload[0].i32 == 1234);
    call(i, "untaken", 1, 0);
    EQUAL(rt_uncaught(s), 0);
}

static void stopped(struct rt_store *s, struct rt_linker *l) {
    struct host_deadline d;
    struct rt_instance *i = add(s, l,
                                "(module (tag $e) (func (export \"spin\") (param i32) (result i32)"
                                " (loop $l (try_table (catch_all $l) (throw $e))) (i32.const 0)))", "c", NULL);
    for (u32 k = 0; k < 5; k++) {
        EQUAL(host_deadline_start(&d, s, 3000000), ERR_OK);
        call(i, "spin", 0, ABI_TRAP_DEADLINE);
        host_deadline_end(&d);
    }
}

static void start_throws(struct rt_store *s, struct rt_linker *l) {
    enum abi_trap trap = ABI_TRAP_NONE;
    struct bytes b = wat("(module (tag $e (param i32)) (func $f (throw $e (i32.const 1))) (start $f))");
    struct rt_module *m;
    struct rt_instance *i;
    struct rt_error e = {0};
    EQUAL(rt_module_load(T.engine, b, NULL, &m, &e), ERR_OK);
    EQUAL(rt_instantiate(s, m, l, &i, &trap, &e), ERR_TRAP);
    EQUAL(trap, ABI_TRAP_EXCEPTION);
    rt_module_free(m);
    free((void *)(uptr)b.p);
}

int main(void) {
    struct rt_store *s;
    struct rt_linker *l;
    test_engine_open(&T);
    EQUAL(rt_store_new(T.engine, NULL, &s), ERR_OK);
    EQUAL(rt_linker_new(T.engine, &l), ERR_OK);
    EQUAL(rt_define_func(l, "env", "throws", "i:i", throws), ERR_OK);
    EQUAL(rt_define_func(l, "env", "through", "i:i", through), ERR_OK);
    EQUAL(rt_define_tag(l, "env", "host", s, "iI:", &host_tag), ERR_OK);
    struct rt_instance *a = add(s, l, first, "a", NULL), *b = add(s, l, second, "b", NULL);
    uncaught(a, s);
    rows(a, within, ARRAY_LEN(within));
    rows(b, between, ARRAY_LEN(between));
    lifetimes(a);
    stopped(s, l);
    start_throws(s, l);
    vectors(s, l);
    rt_store_free(s);
    EQUAL(rt_store_new(T.engine, NULL, &s), ERR_OK);
    nothing_left(s, l);
    rt_store_free(s);
    rt_linker_free(l);
    test_engine_close(&T);
    return test_end("rt_throw");
}
