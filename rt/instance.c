/* instance.c: the life of an instance (WebAssembly 2.0, 4.5.4).
 *
 * I1 the context's layout is abi_layout's of the module's counts.
 * I2 rt_instance_destroy works on an instance that is built up to any point:
 *    whatever is not there yet is NULL.
 * I3 an instance is in its store's list from the first byte on. */
#include "base/assert.h"
#include "base/mem.h"
#include "rt/internal.h"

static struct abi_layout layout_of(const struct wasm_module *w) {
    return abi_layout((struct abi_counts){w->imported_funcs, w->table_count, w->global_count, w->memory_count});
}

/* Room for what a module with few of everything has beside its context. */
enum { SMALL_ARRAYS = 256 };

static struct rt_instance *instance_new(struct rt_store *s, struct rt_module *m) {
    const struct wasm_module *w = &m->info;
    struct abi_layout layout = layout_of(w);
    struct arena a;
    arena_init(&a, &s->engine->source, 0);
    a.chunk = ALIGN_UP(sizeof(struct rt_instance) + layout.size + SMALL_ARRAYS, 256ul);
    struct rt_instance *i = ARENA_NEW(&a, struct rt_instance);
    if (!i) return NULL;
    *i = (struct rt_instance){.store = s, .module = m, .layout = layout};
    i->ctx = arena_alloc(&a, i->layout.size);
    i->imports = ARENA_ARRAY(&a, struct rt_import_func, w->imported_funcs);
    i->memories = ARENA_ARRAY(&a, struct rt_memory *, w->memory_count);
    i->users = ARENA_ARRAY(&a, struct rt_memory_user, w->memory_count);
    i->tables = ARENA_ARRAY(&a, struct rt_table *, w->table_count);
    i->tags = ARENA_ARRAY(&a, struct rt_tag *, w->tag_count);
    i->cells = ARENA_ARRAY(&a, struct rt_cell *, w->global_count);
    i->elems = ARENA_ARRAY(&a, struct rt_segment, w->elem_count);
    i->data_left = ARENA_ARRAY(&a, u32, w->data_count);
    i->handles = ARENA_ARRAY(&a, u32, w->func_count);
    if (a.failed) {
        arena_reset(&a);
        return NULL;
    }
    i->arena = a;
    for (u32 k = 0; k < w->memory_count; k++) list_init(&i->users[k].link);
    list_push_back(&s->instances, &i->link);
    rt_module_hold(m);
    return i;
}

void rt_instance_destroy(struct rt_instance *i) {
    const struct wasm_module *w = &i->module->info;
    struct rt_module *m = i->module;
    for (u32 k = 0; k < w->func_count; k++)
        if (i->handles[k]) rt_ref_free(i->store, i->handles[k]);
    for (u32 k = 0; k < w->memory_count; k++) {
        if (!i->memories[k]) continue;
        rt_memory_unuse(i->memories[k], &i->users[k]);
        if (k < w->imported_memories) rt_memory_drop(i->memories[k]);
        else rt_memory_disown(i->store, i->memories[k]);
    }
    for (u32 k = 0; k < w->table_count; k++)
        if (i->tables[k]) rt_table_drop(i->tables[k]);
    for (u32 k = 0; k < w->global_count; k++)
        if (i->cells[k]) rt_cell_drop(i->cells[k]);
    for (u32 k = 0; k < w->tag_count; k++)
        if (i->tags[k]) rt_tag_drop(i->tags[k]);
    list_remove(&i->link);
    struct arena a = i->arena; /* i lives in it */
    arena_reset(&a);
    rt_module_free(m);
}

void rt_instance_free(struct rt_instance *i) {
    if (!i) return;
    assert(!i->freed);
    i->freed = true;
    if (!i->shared) rt_instance_destroy(i);
}

struct rt_module *rt_instance_module(const struct rt_instance *i) { return i->module; }
struct rt_store *rt_instance_store(const struct rt_instance *i) { return i->store; }
struct abi_ctx *rt_instance_ctx(struct rt_instance *i) { return i->ctx; }

/* Where the value of a global is, whoever holds it. */
union abi_value *rt_global_at(struct rt_instance *i, u32 global) {
    assert(global < i->module->info.global_count);
    if (i->cells[global]) return &i->cells[global]->value;
    return (union abi_value *)((u8 *)i->ctx + i->layout.globals + (size_t)global * 16);
}

/* Functions. */

static bool is_int(wasm_type t) { return t == WASM_I32 || t == WASM_I64; }

/* Of at most two integers, to at most one: rt_call2 needs no thunk for it. */
static bool is_plain(const struct wasm_functype *t) {
    for (u32 k = 0; k < t->param_count; k++)
        if (!is_int(t->params[k])) return false;
    return t->param_count <= 2 && t->result_count <= 1 && (!t->result_count || is_int(t->results[0]));
}

void rt_resolve_func(struct rt_instance *i, u32 func, struct rt_callable *out) {
    const struct rt_module *m = i->module;
    const struct wasm_module *w = &m->info;
    assert(func < w->func_count);
    u32 type = w->funcs[func].type;
    *out = (struct rt_callable){.caller = i->ctx, .type = &w->types[type]};
    out->thunk = (abi_thunk *)(uptr)(m->exec + m->code.thunks[type]);
    if (func >= w->imported_funcs) {
        assert(wasm_func_escapes(w, func));
        out->func.code = m->exec + m->code.funcs[func - w->imported_funcs].entry;
        out->func.ctx = i->ctx;
        if (is_plain(out->type)) out->direct = out->func.code;
        return;
    }
    const struct rt_import_func *im = &i->imports[func];
    if (im->owner) {
        rt_resolve_func(im->owner, im->func, out);
        return;
    }
    assert(m->code.host_stubs[type] != UINT32_MAX);
    out->func.code = m->exec + m->code.host_stubs[type];
    out->func.ctx = (void *)(uptr)&im->host->host;
}

u32 rt_func_handle(struct rt_instance *i, u32 func) {
    assert(func < i->module->info.func_count);
    if (func < i->module->info.imported_funcs && i->imports[func].owner)
        return rt_func_handle(i->imports[func].owner, i->imports[func].func);
    if (!i->handles[func]) {
        struct rt_callable c;
        rt_resolve_func(i, func, &c);
        assert(abi_type_id(c.func.code) == i->module->type_ids[i->module->info.funcs[func].type]);
        struct rt_ref r = {.kind = RT_REF_FUNC, .func = func, .owner = i};
        i->handles[func] = rt_ref_new(i->store, &r, &c.func);
    }
    return i->handles[func];
}

/* The context. */

static void fill_imports(struct rt_instance *i) {
    const struct rt_module *m = i->module;
    struct abi_func *slots = (struct abi_func *)((u8 *)i->ctx + i->layout.imports);
    const void **direct = (const void **)((u8 *)i->ctx + i->layout.direct);
    for (u32 k = 0; k < m->info.imported_funcs; k++) {
        const struct rt_import_func *im = &i->imports[k];
        struct rt_callable c;
        rt_resolve_func(i, k, &c);
        slots[k] = c.func;
        direct[k] = m->code.adaptors[k] == UINT32_MAX ? NULL : im->host ? im->host->host.fn : m->exec + m->code.adaptors[k];
    }
}

static void fill_ctx(struct rt_instance *i) {
    const struct wasm_module *w = &i->module->info;
    struct abi_table **tables = (struct abi_table **)((u8 *)i->ctx + i->layout.tables);
    i->ctx->store = &i->store->abi;
    if (i->module->code.vectors || w->tag_count || i->module->code.site_count) i->store->abi.careful = 1;
    i->ctx->instance = i;
    memcpy(i->ctx->builtins, rt_builtins, sizeof i->ctx->builtins);
    fill_imports(i);
    for (u32 k = 0; k < w->table_count; k++) tables[k] = &i->tables[k]->abi;
    for (u32 k = 0; k < w->global_count; k++) {
        u8 *slot = (u8 *)i->ctx + i->layout.globals + (size_t)k * 16;
        if (i->cells[k]) *(union abi_value **)slot = &i->cells[k]->value;
    }
    for (u32 k = 0; k < w->memory_count; k++)
        rt_memory_use(i->memories[k], &i->users[k], (void *)((u8 *)i->ctx + abi_memory_offset(i->layout, k)));
}

/* What the module defines itself. */

static enum err own_memories(struct rt_instance *i, struct rt_error *error) {
    const struct wasm_module *w = &i->module->info;
    for (u32 k = w->imported_memories; k < w->memory_count; k++) {
        enum err e = rt_memory_new(i->store, &w->memories[k], &i->memories[k]);
        if (e)
            return rt_fail(error, e, SIZE_MAX, "memory %u of %llu pages: %s", k,
                           (unsigned long long)w->memories[k].limits.min, err_text(e));
    }
    return ERR_OK;
}

static enum err own_tables(struct rt_instance *i, struct rt_error *error) {
    const struct wasm_module *w = &i->module->info;
    for (u32 k = w->imported_tables; k < w->table_count; k++) {
        struct wasm_table t = w->tables[k];
        union abi_value init = {.bits = {0, 0}};
        t.type = rt_type_of(i->module, t.type);
        enum err e = t.has_init ? rt_eval(i, &t.init, &init) : ERR_OK;
        if (!e) e = rt_table_new(i->store, &t, init.i32, &i->tables[k]);
        if (e)
            return rt_fail(error, e, SIZE_MAX, "table %u of %llu elements: %s", k,
                           (unsigned long long)w->tables[k].limits.min, err_text(e));
    }
    return ERR_OK;
}

/* abi.h: an exported mutable global lives in a cell. */
static enum err own_cells(struct rt_instance *i, struct rt_error *error) {
    const struct wasm_module *w = &i->module->info;
    for (u32 k = 0; k < w->export_count; k++) {
        const struct wasm_export *x = &w->exports[k];
        if (x->kind != WASM_KIND_GLOBAL || !w->globals[x->index].mutable || i->cells[x->index]) continue;
        if (rt_cell_new(i->store, (union abi_value){.bits = {0, 0}}, &i->cells[x->index]))
            return rt_fail(error, ERR_NOMEM, SIZE_MAX, "out of memory for globals");
    }
    return ERR_OK;
}

/* What may hold a reference to an exception beyond a call. */
static bool has_exn_roots(const struct wasm_module *w) {
    for (u32 k = 0; k < w->table_count; k++)
        if (rt_is_exn_ref(w->tables[k].type)) return true;
    for (u32 k = 0; k < w->global_count; k++)
        if (rt_is_exn_ref(w->globals[k].type)) return true;
    return false;
}

static enum err own_tags(struct rt_instance *i, struct rt_error *error) {
    const struct wasm_module *w = &i->module->info;
    for (u32 k = w->imported_tags; k < w->tag_count; k++) {
        const struct rt_type *t = i->module->types[w->tags[k].type];
        if (rt_tag_new(i->store, t->id, t->sig, t->params, &i->tags[k]))
            return rt_fail(error, ERR_NOMEM, SIZE_MAX, "out of memory for tags");
    }
    return ERR_OK;
}

static enum err build(struct rt_instance *i, const struct rt_linker *l, const struct rt_given *given,
                      struct rt_error *error) {
    enum err e;
    if ((e = rt_link(i, l, given, error))) return e;
    if ((e = own_memories(i, error))) return e;
    if ((e = own_tables(i, error))) return e;
    if ((e = own_cells(i, error))) return e;
    if ((e = own_tags(i, error))) return e;
    if (has_exn_roots(&i->module->info)) i->store->exn_roots = true;
    fill_ctx(i);
    if ((e = rt_init_globals(i)) || (e = rt_init_segments(i)))
        return rt_fail(error, e, SIZE_MAX, "initialisers: %s", err_text(e));
    return ERR_OK;
}

static enum abi_trap run_start(struct rt_instance *i) {
    u32 start = i->module->info.start;
    union abi_value none[1] = {0};
    struct rt_callable c;
    if (start == WASM_NONE) return ABI_TRAP_NONE;
    rt_resolve_func(i, start, &c);
    return rt_call(&c, none);
}

static enum err instantiate(struct rt_store *s, struct rt_module *m, const struct rt_linker *l,
                            const struct rt_given *given, struct rt_instance **out, enum abi_trap *trap,
                            struct rt_error *error) {
    assert(s->engine == m->engine && (!l || l->engine == s->engine));
    if (trap) *trap = ABI_TRAP_NONE;
    struct rt_instance *i = instance_new(s, m);
    if (!i) return rt_fail(error, ERR_NOMEM, SIZE_MAX, "out of memory for an instance");
    enum err e = build(i, l, given, error);
    if (e) {
        rt_instance_destroy(i); /* nothing was written outside, so shared does not matter */
        return e;
    }
    enum abi_trap t = rt_run_segments(i);
    const char *where = t ? "segments" : "start function";
    if (t) s->frame_count = 0; /* no call was made */
    if (!t) t = run_start(i);
    if (t) {
        if (trap) *trap = t;
        rt_instance_free(i); /* stays if what it wrote may name it */
        return rt_fail(error, ERR_TRAP, SIZE_MAX, "%s: %s", where, rt_trap_text(t));
    }
    *out = i;
    return ERR_OK;
}

enum err rt_instantiate(struct rt_store *s, struct rt_module *m, const struct rt_linker *l,
                        struct rt_instance **out, enum abi_trap *trap, struct rt_error *error) {
    return instantiate(s, m, l, NULL, out, trap, error);
}

enum err rt_instantiate_given(struct rt_store *s, struct rt_module *m, const struct rt_given *given, u32 count,
                              struct rt_instance **out, enum abi_trap *trap, struct rt_error *error) {
    static const struct rt_given none;
    if (trap) *trap = ABI_TRAP_NONE;
    if (count != m->info.import_count)
        return rt_fail(error, ERR_LINK, SIZE_MAX, "%u imports given, module has %u", count, m->info.import_count);
    return instantiate(s, m, NULL, count ? given : &none, out, trap, error);
}
