/* link.c: imports of a module against a linker (WebAssembly 2.0, 4.5.2, 4.5.4).
 *
 * I1 what is found is checked for kind, type and store before it is used.
 * I2 an instance that takes anything from another one marks both as shared. */
#include "base/assert.h"
#include "base/fmt.h"
#include "rt/internal.h"

/* What a (module, name) stands for, whoever defined it. */
struct found {
    enum wasm_kind kind;
    struct rt_store *store;    /* NULL: any (host functions) */
    struct rt_instance *owner; /* whose export it is; NULL: the linker's */
    struct rt_import_func func;
    const struct rt_type *type;
    struct rt_table *table;
    struct rt_memory *memory;
    struct rt_cell *cell; /* mutable globals */
    struct rt_tag *tag;
    union abi_value value;
    wasm_type value_type;
    bool mutable;
};

enum { NAME = 48, TYPE = 80 };

static const char *const kind_names[] = {"function", "table", "memory", "global", "tag"};

static enum err refuse(struct rt_error *error, const struct wasm_import *im, enum err code,
                       const char *have, const char *want) {
    char module[NAME], name[NAME];
    rt_name_text(module, sizeof module, im->module);
    rt_name_text(name, sizeof name, im->name);
    if (code == ERR_NOT_FOUND)
        return rt_fail(error, code, SIZE_MAX, "unknown import %s.%s: module wants %s", module, name, want);
    return rt_fail(error, code, SIZE_MAX, "import %s.%s: expected %s, module has %s", module, name, have,
                   want);
}

static void found_def(const struct rt_def *d, struct found *f) {
    f->kind = d->kind;
    f->store = d->store;
    f->func.host = d;
    f->type = d->type;
    f->table = d->table;
    f->memory = d->memory;
    f->cell = d->cell;
    f->tag = d->tag;
    if (d->cell) f->value = d->cell->value;
    f->value_type = d->value_type;
    f->mutable = d->mutable;
}

static void found_func(struct rt_instance *o, u32 func, struct found *f) {
    f->type = o->module->types[o->module->info.funcs[func].type];
    f->func = (struct rt_import_func){.owner = o, .func = func};
    if (func < o->module->info.imported_funcs) f->func = o->imports[func];
}

static void found_global(struct rt_instance *o, u32 global, struct found *f) {
    const struct wasm_global *g = &o->module->info.globals[global];
    f->value = *rt_global_at(o, global);
    f->cell = o->cells[global];
    f->value_type = rt_type_of(o->module, g->type);
    f->mutable = g->mutable;
    assert(!g->mutable || f->cell); /* it is exported */
}

static void found_export(struct rt_instance *o, const struct wasm_export *x, struct found *f) {
    f->kind = x->kind;
    f->owner = o;
    f->store = o->store;
    switch (x->kind) {
    case WASM_KIND_FUNC: found_func(o, x->index, f); break;
    case WASM_KIND_TABLE: f->table = o->tables[x->index]; break;
    case WASM_KIND_MEMORY: f->memory = o->memories[x->index]; break;
    case WASM_KIND_GLOBAL: found_global(o, x->index, f); break;
    case WASM_KIND_TAG: f->tag = o->tags[x->index]; break;
    }
}

/* A shared memory holds by itself all that it needs. */
static void free_of_store(struct found *f) {
    if (f->kind != WASM_KIND_MEMORY || !f->memory->type.limits.shared) return;
    f->store = NULL;
    f->owner = NULL;
}

static bool find(const struct rt_linker *l, const struct wasm_import *im, struct found *f) {
    *f = (struct found){0};
    const struct rt_def *d = l ? rt_find_def(l, im->module, im->name) : NULL;
    if (d) {
        found_def(d, f);
        free_of_store(f);
        return true;
    }
    struct rt_instance *o = l ? rt_find_named(l, im->module) : NULL;
    for (u32 kind = 0; o && kind <= WASM_KIND_TAG; kind++) {
        const struct wasm_export *x = wasm_find_export(&o->module->info, im->name, (enum wasm_kind)kind);
        if (!x) continue;
        found_export(o, x, f);
        free_of_store(f);
        return true;
    }
    return false;
}

/* By position. Exports of a foreign store are refused later, as those of a name are. */
static bool find_given(struct rt_store *s, const struct rt_given *g, struct found *f) {
    *f = (struct found){0};
    if (g->kind == WASM_KIND_FUNC) {
        const struct rt_ref *r = rt_ref_at(s, g->handle);
        if (!r || r->kind != RT_REF_FUNC) return false;
        struct wasm_export x = {.kind = WASM_KIND_FUNC, .index = r->func};
        found_export(r->owner, &x, f);
        return true;
    }
    if (!g->owner) return false;
    const struct wasm_export *x = wasm_find_export(&g->owner->module->info, g->name, g->kind);
    if (!x) return false;
    found_export(g->owner, x, f);
    free_of_store(f);
    return true;
}

/* Words for both sides of a mismatch. */

static const char *want_text(char *out, const struct wasm_module *w, const struct wasm_import *im) {
    const struct wasm_functype *t;
    switch (im->kind) {
    case WASM_KIND_FUNC:
        t = &w->types[w->funcs[im->index].type];
        return rt_sig_text(out, TYPE, t->params, t->param_count, t->results, t->result_count);
    case WASM_KIND_TABLE:
        return rt_limits_text(out, TYPE, "table", w->tables[im->index].limits.min,
                              &w->tables[im->index].limits, w->tables[im->index].type);
    case WASM_KIND_MEMORY:
        return rt_limits_text(out, TYPE, "memory", w->memories[im->index].limits.min,
                              &w->memories[im->index].limits, 0);
    case WASM_KIND_GLOBAL:
        return rt_global_text(out, TYPE, w->globals[im->index].type, w->globals[im->index].mutable);
    case WASM_KIND_TAG: break;
    }
    fmt(out, TYPE, "a tag");
    return out;
}

static const char *have_text(char *out, const struct found *f) {
    switch (f->kind) {
    case WASM_KIND_FUNC:
        return rt_sig_text(out, TYPE, f->type->sig, f->type->params, f->type->sig + f->type->params,
                           f->type->results);
    case WASM_KIND_TABLE:
        return rt_limits_text(out, TYPE, "table", f->table->abi.len, &f->table->type.limits,
                              f->table->type.type);
    case WASM_KIND_MEMORY:
        return rt_limits_text(out, TYPE, "memory", f->memory->pages, &f->memory->type.limits, 0);
    case WASM_KIND_GLOBAL: return rt_global_text(out, TYPE, f->value_type, f->mutable);
    case WASM_KIND_TAG: break;
    }
    fmt(out, TYPE, "%s", kind_names[f->kind]);
    return out;
}

/* WebAssembly 2.0, 4.5.2.2: the current size counts as the minimum. */
static bool limits_fit(u64 size, const struct wasm_limits *have, const struct wasm_limits *want) {
    if (have->is64 != want->is64 || have->shared != want->shared || size < want->min) return false;
    return !want->has_max || (have->has_max && have->max <= want->max);
}

static bool fits(const struct rt_instance *i, const struct wasm_import *im, const struct found *f) {
    const struct wasm_module *w = &i->module->info;
    const struct wasm_global *g;
    wasm_type want;
    if (f->kind != im->kind) return false;
    switch (im->kind) {
    case WASM_KIND_FUNC: return f->type->id == i->module->type_ids[w->funcs[im->index].type];
    case WASM_KIND_TABLE:
        return f->table->type.type == rt_type_of(i->module, w->tables[im->index].type) &&
               limits_fit(f->table->abi.len, &f->table->type.limits, &w->tables[im->index].limits);
    case WASM_KIND_MEMORY:
        return f->memory->type.byte_pages == w->memories[im->index].byte_pages &&
               limits_fit(f->memory->pages, &f->memory->type.limits, &w->memories[im->index].limits);
    case WASM_KIND_GLOBAL:
        g = &w->globals[im->index];
        want = rt_type_of(i->module, g->type);
        if (g->mutable != f->mutable) return false;
        return g->mutable ? want == f->value_type : wasm_subtype(f->value_type, want);
    case WASM_KIND_TAG: return f->tag->type_id == i->module->type_ids[w->tags[im->index].type];
    }
    return false;
}

/* Cannot fail: everything was checked. */
static void take(struct rt_instance *i, const struct wasm_import *im, struct found *f) {
    if (f->owner) f->owner->shared = true;
    if (f->store) i->shared = true;
    switch (im->kind) {
    case WASM_KIND_FUNC: i->imports[im->index] = f->func; break;
    case WASM_KIND_TABLE:
        f->table->holders++;
        i->tables[im->index] = f->table;
        break;
    case WASM_KIND_MEMORY:
        rt_memory_hold(f->memory);
        i->memories[im->index] = f->memory;
        break;
    case WASM_KIND_GLOBAL:
        if (f->mutable) {
            f->cell->holders++;
            i->cells[im->index] = f->cell;
        } else {
            *rt_global_at(i, im->index) = f->value;
        }
        break;
    case WASM_KIND_TAG:
        f->tag->holders++;
        i->tags[im->index] = f->tag;
        break;
    }
}

enum err rt_link(struct rt_instance *i, const struct rt_linker *l, const struct rt_given *given,
                 struct rt_error *error) {
    const struct wasm_module *w = &i->module->info;
    char have[TYPE], want[TYPE];
    for (u32 k = 0; k < w->import_count; k++) {
        const struct wasm_import *im = &w->imports[k];
        struct found f;
        if (!(given ? find_given(i->store, &given[k], &f) : find(l, im, &f)))
            return refuse(error, im, ERR_NOT_FOUND, "", want_text(want, w, im));
        if (!fits(i, im, &f))
            return refuse(error, im, ERR_SIGNATURE, have_text(have, &f), want_text(want, w, im));
        if (f.store && f.store != i->store)
            return refuse(error, im, ERR_LINK, "an object of the same store", "one of another store");
        take(i, im, &f);
    }
    return ERR_OK;
}
