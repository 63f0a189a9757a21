/* store->overflow: parameters and results without a register, over every way
 * in and out of compiled code, with the store entered again in between. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/host_rt.h"
#include "test/lib/engine.h"
#include "test/lib/test.h"
#include "test/lib/wat.h"

static struct test_engine T;

enum { MOST = WASM_MAX_PARAMS };

/* ---- as many as a type may have ---- */

static char text[1 << 17];

static void list(char **p, const char *what, int n) {
    for (int i = 0; i < n; i++) *p += sprintf(*p, " %s", what);
}

/* $rev gives its parameters back in reverse; "f" reverses twice, once through a
 * table, and so gives back what it got. */
static void widest(void) {
    static union abi_value v[MOST];
    char *p = text;
    struct test_run r;
    p += sprintf(p, "(module (type $t (func (param");
    list(&p, "i64", MOST);
    p += sprintf(p, ") (result");
    list(&p, "i64", MOST);
    p += sprintf(p, "))) (table 1 funcref) (elem (i32.const 0) $rev) (func $rev (type $t)");
    for (int i = MOST; i-- > 0;) p += sprintf(p, "(local.get %d)", i);
    p += sprintf(p, ") (func (export \"f\") (type $t)");
    for (int i = 0; i < MOST; i++) p += sprintf(p, "(local.get %d)", i);
    sprintf(p, "(call $rev) (call_indirect (type $t) (i32.const 0))))");
    test_run_open(&T, &r, text, NULL, NULL);
    for (u64 i = 0; i < MOST; i++) v[i].i64 = (i + 1) * 0x100000001;
    EQUAL(test_call(&r, "f", v), ABI_TRAP_NONE);
    u64 wrong = 0;
    for (u64 i = 0; i < MOST; i++) wrong += v[i].i64 != (i + 1) * 0x100000001;
    EQUAL(wrong, 0);
    test_run_close(&r);
}

/* ---- a host function amid it ---- */

/* Enters the store again, with parameters and results of that call's own. */
static u64 amid(struct abi_ctx *c, u32 a, u32 b, u32 d, u32 e, u32 f, u32 g, double x, u64 h, u64 *more) {
    struct rt_callable back;
    union abi_value v[9] = {{.i32 = 7}, {.i32 = 7}, {.i32 = 7}, {.i32 = 7}, {.i32 = 7}, {.i32 = 7}, {.i32 = 7}, {.i32 = 8}, {.i64 = 9}};
    if (rt_find_func(rt_ctx_instance(c), test_name("back"), &back)) return 1;
    if (rt_call(&back, v) || v[0].i32 != 7 || v[1].i32 != 8 || v[2].i64 != 9) return 2;
    if (a + b + d + e + f != 15 || g != 6 || h != 0x700000008 || x != 2.5) return 3;
    more[0] = h;
    memcpy(&more[1], &x, sizeof x);
    return g;
}

static const char host_text[] =
    "(module"
    " (import \"env\" \"amid\" (func $amid (param i32 i32 i32 i32 i32 i32 f64 i64) (result i32 i64 f64)))"
    " (type $t (func (param i32 i32 i32 i32 i32 i32 f64 i64) (result i32 i64 f64)))"
    " (table 1 funcref) (elem (i32.const 0) $amid)"
    " (export \"amid\" (func $amid))"
    " (func (export \"back\") (param i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32 i32 i64)"
    "   (local.get 6) (local.get 7) (local.get 8))"
    " (func $arguments (result i32 i32 i32 i32 i32 i32 f64 i64)"
    "   (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (i32.const 6) (f64.const 2.5)"
    "   (i64.const 0x700000008))"
    " (func (export \"direct\") (result i32 i64 f64) (call $amid (call $arguments)))"
    " (func (export \"table\") (result i32 i64 f64)"
    "   (call_indirect (type $t) (call $arguments) (i32.const 0))))";

static const char other_text[] =
    "(module (import \"m\" \"direct\" (func $direct (result i32 i64 f64)))"
    " (import \"m\" \"amid\" (func $amid (param i32 i32 i32 i32 i32 i32 f64 i64) (result i32 i64 f64)))"
    " (import \"m\" \"back\" (func $back (param i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32 i32 i64)))"
    " (export \"again\" (func $amid))"
    " (func (export \"f\") (result i32 i64 f64) (local i32 i64)"
    "   (call $back (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 1)"
    "     (i32.const 6) (i32.const 1) (i64.const 0x700000008)) (local.set 1) (drop) (local.set 0)"
    "   (call $direct) (drop) (drop) (drop) (local.get 0) (local.get 1) (f64.const 2.5)))";

static void expect(struct rt_instance *i, const char *name) {
    struct rt_callable f;
    union abi_value v[8] = {0};
    double x;
    EQUAL(rt_find_func(i, test_name(name), &f), ERR_OK);
    EQUAL(rt_call(&f, v), ABI_TRAP_NONE);
    EQUAL(v[0].i32, 6);
    EQUAL(v[1].i64, 0x700000008);
    memcpy(&x, &v[2].i64, sizeof x);
    CHECK(x == 2.5);
}

static void hosts(void) {
    struct rt_linker *l;
    struct test_run r;
    struct rt_module *m;
    struct rt_instance *other;
    struct rt_error why;
    EQUAL(rt_linker_new(T.engine, &l), ERR_OK);
    EQUAL(rt_define_func(l, "env", "amid", "iiiiiiFI:iIF", amid), ERR_OK);
    test_run_open(&T, &r, host_text, l, NULL);
    expect(r.instance, "direct");
    expect(r.instance, "table");
    EQUAL(rt_define_instance(l, test_name("m"), r.instance), ERR_OK);
    struct bytes b = wat(other_text);
    EQUAL(rt_module_load(T.engine, b, NULL, &m, &why), ERR_OK);
    free((void *)(uptr)b.p);
    EQUAL(rt_instantiate(r.store, m, l, &other, NULL, &why), ERR_OK);
    expect(other, "f"); /* through the glue between instances */
    rt_module_free(m);
    test_run_close(&r);
    rt_linker_free(l);
}

int main(void) {
    test_engine_open(&T);
    widest();
    hosts();
    test_engine_close(&T);
    return test_end("rt_overflow");
}
