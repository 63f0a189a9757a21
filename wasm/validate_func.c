/* validate_func.c: function bodies and constant expressions as a whole.
 *
 * I1 after success the body has ended exactly at its last byte, f->max_stack,
 *    max_depth, loop_count, loop_sets and local_ends are final, and f->local_count
 *    counts the parameters.
 * I2 bit l of loop i is set if and only if a local.set or local.tee of l lies
 *    inside it, in reachable code or not. */
#include <stdarg.h>

#include "base/assert.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "wasm/validator.h"

enum err validator_fail(struct validator *v, enum err code, const char *text, ...) {
    va_list args;
    va_start(args, text);
    v->error->code = code;
    v->error->offset = v->at;
    vfmt(v->error->text, sizeof v->error->text, text, args);
    va_end(args);
    return code;
}

enum err validator_reserve(struct validator *v, void *array, u32 *room, u32 need, size_t size) {
    if (need <= *room) return ERR_OK;
    enum { LEAST = 256 }; /* bytes */
    u32 more = MAX(MAX(need, *room * 2), (u32)(LEAST / size));
    void *old, *p = arena_array(v->arena, more, size);
    if (!p) return validator_fail(v, ERR_NOMEM, "out of memory");
    memcpy(&old, array, sizeof old);
    if (*room) memcpy(p, old, *room * size);
    memcpy(array, &p, sizeof p);
    *room = more;
    return ERR_OK;
}

/* Reads the next instruction; an error of the reader becomes the module's. */
static enum err next(struct validator *v, struct wasm_instr *i) {
    const char *why = "?";
    v->at = (u32)cursor_at(&v->c);
    if (v->c.p < v->c.end && *v->c.p == WASM_OP_END) { /* the last one of a body is too near to its end for what is short */
        i->op = WASM_OP_END;
        v->c.p++;
        return ERR_OK;
    }
    enum err e = wasm_take_instr(&v->c, i, &why);
    if (!e) return e;
    bool cut = e == ERR_TRUNCATED;
    return validator_fail(v, e, "%s%s", why, cut ? " of section or function" : "");
}

static void start(struct validator *v, struct bytes code) {
    const u8 *first = v->m->bytes.p;
    assert(code.p >= first && code.p + code.n <= first + v->m->bytes.n);
    v->c = (struct cursor){first, code.p, code.p + code.n};
    v->at = (u32)(code.p - first);
    v->height = v->depth = v->most = 0;
    v->loop = WASM_NONE;
}

/* Parameters are set, and so are locals with a default value. */
static enum err track_locals(struct validator *v, const struct wasm_func *f, u32 params, u32 total) {
    u32 unset = 0, words = total / 32 + 1;
    enum err e;
    v->set_locals = 0;
    for (u32 i = 0; i < f->local_runs; i++)
        if (!wasm_has_default(f->locals[i].type)) unset += f->locals[i].count;
    v->tracks_locals = unset;
    if (!unset) return ERR_OK;
    if ((e = validator_reserve(v, &v->local_set, &v->local_set_room, words, sizeof *v->local_set)) ||
        (e = validator_reserve(v, &v->set_order, &v->set_order_room, unset, sizeof *v->set_order)))
        return e;
    memset(v->local_set, 0, words * sizeof *v->local_set);
    for (u32 i = 0; i < total; i++)
        if (i < params || wasm_has_default(v->locals[i])) v->local_set[i / 32] |= 1u << (i % 32);
    return ERR_OK;
}

/* A few bytes of a module may say it of 50,000: two at a time. */
static void fill(wasm_type *to, wasm_type t, u32 n) {
    static_assert(sizeof t == 4, "two in a word");
    u64 both = t | (u64)t << 32;
    if (n % 2) to[--n] = t;
    for (u32 i = 0; i < n; i += 2) memcpy(to + i, &both, sizeof both);
}

/* The types of parameters and locals, in v->locals. */
static enum err lay_out_locals(struct validator *v, struct wasm_func *f,
                               const struct wasm_functype *t) {
    u32 declared = f->local_count, total = t->param_count + declared;
    if (total > WASM_MAX_LOCALS) return validator_fail(v, ERR_LIMIT, "too many locals");
    enum err e = validator_reserve(v, &v->locals, &v->locals_room, total + 1, sizeof *v->locals); /* never NULL */
    if (e) return e;
    if (t->param_count) memcpy(v->locals, t->params, t->param_count * sizeof *v->locals);
    u32 at = t->param_count;
    for (u32 i = 0; i < f->local_runs; i++) {
        u32 count = f->locals[i].count;
        assert(count <= total - at);
        if ((e = validator_type(v, &f->locals[i].type))) return e;
        fill(v->locals + at, f->locals[i].type, count);
        at += count;
    }
    assert(at == total);
    if ((e = validator_reserve(v, &v->reads, &v->reads_room, total + 1, sizeof *v->reads))) return e;
    if (total <= f->code.n) memset(v->reads, 0, total * sizeof *v->reads); /* else keep_ends keeps none */
    f->local_count = total;
    f->loop_words = (total + 31) / 32;
    return track_locals(v, f, t->param_count, total);
}

static enum err keep_loop_sets(struct validator *v, struct wasm_func *f) {
    size_t words = (size_t)f->loop_count * f->loop_words;
    if (!f->loop_count) return ERR_OK;
    f->loop_sets = arena_array(v->arena, words, sizeof *f->loop_sets);
    if (!f->loop_sets) return validator_fail(v, ERR_NOMEM, "out of memory");
    if (words) memcpy(f->loop_sets, v->sets, words * sizeof *f->loop_sets);
    return ERR_OK;
}

static enum err keep_ends(struct validator *v, struct wasm_func *f) {
    enum { SOME = 128 }; /* bytes for several functions */
    if (f->max_depth == 1 || !f->local_count || f->local_count > f->code.n) return ERR_OK;
    if (f->local_count > v->ends_left) {
        v->ends_left = MAX(f->local_count, (u32)SOME);
        v->ends = arena_array(v->arena, v->ends_left, 1);
        if (!v->ends) return validator_fail(v, ERR_NOMEM, "out of memory");
    }
    f->local_ends = v->ends;
    v->ends += f->local_count;
    v->ends_left -= f->local_count;
    u64 start = (u64)(f->code.p - v->m->bytes.p), scale = (1ull << 32) * WASM_ENDS / f->code.n + 1;
    for (u32 i = 0; i < f->local_count; i++)
        if (v->reads[i]) f->local_ends[i] = (u8)(((v->reads[i] - start) * scale >> 32) + 1);
    return ERR_OK;
}

enum err validate_func(struct validator *v, struct wasm_func *f) {
    const struct wasm_functype *t = &v->m->types[f->type];
    struct wasm_instr i = {0};
    start(v, f->code);
    v->f = f;
    v->constant = false;
    v->globals_end = v->m->global_count;
    enum err e = lay_out_locals(v, f, t);
    if (e) return e;
    struct types none = {NULL, 0}, results = {t->results, t->result_count};
    if ((e = validator_enter(v, WASM_OP_BLOCK, none, results))) return e;
    while (v->depth) {
        validate_short(v);
        if ((e = next(v, &i)) || (e = validate_instr(v, &i))) return e;
    }
    v->at = (u32)cursor_at(&v->c);
    if (cursor_left(&v->c)) return validator_fail(v, ERR_MALFORMED, "END opcode expected: bytes behind the body");
    assert(f->max_depth > 0 && v->height == 0);
    return (e = keep_ends(v, f)) ? e : keep_loop_sets(v, f);
}

/* WebAssembly 2.0, 3.3.10, and the extended-const proposal. */
static bool is_constant(enum wasm_op op) {
    switch ((u32)op) {
    case WASM_OP_I32_CONST:
    case WASM_OP_I64_CONST:
    case WASM_OP_F32_CONST:
    case WASM_OP_F64_CONST:
    case WASM_OP_V128_CONST:
    case WASM_OP_GLOBAL_GET:
    case WASM_OP_REF_NULL:
    case WASM_OP_REF_FUNC:
    case WASM_OP_I32_ADD:
    case WASM_OP_I32_SUB:
    case WASM_OP_I32_MUL:
    case WASM_OP_I64_ADD:
    case WASM_OP_I64_SUB:
    case WASM_OP_I64_MUL:
    case WASM_OP_END: return true;
    default: return false;
    }
}

/* An element given by its function index: no code. */
static enum err check_index(struct validator *v, const struct wasm_init *init) {
    v->at = init->at;
    assert(init->kind == WASM_INIT_REF_FUNC);
    if (init->value >= v->m->func_count)
        return validator_fail(v, ERR_INVALID, "unknown function %u", (u32)init->value);
    return ERR_OK;
}

enum err validate_init(struct validator *v, const struct wasm_init *init, wasm_type expected) {
    struct wasm_instr i = {0};
    if (!init->code.p) return check_index(v, init);
    /* decode_init saw the final end: read it, too. */
    start(v, (struct bytes){init->code.p, init->code.n + 1});
    v->f = NULL;
    v->constant = true;
    v->set_locals = 0;
    struct types none = {NULL, 0}, result = {&expected, 1};
    enum err e = validator_enter(v, WASM_OP_BLOCK, none, result);
    if (e) return e;
    while (v->depth) {
        if ((e = next(v, &i))) return e;
        if (!is_constant(i.op)) return validator_fail(v, ERR_INVALID, "constant expression required");
        if ((e = validate_instr(v, &i))) return e;
    }
    assert(!cursor_left(&v->c));
    return ERR_OK;
}
