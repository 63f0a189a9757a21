#include "test/fuzz/embed.h"

#include <stdlib.h>

#include "base/assert.h"

struct embed embed;
wasm_engine_t *embed_engine;

/* ---- memory, by the linker's --wrap ---- */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_aligned_alloc(size_t align, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t n);

static bool fails(void) {
    if (!embed.failing || --embed.failing) return false;
    embed.failed++;
    return true;
}

void *__wrap_malloc(size_t n) { return fails() ? NULL : __real_malloc(n); }
void *__wrap_calloc(size_t n, size_t size) { return fails() ? NULL : __real_calloc(n, size); }
void *__wrap_aligned_alloc(size_t align, size_t n) { return fails() ? NULL : __real_aligned_alloc(align, n); }

/* ---- choices ---- */

u32 take_byte(void) { return embed.at < embed.end ? *embed.at++ : 0; }
u32 take_below(u32 n) { return n ? take_byte() % n : 0; }
bool take_chance(u32 of) { return take_byte() % of == of - 1; }

struct embed_store *take_store(void) {
    u32 k = take_below(STORES);
    if (!embed.stores[k].s) k = STORES - 1 - k;
    return embed.stores[k].s ? &embed.stores[k] : NULL;
}

struct embed_store *embed_store_of(u32 id) {
    for (u32 k = 0; k < STORES; k++)
        if (embed.stores[k].s && embed.stores[k].id == id) return &embed.stores[k];
    return NULL;
}

static struct embed_slot *slot_of(wasm_ref_t *(*as)(wasm_ref_t *)) {
    u32 at = take_byte();
    for (u32 k = 0; k < REFS; k++) {
        struct embed_slot *s = &embed.refs[(at + k) % REFS];
        if (s->ref && as(s->ref)) return s;
    }
    return NULL;
}

static wasm_ref_t *as_itself(wasm_ref_t *r) { return r; }
struct embed_slot *take_slot(void) { return slot_of(as_itself); }
#define X(kind)                                                                                      \
    static wasm_ref_t *as_##kind(wasm_ref_t *r) { return wasm_##kind##_as_ref(wasm_ref_as_##kind(r)); } \
    struct embed_slot *take_##kind(void) { return slot_of(as_##kind); }
EMBED_KINDS(X)
#undef X

/* What was there goes last: its finalizer may look at the slot. */
void put_ref(wasm_ref_t *own, u32 store) {
    if (!own) return;
    struct embed_slot *s = &embed.refs[take_below(REFS)];
    wasm_ref_t *before = s->ref;
    *s = (struct embed_slot){own, store};
    wasm_ref_delete(before);
}

wasm_ref_t *take_ref(void) {
    struct embed_slot *s = take_chance(4) ? NULL : take_slot();
    return s ? s->ref : NULL;
}

/* ---- values ---- */

static const wasm_valkind_t kinds[] = {WASM_I32, WASM_I64, WASM_F32, WASM_F64, WASM_EXTERNREF, WASM_FUNCREF};

wasm_val_t take_value(wasm_valkind_t kind) {
    wasm_val_t v = {.kind = take_chance(32) ? kinds[take_below(ARRAY_LEN(kinds))] : kind};
    struct embed_slot *s;
    switch (v.kind) {
    case WASM_I32: v.of.i32 = (i32)(i8)take_byte() * (1 << take_below(24)); break;
    case WASM_I64: v.of.i64 = (i64)(i8)take_byte() * ((i64)1 << take_below(56)); break;
    case WASM_F32: v.of.f32 = (float)(i8)take_byte() / 4; break;
    case WASM_F64: v.of.f64 = (double)(i8)take_byte() / 4; break;
    case WASM_FUNCREF: v.of.ref = (s = take_chance(4) ? NULL : take_func()) ? s->ref : NULL; break;
    case WASM_EXTERNREF: v.of.ref = take_ref(); break;
    default: break; /* a kind that there is not */
    }
    return v;
}

wasm_val_t take_own_value(wasm_valkind_t kind) {
    wasm_val_t v = take_value(kind), own;
    wasm_val_copy(&own, &v);
    return own;
}

/* ---- types ---- */

static wasm_valtype_t *new_valtype(void) {
    return wasm_valtype_new(take_chance(32) ? (wasm_valkind_t)take_byte() : kinds[take_below(ARRAY_LEN(kinds))]);
}

static void new_valtypes(wasm_valtype_vec_t *out) {
    wasm_valtype_vec_new_uninitialized(out, take_chance(16) ? take_below(VALUES_MOST) : take_below(4));
    for (size_t k = 0; k < out->size; k++) out->data[k] = new_valtype();
}

static wasm_limits_t new_limits(void) {
    wasm_limits_t l = {take_below(4), wasm_limits_max_default};
    if (take_chance(2)) l.max = take_below(12);
    if (take_chance(32)) l.min = take_byte() << 24;
    return l;
}

static wasm_externtype_t *new_functype(void) {
    wasm_valtype_vec_t params, results;
    new_valtypes(&params);
    new_valtypes(&results);
    return wasm_functype_as_externtype(wasm_functype_new(&params, &results));
}

wasm_externtype_t *take_new_type(void) {
    wasm_limits_t l = new_limits();
    switch (take_below(5)) {
    case WASM_EXTERN_FUNC: return new_functype();
    case WASM_EXTERN_GLOBAL: return wasm_globaltype_as_externtype(wasm_globaltype_new(new_valtype(), (wasm_mutability_t)take_below(2)));
    case WASM_EXTERN_TABLE: return wasm_tabletype_as_externtype(wasm_tabletype_new(new_valtype(), &l));
    case WASM_EXTERN_TAG: return wasm_tagtype_as_externtype(wasm_tagtype_new(wasm_externtype_as_functype(new_functype())));
    default: return wasm_memorytype_as_externtype(wasm_memorytype_new(&l));
    }
}

const wasm_externtype_t *take_type(void) {
    u32 at = take_byte();
    for (u32 k = 0; k < TYPES; k++)
        if (embed.types[(at + k) % TYPES]) return embed.types[(at + k) % TYPES];
    return NULL;
}

/* ---- callbacks ---- */

/* Of a function with an environment: freed by its finalizer. */
struct environment {
    u32 store; /* its id */
    size_t params, results;
};

static void free_environment(void *env) {
    free(env);
    embed.finalized++;
}

/* The callback's own part: what it answers with. */
static wasm_trap_t *answer(wasm_store_t *s, wasm_val_vec_t *results) {
    struct embed_slot *slot;
    wasm_message_t m = {take_below(5), "told"};
    if (take_chance(12)) return s ? wasm_trap_new(s, &m) : NULL;
    if (take_chance(24) && (slot = take_trap()))
        return wasm_trap_copy(wasm_ref_as_trap(slot->ref));
    for (size_t k = 0; k < results->size; k++) results->data[k] = take_own_value(results->data[k].kind);
    return NULL;
}

static void meanwhile(void) {
    if (embed.depth == DEPTH_MOST) return;
    embed.depth++;
    for (u32 n = take_below(4); n; n--) embed_step();
    embed.depth--;
}

static wasm_trap_t *called(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    struct environment *e = env;
    struct embed_store *st = embed_store_of(e->store);
    assert(st && st->busy && args->size == e->params && results->size == e->results);
    for (size_t k = 0; k < args->size; k++)
        if (wasm_valkind_is_ref(args->data[k].kind) && args->data[k].of.ref && take_chance(4))
            put_ref(wasm_ref_copy(args->data[k].of.ref), e->store);
    meanwhile();
    return answer(st->s, results);
}

static wasm_trap_t *called_plainly(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    meanwhile();
    return answer(NULL, results);
}

static wasm_func_t *make_func(struct embed_store *st, const wasm_functype_t *t) {
    if (take_chance(8)) return wasm_func_new(st->s, t, called_plainly);
    struct environment *e = __real_malloc(sizeof *e);
    assert(e);
    *e = (struct environment){st->id, wasm_functype_params(t)->size, wasm_functype_results(t)->size};
    wasm_func_t *f = wasm_func_new_with_env(st->s, t, called, e, free_environment);
    embed.finalizers += f != NULL;
    if (!f) free(e); /* it stays ours */
    return f;
}

/* ---- objects ---- */

wasm_extern_t *embed_make(struct embed_store *st, const wasm_externtype_t *t) {
    wasm_val_t v;
    switch (wasm_externtype_kind(t)) {
    case WASM_EXTERN_FUNC: return wasm_func_as_extern(make_func(st, wasm_externtype_as_functype_const(t)));
    case WASM_EXTERN_GLOBAL:
        v = take_value(wasm_valtype_kind(wasm_globaltype_content(wasm_externtype_as_globaltype_const(t))));
        return wasm_global_as_extern(wasm_global_new(st->s, wasm_externtype_as_globaltype_const(t), &v));
    case WASM_EXTERN_TABLE: return wasm_table_as_extern(wasm_table_new(st->s, wasm_externtype_as_tabletype_const(t), take_ref()));
    case WASM_EXTERN_TAG: return NULL; /* only modules have any */
    default: return wasm_memory_as_extern(wasm_memory_new(st->s, wasm_externtype_as_memorytype_const(t)));
    }
}

void embed_count_final(void *info) {
    assert(info == &embed);
    embed.finalized++;
}

/* ---- beginning and end ---- */

static wasm_engine_t *limited_engine(void) {
    wasm_config_t *c = wasm_config_new();
    whelk_config_limit_memory(c, 64 * MEMORY_PAGE_SIZE);
    whelk_config_limit_table(c, 4096);
    whelk_config_limit_module(c, 1 << 16);
    whelk_config_limit_compile(c, 16 << 20);
    return wasm_engine_new_with_config(c);
}

void embed_open(const u8 *data, size_t n) {
    if (!embed_engine) {
        embed_engine = limited_engine();
        embed_modules_init();
    }
    embed = (struct embed){.at = data, .end = data + n};
    for (u32 k = 0; k < VALS; k++) embed.vals[k] = (wasm_val_t)WASM_INIT_VAL;
}

static void close_stores(void) {
    for (u32 k = 0; k < STORES; k++) {
        assert(!embed.stores[k].busy);
        wasm_store_delete(embed.stores[k].s);
        embed.stores[k].s = NULL;
    }
}

void embed_close(void) {
    embed.failing = 0;
    bool stores_first = take_chance(2);
    if (stores_first) close_stores();
    for (u32 k = 0; k < REFS; k++) {
        wasm_ref_delete(embed.refs[k].ref);
        embed.refs[k].ref = NULL;
    }
    for (u32 k = 0; k < TYPES; k++) wasm_externtype_delete(embed.types[k]);
    for (u32 k = 0; k < VALS; k++) wasm_val_delete(&embed.vals[k]);
    wasm_shared_module_delete(embed.shared);
    if (!stores_first) close_stores();
    assert(embed.finalized == embed.finalizers);
}
