/* compact.c: the IR without what only its builder needed, at the lowest place there is.
 *
 * I1 of the pool, lists that instructions or edges have are kept; two that share one
 *    have one each behind.
 * I2 nothing is renumbered but the pool. */
#include "jit/ir.h"

enum { SMALL_POOL = 2048 }; /* below it the pool is moved as it is */

/* Which operations have a list in the pool, and where it is said. */
enum { NO_LIST, LIST_A, LIST_A_BEHIND_TABLE, LIST_B };
static const u8 lists[IR_OP_COUNT] = {
    [IR_CALL] = LIST_A, [IR_CALL_BUILTIN] = LIST_A, [IR_TAIL_CALL] = LIST_A, [IR_THROW] = LIST_A,
    [IR_RETURN] = LIST_A, [IR_ATOMIC_CMPXCHG] = LIST_A, [IR_CALL_INDIRECT] = LIST_A_BEHIND_TABLE,
    [IR_TAIL_INDIRECT] = LIST_A_BEHIND_TABLE, [IR_BRTABLE] = LIST_B,
};

struct list {
    u32 *at, count;
    u32 before; /* words in front that belong to it */
};

static struct list list_of(struct ins *x) {
    if (lists[x->op] == LIST_B) return (struct list){&x->b, x->c, 0};
    return (struct list){&x->a, x->b, lists[x->op] == LIST_A_BEHIND_TABLE};
}

static u64 pool_words(struct fn *f) {
    u64 words = 1; /* 0: none */
    for (struct ins *x = f->ins.p + 1, *end = f->ins.p + f->ins.n; x < end; x++) {
        if (!lists[x->op]) continue;
        struct list l = list_of(x);
        words += l.count + l.before;
    }
    for (u32 e = 1; e < f->edges.n; e++) words += f->edges.p[e].count;
    return words;
}

/* Copies count words from pool[*at] to the end of what is at `to`. */
static u32 *copy_list(const struct fn *f, u32 *pool, u32 *to, struct list l) {
    if (!l.count && !l.before) return to;
    memcpy(to, f->pool.p + *l.at - l.before, (l.count + l.before) * sizeof(u32));
    *l.at = (u32)(to - pool) + l.before;
    return to + l.count + l.before;
}

static void compact_pool(struct fn *f) {
    u64 words = f->pool.n > SMALL_POOL ? pool_words(f) : UINT64_MAX;
    if (words > f->pool.n / 4 * 3) return;
    u32 *pool = jit_raw(f, words, sizeof(u32)), *to = pool + 1;
    pool[0] = 0;
    for (struct ins *x = f->ins.p + 1, *end = f->ins.p + f->ins.n; x < end; x++)
        if (lists[x->op]) to = copy_list(f, pool, to, list_of(x));
    for (u32 e = 1; e < f->edges.n; e++) {
        struct edge *d = &f->edges.p[e];
        to = copy_list(f, pool, to, (struct list){&d->args, d->count, 0});
    }
    assert((u64)(to - pool) == words);
    jit_give(f, f->pool.p, f->pool.cap * sizeof(u32));
    f->pool.p = pool;
    f->pool.n = f->pool.cap = (u32)words;
}

void jit_compact(struct fn *f) {
    VEC_TRIM(f, f->ins);
    VEC_TRIM(f, f->edges);
    VEC_TRIM(f, f->blocks);
    compact_pool(f);
    VEC_TRIM(f, f->loops);
    VEC_TRIM(f, f->sites);
    VEC_TRIM(f, f->catches);
    VEC_TRIM(f, f->accesses);
    VEC_TRIM(f, f->pool);
}
