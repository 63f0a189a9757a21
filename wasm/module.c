/* module.c: questions about a decoded module. */
#include "wasm/module.h"

#include "base/cursor.h"
#include "base/mem.h"

bool wasm_subtype(wasm_type a, wasm_type b) {
    if (a == b) return true;
    if (!wasm_is_ref(a) || (a & WASM_TYPE_CODE) != (b & WASM_TYPE_CODE)) return false;
    if (b & WASM_TYPE_NONNULL && !(a & WASM_TYPE_NONNULL)) return false;
    return !(b & WASM_TYPE_INDEX) || (a & WASM_TYPE_INDEX && wasm_type_index(a) == wasm_type_index(b));
}

wasm_type wasm_canonical(const struct wasm_module *m, wasm_type t) {
    if (!(t & WASM_TYPE_INDEX) || wasm_type_index(t) >= m->type_count) return t;
    return wasm_ref_to(m->types[wasm_type_index(t)].canon, t & WASM_TYPE_NONNULL);
}

bool wasm_types_equal(const wasm_type *a, u32 na, const wasm_type *b, u32 nb) {
    return na == nb && (!na || !memcmp(a, b, na * sizeof *a));
}

const struct wasm_export *wasm_find_export(const struct wasm_module *m, struct bytes name,
                                           enum wasm_kind kind) {
    for (u32 i = 0; i < m->export_count; i++) {
        const struct wasm_export *x = &m->exports[i];
        if (x->kind == kind && x->name.n == name.n && (!name.n || !memcmp(x->name.p, name.p, name.n)))
            return x;
    }
    return NULL;
}

/* The contents of the subsection with this id; empty if there is none or the
 * section is malformed (a name section can never make a module invalid). */
static struct cursor name_subsection(const struct wasm_module *m, u8 wanted) {
    struct cursor c = cursor_of(m->name_section);
    u8 id;
    u32 size;
    struct bytes contents;
    while (!take_u8(&c, &id) && !take_leb_u32(&c, &size) && !take_bytes(&c, size, &contents))
        if (id == wanted) return cursor_of(contents);
    return cursor_of((struct bytes){NULL, 0});
}

struct bytes wasm_func_name(const struct wasm_module *m, u32 func) {
    enum { FUNCTION_NAMES = 1 };
    struct cursor c = name_subsection(m, FUNCTION_NAMES);
    u32 count, index, n;
    struct bytes name;
    if (take_leb_u32(&c, &count)) count = 0;
    while (count-- && !take_leb_u32(&c, &index) && !take_leb_u32(&c, &n) && !take_bytes(&c, n, &name))
        if (index == func) return name;
    return (struct bytes){NULL, 0};
}
