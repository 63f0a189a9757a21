/* jit_opt.c: what optimising passes may get wrong, each beside its answer:
 * addresses that wrap, constants moved into displacements, loads moved to their users,
 * quotients by multiplication. */
#include <stdio.h>

#include "cli/host_rt.h"
#include "jit/jit.h"
#include "test/lib/engine.h"
#include "test/lib/test.h"

static struct test_engine T;

/* Byte k of memory holds k % 251. */
#define MEMORY "(memory 1) (func $fill (local $k i32) (loop" \
    " (i32.store8 (local.get $k) (i32.rem_u (local.get $k) (i32.const 251)))" \
    " (br_if 0 (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const 65536))))) (start $fill)"
#define AT(add) "(i32.load8_u (i32.add (local.get 0) (i32.const " add ")))"

static u32 byte_at(u32 at) { return at % 251; }

static void trapped(struct test_run *r, const char *name, u64 arg) {
    enum abi_trap t;
    test_call1(r, name, arg, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
}

/* After one access the next ones are displacements from it. */
static void anchored(void) {
    struct test_run r;
    test_run_open(&T, &r,
                  "(module " MEMORY
                  " (func (export \"up\") (param i32) (result i32) (i32.add " AT("16") " (i32.shl " AT("24") " (i32.const 8))))"
                  " (func (export \"down\") (param i32) (result i32) (i32.add " AT("16") " (i32.shl " AT("4") " (i32.const 8))))"
                  " (func (export \"deep\") (param i32) (result i32) (i32.add " AT("16") "(i32.load8_u offset=8 (i32.add (local.get 0) (i32.const 4)))))"
                  " (func (export \"arms\") (param i32) (result i32) (if (result i32) (i32.gt_s (local.get 0) (i32.const 0))"
                  "  (then " AT("16") ") (else " AT("0x120") ")))"
                  " (func (export \"store\") (param i32) (result i32) (i32.store8 (local.get 0) (i32.const 7)) " AT("0xfffffffe") "))",
                  NULL, NULL);
    EQUAL(test_call1(&r, "up", 100, NULL), byte_at(116) | byte_at(124) << 8);
    EQUAL(test_call1(&r, "up", (u32)-16, NULL), byte_at(0) | byte_at(8) << 8);
    trapped(&r, "up", (u32)-24);
    trapped(&r, "up", 65536 - 24);
    EQUAL(test_call1(&r, "down", 0, NULL), byte_at(16) | byte_at(4) << 8);
    EQUAL(test_call1(&r, "down", (u32)-4, NULL), byte_at(12) | byte_at(0) << 8);
    trapped(&r, "down", (u32)-5);
    trapped(&r, "down", (u32)-16);
    EQUAL(test_call1(&r, "deep", 0, NULL), byte_at(16) + byte_at(12));
    trapped(&r, "deep", (u32)-6); /* -2, and 8 more: beyond 4 GiB, not at 6 */
    EQUAL(test_call1(&r, "arms", (u32)-0x100, NULL), byte_at(0x20));
    EQUAL(test_call1(&r, "store", 2, NULL), byte_at(0));
    trapped(&r, "store", 1);
    test_run_close(&r);
}

#define ADD_I "(local.set $sum (i32.add (local.get $sum) (local.get $i)))"
#define SET_I "(if (i32.and (local.get $n) (i32.const 1)) (then (local.set $i (i32.const 10))) (else (local.set $i (i32.const 1))))"
#define AGAIN(label, local) "(br_if " label " (local.tee " local " (i32.sub (local.get " local ") (i32.const 1))))"
#define HEAD(name) "(func (export \"" name "\") (param $n i32) (result i32) (local $i i32) (local $k i32) (local $sum i32)"

/* $i is read no more behind where it gets one of two values, but in the next round; or
 * right behind. */
static void read_again(void) {
    struct test_run r;
    test_run_open(&T, &r,
                  "(module " HEAD("loop") " (loop $out " ADD_I SET_I AGAIN("$out", "$n") ") (local.get $sum))"
                  HEAD("inner") " (loop $out " ADD_I "(local.set $k (i32.const 2)) (loop $in " SET_I AGAIN("$in", "$k") ")"
                  AGAIN("$out", "$n") ") (local.get $sum))"
                  HEAD("behind") SET_I "(local.get $i)))", NULL, NULL);
    EQUAL(test_call1(&r, "loop", 4, NULL), 0 + 1 + 10 + 1);
    EQUAL(test_call1(&r, "inner", 4, NULL), 0 + 1 + 10 + 1);
    EQUAL(test_call1(&r, "behind", 4, NULL), 1);
    EQUAL(test_call1(&r, "behind", 5, NULL), 10);
    test_run_close(&r);
}

/* Without an access before, only what cannot wrap is folded. */
static void bounded(void) {
    struct test_run r;
    test_run_open(&T, &r,
                  "(module " MEMORY
                  " (func (export \"wraps\") (param i32) (result i32) " AT("8") ")"
                  " (func (export \"mask\") (param i32) (result i32) (i32.load8_u (i32.add (i32.const 0x100) (i32.shl (i32.and (local.get 0) (i32.const 255)) (i32.const 2)))))"
                  " (func (export \"low\") (param i32) (result i32) (i32.load8_u (i32.add (i32.const 0xffffff80) (i32.and (local.get 0) (i32.const 255)))))"
                  " (func (export \"byte\") (param i32) (result i32) (i32.and (i32.load8_u (local.get 0)) (i32.const 0xfe))))",
                  NULL, NULL);
    EQUAL(test_call1(&r, "wraps", (u32)-4, NULL), byte_at(4));
    EQUAL(test_call1(&r, "mask", 0x1ff, NULL), byte_at(0x100 + 255 * 4));
    EQUAL(test_call1(&r, "low", 200, NULL), byte_at(200 - 0x80));
    trapped(&r, "low", 0x7f);
    EQUAL(test_call1(&r, "byte", 7, NULL), 6);
    test_run_close(&r);
}

/* A load may run at its user, but not past what it must not pass. */
static void folded_loads(void) {
    struct test_run r;
    test_run_open(&T, &r,
                  "(module " MEMORY "(global $g (export \"g\") (mut i32) (i32.const 0))"
                  " (func (export \"past_store\") (param i32) (result i32) (local i32)"
                  "  (local.set 1 (i32.load (local.get 0))) (i32.store (local.get 0) (i32.const 5)) (i32.add (i32.const 1) (local.get 1)))"
                  " (func (export \"sub\") (param i32) (result i32) (i32.sub (i32.const 1000) (i32.load8_u (local.get 0))))"
                  " (func (export \"below\") (param i32) (result i32) (if (result i32) (i32.lt_s (i32.load8_u (local.get 0)) (i32.const 200))"
                  "  (then (i32.const 1)) (else (i32.const 2))))"
                  " (func (export \"divide\") (param i32) (result i32)"
                  "  (i32.add (i32.div_u (i32.const 7) (local.get 0)) (i32.load (i32.sub (local.get 0) (i32.const 1)))))"
                  " (func (export \"late\") (param i32) (result i32) (local i32)"
                  "  (local.set 1 (i32.load (i32.sub (local.get 0) (i32.const 1))))"
                  "  (i32.add (i32.div_u (i32.const 7) (local.get 0)) (local.get 1))))",
                  NULL, NULL);
    u32 at8 = 8 | 9 << 8 | 10 << 16 | 11 << 24;
    EQUAL(test_call1(&r, "past_store", 8, NULL), at8 + 1);
    EQUAL(test_call1(&r, "sub", 100, NULL), 900);
    EQUAL(test_call1(&r, "below", 199, NULL), 1);
    EQUAL(test_call1(&r, "below", 200, NULL), 2);
    enum abi_trap t;
    test_call1(&r, "divide", 0, &t); /* both trap: the first counts */
    EQUAL(t, ABI_TRAP_DIVIDE_BY_ZERO);
    test_call1(&r, "late", 0, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
    test_run_close(&r);
}

/* ---- division by constants, against C's ---- */

static const u32 divisors[] = {1, 2, 3, 5, 6, 7, 10, 11, 12, 17, 25, 64, 100, 125, 641, 1000, 10000, 65535, 65537, 1000003, 1000000007,
                               0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff, (u32)-2, (u32)-3, (u32)-7, (u32)-100};

static u32 expected(u32 k, u32 x, u32 d) {
    i32 a = (i32)x, b = (i32)d;
    switch (k) {
    case 0: return x / d;
    case 1: return x % d;
    case 2: return b == -1 ? 0 - x : (u32)(a / b);
    default: return b == -1 ? 0 : (u32)(a % b);
    }
}

static void check_quotients(struct test_run *r, u32 d) {
    static const char *const names[] = {"a", "b", "c", "d"};
    for (u32 n = 0; n < 64; n++) {
        u32 near = n < 24 ? d * (n / 3) + n % 3 - 1 : n < 48 ? 0x80000000 - 8 + (n - 24) : n * 0x9e3779b9;
        for (u32 k = 0; k < 4; k++) {
            if (k == 2 && d == 0xffffffff && near == 0x80000000) continue; /* traps */
            EQUAL(test_call1(r, names[k], near, NULL), expected(k, near, d));
        }
        for (u32 k = 0; k < 2; k++) EQUAL(test_call1(r, k ? "f" : "e", near, NULL), expected(k, near, d));
    }
}

static void quotients(void) {
    static const char *const ops[] = {"div_u", "rem_u", "div_s", "rem_s"};
    for (u32 n = 0; n < ARRAY_LEN(divisors); n++) {
        char text[1500];
        int at = snprintf(text, sizeof text, "(module");
        for (u32 k = 0; k < 4; k++)
            at += snprintf(text + at, sizeof text - (size_t)at, "(func (export \"%c\") (param i32) (result i32) (i32.%s (local.get 0) (i32.const 0x%x)))",
                           'a' + (int)k, ops[k], divisors[n]);
        for (u32 k = 0; k < 2; k++)
            at += snprintf(text + at, sizeof text - (size_t)at,
                           "(func (export \"%c\") (param i32) (result i64) (i64.%s (i64.extend_i32_u (local.get 0)) (i64.const 0x%x)))",
                           'e' + (int)k, ops[k], divisors[n]);
        snprintf(text + at, sizeof text - (size_t)at, ")");
        struct test_run r;
        test_run_open(&T, &r, text, NULL, NULL);
        check_quotients(&r, divisors[n]);
        test_run_close(&r);
    }
}

/* a + (b << n) and masks, each in registers and spilled is the differential run's. */
static void combined(void) {
    struct test_run r;
    test_run_open(&T, &r,
                  "(module (func (export \"scale\") (param i32) (result i32) (i32.add (i32.shl (local.get 0) (i32.const 3)) (i32.mul (local.get 0) (local.get 0))))"
                  " (func (export \"byte\") (param i32) (result i32) (i32.and (local.get 0) (i32.const 255)))"
                  " (func (export \"half\") (param i32) (result i32) (i32.and (local.get 0) (i32.const 65535)))"
                  " (func (export \"power\") (param i64) (result i64) (i64.div_s (local.get 0) (i64.const -8))))",
                  NULL, NULL);
    EQUAL(test_call1(&r, "scale", 0x20000001, NULL), 9 + 0x40000000);
    EQUAL(test_call1(&r, "byte", 0x12345678, NULL), 0x78);
    EQUAL(test_call1(&r, "half", 0x12345678, NULL), 0x5678);
    EQUAL(test_call1(&r, "power", (u64)-9, NULL), 1);
    EQUAL(test_call1(&r, "power", 17, NULL), (u32)-2);
    test_run_close(&r);
}

#define ROT(n) "(i32.rotl (local.get 0) (i32.const " n "))"
#define NOT(x) "(i32.xor (i32.const -1) " x ")"

static u32 rotated(u32 x, u32 n) { return x << n | x >> (32 - n); }

/* Shifts by a register, rotations of what is read again, a & ~b: with BMI and without. */
static void shifted(void) {
    struct test_run r;
    test_run_open(&T, &r,
                  "(module (memory 1)"
                  " (func (export \"shifts\") (param i32) (result i32) (i32.xor (i32.shl (i32.const 3) (local.get 0))"
                  "  (i32.xor (i32.shr_u (i32.mul (local.get 0) (i32.const -7)) (local.get 0)) (i32.shr_s (i32.sub (i32.const 0) (local.get 0)) (local.get 0)))))"
                  " (func (export \"wide\") (param i64) (result i64) (i64.shl (local.get 0) (i64.shr_u (local.get 0) (i64.const 60))))"
                  " (func (export \"rotate\") (param i32) (result i32) (i32.xor (i32.xor " ROT("7") ROT("18") ") (i32.sub " ROT("25") "(local.get 0))))"
                  " (func (export \"choose\") (param i32) (result i32) (i32.or (i32.and (local.get 0) (i32.const 0xff00ff))"
                  "  (i32.and " NOT("(local.get 0)") " (i32.add (local.get 0) (i32.const 0x12345678)))))"
                  " (func (export \"without\") (param i64) (result i64) (i64.and (i64.add (local.get 0) (i64.const 3)) (i64.xor (local.get 0) (i64.const -1))))"
                  " (func (export \"inverse\") (param i32) (result i32) (select (i32.const 5) (i32.const 6)"
                  "  (i32.eqz (i32.and " NOT("(i32.mul (local.get 0) (i32.const 3))") "(local.get 0)))))"
                  " (func (export \"beside\") (param i32) (result i32) (i32.store (i32.const 8) (local.get 0)) (if (result i32)"
                  "  (i32.and " NOT("(local.get 0)") "(i32.load (i32.const 8))) (then (i32.const 5)) (else (i32.const 6)))))",
                  NULL, NULL);
    for (u32 x = 0; x < 100000; x = x * 3 + 1) {
        u32 n = x & 31, minus = 0 - x;
        EQUAL(test_call1(&r, "shifts", x, NULL), 3u << n ^ ((x * 0xfffffff9) >> n ^ (u32)((i32)minus >> n)));
        EQUAL(test_call1(&r, "wide", (u64)x << 57 | x, NULL), x << ((u64)x << 57 >> 60));
        EQUAL(test_call1(&r, "rotate", x, NULL), rotated(x, 7) ^ rotated(x, 18) ^ (rotated(x, 25) - x));
        EQUAL(test_call1(&r, "choose", x, NULL), (x & 0xff00ff) | (~x & (x + 0x12345678)));
        EQUAL(test_call1(&r, "without", x, NULL), (x + 3) & ~x);
        EQUAL(test_call1(&r, "inverse", x, NULL), ~(x * 3) & x ? 6 : 5);
        EQUAL(test_call1(&r, "beside", x, NULL), 6);
    }
    test_run_close(&r);
}

static void without_bmi(void) {
    test_engine_open(&T);
    rt_engine_free(T.engine);
    T.host.cpu &= ~(u32)(JIT_CPU_BMI1 | JIT_CPU_BMI2);
    EQUAL(rt_engine_init(&T.engine, &T.host), ERR_OK);
    EQUAL(host_rt_install(T.engine), ERR_OK);
    shifted();
    test_engine_close(&T);
}

int main(void) {
    without_bmi();
    test_engine_open(&T);
    shifted();
    read_again();
    anchored();
    bounded();
    folded_loads();
    quotients();
    combined();
    test_engine_close(&T);
    return test_end("jit_opt");
}
