/* validate_throw.c: exceptions (WebAssembly 3.0, 3.4.7), and the legacy
 * instructions that compilers still emit.
 *
 * I1 the labels of a try_table's clauses and of delegate count from outside of
 *    the block.
 * I2 a legacy try is a frame TRY, then CATCH or CATCH_ALL for each handler. */
#include "base/assert.h"
#include "wasm/validator.h"

static enum err tag_types(struct validator *v, u32 tag, struct types *out) {
    if (tag >= v->m->tag_count) return unknown(v, "tag", tag);
    const struct wasm_functype *t = &v->m->types[v->m->tags[tag].type];
    *out = (struct types){t->params, t->param_count};
    return ERR_OK;
}

static enum err check_throw(struct validator *v, const struct wasm_instr *i) {
    struct types payload;
    enum err e = tag_types(v, i->a, &payload);
    if (e || (e = pop_all(v, payload))) return e;
    set_unreachable(v);
    return ERR_OK;
}

static enum err check_throw_ref(struct validator *v) {
    enum err e = pop(v, WASM_EXNREF);
    if (!e) set_unreachable(v);
    return e;
}

/* What a clause carries fits its label: payload, and perhaps the exception. */
static enum err check_clause(struct validator *v, const struct wasm_catch *k) {
    struct types payload = {NULL, 0}, carried;
    enum err e = validator_label(v, k->label, &carried);
    if (e || (!k->all && (e = tag_types(v, k->tag, &payload)))) return e;
    bool fits = carried.n == payload.n + k->ref;
    if (fits && k->ref) {
        wasm_type last = carried.p[--carried.n];
        fits = wasm_subtype(WASM_EXNREF | WASM_TYPE_NONNULL, last);
    }
    if (fits && validator_fit(payload, carried)) return ERR_OK;
    return validator_fail(v, ERR_INVALID, "type mismatch: catch clause and its label");
}

static enum err check_try_table(struct validator *v, const struct wasm_instr *i) {
    struct cursor c = i->labels;
    struct wasm_catch k;
    enum err e = ERR_OK;
    while (!e && wasm_take_catch(&c, &k)) e = check_clause(v, &k);
    return e ? e : validator_block(v, i);
}

/* -- legacy -- */

static enum err check_catch(struct validator *v, const struct wasm_instr *i) {
    struct frame *fr = top(v);
    struct types payload = {NULL, 0};
    enum err e = ERR_OK;
    if (fr->op != WASM_OP_TRY && fr->op != WASM_OP_CATCH)
        return validator_fail(v, ERR_MALFORMED, "END opcode expected: catch without a try");
    if (i->op == WASM_OP_CATCH) e = tag_types(v, i->a, &payload);
    if (e || (e = validator_check_results(v))) return e;
    validator_unset_locals(v, fr->set_locals);
    fr->op = i->op;
    fr->unreachable = false;
    return push_all(v, payload);
}

static enum err check_rethrow(struct validator *v, const struct wasm_instr *i) {
    struct types carried;
    enum err e = validator_label(v, i->a, &carried);
    if (e) return e;
    enum wasm_op op = v->frames[v->depth - 1 - i->a].op;
    if (op != WASM_OP_CATCH && op != WASM_OP_CATCH_ALL)
        return validator_fail(v, ERR_INVALID, "invalid rethrow label");
    set_unreachable(v);
    return ERR_OK;
}

static enum err check_delegate(struct validator *v, const struct wasm_instr *i) {
    if (top(v)->op != WASM_OP_TRY)
        return validator_fail(v, ERR_MALFORMED, "END opcode expected: delegate without a try");
    if (i->a >= v->depth - 1) return unknown(v, "label", i->a);
    return validator_end(v);
}

enum err validate_throw(struct validator *v, const struct wasm_instr *i) {
    switch ((u32)i->op) {
    case WASM_OP_THROW: return check_throw(v, i);
    case WASM_OP_THROW_REF: return check_throw_ref(v);
    case WASM_OP_TRY_TABLE: return check_try_table(v, i);
    case WASM_OP_TRY:
        if (v->f) v->f->has_try = true;
        return validator_block(v, i);
    case WASM_OP_CATCH:
    case WASM_OP_CATCH_ALL: return check_catch(v, i);
    case WASM_OP_RETHROW: return check_rethrow(v, i);
    default: assert(i->op == WASM_OP_DELEGATE); return check_delegate(v, i);
    }
}
