/* rt/: linking, sharing between instances, references, initialisers; and that
 * no failure at any step leaves something behind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/lib/engine.h"
#include "test/lib/test.h"
#include "test/lib/wat.h"

static struct test_engine T;

static u64 host_id(struct abi_ctx *c, u32 v) { return v; }

struct pair {
    struct rt_store *store;
    struct rt_linker *linker;
    struct rt_module *modules[8];
    struct rt_instance *instances[8];
    u32 count;
};

static void pair_open(struct pair *p) {
    *p = (struct pair){0};
    EQUAL(rt_store_new(T.engine, NULL, &p->store), ERR_OK);
    EQUAL(rt_linker_new(T.engine, &p->linker), ERR_OK);
    EQUAL(rt_define_func(p->linker, "env", "now", ":I", host_id), ERR_OK);
}

static void pair_close(struct pair *p) {
    rt_store_free(p->store);
    for (u32 i = 0; i < p->count; i++) rt_module_free(p->modules[i]);
    rt_linker_free(p->linker);
}

static enum err add(struct pair *p, const char *text, const char *name, enum abi_trap *trap,
                    struct rt_error *e) {
    struct bytes b = wat(text);
    struct rt_module *m = NULL;
    struct rt_instance *i = NULL;
    enum err err = rt_module_load(T.engine, b, NULL, &m, e);
    free((void *)(uptr)b.p);
    if (err) return err;
    err = rt_instantiate(p->store, m, p->linker, &i, trap, e);
    p->modules[p->count] = m;
    p->instances[p->count++] = i;
    if (!err && name) EQUAL(rt_define_instance(p->linker, test_name(name), i), ERR_OK);
    return err;
}

static u32 call(struct pair *p, u32 at, const char *name, u32 arg, enum abi_trap *trap) {
    struct test_run r = {p->store, p->modules[at], p->instances[at]};
    return test_call1(&r, name, arg, trap);
}

static const char exporter[] =
    "(module (table (export \"t\") 10 20 funcref) (memory (export \"m\") 1 5)"
    " (memory (export \"m2\") 1 2) (memory (export \"shared\") 1 2 shared)"
    " (global (export \"g\") (mut i32) (i32.const 5)) (global (export \"k\") i64 (i64.const 9))"
    " (type $v (func (result i32)))"
    " (func (export \"f\") (param i32) (result i32) (i32.add (local.get 0) (global.get 0)))"
    " (func (export \"via\") (param i32) (result i32) (call_indirect (type $v) (local.get 0)))"
    " (func (export \"peek\") (param i32) (result i32) (i32.load8_u (local.get 0)))"
    " (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0))))";

static void messages(void) {
    static const struct {
        const char *text;
        enum err e;
        const char *want;
    } cases[] = {
        {"(module (import \"env\" \"now\" (func (param i32) (result i64))))", ERR_SIGNATURE,
         "import env.now: expected () -> i64, module has (i32) -> i64"},
        {"(module (import \"env\" \"no\" (func (result i64))))", ERR_NOT_FOUND,
         "unknown import env.no: module wants () -> i64"},
        {"(module (import \"a\" \"t\" (func)))", ERR_SIGNATURE,
         "import a.t: expected table of 10..20 funcref, module has () -> ()"},
        {"(module (import \"a\" \"t\" (table 11 funcref)))", ERR_SIGNATURE,
         "import a.t: expected table of 10..20 funcref, module has table of 11 funcref"},
        {"(module (import \"a\" \"m\" (memory 1 4)))", ERR_SIGNATURE,
         "import a.m: expected memory of 1..5 pages, module has memory of 1..4 pages"},
        {"(module (import \"a\" \"g\" (global i32)))", ERR_SIGNATURE,
         "import a.g: expected mutable global i32, module has immutable global i32"},
        {"(module (import \"a\\01b\" \"g\" (global i32)))", ERR_NOT_FOUND,
         "unknown import a?b.g: module wants immutable global i32"},
    };
    struct pair p;
    struct rt_error e;
    pair_open(&p);
    EQUAL(add(&p, exporter, "a", NULL, &e), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        EQUAL(add(&p, cases[i].text, NULL, NULL, &e), cases[i].e);
        EQUAL_TEXT(e.text, cases[i].want);
    }
    pair_close(&p);
}

static const char importer[] =
    "(module (import \"a\" \"t\" (table 10 funcref)) (import \"a\" \"m\" (memory 1))"
    " (import \"a\" \"g\" (global $g (mut i32))) (import \"a\" \"k\" (global $k i64))"
    " (import \"a\" \"f\" (func $f (param i32) (result i32)))"
    " (func $mine (result i32) (i32.add (global.get $own) (call $f (i32.const 100))))"
    " (global $own i32 (i32.const 1000))"
    " (elem (i32.const 3) $mine) (data (i32.const 8) \"hey\")"
    " (func (export \"f\") (param i32) (result i32) (call $f (local.get 0)))"
    " (func (export \"set\") (param i32) (global.set $g (local.get 0)))"
    " (func (export \"pages\") (result i32) (memory.size))"
    " (func (export \"k\") (result i32) (i32.wrap_i64 (global.get $k))))";

static void sharing(void) {
    struct pair p;
    struct rt_error e;
    union abi_value v;
    pair_open(&p);
    EQUAL(add(&p, exporter, "a", NULL, &e), ERR_OK);
    EQUAL(add(&p, importer, "b", NULL, &e), ERR_OK);
    EQUAL(call(&p, 1, "f", 1, NULL), 6);
    call(&p, 1, "set", 50, NULL);
    EQUAL(call(&p, 0, "f", 1, NULL), 51);
    EQUAL(rt_global_get(p.instances[0], test_name("g"), &v, NULL), ERR_OK);
    EQUAL(v.i32, 50);
    EQUAL(rt_global_set(p.instances[0], test_name("k"), v), ERR_INVALID);
    EQUAL(call(&p, 0, "via", 3, NULL), 1150); /* a function of the other one, in its own context */
    EQUAL(call(&p, 0, "peek", 9, NULL), 'e');
    EQUAL(call(&p, 0, "grow", 2, NULL), 1);
    EQUAL(call(&p, 1, "pages", 0, NULL), 3);
    EQUAL(call(&p, 1, "k", 0, NULL), 9);
    rt_instance_free(p.instances[1]); /* its function is still in the table */
    EQUAL(call(&p, 0, "via", 3, NULL), 1150);
    pair_close(&p);
}

/* WebAssembly 2.0, 4.5.4: what was written before a trap stays. */
static void trap_in_start(void) {
    struct pair p;
    struct rt_error e;
    enum abi_trap t;
    pair_open(&p);
    EQUAL(add(&p, exporter, "a", NULL, &e), ERR_OK);
    EQUAL(add(&p,
              "(module (import \"a\" \"t\" (table 10 funcref)) (elem (i32.const 4) $x)"
              " (func $x (result i32) (i32.const 321)) (func $s unreachable) (start $s))",
              NULL, &t, &e), ERR_TRAP);
    EQUAL(t, ABI_TRAP_UNREACHABLE);
    EQUAL_TEXT(e.text, "start function: unreachable");
    EQUAL(call(&p, 0, "via", 4, NULL), 321);
    EQUAL(add(&p, "(module (import \"a\" \"m\" (memory 1)) (data (i32.const 0) \"ok\")"
                  " (data (i32.const 65535) \"no\"))", NULL, &t, &e), ERR_TRAP);
    EQUAL(t, ABI_TRAP_MEMORY);
    EQUAL_TEXT(e.text, "segments: out of bounds memory access");
    EQUAL(call(&p, 0, "peek", 0, NULL), 'o');
    EQUAL(add(&p, "(module (table 1 funcref) (elem (i32.const 1) $f) (func $f))", NULL, &t, &e), ERR_TRAP);
    EQUAL(t, ABI_TRAP_TABLE_BOUNDS);
    pair_close(&p);
}

static void references(void) {
    struct pair p;
    struct rt_error e;
    struct rt_callable c;
    union abi_value v[1];
    void *value;
    u32 h;
    u64 n;
    pair_open(&p);
    EQUAL(add(&p,
              "(module (table $e (export \"e\") 3 externref) (table $f (export \"f\") 3 funcref) (elem declare func $x)"
              " (func $x (result i32) (i32.const 5))"
              " (func (export \"keep\") (param externref) (table.set $e (i32.const 1) (local.get 0)))"
              " (func (export \"give\") (result externref) (table.get $e (i32.const 1)))"
              " (func (export \"ref\") (result funcref) (ref.func $x))"
              " (func (export \"put\") (param funcref) (table.set $f (i32.const 2) (local.get 0))))",
              NULL, NULL, &e), ERR_OK);
    struct rt_instance *i = p.instances[0];
    h = rt_extern_new(p.store, &p);
    CHECK(h != 0);
    call(&p, 0, "keep", h, NULL);
    CHECK(rt_extern_get(p.store, call(&p, 0, "give", 0, NULL), &value) && value == &p);
    h = call(&p, 0, "ref", 0, NULL);
    EQUAL(call(&p, 0, "ref", 0, NULL), h); /* one handle for one function */
    EQUAL(rt_func_of(p.store, h, &c), ERR_OK);
    EQUAL(rt_call(&c, v), ABI_TRAP_NONE);
    EQUAL(v[0].i32, 5);
    CHECK(!rt_extern_get(p.store, h, &value) && rt_func_of(p.store, 0, &c) == ERR_INVALID);
    CHECK(rt_func_of(p.store, 12345, &c) == ERR_INVALID);
    call(&p, 0, "put", h, NULL);
    EQUAL(rt_table_get(i, test_name("f"), 2, &h), ERR_OK);
    EQUAL(rt_func_of(p.store, h, &c), ERR_OK);
    EQUAL(rt_table_get(i, test_name("f"), 3, &h), ERR_LIMIT);
    EQUAL(rt_table_set(i, test_name("f"), 0, rt_extern_new(p.store, NULL)), ERR_INVALID);
    EQUAL(rt_table_size(i, test_name("e"), &n), ERR_OK);
    EQUAL(n, 3);
    CHECK(rt_type_is(c.type, ":i") && !rt_type_is(c.type, "i:i"));
    pair_close(&p);
}

static void brought(void) {
    struct pair p;
    struct rt_error e;
    struct wasm_table table = {.type = WASM_FUNCREF, .limits = {.min = 10, .max = 20, .has_max = true}};
    struct wasm_memory memory = {.limits = {.min = 1, .max = 2, .has_max = true}};
    pair_open(&p);
    EQUAL(rt_define_global(p.linker, "s", "g", p.store, WASM_I32, false, (union abi_value){.i32 = 666}), ERR_OK);
    EQUAL(rt_define_table(p.linker, "s", "t", p.store, &table), ERR_OK);
    EQUAL(rt_define_memory(p.linker, "s", "m", p.store, &memory), ERR_OK);
    EQUAL(add(&p,
              "(module (import \"s\" \"g\" (global i32)) (import \"s\" \"t\" (table 10 funcref))"
              " (import \"s\" \"m\" (memory 1)) (global i32 (i32.add (global.get 0) (i32.const 1)))"
              " (func (export \"g\") (result i32) (global.get 1)))", NULL, NULL, &e), ERR_OK);
    EQUAL(call(&p, 0, "g", 0, NULL), 667);
    struct rt_store *other;
    struct rt_instance *i;
    EQUAL(rt_store_new(T.engine, NULL, &other), ERR_OK);
    EQUAL(rt_instantiate(other, p.modules[0], p.linker, &i, NULL, &e), ERR_LINK);
    rt_store_free(other);
    pair_close(&p);
}

/* Everything once, as one operation that may fail anywhere. */
static enum err all_of_it(struct bytes a, struct bytes b) {
    struct rt_engine *e = T.engine;
    struct rt_store *s = NULL;
    struct rt_linker *l = NULL;
    struct rt_module *ma = NULL, *mb = NULL;
    struct rt_instance *ia, *ib;
    struct wasm_memory memory = {.limits = {.min = 1, .max = 2, .has_max = true}};
    enum err r;
    (void)((r = rt_store_new(e, NULL, &s)) || (r = rt_linker_new(e, &l)) ||
           (r = rt_define_func(l, "env", "now", ":I", host_id)) ||
           (r = rt_define_global(l, "s", "g", s, WASM_I32, true, (union abi_value){.i32 = 1})) ||
           (r = rt_define_memory(l, "s", "m", s, &memory)) ||
           (r = rt_module_load(e, a, NULL, &ma, NULL)) || (r = rt_module_load(e, b, NULL, &mb, NULL)) ||
           (r = rt_instantiate(s, ma, l, &ia, NULL, NULL)) ||
           (r = rt_define_instance(l, test_name("a"), ia)) ||
           (r = rt_instantiate(s, mb, l, &ib, NULL, NULL)));
    rt_store_free(s);
    rt_module_free(ma);
    rt_module_free(mb);
    rt_linker_free(l);
    rt_engine_trim(e); /* each time the same allocations */
    return r;
}

static void failures(void) {
    struct bytes a = wat(exporter), b = wat(importer);
    enum err r = ERR_NOMEM;
    size_t n;
    rt_engine_trim(T.engine);
    for (n = 1; r && n < 500; n++) {
        size_t spaces = T.spaces;
        test_engine_fail(&T, n);
        r = all_of_it(a, b);
        if (r) CHECK(r == ERR_NOMEM || r == ERR_TRAP);
        EQUAL(T.spaces, spaces);
    }
    EQUAL(r, ERR_OK);
    for (size_t k = 0; k < 8; k++) { /* while tearing down: cannot fail */
        size_t spaces = T.spaces;
        test_engine_fail(&T, n + k - 1);
        EQUAL(all_of_it(a, b), ERR_OK);
        EQUAL(T.spaces, spaces);
    }
    test_engine_fail(&T, 0);
    EQUAL(all_of_it(a, b), ERR_OK); /* leftovers of the map of code are gone */
    printf("rt_link: %zu places of failure\n", n - 2);
    free((void *)(uptr)a.p);
    free((void *)(uptr)b.p);
}

/* Bad bytes: an error with its place; nothing is left. */
static void refused(void) {
    static const struct {
        const char *bytes;
        size_t n;
        enum err e;
    } cases[] = {
        {"", 0, ERR_TRUNCATED},
        {"\0asm\1\0\0", 7, ERR_TRUNCATED},
        {"\0asm\2\0\0\0", 8, ERR_MALFORMED},
        {"\0asm\1\0\0\0\1\5", 10, ERR_TRUNCATED},
    };
    struct rt_module *m;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rt_error e = {0};
        enum err err = rt_module_load(T.engine, (struct bytes){(const u8 *)cases[i].bytes, cases[i].n}, NULL, &m, &e);
        CHECK(err == cases[i].e || err == ERR_MALFORMED);
        CHECK(e.code == err && e.text[0]);
    }
    struct rt_limits l = {.module_bytes = 4};
    EQUAL(rt_module_load(T.engine, test_name("12345"), &l, &m, NULL), ERR_LIMIT);
}

int main(void) {
    test_engine_open(&T);
    messages();
    sharing();
    trap_in_start();
    references();
    brought();
    refused();
    failures();
    test_engine_close(&T);
    return test_end("rt_link");
}
