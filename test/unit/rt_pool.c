/* Windows that are used again: clean, of the right size, and given back when
 * memory is short or the engine goes. */
#include <stdio.h>

#include "rt/internal.h"
#include "test/lib/engine.h"
#include "test/lib/test.h"
#include "test/lib/wat.h"

static struct test_engine T;

static const char text[] =
    "(module (memory 1 8)"
    " (func (export \"fill\") (param i32) (result i32) (local $p i32)"
    "  (loop $l (i32.store (local.get $p) (local.get 0))"
    "   (br_if $l (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 4))) (i32.shl (memory.size) (i32.const 16)))))"
    "  (memory.size))"
    " (func (export \"any\") (param i32) (result i32) (local $p i32) (local $or i32)"
    "  (loop $l (local.set $or (i32.or (local.get $or) (i32.load (local.get $p))))"
    "   (br_if $l (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 4))) (i32.shl (memory.size) (i32.const 16)))))"
    "  (local.get $or))"
    " (func (export \"load\") (param i32) (result i32) (i32.load (local.get 0)))"
    " (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0))))";

static u32 kept(void) { return T.engine->pool.count; }

/* Life after life: what the last one wrote is not there, nor what it grew to. */
static void clean(void) {
    struct test_run r;
    enum abi_trap t;
    for (u32 k = 0; k < 20; k++) {
        u32 pages = k % 5;
        test_run_open(&T, &r, text, NULL, NULL);
        EQUAL(test_call1(&r, "any", 0, NULL), 0);
        test_call1(&r, "load", 65532, &t);
        EQUAL(t, ABI_TRAP_NONE);
        test_call1(&r, "load", 65533, &t);
        EQUAL(t, ABI_TRAP_MEMORY);
        test_call1(&r, "load", 0xffffffff, &t);
        EQUAL(t, ABI_TRAP_MEMORY);
        EQUAL(test_call1(&r, "grow", pages, NULL), 1);
        EQUAL(test_call1(&r, "any", 0, NULL), 0);
        EQUAL(test_call1(&r, "fill", 0xa5a5a5a5, NULL), 1 + pages);
        EQUAL(test_call1(&r, "any", 0, NULL), 0xa5a5a5a5);
        test_call1(&r, "load", (1 + pages) * 65536, &t);
        EQUAL(t, ABI_TRAP_MEMORY);
        test_run_close(&r);
        CHECK(kept() > 0);
    }
    EQUAL(T.engine->pool.bytes % 65536, 0);
}

/* The very window comes again. */
static void same(void) {
    struct test_run r;
    test_run_open(&T, &r, text, NULL, NULL);
    u8 *first = rt_instance_ctx(r.instance)->mem_base;
    test_run_close(&r);
    size_t spaces = T.spaces;
    test_run_open(&T, &r, text, NULL, NULL);
    CHECK(rt_instance_ctx(r.instance)->mem_base == first);
    test_run_close(&r);
    EQUAL(T.spaces, spaces);
}

/* More at once than it keeps. */
static void bounded(void) {
    enum { MANY = 80 };
    static struct test_run runs[MANY];
    for (u32 k = 0; k < MANY; k++) test_run_open(&T, &runs[k], text, NULL, NULL);
    for (u32 k = 0; k < MANY; k++) {
        EQUAL(test_call1(&runs[k], "any", 0, NULL), 0);
        test_run_close(&runs[k]);
        CHECK(kept() <= ARRAY_LEN(T.engine->pool.kept) && T.engine->pool.bytes <= 4 << 20);
    }
    CHECK(kept() >= 32);
}

/* No address space: what is kept goes, and a window is there. */
static void short_of_memory(void) {
    struct rt_limits limits = {.memory_bytes = 1 << 24};
    struct wasm_memory large = {.limits = {.min = 5, .max = 5, .has_max = true}} /* larger than what is kept */;
    struct rt_store *s;
    struct rt_memory *m;
    CHECK(kept() > 0);
    EQUAL(rt_store_new(T.engine, &limits, &s), ERR_OK);
    size_t spaces = T.spaces;
    test_engine_fail(&T, 2); /* the struct is the first, the window the second */
    EQUAL(rt_memory_new(s, &large, &m), ERR_OK);
    test_engine_fail(&T, 0);
    EQUAL(kept(), 0);
    CHECK(T.spaces < spaces);
    rt_store_free(s);
    EQUAL(kept(), 0);
}

int main(void) {
    test_engine_open(&T);
    clean();
    same();
    bounded();
    short_of_memory();
    test_engine_close(&T);
    return test_end("rt_pool");
}
