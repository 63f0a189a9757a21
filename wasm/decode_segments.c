/* decode_segments.c: constant expressions, element and data segments.
 *
 * I1 an init that is one plain instruction is classified here; its operands
 *    are looked up by wasm_validate, as those of longer ones are. */
#include "base/assert.h"
#include "base/mem.h"
#include "wasm/decoder.h"
#include "wasm/opcodes.h"

/* One instruction alone. false: it keeps its code. */
static bool classify(const struct wasm_instr *i, struct wasm_init *out) {
    static const wasm_type types[] = {WASM_I32, WASM_I64, WASM_F32, WASM_F64};
    switch ((u32)i->op) {
    case WASM_OP_I32_CONST:
    case WASM_OP_I64_CONST:
    case WASM_OP_F32_CONST:
    case WASM_OP_F64_CONST:
        *out = (struct wasm_init){.kind = WASM_INIT_CONST,
                                  .type = types[i->op - WASM_OP_I32_CONST], .value = i->bits};
        return true;
    case WASM_OP_V128_CONST:
        *out = (struct wasm_init){.kind = WASM_INIT_CONST, .type = WASM_V128, .value = i->bits, .high = i->high};
        return true;
    case WASM_OP_GLOBAL_GET:
        *out = (struct wasm_init){.kind = WASM_INIT_GLOBAL, .type = out->type, .value = i->a};
        return true;
    case WASM_OP_REF_NULL:
        *out = (struct wasm_init){.kind = WASM_INIT_REF_NULL, .type = i->type};
        return true;
    case WASM_OP_REF_FUNC:
        *out = (struct wasm_init){.kind = WASM_INIT_REF_FUNC, .type = WASM_FUNCREF, .value = i->a};
        return true;
    default: return false;
    }
}

static bool opens_block(enum wasm_op op) {
    return op == WASM_OP_BLOCK || op == WASM_OP_LOOP || op == WASM_OP_IF || op == WASM_OP_TRY || op == WASM_OP_TRY_TABLE;
}

enum err decode_init(struct decoder *d, wasm_type expected, struct wasm_init *out) {
    struct cursor start = d->c, before;
    struct wasm_instr i = {0}, first = {0};
    u32 count = 0, depth = 1;
    for (; depth; count++) {
        before = d->c;
        enum err e = wasm_take_instr(&d->c, &i, &d->why);
        if (e) return e;
        if (!count) first = i;
        if (i.op == WASM_OP_END || (i.op == WASM_OP_DELEGATE && depth > 1)) depth--;
        else if (opens_block(i.op)) depth++;
    }
    assert(i.op == WASM_OP_END && before.p >= start.p);
    *out = (struct wasm_init){.kind = WASM_INIT_CODE, .type = expected};
    if (count != 2 || !classify(&first, out)) out->kind = WASM_INIT_CODE;
    out->code = (struct bytes){start.p, (size_t)(before.p - start.p)};
    out->at = (u32)cursor_at(&start);
    return ERR_OK;
}

/* Element segments (5.5.12): bit 0 passive or declarative, bit 1 explicit
 * table or declarative, bit 2 expressions instead of indices. */
enum { ELEM_NOT_ACTIVE = 1, ELEM_EXPLICIT = 2, ELEM_EXPRS = 4, ELEM_END = 8 };

static enum err take_elem_type(struct decoder *d, u32 flags, struct wasm_elem *s) {
    s->type = flags & ELEM_EXPRS ? WASM_FUNCREF : WASM_FUNCREF | WASM_TYPE_NONNULL;
    if (!(flags & (ELEM_NOT_ACTIVE | ELEM_EXPLICIT))) return ERR_OK;
    if (flags & ELEM_EXPRS) return decode_reftype(d, &s->type);
    struct cursor before = d->c;
    u8 kind;
    enum err e = wasm_take_byte(&d->c, &kind, &d->why);
    if (e || !kind) return e;
    d->c = before;
    return decode_fail(d, ERR_MALFORMED, "malformed element kind");
}

static enum err take_elem_item(struct decoder *d, u32 flags, wasm_type type, struct wasm_init *out) {
    if (flags & ELEM_EXPRS) return decode_init(d, type, out);
    u32 index;
    *out = (struct wasm_init){.kind = WASM_INIT_REF_FUNC, .type = WASM_FUNCREF, .at = decode_at(d)};
    enum err e = decode_u32(d, &index);
    if (!e) out->value = index;
    return e;
}

static enum err take_elem_flags(struct decoder *d, u32 *flags, struct wasm_elem *s) {
    struct cursor before = d->c;
    enum err e = decode_u32(d, flags);
    if (e) return e;
    if (*flags >= ELEM_END) {
        d->c = before;
        return decode_fail(d, ERR_MALFORMED, "malformed elements segment kind");
    }
    if (!(*flags & ELEM_NOT_ACTIVE)) s->mode = WASM_ACTIVE;
    else s->mode = *flags & ELEM_EXPLICIT ? WASM_DECLARATIVE : WASM_PASSIVE;
    return ERR_OK;
}

static enum err take_elem(struct decoder *d, struct wasm_elem *s) {
    u32 flags;
    s->at = decode_at(d);
    enum err e = take_elem_flags(d, &flags, s);
    if (e) return e;
    if (s->mode == WASM_ACTIVE) {
        if (flags & ELEM_EXPLICIT && (e = decode_u32(d, &s->table))) return e;
        if ((e = decode_init(d, WASM_I32, &s->offset))) return e;
    }
    if ((e = take_elem_type(d, flags, s))) return e;
    if ((e = decode_count(d, WASM_MAX_TABLE, &s->count))) return e;
    if ((e = decode_array(d, s->count, sizeof *s->items, &s->items))) return e;
    for (u32 i = 0; i < s->count; i++)
        if ((e = take_elem_item(d, flags, s->type, &s->items[i]))) return e;
    return ERR_OK;
}

enum err decode_elems(struct decoder *d) {
    struct wasm_module *m = d->m;
    u32 count;
    enum err e = decode_count(d, WASM_MAX_SEGMENTS, &count);
    if (e) return e;
    if ((e = decode_array(d, count, sizeof *m->elems, &m->elems))) return e;
    for (u32 i = 0; i < count; i++)
        if ((e = take_elem(d, &m->elems[i]))) return e;
    m->elem_count = count;
    return ERR_OK;
}

/* Data segments (5.5.14): 0 active, 1 passive, 2 active with a memory index. */
static enum err take_data(struct decoder *d, struct wasm_data *s) {
    u32 flags, n;
    struct cursor before = d->c;
    s->at = decode_at(d);
    enum err e = decode_u32(d, &flags);
    if (e) return e;
    if (flags > 2) {
        d->c = before;
        return decode_fail(d, ERR_MALFORMED, "malformed data segment kind");
    }
    s->mode = flags == 1 ? WASM_PASSIVE : WASM_ACTIVE;
    if (flags == 2 && (e = decode_u32(d, &s->memory))) return e;
    if (s->mode == WASM_ACTIVE && (e = decode_init(d, WASM_I32, &s->offset))) return e;
    if ((e = decode_u32(d, &n))) return e;
    if (take_bytes(&d->c, n, &s->bytes)) return decode_fail(d, ERR_TRUNCATED, "unexpected end");
    return ERR_OK;
}

enum err decode_datas(struct decoder *d) {
    struct wasm_module *m = d->m;
    u32 count;
    enum err e = decode_count(d, WASM_MAX_SEGMENTS, &count);
    if (e) return e;
    if ((e = decode_array(d, count, sizeof *m->datas, &m->datas))) return e;
    for (u32 i = 0; i < count; i++)
        if ((e = take_data(d, &m->datas[i]))) return e;
    m->data_count = count;
    return ERR_OK;
}
