/* validate_stack.c: the stack of operand types, and which fit where.
 *
 * I1 BOTTOM fits everywhere; BOTTOM_REF wherever a reference does. They are on
 *    the stack only in unreachable code. */
#include "base/assert.h"
#include "wasm/validator.h"

enum err validator_push(struct validator *v, wasm_type t) {
    if (v->height == MAX_STACK) return validator_fail(v, ERR_LIMIT, "operand stack too deep");
    if (v->height == v->stack_room) {
        enum err e = validator_reserve(v, &v->stack, &v->stack_room, v->height + 1, sizeof *v->stack);
        if (e) return e;
    }
    assert(v->height < v->stack_room);
    v->stack[v->height++] = t;
    v->most = MAX(v->most, v->height);
    if (v->f) v->f->max_stack = v->most;
    return ERR_OK;
}

enum err validator_pop_any(struct validator *v, wasm_type *out) {
    const struct frame *f = top(v);
    assert(v->height >= f->height);
    if (v->height > f->height) {
        *out = v->stack[--v->height];
        return ERR_OK;
    }
    *out = BOTTOM;
    if (f->unreachable) return ERR_OK;
    return validator_fail(v, ERR_INVALID, "type mismatch: an operand is missing");
}

static bool fits(wasm_type have, wasm_type want) {
    if (have == want || have == BOTTOM || want == BOTTOM) return true;
    if (have == BOTTOM_REF) return wasm_is_ref(want);
    return wasm_subtype(have, want);
}

enum err validator_pop(struct validator *v, wasm_type want) {
    wasm_type have;
    enum err e = pop_any(v, &have);
    if (e || fits(have, want)) return e;
    return validator_fail(v, ERR_INVALID, "type mismatch: expected %s, found %s",
                          wasm_type_text(want), wasm_type_text(have));
}

enum err validator_pop_ref(struct validator *v, wasm_type *out) {
    enum err e = pop_any(v, out);
    if (e) return e;
    if (*out == BOTTOM) *out = BOTTOM_REF;
    if (*out == BOTTOM_REF || wasm_is_ref(*out)) return ERR_OK;
    return validator_fail(v, ERR_INVALID, "type mismatch: expected a reference, found %s", wasm_type_text(*out));
}

enum err validator_push_all(struct validator *v, struct types t) {
    enum err e = ERR_OK;
    for (u32 i = 0; !e && i < t.n; i++) e = push(v, t.p[i]);
    return e;
}

enum err validator_pop_all(struct validator *v, struct types t) {
    enum err e = ERR_OK;
    for (u32 i = t.n; !e && i > 0; i--) e = pop(v, t.p[i - 1]);
    return e;
}

void validator_set_unreachable(struct validator *v) {
    v->height = top(v)->height;
    top(v)->unreachable = true;
}

bool validator_fit(struct types have, struct types want) {
    if (have.n != want.n) return false;
    for (u32 i = 0; i < have.n; i++)
        if (!fits(have.p[i], want.p[i])) return false;
    return true;
}

enum err validator_unknown(struct validator *v, const char *what, u32 index) {
    return validator_fail(v, ERR_INVALID, "unknown %s %u", what, index);
}

enum err validator_type(struct validator *v, wasm_type *t) {
    if (*t & WASM_TYPE_INDEX && wasm_type_index(*t) >= v->m->type_count)
        return unknown(v, "type", wasm_type_index(*t));
    *t = wasm_canonical(v->m, *t);
    return ERR_OK;
}
