/* validate.c: the module as a whole (WebAssembly 2.0, 3.4).
 *
 * I1 every index outside of function bodies is checked here, before bodies
 *    are: bodies may use types, tables, memories and globals unasked.
 * I2 a global's initialiser sees the globals before it; segments see all. */
#include "base/assert.h"
#include "base/mem.h"
#include "wasm/order.h"
#include "wasm/validator.h"

static enum err fail_at(struct validator *v, u32 at, const char *text) {
    v->at = at;
    return validator_fail(v, ERR_INVALID, "%s", text);
}

static enum err unknown_at(struct validator *v, u32 at, const char *what, u32 index) {
    v->at = at;
    return validator_fail(v, ERR_INVALID, "unknown %s %u", what, index);
}

static enum err check_limits(struct validator *v, u32 at, const struct wasm_limits *l, u64 ceiling,
                             const char *too_large) {
    if (l->min > ceiling || l->max > ceiling) return fail_at(v, at, too_large);
    if (l->min > l->max) return fail_at(v, at, "size minimum must not be greater than maximum");
    return ERR_OK;
}

static enum err check_memory(struct validator *v, const struct wasm_memory *mem) {
    const char *too_large = "memory size must be at most 65536 pages (4GiB)";
    if (mem->byte_pages || mem->limits.is64) too_large = "memory size must be at most what an index can reach";
    if (mem->limits.shared && !mem->limits.has_max) return fail_at(v, mem->at, "shared memory must have maximum");
    return check_limits(v, mem->at, &mem->limits, wasm_most_pages(mem), too_large);
}

/* limit: types below it may be named. */
static enum err check_type(struct validator *v, u32 at, wasm_type t, u32 limit) {
    bool known = !(t & WASM_TYPE_INDEX) || wasm_type_index(t) < limit;
    return known ? ERR_OK : unknown_at(v, at, "type", wasm_type_index(t));
}

/* Types name themselves and earlier ones; everything else names any. */
static enum err check_types(struct validator *v) {
    const struct wasm_module *m = v->m;
    u32 n = m->type_count;
    enum err e = ERR_OK;
    for (u32 i = 0; !e && i < n; i++) {
        const struct wasm_functype *t = &m->types[i];
        for (u32 k = 0; !e && k < t->param_count; k++) e = check_type(v, t->at, t->params[k], i + 1);
        for (u32 k = 0; !e && k < t->result_count; k++) e = check_type(v, t->at, t->results[k], i + 1);
    }
    for (u32 i = 0; !e && i < m->table_count; i++) e = check_type(v, m->tables[i].at, m->tables[i].type, n);
    for (u32 i = 0; !e && i < m->global_count; i++) e = check_type(v, m->globals[i].at, m->globals[i].type, n);
    for (u32 i = 0; !e && i < m->elem_count; i++) e = check_type(v, m->elems[i].at, m->elems[i].type, n);
    return e;
}

static enum err check_tags(struct validator *v) {
    const struct wasm_module *m = v->m;
    for (u32 i = 0; i < m->tag_count; i++) {
        const struct wasm_tag *t = &m->tags[i];
        if (t->type >= m->type_count) return unknown_at(v, t->at, "type", t->type);
        if (m->types[t->type].result_count) return fail_at(v, t->at, "non-empty tag result type");
    }
    return ERR_OK;
}

static enum err check_declarations(struct validator *v) {
    struct wasm_module *m = v->m;
    enum err e = check_types(v);
    if (e) return e;
    for (u32 i = 0; i < m->func_count; i++)
        if (m->funcs[i].type >= m->type_count)
            return unknown_at(v, m->funcs[i].at, "type", m->funcs[i].type);
    if ((e = check_tags(v))) return e;
    for (u32 i = 0; !e && i < m->table_count; i++)
        e = check_limits(v, m->tables[i].at, &m->tables[i].limits, m->tables[i].limits.is64 ? UINT64_MAX : UINT32_MAX,
                         "table size must be at most 2^32-1");
    for (u32 i = 0; !e && i < m->memory_count; i++)
        e = check_memory(v, &m->memories[i]);
    return e;
}

/* Function references that may be taken are those that occur outside of
 * bodies (3.4.10, C.refs). */
static void declare(struct wasm_module *m, const struct wasm_init *init) {
    if (init->kind == WASM_INIT_REF_FUNC && init->value < m->func_count)
        m->funcs[init->value].declared_ref = true;
}

static void declare_refs(struct wasm_module *m) {
    for (u32 i = 0; i < m->export_count; i++)
        if (m->exports[i].kind == WASM_KIND_FUNC && m->exports[i].index < m->func_count)
            m->funcs[m->exports[i].index].declared_ref = true;
    for (u32 i = m->imported_globals; i < m->global_count; i++) declare(m, &m->globals[i].init);
    for (u32 i = m->imported_tables; i < m->table_count; i++)
        if (m->tables[i].has_init) declare(m, &m->tables[i].init);
    for (u32 i = 0; i < m->elem_count; i++)
        for (u32 k = 0; k < m->elems[i].count; k++) declare(m, &m->elems[i].items[k]);
}

static enum err check_globals(struct validator *v) {
    struct wasm_module *m = v->m;
    enum err e = ERR_OK;
    for (u32 i = m->imported_globals; !e && i < m->global_count; i++) {
        v->globals_end = i;
        e = validate_init(v, &m->globals[i].init, m->globals[i].type);
    }
    v->globals_end = m->global_count;
    return e;
}

/* An initialiser sees imported globals only: tables come first (3.0, 3.5). */
static enum err check_tables(struct validator *v) {
    struct wasm_module *m = v->m;
    enum err e = ERR_OK;
    v->globals_end = m->imported_globals;
    for (u32 i = m->imported_tables; !e && i < m->table_count; i++) {
        const struct wasm_table *t = &m->tables[i];
        if (t->has_init) e = validate_init(v, &t->init, t->type);
        else if (!wasm_has_default(t->type)) e = fail_at(v, t->at, "type mismatch: the table needs an initialiser");
    }
    v->globals_end = m->global_count;
    return e;
}

static enum err check_elem(struct validator *v, const struct wasm_elem *s) {
    struct wasm_module *m = v->m;
    if (s->mode == WASM_ACTIVE) {
        if (s->table >= m->table_count) return unknown_at(v, s->at, "table", s->table);
        if (!wasm_subtype(s->type, m->tables[s->table].type))
            return fail_at(v, s->at, "type mismatch: element segment and table");
        enum err e = validate_init(v, &s->offset, m->tables[s->table].limits.is64 ? WASM_I64 : WASM_I32);
        if (e) return e;
    }
    for (u32 i = 0; i < s->count; i++) {
        enum err e = validate_init(v, &s->items[i], s->type);
        if (e) return e;
    }
    return ERR_OK;
}

static enum err check_data_segment(struct validator *v, const struct wasm_data *s) {
    if (s->mode != WASM_ACTIVE) return ERR_OK;
    if (s->memory >= v->m->memory_count) return unknown_at(v, s->at, "memory", s->memory);
    return validate_init(v, &s->offset, v->m->memories[s->memory].limits.is64 ? WASM_I64 : WASM_I32);
}

static enum err check_segments(struct validator *v) {
    enum err e = ERR_OK;
    for (u32 i = 0; !e && i < v->m->elem_count; i++) e = check_elem(v, &v->m->elems[i]);
    for (u32 i = 0; !e && i < v->m->data_count; i++) e = check_data_segment(v, &v->m->datas[i]);
    return e;
}

static enum err check_start(struct validator *v) {
    const struct wasm_module *m = v->m;
    if (m->start == WASM_NONE) return ERR_OK;
    if (m->start >= m->func_count) return unknown_at(v, m->start_at, "function", m->start);
    const struct wasm_functype *t = &m->types[m->funcs[m->start].type];
    if (t->param_count || t->result_count)
        return fail_at(v, m->start_at, "start function must have no parameters and results");
    return ERR_OK;
}

static int compare_exports(const void *self, u32 a, u32 b) {
    const struct wasm_export *x = self;
    return wasm_compare_bytes(x[a].name, x[b].name);
}

static enum err check_export_names(struct validator *v) {
    const struct wasm_module *m = v->m;
    struct arena_mark mark = arena_mark(v->arena);
    u32 *order = arena_array(v->arena, m->export_count, 2 * sizeof *order);
    if (!order) return validator_fail(v, ERR_NOMEM, "out of memory");
    for (u32 i = 0; i < m->export_count; i++) order[i] = i;
    wasm_order(order, order + m->export_count, m->export_count, compare_exports, m->exports);
    enum err e = ERR_OK;
    for (u32 i = 1; !e && i < m->export_count; i++)
        if (!compare_exports(m->exports, order[i - 1], order[i]))
            e = fail_at(v, m->exports[order[i]].at, "duplicate export name");
    arena_release(v->arena, mark);
    return e;
}

static enum err check_exports(struct validator *v) {
    const struct wasm_module *m = v->m;
    const struct {
        const char *name;
        u32 count;
    } spaces[] = {
        [WASM_KIND_FUNC] = {"function", m->func_count},
        [WASM_KIND_TABLE] = {"table", m->table_count},
        [WASM_KIND_MEMORY] = {"memory", m->memory_count},
        [WASM_KIND_GLOBAL] = {"global", m->global_count},
        [WASM_KIND_TAG] = {"tag", m->tag_count},
    };
    for (u32 i = 0; i < m->export_count; i++) {
        const struct wasm_export *x = &m->exports[i];
        assert(x->kind < ARRAY_LEN(spaces));
        if (x->index >= spaces[x->kind].count)
            return unknown_at(v, x->at, spaces[x->kind].name, x->index);
    }
    return check_export_names(v);
}

static enum err check_bodies(struct validator *v) {
    enum err e = ERR_OK;
    for (u32 i = v->m->imported_funcs; !e && i < v->m->func_count; i++)
        e = validate_func(v, &v->m->funcs[i]);
    return e;
}

/* Room for small functions, which then take none of the arena. */
struct few {
    wasm_type locals[64], stack[64];
    u32 reads[64];
    struct frame frames[4];
};

enum err wasm_validate(struct arena *a, struct wasm_module *m, struct wasm_error *error) {
    struct few few;
    struct validator v = {.arena = a, .m = m, .error = error, .globals_end = m->global_count, .locals = few.locals,
                          .locals_room = ARRAY_LEN(few.locals), .stack = few.stack, .stack_room = ARRAY_LEN(few.stack),
                          .reads = few.reads, .reads_room = ARRAY_LEN(few.reads), .frames = few.frames,
                          .frames_room = ARRAY_LEN(few.frames)};
    enum err e = check_declarations(&v);
    if (e) return e;
    declare_refs(m);
    if ((e = check_exports(&v)) || (e = check_tables(&v)) || (e = check_globals(&v)) || (e = check_segments(&v)) ||
        (e = check_start(&v)))
        return e;
    return check_bodies(&v);
}
