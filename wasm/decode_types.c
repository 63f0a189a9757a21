/* decode_types.c: the type, function, code and data count sections.
 *
 * I1 types with equal parameters and results have the same canon. */
#include "base/assert.h"
#include "base/mem.h"
#include "wasm/decoder.h"
#include "wasm/order.h"

static enum err take_valtypes(struct decoder *d, u32 limit, const wasm_type **out, u32 *count) {
    wasm_type *types;
    enum err e = decode_count(d, limit, count);
    if (e) return e;
    if ((e = decode_array(d, *count, sizeof *types, &types))) return e;
    for (u32 i = 0; !e && i < *count; i++) e = wasm_take_valtype(&d->c, &types[i], &d->why);
    *out = types;
    return e;
}

static enum err take_functype(struct decoder *d, struct wasm_functype *t) {
    u8 form;
    struct cursor before = d->c;
    t->at = decode_at(d);
    enum err e = wasm_take_byte(&d->c, &form, &d->why);
    if (e) return e;
    if (form != 0x60) {
        d->c = before;
        if (form == 0x5f || form == 0x5e || form == 0x50 || form == 0x4f || form == 0x4e)
            return decode_fail(d, ERR_UNSUPPORTED, "GC: type definition");
        if (form == 0x5d) return decode_fail(d, ERR_UNSUPPORTED, "stack switching: type definition");
        if (form & 0x80)
            return decode_fail(d, ERR_MALFORMED, "integer representation too long");
        return decode_fail(d, ERR_MALFORMED, "malformed type definition");
    }
    if ((e = take_valtypes(d, WASM_MAX_PARAMS, &t->params, &t->param_count))) return e;
    return take_valtypes(d, WASM_MAX_RESULTS, &t->results, &t->result_count);
}

static int compare_lists(const wasm_type *a, u32 na, const wasm_type *b, u32 nb) {
    return wasm_compare_bytes((struct bytes){(const u8 *)a, na * sizeof *a}, (struct bytes){(const u8 *)b, nb * sizeof *b});
}

static int compare_types(const void *self, u32 a, u32 b) {
    const struct wasm_functype *types = self, *x = &types[a], *y = &types[b];
    int c = compare_lists(x->params, x->param_count, y->params, y->param_count);
    return c ? c : compare_lists(x->results, x->result_count, y->results, y->result_count);
}

static u32 index_of(wasm_type t) { return t & WASM_TYPE_INDEX ? wasm_type_index(t) : UINT32_MAX; }

static void each_type(struct wasm_functype *t, u32 self, const struct wasm_module *m,
                      wasm_type (*map)(const struct wasm_module *, u32 self, wasm_type)) {
    wasm_type *p = (wasm_type *)(uptr)t->params, *r = (wasm_type *)(uptr)t->results; /* ours still */
    for (u32 i = 0; i < t->param_count; i++) p[i] = map(m, self, p[i]);
    for (u32 i = 0; i < t->result_count; i++) r[i] = map(m, self, r[i]);
}

/* Itself as SELF, earlier types by their canon: so equal types compare equal.
 * A later type stays as it is: wasm_validate refuses it. */
enum { SELF = UINT32_MAX >> WASM_TYPE_INDEX_SHIFT };
static_assert((u32)SELF > (u32)WASM_MAX_TYPES, "no type's index");

static wasm_type with_index(wasm_type t, u32 index) {
    return (t & ((1u << WASM_TYPE_INDEX_SHIFT) - 1)) | index << WASM_TYPE_INDEX_SHIFT;
}

static wasm_type to_self(const struct wasm_module *m, u32 self, wasm_type t) {
    u32 index = index_of(t);
    if (index == self) return with_index(t, SELF);
    return index < self ? with_index(t, m->types[index].canon) : t;
}

static wasm_type from_self(const struct wasm_module *m, u32 self, wasm_type t) {
    return index_of(t) == SELF ? with_index(t, m->types[self].canon) : t;
}

/* Types of level 0 mention no other; of level n, none above n - 1. */
static u32 level_above(const wasm_type *t, u32 n, u32 self, const u32 *levels) {
    u32 level = 0;
    for (u32 i = 0; i < n; i++)
        if (index_of(t[i]) < self) level = MAX(level, levels[index_of(t[i])] + 1);
    return level;
}

static int compare_levels(const void *self, u32 a, u32 b) {
    const u32 *levels = self;
    return levels[a] < levels[b] ? -1 : levels[a] > levels[b];
}

/* order: n types of one level. The sort is stable, so the first of a run of
 * equal types is the smallest. */
static void canonicalise_level(struct wasm_module *m, u32 *order, u32 *spare, u32 n) {
    for (u32 i = 0; i < n; i++) each_type(&m->types[order[i]], order[i], m, to_self);
    wasm_order(order, spare, n, compare_types, m->types);
    for (u32 i = 0; i < n; i++) {
        bool same = i > 0 && !compare_types(m->types, order[i - 1], order[i]);
        m->types[order[i]].canon = same ? m->types[order[i - 1]].canon : order[i];
        assert(m->types[order[i]].canon <= order[i]);
    }
    for (u32 i = 0; i < n; i++) each_type(&m->types[order[i]], order[i], m, from_self);
}

static enum err canonicalise(struct decoder *d) {
    struct wasm_module *m = d->m;
    struct arena_mark mark = arena_mark(d->arena);
    u32 *order, n = m->type_count;
    enum err e = decode_array(d, n, 3 * sizeof *order, &order);
    if (e) return e;
    u32 *spare = order + n, *levels = spare + n;
    for (u32 i = 0; i < n; i++) {
        const struct wasm_functype *t = &m->types[i];
        order[i] = i;
        levels[i] = MAX(level_above(t->params, t->param_count, i, levels), level_above(t->results, t->result_count, i, levels));
    }
    wasm_order(order, spare, n, compare_levels, levels);
    for (u32 low = 0, high; low < n; low = high) {
        for (high = low; high < n && levels[order[high]] == levels[order[low]]; high++) {}
        canonicalise_level(m, order + low, spare, high - low);
    }
    arena_release(d->arena, mark);
    return ERR_OK;
}

static enum err canonical(struct decoder *d, enum err e, wasm_type *t) {
    if (!e) *t = wasm_canonical(d->m, *t);
    return e;
}

enum err decode_valtype(struct decoder *d, wasm_type *out) {
    return canonical(d, wasm_take_valtype(&d->c, out, &d->why), out);
}

enum err decode_reftype(struct decoder *d, wasm_type *out) {
    return canonical(d, wasm_take_reftype(&d->c, out, &d->why), out);
}

enum err decode_types(struct decoder *d) {
    struct wasm_module *m = d->m;
    u32 count;
    enum err e = decode_count(d, WASM_MAX_TYPES, &count);
    if (e) return e;
    if ((e = decode_array(d, count, sizeof *m->types, &m->types))) return e;
    for (u32 i = 0; i < count; i++)
        if ((e = take_functype(d, &m->types[i]))) return e;
    m->type_count = count;
    return canonicalise(d);
}

enum err decode_funcs(struct decoder *d) {
    struct wasm_module *m = d->m;
    u32 count;
    enum err e = decode_count(d, WASM_MAX_FUNCS, &count);
    if (e) return e;
    if ((e = decode_extend(d, m->funcs, m->func_count, count, sizeof *m->funcs, &m->funcs))) return e;
    for (u32 i = 0; i < count; i++) {
        struct wasm_func *f = &m->funcs[m->func_count + i];
        f->at = decode_at(d);
        if ((e = decode_u32(d, &f->type))) return e;
    }
    m->func_count += count;
    return ERR_OK;
}

/* Declarations of locals. The sum alone could be larger than memory. */
static enum err take_locals(struct decoder *d, struct wasm_func *f) {
    u64 sum = 0;
    enum err e = decode_count(d, UINT32_MAX, &f->local_runs);
    if (e) return e;
    if ((e = decode_array(d, f->local_runs, sizeof *f->locals, &f->locals))) return e;
    for (u32 i = 0; i < f->local_runs; i++) {
        struct wasm_locals *l = &f->locals[i];
        if ((e = decode_u32(d, &l->count))) return e;
        if ((e = decode_valtype(d, &l->type))) return e;
        sum += l->count; /* at most 2^23 runs of 2^32 */
    }
    if (sum > WASM_MAX_LOCALS)
        return decode_fail(d, sum > UINT32_MAX ? ERR_MALFORMED : ERR_LIMIT, "too many locals");
    f->local_count = (u32)sum; /* wasm_validate adds the parameters */
    return ERR_OK;
}

static enum err take_body(struct decoder *d, struct wasm_func *f) {
    struct cursor before = d->c;
    u32 size;
    enum err e = decode_u32(d, &size);
    if (e) return e;
    if (size > cursor_left(&d->c)) return decode_fail(d, ERR_TRUNCATED, "unexpected end");
    if (size > WASM_MAX_BODY) {
        d->c = before;
        return decode_fail(d, ERR_LIMIT, "function body too large");
    }
    const u8 *section_end = d->c.end;
    d->c.end = d->c.p + size;
    if ((e = take_locals(d, f))) return e;
    f->code = (struct bytes){d->c.p, cursor_left(&d->c)};
    f->code_offset = decode_at(d);
    if (!f->code.n) return decode_fail(d, ERR_TRUNCATED, "unexpected end");
    d->c.p = d->c.end;
    d->c.end = section_end;
    return ERR_OK;
}

enum err decode_code(struct decoder *d) {
    struct wasm_module *m = d->m;
    struct cursor before = d->c;
    u32 count;
    enum err e = decode_u32(d, &count);
    if (e) return e;
    if (count > m->func_count - m->imported_funcs) {
        d->c = before;
        return decode_fail(d, ERR_MALFORMED, "function and code section have inconsistent lengths");
    } /* fewer: check_counts sees a function without code */
    for (u32 i = 0; i < count; i++)
        if ((e = take_body(d, &m->funcs[m->imported_funcs + i]))) return e;
    return ERR_OK;
}

enum err decode_data_count(struct decoder *d) {
    d->m->has_data_count = true;
    return decode_u32(d, &d->m->data_count_declared);
}
