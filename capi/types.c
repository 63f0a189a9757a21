/* types.c: types and vectors of wasm.h.
 *
 * I1 a type owns everything it points to. */
#include <stdlib.h>

#include "base/assert.h"
#include "capi/internal.h"

/* Vectors. Elements are zero where memory for them is short. */

static void *room(size_t n, size_t size) { return n ? calloc(n, size) : NULL; }

#define VEC_COMMON(name, element, drop)                                                        \
    void wasm_##name##_vec_new_empty(wasm_##name##_vec_t *out) {                           \
        *out = (wasm_##name##_vec_t){0, NULL};                                             \
    }                                                                                      \
    void wasm_##name##_vec_new_uninitialized(wasm_##name##_vec_t *out, size_t n) {         \
        out->data = room(n, sizeof *out->data);                                            \
        out->size = out->data ? n : 0;                                                     \
    }                                                                                      \
    void wasm_##name##_vec_new(wasm_##name##_vec_t *out, size_t n, element const from[]) { \
        wasm_##name##_vec_new_uninitialized(out, n);                                       \
        if (out->size) memcpy(out->data, from, n * sizeof *from);                          \
        for (size_t k = 0; k < n && !out->size; k++) drop; /* taken over all the same */   \
    }

#define VEC_OF_POINTERS(name)                                                                  \
    VEC_COMMON(name, wasm_##name##_t *, wasm_##name##_delete(from[k]))                         \
    void wasm_##name##_vec_copy(wasm_##name##_vec_t *out, const wasm_##name##_vec_t *from) {   \
        wasm_##name##_vec_new_uninitialized(out, from->size);                                  \
        for (size_t k = 0; k < out->size; k++)                                                 \
            out->data[k] = from->data[k] ? wasm_##name##_copy(from->data[k]) : NULL;           \
    }                                                                                          \
    void wasm_##name##_vec_delete(wasm_##name##_vec_t *v) {                                    \
        for (size_t k = 0; k < v->size; k++) wasm_##name##_delete(v->data[k]);                 \
        free(v->data);                                                                         \
        *v = (wasm_##name##_vec_t){0, NULL};                                                   \
    }

VEC_COMMON(byte, wasm_byte_t, (void)0)
void wasm_byte_vec_copy(wasm_byte_vec_t *out, const wasm_byte_vec_t *from) {
    wasm_byte_vec_new(out, from->size, from->data);
}
void wasm_byte_vec_delete(wasm_byte_vec_t *v) {
    free(v->data);
    *v = (wasm_byte_vec_t){0, NULL};
}

VEC_COMMON(val, wasm_val_t, wasm_val_delete((wasm_val_t *)(uptr)&from[k]))
void wasm_val_vec_copy(wasm_val_vec_t *out, const wasm_val_vec_t *from) {
    wasm_val_vec_new_uninitialized(out, from->size);
    for (size_t k = 0; k < out->size; k++) wasm_val_copy(&out->data[k], &from->data[k]);
}
void wasm_val_vec_delete(wasm_val_vec_t *v) {
    for (size_t k = 0; k < v->size; k++) wasm_val_delete(&v->data[k]);
    free(v->data);
    *v = (wasm_val_vec_t){0, NULL};
}

VEC_OF_POINTERS(valtype)
VEC_OF_POINTERS(functype)
VEC_OF_POINTERS(globaltype)
VEC_OF_POINTERS(tabletype)
VEC_OF_POINTERS(memorytype)
VEC_OF_POINTERS(tagtype)
VEC_OF_POINTERS(externtype)
VEC_OF_POINTERS(importtype)
VEC_OF_POINTERS(exporttype)
VEC_OF_POINTERS(frame)
VEC_OF_POINTERS(extern)

/* Value types. */

wasm_valtype_t *wasm_valtype_new(wasm_valkind_t kind) {
    wasm_valtype_t *t = malloc(sizeof *t);
    if (t) t->kind = kind;
    return t;
}
void wasm_valtype_delete(wasm_valtype_t *t) { free(t); }
wasm_valtype_t *wasm_valtype_copy(const wasm_valtype_t *t) { return t ? wasm_valtype_new(t->kind) : NULL; }
wasm_valkind_t wasm_valtype_kind(const wasm_valtype_t *t) { return t->kind; }

static const struct {
    wasm_valkind_t kind;
    wasm_type code;
} kinds[] = {{WASM_I32, CODE_I32}, {WASM_I64, CODE_I64}, {WASM_F32, CODE_F32},
             {WASM_F64, CODE_F64}, {WASM_EXTERNREF, CODE_EXTERNREF}, {WASM_FUNCREF, CODE_FUNCREF}};

wasm_type capi_code_of(wasm_valkind_t kind) {
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
        if (kinds[k].kind == kind) return kinds[k].code;
    return 0;
}

/* Of a typed reference: the kind of its top; the engine checks the rest. */
wasm_valkind_t capi_kind_of(wasm_type t) {
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
        if (kinds[k].code == (t & WASM_TYPE_CODE)) return kinds[k].kind;
    return KIND_NONE;
}

/* Types of externs. */

static struct wasm_externtype_t *type_new(wasm_externkind_t kind) {
    struct wasm_externtype_t *t = calloc(1, sizeof *t);
    if (t) t->kind = kind;
    return t;
}

void capi_type_free(struct wasm_externtype_t *t) {
    if (!t) return;
    wasm_valtype_vec_delete(&t->params);
    wasm_valtype_vec_delete(&t->results);
    wasm_valtype_delete(t->value);
    wasm_functype_delete(t->payload);
    free(t);
}

/* Are all n elements there? A shorter type would be another one. */
static bool whole(const wasm_valtype_vec_t *v, size_t n) {
    for (size_t k = 0; k < v->size; k++)
        if (!v->data[k]) return false;
    return v->size == n;
}

/* t, unless memory was short for a part of it. */
static struct wasm_externtype_t *complete(struct wasm_externtype_t *t, size_t params, size_t results) {
    if (whole(&t->params, params) && whole(&t->results, results)) return t;
    capi_type_free(t);
    return NULL;
}

struct wasm_externtype_t *capi_type_copy(const struct wasm_externtype_t *t) {
    struct wasm_externtype_t *c = t ? type_new(t->kind) : NULL;
    if (!c) return NULL;
    c->mutability = t->mutability;
    c->limits = t->limits;
    wasm_valtype_vec_copy(&c->params, &t->params);
    wasm_valtype_vec_copy(&c->results, &t->results);
    if (t->value) c->value = wasm_valtype_copy(t->value);
    if (t->payload) c->payload = wasm_functype_copy(t->payload);
    if (!c->value == !t->value && !c->payload == !t->payload) return complete(c, t->params.size, t->results.size);
    capi_type_free(c);
    return NULL;
}

#define TYPE_COMMON(name, number)                                                                                \
    void wasm_##name##_delete(wasm_##name##_t *t) { capi_type_free((wasm_externtype_t *)t); }                    \
    wasm_##name##_t *wasm_##name##_copy(const wasm_##name##_t *t) {                                              \
        return (wasm_##name##_t *)capi_type_copy((const wasm_externtype_t *)t);                                  \
    }                                                                                                            \
    wasm_externtype_t *wasm_##name##_as_externtype(wasm_##name##_t *t) { return (wasm_externtype_t *)t; }        \
    const wasm_externtype_t *wasm_##name##_as_externtype_const(const wasm_##name##_t *t) {                       \
        return (const wasm_externtype_t *)t;                                                                     \
    }                                                                                                            \
    wasm_##name##_t *wasm_externtype_as_##name(wasm_externtype_t *t) {                                           \
        return t && t->kind == number ? (wasm_##name##_t *)t : NULL;                                             \
    }                                                                                                            \
    const wasm_##name##_t *wasm_externtype_as_##name##_const(const wasm_externtype_t *t) {                       \
        return t && t->kind == number ? (const wasm_##name##_t *)t : NULL;                                       \
    }
TYPE_COMMON(functype, WASM_EXTERN_FUNC)
TYPE_COMMON(globaltype, WASM_EXTERN_GLOBAL)
TYPE_COMMON(tabletype, WASM_EXTERN_TABLE)
TYPE_COMMON(memorytype, WASM_EXTERN_MEMORY)
TYPE_COMMON(tagtype, WASM_EXTERN_TAG)

void wasm_externtype_delete(wasm_externtype_t *t) { capi_type_free(t); }
wasm_externtype_t *wasm_externtype_copy(const wasm_externtype_t *t) { return capi_type_copy(t); }
wasm_externkind_t wasm_externtype_kind(const wasm_externtype_t *t) { return t->kind; }

static const wasm_externtype_t *as_type(const void *t) { return t; }

/* What is handed over leaves an empty vector behind: programs delete it all the same. */
static wasm_byte_vec_t take_name(wasm_name_t *n) {
    wasm_byte_vec_t taken = *n;
    wasm_byte_vec_new_empty(n);
    return taken;
}
static wasm_valtype_vec_t take_values(wasm_valtype_vec_t *v) {
    wasm_valtype_vec_t taken = *v;
    wasm_valtype_vec_new_empty(v);
    return taken;
}

wasm_functype_t *wasm_functype_new(wasm_valtype_vec_t *params, wasm_valtype_vec_t *results) {
    struct wasm_externtype_t *t = type_new(WASM_EXTERN_FUNC);
    if (!t) {
        wasm_valtype_vec_delete(params);
        wasm_valtype_vec_delete(results);
        return NULL;
    }
    size_t given = params->size, wanted = results->size;
    t->params = take_values(params);
    t->results = take_values(results);
    return (wasm_functype_t *)complete(t, given, wanted);
}
const wasm_valtype_vec_t *wasm_functype_params(const wasm_functype_t *t) { return &as_type(t)->params; }
const wasm_valtype_vec_t *wasm_functype_results(const wasm_functype_t *t) { return &as_type(t)->results; }

static void *valued(wasm_externkind_t kind, wasm_valtype_t *value, wasm_mutability_t m, const wasm_limits_t *l) {
    struct wasm_externtype_t *t = value ? type_new(kind) : NULL;
    if (!t) {
        wasm_valtype_delete(value);
        return NULL;
    }
    t->value = value;
    t->mutability = m;
    if (l) t->limits = *l;
    return t;
}
wasm_globaltype_t *wasm_globaltype_new(wasm_valtype_t *value, wasm_mutability_t m) {
    return valued(WASM_EXTERN_GLOBAL, value, m, NULL);
}
const wasm_valtype_t *wasm_globaltype_content(const wasm_globaltype_t *t) { return as_type(t)->value; }
wasm_mutability_t wasm_globaltype_mutability(const wasm_globaltype_t *t) { return as_type(t)->mutability; }

wasm_tabletype_t *wasm_tabletype_new(wasm_valtype_t *element, const wasm_limits_t *l) {
    return valued(WASM_EXTERN_TABLE, element, WASM_CONST, l);
}
const wasm_valtype_t *wasm_tabletype_element(const wasm_tabletype_t *t) { return as_type(t)->value; }
const wasm_limits_t *wasm_tabletype_limits(const wasm_tabletype_t *t) { return &as_type(t)->limits; }

wasm_memorytype_t *wasm_memorytype_new(const wasm_limits_t *l) {
    struct wasm_externtype_t *t = type_new(WASM_EXTERN_MEMORY);
    if (t) t->limits = *l;
    return (wasm_memorytype_t *)t;
}
const wasm_limits_t *wasm_memorytype_limits(const wasm_memorytype_t *t) { return &as_type(t)->limits; }

wasm_tagtype_t *wasm_tagtype_new(wasm_functype_t *payload) {
    struct wasm_externtype_t *t = payload ? type_new(WASM_EXTERN_TAG) : NULL;
    if (t) t->payload = payload;
    else wasm_functype_delete(payload);
    return (wasm_tagtype_t *)t;
}
const wasm_functype_t *wasm_tagtype_functype(const wasm_tagtype_t *t) { return as_type(t)->payload; }

/* What a module says. */

static void kinds_of(const wasm_type *from, u32 n, wasm_valtype_vec_t *out) {
    wasm_valtype_vec_new_uninitialized(out, n);
    for (size_t k = 0; k < out->size; k++) out->data[k] = wasm_valtype_new(capi_kind_of(from[k]));
}

struct wasm_externtype_t *capi_functype(const struct wasm_functype *f) {
    struct wasm_externtype_t *t = type_new(WASM_EXTERN_FUNC);
    if (!t) return NULL;
    kinds_of(f->params, f->param_count, &t->params);
    kinds_of(f->results, f->result_count, &t->results);
    return complete(t, f->param_count, f->result_count);
}

/* 64-bit limits do not fit: the nearest that does. */
static wasm_limits_t limits_of(const struct wasm_limits *l) {
    u64 most = wasm_limits_max_default;
    return (wasm_limits_t){(u32)MIN(l->min, most), l->has_max ? (u32)MIN(l->max, most) : wasm_limits_max_default};
}

struct wasm_externtype_t *capi_type_of(const struct wasm_module *w, enum wasm_kind kind, u32 index) {
    wasm_limits_t l;
    switch (kind) {
    case WASM_KIND_FUNC: return capi_functype(&w->types[w->funcs[index].type]);
    case WASM_KIND_GLOBAL:
        return valued(WASM_EXTERN_GLOBAL, wasm_valtype_new(capi_kind_of(w->globals[index].type)),
                      w->globals[index].mutable ? WASM_VAR : WASM_CONST, NULL);
    case WASM_KIND_TABLE:
        l = limits_of(&w->tables[index].limits);
        return valued(WASM_EXTERN_TABLE, wasm_valtype_new(capi_kind_of(w->tables[index].type)), WASM_CONST, &l);
    case WASM_KIND_MEMORY:
        l = limits_of(&w->memories[index].limits);
        return (wasm_externtype_t *)wasm_memorytype_new(&l);
    case WASM_KIND_TAG:
        return (wasm_externtype_t *)wasm_tagtype_new((wasm_functype_t *)capi_functype(&w->types[w->tags[index].type]));
    }
    return NULL;
}

/* Imports and exports. */

struct wasm_importtype_t {
    wasm_name_t module, name;
    wasm_externtype_t *type;
};
struct wasm_exporttype_t {
    wasm_name_t name;
    wasm_externtype_t *type;
};

wasm_importtype_t *wasm_importtype_new(wasm_name_t *module, wasm_name_t *name, wasm_externtype_t *type) {
    wasm_importtype_t *t = malloc(sizeof *t);
    if (t) {
        *t = (wasm_importtype_t){take_name(module), take_name(name), type};
        return t;
    }
    wasm_name_delete(module);
    wasm_name_delete(name);
    wasm_externtype_delete(type);
    return NULL;
}
void wasm_importtype_delete(wasm_importtype_t *t) {
    if (!t) return;
    wasm_name_delete(&t->module);
    wasm_name_delete(&t->name);
    wasm_externtype_delete(t->type);
    free(t);
}
wasm_importtype_t *wasm_importtype_copy(const wasm_importtype_t *t) {
    wasm_name_t module, name;
    if (!t) return NULL;
    wasm_name_copy(&module, &t->module);
    wasm_name_copy(&name, &t->name);
    return wasm_importtype_new(&module, &name, capi_type_copy(t->type));
}
const wasm_name_t *wasm_importtype_module(const wasm_importtype_t *t) { return &t->module; }
const wasm_name_t *wasm_importtype_name(const wasm_importtype_t *t) { return &t->name; }
const wasm_externtype_t *wasm_importtype_type(const wasm_importtype_t *t) { return t->type; }

wasm_exporttype_t *wasm_exporttype_new(wasm_name_t *name, wasm_externtype_t *type) {
    wasm_exporttype_t *t = malloc(sizeof *t);
    if (t) {
        *t = (wasm_exporttype_t){take_name(name), type};
        return t;
    }
    wasm_name_delete(name);
    wasm_externtype_delete(type);
    return NULL;
}
void wasm_exporttype_delete(wasm_exporttype_t *t) {
    if (!t) return;
    wasm_name_delete(&t->name);
    wasm_externtype_delete(t->type);
    free(t);
}
wasm_exporttype_t *wasm_exporttype_copy(const wasm_exporttype_t *t) {
    wasm_name_t name;
    if (!t) return NULL;
    wasm_name_copy(&name, &t->name);
    return wasm_exporttype_new(&name, capi_type_copy(t->type));
}
const wasm_name_t *wasm_exporttype_name(const wasm_exporttype_t *t) { return &t->name; }
const wasm_externtype_t *wasm_exporttype_type(const wasm_exporttype_t *t) { return t->type; }
