/* Exceptions that try to take the machine down: nests, chains, tables of pads,
 * stacks full of frames. Each ends in a result or a clear error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/host_rt.h"
#include "test/lib/engine.h"
#include "test/lib/test.h"
#include "test/lib/wat.h"

static struct test_engine T;
static char *text, *end;

static void begin(void) { end = text; }

static void add(const char *format, u32 a) { end += sprintf(end, format, a); }

static void repeat(u32 n, const char *format) {
    for (u32 i = 0; i < n; i++) add(format, i);
}

/* Loads it, calls "run" if there is a module; what came of it. */
static enum err outcome(u32 *value, enum abi_trap *trap) {
    static const struct rt_limits limits = {.load_bytes = 512 << 20};
    struct rt_store *s;
    struct rt_module *m;
    struct rt_instance *i;
    struct rt_error e = {0};
    struct rt_callable f;
    union abi_value v[1] = {{.i64 = 0}};
    struct bytes b = wat(text);
    EQUAL(rt_store_new(T.engine, NULL, &s), ERR_OK);
    enum err err = rt_module_load(T.engine, b, &limits, &m, &e);
    free((void *)(uptr)b.p);
    if (!err) {
        EQUAL(rt_instantiate(s, m, NULL, &i, NULL, &e), ERR_OK);
        EQUAL(rt_find_func(i, test_name("run"), &f), ERR_OK);
        *trap = rt_call(&f, v);
        *value = v[0].i32;
    }
    rt_store_free(s);
    if (!err) rt_module_free(m);
    return err;
}

static void runs(u32 want) {
    u32 v = 0;
    enum abi_trap t = ABI_TRAP_NONE;
    EQUAL(outcome(&v, &t), ERR_OK);
    EQUAL(t, ABI_TRAP_NONE);
    EQUAL(v, want);
}

enum { NEST = 5000 };

/* The innermost handler of very many; its label is the outermost block. */
static void nests(void) {
    begin();
    add("(module (tag $e) (func (export \"run\") (param i32) (result i32) block $b ", 0);
    repeat(NEST, "try_table (catch_all $b) ");
    add("throw $e ", 0);
    repeat(NEST, "end ");
    add("end i32.const 7))", 0);
    runs(7);
    /* each passes it on to the next, out to the one that catches */
    begin();
    add("(module (tag $e) (func (export \"run\") (param i32) (result i32) try (result i32) ", 0);
    repeat(NEST, "try ");
    add("throw $e ", 0);
    repeat(NEST, "delegate 0 ");
    add("i32.const 1 catch_all i32.const 9 end))", 0);
    runs(9);
    /* and each catches and throws again */
    begin();
    add("(module (tag $e) (func (export \"run\") (param i32) (result i32) try (result i32) ", 0);
    repeat(2000, "try ");
    add("throw $e ", 0);
    repeat(2000, "catch $e rethrow 0 end ");
    add("i32.const 1 catch_all i32.const 9 end))", 0);
    runs(9);
}

/* Calls times handlers: pads of their own, as a local changes between the calls. */
static void grid(u32 handlers, u32 calls, bool fits) {
    u32 v = 0;
    enum abi_trap t = ABI_TRAP_NONE;
    begin();
    add("(module ", 0);
    repeat(handlers, "(tag $e%u) ");
    add("(func $f (param i32) (throw $e0)) (func (export \"run\") (param i32) (result i32) (local i32) block $b ", 0);
    repeat(handlers, "try_table (catch $e%u $b) ");
    repeat(calls, "i32.const %u local.set 1 local.get 1 call $f ");
    repeat(handlers, "end ");
    add("end local.get 1))", 0);
    enum err e = outcome(&v, &t);
    EQUAL(e, fits ? ERR_OK : ERR_LIMIT);
    if (fits) EQUAL(v, 0); /* as it was at the first call */
}

static void grids(void) {
    grid(10, 1000, true);
    grid(1000, 10, true);
    grid(3000, 3000, false);
}

/* Down to the end of the stack, thrown from there, over and over. */
static void deep(void) {
    begin();
    add("(module (tag $e (param i32)) (global $n (mut i32) (i32.const 0))"
        " (func $down (param i32) (result i32)"
        "   (if (i32.eqz (local.get 0)) (then (throw $e (i32.const 1))))"
        "   (i32.add (call $down (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))"
        " (func (export \"run\") (param i32) (result i32)"
        "   (loop $l (block $h (result i32) (try_table (catch $e $h) (drop (call $down (i32.const 8000)))) (unreachable))"
        "     (global.set $n (i32.add (global.get $n)))"
        "     (br_if $l (i32.lt_u (global.get $n) (i32.const 200)))) (global.get $n)))", 0);
    runs(200);
}

static void tags(void) {
    begin();
    add("(module (tag $first (param i32)) ", 0);
    repeat(50000, "(tag) ");
    add("(func (export \"run\") (param i32) (result i32) (block $o"
        " (block $h (result i32) (try_table (catch 50000 $o) (catch $first $h) (throw $first (i32.const 3))) (unreachable))"
        " return) (i32.const 1)))", 0);
    runs(3);
}

int main(void) {
    clock_t start = clock();
    text = malloc(8 << 20);
    test_engine_open(&T);
    nests();
    grids();
    deep();
    tags();
    test_engine_close(&T);
    free(text);
    CHECK(clock() - start < 20 * CLOCKS_PER_SEC);
    return test_end("rt_throw_hostile");
}
