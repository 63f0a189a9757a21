/* Modules that try to take the machine down: each is refused or stopped, and
 * the next call works. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/host_rt.h"
#include "test/lib/engine.h"
#include "test/lib/test.h"
#include "test/lib/wat.h"

static struct test_engine T;

static const struct rt_limits small = {.memory_bytes = 1 << 20, .table_elements = 1000, .stack_bytes = 256 << 10};

/* A module with one function of many locals that calls itself. */
static char *deep(u32 locals, u32 params) {
    char *s = malloc(64 + locals * 8 + params * 32), *p = s;
    p += sprintf(p, "(module (func $f (export \"run\") (param i32");
    for (u32 i = 1; i < params; i++) p += sprintf(p, " i64");
    p += sprintf(p, ") (result i64) (local");
    for (u32 i = 0; i < locals; i++) p += sprintf(p, " i64");
    p += sprintf(p, ") (call $f (local.get 0)");
    for (u32 i = 1; i < params; i++) p += sprintf(p, "(local.get %u)", i);
    sprintf(p, ")))");
    return s;
}

static void recursion(void) {
    static const u32 shapes[][2] = {{0, 1}, {1000, 1}, {20000, 1}, {0, 40}, {100, 900}};
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        static union abi_value v[1000];
        char *text = deep(shapes[i][0], shapes[i][1]);
        struct test_run r;
        test_run_open(&T, &r, text, NULL, &small);
        for (int k = 0; k < 2; k++) EQUAL(test_call(&r, "run", v), ABI_TRAP_STACK);
        test_run_close(&r);
        free(text);
    }
}

/* Every local is alive across the call: frames of real size. */
static void large_frames(void) {
    enum { LOCALS = 3000 };
    char *s = malloc(LOCALS * 100 + 1000), *p = s;
    p += sprintf(p, "(module (memory 1) (func $f (export \"run\") (param i32) (result i64) (local i64");
    for (u32 i = 1; i < LOCALS; i++) p += sprintf(p, " i64");
    p += sprintf(p, ")");
    for (u32 i = 1; i <= LOCALS; i++) p += sprintf(p, "(local.set %u (i64.load offset=%u (local.get 0)))", i, i * 8);
    p += sprintf(p, "(drop (call $f (local.get 0))) (local.get 1)");
    for (u32 i = 2; i <= LOCALS; i++) p += sprintf(p, "(i64.add (local.get %u))", i);
    sprintf(p, "))");
    struct test_run r;
    enum abi_trap t;
    test_run_open(&T, &r, s, NULL, &small);
    test_call1(&r, "run", 0, &t);
    EQUAL(t, ABI_TRAP_STACK);
    test_run_close(&r);
    free(s);
}

/* Two instances that call each other, through imports and a shared table. */
static void across(void) {
    struct rt_store *s;
    struct rt_linker *l;
    struct rt_module *m[2];
    struct rt_instance *i[2];
    struct bytes a = wat("(module (table (export \"t\") 1 funcref)"
                         " (func (export \"run\") (param i32) (result i32) (call_indirect (param i32)"
                         "  (result i32) (local.get 0) (i32.const 0))))");
    struct bytes b = wat("(module (import \"a\" \"t\" (table 1 funcref))"
                         " (import \"a\" \"run\" (func $run (param i32) (result i32)))"
                         " (func $f (param i32) (result i32)"
                         "  (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 7))"
                         "   (else (call $run (i32.sub (local.get 0) (i32.const 1))))))"
                         " (elem (i32.const 0) $f))");
    EQUAL(rt_store_new(T.engine, &small, &s), ERR_OK);
    EQUAL(rt_linker_new(T.engine, &l), ERR_OK);
    EQUAL(rt_module_load(T.engine, a, NULL, &m[0], NULL), ERR_OK);
    EQUAL(rt_module_load(T.engine, b, NULL, &m[1], NULL), ERR_OK);
    EQUAL(rt_instantiate(s, m[0], l, &i[0], NULL, NULL), ERR_OK);
    EQUAL(rt_define_instance(l, test_name("a"), i[0]), ERR_OK);
    EQUAL(rt_instantiate(s, m[1], l, &i[1], NULL, NULL), ERR_OK);
    struct test_run r = {s, m[0], i[0]};
    enum abi_trap t;
    EQUAL(test_call1(&r, "run", 100, NULL), 7);
    test_call1(&r, "run", 0x7fffffff, &t);
    EQUAL(t, ABI_TRAP_STACK);
    EQUAL(test_call1(&r, "run", 100, NULL), 7);
    rt_store_free(s);
    rt_module_free(m[0]);
    rt_module_free(m[1]);
    rt_linker_free(l);
    free((void *)(uptr)a.p);
    free((void *)(uptr)b.p);
}

static enum err try_load(const char *text, const struct rt_limits *limits, enum abi_trap *trap, u64 deadline) {
    struct bytes b = wat(text);
    struct rt_store *s;
    struct rt_module *m = NULL;
    struct rt_instance *i;
    struct rt_error e = {0};
    struct host_deadline d;
    EQUAL(rt_store_new(T.engine, limits, &s), ERR_OK);
    enum err err = rt_module_load(T.engine, b, limits, &m, &e);
    if (deadline) EQUAL(host_deadline_start(&d, s, deadline), ERR_OK);
    if (!err) err = rt_instantiate(s, m, NULL, &i, trap, &e);
    if (deadline) host_deadline_end(&d);
    if (err) CHECK(e.code == err && e.text[0]);
    rt_store_free(s);
    rt_module_free(m);
    free((void *)(uptr)b.p);
    return err;
}

static void bombs(void) {
    enum abi_trap t;
    EQUAL(try_load("(module (memory 17))", &small, &t, 0), ERR_LIMIT);
    EQUAL(try_load("(module (memory 65536))", &small, &t, 0), ERR_LIMIT);
    EQUAL(try_load("(module (table 1001 funcref))", &small, &t, 0), ERR_LIMIT);
    EQUAL(try_load("(module (table 0xffffffff externref))", NULL, &t, 0), ERR_LIMIT);
    EQUAL(try_load("(module (table 600 funcref) (table 600 externref))", &small, &t, 0), ERR_LIMIT); /* together */
    EQUAL(try_load("(module (memory 16 16) (table 1000 funcref))", &small, &t, 0), ERR_OK);
    EQUAL(try_load("(module (func $s (loop $l (br $l))) (start $s))", &small, &t, 5000000), ERR_TRAP);
    EQUAL(t, ABI_TRAP_DEADLINE);
    EQUAL(try_load("(module (func $s (call $s)) (start $s))", &small, &t, 0), ERR_TRAP);
    EQUAL(t, ABI_TRAP_STACK);
    EQUAL(try_load("(module (memory 1) (func $s (loop $l (br_if $l (i32.ne (i32.const -1)"
                   " (memory.grow (i32.const 1))))) (i32.store8 (i32.const 0x100000) (i32.const 1))) (start $s))",
                   &small, &t, 0), ERR_TRAP);
    EQUAL(t, ABI_TRAP_MEMORY);
}

/* A small module whose compile wants gigabytes gets what the limit says. */
static void compile_bomb(void) {
    enum { LOCALS = 20000, LOOPS = 300 };
    struct rt_limits tight = {.load_bytes = 8 << 20};
    char *s = malloc(LOCALS * 64 + LOOPS * 16 + 1000), *p = s;
    enum abi_trap t;
    p += sprintf(p, "(module (func (local");
    for (u32 i = 0; i < LOCALS; i++) p += sprintf(p, " i32");
    p += sprintf(p, ")");
    for (u32 i = 0; i < LOOPS; i++) p += sprintf(p, " loop");
    for (u32 i = 0; i < LOCALS; i++) p += sprintf(p, " i32.const 0 local.set %u", i);
    for (u32 i = 0; i < LOOPS; i++) p += sprintf(p, " end");
    for (u32 i = 0; i < LOCALS; i++) p += sprintf(p, " local.get %u drop", i); /* else they are nothing to the loops */
    sprintf(p, "))");
    size_t spaces = T.spaces;
    enum err e = try_load(s, &tight, &t, 0);
    CHECK(e == ERR_NOMEM || e == ERR_LIMIT);
    EQUAL(T.spaces, spaces);
    free(s);
}

/* The edges of the window: nothing outside is reached, nothing faults in C. */
static void reaches(void) {
    struct test_run r;
    enum abi_trap t;
    test_run_open(&T, &r,
                  "(module (memory 1)"
                  " (func (export \"far\") (param i32) (result i32) (i32.load offset=0xffffffff (local.get 0)))"
                  " (func (export \"mid\") (param i32) (result i64) (i64.load offset=0x7fffffff (local.get 0)))"
                  " (func (export \"top\") (param i32) (i64.store offset=0x80000000 (local.get 0) (i64.const 1)))"
                  " (func (export \"shifted\") (param i32) (result i32)"
                  "  (i32.load (i32.shl (local.get 0) (i32.const 2))))"
                  " (func (export \"sum\") (param i32) (result i32)"
                  "  (i32.load (i32.add (local.get 0) (i32.const -4))))"
                  " (func (export \"narrow\") (param i64) (result i32) (i32.load8_u (i32.wrap_i64 (local.get 0))))"
                  " (func (export \"init\") (param i32) (memory.fill (local.get 0) (i32.const 0) (i32.const -1)))"
                  " (func (export \"copy\") (param i32) (memory.copy (local.get 0) (i32.const 0) (i32.const 65536))))",
                  NULL, NULL);
    static const u32 edges[] = {0, 1, 65535, 65536, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff};
    static const char *const out[] = {"far", "mid", "top"};
    for (size_t i = 0; i < ARRAY_LEN(edges); i++)
        for (size_t k = 0; k < ARRAY_LEN(out); k++) {
            test_call1(&r, out[k], edges[i], &t);
            EQUAL(t, ABI_TRAP_MEMORY);
        }
    EQUAL(test_call1(&r, "shifted", 0x40000000, NULL), 0); /* wraps to 0 */
    EQUAL(test_call1(&r, "shifted", 0xc0000001, NULL), 0);
    test_call1(&r, "shifted", 0x3fffffff, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
    EQUAL(test_call1(&r, "sum", 4, NULL), 0);
    test_call1(&r, "sum", 3, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
    EQUAL(test_call1(&r, "narrow", 0xdeadbeef00000001, NULL), 0); /* dirty upper half */
    test_call1(&r, "init", 1, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
    test_call1(&r, "copy", 1, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
    EQUAL(test_call1(&r, "copy", 0xdeadbeef00000000, &t), 0);
    EQUAL(t, ABI_TRAP_NONE);
    test_run_close(&r);
}

/* A thousand loads and unloads use nothing up. */
static void cycles(void) {
    struct bytes b = wat("(module (memory 1) (table 3 funcref) (elem (i32.const 0) $f) (func $f)"
                         " (func (export \"run\") (call_indirect (i32.const 0))))");
    size_t bytes = 0, spaces = 0;
    for (int k = 0; k < 1000; k++) {
        struct rt_module *m;
        struct rt_store *s;
        struct rt_instance *i;
        EQUAL(rt_module_load(T.engine, b, NULL, &m, NULL), ERR_OK);
        EQUAL(rt_store_new(T.engine, NULL, &s), ERR_OK);
        EQUAL(rt_instantiate(s, m, NULL, &i, NULL, NULL), ERR_OK);
        rt_module_free(m); /* the instance keeps it */
        struct test_run r = {s, m, i};
        test_call1(&r, "run", 0, NULL);
        rt_instance_free(i);
        rt_store_free(s);
        if (k == 100) bytes = T.bytes, spaces = T.spaces;
    }
    EQUAL(T.bytes, bytes);
    EQUAL(T.spaces, spaces);
    free((void *)(uptr)b.p);
}

int main(void) {
    test_engine_open(&T);
    recursion();
    large_frames();
    across();
    bombs();
    compile_bomb();
    reaches();
    cycles();
    test_engine_close(&T);
    return test_end("rt_hostile");
}
