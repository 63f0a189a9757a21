/* rt_call2: results, every way out, nesting, stops at any moment, and that
 * whoever calls keeps its registers. */
#include <stdio.h>

#include "cli/host_rt.h"
#include "rt/enter.h"
#include "test/lib/engine.h"
#include "test/lib/test.h"

static struct test_engine T;

/* From inside: takes rt_call's way. */
static u64 again(struct abi_ctx *c, u32 v) {
    struct rt_callable f;
    u64 out = 0;
    if (rt_find_func(rt_ctx_instance(c), test_name(v & 1 ? "divide" : "add"), &f)) return 0;
    CHECK(f.direct);
    enum abi_trap trap = rt_call2(&f, v, 0, &out);
    EQUAL(trap, v & 1 ? ABI_TRAP_DIVIDE_BY_ZERO : ABI_TRAP_NONE);
    return v & 1 ? 77 : out + 1;
}
static u64 refuse(struct abi_ctx *c) { return rt_raise(c, ABI_TRAP_HOST); }

static const char text[] =
    "(module (import \"env\" \"again\" (func $again (param i32) (result i32)))"
    " (import \"env\" \"refuse\" (func $refuse))"
    " (memory 1)"
    " (func (export \"nop\"))"
    " (func (export \"add\") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))"
    " (func (export \"wide\") (param i64) (result i64) (i64.mul (local.get 0) (i64.const 3)))"
    " (func (export \"divide\") (param i32 i32) (result i32) (i32.div_u (local.get 0) (local.get 1)))"
    " (func (export \"load\") (param i32) (result i32) (i32.load (local.get 0)))"
    " (func (export \"stop\") unreachable)"
    " (func $deep (export \"deep\") (param i32) (result i32)"
    "  (i32.add (i32.const 1) (call $deep (i32.add (local.get 0) (i32.const 1)))))"
    " (func (export \"nest\") (param i32) (result i32) (i32.mul (call $again (local.get 0)) (i32.const 2)))"
    " (func (export \"raise\") (call $refuse))"
    " (func (export \"three\") (param i32 i32 i32) (result i32) (local.get 2))"
    " (func (export \"spin\") (param i32) (result i32) (local $n i32)"
    "  (loop $l (local.set $n (i32.add (local.get $n) (i32.const 1)))"
    "   (drop (i32.load (i32.and (local.get $n) (i32.const 0xfff0))))"
    "   (br_if $l (i32.lt_u (local.get $n) (local.get 0))))"
    "  (local.get $n)))";

static struct rt_callable find(struct test_run *r, const char *name) {
    struct rt_callable f = {0};
    EQUAL(rt_find_func(r->instance, test_name(name), &f), ERR_OK);
    return f;
}

/* Five values that live across the call, more than registers that it keeps. */
static void call(struct test_run *r, const char *name, u64 a, u64 b, enum abi_trap want, u64 result) {
    struct rt_callable f = find(r, name);
    volatile u64 seed = a * 31 + b;
    u64 v0 = seed + 1, v1 = seed + 2, v2 = seed + 3, v3 = seed + 4, v4 = seed + 5, out = 0;
    CHECK(f.direct);
    enum abi_trap trap = rt_call2(&f, a, b, &out);
    EQUAL(trap, want);
    if (trap == ABI_TRAP_NONE && f.type->result_count) EQUAL((u32)out, (u32)result);
    CHECK(v0 + v1 + v2 + v3 + v4 == 5 * (a * 31 + b) + 15);
    EQUAL(rt_ctx_store(f.caller) == r->store, true);
}

static void ways_out(struct test_run *r) {
    for (u32 round = 0; round < 100; round++) {
        call(r, "nop", 0, 0, ABI_TRAP_NONE, 0);
        call(r, "add", round, 1000, ABI_TRAP_NONE, round + 1000);
        call(r, "wide", 1ull << 33, 0, ABI_TRAP_NONE, (u32)(3ull << 33));
        call(r, "divide", 100, 7, ABI_TRAP_NONE, 14);
        call(r, "divide", 100, 0, ABI_TRAP_DIVIDE_BY_ZERO, 0);
        call(r, "load", 65536, 0, ABI_TRAP_MEMORY, 0);
        call(r, "load", 0xffffffff00000000ull + 8, 0, ABI_TRAP_NONE, 0); /* dirty upper half */
        call(r, "stop", 0, 0, ABI_TRAP_UNREACHABLE, 0);
        call(r, "nest", 4, 0, ABI_TRAP_NONE, 10);
        call(r, "nest", 5, 0, ABI_TRAP_NONE, 154);
        call(r, "raise", 0, 0, ABI_TRAP_HOST, 0);
        EQUAL(test_call1(r, "load", 16, NULL), 0); /* and by the thunk */
    }
    call(r, "deep", 0, 0, ABI_TRAP_STACK, 0);
    call(r, "add", 2, 3, ABI_TRAP_NONE, 5);
}

static void not_direct(struct test_run *r) {
    struct rt_callable f = find(r, "three");
    CHECK(!f.direct);
}

/* Late and early stops: never anything but a deadline. */
static void stops(struct test_run *r) {
    struct rt_callable f = find(r, "spin");
    struct host_deadline d;
    u32 stopped = 0, finished = 0, seed = 99;
    for (u32 k = 0; k < 600; k++) {
        u64 out = 0;
        seed = seed * 1664525 + 1013904223;
        EQUAL(host_deadline_start(&d, r->store, 1 + (seed >> 8) % 100000), ERR_OK);
        enum abi_trap t = rt_call2(&f, k % 3 ? 0xffffffff : 50, 0, &out);
        for (u32 i = 0; k % 3 == 0 && t == ABI_TRAP_NONE && i < 5000; i++) t = rt_call2(&f, 1, 0, &out);
        host_deadline_end(&d);
        if (t == ABI_TRAP_DEADLINE) stopped++;
        else if (t == ABI_TRAP_NONE) finished++;
        call(r, "add", k, k, ABI_TRAP_NONE, 2 * k);
    }
    EQUAL(stopped + finished, 600);
    CHECK(stopped >= 400);
}

/* With floats in the module MXCSR matters: the odd one of the caller is not seen. */
static void rounding(void) {
    struct test_run r;
    u32 odd = 0x7f80, now, before; /* towards zero */
    test_run_open(&T, &r, "(module (func (export \"real\") (param f64) (result i32) (i32.const 1))"
                          " (func (export \"third\") (param i32) (result i32)"
                          " (i32.reinterpret_f32 (f32.div (f32.convert_i32_s (local.get 0)) (f32.const 3)))))", NULL, NULL);
    __asm__ volatile("stmxcsr %0" : "=m"(before));
    __asm__ volatile("ldmxcsr %0" : : "m"(odd));
    struct rt_callable f = find(&r, "real");
    CHECK(!f.direct);
    f = find(&r, "third");
    u64 out = 0;
    enum abi_trap t = rt_call2(&f, 2, 0, &out);
    __asm__ volatile("stmxcsr %0" : "=m"(now));
    __asm__ volatile("ldmxcsr %0" : : "m"(before));
    EQUAL(t, ABI_TRAP_NONE);
    EQUAL((u32)out, 0x3f2aaaab); /* to nearest */
    EQUAL(now & ~0x3fu, odd);
    CHECK(rt_instance_ctx(r.instance)->store->careful);
    test_run_close(&r);
}

int main(void) {
    struct rt_linker *l;
    struct test_run r;
    test_engine_open(&T);
    EQUAL(rt_linker_new(T.engine, &l), ERR_OK);
    EQUAL(rt_define_func(l, "env", "again", "i:i", again), ERR_OK);
    EQUAL(rt_define_func(l, "env", "refuse", ":", refuse), ERR_OK);
    test_run_open(&T, &r, text, l, NULL);
    CHECK(!rt_instance_ctx(r.instance)->store->careful);
    ways_out(&r);
    not_direct(&r);
    stops(&r);
    test_run_close(&r);
    rounding();
    rt_linker_free(l);
    test_engine_close(&T);
    return test_end("rt_enter");
}
