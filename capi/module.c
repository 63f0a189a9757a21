/* module.c: modules and instances. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/fault.h"
#include "base/fmt.h"
#include "capi/internal.h"

static struct bytes bytes_of(const wasm_byte_vec_t *v) { return (struct bytes){(const u8 *)v->data, v->size}; }

static struct rt_module *load(wasm_store_t *s, struct bytes binary, const struct rt_cache *cache) {
    struct rt_error error;
    struct rt_module *m;
    if (!s || !s->rt) return NULL;
    enum err e = rt_module_load_by(s->engine, cache, binary, &s->limits, &m, &error);
    fmt(s->error, sizeof s->error, "%s", e ? error.text : "");
    return e ? NULL : m;
}

static void *module_of(wasm_store_t *s, struct rt_module *m) {
    struct wasm_ref_t *r = m ? capi_ref_new(s, REF_MODULE) : NULL;
    if (r) r->module = m;
    else rt_module_free(m);
    return r;
}

wasm_module_t *capi_module_load(wasm_store_t *s, struct bytes binary, const struct rt_cache *cache) {
    return module_of(s, load(s, binary, cache));
}

wasm_module_t *wasm_module_new(wasm_store_t *s, const wasm_byte_vec_t *binary) {
    return binary ? capi_module_load(s, bytes_of(binary), NULL) : NULL;
}

bool wasm_module_validate(wasm_store_t *s, const wasm_byte_vec_t *binary) {
    struct rt_module *m = binary ? load(s, bytes_of(binary), NULL) : NULL;
    rt_module_free(m);
    return m != NULL;
}

/* Sharing: a second object for the same code, of no store, then of another. */
wasm_shared_module_t *wasm_module_share(const wasm_module_t *m) {
    rt_module_hold(m->ref.module);
    return module_of(NULL, m->ref.module);
}
wasm_module_t *wasm_module_obtain(wasm_store_t *s, const wasm_shared_module_t *shared) {
    if (!s || !s->rt) return NULL;
    rt_module_hold(shared->ref.module);
    return module_of(s, shared->ref.module);
}
void wasm_shared_module_delete(wasm_shared_module_t *m) { capi_ref_drop(m ? &m->ref : NULL); }

/* Contents. */

static void name_of(struct bytes b, wasm_name_t *out) { wasm_name_new(out, b.n, (const char *)b.p); }

void wasm_module_imports(const wasm_module_t *m, wasm_importtype_vec_t *out) {
    const struct wasm_module *w = rt_module_info(m->ref.module);
    wasm_importtype_vec_new_uninitialized(out, w->import_count);
    for (u32 k = 0; k < w->import_count && out->size; k++) {
        const struct wasm_import *im = &w->imports[k];
        wasm_name_t module, name;
        name_of(im->module, &module);
        name_of(im->name, &name);
        out->data[k] = wasm_importtype_new(&module, &name, capi_type_of(w, im->kind, im->index));
    }
}

void wasm_module_exports(const wasm_module_t *m, wasm_exporttype_vec_t *out) {
    const struct wasm_module *w = rt_module_info(m->ref.module);
    wasm_exporttype_vec_new_uninitialized(out, w->export_count);
    for (u32 k = 0; k < w->export_count && out->size; k++) {
        const struct wasm_export *x = &w->exports[k];
        wasm_name_t name;
        name_of(x->name, &name);
        out->data[k] = wasm_exporttype_new(&name, capi_type_of(w, x->kind, x->index));
    }
}

/* Instances. */

/* false: one of another store, or none. */
static bool give(wasm_store_t *s, const wasm_extern_vec_t *imports, struct rt_given *given) {
    for (size_t k = 0; imports && k < imports->size; k++) {
        wasm_extern_t *e = imports->data[k];
        if (!e || (e->ref.store != s && !fault(OTHER_STORE)) || e->ref.kind > REF_TAG) return false;
        if (!fault(STILL_HELD)) e->ref.made = NULL;
        given[k] = (struct rt_given){capi_kinds[e->ref.kind], e->ref.handle, e->ref.owner, e->ref.name};
    }
    return true;
}

wasm_instance_t *wasm_instance_new(wasm_store_t *s, const wasm_module_t *m, const wasm_extern_vec_t *imports,
                                   wasm_trap_t **trap) {
    size_t n = imports ? imports->size : 0;
    struct rt_error error;
    enum abi_trap why = ABI_TRAP_NONE;
    if (trap) *trap = NULL;
    if (!s || !s->rt || !m || n > WASM_MAX_IMPORTS) return NULL;
    struct rt_given *given = calloc(n + 1, sizeof *given);
    struct wasm_ref_t *r = given ? capi_ref_new(s, REF_INSTANCE) : NULL;
    fmt(s->error, sizeof s->error, "an import is none of the store's, or there is no memory");
    if (r && give(s, imports, given) && capi_enter_call(s)) {
        enum err e = rt_instantiate_given(s->rt, m->ref.module, given, (u32)n, &r->owner, &why, &error);
        capi_leave_call(s);
        fmt(s->error, sizeof s->error, "%s", e ? error.text : "");
    }
    free(given);
    if (r && r->owner) return (wasm_instance_t *)r;
    capi_ref_drop(r);
    wasm_trap_t *t = why ? capi_trap_of(s, why) : trap ? capi_trap_text(s, s->error) : NULL;
    if (trap) *trap = t;
    else wasm_trap_delete(t);
    return NULL;
}

static wasm_extern_t *export_of(wasm_store_t *s, struct rt_instance *i, const struct wasm_export *x) {
    const struct wasm_module *w = rt_module_info(rt_instance_module(i));
    static const enum ref_kind of[] = {[WASM_KIND_TABLE] = REF_TABLE, [WASM_KIND_MEMORY] = REF_MEMORY,
                                       [WASM_KIND_GLOBAL] = REF_GLOBAL, [WASM_KIND_TAG] = REF_TAG};
    if (x->kind == WASM_KIND_FUNC) return (wasm_extern_t *)capi_func_of(s, rt_export_func(i, x->name));
    struct wasm_ref_t *r = capi_ref_new(s, of[x->kind]);
    if (!r) return NULL;
    r->owner = i;
    r->name = x->name;
    r->type = capi_type_of(w, x->kind, x->index);
    if (r->type) return (wasm_extern_t *)r;
    capi_ref_drop(r);
    return NULL;
}

void wasm_instance_exports(const wasm_instance_t *i, wasm_extern_vec_t *out) {
    wasm_store_t *s = i->ref.store;
    wasm_extern_vec_new_empty(out);
    if (!s->rt) return;
    const struct wasm_module *w = rt_module_info(rt_instance_module(i->ref.owner));
    wasm_extern_vec_new_uninitialized(out, w->export_count);
    for (u32 k = 0; k < w->export_count && out->size; k++) out->data[k] = export_of(s, i->ref.owner, &w->exports[k]);
}
