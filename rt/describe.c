/* describe.c: types, names and traps in words, for messages. Names come from
 * untrusted modules: only printable ASCII of bounded length goes out. */
#include "base/assert.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "rt/internal.h"

const char *rt_trap_text(enum abi_trap kind) {
    static const char *const texts[] = {
#define X(name, text) text,
        ABI_TRAPS(X)
#undef X
    };
    return (size_t)kind < ARRAY_LEN(texts) ? texts[kind] : "unknown trap";
}

const char *rt_name_text(char *out, size_t cap, struct bytes name) {
    assert(cap > 4);
    size_t n = MIN(name.n, cap - 4);
    for (size_t i = 0; i < n; i++) out[i] = name.p[i] >= 0x20 && name.p[i] < 0x7f ? (char)name.p[i] : '?';
    fmt(out + n, cap - n, "%s", n < name.n ? "..." : "");
    return out;
}

/* Shorter than in errors, where the text is all that is said of the type. */
static const char *type_name(wasm_type t) {
    if ((t & (WASM_TYPE_CODE | WASM_TYPE_INDEX)) != (WASM_FUNCREF | WASM_TYPE_INDEX)) return wasm_type_text(t);
    return t & WASM_TYPE_NONNULL ? "(ref type)" : "(ref null type)";
}

/* Appends "i32, i64"; returns the new length, which may pass cap. */
static size_t list_text(char *out, size_t cap, size_t at, const wasm_type *t, u32 n) {
    for (u32 i = 0; i < n; i++) {
        char *to = at < cap ? out + at : NULL;
        at += fmt(to, to ? cap - at : 0, "%s%s", i ? ", " : "", type_name(t[i]));
    }
    return at;
}

static size_t put(char *out, size_t cap, size_t at, const char *s) {
    char *to = at < cap ? out + at : NULL;
    return at + fmt(to, to ? cap - at : 0, "%s", s);
}

static size_t sig_text(char *out, size_t cap, const wasm_type *params, u32 np, const wasm_type *results,
                       u32 nr) {
    size_t at = put(out, cap, 0, "(");
    at = list_text(out, cap, at, params, np);
    at = put(out, cap, at, nr == 1 ? ") -> " : ") -> (");
    at = list_text(out, cap, at, results, nr);
    return nr == 1 ? at : put(out, cap, at, ")");
}

const char *rt_sig_text(char *out, size_t cap, const wasm_type *params, u32 np, const wasm_type *results,
                        u32 nr) {
    sig_text(out, cap, params, np, results, nr);
    return out;
}

size_t rt_type_text(char *out, size_t cap, const struct wasm_functype *t) {
    return sig_text(out, cap, t->params, t->param_count, t->results, t->result_count);
}

const char *rt_global_text(char *out, size_t cap, wasm_type type, bool mutable) {
    fmt(out, cap, "%s global %s", mutable ? "mutable" : "immutable", type_name(type));
    return out;
}

const char *rt_limits_text(char *out, size_t cap, const char *what, u64 min, const struct wasm_limits *l,
                           wasm_type element) {
    size_t at = fmt(out, cap, "%s of %llu", what, (unsigned long long)min);
    if (l->has_max && at < cap) at += fmt(out + at, cap - at, "..%llu", (unsigned long long)l->max);
    if (at < cap) fmt(out + at, cap - at, " %s", element ? type_name(element) : "pages");
    return out;
}
