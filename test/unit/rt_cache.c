/* rt/cache.c: code that was kept gives what compiled code gives, in another engine, too;
 * whatever else the cache gives costs a compile, and nothing more. */
#include <stdlib.h>
#include <string.h>

#include "base/blake2b.h"
#include "cli/host_rt.h"
#include "jit/jit.h"
#include "test/lib/engine.h"
#include "test/lib/test.h"
#include "test/lib/wat.h"

/* Of a blob (cache.c, struct head). */
enum { MAGIC_AT = 0, KEY_AT = 8, SUM_AT = 40, WORDS_AT = 72, TABLES_AT = 124 };
enum { SIZE, CODE_END, GLUE_START, GLUE_END, TRAP_EXIT, CROSS_RETURN, FUNCS, TYPES, TRAPS, SITES, CATCHES, POINTS, USES };

/* A cache of one entry that tells what it was asked. */
static struct {
    struct bytes blob;
    u8 key[RT_KEY_BYTES];
    u32 finds, dones, keeps;
    bool any; /* give it for every key */
} C;

static struct bytes find(void *self, const u8 *key) {
    C.finds++;
    return C.any || (C.blob.n && !memcmp(key, C.key, sizeof C.key)) ? C.blob : (struct bytes){NULL, 0};
}
static void done(void *self, struct bytes found) { C.dones++; }
static void keep(void *self, const u8 *key, struct bytes code) {
    free((void *)(uptr)C.blob.p);
    u8 *p = malloc(code.n);
    memcpy(p, code.p, code.n);
    C.blob = (struct bytes){p, code.n};
    memcpy(C.key, key, sizeof C.key);
    C.keeps++;
}
static const struct rt_cache cache = {0, find, done, keep, NULL};

static struct test_engine T;

static void engine_open(u32 other_cpu, bool checked) {
    if (checked) test_engine_open_checked(&T);
    else test_engine_open(&T);
    rt_engine_free(T.engine);
    T.host.cache = &cache;
    T.host.cpu ^= other_cpu;
    if (rt_engine_init(&T.engine, &T.host) || host_rt_install(T.engine)) abort();
}

/* Calls, traps, memories, tables, types, switches, floats, exceptions, a host function. */
static const char text[] =
    "(module (type $ii (func (param i32) (result i32))) (type $d (func (param f64) (result f64)))"
    " (import \"env\" \"twice\" (func $twice (type $ii))) (memory 1 3) (tag $e (param i32))"
    " (table 4 funcref) (table $b 2 funcref) (table $c 2 funcref) (table $d 2 funcref)"
    " (elem (i32.const 0) $inc $twice $half $deep)"
    " (func $inc (export \"inc\") (type $ii) (i32.add (local.get 0) (i32.const 1)))"
    " (func $half (export \"half\") (type $d) (f64.mul (local.get 0) (f64.const 0.5)))"
    " (func $deep (export \"deep\") (type $ii) (if (result i32) (local.get 0)"
    "   (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))) (else (i32.load (i32.const 65533)))))"
    " (func (export \"via\") (type $ii) (call_indirect (type $ii) (i32.const 20) (local.get 0)))"
    " (func (export \"div\") (type $ii) (i32.div_s (i32.const 7) (local.get 0)))"
    " (func (export \"poke\") (type $ii) (i32.store (local.get 0) (i32.const 77)) (i32.load (local.get 0)))"
    " (func (export \"grow\") (type $ii) (memory.grow (local.get 0)))"
    " (func (export \"tables\") (type $ii) (table.grow $d (ref.null func) (local.get 0)))"
    " (func (export \"pick\") (type $ii) (block $z (block $y (block $x (br_table $x $y $x $z (local.get 0)))"
    "   (return (i32.const 10))) (return (i32.const 11))) (i32.const 12))"
    " (func $throws (param i32) (throw $e (local.get 0)))"
    " (func $hidden (param f32 i64))"
    " (func (export \"refs\") (type $ii) (table.set $b (i32.const 0) (ref.func $sum)) (call $hidden (f32.const 0) (i64.const 0)) (local.get 0))"
    " (func (export \"caught\") (type $ii) (block $h (result i32) (try_table (catch $e $h) (call $throws (local.get 0))) (i32.const 1)))"
    " (func $sum (export \"sum\") (type $ii) (local i32) (loop $l (local.set 1 (i32.add (local.get 1) (local.get 0)))"
    "   (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 1)))";

static struct bytes module;

static u64 twice(struct abi_ctx *c, u32 x) { return 2 * x; }

/* Everything that a call shows, one number after another. */
static void try_all(struct test_run *r, u64 *out) {
    static const struct {
        const char *name;
        u64 arg;
    } calls[] = {{"inc", 41}, {"half", 0x4010000000000000}, {"deep", 3}, {"via", 0}, {"via", 1}, {"via", 2}, {"via", 9},
                 {"via", 3}, {"div", 0}, {"div", 2}, {"poke", 1000}, {"poke", 65533}, {"grow", 2}, {"grow", 9}, {"tables", 5},
                 {"pick", 0}, {"pick", 1}, {"pick", 3}, {"caught", 33}, {"sum", 100}, {"refs", 6}};
    for (u32 k = 0; k < ARRAY_LEN(calls); k++) {
        union abi_value v[2] = {{.i64 = calls[k].arg}};
        const struct rt_place *places;
        enum abi_trap t = test_call(r, calls[k].name, v);
        *out++ = t;
        *out++ = t ? 0 : v[0].i64;
        u32 n = t ? rt_backtrace(r->store, &places) : 0;
        *out++ = n;
        for (u32 i = 0; i < 4; i++) *out++ = i < n ? (u64)places[i].func << 32 | places[i].at : 0;
    }
}
enum { TABLES_CALL = 14, REFS_CALL = 20, SEEN = 21 * 7 };

/* Loads; the answer: was it found? In out, unless NULL, what it does. */
static bool load(struct bytes b, u64 *out) {
    struct test_run r;
    struct rt_linker *l;
    struct rt_error e = {0};
    if (rt_store_new(T.engine, NULL, &r.store) || rt_linker_new(T.engine, &l)) abort();
    EQUAL(rt_define_func(l, "env", "twice", "i:i", (void *)(uptr)twice), ERR_OK);
    enum err err = rt_module_load(T.engine, b, NULL, &r.module, &e);
    EQUAL(err, ERR_OK);
    if (err) return false;
    EQUAL(rt_instantiate(r.store, r.module, l, &r.instance, NULL, &e), ERR_OK);
    bool found = rt_module_cached(r.module);
    if (out) try_all(&r, out);
    test_run_close(&r);
    rt_linker_free(l);
    return found;
}

static struct bytes kept; /* what keep got when the module was compiled */
static u64 compiled[SEEN];

static struct bytes copy_of(struct bytes b) {
    u8 *p = malloc(b.n);
    memcpy(p, b.p, b.n);
    return (struct bytes){p, b.n};
}

static void round_trip(bool checked) {
    u64 found[SEEN];
    engine_open(0, checked);
    C.keeps = C.finds = C.dones = 0;
    CHECK(!load(module, compiled));
    EQUAL(C.keeps, 1);
    EQUAL(C.finds, 1);
    EQUAL(C.dones, 0);
    CHECK(load(module, found));
    EQUAL(C.keeps, 1);
    EQUAL(C.dones, 1);
    CHECK(!memcmp(compiled, found, sizeof found));
    test_engine_close(&T);
}

/* Where types have other ids, it is the same blob, and the same results. */
static void other_engine(void) {
    u64 found[SEEN];
    struct bytes before = wat("(module (func (param f32 f32 i64)) (func (param i64 f32)) (func (param f32) (result i64) unreachable))");
    engine_open(0, false);
    C.keeps = 0;
    CHECK(!load(before, NULL));
    EQUAL(C.keeps, 1);
    free((void *)(uptr)C.blob.p);
    C.blob = (struct bytes){NULL, 0};
    CHECK(!load(module, NULL));
    EQUAL(C.blob.n, kept.n);
    CHECK(C.blob.n == kept.n && !memcmp(C.blob.p, kept.p, kept.n));
    struct rt_module *holds_ids;
    EQUAL(rt_module_load(T.engine, before, NULL, &holds_ids, NULL), ERR_OK);
    free((void *)(uptr)C.blob.p);
    C.blob = copy_of(kept);
    memcpy(C.key, kept.p + KEY_AT, sizeof C.key);
    CHECK(load(module, found));
    CHECK(!memcmp(compiled, found, sizeof found));
    rt_module_free(holds_ids);
    free((void *)(uptr)before.p);
    test_engine_close(&T);
}

static bool offer(struct bytes blob, u64 *out) {
    free((void *)(uptr)C.blob.p);
    C.blob = copy_of(blob);
    C.any = true;
    bool found = load(module, out);
    C.any = false;
    return found;
}

/* Another CPU, another way to check memory, another module: other keys. */
static void other_keys(void) {
    struct bytes other = wat("(module (func (export \"f\") (result i32) (i32.const 5)))");
    engine_open(JIT_CPU_FMA, false); /* with or without, which changes nothing in this module's code */
    CHECK(!offer(kept, NULL));
    test_engine_close(&T);
    engine_open(0, true);
    CHECK(!offer(kept, NULL));
    test_engine_close(&T);
    engine_open(0, false);
    CHECK(!load(other, NULL));
    struct bytes others = copy_of(C.blob);
    CHECK(!offer(others, NULL));
    free((void *)(uptr)others.p);
    free((void *)(uptr)other.p);
    test_engine_close(&T);
}

static void sign(u8 *p, size_t n) {
    struct blake2b b;
    blake2b_start(&b);
    blake2b_add(&b, (struct bytes){p + WORDS_AT, n - WORDS_AT});
    blake2b_end(&b, p + SUM_AT);
}

static u32 word(const u8 *p, u32 k) {
    u32 x;
    memcpy(&x, p + WORDS_AT + 4 * k, 4);
    return x;
}
static u64 at_thunks(const u8 *p) { return TABLES_AT + 20ull * word(p, FUNCS); }
static u64 at_stubs(const u8 *p) { return at_thunks(p) + 4ull * word(p, TYPES); }
static u64 at_traps(const u8 *p) { return at_stubs(p) + 4ull * word(p, TYPES) + 4; } /* one import: one adaptor */
static u64 at_sites(const u8 *p) { return at_traps(p) + 8ull * word(p, TRAPS); }
static u64 at_uses(const u8 *p) { return at_sites(p) + 12ull * (word(p, SITES) + word(p, CATCHES)) + 8ull * word(p, POINTS); }

/* One word is another; the sum is right. Found? */
static bool with_word(u64 at, u32 value, u64 *out) {
    struct bytes b = copy_of(kept);
    memcpy((u8 *)(uptr)b.p + at, &value, 4);
    sign((u8 *)(uptr)b.p, b.n);
    bool found = offer(b, out);
    free((void *)(uptr)b.p);
    return found;
}

static void damaged(void) {
    struct bytes b;
    engine_open(0, false);
    CHECK(offer(kept, NULL));
    for (size_t n = 0; n < kept.n; n += n < 200 ? 1 : 37) CHECK(!offer((struct bytes){kept.p, n}, NULL));
    for (size_t at = 0; at < kept.n; at += at < 300 ? 1 : 41) { /* without a new sum: none is taken */
        b = copy_of(kept);
        ((u8 *)(uptr)b.p)[at] ^= (u8)(1 << at % 8);
        CHECK(!offer(b, NULL));
        free((void *)(uptr)b.p);
    }
    u8 *longer = malloc(kept.n + 4);
    memcpy(longer, kept.p, kept.n);
    memset(longer + kept.n, 0, 4);
    sign(longer, kept.n + 4);
    CHECK(!offer((struct bytes){longer, kept.n + 4}, NULL));
    free(longer);
    test_engine_close(&T);
}

/* Where the kind of the first trap like this is: of an ud2, of which the proof takes any. */
static u64 at_trap_of(u32 kind) {
    u32 have = ABI_TRAP_NONE;
    u64 at = at_traps(kept.p) - 4;
    for (u32 k = 0; k < word(kept.p, TRAPS) && have != kind; k++) memcpy(&have, kept.p + (at += 8), 4);
    EQUAL(have, kind);
    return at;
}

/* With a right sum, as who means harm would have it. */
static void forged(void) {
    u64 seen[SEEN];
    engine_open(0, false);
    CHECK(with_word(WORDS_AT + 4 * SIZE, word(kept.p, SIZE), NULL));
    for (u32 k = 0; k <= USES; k++)
        for (u32 shift = 0; shift < 32; shift += 3) CHECK(!with_word(WORDS_AT + 4 * k, word(kept.p, k) ^ 1u << shift, NULL));
    CHECK(!with_word(at_thunks(kept.p), UINT32_MAX, NULL));  /* called from outside: at that offset */
    CHECK(!with_word(at_stubs(kept.p), UINT32_MAX, NULL));   /* an import's, called through a table */
    u64 zero = at_trap_of(ABI_TRAP_DIVIDE_BY_ZERO);
    CHECK(with_word(zero, ABI_TRAP_UNREACHABLE, NULL));
    CHECK(!with_word(zero, ABI_TRAP_EXIT, NULL));            /* an end that WASI takes for an orderly one */
    CHECK(!with_word(zero, ABI_TRAP_COUNT, NULL));
    CHECK(!with_word(at_sites(kept.p) + 4, 1, NULL));        /* of another's catches */
    CHECK(!with_word(at_sites(kept.p) + 8, 0, NULL));        /* catches of nobody */
    CHECK(!with_word(at_uses(kept.p), UINT32_MAX - 1, NULL));
    CHECK(!with_word(at_uses(kept.p), word(kept.p, SIZE) - 3, NULL));
    CHECK(!with_word(at_uses(kept.p) + 4, 99, NULL));
    /* Names no code: it comes from the module, whatever it says. */
    CHECK(with_word(TABLES_AT + 16, 12345, seen));
    CHECK(!memcmp(compiled, seen, sizeof seen));
    test_engine_close(&T);
}

/* Proven, and yet not what the module says: mov esi, FROM, which there is once, is mov esi, TO. */
static void wrong_index(u8 from, u8 to, u32 call) {
    const u8 mov[] = {0xbe, from, 0, 0, 0};
    u64 seen[SEEN];
    u32 changed = 0;
    engine_open(0, false);
    struct bytes b = copy_of(kept);
    for (size_t at = b.n - word(b.p, SIZE); at + 5 <= b.n; at++) {
        if (memcmp(b.p + at, mov, 5)) continue;
        ((u8 *)(uptr)b.p)[at + 1] = to;
        changed++;
    }
    EQUAL(changed, 1);
    sign((u8 *)(uptr)b.p, b.n);
    CHECK(offer(b, seen));
    EQUAL(compiled[call * 7], ABI_TRAP_NONE);
    EQUAL(seen[call * 7], ABI_TRAP_HOST);
    free((void *)(uptr)b.p);
    test_engine_close(&T);
}
enum { HIDDEN = 11, SUM = 14 };

/* Without memory for the blob, or for all else: an error or a module, and nothing left. */
static void short_of_memory(void) {
    engine_open(0, false);
    free((void *)(uptr)C.blob.p);
    C.blob = copy_of(kept);
    memcpy(C.key, kept.p + KEY_AT, sizeof C.key);
    u32 loaded = 0;
    for (size_t at = 1; at < 60; at++) {
        struct rt_module *m = NULL;
        test_engine_fail(&T, at);
        enum err e = rt_module_load(T.engine, module, NULL, &m, NULL);
        test_engine_fail(&T, 0);
        CHECK(e == ERR_OK || e == ERR_NOMEM);
        loaded += !e;
        if (!e) rt_module_free(m);
    }
    CHECK(loaded > 0 && loaded < 59);
    test_engine_close(&T);
}

int main(void) {
    module = wat(text);
    round_trip(true);
    round_trip(false);
    kept = copy_of(C.blob);
    other_engine();
    other_keys();
    damaged();
    forged();
    wrong_index(3, 99, TABLES_CALL);     /* a table that it does not have */
    wrong_index(SUM, 99, REFS_CALL);     /* a function that it does not have; and one of */
    wrong_index(SUM, HIDDEN, REFS_CALL); /* which there are no references: nothing enters it from outside */
    short_of_memory();
    free((void *)(uptr)C.blob.p);
    free((void *)(uptr)kept.p);
    free((void *)(uptr)module.p);
    return test_end("rt_cache");
}
