/* number.c: value numbering while SSA is built.
 *
 * I1 entries form a stack; a bucket's chain runs from newer to older, so
 *    releasing to a mark restores every chain.
 * I2 constants have no place and live in a table that is never released.
 *    The same stack undoes anchors.
 * I3 what reads state (LOAD, GLOBAL_GET) carries the epoch in which it reads: a
 *    number that the builder changes at every write, call and join. */
#include "jit/ir.h"

/* Tables stay in the cache, and so does what is looked at: in a function with more
 * values an equal one is found if it is near. */
enum { MAX_HEADS = 1 << 14, NEAR = 1 << 14, STEPS = 16 };

struct entry {
    u32 value, next, hash;
};

struct number {
    u32 mask;
    u32 *heads, *const_heads; /* entry + 1; 0 ends a chain */
    VEC(struct entry) entries;
    VEC(struct entry) consts;
    VEC(u32) anchors;             /* by value; 0: none */
};

enum { ANCHOR = UINT32_MAX }; /* hash of an entry that undoes an anchor: next is the old one */

void number_init(struct fn *f, u32 size_hint) {
    struct number *n = jit_alloc(f, 1, sizeof *n);
    u32 size = 64;
    while (size < size_hint && size < MAX_HEADS) size *= 2;
    n->mask = size - 1;
    n->heads = jit_alloc(f, size, sizeof(u32));
    n->const_heads = jit_alloc(f, size, sizeof(u32));
    f->number = n;
}

void number_end(struct fn *f) {
    struct number *n = f->number;
    size_t heads = ((size_t)n->mask + 1) * sizeof(u32);
    jit_give(f, n->heads, heads);
    jit_give(f, n->const_heads, heads);
    VEC_GIVE(f, n->entries);
    VEC_GIVE(f, n->consts);
    VEC_GIVE(f, n->anchors);
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

static u32 hash_ins(const struct ins *i) {
    u64 h = i->op | (u64)i->type << 8 | (u64)i->aux << 16;
    h = (h ^ i->a) * 0x9e3779b97f4a7c15;
    h = (h ^ h >> 29 ^ i->b) * 0xbf58476d1ce4e5b9;
    h = (h ^ h >> 31 ^ i->c) * 0x94d049bb133111eb;
    return (u32)(h >> 33); /* never ANCHOR */
}

static bool same(const struct ins *x, const struct ins *y) {
    return x->op == y->op && x->type == y->type && x->aux == y->aux && x->a == y->a &&
           x->b == y->b && x->c == y->c;
}

/* The value that equals i, in the chain from e on, of count entries; 0: none. */
static u32 find(const struct fn *f, const struct entry *entries, u32 count, u32 e, u32 hash, const struct ins *i) {
    for (u32 left = STEPS; e && count - e < NEAR && left; left--) {
        const struct entry *x = &entries[e - 1];
        if (x->hash == hash && same(&f->ins.p[x->value], i)) return x->value;
        e = x->next;
    }
    return 0;
}

u32 ir_append(struct fn *f, struct ins i) {
    VEC_PUSH(f, f->ins, i);
    if (f->options->lines) VEC_PUSH(f, f->origins, (u32)(f->origin - f->m->bytes.p));
    f->simd |= i.type == T_V128;
    return f->ins.n - 1;
}

u32 ir_const(struct fn *f, u8 type, u64 bits) {
    struct number *n = f->number;
    if (type == T_I32 || type == T_F32) bits = (u32)bits;
    struct ins i = {.op = IR_CONST, .type = type, .flags = V_ZEXT, .b = (u32)bits, .c = (u32)(bits >> 32)};
    u32 hash = hash_ins(&i), *head = &n->const_heads[hash & n->mask], v = find(f, n->consts.p, n->consts.n, *head, hash, &i);
    if (v) return v;
    v = ir_append(f, i);
    struct entry e = {v, *head, hash};
    VEC_PUSH(f, n->consts, e);
    *head = n->consts.n;
    return v;
}

u32 ir_value(struct fn *f, struct ins i) {
    struct number *n = f->number;
    u32 v = fold_ins(f, &i);
    if (v) return v;
    u8 kind = ir_opinfos[i.op].kind;
    if (kind != K_PURE && kind != K_TRAPS && kind != K_READS) return ir_append(f, i);
    u32 hash = hash_ins(&i), *head = &n->heads[hash & n->mask];
    v = find(f, n->entries.p, n->entries.n, *head, hash, &i);
    if (v) return v;
    v = ir_append(f, i);
    struct entry e = {v, *head, hash};
    VEC_PUSH(f, n->entries, e);
    *head = n->entries.n;
    return v;
}

u32 number_anchor(const struct fn *f, u32 v) {
    const struct number *n = f->number;
    return v < n->anchors.n ? n->anchors.p[v] : 0;
}

void number_set_anchor(struct fn *f, u32 v, u32 address) {
    struct number *n = f->number;
    if (v >= n->anchors.n) {
        u32 more = f->ins.n - n->anchors.n;
        VEC_ROOM(f, n->anchors, more);
        memset(n->anchors.p + n->anchors.n, 0, more * sizeof(u32));
        n->anchors.n += more;
    }
    struct entry e = {v, n->anchors.p[v], ANCHOR};
    VEC_PUSH(f, n->entries, e);
    n->anchors.p[v] = address;
}
