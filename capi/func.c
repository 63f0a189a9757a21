/* func.c: functions: callbacks of the embedder, and calls.
 *
 * I1 whoever calls gives arguments of the function's type, or gets a trap that says so;
 *    results are put where there is room for them.
 * I2 a callback's trap goes through the module as HOST, with the object in
 *    store->raised until the call that it ends returns.
 * I3 callbacks are in store->funcs; one of I4 (internal.h) leaves it when it goes. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/fault.h"
#include "capi/internal.h"

wasm_func_t *capi_func_of(wasm_store_t *s, u32 handle) {
    struct rt_callable c;
    if (!s->rt || rt_func_of(s->rt, handle, &c)) return NULL;
    struct wasm_ref_t *r = capi_ref_new(s, REF_FUNC);
    if (!r) return NULL;
    r->handle = handle;
    r->callable = c;
    r->type = capi_functype(c.type);
    if (r->type) return (wasm_func_t *)r;
    capi_ref_drop(r);
    return NULL;
}

/* Callbacks. */

void capi_host_free(struct host_func *h) {
    if (h->linker) {
        capi_slot_give(h);
        rt_linker_free(h->linker);
    }
    if (h->finalizer) h->finalizer(h->env);
    capi_type_free(h->type);
    free(h);
}

static void host_link(struct host_func *h) {
    h->link = &h->store->funcs;
    h->next = *h->link;
    if (h->next) h->next->link = &h->next;
    *h->link = h;
}

/* It does not run: whoever calls it holds it, and nobody else can. */
void capi_host_gone(struct host_func *h) {
    *h->link = h->next;
    if (h->next) h->next->link = h->link;
    rt_instance_free(h->instance);
    capi_host_free(h);
}

static char letter(wasm_valkind_t kind) {
    switch (kind) {
    case WASM_I32: return 'i';
    case WASM_I64: return 'I';
    case WASM_F32: return 'f';
    case WASM_F64: return 'F';
    case WASM_FUNCREF: return 'r';
    case WASM_EXTERNREF: return 'x';
    default: return '?'; /* refused by whoever reads it */
    }
}

static char *letters(char *p, const wasm_valtype_vec_t *v) {
    for (size_t k = 0; k < v->size; k++) *p++ = v->data[k] ? letter(v->data[k]->kind) : '?';
    return p;
}

/* Defines it as the import ("", "") of the module that make.c makes. */
static struct rt_instance *host_instance(struct host_func *h) {
    const struct wasm_externtype_t *t = h->type;
    char text[CAPI_VALUES + 2];
    if (t->params.size + t->results.size > CAPI_VALUES) return NULL;
    char *p = letters(text, &t->params);
    *p++ = ':';
    p = letters(p, &t->results);
    *p = 0;
    const void *fn = capi_slot_take(h);
    if (!fn) return NULL;
    if (rt_linker_new(h->store->engine, &h->linker)) {
        capi_slot_give(h);
        return NULL;
    }
    if (rt_define_func(h->linker, "", "", text, fn)) return NULL;
    return capi_make(h->store, t, NULL, &(struct capi_import){.linker = h->linker});
}

static wasm_func_t *host_new(wasm_store_t *s, struct host_func init, const wasm_functype_t *type) {
    struct host_func *h = s && s->rt && type ? calloc(1, sizeof *h) : NULL;
    if (!h) return NULL;
    *h = init;
    h->store = s;
    h->type = capi_type_copy((const struct wasm_externtype_t *)type);
    h->instance = h->type ? host_instance(h) : NULL;
    u32 handle = h->instance ? rt_export_func(h->instance, (struct bytes){NULL, 0}) : 0;
    wasm_func_t *f = handle ? capi_func_of(s, handle) : NULL;
    if (f) {
        f->ref.made = h;
        host_link(h);
    } else {
        h->finalizer = NULL; /* env stays the caller's */
        rt_instance_free(h->instance);
        capi_host_free(h);
    }
    return f;
}

wasm_func_t *wasm_func_new(wasm_store_t *s, const wasm_functype_t *type, wasm_func_callback_t f) {
    return f ? host_new(s, (struct host_func){.plain = f}, type) : NULL;
}

wasm_func_t *wasm_func_new_with_env(wasm_store_t *s, const wasm_functype_t *type, wasm_func_callback_with_env_t f,
                                    void *env, void (*finalizer)(void *)) {
    return f ? host_new(s, (struct host_func){.with_env = f, .env = env, .finalizer = finalizer}, type) : NULL;
}

static u64 raise(struct host_func *h, struct abi_ctx *caller, wasm_trap_t *trap) {
    wasm_trap_delete(h->store->raised);
    h->store->raised = trap;
    return rt_raise(caller, ABI_TRAP_HOST);
}

/* What a callback left in results, to where the caller wants it. */
static u64 answer(struct host_func *h, struct abi_ctx *caller, wasm_val_t *results, u64 *more) {
    u64 first = 0;
    bool fits = true;
    for (size_t k = 0; k < h->type->results.size; k++) {
        union abi_value v;
        fits = fits && capi_to_abi(h->store, h->type->results.data[k]->kind, &results[k], &v);
        wasm_val_delete(&results[k]);
        if (!fits) continue;
        if (k) more[k - 1] = v.i64;
        else first = v.i64;
    }
    return fits ? first : raise(h, caller, capi_trap_text(h->store, "callback: wrong kind of result"));
}

u64 capi_host_call(struct host_func *h, struct abi_ctx *caller, const union abi_value *args, u64 *more) {
    const struct wasm_externtype_t *t = h->type;
    wasm_val_t in[CAPI_VALUES], out[CAPI_VALUES];
    assert(t->params.size + t->results.size <= CAPI_VALUES && rt_ctx_store(caller) == h->store->rt);
    for (size_t k = 0; k < t->params.size; k++) capi_from_abi(h->store, t->params.data[k]->kind, &args[k], &in[k]);
    for (size_t k = 0; k < t->results.size; k++) out[k] = (wasm_val_t){.kind = t->results.data[k]->kind};
    wasm_val_vec_t given = {t->params.size, in}, wanted = {t->results.size, out};
    wasm_trap_t *trap = h->plain ? h->plain(&given, &wanted) : h->with_env(h->env, &given, &wanted);
    for (size_t k = 0; k < t->params.size; k++) wasm_val_delete(&in[k]);
    if (trap) return raise(h, caller, trap);
    return answer(h, caller, out, more);
}

/* Calls. */

wasm_functype_t *wasm_func_type(const wasm_func_t *f) { return (wasm_functype_t *)capi_type_copy(f->ref.type); }
size_t wasm_func_param_arity(const wasm_func_t *f) { return f->ref.type->params.size; }
size_t wasm_func_result_arity(const wasm_func_t *f) { return f->ref.type->results.size; }

static size_t size_of(const wasm_val_vec_t *v) { return v ? v->size : 0; }

static const char *check_call(const wasm_func_t *f, const wasm_val_vec_t *args) {
    const struct wasm_externtype_t *t = f->ref.type;
    if (size_of(args) != t->params.size && !fault(ARGUMENT_COUNT)) return "call: wrong number of arguments";
    for (size_t k = 0; k < t->params.size; k++)
        if (t->params.data[k]->kind == KIND_NONE) return "call: a parameter is of a type that cannot be passed";
    for (size_t k = 0; k < t->results.size; k++)
        if (t->results.data[k]->kind == KIND_NONE) return "call: a result is of a type that cannot be passed";
    return NULL;
}

/* vals has room for parameters and for results. */
static wasm_trap_t *call(const wasm_func_t *f, const wasm_val_vec_t *args, wasm_val_vec_t *results,
                         union abi_value *vals) {
    const struct wasm_externtype_t *t = f->ref.type;
    wasm_store_t *s = f->ref.store;
    for (size_t k = 0; k < t->params.size; k++)
        if (!capi_to_abi(s, t->params.data[k]->kind, &args->data[k], &vals[k]))
            return capi_trap_text(s, "call: wrong kind of argument");
    if (!capi_enter_call(s)) return capi_trap_text(s, "call: out of resources");
    enum abi_trap trap = rt_call(&f->ref.callable, vals);
    capi_leave_call(s);
    if (trap) return capi_trap_of(s, trap);
    for (size_t k = 0; k < t->results.size && k < size_of(results); k++)
        capi_from_abi(s, t->results.data[k]->kind, &vals[k], &results->data[k]);
    return NULL;
}

wasm_trap_t *wasm_func_call(const wasm_func_t *f, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    const struct wasm_externtype_t *t = f->ref.type;
    wasm_store_t *s = f->ref.store;
    enum { FEW = 16 };
    union abi_value few[FEW], *vals = few;
    const char *wrong = s->rt ? check_call(f, args) : "call: the store was deleted";
    if (wrong) return capi_trap_text(s, wrong);
    size_t n = MAX(t->params.size, t->results.size);
    if (n > FEW) vals = aligned_alloc(sizeof *vals, n * sizeof *vals);
    if (!vals) return capi_trap_text(s, "call: out of memory");
    struct wasm_ref_t *held = (struct wasm_ref_t *)(uptr)&f->ref;
    held->holders++; /* a callback may let go of it. No atomic: functions are of one thread */
    wasm_trap_t *trap = call(f, args, results, vals);
    if (held->holders > 1) held->holders--;
    else capi_ref_drop(held);
    if (vals != few) free(vals);
    return trap;
}
