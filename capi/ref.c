/* ref.c: references and values of wasm.h.
 *
 * I1 an object with no holders left is freed at once; its finalizer runs then.
 * I2 what of the embedder's making no instance has had goes with it (internal.h, I4). */
#include <stdlib.h>

#include "base/assert.h"
#include "capi/internal.h"

struct wasm_ref_t *capi_ref_new(wasm_store_t *s, enum ref_kind kind) {
    struct wasm_ref_t *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->kind = kind;
    r->holders = 1;
    r->store = s;
    if (s) __atomic_add_fetch(&s->holders, 1, __ATOMIC_RELAXED);
    return r;
}

struct wasm_ref_t *capi_ref_hold(const struct wasm_ref_t *r) {
    struct wasm_ref_t *held = (struct wasm_ref_t *)(uptr)r;
    if (!held) return NULL;
    u32 before = __atomic_fetch_add(&held->holders, 1, __ATOMIC_RELAXED);
    assert(before);
    return held;
}

void capi_ref_drop(struct wasm_ref_t *r) {
    if (!r) return;
    u32 left = __atomic_sub_fetch(&r->holders, 1, __ATOMIC_ACQ_REL);
    assert(left != UINT32_MAX); /* deleted twice */
    if (left) return;
    if (r->finalizer) r->finalizer(r->info);
    if (r->made && r->store->rt) capi_host_gone(r->made);
    if (r->own && r->store->rt) rt_instance_free(r->owner); /* rt keeps it if it was imported */
    if (r->module) rt_module_free(r->module);
    capi_type_free(r->type);
    wasm_byte_vec_delete(&r->message);
    free(r->frames);
    if (r->store) capi_store_drop(r->store);
    free(r);
}

const enum wasm_kind capi_kinds[] = {[REF_FUNC] = WASM_KIND_FUNC, [REF_GLOBAL] = WASM_KIND_GLOBAL, [REF_TABLE] = WASM_KIND_TABLE,
                                     [REF_MEMORY] = WASM_KIND_MEMORY, [REF_TAG] = WASM_KIND_TAG};

/* The same thing, not only the same handle to it? */
static bool same(const struct wasm_ref_t *a, const struct wasm_ref_t *b) {
    if (a == b) return true;
    if (!a || !b || a->kind != b->kind || a->store != b->store || !a->store || !a->store->rt) return false;
    switch (a->kind) {
    case REF_FUNC: return rt_func_same(a->store->rt, a->handle, b->handle);
    case REF_INSTANCE: return a->owner == b->owner;
    case REF_GLOBAL:
    case REF_TABLE:
    case REF_MEMORY:
    case REF_TAG: {
        const void *x = rt_export_identity(a->owner, a->name, capi_kinds[a->kind]);
        return x && x == rt_export_identity(b->owner, b->name, capi_kinds[b->kind]);
    }
    default: return false;
    }
}

static void set_info(struct wasm_ref_t *r, void *info, void (*finalizer)(void *)) {
    if (r->finalizer) r->finalizer(r->info);
    r->info = info;
    r->finalizer = finalizer;
}

#define REF_COMMON(name, at)                                                                           \
    void wasm_##name##_delete(wasm_##name##_t *r) { capi_ref_drop((struct wasm_ref_t *)r); }           \
    wasm_##name##_t *wasm_##name##_copy(const wasm_##name##_t *r) {                                    \
        return (wasm_##name##_t *)capi_ref_hold((const struct wasm_ref_t *)r);                         \
    }                                                                                                  \
    bool wasm_##name##_same(const wasm_##name##_t *a, const wasm_##name##_t *b) {                      \
        return same((const struct wasm_ref_t *)a, (const struct wasm_ref_t *)b);                       \
    }                                                                                                  \
    void *wasm_##name##_get_host_info(const wasm_##name##_t *r) { return r->at info; }                 \
    void wasm_##name##_set_host_info(wasm_##name##_t *r, void *info) {                                 \
        set_info((struct wasm_ref_t *)r, info, NULL);                                                  \
    }                                                                                                  \
    void wasm_##name##_set_host_info_with_finalizer(wasm_##name##_t *r, void *info, void (*f)(void *)) { \
        set_info((struct wasm_ref_t *)r, info, f);                                                     \
    }
#define REF_CASTS(name, is)                                                                        \
    wasm_ref_t *wasm_##name##_as_ref(wasm_##name##_t *r) { return (wasm_ref_t *)r; }               \
    const wasm_ref_t *wasm_##name##_as_ref_const(const wasm_##name##_t *r) { return (const wasm_ref_t *)r; } \
    wasm_##name##_t *wasm_ref_as_##name(wasm_ref_t *r) { return r && (is) ? (wasm_##name##_t *)r : NULL; } \
    const wasm_##name##_t *wasm_ref_as_##name##_const(const wasm_ref_t *r) {                       \
        return r && (is) ? (const wasm_##name##_t *)r : NULL;                                      \
    }
#define EXTERN_CASTS(name, number)                                                                          \
    wasm_extern_t *wasm_##name##_as_extern(wasm_##name##_t *r) { return (wasm_extern_t *)r; }               \
    const wasm_extern_t *wasm_##name##_as_extern_const(const wasm_##name##_t *r) { return (const wasm_extern_t *)r; } \
    wasm_##name##_t *wasm_extern_as_##name(wasm_extern_t *e) {                                              \
        return e && e->ref.kind == number ? (wasm_##name##_t *)e : NULL;                                    \
    }                                                                                                       \
    const wasm_##name##_t *wasm_extern_as_##name##_const(const wasm_extern_t *e) {                          \
        return e && e->ref.kind == number ? (const wasm_##name##_t *)e : NULL;                              \
    }

REF_COMMON(ref, )
REF_COMMON(func, ref.)
REF_COMMON(global, ref.)
REF_COMMON(table, ref.)
REF_COMMON(memory, ref.)
REF_COMMON(extern, ref.)
REF_COMMON(trap, ref.)
REF_COMMON(foreign, ref.)
REF_COMMON(module, ref.)
REF_COMMON(instance, ref.)
REF_CASTS(func, r->kind == REF_FUNC)
REF_CASTS(global, r->kind == REF_GLOBAL)
REF_CASTS(table, r->kind == REF_TABLE)
REF_CASTS(memory, r->kind == REF_MEMORY)
REF_CASTS(extern, r->kind <= REF_TAG)
REF_CASTS(trap, r->kind == REF_TRAP)
REF_CASTS(foreign, r->kind == REF_FOREIGN)
REF_CASTS(module, r->kind == REF_MODULE)
REF_CASTS(instance, r->kind == REF_INSTANCE)
EXTERN_CASTS(func, REF_FUNC)
EXTERN_CASTS(global, REF_GLOBAL)
EXTERN_CASTS(table, REF_TABLE)
EXTERN_CASTS(memory, REF_MEMORY)

wasm_foreign_t *wasm_foreign_new(wasm_store_t *s) { return (wasm_foreign_t *)capi_ref_new(s, REF_FOREIGN); }

/* Values. */

void wasm_val_delete(wasm_val_t *v) {
    if (!wasm_valkind_is_ref(v->kind)) return;
    capi_ref_drop(v->of.ref);
    v->of.ref = NULL;
}

void wasm_val_copy(wasm_val_t *out, const wasm_val_t *v) {
    *out = *v;
    if (wasm_valkind_is_ref(v->kind)) out->of.ref = capi_ref_hold(v->of.ref);
}

/* From now on a module may have it: it stays (internal.h, I3). */
static bool retain(wasm_store_t *s, struct wasm_ref_t *r) {
    if (r->external) return true;
    r->external = rt_extern_new(s->rt, r);
    if (!r->external) return false;
    capi_ref_hold(r);
    r->next_retained = s->retained;
    s->retained = r;
    return true;
}

bool capi_handle_of(wasm_store_t *s, wasm_valkind_t kind, struct wasm_ref_t *r, u32 *out) {
    *out = 0;
    if (!r) return true;
    if (r->store != s || !s->rt) return false;
    if (kind == WASM_FUNCREF) {
        *out = r->handle;
        r->made = NULL;
        return r->kind == REF_FUNC;
    }
    if (kind != WASM_EXTERNREF || !retain(s, r)) return false;
    *out = r->external;
    return true;
}

struct wasm_ref_t *capi_ref_of(wasm_store_t *s, wasm_valkind_t kind, u32 handle) {
    void *value;
    if (!handle) return NULL;
    if (kind == WASM_FUNCREF) return (struct wasm_ref_t *)capi_func_of(s, handle);
    return rt_extern_get(s->rt, handle, &value) ? capi_ref_hold(value) : NULL;
}

bool capi_to_abi(wasm_store_t *s, wasm_valkind_t kind, const wasm_val_t *v, union abi_value *out) {
    *out = (union abi_value){.bits = {0, 0}};
    if (kind == KIND_NONE) return false;
    if (v->kind != kind && !(wasm_valkind_is_ref(v->kind) && wasm_valkind_is_ref(kind))) return false;
    switch (kind) {
    case WASM_I32: out->i32 = (u32)v->of.i32; return true;
    case WASM_I64: out->i64 = (u64)v->of.i64; return true;
    case WASM_F32: memcpy(&out->i32, &v->of.f32, sizeof out->i32); return true;
    case WASM_F64: memcpy(&out->i64, &v->of.f64, sizeof out->i64); return true;
    default: return capi_handle_of(s, kind, v->of.ref, &out->i32);
    }
}

void capi_from_abi(wasm_store_t *s, wasm_valkind_t kind, const union abi_value *v, wasm_val_t *out) {
    *out = (wasm_val_t){.kind = kind};
    switch (kind) {
    case WASM_I32: out->of.i32 = (i32)v->i32; break;
    case WASM_I64: out->of.i64 = (i64)v->i64; break;
    case WASM_F32: memcpy(&out->of.f32, &v->i32, sizeof out->of.f32); break;
    case WASM_F64: memcpy(&out->of.f64, &v->i64, sizeof out->of.f64); break;
    default: out->of.ref = capi_ref_of(s, kind, v->i32); break;
    }
}
