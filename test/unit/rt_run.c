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

/* What is asked is whether something may be left out, folded or joined; the answer is no. */
struct small {
    const char *body;
    u32 a, b;
    i64 want; /* below 0: which trap, negated */
};

static void try_all(const struct small *s, u32 n) {
    for (u32 k = 0; k < n; k++) {
        struct test_run r;
        char text[600];
        snprintf(text, sizeof text,
                 "(module (memory 1) (global $g (mut i32) (i32.const 1)) (data (i32.const 0) \"\\01\")"
                 " (func (export \"f\") (param i32 i32) (result i32) (local $x i32) (local $f f64) %s))",
                 s[k].body);
        test_run_open(&T, &r, text, NULL, NULL);
        union abi_value v[2] = {{.i32 = s[k].a}, {.i32 = s[k].b}};
        i64 trap = test_call(&r, "f", v);
        EQUAL(trap ? -trap : (i64)v[0].i32, s[k].want);
        test_run_close(&r);
    }
}

/* Flags that are there serve the same comparison, of the same bits, by the same way, and no other. */
static void flags(void) {
    static const struct small cases[] = {
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
        {"(block (br_if 0 (local.get 1)) (local.set $x (select (i32.const 1) (i32.const 2) (i32.lt_u (local.get 0) (i32.const 5)))))"
         " (i32.add (local.get $x) (select (i32.const 10) (i32.const 20) (i32.lt_u (local.get 0) (i32.const 5))))", 3, 1, 10},
        /* of what a test reads, and the result is where that is */
        {"(local.set $x (i32.eqz (i32.and (local.get 0) (local.get 1)))) (i32.add (local.get $x) (i32.mul (local.get $x) (i32.const 7)))",
         3, 5, 0},
        {"(if (result i32) (i32.eqz (i32.and (local.get 0) (i32.const 256))) (then (i32.const 1)) (else (i32.const 2)))", 256, 0, 2},
    };
    try_all(cases, ARRAY_LEN(cases));
}

static void bounds(void) {
#define OF_64(expr) "(i32.wrap_i64 " expr ")"
#define A "(i64.extend_i32_s (local.get 0))"
    static const struct small cases[] = {
        {OF_64("(i64.and (i64.shl (i64.rem_u " A " (i64.const 0x8000000000000002)) (i64.const 1)) (i64.const 3))"), 5, 0, 2},
        {OF_64("(i64.and (i64.shr_u " A " (i64.const 56)) (i64.const 0x7f))"), (u32)-1, 0, 0x7f},
        {OF_64("(i64.and (i64.popcnt " A ") (i64.const 0x3f))"), (u32)-1, 0, 0},
        {OF_64("(i64.div_u (i64.and " A " (i64.const 0x1fffffff0)) (i64.const 7))"), (u32)-2, 0, 1227133510},
        {"(i32.and (i32.rem_u (i32.and (local.get 0) (i32.const 0xff)) (local.get 1)) (i32.const 0x7f))", 0xff, 0x100, 0x7f},
        {"(i32.and (i32.shr_u (local.get 0) (i32.const 33)) (i32.const 0xff))", (u32)-1, 0, 0xff},
        {"(i32.shr_u (i32.shr_s (local.get 0) (i32.const 3)) (i32.const 5))", 0x80000000, 0, 0x7800000},
        {"(i32.rotl (i32.shr_s (local.get 0) (i32.const 3)) (i32.const 31))", 32, 0, 2},
        {"(i32.le_u (i32.lt_s (local.get 0) (local.get 1)) (i32.const 0))", 1, 2, 0},
        {"(i32.le_u (f64.lt (f64.convert_i32_s (local.get 0)) (f64.convert_i32_s (local.get 1))) (i32.const 0))", 1, 2, 0},
        {"(i32.eq (i32.lt_s (local.get 0) (local.get 1)) (i32.const 1))", 1, 2, 1},
        {"(i32.div_s (local.get 0) (i32.const 7))", 2147483645, 0, 306783377},
        {"(i32.div_s (i32.const 0x80000000) (i32.const -1))", 0, 0, -ABI_TRAP_INTEGER_OVERFLOW},
        /* addresses that wrap around, or do not */
        {"(i32.load8_u (i32.add (i32.or (i32.and (local.get 0) (i32.const 0x80000000)) (i32.and (local.get 1) (i32.const 0x7fffffff)))"
         " (i32.const 0x7fffff00)))", 0x80000000, 0x100, 1},
        {"(drop (i32.load8_u (i32.add (local.get 0) (i32.const 100)))) (i32.load8_u offset=8 (i32.add (local.get 0) (i32.const 96)))",
         (u32)-98, 0, -ABI_TRAP_MEMORY},
        {"(i32.load offset=2147483632 (local.get 0))", 0, 0, -ABI_TRAP_MEMORY}, /* ABI_MAX_DISP + 1 */
        {"(drop (i32.load8_u (i32.add (local.get 0) (i32.const 0x20000)))) (i32.load8_u (i32.add (local.get 0) (i32.const 1)))",
         0xfffe8000, 0, -ABI_TRAP_MEMORY},
    };
#undef OF_64
#undef A
    try_all(cases, ARRAY_LEN(cases));
}

/* NaN is equal to nothing, so a condition takes two flags: for integers, and for floats, of
 * which either operand may be where the result goes. */
static void nans(void) {
#define NAN_IF "(local.set $f (select (f64.const nan) (f64.const 3) (local.get 0)))"
#define INTS(op) NAN_IF "(select (i32.const 1) (local.get 1) (" op " (local.get $f) (local.get $f)))"
#define FLOATS(op) NAN_IF "(i32.trunc_f64_s (select (f64.const 1) (f64.convert_i32_s (local.get 1)) (" op " (local.get $f) (local.get $f))))"
#define OTHERS(op) NAN_IF "(i32.trunc_f64_s (select (f64.convert_i32_s (local.get 1)) (f64.const 1) (" op " (local.get $f) (local.get $f))))"
    static const struct small cases[] = {
        {INTS("f64.eq"), 1, 2, 2},   {INTS("f64.eq"), 0, 2, 1},   {INTS("f64.ne"), 1, 2, 1},   {INTS("f64.ne"), 0, 2, 2},
        {FLOATS("f64.eq"), 1, 2, 2}, {FLOATS("f64.eq"), 0, 2, 1}, {FLOATS("f64.ne"), 1, 2, 1}, {FLOATS("f64.ne"), 0, 2, 2},
        {OTHERS("f64.eq"), 1, 2, 1}, {OTHERS("f64.eq"), 0, 2, 2}, {OTHERS("f64.ne"), 1, 2, 2}, {OTHERS("f64.ne"), 0, 2, 1},
    };
    try_all(cases, ARRAY_LEN(cases));
#undef NAN_IF
#undef INTS
#undef FLOATS
#undef OTHERS
}

/* What was read is read again where it may have changed, and not later than it was. */
static void reads(void) {
    static const struct small cases[] = {
        {"(local.set $x (i32.load (i32.const 0))) (loop (local.set $x (i32.add (local.get $x) (i32.load (i32.const 0))))"
         " (i32.store (i32.const 0) (local.get $x)) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get $x)", 3, 0, 8},
        {"(local.set $x (global.get $g)) (loop (local.set $x (i32.add (local.get $x) (global.get $g)))"
         " (global.set $g (local.get $x)) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get $x)", 3, 0, 8},
        {"(local.set $x (i32.lt_u (i32.load8_u (local.get 0)) (i32.const 5))) (i32.store8 (local.get 0) (i32.const 9))"
         " (if (result i32) (local.get $x) (then (i32.const 1)) (else (i32.const 2)))", 0, 0, 1},
        {"(local.set $x (i32.and (local.get 1) (i32.load (local.get 0)))) (i32.store (local.get 0) (i32.const 6))"
         " (if (result i32) (local.get $x) (then (i32.const 1)) (else (i32.const 2)))", 0, 1, 1},
        {"(if (result i32) (i32.lt_u (i32.load8_u (local.get 0)) (i32.const 256)) (then (i32.const 1)) (else (i32.const 2)))", 0, 0, 1},
        {"(i32.store (i32.const 0) (i32.const 0x101))"
         " (if (result i32) (i32.eq (i32.load16_u (local.get 0)) (i32.const 1)) (then (i32.const 1)) (else (i32.const 2)))", 0, 0, 2},
        {"(local.set $x (i32.load (local.get 0))) (memory.fill (local.get 0) (i32.const 7) (i32.const 1))"
         " (i32.add (local.get $x) (i32.load (local.get 0)))", 0, 0, 8},
        {"(local.set $x (i32.load (local.get 0))) (if (i32.eq (local.get 1) (i32.const 1)) (then (i32.store (local.get 0) (i32.const 7))"
         " (drop (call 0 (local.get 0) (i32.const 2))) (local.set $x (i32.add (local.get $x) (i32.load (local.get 0)))))"
         " (else (i32.store (local.get 0) (i32.const 9)))) (local.get $x)", 0, 1, 10},
        {"(i32.add (i32.load (local.get 0)) (i32.div_u (i32.const 1) (local.get 1)))", (u32)-1, 0, -ABI_TRAP_MEMORY},
        {"(local.set $x (i32.load (local.get 0))) (i32.store (local.get 0) (i32.const 9)) (i32.mul (local.get $x) (local.get 1))", 0, 7, 7},
        {"(i64.store (local.get 0) (i64.xor (i64.load (local.get 0)) (i64.const 0x123456789)))"
         " (i32.add (i32.load (local.get 0)) (i32.load offset=4 (local.get 0)))", 0, 0, 0x23456789},
    };
    try_all(cases, ARRAY_LEN(cases));
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
    bounds();
    nans();
    reads();
    traps();
    limits();
    hosts();
    stops();
    test_engine_close(&T);
    return test_end("rt_run");
}
