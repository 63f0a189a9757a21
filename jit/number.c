/* number.c: value numbering while SSA is built.
 *
 * I1 entries form a stack; a bucket's chain runs from newer to older, so
 *    releasing to a mark restores every chain.
 * I2 constants have no place and live in a table that is never released, but
 *    forgets: one that is asked for again much later may be a new value.
 *    The stack of I1 undoes anchors.
 * I3 what reads state (LOAD, GLOBAL_GET) carries the epoch in which it reads: a
 *    number that the builder changes at every write, call and join. */
#include "base/fault.h"
#include "jit/ir.h"

/* Tables stay in the cache, and so does what is looked at: in a function with more
 * values an equal one is found if it is near. */
enum { MAX_HEADS = 1 << 14, NEAR = 1 << 14, STEPS = 16, PROBES = 4 };

struct entry {
    u32 value, next, hash;
};

struct number {
    u32 mask, const_mask;
    u32 *heads; /* entry + 1; 0 ends a chain */
    u32 *consts; /* values; 0: none. One is in the PROBES places from its own on */
    VEC(struct entry) entries;
    VEC(u32) anchors;             /* by value, of those that are NEAR apart the last; 0: none */
};

enum { ANCHOR = UINT32_MAX }; /* hash of an entry that undoes an anchor: value is its place, next the old one */

/* Heads, then constants. */
static size_t table_words(const struct number *n) { return (size_t)n->mask + 1 + n->const_mask + 1 + PROBES; }

void number_init(struct fn *f, u32 size_hint) {
    struct number *n = jit_alloc(f, 1, sizeof *n);
    u32 size = 64;
    while (size < size_hint && size < MAX_HEADS) size *= 2;
    n->mask = size - 1;
    n->const_mask = size / 4 - 1;
    n->heads = jit_alloc(f, table_words(n), sizeof(u32));
    n->consts = n->heads + size;
    VEC_ROOM(f, n->entries, size_hint / 2 + 8);
    f->number = n;
}

void number_end(struct fn *f) {
    struct number *n = f->number;
    jit_give(f, n->heads, table_words(n) * sizeof(u32));
    VEC_GIVE(f, n->entries);
    VEC_GIVE(f, n->anchors);
    jit_give(f, n, sizeof *n);
    f->number = NULL;
}

u32 number_mark(const struct fn *f) { return f->number->entries.n; }

void number_release(struct fn *f, u32 mark) {
    struct number *n = f->number;
    assert(mark <= n->entries.n);
    while (n->entries.n > mark) {
        struct entry *e = &n->entries.p[--n->entries.n];
        if (e->hash == ANCHOR) n->anchors.p[e->value] = e->next;
        else n->heads[e->hash & n->mask] = e->next;
    }
}

/* All but the flags and the last two words. */
static u64 first_of(const struct ins *i) { return i->words[0] & ~(0xffull << 24); }

static u32 hash_words(u64 first, u64 second) {
    u64 h = first * 0x9e3779b97f4a7c15;
    h = (h ^ h >> 32 ^ second) * 0xbf58476d1ce4e5b9;
    return (u32)(h >> 33); /* never ANCHOR */
}

/* The value that equals i, in the chain from e on; 0: none. */
static INLINE u32 find(const struct fn *f, const struct number *n, u32 e, u32 hash, const struct ins *i) {
    for (u32 left = STEPS; e && n->entries.n - e < NEAR && left; left--) {
        const struct entry *x = &n->entries.p[e - 1];
        const struct ins *y = &f->ins.p[x->value];
        if (x->hash == hash && first_of(y) == first_of(i) && y->words[1] == i->words[1]) return x->value;
        e = x->next;
    }
    return 0;
}

void ir_index(struct fn *f, u32 v) {
    struct ins *i = &f->ins.p[v];
    if (!fault(DIRTY_INDEX)) i->flags |= (i->type == T_I32) * V_ZEXT;
}

static __attribute__((noinline)) void use_pool(struct fn *f, u32 first, u32 count) {
    for (u32 k = 0; k < count; k++) ir_use(&f->ins.p[f->pool.p[first + k]]);
}

static INLINE void use_operands(struct fn *f, u8 op, u32 a, u32 b, u32 c) {
    const struct ir_opinfo *o = &ir_opinfos[op];
    struct ins *ins = f->ins.p;
    if (o->args) {
        ir_use(&ins[a]);
        ir_use(&ins[b * (o->args > 1)]); /* no branch: 0 is none */
        if (unlikely(o->args > 2)) ir_use(&ins[c]);
    } else if (o->pool) {
        use_pool(f, a, b);
    }
}

/* The common way of these two calls nothing but, at its end, this. */
static __attribute__((noinline)) u32 append_slowly(struct fn *f, struct ins i) {
    VEC_PUSH(f, f->ins, i);
    if (f->options->lines) VEC_PUSH(f, f->origins, (u32)(f->origin - f->m->bytes.p));
    else f->room = f->ins.cap;
    f->simd |= i.type == T_V128;
    use_operands(f, i.op, i.a, i.b, i.c);
    return f->ins.n - 1;
}

static INLINE bool is_common(const struct fn *f, const struct ins *i) {
    return likely(f->ins.n < f->room && (u8)(i->words[0] >> 8) != T_V128);
}

static INLINE u32 put(struct fn *f, const struct ins *i) {
    u32 v = f->ins.n;
    f->ins.p[v].words[0] = i->words[0];
    f->ins.p[v].words[1] = i->words[1];
    f->ins.n = v + 1;
    return v;
}

u32 ir_alone(struct fn *f, struct ins i) { return is_common(f, &i) ? put(f, &i) : append_slowly(f, i); }

u32 ir_append(struct fn *f, struct ins i) {
    if (!is_common(f, &i)) return append_slowly(f, i);
    u32 v = put(f, &i);
    use_operands(f, (u8)i.words[0], (u32)(i.words[0] >> 32), (u32)i.words[1], (u32)(i.words[1] >> 32));
    return v;
}

u32 ir_const(struct fn *f, u8 type, u64 bits) {
    if (type == T_I32 || type == T_F32) bits = (u32)bits;
    struct ins i = {.op = IR_CONST, .type = type, .flags = V_ZEXT};
    u32 *at = &f->number->consts[hash_words(type, bits) & f->number->const_mask];
    for (u32 k = 0; k < PROBES && at[k]; k++) {
        const struct ins *x = &f->ins.p[at[k]];
        if (x->words[1] == bits && x->type == type) return at[k];
    }
    i.words[1] = bits;
    u32 v = ir_alone(f, i), k = 0;
    while (k < PROBES - 1 && at[k]) k++;
    return at[k] = v;
}

u32 ir_value(struct fn *f, struct ins i) {
    struct number *n = f->number;
    u32 v = fold_tries(i.op) ? fold_ins(f, &i) : 0;
    if (v) return v;
    u8 kind = ir_opinfos[i.op].kind;
    if (kind != K_PURE && kind != K_TRAPS && kind != K_READS) return ir_append(f, i);
    u32 hash = hash_words(first_of(&i), i.words[1]), *head = &n->heads[hash & n->mask];
    v = find(f, n, *head, hash, &i);
    if (v) return v;
    v = ir_append(f, i);
    struct entry e = {v, *head, hash};
    VEC_PUSH(f, n->entries, e);
    *head = n->entries.n;
    return v;
}

u32 number_anchor(const struct fn *f, u32 v) {
    const struct number *n = f->number;
    u32 at = v % NEAR, address = at < n->anchors.n ? n->anchors.p[at] : 0;
    return f->ins.p[address].a == v ? address : 0;
}

void number_set_anchor(struct fn *f, u32 v, u32 address) {
    struct number *n = f->number;
    u32 at = v % NEAR;
    if (at >= n->anchors.n) {
        u32 more = MIN(f->ins.n, (u32)NEAR) - n->anchors.n;
        VEC_ROOM(f, n->anchors, more);
        memset(n->anchors.p + n->anchors.n, 0, more * sizeof(u32));
        n->anchors.n += more;
    }
    struct entry e = {at, n->anchors.p[at], ANCHOR};
    VEC_PUSH(f, n->entries, e);
    n->anchors.p[at] = address;
}
