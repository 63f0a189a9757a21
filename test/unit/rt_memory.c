/* rt_memory.c: several memories, of every kind, against modules that try to
 * reach past one of them or into another. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/lib/engine.h"
#include "test/lib/test.h"
#include "test/lib/wat.h"

static struct test_engine T;

static u8 *memory_of(struct test_run *r, const char *name, u64 *bytes) {
    struct abi_memory m = {0};
    EQUAL(rt_find_memory(r->instance, test_name(name), &m), ERR_OK);
    if (bytes) *bytes = m.bytes;
    return m.base;
}

/* Stores to one memory at addresses that the other one has. */
static void apart(void) {
    static const u32 edges[] = {0, 65532, 65533, 65536, 131068, 131069, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff};
    struct test_run r;
    enum abi_trap t;
    u64 n0, n1;
    test_run_open(&T, &r,
                  "(module (memory (export \"a\") 2) (memory $b (export \"b\") 1)"
                  " (func (export \"put\") (param i32) (i32.store $b (local.get 0) (i32.const -1)))"
                  " (func (export \"mid\") (param i32) (i64.store $b offset=0x7ffffff0 (local.get 0) (i64.const -1)))"
                  " (func (export \"far\") (param i32) (i64.store $b offset=0xfffffffc (local.get 0) (i64.const -1))))",
                  NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
        test_call1(&r, "put", edges[i], &t);
        EQUAL(t, edges[i] <= 65532 ? ABI_TRAP_NONE : ABI_TRAP_MEMORY);
        test_call1(&r, "mid", edges[i], &t);
        EQUAL(t, ABI_TRAP_MEMORY);
        test_call1(&r, "far", edges[i], &t);
        EQUAL(t, ABI_TRAP_MEMORY);
    }
    const u8 *a = memory_of(&r, "a", &n0), *b = memory_of(&r, "b", &n1);
    EQUAL(n0, 131072);
    EQUAL(n1, 65536);
    for (u64 k = 0; k < n0; k++)
        if (a[k]) EQUAL(k, n0); /* nothing arrived in the other one */
    for (u64 k = 4; k < n1 - 4; k++)
        if (b[k]) EQUAL(k, n1);
    CHECK(b[0] == 0xff && b[3] == 0xff && b[65535] == 0xff && b[65532] == 0xff);
    test_run_close(&r);
}

/* A copy whose far end is out of bounds in one of the two writes nothing. */
static void copies(void) {
    struct test_run r;
    u64 n;
    test_run_open(&T, &r,
                  "(module (memory (export \"a\") 1) (memory $b (export \"b\") 2) (data $d \"xyz\")"
                  " (func (export \"ab\") (param i32 i32 i32) (memory.copy 1 0 (local.get 0) (local.get 1) (local.get 2)))"
                  " (func (export \"ba\") (param i32 i32 i32) (memory.copy 0 1 (local.get 0) (local.get 1) (local.get 2)))"
                  " (func (export \"fill\") (param i32 i32 i32) (memory.fill $b (local.get 0) (local.get 1) (local.get 2)))"
                  " (func (export \"init\") (param i32 i32 i32) (memory.init $b $d (local.get 0) (local.get 1) (local.get 2))))",
                  NULL, NULL);
    static const struct {
        const char *name;
        u32 to, from, n;
        enum abi_trap trap;
    } rows[] = {
        {"ab", 0, 0, 65536, ABI_TRAP_NONE},     {"ab", 0, 1, 65536, ABI_TRAP_MEMORY},
        {"ab", 65536, 0, 65536, ABI_TRAP_NONE}, {"ab", 65537, 0, 65536, ABI_TRAP_MEMORY},
        {"ba", 0, 0, 65537, ABI_TRAP_MEMORY},   {"ba", 0, 65536, 65536, ABI_TRAP_NONE},
        {"ba", 0, 65537, 65536, ABI_TRAP_MEMORY}, {"ba", 65536, 131072, 0, ABI_TRAP_NONE},
        {"ba", 65537, 0, 0, ABI_TRAP_MEMORY},   {"ab", 0xffffffff, 0, 2, ABI_TRAP_MEMORY},
        {"ab", 1, 0xffffffff, 1, ABI_TRAP_MEMORY}, {"ab", 1, 1, 0xffffffff, ABI_TRAP_MEMORY},
        {"fill", 131072, 7, 0, ABI_TRAP_NONE},  {"fill", 131071, 7, 2, ABI_TRAP_MEMORY},
        {"init", 131069, 0, 3, ABI_TRAP_NONE},  {"init", 131070, 0, 3, ABI_TRAP_MEMORY},
        {"init", 0, 1, 3, ABI_TRAP_MEMORY},     {"init", 0, 0xffffffff, 2, ABI_TRAP_MEMORY},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        u8 *a = memory_of(&r, "a", &n);
        memset(a, 1, n);
        u8 *b = memory_of(&r, "b", &n);
        memset(b, 2, n);
        union abi_value v[3] = {{.i32 = rows[i].to}, {.i32 = rows[i].from}, {.i32 = rows[i].n}};
        EQUAL(test_call(&r, rows[i].name, v), rows[i].trap);
        for (u64 k = 0; rows[i].trap && k < 65536; k++)
            if (a[k] != 1 || b[k] != 2 || b[65536 + k] != 2) EQUAL(k, i);
    }
    test_run_close(&r);
}

/* Both grow while a loop goes on writing: bases stay, new pages are there. */
static void growing(void) {
    struct rt_limits limits = {.memory_bytes = 20 << 16};
    struct test_run r;
    enum abi_trap t;
    u64 n;
    test_run_open(&T, &r,
                  "(module (memory (export \"a\") 1 50) (memory $b (export \"b\") 1 50)"
                  " (func (export \"run\") (param i32) (result i32) (local i32)"
                  "  (loop $l"
                  "   (i32.store $b (i32.sub (i32.mul (memory.size $b) (i32.const 65536)) (i32.const 4)) (local.get 1))"
                  "   (i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)) (local.get 1))"
                  "   (if (i32.and (local.get 1) (i32.const 1))"
                  "    (then (drop (memory.grow (i32.const 1)))) (else (drop (memory.grow $b (i32.const 1)))))"
                  "   (br_if $l (i32.ne (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (local.get 0))))"
                  "  (i32.add (memory.size) (i32.mul (i32.const 100) (memory.size $b)))))",
                  NULL, &limits);
    const u8 *a = memory_of(&r, "a", NULL), *b = memory_of(&r, "b", NULL);
    EQUAL(test_call1(&r, "run", 40, &t), 10 + 100 * 10); /* 20 pages in all */
    EQUAL(t, ABI_TRAP_NONE);
    CHECK(memory_of(&r, "a", &n) == a && n == 10 << 16);
    CHECK(memory_of(&r, "b", &n) == b && n == 10 << 16);
    EQUAL(b[(10 << 16) - 4], 39);
    test_run_close(&r);
}

/* A stop while pages are made: what there is by then is the memory's, and no more. */
static void stopped(void) {
    struct rt_limits limits = {.memory_bytes = 20 << 16};
    struct test_run r;
    enum abi_trap t;
    test_run_open(&T, &r,
                  "(module (memory 1)"
                  " (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))"
                  " (func (export \"get\") (param i32) (result i32) (i32.load (local.get 0)))"
                  " (func (export \"size\") (param i32) (result i32) (memory.size)))",
                  NULL, &limits);
    T.stop_after = 3 << 16;
    test_call1(&r, "grow", 10, &t);
    EQUAL(t, ABI_TRAP_DEADLINE);
    EQUAL(test_call1(&r, "size", 0, NULL), 4);
    EQUAL(rt_store_memory(r.store), 4 << 16);
    EQUAL(test_call1(&r, "get", (4 << 16) - 4, NULL), 0);
    test_call1(&r, "get", (4 << 16) - 3, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
    EQUAL(test_call1(&r, "grow", 3, &t), 4); /* not more than one part */
    EQUAL(t, ABI_TRAP_NONE);
    T.stop_after = 0;
    EQUAL(test_call1(&r, "grow", 14, NULL), UINT32_MAX);
    EQUAL(test_call1(&r, "grow", 13, NULL), 7);
    EQUAL(rt_store_memory(r.store), 20 << 16);
    test_run_close(&r);
}

static enum err try_load(const char *text, const struct rt_limits *limits) {
    struct bytes b = wat(text);
    struct rt_store *s;
    struct rt_module *m = NULL;
    struct rt_instance *i;
    struct rt_error e = {0};
    EQUAL(rt_store_new(T.engine, limits, &s), ERR_OK);
    enum err err = rt_module_load(T.engine, b, limits, &m, &e);
    if (!err) err = rt_instantiate(s, m, NULL, &i, NULL, &e);
    rt_store_free(s);
    rt_module_free(m);
    free((void *)(uptr)b.p);
    return err;
}

static void bombs(void) {
    struct rt_limits small = {.memory_bytes = 1 << 20};
    char text[4000], *p = text;
    p += sprintf(p, "(module");
    for (u32 i = 0; i < WASM_MAX_MEMORIES; i++) p += sprintf(p, "(memory 0)");
    sprintf(p, ")");
    EQUAL(try_load(text, &small), ERR_OK);
    sprintf(p, "(memory 0))");
    EQUAL(try_load(text, &small), ERR_LIMIT);
    EQUAL(try_load("(module (memory 8) (memory 8))", &small), ERR_OK);
    EQUAL(try_load("(module (memory 8) (memory 9))", &small), ERR_LIMIT); /* together */
}

/* What a 64-bit access of n bytes at index + offset must do. */
static enum abi_trap reaches(u64 index, u64 offset, u64 n, u64 bytes) {
    unsigned __int128 end = (unsigned __int128)index + offset + n;
    return end <= bytes ? ABI_TRAP_NONE : ABI_TRAP_MEMORY;
}

static void open_binary(struct test_run *r, struct bytes b) {
    struct rt_error e = {0};
    EQUAL(rt_store_new(T.engine, NULL, &r->store), ERR_OK);
    EQUAL(rt_module_load(T.engine, b, NULL, &r->module, &e), ERR_OK);
    EQUAL(rt_instantiate(r->store, r->module, NULL, &r->instance, NULL, &e), ERR_OK);
}

static u8 *leb(u8 *p, u64 v) {
    for (; v >= 0x80; v >>= 7) *p++ = (u8)(v | 0x80);
    *p++ = (u8)v;
    return p;
}

/* A body of (op 0x40|align memory offset (local.get 0)...), its length before it. */
static u8 *body(u8 *p, u8 op, u8 memory, u64 offset, bool stores) {
    u8 *size = p++;
    *p++ = 0, *p++ = 0x20, *p++ = 0;
    if (stores) *p++ = 0x42, *p++ = 1;
    *p++ = op, *p++ = 0x40, *p++ = memory;
    p = leb(p, offset);
    *p++ = 0x0b;
    *size = (u8)(p - size - 1);
    return p;
}

/* a8: i64.load of memory 0; b1: i32.load8_u of memory 1; c8: i64.store to it.
 * wabt's offsets end at 2^32. */
static struct bytes wide_module(u8 *out, u64 offset) {
    static const u8 head[] = "\0asm\1\0\0\0\1\x0f\3\x60\1\x7e\1\x7e\x60\1\x7e\1\x7f\x60\1\x7e\0\3\4\3\0\1\2\5\5\2\4\1\4\1"
                             "\7\x10\3\2\x61" "8\0\0\2\x62" "1\0\1\2\x63" "8\0\2\xa";
    memcpy(out, head, sizeof head - 1);
    u8 *size = out + sizeof head - 1, *p = size + 1;
    *p++ = 3;
    p = body(p, 0x29, 0, offset, false);
    p = body(p, 0x2d, 1, offset, false);
    p = body(p, 0x37, 1, offset, true);
    *size = (u8)(p - size - 1);
    return (struct bytes){out, (size_t)(p - out)};
}

static const u64 wide_edges[] = {0, 1, 8, 65528, 65529, 65535, 65536, 0x7ffffff7, 0x7fffffff, 0x80000000, 0xfffffff8,
                                 0xffffffff, 0x100000000, 0x100000008, 0x1fffffff8, 0x200000000, INT64_MAX, 1ull << 63, UINT64_MAX - 65535,
                                 UINT64_MAX - 8, UINT64_MAX - 7, UINT64_MAX - 6, UINT64_MAX};

/* Sums that pass 2^32, 2^63 and 2^64. */
static void wide_sums(void) {
    for (size_t k = 0; k < ARRAY_LEN(wide_edges); k++) {
        struct test_run r;
        enum abi_trap t;
        u8 binary[200];
        open_binary(&r, wide_module(binary, wide_edges[k]));
        for (size_t i = 0; i < ARRAY_LEN(wide_edges); i++) {
            test_call1(&r, "a8", wide_edges[i], &t);
            EQUAL(t, reaches(wide_edges[i], wide_edges[k], 8, 65536));
            test_call1(&r, "b1", wide_edges[i], &t);
            EQUAL(t, reaches(wide_edges[i], wide_edges[k], 1, 65536));
            test_call1(&r, "c8", wide_edges[i], &t);
            EQUAL(t, reaches(wide_edges[i], wide_edges[k], 8, 65536));
        }
        test_run_close(&r);
    }
}

static void wide_constants(void) {
    for (size_t k = 0; k < ARRAY_LEN(wide_edges); k++) {
        struct test_run r;
        enum abi_trap t;
        char text[200];
        snprintf(text, sizeof text, "(module (memory 1) (memory $b i64 1) (func (export \"run\") (result i64)"
                 " (i64.load $b offset=8 (i64.const %llu))))", (unsigned long long)wide_edges[k]);
        test_run_open(&T, &r, text, NULL, NULL);
        test_call1(&r, "run", 0, &t);
        EQUAL(t, reaches(wide_edges[k], 8, 8, 65536));
        test_run_close(&r);
    }
}

/* Declared sizes that no machine has, growth up to a limit, and in place. */
static void wide_sizes(void) {
    struct rt_limits small = {.memory_bytes = 1 << 20};
    struct test_run r;
    EQUAL(try_load("(module (memory i64 0 0x1000000000000))", &small), ERR_OK);
    EQUAL(try_load("(module (memory i64 17))", &small), ERR_LIMIT);
    EQUAL(try_load("(module (memory i64 0x1000000000000))", NULL), ERR_LIMIT);
    EQUAL(try_load("(module (memory i64 0x40000001))", NULL), ERR_LIMIT); /* 64 TiB and a page */
    test_run_open(&T, &r,
                  "(module (memory (export \"m\") i64 1)"
                  " (func (export \"grow\") (param i64) (result i64) (memory.grow (local.get 0)))"
                  " (func (export \"put\") (param i64) (i64.store (local.get 0) (i64.const -1))))",
                  NULL, &small);
    static const u64 deltas[] = {0xffff, 0x10000, 1ull << 48, (1ull << 48) - 1, 1ull << 63, UINT64_MAX, 16};
    const u8 *base = memory_of(&r, "m", NULL);
    for (size_t i = 0; i < ARRAY_LEN(deltas); i++) {
        union abi_value v = {.i64 = deltas[i]};
        EQUAL(test_call(&r, "grow", &v), ABI_TRAP_NONE);
        EQUAL(v.i64, UINT64_MAX);
    }
    enum abi_trap t;
    EQUAL(test_call1(&r, "grow", 15, NULL), 1);
    CHECK(memory_of(&r, "m", NULL) == base);
    test_call1(&r, "put", (1 << 20) - 8, &t);
    EQUAL(t, ABI_TRAP_NONE);
    test_call1(&r, "put", (1 << 20) - 7, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
    test_run_close(&r);
}

/* Counts and addresses whose sum is 0 in 64 bits; a 32-bit count of a mixed copy. */
static void wide_bulk(void) {
    struct test_run r;
    test_run_open(&T, &r,
                  "(module (memory $w i64 1) (memory $n 1)"
                  " (func (export \"fill\") (param i64 i64) (memory.fill $w (local.get 0) (i32.const 7) (local.get 1)))"
                  " (func (export \"copy\") (param i64 i64) (memory.copy $w $w (local.get 0) (i64.const 1) (local.get 1)))"
                  " (func (export \"from\") (param i64 i64) (memory.copy $w $w (i64.const 1) (local.get 0) (local.get 1))))",
                  NULL, NULL);
    static const u64 rows[][2] = {{1, UINT64_MAX}, {UINT64_MAX, 1}, {UINT64_MAX, 2}, {1ull << 63, 1ull << 63}, {0x100000000, 1},
                                  {0, 0x100000000}, {65536, 1}, {0, 65537}, {UINT64_MAX, 0}, {65537, 0}};
    static const char *const names[] = {"fill", "copy", "from"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t k = 0; k < ARRAY_LEN(names); k++) {
            union abi_value v[2] = {{.i64 = rows[i][0]}, {.i64 = rows[i][1]}};
            EQUAL(test_call(&r, names[k], v), ABI_TRAP_MEMORY);
        }
    test_run_close(&r);
}

/* A table with 64-bit indices of one element (wabt has no syntax for it): the
 * index is never cut to 32 bits. */
static void wide_table(void) {
    static const u8 binary[] = "\0asm\1\0\0\0\1\x0a\2\x60\0\1\x7f\x60\1\x7e\1\x7f\3\4\3\0\1\1\4\5\1\x70\5\1\2"
                               "\7\x0d\2\3run\0\1\3get\0\2\x09\7\1\0\x42\0\x0b\1\0"
                               "\xa\x16\3\4\0\x41\7\x0b\7\0\x20\0\x11\0\0\x0b\7\0\x20\0\x25\0\xd1\x0b";
    struct test_run r;
    enum abi_trap t;
    open_binary(&r, (struct bytes){binary, sizeof binary - 1});
    EQUAL(test_call1(&r, "run", 0, NULL), 7);
    EQUAL(test_call1(&r, "get", 0, NULL), 0);
    static const u64 beyond[] = {1, 0x100000000, 0x8000000000000000, 0x1000000000000000, UINT64_MAX};
    for (size_t i = 0; i < ARRAY_LEN(beyond); i++) {
        test_call1(&r, "run", beyond[i], &t);
        EQUAL(t, ABI_TRAP_TABLE);
        test_call1(&r, "get", beyond[i], &t);
        EQUAL(t, ABI_TRAP_TABLE_BOUNDS);
    }
    test_run_close(&r);
}

/* (memory 3 1000000 (pagesize 1)) and a second one of 32 bits behind it in the
 * file (wabt has no syntax for it): every byte has its own bound. */
static void bytewise(void) {
    static const u8 binary[] = "\0asm\1\0\0\0\1\x0f\3\x60\1\x7f\1\x7f\x60\1\x7f\1\x7e\x60\1\x7f\0\3\5\4\0\0\1\2"
                               "\5\7\1\x09\3\xc0\x84\x3d\0\7\x1b\5\1m\2\0\4grow\0\0\2l1\0\1\2l8\0\2\2s4\0\3"
                               "\xa\x22\4\6\0\x20\0\x40\0\x0b\7\0\x20\0\x2d\0\0\x0b\7\0\x20\0\x29\0\0\x0b"
                               "\x09\0\x20\0\x41\1\x36\0\0\x0b";
    static const u32 sizes[] = {3, 4, 8, 4095, 4096, 4097, 65535, 65536, 65537, 999999, 1000000};
    struct test_run r;
    enum abi_trap t;
    u64 n;
    open_binary(&r, (struct bytes){binary, sizeof binary - 1});
    for (size_t i = 0, size = 3; i < ARRAY_LEN(sizes); size = sizes[i++]) {
        EQUAL(test_call1(&r, "grow", sizes[i] - size, NULL), size);
        memory_of(&r, "m", &n);
        EQUAL(n, sizes[i]);
        for (u32 at = sizes[i] > 9 ? sizes[i] - 9 : 0; at < sizes[i] + 2; at++) {
            test_call1(&r, "l1", at, &t);
            EQUAL(t, reaches(at, 0, 1, n));
            test_call1(&r, "l8", at, &t);
            EQUAL(t, reaches(at, 0, 8, n));
            test_call1(&r, "s4", at, &t);
            EQUAL(t, reaches(at, 0, 4, n));
        }
        test_call1(&r, "l1", 0xffffffff, &t);
        EQUAL(t, ABI_TRAP_MEMORY);
    }
    EQUAL(test_call1(&r, "grow", 1, NULL), UINT32_MAX);
    test_run_close(&r);
}

/* One memory under two names: growing either grows both. */
static void twice(void) {
    struct bytes b = wat("(module (import \"e\" \"m\" (memory 1)) (import \"e\" \"m\" (memory $b 1))"
                         " (func (export \"run\") (param i32) (result i32)"
                         "  (drop (memory.grow $b (local.get 0)))"
                         "  (i32.store $b offset=65536 (i32.const 0) (i32.const 7))"
                         "  (i32.add (i32.load offset=65536 (i32.const 0)) (i32.shl (memory.size) (i32.const 8)))))");
    struct wasm_memory type = {.limits = {.min = 1, .max = 10, .has_max = true}};
    struct test_run r;
    struct rt_linker *l;
    EQUAL(rt_store_new(T.engine, NULL, &r.store), ERR_OK);
    EQUAL(rt_linker_new(T.engine, &l), ERR_OK);
    EQUAL(rt_define_memory(l, "e", "m", r.store, &type), ERR_OK);
    EQUAL(rt_module_load(T.engine, b, NULL, &r.module, NULL), ERR_OK);
    EQUAL(rt_instantiate(r.store, r.module, l, &r.instance, NULL, NULL), ERR_OK);
    EQUAL(test_call1(&r, "run", 2, NULL), 7 + (3 << 8));
    rt_instance_free(r.instance);
    rt_module_free(r.module);
    rt_store_free(r.store);
    rt_linker_free(l);
    free((void *)(uptr)b.p);
}

/* Sixteen megabytes of address space at once: memories grow up to that. */
static void narrow(void) {
    struct test_run r;
    enum abi_trap t;
    test_engine_open_narrow(&T, 16 << 20);
    test_run_open(&T, &r, "(module (memory 1) (memory i64 2) (memory 1 3)"
                  " (func (export \"a\") (param i32) (result i32) (memory.grow (local.get 0)))"
                  " (func (export \"b\") (param i64) (result i64) (memory.grow 1 (local.get 0)))"
                  " (func (export \"c\") (param i32) (result i32) (memory.grow 2 (local.get 0)))"
                  " (func (export \"put\") (param i32) (i64.store offset=8 (local.get 0) (i64.const 1))))",
                  NULL, NULL);
    test_call1(&r, "put", 65521, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
    EQUAL(test_call1(&r, "a", 256, NULL), UINT32_MAX);
    EQUAL(test_call1(&r, "a", 255, NULL), 1);
    EQUAL(test_call1(&r, "b", 255, NULL), UINT32_MAX);
    EQUAL(test_call1(&r, "b", 254, NULL), 2);
    EQUAL(test_call1(&r, "c", 3, NULL), UINT32_MAX);
    EQUAL(test_call1(&r, "c", 2, NULL), 1);
    test_call1(&r, "put", (16 << 20) - 16, &t);
    EQUAL(t, ABI_TRAP_NONE);
    test_call1(&r, "put", (16 << 20) - 15, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
    test_run_close(&r);
    EQUAL(try_load("(module (memory 257))", NULL), ERR_NOMEM);
    test_engine_close(&T);
}

int main(void) {
    narrow();
    for (u32 checked = 0; checked < 2; checked++) {
        if (checked) test_engine_open_checked(&T);
        else test_engine_open(&T);
        apart();
        copies();
        growing();
        stopped();
        bombs();
        twice();
        wide_sums();
        wide_constants();
        wide_sizes();
        wide_bulk();
        wide_table();
        bytewise();
        test_engine_close(&T);
    }
    return test_end("rt_memory");
}
