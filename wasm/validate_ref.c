/* validate_ref.c: references and locals (WebAssembly 3.0, 3.4).
 *
 * I1 a local without a default value is read only where it is set in the same
 *    block or one around it, earlier in the code. */
#include "base/assert.h"
#include "wasm/validator.h"

/* -- locals -- */

static void set_local(struct validator *v, u32 local) {
    u32 *word = &v->local_set[local / 32], bit = 1u << (local % 32);
    if (*word & bit) return;
    *word |= bit;
    assert(v->set_locals < v->set_order_room); /* each once */
    v->set_order[v->set_locals++] = local;
}

void validator_unset_locals(struct validator *v, u32 height) {
    assert(height <= v->set_locals);
    while (v->set_locals > height) {
        u32 local = v->set_order[--v->set_locals];
        v->local_set[local / 32] &= ~(1u << (local % 32));
    }
}

enum err validate_local(struct validator *v, const struct wasm_instr *i) {
    if (i->a >= v->f->local_count) return unknown(v, "local", i->a);
    wasm_type t = v->locals[i->a];
    if (i->op == WASM_OP_LOCAL_GET) {
        if (v->tracks_locals && !(v->local_set[i->a / 32] >> (i->a % 32) & 1))
            return validator_fail(v, ERR_INVALID, "uninitialized local %u", i->a);
        v->reads[i->a] = v->at + 1;
        return push(v, t);
    }
    if (v->loop != WASM_NONE)
        v->sets[(size_t)v->loop * v->f->loop_words + i->a / 32] |= 1u << (i->a % 32);
    enum err e = pop(v, t);
    if (e) return e;
    if (v->tracks_locals) set_local(v, i->a);
    return i->op == WASM_OP_LOCAL_SET ? ERR_OK : push(v, t);
}

/* -- references -- */

static wasm_type non_null(wasm_type t) { return t == BOTTOM_REF ? t : t | WASM_TYPE_NONNULL; }

static enum err check_ref_func(struct validator *v, const struct wasm_instr *i) {
    if (i->a >= v->m->func_count) return unknown(v, "function", i->a);
    if (!v->constant && !v->m->funcs[i->a].declared_ref)
        return validator_fail(v, ERR_INVALID, "undeclared function reference %u", i->a);
    return push(v, wasm_canonical(v->m, wasm_ref_to(v->m->funcs[i->a].type, WASM_TYPE_NONNULL)));
}

static enum err check_on_null(struct validator *v, const struct wasm_instr *i) {
    struct types carried;
    wasm_type t;
    enum err e = validator_label(v, i->a, &carried);
    if (e || (e = pop_ref(v, &t)) || (e = pop_all(v, carried)) || (e = push_all(v, carried))) return e;
    return push(v, non_null(t));
}

static enum err check_on_non_null(struct validator *v, const struct wasm_instr *i) {
    struct types carried;
    enum err e = validator_label(v, i->a, &carried);
    if (e) return e;
    if (!carried.n || !wasm_is_ref(carried.p[carried.n - 1]))
        return validator_fail(v, ERR_INVALID, "type mismatch: the label takes no reference");
    carried.n--;
    if ((e = pop(v, carried.p[carried.n] & ~(u32)WASM_TYPE_NONNULL)) || (e = pop_all(v, carried))) return e;
    return push_all(v, carried);
}

static enum err check_call_ref(struct validator *v, const struct wasm_instr *i) {
    if (i->a >= v->m->type_count) return unknown(v, "type", i->a);
    enum err e = pop(v, wasm_canonical(v->m, wasm_ref_to(i->a, 0)));
    return e ? e : validator_call(v, i->a, i->op == WASM_OP_RETURN_CALL_REF);
}

enum err validate_ref(struct validator *v, const struct wasm_instr *i) {
    wasm_type t = i->type;
    enum err e;
    switch ((u32)i->op) {
    case WASM_OP_REF_NULL: return (e = validator_type(v, &t)) ? e : push(v, t);
    case WASM_OP_REF_IS_NULL: return (e = pop_ref(v, &t)) ? e : push(v, WASM_I32);
    case WASM_OP_REF_AS_NON_NULL: return (e = pop_ref(v, &t)) ? e : push(v, non_null(t));
    case WASM_OP_BR_ON_NULL: return check_on_null(v, i);
    case WASM_OP_BR_ON_NON_NULL: return check_on_non_null(v, i);
    case WASM_OP_CALL_REF:
    case WASM_OP_RETURN_CALL_REF: return check_call_ref(v, i);
    default: assert(i->op == WASM_OP_REF_FUNC); return check_ref_func(v, i);
    }
}
