/* Tail calls at run time: chains take no stack, within an instance, through a
 * table, between instances; hosts, traps and stops at their end. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/host_rt.h"
#include "test/lib/engine.h"
#include "test/lib/test.h"
#include "test/lib/wat.h"

static struct test_engine T;

enum { LONG = 3000000 }; /* steps: at 16 bytes of stack each, far beyond it */

static u64 twice(struct abi_ctx *c, u64 x) { return 2 * x; }
static u64 fail(struct abi_ctx *c, u64 x) { return rt_raise(c, ABI_TRAP_HOST); }

static struct rt_linker *linker(void) {
    struct rt_linker *l;
    EQUAL(rt_linker_new(T.engine, &l), ERR_OK);
    EQUAL(rt_define_func(l, "env", "twice", "I:I", twice), ERR_OK);
    EQUAL(rt_define_func(l, "env", "fail", "I:I", fail), ERR_OK);
    return l;
}

/* Types differ in what overflows: the callee's may need more than the caller's. */
static const char alone[] =
    "(module (type $ii (func (param i64) (result i64)))"
    " (import \"env\" \"twice\" (func $twice (type $ii))) (import \"env\" \"fail\" (func $fail (type $ii)))"
    " (table 4 funcref) (elem (i32.const 0) $down2 $twice $fail $wide)"
    " (func $down (export \"down\") (type $ii)"
    "   (if (i64.eqz (local.get 0)) (then (return (i64.const 7))))"
    "   (return_call $down (i64.sub (local.get 0) (i64.const 1))))"
    " (func $down2 (export \"down2\") (type $ii) (local i64 i64 i64)"
    "   (local.set 1 (call $twice (i64.const 1))) (local.set 2 (call $twice (local.get 1)))" /* saved registers */
    "   (if (i64.eqz (local.get 0)) (then (return (local.get 2))))"
    "   (return_call_indirect (type $ii) (i64.sub (local.get 0) (i64.const 1)) (i32.const 0)))"
    " (func $wide (type $ii)"
    "   (return_call $wider (local.get 0) (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)"
    "     (i64.const 5) (i64.const 6) (i64.const 7)))"
    " (func $wider (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)"
    "   (if (i64.eqz (local.get 0)) (then (return (i64.add (local.get 6) (i64.mul (local.get 7) (i64.const 10))))))"
    "   (return_call $wide (i64.sub (local.get 0) (i64.const 1))))"
    " (func (export \"wide\") (type $ii) (return_call_indirect (type $ii) (local.get 0) (i32.const 3)))"
    " (func (export \"host\") (type $ii) (return_call $twice (local.get 0)))"
    " (func (export \"hostvia\") (type $ii) (return_call_indirect (type $ii) (local.get 0) (i32.const 1)))"
    " (func (export \"fail\") (type $ii) (return_call $fail (local.get 0)))"
    " (func (export \"failvia\") (type $ii) (return_call_indirect (type $ii) (local.get 0) (i32.const 2)))"
    " (func (export \"none\") (type $ii) (return_call_indirect (type $ii) (local.get 0) (i32.const 9)))"
    " (func $spin (export \"spin\") (type $ii) (return_call $spin (local.get 0))))";

static void within(void) {
    static const struct {
        const char *name;
        u64 in, out;
        enum abi_trap trap;
    } cases[] = {
        {"down", LONG, 7, 0}, {"down2", LONG, 4, 0}, {"wide", LONG, 76, 0}, {"host", 21, 42, 0}, {"hostvia", 21, 42, 0},
        {"fail", 0, 0, ABI_TRAP_HOST}, {"failvia", 0, 0, ABI_TRAP_HOST}, {"none", 0, 0, ABI_TRAP_TABLE},
    };
    struct rt_linker *l = linker();
    struct test_run r;
    enum abi_trap t;
    struct host_deadline d;
    test_run_open(&T, &r, alone, l, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        u32 v = test_call1(&r, cases[i].name, cases[i].in, &t);
        EQUAL(t, cases[i].trap);
        if (!t) EQUAL(v, cases[i].out);
    }
    EQUAL(host_deadline_start(&d, r.store, 5000000), ERR_OK);
    test_call1(&r, "spin", 0, &t);
    host_deadline_end(&d);
    EQUAL(t, ABI_TRAP_DEADLINE);
    test_run_close(&r);
    rt_linker_free(l);
}

/* Two instances hand a counter to and fro; each adds its own global, so either
 * one's context in the other's hands would show. */
static const char ping[] =
    "(module (type $ii (func (param i64 i64) (result i64))) (table (export \"t\") 1 funcref)"
    " (global $step i64 (i64.const 3))"
    " (func $f (export \"f\") (type $ii)"
    "   (if (i64.eqz (local.get 0)) (then (return (local.get 1))))"
    "   (return_call_indirect (type $ii) (i64.sub (local.get 0) (i64.const 1))"
    "     (i64.add (local.get 1) (global.get $step)) (i32.const 0)))"
    " (func (export \"start\") (param i64) (result i64)"
    "   (i64.add (call $f (local.get 0) (i64.const 0)) (global.get $step))))";
static const char pong[] =
    "(module (type $ii (func (param i64 i64) (result i64))) (table (import \"a\" \"t\") 1 funcref)"
    " (import \"a\" \"f\" (func $f (type $ii))) (elem (i32.const 0) $g)"
    " (global $step i64 (i64.const 5))"
    " (func $g (type $ii)"
    "   (if (i64.eqz (local.get 0)) (then (return (local.get 1))))"
    "   (return_call $f (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (global.get $step)))))";

static void between(void) {
    struct rt_linker *l = linker();
    struct test_run r;
    struct rt_module *m;
    struct rt_instance *other;
    struct rt_error why;
    test_run_open(&T, &r, ping, l, NULL);
    EQUAL(rt_define_instance(l, test_name("a"), r.instance), ERR_OK);
    struct bytes b = wat(pong);
    EQUAL(rt_module_load(T.engine, b, NULL, &m, &why), ERR_OK);
    free((void *)(uptr)b.p);
    EQUAL(rt_instantiate(r.store, m, l, &other, NULL, &why), ERR_OK);
    for (u32 n = 0; n < 5; n++) EQUAL(test_call1(&r, "start", n, NULL), (n + 1) / 2 * 3 + n / 2 * 5 + 3);
    EQUAL(test_call1(&r, "start", LONG, NULL), LONG / 2 * 8 + 3);
    rt_module_free(m);
    test_run_close(&r);
    rt_linker_free(l);
}

int main(void) {
    test_engine_open(&T);
    within();
    between();
    test_engine_close(&T);
    return test_end("rt_tail");
}
