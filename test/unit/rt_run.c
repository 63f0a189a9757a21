/* rt/ with compiled code: calls, traps, stops, limits, re-entrancy. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/host_rt.h"
#include "test/lib/engine.h"
#include "test/lib/test.h"

static struct test_engine T;

static void calls(void) {
    struct test_run r;
    test_run_open(&T, &r,
                  "(module (memory (export \"m\") 1 3)"
                  " (func (export \"inc\") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))"
                  " (func (export \"swap\") (param i64 i64) (result i64 i64) (local.get 1) (local.get 0))"
                  " (func (export \"peek\") (param i32) (result i32) (i32.load (local.get 0)))"
                  " (func (export \"poke\") (param i32) (i32.store (local.get 0) (i32.const 77)))"
                  " (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0))))",
                  NULL, NULL);
    EQUAL(test_call1(&r, "inc", 41, NULL), 42);
    union abi_value v[2] = {{.i64 = 1}, {.i64 = 2}};
    EQUAL(test_call(&r, "swap", v), ABI_TRAP_NONE);
    EQUAL(v[0].i64, 2);
    EQUAL(v[1].i64, 1);
    test_call1(&r, "poke", 65532, NULL);
    EQUAL(test_call1(&r, "peek", 65532, NULL), 77);
    enum abi_trap t;
    test_call1(&r, "peek", 65533, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
    test_call1(&r, "peek", 0xffffffff, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
    EQUAL(test_call1(&r, "grow", 2, NULL), 1);
    EQUAL(test_call1(&r, "peek", 65533, NULL), 0);
    EQUAL(test_call1(&r, "grow", 1, NULL), 0xffffffff);
    EQUAL(rt_instance_ctx(r.instance)->mem_pages, 3);
    CHECK(rt_mem(rt_instance_ctx(r.instance), 3 * 65536 - 1, 1) && !rt_mem(rt_instance_ctx(r.instance), 3 * 65536, 1));
    test_run_close(&r);
}

/* Two comparisons in a row that differ in one operand: the flags of one are not those of the other. */
static void compares(void) {
    static const char *const ops[] = {"i32.le_s", "i32.eq", "i64.le_s"};
    for (u32 k = 0; k < ARRAY_LEN(ops); k++) {
        struct test_run r;
        char text[400];
        snprintf(text, sizeof text,
                 "(module (func (export \"both\") (param %.3s %.3s) (result i32) (i32.add"
                 " (select (i32.const 1) (i32.const 2) (%s (local.get 0) (%.3s.const 5)))"
                 " (select (i32.const 10) (i32.const 20) (%s (local.get 1) (%.3s.const 5))))))",
                 ops[k], ops[k], ops[k], ops[k], ops[k], ops[k]);
        test_run_open(&T, &r, text, NULL, NULL);
        for (u32 n = 0; n < 4; n++) {
            union abi_value v[2] = {{.i64 = n & 1 ? 9 : 5}, {.i64 = n & 2 ? 9 : 5}};
            EQUAL(test_call(&r, "both", v), ABI_TRAP_NONE);
            EQUAL(v[0].i32, (n & 1 ? 2 : 1) + (n & 2 ? 20 : 10));
        }
        test_run_close(&r);
    }
}

/* Flags that are there serve the same comparison, of the same bits, by the same way, and no other. */
static void flags(void) {
    static const struct { const char *body; u32 a, b, want; } cases[] = {
        /* another number, another condition */
        {"(i32.add (select (i32.const 1) (i32.const 2) (i32.lt_s (local.get 0) (i32.const 5)))"
         " (select (i32.const 10) (i32.const 20) (i32.lt_s (local.get 0) (i32.const 7))))", 6, 0, 12},
        {"(i32.add (select (i32.const 1) (i32.const 2) (i32.lt_s (local.get 0) (i32.const 5)))"
         " (select (i32.const 10) (i32.const 20) (i32.lt_u (local.get 0) (i32.const 5))))", (u32)-1, 0, 21},
        /* a sum that overflows, and one against 0 by another condition than its sign */
        {"(if (result i32) (i32.lt_s (i32.add (local.get 0) (local.get 1)) (i32.const 0)) (then (i32.const 1)) (else (i32.const 2)))",
         INT32_MAX, 1, 1},
        {"(if (result i32) (i32.lt_s (i32.sub (local.get 0) (local.get 1)) (i32.const 0)) (then (i32.const 1)) (else (i32.const 2)))",
         0x80000000, 1, 2},
        {"(if (result i32) (i32.le_s (i32.sub (local.get 0) (local.get 1)) (i32.const 0)) (then (i32.const 1)) (else (i32.const 2)))",
         0x80000000, 1, 2},
        /* fewer bits, and more */
        {"(if (result i32) (i64.lt_s (i64.extend_i32_u (i32.and (local.get 0) (local.get 1))) (i64.const 0))"
         " (then (i32.const 1)) (else (i32.const 2)))", (u32)-1, (u32)-1, 2},
        /* two ways to the comparison, of which one sets other flags */
        {"(block (br_if 0 (local.get 1)) (local.set 0 (i32.sub (local.get 0) (i32.const 5))))"
         " (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1)) (else (i32.const 2)))", 0, 1, 1},
        {"(block (br_if 0 (local.get 1)) (local.set 0 (i32.sub (local.get 0) (i32.const 5))))"
         " (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1)) (else (i32.const 2)))", 5, 0, 1},
        /* and == 1 is no test */
        {"(if (result i32) (i32.eq (i32.and (local.get 0) (local.get 1)) (i32.const 1)) (then (i32.const 1)) (else (i32.const 2)))",
         3, 1, 1},
        /* a bound is that of both */
        {"(i32.and (select (local.get 0) (i32.const 7) (local.get 1)) (i32.const 0xff))", 0x1234, 1, 0x34},
        {"(i32.and (select (i32.const 7) (local.get 0) (local.get 1)) (i32.const 0xff))", 0x1234, 0, 0x34},
    };
    for (u32 k = 0; k < ARRAY_LEN(cases); k++) {
        struct test_run r;
        char text[500];
        snprintf(text, sizeof text, "(module (func (export \"f\") (param i32 i32) (result i32) %s))", cases[k].body);
        test_run_open(&T, &r, text, NULL, NULL);
        union abi_value v[2] = {{.i32 = cases[k].a}, {.i32 = cases[k].b}};
        EQUAL(test_call(&r, "f", v), ABI_TRAP_NONE);
        EQUAL(v[0].i32, cases[k].want);
        test_run_close(&r);
    }
}

static void traps(void) {
    struct test_run r;
    test_run_open(&T, &r,
                  "(module (type $v (func)) (table 4 funcref) (elem (i32.const 1) $bad $forever) (memory 1)"
                  " (func $bad (param i32))"
                  " (func $forever (export \"recurse\") (call $forever))"
                  " (func (export \"div\") (param i32) (result i32) (i32.div_s (i32.const 7) (local.get 0)))"
                  " (func (export \"over\") (param i32) (result i32) (i32.div_s (i32.const 0x80000000) (local.get 0)))"
                  " (func (export \"dead\") unreachable)"
                  " (func (export \"conv\") (result i32) (i32.trunc_f32_s (f32.const nan)))"
                  " (func (export \"via\") (param i32) (call_indirect (type $v) (local.get 0))))",
                  NULL, NULL);
    enum abi_trap t;
    test_call1(&r, "div", 0, &t);
    EQUAL(t, ABI_TRAP_DIVIDE_BY_ZERO);
    test_call1(&r, "over", 0xffffffff, &t);
    EQUAL(t, ABI_TRAP_INTEGER_OVERFLOW);
    EQUAL(test_call1(&r, "div", 7, NULL), 1);
    test_call1(&r, "dead", 0, &t);
    EQUAL(t, ABI_TRAP_UNREACHABLE);
    test_call1(&r, "conv", 0, &t);
    EQUAL(t, ABI_TRAP_BAD_CONVERSION);
    test_call1(&r, "via", 0, &t);
    EQUAL(t, ABI_TRAP_NULL_ELEMENT);
    test_call1(&r, "via", 1, &t);
    EQUAL(t, ABI_TRAP_INDIRECT_TYPE);
    test_call1(&r, "via", 9, &t);
    EQUAL(t, ABI_TRAP_TABLE);
    for (int i = 0; i < 3; i++) { /* again and again: nothing is used up */
        test_call1(&r, "recurse", 0, &t);
        EQUAL(t, ABI_TRAP_STACK);
        test_call1(&r, "via", 2, &t);
        EQUAL(t, ABI_TRAP_STACK);
    }
    test_run_close(&r);
}

static void stops(void) {
    struct test_run r;
    struct host_deadline d;
    enum abi_trap t;
    test_run_open(&T, &r,
                  "(module (memory 512)"
                  " (func (export \"spin\") (loop $l (br $l)))"
                  " (func (export \"fill\") (loop $l"
                  "  (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x2000000)) (br $l))))",
                  NULL, NULL);
    static const char *const endless[] = {"spin", "fill", "spin"};
    for (size_t i = 0; i < ARRAY_LEN(endless); i++) {
        EQUAL(host_deadline_start(&d, r.store, 5000000), ERR_OK);
        test_call1(&r, endless[i], 0, &t);
        host_deadline_end(&d);
        EQUAL(t, ABI_TRAP_DEADLINE);
    }
    test_run_close(&r);
}

/* Limits: growth is refused, not a trap; too large a start is an error. */
static void limits(void) {
    struct rt_limits small = {.memory_bytes = 4 * 65536, .table_elements = 100};
    struct test_run r;
    test_run_open(&T, &r,
                  "(module (memory 1) (table $t 10 externref)"
                  " (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))"
                  " (func (export \"tgrow\") (param i32) (result i32)"
                  "  (table.grow $t (ref.null extern) (local.get 0)))"
                  " (func (export \"bomb\") (result i32) (local i32)"
                  "  (loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (memory.size)))",
                  NULL, &small);
    EQUAL(test_call1(&r, "grow", 4, NULL), 0xffffffff);
    EQUAL(test_call1(&r, "grow", 0xffffffff, NULL), 0xffffffff);
    EQUAL(test_call1(&r, "bomb", 0, NULL), 4);
    EQUAL(test_call1(&r, "tgrow", 91, NULL), 0xffffffff);
    EQUAL(test_call1(&r, "tgrow", 90, NULL), 10);
    EQUAL(test_call1(&r, "tgrow", 0, NULL), 100);
    test_run_close(&r);
}

/* Host functions. */

static u64 now(struct abi_ctx *c) { return *(u64 *)rt_data(c); }
static u64 many(struct abi_ctx *c, u32 a, u64 b, u32 d, u64 e, u32 f, u64 g, u32 h) {
    return a + b * 10 + d * 100 + e * 1000 + f * 10000 + g * 100000 + h * 1000000;
}
static u64 two(struct abi_ctx *c, u32 a, u64 *more) {
    *more = a + 2;
    return a + 1;
}
static u64 fail(struct abi_ctx *c) { return rt_raise(c, ABI_TRAP_HOST); }

/* Calls the export "back" of the caller; its trap is told, not raised. */
static u64 again(struct abi_ctx *c, u32 arg) {
    struct rt_callable f;
    union abi_value v[1] = {{.i32 = arg}};
    if (rt_find_func(rt_ctx_instance(c), test_name("back"), &f)) return 9999;
    enum abi_trap t = rt_call(&f, v);
    return t ? 1000 + (u32)t : v[0].i32;
}

static struct rt_linker *linker(void) {
    struct rt_linker *l;
    EQUAL(rt_linker_new(T.engine, &l), ERR_OK);
    EQUAL(rt_define_func(l, "env", "now", ":I", now), ERR_OK);
    EQUAL(rt_define_func(l, "env", "many", "iIiIiIi:I", many), ERR_OK);
    EQUAL(rt_define_func(l, "env", "two", "i:iI", two), ERR_OK);
    EQUAL(rt_define_func(l, "env", "fail", ":", fail), ERR_OK);
    EQUAL(rt_define_func(l, "env", "again", "i:i", again), ERR_OK);
    EQUAL(rt_define_func(l, "env", "again", "i:i", again), ERR_EXISTS);
    EQUAL(rt_define_func(l, "env", "bad", "iq:i", again), ERR_INVALID);
    EQUAL(rt_define_func(l, "env", "bad", "ii", again), ERR_INVALID);
    return l;
}

static const char host_text[] =
    "(module"
    " (import \"env\" \"now\" (func $now (result i64)))"
    " (import \"env\" \"many\" (func $many (param i32 i64 i32 i64 i32 i64 i32) (result i64)))"
    " (import \"env\" \"two\" (func $two (param i32) (result i32 i64)))"
    " (import \"env\" \"fail\" (func $fail))"
    " (import \"env\" \"again\" (func $again (param i32) (result i32)))"
    " (type $ii (func (param i32) (result i32)))"
    " (table 2 funcref) (elem (i32.const 0) $again $fail)"
    " (export \"now2\" (func $now))"
    " (func (export \"now\") (result i64) (call $now))"
    " (func (export \"many\") (result i64) (call $many (i32.const 1) (i64.const 2) (i32.const 3)"
    "   (i64.const 4) (i32.const 5) (i64.const 6) (i32.const 7)))"
    " (func (export \"two\") (param i32) (result i32) (local i64)"
    "   (call $two (local.get 0)) (local.set 1) (i32.add (i32.wrap_i64 (local.get 1))))"
    " (func (export \"fail\") (call $fail) unreachable)"
    " (func (export \"again\") (param i32) (result i32) (call $again (local.get 0)))"
    " (func (export \"via\") (param i32) (result i32) (call_indirect (type $ii) (local.get 0) (i32.const 0)))"
    " (func (export \"back\") (param i32) (result i32)"
    "   (if (i32.eqz (local.get 0)) (then unreachable))"
    "   (if (i32.eq (local.get 0) (i32.const 2)) (then (loop $l (br $l))))"
    "   (if (i32.eq (local.get 0) (i32.const 3)) (then (return (call $again (local.get 0)))))"
    "   (if (i32.eq (local.get 0) (i32.const 4)) (then (call $fail)))"
    "   (i32.mul (local.get 0) (i32.const 2))))";

static void hosts(void) {
    struct rt_linker *l = linker();
    struct test_run r;
    u64 time = 0x123456789abcdef0;
    union abi_value v[1];
    enum abi_trap t;
    test_run_open(&T, &r, host_text, l, NULL);
    rt_store_set_data(r.store, &time);
    EQUAL(test_call(&r, "now", v), ABI_TRAP_NONE);
    EQUAL(v[0].i64, time);
    EQUAL(test_call(&r, "now2", v), ABI_TRAP_NONE); /* the import itself, exported */
    EQUAL(v[0].i64, time);
    EQUAL(test_call(&r, "many", v), ABI_TRAP_NONE);
    EQUAL(v[0].i64, 7654321);
    EQUAL(test_call1(&r, "two", 10, NULL), 23);
    test_call1(&r, "fail", 0, &t);
    EQUAL(t, ABI_TRAP_HOST);
    EQUAL(test_call1(&r, "again", 21, NULL), 42);
    EQUAL(test_call1(&r, "via", 21, NULL), 42);
    EQUAL(test_call1(&r, "again", 0, NULL), 1000 + ABI_TRAP_UNREACHABLE); /* handled by the host function */
    EQUAL(test_call1(&r, "again", 4, NULL), 1000 + ABI_TRAP_HOST);
    EQUAL(test_call1(&r, "again", 21, NULL), 42);
    test_call1(&r, "again", 3, &t); /* without end, through C */
    CHECK(t == ABI_TRAP_STACK || t == ABI_TRAP_NONE);
    struct host_deadline d;
    EQUAL(host_deadline_start(&d, r.store, 5000000), ERR_OK);
    test_call1(&r, "again", 2, &t); /* a stop is nobody's to handle */
    host_deadline_end(&d);
    EQUAL(t, ABI_TRAP_DEADLINE);
    EQUAL(test_call1(&r, "again", 21, NULL), 42);
    test_run_close(&r);
    rt_linker_free(l);
}

int main(void) {
    test_engine_open(&T);
    calls();
    compares();
    flags();
    traps();
    limits();
    hosts();
    stops();
    test_engine_close(&T);
    return test_end("rt_run");
}
