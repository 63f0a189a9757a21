/* throw.c: tags and exceptions (WebAssembly 3.0, 4.2.8, 4.2.9).
 *
 * I1 an exception is in its store's list, and its handle names it, until it is
 *    freed; it counts on its tag.
 * I2 one that was caught without a reference to it, and never with one, is freed
 *    at once. Others may be named from anywhere: collect() finds who is.
 * I3 compiled code keeps handles in registers, slots and overflow; between
 *    entries only in tables and globals. So inside an entry the stack is read
 *    word by word, and whatever looks like a handle keeps its exception.
 * I4 what exceptions cost is bounded by RT_MAX_EXCEPTIONS bytes a store, and
 *    collecting by the number of throws since. A stop ends a collection early:
 *    then nothing is freed. */
#include "base/assert.h"
#include "base/mem.h"
#include "rt/internal.h"

enum { RT_MAX_EXCEPTIONS = 16 << 20 };

/* Tags. */

enum err rt_tag_new(struct rt_store *s, u32 type_id, const wasm_type *params, u32 count, struct rt_tag **out) {
    struct rt_tag *t = rt_alloc(s->engine, sizeof *t + count * sizeof *params);
    if (!t) return ERR_NOMEM;
    *t = (struct rt_tag){.engine = s->engine, .holders = 1, .type_id = type_id, .count = count};
    if (count) memcpy(t->params, params, count * sizeof *params);
    *out = t;
    return ERR_OK;
}

void rt_tag_drop(struct rt_tag *t) {
    assert(t->holders);
    if (--t->holders == 0) rt_free(t->engine, t, sizeof *t + t->count * sizeof *t->params);
}

/* Exceptions. */

static size_t size_of(const struct rt_tag *t) { return sizeof(struct rt_exception) + t->count * sizeof(union abi_value); }

static struct rt_exception *exception_at(struct rt_store *s, u32 handle) {
    const struct rt_ref *r = rt_ref_at(s, handle);
    return r && r->kind == RT_REF_EXN ? r->exception : NULL;
}

static void exception_free(struct rt_store *s, struct rt_exception *x) {
    struct rt_tag *t = x->tag;
    size_t bytes = size_of(t);
    assert(s->exception_bytes >= bytes && s->exception_count);
    s->exception_bytes -= bytes;
    s->exception_count--;
    rt_ref_free(s, x->handle);
    list_remove(&x->link);
    rt_free(s->engine, x, bytes);
    rt_tag_drop(t);
}

void rt_exceptions_free(struct rt_store *s) {
    while (!list_empty(&s->exceptions)) exception_free(s, LIST_ENTRY(s->exceptions.next, struct rt_exception, link));
}

/* Finding who is named. */

struct collection {
    struct rt_store *s;
    struct rt_exception *work; /* marked, payload not looked at */
    u32 words;                 /* looked at */
    bool stopped;
};

static void mark(struct collection *c, u32 handle) {
    struct rt_exception *x = exception_at(c->s, handle);
    if (!x || x->marked) return;
    x->marked = true;
    x->next = c->work;
    c->work = x;
}

/* Once in a while: has the timer asked for an end? */
static bool go_on(struct collection *c) {
    if (++c->words % 4096 == 0 && __atomic_load_n(&c->s->abi.pending, __ATOMIC_RELAXED)) c->stopped = true;
    return !c->stopped;
}

static void mark_payload(struct collection *c, const struct rt_exception *x) {
    for (u32 k = 0; k < x->tag->count; k++)
        if (rt_is_exn_ref(x->tag->params[k])) mark(c, x->payload[k].i32);
}

/* Reads other functions' frames, red zones of a sanitizer included. */
__attribute__((noinline, no_sanitize("address"))) static void mark_words(struct collection *c, u64 low, u64 high) {
    for (u64 at = ALIGN_UP(low, (u64)8); at + 8 <= high && go_on(c); at += 8) {
        u64 word = *(const u64 *)at;
        mark(c, (u32)word);
        mark(c, (u32)(word >> 32));
    }
}

__attribute__((noinline)) static void mark_stack(struct collection *c) {
    struct rt_store *s = c->s;
    __builtin_unwind_init(); /* callee-saved registers are in this frame now */
    u64 here, low = (u64)s->stack + RT_STACK_GUARD, at = (u64)&here - 256;
    if (at >= low && at < low + s->stack_bytes) mark_words(c, at, low + s->stack_bytes); /* else: no call */
    mark_words(c, (u64)s->abi.overflow, (u64)(s->abi.overflow + ABI_OVERFLOW));
}

static void mark_globals(struct collection *c, struct rt_instance *i) {
    const struct wasm_module *w = &i->module->info;
    for (u32 k = 0; k < w->global_count && go_on(c); k++)
        if (rt_is_exn_ref(w->globals[k].type)) mark(c, rt_global_at(i, k)->i32);
}

static void mark_roots(struct collection *c) {
    struct rt_store *s = c->s;
    mark(c, s->raised);
    mark(c, s->uncaught);
    mark(c, s->abi.caught);
    for (struct list *l = s->instances.next; l != &s->instances; l = l->next)
        mark_globals(c, LIST_ENTRY(l, struct rt_instance, link));
    for (struct list *l = s->tables.next; l != &s->tables; l = l->next) {
        struct rt_table *t = LIST_ENTRY(l, struct rt_table, link);
        for (u64 k = 0; rt_is_exn_ref(t->type.type) && k < t->abi.len && go_on(c); k++) mark(c, t->abi.refs[k]);
    }
}

static void sweep(struct rt_store *s, bool free) {
    for (struct list *l = s->exceptions.next, *next; l != &s->exceptions; l = next) {
        struct rt_exception *x = LIST_ENTRY(l, struct rt_exception, link);
        next = l->next;
        if (free && !x->marked) exception_free(s, x);
        else x->marked = false;
    }
}

static void collect(struct rt_store *s) {
    struct collection c = {.s = s};
    mark_roots(&c);
    mark_stack(&c);
    for (struct rt_exception *x; (x = c.work) && go_on(&c);) {
        c.work = x->next;
        mark_payload(&c, x);
    }
    sweep(s, !c.stopped);
    s->collect_at = MAX(2 * s->exception_count, (u32)RT_COLLECT_FIRST);
    s->thrown = 0;
}

/* Without tables and globals that could hold one, nobody names any but the last:
 * the embedder may ask for it. Else it takes some throws until it pays. */
void rt_exceptions_leave(struct rt_store *s) {
    assert(!s->abi.depth);
    s->raised = s->abi.caught = 0;
    if (list_empty(&s->exceptions)) return;
    if (s->exn_roots) {
        if (s->thrown >= RT_COLLECT_FIRST) collect(s);
        return;
    }
    struct collection c = {.s = s};
    mark(&c, s->uncaught);
    for (struct rt_exception *x; (x = c.work);) {
        c.work = x->next;
        mark_payload(&c, x);
    }
    sweep(s, true);
}

/* 0: no memory. */
static u32 exception_new(struct rt_store *s, struct rt_tag *t, const union abi_value *payload) {
    if (s->exception_count >= s->collect_at || s->exception_bytes + size_of(t) > RT_MAX_EXCEPTIONS) collect(s);
    if (s->exception_bytes + size_of(t) > RT_MAX_EXCEPTIONS) return 0;
    struct rt_exception *x = rt_alloc(s->engine, size_of(t));
    if (!x) return 0;
    s->abi.careful = 1;
    struct rt_ref r = {.kind = RT_REF_EXN, .exception = x};
    x->handle = rt_ref_new(s, &r, NULL);
    if (!x->handle) {
        rt_free(s->engine, x, size_of(t));
        return 0;
    }
    x->tag = t;
    t->holders++;
    if (t->count) memcpy(x->payload, payload, t->count * sizeof *payload);
    list_push_back(&s->exceptions, &x->link);
    s->exception_bytes += size_of(t);
    s->exception_count++;
    s->thrown++;
    return x->handle;
}

/* Raising. */

u64 rt_throw(struct abi_ctx *ctx, struct rt_tag *tag, const union abi_value *payload) {
    struct rt_store *s = rt_ctx_store(ctx);
    u32 h = exception_new(s, tag, payload);
    if (!h) return rt_raise(ctx, ABI_TRAP_NOMEM);
    s->raised = h;
    return rt_raise(ctx, ABI_TRAP_EXCEPTION);
}

u64 rt_rethrow(struct abi_ctx *ctx, u32 handle) {
    struct rt_store *s = rt_ctx_store(ctx);
    struct rt_exception *x = exception_at(s, handle);
    if (!x) return rt_raise(ctx, handle ? ABI_TRAP_HOST : ABI_TRAP_NULL_EXCEPTION);
    x->escaped = true; /* whoever rethrows may have kept it */
    s->raised = handle;
    return rt_raise(ctx, ABI_TRAP_EXCEPTION);
}

u64 rt_builtin_throw(struct abi_ctx *ctx, u32 tag) {
    struct rt_instance *i = ctx->instance;
    if (tag >= i->module->info.tag_count) return rt_raise(ctx, ABI_TRAP_HOST); /* builtin.c, I1 */
    return rt_throw(ctx, i->tags[tag], ctx->store->overflow);
}

u32 rt_uncaught(const struct rt_store *s) { return s->uncaught; }

bool rt_exception_get(struct rt_store *s, u32 handle, struct rt_tag **tag, const union abi_value **payload, u32 *count) {
    const struct rt_exception *x = exception_at(s, handle);
    if (!x) return false;
    *tag = x->tag;
    *payload = x->payload;
    *count = x->tag->count;
    return true;
}

enum err rt_find_tag(struct rt_instance *i, struct bytes name, struct rt_tag **out) {
    const struct wasm_export *x = wasm_find_export(&i->module->info, name, WASM_KIND_TAG);
    if (!x) return ERR_NOT_FOUND;
    *out = i->tags[x->index];
    return ERR_OK;
}

/* Catching: the payload to overflow. */
void rt_exception_caught(struct rt_store *s, u32 handle, bool all, bool ref) {
    struct rt_exception *x = exception_at(s, handle);
    assert(x);
    if (!all && x->tag->count) memcpy(s->abi.overflow, x->payload, x->tag->count * sizeof *x->payload);
    s->raised = 0;
    s->abi.caught = ref ? handle : 0;
    if (ref) x->escaped = true;
    else if (!x->escaped) exception_free(s, x);
}

struct rt_tag *rt_exception_tag(struct rt_store *s, u32 handle) {
    struct rt_exception *x = exception_at(s, handle);
    return x ? x->tag : NULL;
}
