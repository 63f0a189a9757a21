/* fuzz_capi.c: callers of wasm.h and whelk/engine.h: what an embedder (embed.h) does with
 * stores, modules, instances, functions, tables, memories, globals, traps, references and
 * types, in the order that the input says, also while it is called back.
 *
 * I1 what must be refused is: wrong counts, another store's objects, a deleted store's.
 * I2 what was set is there; copies are the same; sizes agree.
 * I3 memory is short when the input says so: what I1 and I2 say of it is left out then. */
#include <stdlib.h>

#include "base/assert.h"
#include "test/fuzz/embed.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t n);
const char *__asan_default_options(void);

/* Callbacks run on the store's stack, of which ASan's fake stacks know nothing. */
const char *__asan_default_options(void) { return "detect_stack_use_after_return=0"; }

enum { STEPS_MOST = 300, BUDGET_NS = 3000000 };

/* ---- stores ---- */

static void new_store(void) {
    struct embed_store *st = &embed.stores[take_below(STORES)];
    if (st->s) return;
    *st = (struct embed_store){wasm_store_new(embed_engine), ++embed.ids, 0};
    assert(st->s || embed.failed);
    if (st->s) whelk_store_set_budget(st->s, BUDGET_NS);
}

static void delete_store(void) {
    struct embed_store *st = take_store();
    if (!st || st->busy || !take_chance(4)) return;
    wasm_store_delete(st->s);
    st->s = NULL;
}

static void wasi(void) {
    static const char *const words[] = {"a=b", "c"};
    struct embed_store *st = take_store();
    struct embed_slot *m = take_module();
    if (!st) return;
    whelk_wasi_config_t c = {.arg_count = take_below(3), .env_count = take_below(2), .args = words, .env = words};
    whelk_store_set_wasi(st->s, &c);
    wasm_importtype_vec_t imports = WASM_EMPTY_VEC;
    if (m) wasm_module_imports(wasm_ref_as_module(m->ref), &imports);
    for (size_t k = 0; k < imports.size; k++)
        if (imports.data[k]) put_ref(wasm_func_as_ref(whelk_wasi_func(st->s, imports.data[k])), st->id);
    wasm_importtype_vec_delete(&imports);
    (void)whelk_wasi_exit_status(st->s);
    assert(whelk_store_error(st->s));
    assert(!whelk_store_interrupt(st->s) || st->busy);
}

/* ---- modules ---- */

static void new_module(void) {
    struct embed_store *st = take_store();
    wasm_byte_vec_t binary;
    if (!st) return;
    take_binary(&binary);
    bool ask = take_chance(8), valid = ask && wasm_module_validate(st->s, &binary);
    wasm_module_t *m = wasm_module_new(st->s, &binary);
    assert(embed.failed || !ask || valid == (m != NULL));
    assert(embed.failed || (m != NULL) == !*whelk_store_error(st->s));
    wasm_byte_vec_delete(&binary);
    put_ref(wasm_module_as_ref(m), st->id);
}

static void store_module(void) {
    struct embed_store *st = take_store();
    struct embed_slot *m = take_module();
    wasm_byte_vec_t bytes, copy;
    if (!st || !m) return;
    wasm_module_serialize(wasm_ref_as_module(m->ref), &bytes);
    wasm_byte_vec_copy(&copy, &bytes);
    bool damaged = take_chance(2);
    if (damaged) take_damage(&copy);
    wasm_module_t *again = wasm_module_deserialize(st->s, &copy);
    assert(damaged || again || embed.failed);
    wasm_byte_vec_delete(&copy);
    wasm_byte_vec_delete(&bytes);
    put_ref(wasm_module_as_ref(again), st->id);
}

static void share_module(void) {
    struct embed_store *st = take_store();
    struct embed_slot *m = take_module();
    if (m && take_chance(2)) {
        wasm_shared_module_delete(embed.shared);
        embed.shared = wasm_module_share(wasm_ref_as_module(m->ref));
    } else if (st && embed.shared) {
        put_ref(wasm_module_as_ref(wasm_module_obtain(st->s, embed.shared)), st->id);
    }
}

static void keep_type(wasm_externtype_t *own) {
    u32 k = take_below(TYPES);
    wasm_externtype_delete(embed.types[k]);
    embed.types[k] = own;
}

static void look_at_module(void) {
    struct embed_slot *slot = take_module();
    wasm_importtype_vec_t imports, copies;
    wasm_exporttype_vec_t exports;
    if (!slot) return;
    wasm_module_imports(wasm_ref_as_module(slot->ref), &imports);
    wasm_importtype_vec_copy(&copies, &imports);
    assert(copies.size == imports.size || embed.failed);
    wasm_importtype_vec_delete(&imports);
    const wasm_importtype_t *in = copies.size ? copies.data[take_below((u32)copies.size)] : NULL;
    if (in) keep_type(wasm_externtype_copy(wasm_importtype_type(in)));
    wasm_importtype_vec_delete(&copies);
    wasm_module_exports(wasm_ref_as_module(slot->ref), &exports);
    const wasm_exporttype_t *out = exports.size ? exports.data[take_below((u32)exports.size)] : NULL;
    if (out) keep_type(wasm_externtype_copy(wasm_exporttype_type(out)));
    wasm_exporttype_vec_delete(&exports);
}

/* ---- instances ---- */

/* For the import: something of the embedder's, if it has the kind, or made for it. Own. */
static wasm_extern_t *import_for(struct embed_store *st, const wasm_importtype_t *t, bool *foreign) {
    if (!t || !wasm_importtype_type(t)) return NULL; /* there was no memory */
    wasm_externkind_t kind = wasm_externtype_kind(wasm_importtype_type(t));
    for (u32 tries = take_below(4); tries; tries--) {
        struct embed_slot *s = take_extern();
        if (!s || (wasm_extern_kind(wasm_ref_as_extern(s->ref)) != kind && !take_chance(16))) continue;
        *foreign |= s->store != st->id;
        return wasm_extern_copy(wasm_ref_as_extern(s->ref));
    }
    return take_chance(32) ? NULL : embed_make(st, wasm_importtype_type(t));
}

static void give_imports(struct embed_store *st, const wasm_module_t *m, wasm_extern_vec_t *out, bool *wrong) {
    wasm_importtype_vec_t wanted;
    wasm_module_imports(m, &wanted);
    wasm_extern_vec_new_uninitialized(out, wanted.size);
    *wrong |= out->size != wanted.size;
    for (size_t k = 0; k < out->size; k++) {
        out->data[k] = import_for(st, wanted.data[k], wrong);
        *wrong |= !out->data[k];
    }
    wasm_importtype_vec_delete(&wanted);
}

static void new_instance(void) {
    struct embed_store *st = take_store();
    struct embed_slot *slot = take_module();
    wasm_extern_vec_t imports;
    bool wrong = false, ask = !take_chance(4);
    wasm_trap_t *trap = NULL;
    if (!st || !slot) return;
    u32 id = st->id;
    wasm_module_t *m = wasm_module_copy(wasm_ref_as_module(slot->ref));
    give_imports(st, m, &imports, &wrong);
    size_t all = imports.size;
    if (all && take_chance(16)) imports.size--, wrong = true;
    st->busy++;
    wasm_instance_t *i = wasm_instance_new(st->s, m, !all && take_chance(2) ? NULL : &imports, ask ? &trap : NULL);
    st->busy--;
    assert(!(i && wrong) && !(i && trap));
    if (imports.size < all) wasm_extern_delete(imports.data[all - 1]);
    wasm_extern_vec_delete(&imports);
    wasm_module_delete(m);
    put_ref(wasm_trap_as_ref(trap), id);
    put_ref(wasm_instance_as_ref(i), id);
}

static void take_exports(void) {
    struct embed_slot *slot = take_instance();
    wasm_extern_vec_t exports, copies;
    if (!slot) return;
    u32 id = slot->store;
    wasm_instance_exports(wasm_ref_as_instance(slot->ref), &exports);
    assert(!exports.size || embed_store_of(id));
    wasm_extern_vec_copy(&copies, &exports);
    for (u32 n = take_below(6); n && exports.size; n--) {
        u32 k = take_below((u32)exports.size);
        if (!exports.data[k]) continue; /* handed over */
        assert(copies.size ? wasm_extern_same(exports.data[k], copies.data[k]) : embed.failed);
        put_ref(wasm_extern_as_ref(exports.data[k]), id);
        exports.data[k] = NULL;
        if (take_chance(2)) break;
    }
    wasm_extern_vec_delete(&copies);
    wasm_extern_vec_delete(&exports);
}

/* ---- calls ---- */

static void keep_results(wasm_val_vec_t *results, u32 id) {
    for (size_t k = 0; k < results->size; k++) {
        wasm_val_t *v = &results->data[k];
        if (wasm_valkind_is_ref(v->kind) && v->of.ref && take_chance(2)) put_ref(v->of.ref, id), v->of.ref = NULL;
        else if (take_chance(4)) wasm_val_delete(&embed.vals[k % VALS]), wasm_val_copy(&embed.vals[k % VALS], v);
        wasm_val_delete(v);
    }
}

static void keep_trap(wasm_trap_t *t, u32 id) {
    wasm_message_t m;
    wasm_frame_vec_t frames;
    wasm_trap_message(t, &m);
    wasm_trap_trace(t, &frames);
    wasm_frame_t *origin = wasm_trap_origin(t);
    assert(embed.failed || (frames.size <= 16 && !origin == !frames.size));
    for (size_t k = 0; k < frames.size; k++) assert(frames.data[k] && wasm_frame_module_offset(frames.data[k]) > 8);
    wasm_frame_delete(origin);
    wasm_frame_vec_delete(&frames);
    wasm_byte_vec_delete(&m);
    put_ref(wasm_trap_as_ref(t), id);
}

static void call(void) {
    wasm_val_t in[VALUES_MOST + 1], out[VALUES_MOST + 1];
    struct embed_slot *slot = take_func();
    if (!slot) return;
    wasm_func_t *f = wasm_func_copy(wasm_ref_as_func(slot->ref)); /* the slot may be filled anew meanwhile */
    u32 id = slot->store;
    struct embed_store *st = embed_store_of(id);
    wasm_functype_t *t = wasm_func_type(f);
    if (!t) return wasm_func_delete(f);
    const wasm_valtype_vec_t *params = wasm_functype_params(t), *returned = wasm_functype_results(t);
    assert(params->size == wasm_func_param_arity(f) && returned->size == wasm_func_result_arity(f));
    wasm_val_vec_t args = {params->size, in}, results = {returned->size, out};
    for (size_t k = 0; k < args.size; k++) in[k] = take_own_value(wasm_valtype_kind(params->data[k]));
    if (take_chance(32)) in[args.size++] = take_own_value(WASM_I32);
    size_t given = args.size;
    if (args.size && take_chance(32)) args.size--;
    if (results.size && take_chance(32)) results.size--;
    for (size_t k = 0; k < VALUES_MOST; k++) out[k] = (wasm_val_t)WASM_INIT_VAL;
    bool wrong = !st || args.size != params->size;
    if (st) st->busy++;
    wasm_trap_t *trap = wasm_func_call(f, args.size ? &args : NULL, results.size ? &results : NULL);
    if (st) st->busy--;
    assert(trap || !wrong);
    for (size_t k = 0; k < given; k++) wasm_val_delete(&in[k]);
    if (trap) keep_trap(trap, id);
    else keep_results(&results, id);
    wasm_functype_delete(t);
    wasm_func_delete(f);
}

/* ---- globals, tables, memories ---- */

static void make(void) {
    struct embed_store *st = take_store();
    const wasm_externtype_t *kept = take_type();
    wasm_externtype_t *fresh = take_chance(2) ? take_new_type() : NULL;
    const wasm_externtype_t *t = fresh ? fresh : kept;
    if (st && t) put_ref(wasm_extern_as_ref(embed_make(st, t)), st->id);
    wasm_externtype_delete(fresh);
}

static bool same_value(const wasm_val_t *a, const wasm_val_t *b) {
    if (a->kind != b->kind) return false;
    if (wasm_valkind_is_ref(a->kind)) return wasm_ref_same(a->of.ref, b->of.ref);
    return a->kind == WASM_I32 || a->kind == WASM_F32 ? a->of.i32 == b->of.i32 : a->of.i64 == b->of.i64;
}

static void use_global(void) {
    struct embed_slot *slot = take_global();
    if (!slot) return;
    wasm_global_t *g = wasm_ref_as_global(slot->ref);
    wasm_globaltype_t *t = wasm_global_type(g);
    if (!t) return;
    wasm_val_t before, now, v = take_value(wasm_valtype_kind(wasm_globaltype_content(t)));
    struct embed_slot *of = v.kind >= WASM_EXTERNREF && v.of.ref ? slot : NULL; /* perhaps another store's */
    wasm_global_get(g, &before);
    wasm_global_set(g, &v);
    wasm_global_get(g, &now);
    bool fixed = wasm_globaltype_mutability(t) == WASM_CONST || !embed_store_of(slot->store);
    bool fits = v.kind == wasm_valtype_kind(wasm_globaltype_content(t)) && v.kind <= WASM_F64;
    assert(embed.failed || !fixed || same_value(&before, &now));
    assert(fixed || of || !fits || same_value(&v, &now));
    wasm_val_delete(&before);
    wasm_val_delete(&now);
    wasm_globaltype_delete(t);
}

static void use_table(void) {
    struct embed_slot *slot = take_table();
    wasm_ref_t *r = take_ref();
    if (!slot) return;
    wasm_table_t *t = wasm_ref_as_table(slot->ref);
    u32 size = wasm_table_size(t), at = take_below(size + 2);
    assert(embed_store_of(slot->store) || !size);
    bool set = wasm_table_set(t, at, r);
    assert(!set || at < size);
    wasm_ref_t *got = wasm_table_get(t, at);
    assert(embed.failed || !set || wasm_ref_same(got, r));
    u32 id = slot->store, more = take_chance(16) ? UINT32_MAX - take_byte() : take_below(8);
    bool grown = wasm_table_grow(t, more, r);
    assert(wasm_table_size(t) == size + (grown ? more : 0));
    put_ref(got, id); /* perhaps in the table's place */
}

static void use_memory(void) {
    struct embed_slot *slot = take_memory();
    if (!slot) return;
    wasm_memory_t *m = wasm_ref_as_memory(slot->ref);
    size_t bytes = wasm_memory_data_size(m);
    byte_t *data = wasm_memory_data(m);
    assert(bytes == wasm_memory_size(m) * MEMORY_PAGE_SIZE && (embed_store_of(slot->store) || !bytes));
    if (bytes) data[0] = (byte_t)take_byte(), data[bytes - 1]++;
    u32 pages = wasm_memory_size(m), more = take_chance(16) ? UINT32_MAX - take_byte() : take_below(3);
    bool grown = wasm_memory_grow(m, more);
    assert(wasm_memory_size(m) == pages + (grown ? more : 0));
    assert(!grown || !bytes || wasm_memory_data(m) == data);
}

/* ---- references, traps, values, types ---- */

static void other_object(void) {
    struct embed_store *st = take_store();
    wasm_message_t m = {take_below(4), "why"};
    if (!st) return;
    if (take_chance(2)) put_ref(wasm_foreign_as_ref(wasm_foreign_new(st->s)), st->id);
    else put_ref(wasm_trap_as_ref(wasm_trap_new(st->s, &m)), st->id);
}

static void copy_ref(void) {
    struct embed_slot *s = take_slot(), *other = take_slot();
    if (!s) return;
    wasm_ref_t *copy = wasm_ref_copy(s->ref);
    u32 id = s->store;
    assert(wasm_ref_same(copy, s->ref));
    assert(wasm_ref_same(s->ref, other->ref) == wasm_ref_same(other->ref, s->ref));
    /* A trap comes out of any store that it went through. */
    assert(s->store == other->store || wasm_ref_as_trap(s->ref) || !wasm_ref_same(s->ref, other->ref));
    put_ref(copy, id);
}

static void delete_ref(void) {
    struct embed_slot *s = take_slot();
    if (!s) return;
    wasm_ref_t *gone = s->ref;
    s->ref = NULL;
    wasm_ref_delete(gone);
}

static void tell_host(void) {
    struct embed_slot *s = take_slot();
    if (!s) return;
    bool finally = take_chance(2);
    embed.finalizers += finally;
    if (finally) wasm_ref_set_host_info_with_finalizer(s->ref, &embed, embed_count_final);
    else wasm_ref_set_host_info(s->ref, &embed);
    assert(wasm_ref_get_host_info(s->ref) == &embed);
}

static void look_at_extern(void) {
    struct embed_slot *s = take_extern();
    if (!s) return;
    wasm_extern_t *e = wasm_ref_as_extern(s->ref);
    wasm_externtype_t *t = wasm_extern_type(e);
    wasm_externkind_t kind = wasm_extern_kind(e);
    if (!t) return assert(embed.failed);
    assert(wasm_externtype_kind(t) == kind);
    assert((kind == WASM_EXTERN_FUNC) == (wasm_extern_as_func(e) != NULL));
    assert((kind == WASM_EXTERN_MEMORY) == (wasm_externtype_as_memorytype(t) != NULL));
    assert((kind == WASM_EXTERN_TAG) == (wasm_externtype_as_tagtype(t) != NULL));
    keep_type(t);
}

static void types(void) {
    wasm_externtype_vec_t v, copy;
    const wasm_externtype_t *kept = take_type();
    wasm_externtype_t *fresh = take_new_type();
    wasm_externtype_vec_new_uninitialized(&v, 3);
    if (!v.size) return wasm_externtype_delete(fresh);
    v.data[0] = fresh;
    v.data[1] = kept && take_chance(2) ? wasm_externtype_copy(kept) : NULL;
    wasm_externtype_vec_copy(&copy, &v);
    assert(embed.failed || (copy.size == v.size && !copy.data[2] && !copy.data[0] == !fresh));
    wasm_externtype_vec_delete(&v);
    if (!copy.size) return;
    keep_type(copy.data[0]);
    copy.data[0] = NULL;
    wasm_externtype_vec_delete(&copy);
}

static void values(void) {
    wasm_val_vec_t v, copy;
    u32 k = take_below(VALS);
    wasm_val_vec_new(&v, VALS, embed.vals); /* takes them over */
    wasm_val_vec_copy(&copy, &v);
    assert(embed.failed || (copy.size == VALS && v.size == VALS));
    for (u32 n = 0; n < VALS; n++) embed.vals[n] = (wasm_val_t)WASM_INIT_VAL;
    if (copy.size) {
        embed.vals[k] = copy.data[k];
        copy.data[k] = (wasm_val_t)WASM_INIT_VAL;
    }
    wasm_val_vec_delete(&v);
    wasm_val_vec_delete(&copy);
}

static void fail_soon(void) {
    if (take_chance(4)) embed.failing = 1 + take_below(128);
}

void embed_step(void) {
    static void (*const steps[])(void) = {
        new_store, new_module, new_module, new_instance, new_instance, new_instance, take_exports, take_exports,
        take_exports, call, call, call, call, call, make, make, use_global, use_table, use_memory, other_object,
        copy_ref, delete_ref, tell_host, look_at_extern, look_at_module, types, values, store_module, share_module,
        wasi, delete_store, fail_soon,
    };
    steps[take_below(ARRAY_LEN(steps))]();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t n) {
    embed_open(data, n);
    new_store();
    for (u32 k = 0; k < STEPS_MOST && embed.at < embed.end; k++) embed_step();
    embed_close();
    return 0;
}
