/* decode_entries.c: imports, tables, memories, globals, exports, start.
 *
 * I1 m->imported_X is final after the import section, and the first
 *    imported_X entries of an index space are the imports, in their order. */
#include "base/assert.h"
#include "base/mem.h"
#include "wasm/decoder.h"

enum { LIMITS_MAX = 1, LIMITS_SHARED = 2, LIMITS_64 = 4, LIMITS_PAGE = 8 };

/* Ranges are wasm_validate's; ceiling (for 32-bit indices, for 64-bit ones) is
 * the maximum that holds when none is declared. */
static enum err take_limits(struct decoder *d, u64 ceiling, u64 ceiling64, u8 allowed, struct wasm_limits *l) {
    struct cursor before = d->c;
    u8 flags;
    enum err e = wasm_take_byte(&d->c, &flags, &d->why);
    if (e) return e;
    if (flags & ~allowed) {
        d->c = before;
        return decode_fail(d, ERR_MALFORMED, "malformed limits flags");
    }
    *l = (struct wasm_limits){.has_max = flags & LIMITS_MAX, .is64 = flags & LIMITS_64, .shared = flags & LIMITS_SHARED};
    l->max = l->is64 ? ceiling64 : ceiling;
    if ((e = wasm_take_u64(&d->c, &l->min, &d->why))) return e;
    return l->has_max ? wasm_take_u64(&d->c, &l->max, &d->why) : ERR_OK;
}

static enum err take_table(struct decoder *d, struct wasm_table *t) {
    t->at = decode_at(d);
    enum err e = decode_reftype(d, &t->type);
    return e ? e : take_limits(d, UINT32_MAX, UINT64_MAX, LIMITS_MAX | LIMITS_64, &t->limits);
}

/* A table of the module's own may have an initialiser. */
static enum err take_own_table(struct decoder *d, struct wasm_table *t) {
    t->has_init = cursor_left(&d->c) >= 2 && d->c.p[0] == 0x40 && d->c.p[1] == 0;
    if (!t->has_init) return take_table(d, t);
    d->c.p += 2;
    enum err e = take_table(d, t);
    return e ? e : decode_init(d, t->type, &t->init);
}

/* Custom page sizes: log2 of the page's bytes. 1 and 65536 are the valid ones. */
static enum err take_page(struct decoder *d, struct wasm_memory *mem) {
    struct cursor before = d->c;
    u32 log2;
    enum err e = decode_u32(d, &log2);
    if (e) return e;
    mem->byte_pages = !log2;
    if (!log2 || log2 == WASM_PAGE_LOG2) return ERR_OK;
    d->c = before;
    return decode_fail(d, log2 < 64 ? ERR_INVALID : ERR_MALFORMED, "invalid custom page size");
}

static enum err take_memory(struct decoder *d, struct wasm_memory *mem) {
    bool custom = cursor_left(&d->c) && d->c.p[0] & LIMITS_PAGE;
    mem->at = decode_at(d);
    enum err e = take_limits(d, 0, 0, LIMITS_MAX | LIMITS_SHARED | LIMITS_64 | LIMITS_PAGE, &mem->limits);
    if (!e && custom) e = take_page(d, mem);
    if (e == ERR_TRUNCATED && custom) d->why = "malformed limits flags: no page size behind them";
    if (!e && !mem->limits.has_max) mem->limits.max = wasm_most_pages(mem);
    return e;
}

static enum err take_globaltype(struct decoder *d, struct wasm_global *g) {
    g->at = decode_at(d);
    enum err e = decode_valtype(d, &g->type);
    if (e) return e;
    struct cursor before = d->c;
    u8 flags;
    if ((e = wasm_take_byte(&d->c, &flags, &d->why))) return e;
    if (flags > 1) {
        d->c = before;
        return decode_fail(d, ERR_MALFORMED, "malformed mutability");
    }
    g->mutable = flags;
    return ERR_OK;
}

static enum err few_memories(struct decoder *d, u64 count) {
    return count > WASM_MAX_MEMORIES ? decode_fail(d, ERR_LIMIT, "too many memories") : ERR_OK;
}

/* An entry for each kind, of which one was read. */
struct import_desc {
    struct wasm_func func;
    struct wasm_table table;
    struct wasm_memory memory;
    struct wasm_global global;
    struct wasm_tag tag;
};

/* Attribute 0 is an exception; nothing else has been assigned. */
static enum err take_tag(struct decoder *d, struct wasm_tag *t) {
    struct cursor before = d->c;
    u8 attribute;
    t->at = decode_at(d);
    enum err e = wasm_take_byte(&d->c, &attribute, &d->why);
    if (e) return e;
    if (!attribute) return decode_u32(d, &t->type);
    d->c = before;
    return decode_fail(d, ERR_MALFORMED, "malformed tag attribute");
}

static enum err take_import(struct decoder *d, struct wasm_import *i, struct import_desc *x) {
    enum err e;
    u8 kind;
    i->at = decode_at(d);
    if ((e = decode_name(d, &i->module))) return e;
    if ((e = decode_name(d, &i->name))) return e;
    struct cursor before = d->c;
    if ((e = wasm_take_byte(&d->c, &kind, &d->why))) return e;
    i->kind = (enum wasm_kind)kind;
    switch (i->kind) {
    case WASM_KIND_FUNC:
        x->func = (struct wasm_func){.at = decode_at(d)};
        return decode_u32(d, &x->func.type);
    case WASM_KIND_TABLE: return take_table(d, &x->table);
    case WASM_KIND_MEMORY: return take_memory(d, &x->memory);
    case WASM_KIND_GLOBAL: return take_globaltype(d, &x->global);
    case WASM_KIND_TAG: return take_tag(d, &x->tag);
    }
    d->c = before;
    return decode_fail(d, ERR_MALFORMED, "malformed import kind");
}

/* First pass: how many of each kind. Leaves the cursor alone unless it fails. */
static enum err count_imports(struct decoder *d, u32 count) {
    struct wasm_module *m = d->m;
    struct cursor before = d->c;
    u32 counts[WASM_KIND_TAG + 1] = {0};
    for (u32 i = 0; i < count; i++) {
        struct wasm_import import;
        struct import_desc x = {0};
        enum err e = take_import(d, &import, &x);
        if (e) return e;
        assert(import.kind <= WASM_KIND_TAG);
        counts[import.kind]++;
        if (import.kind == WASM_KIND_MEMORY && (e = few_memories(d, counts[import.kind]))) return e;
    }
    m->imported_funcs = counts[WASM_KIND_FUNC];
    m->imported_tables = counts[WASM_KIND_TABLE];
    m->imported_memories = counts[WASM_KIND_MEMORY];
    m->imported_globals = counts[WASM_KIND_GLOBAL];
    m->imported_tags = counts[WASM_KIND_TAG];
    d->c = before;
    return ERR_OK;
}

static void place_import(struct wasm_module *m, struct wasm_import *i, const struct import_desc *x) {
    switch (i->kind) {
    case WASM_KIND_FUNC:
        i->index = m->func_count++;
        m->funcs[i->index] = x->func;
        return;
    case WASM_KIND_TABLE:
        i->index = m->table_count++;
        m->tables[i->index] = x->table;
        return;
    case WASM_KIND_MEMORY:
        i->index = m->memory_count++;
        m->memories[i->index] = x->memory;
        return;
    case WASM_KIND_GLOBAL:
        i->index = m->global_count++;
        m->globals[i->index] = x->global;
        return;
    case WASM_KIND_TAG:
        i->index = m->tag_count++;
        m->tags[i->index] = x->tag;
        return;
    }
}

enum err decode_imports(struct decoder *d) {
    struct wasm_module *m = d->m;
    u32 count;
    enum err e = decode_count(d, WASM_MAX_IMPORTS, &count);
    if (e) return e;
    if ((e = count_imports(d, count))) return e;
    if ((e = decode_array(d, count, sizeof *m->imports, &m->imports)) ||
        (e = decode_array(d, m->imported_funcs, sizeof *m->funcs, &m->funcs)) ||
        (e = decode_array(d, m->imported_tables, sizeof *m->tables, &m->tables)) ||
        (e = decode_array(d, m->imported_memories, sizeof *m->memories, &m->memories)) ||
        (e = decode_array(d, m->imported_globals, sizeof *m->globals, &m->globals)) ||
        (e = decode_array(d, m->imported_tags, sizeof *m->tags, &m->tags)))
        return e;
    for (u32 i = 0; i < count; i++) {
        struct import_desc x = {0};
        if ((e = take_import(d, &m->imports[i], &x))) return e;
        place_import(m, &m->imports[i], &x);
    }
    m->import_count = count;
    assert(m->func_count == m->imported_funcs && m->global_count == m->imported_globals);
    return ERR_OK;
}

enum err decode_tables(struct decoder *d) {
    struct wasm_module *m = d->m;
    u32 count;
    enum err e = decode_count(d, WASM_MAX_TABLES, &count);
    if (e) return e;
    if ((e = decode_extend(d, m->tables, m->table_count, count, sizeof *m->tables, &m->tables)))
        return e;
    for (u32 i = 0; i < count; i++)
        if ((e = take_own_table(d, &m->tables[m->table_count + i]))) return e;
    m->table_count += count;
    return ERR_OK;
}

enum err decode_memories(struct decoder *d) {
    struct wasm_module *m = d->m;
    u32 count;
    enum err e = decode_count(d, UINT32_MAX, &count);
    if (e) return e;
    if ((e = few_memories(d, (u64)m->memory_count + count))) return e;
    if ((e = decode_extend(d, m->memories, m->memory_count, count, sizeof *m->memories,
                           &m->memories)))
        return e;
    for (u32 i = 0; i < count; i++)
        if ((e = take_memory(d, &m->memories[m->memory_count + i]))) return e;
    m->memory_count += count;
    return ERR_OK;
}

enum err decode_globals(struct decoder *d) {
    struct wasm_module *m = d->m;
    u32 count;
    enum err e = decode_count(d, WASM_MAX_GLOBALS, &count);
    if (e) return e;
    if ((e = decode_extend(d, m->globals, m->global_count, count, sizeof *m->globals, &m->globals)))
        return e;
    for (u32 i = 0; i < count; i++) {
        struct wasm_global *g = &m->globals[m->global_count + i];
        if ((e = take_globaltype(d, g))) return e;
        if ((e = decode_init(d, g->type, &g->init))) return e;
    }
    m->global_count += count;
    return ERR_OK;
}

enum err decode_tags(struct decoder *d) {
    struct wasm_module *m = d->m;
    u32 count;
    enum err e = decode_count(d, WASM_MAX_TAGS, &count);
    if (e) return e;
    if ((e = decode_extend(d, m->tags, m->tag_count, count, sizeof *m->tags, &m->tags))) return e;
    for (u32 i = 0; i < count; i++)
        if ((e = take_tag(d, &m->tags[m->tag_count + i]))) return e;
    m->tag_count += count;
    return ERR_OK;
}

static enum err take_export(struct decoder *d, struct wasm_export *x) {
    enum err e;
    u8 kind;
    x->at = decode_at(d);
    if ((e = decode_name(d, &x->name))) return e;
    struct cursor before = d->c;
    if ((e = wasm_take_byte(&d->c, &kind, &d->why))) return e;
    if (kind > WASM_KIND_TAG) {
        d->c = before;
        return decode_fail(d, ERR_MALFORMED, "malformed export kind");
    }
    x->kind = (enum wasm_kind)kind;
    return decode_u32(d, &x->index);
}

enum err decode_exports(struct decoder *d) {
    struct wasm_module *m = d->m;
    u32 count;
    enum err e = decode_count(d, WASM_MAX_EXPORTS, &count);
    if (e) return e;
    if ((e = decode_array(d, count, sizeof *m->exports, &m->exports))) return e;
    for (u32 i = 0; i < count; i++)
        if ((e = take_export(d, &m->exports[i]))) return e;
    m->export_count = count;
    return ERR_OK;
}

enum err decode_start(struct decoder *d) {
    d->m->start_at = decode_at(d);
    return decode_u32(d, &d->m->start);
}
