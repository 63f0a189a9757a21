/* call.c: C calls Wasm; and what exports show to the embedder.
 *
 * I1 store.depth counts the entries nested in a store; pending is 0 when it is 0.
 * I2 the outermost entry runs on the store's own stack from its top; a nested
 *    one goes on below the host function that made it, on the same stack.
 * I3 the floating-point environment of compiled code is the default one. */
#include "base/assert.h"
#include "rt/enter.h"
#include "rt/internal.h"

enum { MXCSR_DEFAULT = 0x1f80 };

static u32 mxcsr_get(void) {
    u32 v;
    __asm__ volatile("stmxcsr %0" : "=m"(v));
    return v;
}

static void mxcsr_set(u32 v) { __asm__ volatile("ldmxcsr %0" : : "m"(v)); }

/* The status flags are sticky and nobody's input: only control bits matter. */
static enum abi_trap enter(const struct rt_callable *c, struct abi_store *s, union abi_value *vals) {
    u32 mxcsr = mxcsr_get();
    bool odd = (mxcsr & ~0x3fu) != MXCSR_DEFAULT;
    if (odd) mxcsr_set(MXCSR_DEFAULT);
    s->depth++;
    u32 trap = c->thunk(c->caller, &c->func, vals);
    s->depth--;
    if (odd) mxcsr_set(mxcsr);
    assert(trap < ABI_TRAP_COUNT);
    return (enum abi_trap)trap;
}

static bool on_own_stack(const struct rt_store *s, u64 sp) {
    u64 low = (u64)s->stack + RT_STACK_GUARD;
    return sp >= low && sp < low + s->stack_bytes;
}

/* A call that does not begin has no frames, and shows none of an earlier one. */
static enum abi_trap refuse(struct rt_store *s, enum abi_trap t) {
    s->frame_count = 0;
    return t;
}

/* Stops must end the outer calls as well; other traps are the host function's
 * to handle, and no longer pending. */
static enum abi_trap nested(const struct rt_callable *c, struct rt_store *s, union abi_value *vals) {
    u64 sp = (u64)__builtin_frame_address(0), saved_sp = s->abi.trap_sp;
    if (!on_own_stack(s, sp)) return refuse(s, ABI_TRAP_HOST);
    if (sp < s->abi.stack_limit) return refuse(s, ABI_TRAP_STACK);
    if (s->abi.pending) return refuse(s, (enum abi_trap)s->abi.pending);
    s->abi.entry_sp = 0;
    enum abi_trap trap = enter(c, &s->abi, vals);
    s->abi.entry_sp = rt_stack_top(s);
    assert(s->abi.trap_sp == saved_sp && s->abi.depth);
    if (trap) rt_show_frames(s);
    bool outwards = trap == ABI_TRAP_DEADLINE || trap == ABI_TRAP_INTERRUPTED || trap == ABI_TRAP_EXIT;
    u32 was = (u32)trap;
    if (outwards) s->abi.pending = (u32)trap;
    else __atomic_compare_exchange_n(&s->abi.pending, &was, 0, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    return trap;
}

enum abi_trap rt_call(const struct rt_callable *c, union abi_value *vals) {
    struct abi_store *abi = c->caller->store;
    struct rt_store *s = abi->owner;
    if (abi->depth) return nested(c, s, vals);
    abi->pending = 0; /* of a raise outside any call: means nothing */
    s->uncaught = 0;
    assert(abi->entry_sp == rt_stack_top(s));
    enum abi_trap trap = enter(c, abi, vals);
    assert(abi->depth == 0);
    __atomic_store_n(&abi->pending, 0, __ATOMIC_RELAXED);
    if (trap) rt_show_frames(s);
    rt_exceptions_leave(s);
    return trap;
}

enum abi_trap rt_call2_slow(const struct rt_callable *c, u64 a, u64 b, u64 *result) {
    union abi_value vals[2] = {{.bits = {a, 0}}, {.bits = {b, 0}}};
    assert(c->type->param_count <= 2 && c->type->result_count <= 1);
    enum abi_trap trap = rt_call(c, vals);
    *result = vals[0].i64;
    return trap;
}

/* While the trap exit popped the frame, an interrupt may have used its memory. */
enum abi_trap rt_call2_trapped(struct abi_store *abi, u32 trap) {
    struct rt_store *s = abi->owner;
    assert(trap < ABI_TRAP_COUNT && !abi->depth && abi->trap_sp == rt_stack_top(s));
    rt_stack_arm(s);
    rt_show_frames(s);
    rt_exceptions_leave(s);
    return (enum abi_trap)trap;
}

/* Exports. */

static const struct wasm_export *export_of(struct rt_instance *i, struct bytes name, enum wasm_kind kind) {
    return wasm_find_export(&i->module->info, name, kind);
}

enum err rt_find_func(struct rt_instance *i, struct bytes name, struct rt_callable *out) {
    const struct wasm_export *x = export_of(i, name, WASM_KIND_FUNC);
    if (!x) return ERR_NOT_FOUND;
    rt_resolve_func(i, x->index, out);
    return ERR_OK;
}

enum err rt_func_of(struct rt_store *s, u32 handle, struct rt_callable *out) {
    const struct rt_ref *r = rt_ref_at(s, handle);
    if (!r || r->kind != RT_REF_FUNC) return ERR_INVALID;
    rt_resolve_func(r->owner, r->func, out);
    return ERR_OK;
}

bool rt_func_same(struct rt_store *s, u32 a, u32 b) {
    struct rt_import_func f[2];
    for (int k = 0; k < 2; k++) {
        const struct rt_ref *r = rt_ref_at(s, k ? b : a);
        if (!r || r->kind != RT_REF_FUNC) return false;
        f[k] = r->func < r->owner->module->info.imported_funcs ? r->owner->imports[r->func]
                                                               : (struct rt_import_func){.owner = r->owner, .func = r->func};
    }
    return f[0].owner == f[1].owner && (f[0].owner ? f[0].func == f[1].func : f[0].host == f[1].host);
}

enum err rt_global_get(struct rt_instance *i, struct bytes name, union abi_value *out, wasm_type *type) {
    const struct wasm_export *x = export_of(i, name, WASM_KIND_GLOBAL);
    if (!x) return ERR_NOT_FOUND;
    *out = *rt_global_at(i, x->index);
    if (type) *type = i->module->info.globals[x->index].type;
    return ERR_OK;
}

enum err rt_global_set(struct rt_instance *i, struct bytes name, union abi_value value) {
    const struct wasm_export *x = export_of(i, name, WASM_KIND_GLOBAL);
    if (!x) return ERR_NOT_FOUND;
    const struct wasm_global *g = &i->module->info.globals[x->index];
    if (!g->mutable) return ERR_INVALID;
    if (rt_is_ref(g->type) && !rt_handle_fits(i->store, rt_type_of(i->module, g->type), value.i32)) return ERR_INVALID;
    *rt_global_at(i, x->index) = value;
    return ERR_OK;
}

enum err rt_global_init(struct rt_instance *i, struct bytes name, union abi_value value) {
    const struct wasm_export *x = export_of(i, name, WASM_KIND_GLOBAL);
    if (!x) return ERR_NOT_FOUND;
    wasm_type type = rt_type_of(i->module, i->module->info.globals[x->index].type);
    if (rt_is_ref(type) && !rt_handle_fits(i->store, type, value.i32)) return ERR_INVALID;
    *rt_global_at(i, x->index) = value;
    return ERR_OK;
}

enum err rt_find_memory(struct rt_instance *i, struct bytes name, struct abi_memory *out) {
    const struct wasm_export *x = export_of(i, name, WASM_KIND_MEMORY);
    if (!x) return ERR_NOT_FOUND;
    *out = *i->users[x->index].shown;
    return ERR_OK;
}

static struct rt_table *table_of(struct rt_instance *i, struct bytes name) {
    const struct wasm_export *x = export_of(i, name, WASM_KIND_TABLE);
    return x ? i->tables[x->index] : NULL;
}

enum err rt_table_size(struct rt_instance *i, struct bytes name, u64 *out) {
    struct rt_table *t = table_of(i, name);
    if (!t) return ERR_NOT_FOUND;
    *out = t->abi.len;
    return ERR_OK;
}

enum err rt_table_get(struct rt_instance *i, struct bytes name, u64 index, u32 *handle) {
    struct rt_table *t = table_of(i, name);
    if (!t) return ERR_NOT_FOUND;
    if (index >= t->abi.len) return ERR_LIMIT;
    *handle = t->abi.refs[index];
    return ERR_OK;
}

enum err rt_table_set(struct rt_instance *i, struct bytes name, u64 index, u32 handle) {
    struct rt_table *t = table_of(i, name);
    if (!t) return ERR_NOT_FOUND;
    if (index >= t->abi.len) return ERR_LIMIT;
    return rt_table_put(t, index, handle) ? ERR_OK : ERR_INVALID;
}

u64 rt_export_memory_grow(struct rt_instance *i, struct bytes name, u64 delta) {
    const struct wasm_export *x = export_of(i, name, WASM_KIND_MEMORY);
    return x ? rt_memory_grow(i->store, i->memories[x->index], delta) : UINT64_MAX;
}

u64 rt_export_table_grow(struct rt_instance *i, struct bytes name, u64 delta, u32 handle) {
    struct rt_table *t = table_of(i, name);
    return t ? rt_table_enlarge(t, delta, handle) : UINT64_MAX;
}

u32 rt_export_func(struct rt_instance *i, struct bytes name) {
    const struct wasm_export *x = export_of(i, name, WASM_KIND_FUNC);
    return x ? rt_func_handle(i, x->index) : 0;
}

const void *rt_export_identity(struct rt_instance *i, struct bytes name, enum wasm_kind kind) {
    const struct wasm_export *x = export_of(i, name, kind);
    if (!x) return NULL;
    switch (kind) {
    case WASM_KIND_TABLE: return i->tables[x->index];
    case WASM_KIND_MEMORY: return i->memories[x->index];
    case WASM_KIND_GLOBAL: return rt_global_at(i, x->index);
    case WASM_KIND_TAG: return i->tags[x->index];
    default: return NULL;
    }
}
