/* fuzz_cache.c: a cache gives damaged code for a real module. It must be refused, and
 * the module compiled; or it is proven, and then whatever it does is safe: it ends in
 * results, a trap or at its deadline, and no assertion fails.
 *
 * Input: which module, how memory is checked, how many changes (1 to 4: of many some are
 * refused); then for each six bytes: where, what kind, a value. The sum is made right again: it is not what protects. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/blake2b.h"
#include "cli/host_rt.h"
#include "rt/rt.h"
#include "test/fuzz/differ.h"
#include "test/fuzz/gen.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t n);

/* Of a blob (rt/cache.c, struct head). */
enum { SIZE, FUNCS = 6, TYPES, TRAPS, SITES, CATCHES, POINTS, USES, WORDS };
enum { SUM_AT = 40, WORDS_AT = 72, TABLES = 10, CHANGE = 6, MODULES = 32, BUDGET_NS = 5000000 };

struct subject {
    struct bytes module, blob;
};

static struct engine {
    struct rt_host host;
    struct rt_cache cache;
    struct rt_engine *engine;
    struct rt_linker *linker;
    struct subject subjects[MODULES];
} engines[2];

static struct bytes offered, *taken; /* what find gives; where keep puts it */

static struct bytes find(void *self, const u8 *key) { return offered; }
static void done(void *self, struct bytes found) {}
static void keep(void *self, const u8 *key, struct bytes code) {
    if (!taken) return;
    u8 *p = malloc(code.n);
    memcpy(p, code.p, code.n);
    *taken = (struct bytes){p, code.n};
}

static struct engine *engine_at(bool checked) {
    struct engine *e = &engines[checked];
    enum err err = ERR_OK;
    if (!e->engine) {
        host_rt_fill(&e->host);
        e->cache = (struct rt_cache){0, find, done, keep, NULL};
        e->host.checked_memory = checked;
        e->host.cache = &e->cache;
        err = rt_engine_init(&e->engine, &e->host);
        if (!err) err = rt_linker_new(e->engine, &e->linker);
        if (!err) err = rt_define_func(e->linker, "env", "mix", "iI:I", (const void *)differ_mix);
    }
    if (!err) err = host_rt_install(e->engine);
    assert(!err);
    return e;
}

static struct rt_module *load(struct engine *e, struct bytes module) {
    const struct rt_limits limits = {.memory_bytes = 6 * WASM_PAGE, .stack_bytes = 1 << 20};
    struct rt_module *m;
    struct rt_error error = {0};
    enum err err = rt_module_load(e->engine, module, &limits, &m, &error);
    assert(!err);
    return m;
}

/* A module, always the same for a number, and its code. */
static struct subject *subject_at(struct engine *e, u32 k) {
    static u8 out[GEN_CAP], noise[2048];
    struct subject *s = &e->subjects[k];
    if (s->blob.n) return s;
    u64 x = (k + 1) * 0x9e3779b97f4a7c15;
    for (size_t i = 0; i < sizeof noise; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        noise[i] = (u8)(x >> 24);
    }
    size_t n = gen_module((struct bytes){noise, 300 + 50 * k}, out);
    u8 *p = malloc(n);
    memcpy(p, out, n);
    s->module = (struct bytes){p, n};
    offered = (struct bytes){NULL, 0};
    taken = &s->blob;
    rt_module_free(load(e, s->module));
    taken = NULL;
    assert(s->blob.n);
    return s;
}

/* A word of table k (cache.c, list_tables; 0: the head's counts), of `blob` as it was kept. */
static u32 word_in(struct bytes blob, u32 k, u32 at) {
    u32 w[WORDS], start = WORDS_AT, rest = (u32)blob.n - WORDS_AT;
    memcpy(w, blob.p + WORDS_AT, sizeof w);
    u32 sizes[TABLES] = {sizeof w, 20 * w[FUNCS], 4 * w[TYPES], 4 * w[TYPES], 0, 8 * w[TRAPS],
                         12 * w[SITES], 12 * w[CATCHES], 8 * w[POINTS], 8 * w[USES]};
    for (u32 i = 0; i < TABLES; i++) rest -= sizes[i];
    sizes[4] = rest - w[SIZE]; /* adaptors */
    if (!sizes[k]) k = 0;
    for (u32 i = 0; i < k; i++) start += sizes[i];
    return start + at % sizes[k] / 4 * 4;
}

/* Half of the changes are in counts and tables, half in the code. */
static void change(u8 *p, struct bytes blob, const u8 *how) {
    u32 size, at = how[0] | (u32)how[1] << 8, word;
    memcpy(&size, blob.p + WORDS_AT + 4 * SIZE, 4);
    if (how[2] & 0x40) at = (u32)blob.n - size + (at | (u32)(how[2] & 0x3f) << 16) % (size - 3);
    else at = word_in(blob, (how[2] & 0x3f) % TABLES, at);
    memcpy(&word, p + at, 4);
    switch (how[3] & 7) {
    case 0: word ^= 1u << (how[4] & 31); break;
    case 1: word = (word & ~0xffu) | how[4]; break;
    case 2: word = how[4] | (u32)how[5] << 8; break;
    case 3: word += (u32)(i32)(i8)how[4]; break;
    case 4: word += (u32)(i32)(i16)(how[4] | how[5] << 8); break;
    case 5: word = UINT32_MAX - (how[4] >> 6); break;
    case 6: word = (word & 0xffff0000u) | how[4] | (u32)how[5] << 8; break;
    default: word = word << 8 | how[4]; break;
    }
    memcpy(p + at, &word, 4);
}

static void sign(u8 *p, size_t n) {
    struct blake2b b;
    blake2b_start(&b);
    blake2b_add(&b, (struct bytes){p + WORDS_AT, n - WORDS_AT});
    blake2b_end(&b, p + SUM_AT);
}

static void say(void *self, const char *line) { assert(strlen(line) < 600); }

static void call(struct rt_instance *i, const struct wasm_export *x, const struct wasm_functype *t) {
    struct rt_callable f;
    union abi_value vals[16] = {0};
    if (t->param_count > ARRAY_LEN(vals) || t->result_count > ARRAY_LEN(vals)) return;
    for (u32 k = 0; k < t->param_count; k++) vals[k].i64 = differ_argument(x->index, k, t->params[k]);
    enum err e = rt_find_func(i, x->name, &f);
    assert(!e);
    enum abi_trap trap = rt_call(&f, vals);
    if (trap) rt_explain(rt_instance_store(i), trap, say, NULL);
}

static void run(struct engine *e, struct rt_module *m) {
    const struct rt_limits limits = {.memory_bytes = 6 * WASM_PAGE, .stack_bytes = 1 << 20, .table_elements = 100000};
    const struct wasm_module *w = rt_module_info(m);
    struct host_deadline d;
    struct rt_store *s;
    struct rt_instance *i;
    enum abi_trap trap;
    enum err err = rt_store_new(e->engine, &limits, &s);
    assert(!err);
    err = host_deadline_start(&d, s, BUDGET_NS);
    assert(!err);
    if (!rt_instantiate(s, m, e->linker, &i, &trap, NULL))
        for (u32 k = 0; k < w->export_count; k++)
            if (w->exports[k].kind == WASM_KIND_FUNC) call(i, &w->exports[k], &w->types[w->funcs[w->exports[k].index].type]);
    host_deadline_end(&d);
    rt_store_free(s);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t n) {
    if (n < 1 + CHANGE) return 0;
    struct engine *e = engine_at(data[0] >> 5 & 1);
    struct subject *s = subject_at(e, data[0] % MODULES);
    u8 *p = malloc(s->blob.n);
    memcpy(p, s->blob.p, s->blob.n);
    for (size_t at = 1, left = 1 + (data[0] >> 6); left && at + CHANGE <= n; at += CHANGE, left--) change(p, s->blob, data + at);
    sign(p, s->blob.n);
    offered = (struct bytes){p, s->blob.n};
    struct rt_module *m = load(e, s->module);
    if (rt_module_cached(m)) run(e, m);
    rt_module_free(m);
    free(p);
    return 0;
}
