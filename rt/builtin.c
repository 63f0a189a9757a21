/* builtin.c: the helpers that compiled code calls through its context
 * (ABI_BUILTINS). The signature of a host function: the caller's context
 * first; a trap is raised by pending.
 *
 * I1 nothing is trusted: what was compiled here has the right indices of memories,
 *    tables, segments, functions and tags, but what came from a cache (cache.c) is
 *    proven safe only as far as verify.h says. A wrong index is the trap HOST. */
#include "base/assert.h"
#include "rt/internal.h"

u64 rt_raise(struct abi_ctx *ctx, enum abi_trap kind) {
    u32 none = ABI_TRAP_NONE;
    assert(kind > ABI_TRAP_NONE && kind < ABI_TRAP_COUNT);
    /* Not over a stop that the timer put there meanwhile. */
    __atomic_compare_exchange_n(&ctx->store->pending, &none, (u32)kind, false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
    return 0;
}

static u64 raise_if(struct abi_ctx *ctx, enum abi_trap t) { return t ? rt_raise(ctx, t) : 0; }

static u64 wrong_index(struct abi_ctx *ctx) { return rt_raise(ctx, ABI_TRAP_HOST); }

static struct rt_table *table_at(struct abi_ctx *ctx, u32 table) {
    struct rt_instance *i = ctx->instance;
    return table < i->module->info.table_count ? i->tables[table] : NULL;
}

static u64 cut_memory(const struct rt_memory *m, u64 v) { return rt_cut(&m->type.limits, v); }
static u64 cut_table(const struct rt_table *t, u64 v) { return rt_cut(&t->type.limits, v); }

static u64 memory_grow(struct abi_ctx *ctx, u32 mem, u64 delta) {
    struct rt_memory *m = rt_memory_at(ctx, mem);
    if (!m) return wrong_index(ctx);
    return rt_memory_grow(ctx->store->owner, m, cut_memory(m, delta));
}

static u64 memory_fill(struct abi_ctx *ctx, u32 mem, u64 at, u32 byte, u64 n) {
    struct rt_memory *m = rt_memory_at(ctx, mem);
    if (!m) return wrong_index(ctx);
    return raise_if(ctx, rt_do_memory_fill(ctx->store->owner, m, cut_memory(m, at), (u8)byte, cut_memory(m, n)));
}

/* The count is as wide as the narrower of the two. */
static u64 memory_copy(struct abi_ctx *ctx, u64 mems, u64 to, u64 from, u64 n) {
    struct rt_memory *d = rt_memory_at(ctx, (u32)mems), *s = rt_memory_at(ctx, (u32)(mems >> 32));
    if (!d || !s) return wrong_index(ctx);
    n = cut_memory(d, cut_memory(s, n));
    return raise_if(ctx, rt_do_memory_copy(ctx->store->owner, d, cut_memory(d, to), s, cut_memory(s, from), n));
}

static u64 memory_init(struct abi_ctx *ctx, u64 what, u64 to, u32 from, u32 n) {
    struct rt_instance *i = ctx->instance;
    struct rt_memory *m = rt_memory_at(ctx, (u32)what);
    u32 segment = (u32)(what >> 32);
    if (!m || segment >= i->module->info.data_count) return wrong_index(ctx);
    return raise_if(ctx, rt_do_memory_init(i, (u32)what, segment, cut_memory(m, to), from, n));
}

static u64 data_drop(struct abi_ctx *ctx, u32 segment) {
    struct rt_instance *i = ctx->instance;
    if (segment >= i->module->info.data_count) return wrong_index(ctx);
    i->data_left[segment] = 0;
    return 0;
}

static u64 table_get(struct abi_ctx *ctx, u32 table, u64 index) {
    struct rt_table *t = table_at(ctx, table);
    if (!t) return wrong_index(ctx);
    u64 at = cut_table(t, index);
    return at < t->abi.len ? t->abi.refs[at] : rt_raise(ctx, ABI_TRAP_TABLE_BOUNDS);
}

static u64 table_set(struct abi_ctx *ctx, u32 table, u64 index, u32 handle) {
    struct rt_table *t = table_at(ctx, table);
    if (!t) return wrong_index(ctx);
    u64 at = cut_table(t, index);
    if (at >= t->abi.len) return rt_raise(ctx, ABI_TRAP_TABLE_BOUNDS);
    return rt_table_put(t, at, handle) ? 0 : rt_raise(ctx, ABI_TRAP_HOST);
}

static u64 table_grow(struct abi_ctx *ctx, u32 table, u64 delta, u32 handle) {
    struct rt_table *t = table_at(ctx, table);
    if (!t || !rt_handle_fits(t->store, t->type.type, handle)) return rt_raise(ctx, ABI_TRAP_HOST);
    return rt_table_enlarge(t, cut_table(t, delta), handle);
}

static u64 table_fill(struct abi_ctx *ctx, u32 table, u64 at, u32 handle, u64 n) {
    struct rt_table *t = table_at(ctx, table);
    if (!t) return wrong_index(ctx);
    return raise_if(ctx, rt_do_table_fill(t, cut_table(t, at), handle, cut_table(t, n)));
}

static u64 table_copy(struct abi_ctx *ctx, u64 tables, u64 to, u64 from, u64 n) {
    struct rt_table *d = table_at(ctx, (u32)tables), *s = table_at(ctx, (u32)(tables >> 32));
    if (!d || !s) return wrong_index(ctx);
    n = cut_table(d, cut_table(s, n));
    return raise_if(ctx, rt_do_table_copy(d, cut_table(d, to), s, cut_table(s, from), n));
}

static u64 table_init(struct abi_ctx *ctx, u64 what, u64 to, u32 from, u32 n) {
    struct rt_instance *i = ctx->instance;
    struct rt_table *t = table_at(ctx, (u32)what);
    u32 segment = (u32)(what >> 32);
    if (!t || segment >= i->module->info.elem_count) return wrong_index(ctx);
    return raise_if(ctx, rt_do_table_init(i, (u32)what, segment, cut_table(t, to), from, n));
}

static u64 elem_drop(struct abi_ctx *ctx, u32 segment) {
    struct rt_instance *i = ctx->instance;
    if (segment >= i->module->info.elem_count) return wrong_index(ctx);
    i->elems[segment] = (struct rt_segment){0};
    return 0;
}

static u64 ref_func(struct abi_ctx *ctx, u32 func) {
    struct rt_instance *i = ctx->instance;
    if (func >= i->module->info.func_count || !wasm_func_escapes(&i->module->info, func)) return wrong_index(ctx);
    u32 h = rt_func_handle(i, func);
    return h ? h : rt_raise(ctx, ABI_TRAP_NOMEM);
}

static u64 atomic_notify(struct abi_ctx *ctx, u32 mem, u64 index, u64 offset, u32 count) {
    return rt_atomic_notify(ctx, mem, index, offset, count);
}
static u64 atomic_wait32(struct abi_ctx *ctx, u32 mem, u64 index, u64 offset, u32 expected, i64 ns) {
    return rt_atomic_wait(ctx, mem, index, offset, expected, ns, 4);
}
static u64 atomic_wait64(struct abi_ctx *ctx, u32 mem, u64 index, u64 offset, u64 expected, i64 ns) {
    return rt_atomic_wait(ctx, mem, index, offset, expected, ns, 8);
}

static u64 f32_round(struct abi_ctx *ctx, u32 bits, u32 mode) { return rt_round_f32(bits, mode); }
static u64 f64_round(struct abi_ctx *ctx, u64 bits, u32 mode) { return rt_round_f64(bits, mode); }

static u64 throw_tag(struct abi_ctx *ctx, u32 tag) { return rt_builtin_throw(ctx, tag); }
static u64 throw_ref(struct abi_ctx *ctx, u32 handle) { return rt_rethrow(ctx, handle); }
static u64 unwind(struct abi_ctx *ctx, u64 sp) { return rt_unwind(ctx, sp); }

const void *const rt_builtins[ABI_BUILTIN_COUNT] = {
#define X(name) [ABI_BUILTIN_##name] = name,
    ABI_BUILTINS(X)
#undef X
};
