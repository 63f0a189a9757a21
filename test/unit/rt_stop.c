/* A stop at any moment: in compiled code, in glue, in host functions, in
 * bulk operations, in nested calls, amid throwing and unwinding, between calls. Each ends as a deadline or
 * not at all, and the instance answers the next call. */
#include <stdio.h>

#include "cli/host_rt.h"
#include "test/lib/engine.h"
#include "test/lib/test.h"

static struct test_engine T;

static u64 quick(struct abi_ctx *c, u32 v) { return v + 1; }
static u64 back(struct abi_ctx *c, u32 v) {
    struct rt_callable f;
    union abi_value vals[1] = {{.i32 = v}};
    if (rt_find_func(rt_ctx_instance(c), test_name("twice"), &f)) return 0;
    return rt_call(&f, vals) ? 0 : vals[0].i32;
}

/* Calls what throws, and passes it on. */
static u64 through(struct abi_ctx *c, u32 v) {
    struct rt_callable f;
    union abi_value vals[1] = {{.i32 = v}};
    if (rt_find_func(rt_ctx_instance(c), test_name("throws"), &f)) return 0;
    return rt_call(&f, vals) == ABI_TRAP_EXCEPTION ? rt_rethrow(c, rt_uncaught(rt_ctx_store(c))) : 0;
}

static const char text[] =
    "(module (import \"env\" \"quick\" (func $quick (param i32) (result i32)))"
    " (import \"env\" \"back\" (func $back (param i32) (result i32)))"
    " (import \"env\" \"through\" (func $through (param i32) (result i32)))"
    " (tag $e (param i32))"
    " (func $throws (export \"throws\") (param i32) (result i32)"
    "  (if (i32.eqz (local.get 0)) (then (throw $e (i32.const 1))))"
    "  (i32.add (call $throws (i32.sub (local.get 0) (i32.const 1))) (local.get 0)))"
    " (func $odd (param i32) (result i32)"
    "  (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))"
    "  (return_call_ref $ii (i32.sub (local.get 0) (i32.const 1)) (ref.func $odd)))"
    " (memory 4) (table 8 funcref) (elem (i32.const 0) $quick $twice) (elem declare func $odd) (type $ii (func (param i32) (result i32)))"
    " (func $twice (export \"twice\") (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1)))"
    " (func (export \"mix\") (param i32) (result i32) (local $n i32)"
    "  (loop $l"
    "   (local.set $n (call $quick (local.get $n)))"
    "   (local.set $n (call_indirect (type $ii) (local.get $n) (i32.const 0)))"
    "   (drop (call_indirect (type $ii) (local.get $n) (i32.const 1)))"
    "   (drop (call $back (local.get $n)))"
    "   (memory.fill (i32.const 0) (local.get $n) (i32.const 200000))"
    "   (table.set 0 (i32.const 3) (table.get 0 (i32.const 1)))"
    "   (block $h (result i32) (try_table (catch $e $h) (drop (call $throws (i32.const 30)))) (i32.const 0)) (drop)"
    "   (block $h (result i32 exnref) (try_table (catch_ref $e $h) (drop (call $through (i32.const 3)))) (unreachable))"
    "   (drop) (drop) (drop (call $odd (i32.const 50)))"
    "   (br_if $l (i32.lt_u (local.get $n) (local.get 0))))"
    "  (local.get $n)))";

int main(void) {
    struct rt_linker *l;
    struct test_run r;
    struct host_deadline d;
    u32 stopped = 0, finished = 0, seed = 12345;
    test_engine_open(&T);
    EQUAL(rt_linker_new(T.engine, &l), ERR_OK);
    EQUAL(rt_define_func(l, "env", "quick", "i:i", quick), ERR_OK);
    EQUAL(rt_define_func(l, "env", "back", "i:i", back), ERR_OK);
    EQUAL(rt_define_func(l, "env", "through", "i:i", through), ERR_OK);
    test_run_open(&T, &r, text, l, NULL);
    for (int k = 0; k < 3000; k++) {
        enum abi_trap t;
        seed = seed * 1664525 + 1013904223;
        EQUAL(host_deadline_start(&d, r.store, 1 + (seed >> 8) % 150000), ERR_OK);
        test_call1(&r, "mix", k % 3 ? 0xffffffff : 4, &t);
        host_deadline_end(&d);
        if (t == ABI_TRAP_DEADLINE) stopped++;
        else if (t == ABI_TRAP_NONE) finished++;
        EQUAL(test_call1(&r, "twice", 21, NULL), 42);
    }
    EQUAL(stopped + finished, 3000);
    CHECK(stopped >= 2000 && finished > 100);
    printf("rt_stop: %u stopped, %u finished\n", stopped, finished);
    test_run_close(&r);
    rt_linker_free(l);
    test_engine_close(&T);
    return test_end("rt_stop");
}
