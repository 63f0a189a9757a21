/* ir.c: storage, operands and text of the intermediate form.
 *
 * Storage is the arena and what was given back to it before the function is done:
 * I1 pieces ascend, and no two of them lie side by side: what is given back joins its
 *    neighbours, or the arena if it was its last.
 * I2 all that is handed out, and so each piece, is a multiple of JIT_ALIGN long.
 * I3 there are at most JIT_PIECES: the smallest is forgotten, and lost until the
 *    function is done. */
#include "jit/ir.h"

#include "base/fmt.h"

#define IN_POOL(op)                                                                                    \
    ((op) == IR_ATOMIC_CMPXCHG || ((op) >= IR_CALL && (op) <= IR_CALL_BUILTIN) || (op) == IR_RETURN || \
     (op) == IR_TAIL_CALL || (op) == IR_TAIL_INDIRECT || (op) == IR_THROW)

const struct ir_opinfo ir_opinfos[IR_OP_COUNT] = {
#define X(name, args, kind) {#name, args, K_##kind, IN_POOL(IR_##name)},
    IR_OPS(X)
#undef X
};

/* The one non-local exit of the compiler: a resource ran out in the middle of
 * a pass. All state of the function is in the scratch arena. */
_Noreturn void jit_escape(struct fn *f, enum err e) {
    assert(e != ERR_OK);
    f->exit->err = e;
    __builtin_longjmp(f->exit->buffer, 1);
}

static size_t rounded(size_t n) { return ALIGN_UP(MAX(n, (size_t)1), (size_t)JIT_ALIGN); }

static void drop_piece(struct fn *f, u32 k) {
    struct piece *x = f->pieces;
    f->piece_count--;
    for (; k < f->piece_count; k++) x[k] = x[k + 1];
}

static void drop_smallest(struct fn *f) {
    u32 least = 0;
    for (u32 k = 1; k < JIT_PIECES; k++)
        if (f->pieces[k].n < f->pieces[least].n) least = k;
    drop_piece(f, least);
}

/* What ends where the arena goes on is no piece, but the arena's. */
static void undo_pieces(struct fn *f) {
    for (u32 k = f->piece_count; k-- > 0;) {
        if (!arena_undo(f->arena, f->pieces[k].p, f->pieces[k].n)) continue;
        drop_piece(f, k);
        return;
    }
}

static void insert_piece(struct fn *f, u8 *p, size_t n) {
    if (f->piece_count == JIT_PIECES) drop_smallest(f);
    u32 k = f->piece_count;
    while (k && f->pieces[k - 1].p > p) k--;
    struct piece *x = f->pieces + k;
    bool after = k && x[-1].p + x[-1].n == p, before = k < f->piece_count && p + n == x->p;
    if (after) {
        x[-1].n += n + (before ? x->n : 0);
        if (before) drop_piece(f, k);
    } else if (before) {
        *x = (struct piece){p, x->n + n};
    } else {
        for (u32 i = f->piece_count++; i > k; i--) f->pieces[i] = f->pieces[i - 1];
        *x = (struct piece){p, n};
    }
}

void jit_give(struct fn *f, void *p, size_t n) {
    if (f->small || !p || !n) return;
    if (arena_undo(f->arena, p, n)) {
        undo_pieces(f);
        return;
    }
    insert_piece(f, p, rounded(n));
}

/* n bytes of piece k, from its front. */
static void *take_piece(struct fn *f, u32 k, size_t n) {
    struct piece *x = &f->pieces[k];
    u8 *p = x->p;
    assert(x->n >= n);
    x->p += n;
    x->n -= n;
    if (!x->n) drop_piece(f, k);
    return p;
}

/* n bytes of the smallest piece that has as many; NULL: there is none. */
static void *take_free(struct fn *f, size_t n) {
    u32 best = JIT_PIECES;
    for (u32 k = 0; k < f->piece_count; k++)
        if (f->pieces[k].n >= n && (best == JIT_PIECES || f->pieces[k].n < f->pieces[best].n)) best = k;
    return best == JIT_PIECES ? NULL : take_piece(f, best, n);
}

/* The same, or new ones. Not zeroed. */
static void *take(struct fn *f, size_t n) {
    void *p = f->piece_count && n < SIZE_MAX / 2 ? take_free(f, rounded(n)) : NULL;
    return p ? p : arena_raw(f->arena, n);
}

/* Makes p, which has n bytes, larger where it is, if what is behind is free. */
static bool extend(struct fn *f, u8 *p, size_t n, size_t more) {
    if (!more || arena_extend(f->arena, p, n, more)) return true;
    for (u32 k = 0; k < f->piece_count; k++) {
        if (f->pieces[k].p != p + n || f->pieces[k].n < more) continue;
        take_piece(f, k, more);
        return true;
    }
    return false;
}

/* Moves p, which has n bytes, down into the piece before it, which has at least `least`,
 * if there is room for `want` with what is behind. NULL: there is not. */
static void *slide(struct fn *f, u8 *p, size_t n, size_t want, size_t least) {
    for (u32 k = 0; k < f->piece_count; k++) {
        struct piece *x = &f->pieces[k], *behind = x + 1;
        if (x->p + x->n != p) continue;
        if (k + 1 == f->piece_count || behind->p != p + n) behind = NULL;
        size_t room = x->n + n + (behind ? behind->n : 0);
        if (room < want || x->n < least) return NULL;
        u8 *to = x->p;
        memmove(to, p, n);
        if (behind) drop_piece(f, k + 1);
        x->n = room;
        take_piece(f, k, want);
        undo_pieces(f);
        return to;
    }
    return NULL;
}

/* What is small and stays finds a place at the front, not between large ones that go. */
void jit_begin(struct fn *f) {
    enum { SMALL = 192 }; /* bytes of code: takes some 10 KB at most, and time counts there */
    size_t n = rounded(512 + f->wf->code.n / 8);
    f->small = f->wf->code.n < SMALL && !f->options->registers;
    if (f->small) return;
    u8 *p = arena_raw(f->arena, n);
    if (!p) jit_escape(f, ERR_NOMEM);
    insert_piece(f, p, n);
}

void *jit_raw(struct fn *f, size_t n, size_t size) {
    size_t bytes;
    void *p = __builtin_mul_overflow(n, size, &bytes) ? NULL : take(f, bytes);
    if (!p) jit_escape(f, ERR_NOMEM);
    return p;
}

void *jit_last(struct fn *f, size_t n, size_t size) {
    void *p = arena_raw(f->arena, rounded(n * size));
    if (!p) jit_escape(f, ERR_NOMEM);
    return p;
}

void *jit_below(struct fn *f, size_t n, size_t size, size_t *missing) {
    void *p = take_free(f, rounded(n * size));
    if (!p) *missing += rounded(n * size);
    return p;
}

void *jit_lift(struct fn *f, void *p, size_t n, size_t by) {
    if (!by || !arena_extend(f->arena, p, n, by)) return p;
    memmove((u8 *)p + by, p, n);
    insert_piece(f, p, by);
    return (u8 *)p + by;
}

void jit_cut(struct fn *f, void *p, u32 *cap, u32 n, size_t size) {
    if (f->small) return;
    size_t have = rounded(*cap * size), keep = rounded(n * size);
    if (have != keep) jit_give(f, (u8 *)p + keep, have - keep);
    *cap = n;
}

void *jit_alloc(struct fn *f, size_t n, size_t size) { return memset(jit_raw(f, n, size), 0, n * size); }

/* Doubles what is small; adds half of it, and a quarter when large. */
static u32 grown(u32 cap, u32 need, size_t size) {
    size_t bytes = cap * size;
    u32 more = bytes < 512 ? cap : bytes < 4096 ? cap / 2 : cap / 4;
    return MAX(need, cap + more);
}

static __attribute__((noinline)) void *first_room(struct fn *f, u32 *cap, u32 need, size_t size) {
    u32 least = size > 16 ? 4 : size > 8 ? 8 : 16;
    *cap = MAX(need, least);
    return jit_raw(f, *cap, size);
}

/* Where it is if there is room, by less then as it costs nothing. */
static __attribute__((noinline)) void *more_room(struct fn *f, void *p, u32 *cap, u32 need, size_t size) {
    bool large = *cap * size >= 4096;
    u32 now = grown(*cap, need, size), here = large ? MAX(need, *cap + *cap / 16) : now;
    if (large) f->small = false; /* a few bytes of code may say much: thousands of results */
    size_t have = rounded(*cap * size);
    if (extend(f, p, have, rounded(here * size) - have)) {
        *cap = here;
        return p;
    }
    void *q = slide(f, p, have, rounded(now * size), 0);
    if (q) {
        *cap = now;
        return q;
    }
    q = take(f, now * size);
    if (!q) jit_escape(f, ERR_NOMEM);
    memcpy(q, p, *cap * size);
    jit_give(f, p, *cap * size);
    *cap = now;
    return q;
}

void *jit_grow(struct fn *f, void *p, u32 *cap, u64 need, size_t size) {
    if (need > UINT32_MAX / 4) jit_escape(f, ERR_LIMIT);
    return *cap ? more_room(f, p, cap, (u32)need, size) : first_room(f, cap, (u32)need, size);
}

/* Moves p, which has n bytes of which the first few are kept, down into a piece that
 * has as many. NULL: there is none. */
static void *move_down(struct fn *f, u8 *p, size_t n, size_t keep) {
    for (u32 k = 0; k < f->piece_count && f->pieces[k].p < p; k++) {
        if (f->pieces[k].n < keep) continue;
        u8 *to = take_piece(f, k, keep);
        memcpy(to, p, keep);
        jit_give(f, p, n);
        return to;
    }
    return NULL;
}

void *jit_trim(struct fn *f, void *p, u32 *cap, u32 n, size_t size) {
    size_t have = rounded(*cap * size), keep = rounded(n * size);
    if (f->small || !*cap || !n) return p;
    void *to = move_down(f, p, have, keep);
    *cap = to ? n : *cap;
    if (to) return to;
    jit_cut(f, p, cap, n, size);
    to = slide(f, p, keep, keep, keep / 8);
    return to ? to : p;
}

enum ir_type ir_type_of(wasm_type t) {
    switch (t) {
    case WASM_I64: return T_I64;
    case WASM_F32: return T_F32;
    case WASM_F64: return T_F64;
    case WASM_V128: return T_V128;
    default: return T_I32; /* references are 32-bit handles */
    }
}

const struct site *fn_site(const struct fn *f, u32 i) {
    u32 low = 0, high = f->sites.n;
    while (low < high) {
        u32 mid = (low + high) / 2;
        if (f->sites.p[mid].call < i) low = mid + 1;
        else high = mid;
    }
    return low < f->sites.n && f->sites.p[low].call == i ? &f->sites.p[low] : NULL;
}

static const char *const type_names[] = {"", ".i32", ".i64", ".f32", ".f64", ".v128"};

struct text {
    const struct fn *f;
    char line[400];
    size_t n;
};

static void put(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    t->n += vfmt(t->line + t->n, sizeof t->line - t->n, format, args);
    va_end(args);
    if (t->n >= sizeof t->line) t->n = sizeof t->line - 1; /* long lists are cut */
}

static void put_value(struct text *t, u32 v) {
    const struct ins *x = ins_at(t->f, v);
    if (x->op != IR_CONST) put(t, " v%u", v);
    else if (is_float(x->type)) put(t, " 0x%llx%s", (unsigned long long)const_bits(x), type_names[x->type]);
    else put(t, " %lld", x->type == T_I32 ? (long long)(i32)const_bits(x) : (long long)const_bits(x));
}

static void put_edge(struct text *t, u32 e) {
    const struct edge *d = &t->f->edges.p[e];
    put(t, " b%u(", d->to);
    for (u32 i = 0; i < edge_args(t->f, d); i++) put_value(t, t->f->pool.p[d->args + i]);
    put(t, " )");
}

static void put_access(struct text *t, const struct access *a) {
    put(t, " m%u%s +%llu", a->memory, a->checked ? " checked" : "", (unsigned long long)a->offset);
}

static void put_site(struct text *t, const struct site *s) {
    for (u32 k = 0; s && k < s->count; k++) {
        const struct catch *c = &t->f->catches.p[s->first + k];
        put(t, " (catch%s %d b%u)", c->ref ? "_ref" : "", (i32)c->tag, c->block);
    }
}

static void put_ins(struct text *t, u32 i) {
    const struct ins *x = ins_at(t->f, i);
    const struct ir_opinfo *o = &ir_opinfos[x->op];
    bool value = x->type != T_NONE;
    if (value) put(t, "  v%u = ", i);
    else put(t, "  ");
    put(t, "%s%s", o->name, type_names[x->type]);
    if (x->aux) put(t, "/%u", x->aux);
    struct operands ops = ir_operands(t->f, i);
    for (u32 k = 0; k < ops.count; k++) put_value(t, ops.list[k]);
    if (x->op == IR_LOAD) put(t, " +%d", (i32)x->b);
    if (x->op == IR_STORE) put(t, " +%d", (i32)x->c);
    if (x->op == IR_CALL || x->op == IR_TAIL_CALL) put(t, " +%u", x->c);
    if (x->op == IR_LOAD_AT || x->op == IR_ATOMIC_LOAD) put_access(t, &t->f->accesses.p[x->b]);
    if (x->op == IR_STORE_AT || (x->op > IR_ATOMIC_LOAD && x->op < IR_FENCE)) put_access(t, &t->f->accesses.p[x->c]);
    if (x->op == IR_ARG || x->op == IR_GLOBAL_GET) put(t, " %u", x->a);
    if (x->op == IR_GLOBAL_SET) put(t, " -> %u", x->b);
    if (x->op == IR_THROW) put(t, " tag %u", x->c);
    if (x->op == IR_CAUGHT) put(t, " %d", (i32)x->a);
    put_site(t, fn_site(t->f, i));
    struct operands e = ir_edges(t->f, i);
    for (u32 k = 0; k < e.count && o->kind == K_TERM; k++) put_edge(t, e.list[k]);
    if (x->flags & V_FOLDED) put(t, "  ; folded");
    if (x->flags & V_ZEXT) put(t, "  ; zext");
}

static void flush(struct text *t) {
    put(t, "\n");
    t->f->options->dump(t->f->options->dump_self, t->line, t->n);
    t->n = 0;
}

void ir_dump(const struct fn *f, const char *title) {
    struct text t = {.f = f};
    put(&t, "; function %u after %s", f->index, title);
    flush(&t);
    for (u32 b = 1; b < f->blocks.n; b++) {
        const struct block *k = &f->blocks.p[b];
        put(&t, "b%u:%s", b, k->header ? " ; loop" : k->pad ? " ; pad" : "");
        flush(&t);
        for (u32 i = k->first + 1; i <= k->last; i++) {
            const struct ins *x = ins_at(f, i);
            if (x->op == IR_NOP || x->op == IR_CONST) continue;
            if (f->clean && !(x->flags & V_LIVE)) continue;
            put_ins(&t, i);
            flush(&t);
        }
    }
}
