/* Where code was when it trapped: by its own fault, in a helper, in a host
 * function, out of stack, in another instance, and stopped at any moment. */
#include <stdio.h>
#include <string.h>

#include "cli/host_rt.h"
#include "test/lib/engine.h"
#include "test/lib/test.h"

static struct test_engine T;

static u64 fail(struct abi_ctx *c) { return rt_raise(c, ABI_TRAP_HOST); }

static const char text[] =
    "(module (import \"env\" \"fail\" (func $fail)) (memory 1) (global $stack (mut i32) (i32.const 64)) (table 4 funcref) (elem (i32.const 0) $down $sum $fail)"
    " (type $v (func (param i32)))"
    " (func $load (param i32) (loop) (drop (i32.load offset=65536 (local.get 0))))"
    " (func $divide (param i32) (local i32 i32) (drop (i32.div_u (i32.const 1) (local.get 0))))"
    " (func $fill (param i32) (memory.fill (i32.const 65530) (i32.const 0) (i32.const 100)))"
    " (func $host (param i32) (call $fail))"
    " (func $never (param i32) unreachable)"
    " (func $endless (param i32) (call $endless (i32.add (local.get 0) (i32.const 1))) (drop (i32.load (i32.const 0))))"
    " (type $i (func (param i32) (result i32)))"
    " (func $sum (param i64 f32) (result i64) (local.get 0))"
    " (func $signature_mismatch:sum (param i32) (result i32) unreachable)"
    " (func $signature_mismatch:gone (param i32) unreachable)"
    " (func $undefined_weak:hook unreachable)"
    " (func (export \"prototype\") (drop (call $signature_mismatch:sum (i32.const 1))))"
    " (func (export \"going\") (call $signature_mismatch:gone (i32.const 1)))"
    " (func (export \"weak\") (call $undefined_weak:hook))"
    " (func (export \"pointer\") (drop (call_indirect (type $i) (i32.const 1) (i32.const 1))) (call_indirect (type $v) (i32.const 1) (i32.const 1)))"
    " (func (export \"pointer2\") (call_indirect (type $v) (i32.const 1) (i32.const 0)) (call_indirect (type $v) (i32.const 1) (i32.const 1))"
    "   (drop (call_indirect (type $i) (i32.const 1) (i32.const 1))))"
    " (func (export \"host pointer\") (call_indirect (type $v) (i32.const 1) (i32.const 2)))"
    " (func $down (param i32) (call $never (local.get 0)) (call $never (local.get 0)))"
    " (func (export \"load\") (call $load (i32.const 0)) (call $load (i32.const 0)))"
    " (func $peek (param i32) (drop (i32.load offset=65536 (local.get 0))))"
    " (func (export \"peeks\") (call $peek (i32.const 0)))"
    " (func (export \"divide\") (call $divide (i32.const 0)) (call $load (i32.const 0)))"
    " (func (export \"fill\") (call $fill (i32.const 0)) (call $load (i32.const 0)))"
    " (func (export \"host\") (call $host (i32.const 0)) (call $load (i32.const 0)))"
    " (func (export \"table\") (call_indirect (type $v) (i32.const 0) (i32.const 0)) (call $load (i32.const 0)))"
    " (func (export \"bounds\") (call_indirect (type $v) (i32.const 0) (i32.const 9)) (call $load (i32.const 0)))"
    " (func (export \"endless\") (call $endless (i32.const 0)) (call $load (i32.const 0)))"
    " (func (export \"frame\") (global.set $stack (i32.sub (global.get $stack) (i32.const 100))) (i32.store (global.get $stack) (i32.const 1)))"
    " (func $leaf (param i32 i32) (result i32) (loop) (i32.mul (i32.add (local.get 0) (i32.const 7)) (local.get 1)))"
    " (func $fib (param i32) (result i32) (if (i32.lt_u (local.get 0) (i32.const 2)) (then (return (call $leaf (local.get 0) (local.get 0)))))"
    "   (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))"
    " (func $top (export \"top\") (loop $l (drop (call $fib (i32.const 9))) (br $l))))";

/* "load < load": the names, the innermost first. */
static void names(const struct rt_store *s, char *out, size_t cap) {
    const struct rt_place *f;
    u32 n = rt_backtrace(s, &f);
    size_t len = 0;
    out[0] = 0;
    for (u32 k = 0; k < n && len < cap; k++) {
        char frame[160];
        rt_place_text(frame, sizeof frame, &f[k]);
        len += (size_t)snprintf(out + len, cap - len, "%s%.*s", k ? " < " : "", (int)strcspn(frame, ":"), frame);
    }
}

static void test_traps(struct test_run *r) {
    static const struct {
        const char *export;
        enum abi_trap trap;
        const char *names;
    } cases[] = {
        {"load", ABI_TRAP_MEMORY, "load < load"},
        {"peeks", ABI_TRAP_MEMORY, "peeks"}, /* a small leaf without a loop has no frame of its own */
        {"divide", ABI_TRAP_DIVIDE_BY_ZERO, "divide < divide"},
        {"fill", ABI_TRAP_MEMORY, "fill < fill"},
        {"host", ABI_TRAP_HOST, "host < host"},
        {"table", ABI_TRAP_UNREACHABLE, "never < down < table"},
        {"bounds", ABI_TRAP_TABLE, "bounds"},
    };
    char have[400];
    for (u32 k = 0; k < ARRAY_LEN(cases); k++) {
        union abi_value none[1];
        EQUAL(test_call(r, cases[k].export, none), cases[k].trap);
        names(r->store, have, sizeof have);
        EQUAL_TEXT(have, cases[k].names);
    }
}

static void test_why(struct test_run *r) {
    static const struct {
        const char *export;
        enum abi_trap trap;
        const char *why;
    } cases[] = {
        {"prototype", ABI_TRAP_UNREACHABLE, "sum is called as (i32) -> i32, but is (i64, f32) -> i64: a wrong prototype"},
        {"going", ABI_TRAP_UNREACHABLE, "gone is called as (i32) -> (), which is not its type: a wrong prototype"},
        {"weak", ABI_TRAP_UNREACHABLE, "hook is called, but was not there when the module was linked"},
        {"pointer", ABI_TRAP_INDIRECT_TYPE, "function 7 (sum) is called through a pointer as (i32) -> i32, but is (i64, f32) -> i64"},
        {"pointer2", ABI_TRAP_UNREACHABLE, ""},
        {"host pointer", ABI_TRAP_INDIRECT_TYPE, "a host function is called through a pointer as (i32) -> (), but is () -> ()"},
        {"load", ABI_TRAP_MEMORY, ""},
        {"frame", ABI_TRAP_MEMORY, "the stack in the program's memory is 36 bytes too small: link with -Wl,-z,stack-size=BYTES"},
    };
    char why[300];
    for (u32 k = 0; k < ARRAY_LEN(cases); k++) {
        union abi_value none[1];
        EQUAL(test_call(r, cases[k].export, none), cases[k].trap);
        EQUAL(rt_trap_why(r->store, cases[k].trap, why, sizeof why), strlen(cases[k].why));
        EQUAL_TEXT(why, cases[k].why);
    }
}

static void test_endless(struct test_run *r) {
    union abi_value none[1];
    const struct rt_place *f;
    char have[400];
    EQUAL(test_call(r, "endless", none), ABI_TRAP_STACK);
    EQUAL(rt_backtrace(r->store, &f), RT_PLACES);
    names(r->store, have, sizeof have);
    EQUAL_TEXT(have, "endless < endless < endless < endless < endless < endless < endless < endless < endless < endless"
                     " < endless < endless < endless < endless < endless < endless");
    EQUAL(f[1].at, f[2].at);
}

/* From wherever it was stopped, every frame up to the entry is there: on the way
 * into a function and out of it, too. */
static void test_stops(struct test_run *r) {
    u32 leaves = 0, whole = 0, stops = 400;
    for (u32 k = 0; k < stops; k++) {
        struct host_deadline d;
        union abi_value none[1];
        char have[400];
        EQUAL(host_deadline_start(&d, r->store, 20000 + 997 * k), ERR_OK);
        enum abi_trap trap = test_call(r, "top", none);
        host_deadline_end(&d);
        EQUAL(trap, ABI_TRAP_DEADLINE);
        names(r->store, have, sizeof have);
        size_t n = strlen(have);
        bool ended = n >= 3 && !strcmp(have + n - 3, "top");
        if (!ended) printf("stop %u: %s\n", k, have);
        whole += ended;
        leaves += !strncmp(have, "leaf < fib < fib", 16);
    }
    EQUAL(whole, stops);
    CHECK(leaves > 0);
}

/* The map of all code: in order, no overlap; each place in it is named as a backtrace names it. */
struct seen {
    u64 end;
    u32 count, named;
    bool leaf;
};
static void each(void *self, u64 at, u32 bytes, const char *name) {
    struct seen *s = self;
    char have[200];
    CHECK(at >= s->end && bytes > 0 && !strncmp(name, "wasm:", 5));
    CHECK(rt_code_text(T.engine, at + bytes - 1, have, sizeof have) > 0);
    bool function = !strncmp(name, "wasm:function ", 14);
    CHECK(!strncmp(have, name + 5, strlen(name + 5)));
    s->named += !function;
    s->leaf |= !strcmp(name, "wasm:leaf") && strstr(have, "leaf: function ");
    s->end = at + bytes;
    s->count++;
}
static void test_map(struct test_run *r) {
    struct seen s = {0};
    char have[100];
    rt_each_code(T.engine, each, &s);
    EQUAL(s.count, rt_module_info(r->module)->func_count - 1); /* but the imported one */
    CHECK(s.leaf && s.named > 10);
    CHECK(rt_code_text(T.engine, s.end + (64 << 20), have, sizeof have) == 0);
    CHECK(rt_code_text(T.engine, (u64)(uptr)test_map, have, sizeof have) == 0);
}

int main(void) {
    struct rt_linker *l;
    struct test_run r;
    test_engine_open(&T);
    EQUAL(host_rt_install(T.engine), ERR_OK);
    EQUAL(rt_linker_new(T.engine, &l), ERR_OK);
    EQUAL(rt_define_func(l, "env", "fail", ":", fail), ERR_OK);
    test_run_open(&T, &r, text, l, NULL);
    test_traps(&r);
    test_why(&r);
    test_endless(&r);
    test_stops(&r);
    test_map(&r);
    test_run_close(&r);
    rt_linker_free(l);
    test_engine_close(&T);
    return test_end("rt_backtrace");
}
