/* compact.c: the IR without what turned out to be dead, at the lowest place there is.
 *
 * I1 what is kept keeps its order. ARGs stay where they are: their numbers say which.
 * I2 a PARAM that is dead goes with its arguments; the others of its block are
 *    numbered anew.
 * I3 of the pool, lists that instructions or edges have are kept.
 * I4 room matters in large functions; in others time does: their IR is moved down with
 *    what is dead in it, that of small ones not even that. A test that asks for few
 *    registers gets everything, whatever the size. */
#include "jit/ir.h"

enum { SMALL = 256, LARGE = 4096 }; /* instructions */

struct compact {
    struct fn *f;
    u32 *map;  /* of instructions: the new number; 0: gone */
    u32 *pool; /* the new one */
    u32 n;
};

static bool is_kept(const struct ins *x) {
    return x->flags & V_LIVE || x->op == IR_BLOCK || x->op == IR_ARG || ir_opinfos[x->op].kind == K_TERM;
}

/* A list of n words that begins at pool[*at]; the first few are no values. */
static void copy_list(struct compact *c, u32 *at, u32 n, u32 raw) {
    const u32 *from = c->f->pool.p + *at;
    u32 *to = c->pool + c->n;
    *at = c->n;
    c->n += n;
    for (u32 k = 0; k < n; k++) to[k] = k < raw ? from[k] : c->map[from[k]];
}

static void rename_operands(struct compact *c, struct ins *x) {
    switch (x->op) {
    case IR_CALL_INDIRECT:
    case IR_TAIL_INDIRECT: /* the table is before the list */
        x->a--;
        copy_list(c, &x->a, x->b + 1, 1);
        x->a++;
        break;
    case IR_ATOMIC_CMPXCHG:
    case IR_CALL:
    case IR_CALL_BUILTIN:
    case IR_TAIL_CALL:
    case IR_THROW:
    case IR_RETURN: copy_list(c, &x->a, x->b, 0); break;
    case IR_BRTABLE: copy_list(c, &x->b, x->c, x->c); /* edges */ // fall through
    default:
        for (u32 k = 0; k < ir_opinfos[x->op].args; k++) x->args[k] = c->map[x->args[k]];
        break;
    }
}

static void move_instructions(struct compact *c) {
    struct fn *f = c->f;
    u32 n = 1, param = 0;
    c->map[0] = 0;
    for (u32 k = 1; k < f->ins.n; k++) {
        struct ins x = f->ins.p[k];
        c->map[k] = 0;
        if (!is_kept(&x)) continue;
        c->map[k] = n;
        if (x.op == IR_BLOCK) param = 0;
        if (x.op == IR_PARAM) x.b = param++;
        f->ins.p[n] = x;
        if (f->options->lines) f->origins.p[n] = f->origins.p[k];
        n++;
    }
    f->ins.n = n;
    if (f->options->lines) f->origins.n = n;
}

static void rename_all(struct compact *c) {
    for (struct ins *x = c->f->ins.p + 1, *end = c->f->ins.p + c->f->ins.n; x < end; x++)
        if (x->op > IR_CONST) rename_operands(c, x);
}

/* Blocks still say where they were. */
static void move_arguments(struct compact *c) {
    struct fn *f = c->f;
    for (u32 e = 1; e < f->edges.n; e++) {
        struct edge *d = &f->edges.p[e];
        const u32 *from = f->pool.p + d->args, *params = c->map + block_param(f, d->to, 0);
        u32 count = edge_args(f, d);
        u32 *to = c->pool + c->n, kept = 0;
        for (u32 k = 0; k < count; k++)
            if (params[k]) to[kept++] = c->map[from[k]];
        d->args = c->n;
        c->n += kept;
    }
}

static void move_blocks(struct compact *c) {
    struct fn *f = c->f;
    for (u32 b = 1; b < f->blocks.n; b++) {
        struct block *k = &f->blocks.p[b];
        u32 params = 0;
        for (u32 p = 0; p < k->params; p++) params += c->map[k->first + 1 + p] != 0;
        k->params = params;
        k->first = c->map[k->first];
        k->last = c->map[k->last];
    }
    for (u32 k = 0; k < f->sites.n; k++) f->sites.p[k].call = c->map[f->sites.p[k].call];
}

static void trim(struct fn *f) {
    VEC_TRIM(f, f->ins);
    VEC_TRIM(f, f->edges);
    VEC_TRIM(f, f->blocks);
    VEC_TRIM(f, f->loops);
    VEC_TRIM(f, f->sites);
    VEC_TRIM(f, f->catches);
    VEC_TRIM(f, f->accesses);
    VEC_TRIM(f, f->pool);
}

/* No list is longer behind than before. */
static u64 pool_words(const struct compact *c) {
    const struct fn *f = c->f;
    u64 words = 1; /* 0: none */
    for (const struct ins *x = f->ins.p + 1, *end = f->ins.p + f->ins.n; x < end; x++) {
        if (x->op == IR_BRTABLE) words += x->c;
        else if (ir_opinfos[x->op].args == 0 && x->op > IR_CONST) words += (u64)ir_operands(f, (u32)(x - f->ins.p)).count + 1;
    }
    for (u32 e = 1; e < f->edges.n; e++) {
        const struct edge *d = &f->edges.p[e];
        const u32 *params = c->map + block_param(f, d->to, 0);
        for (u32 k = 0, n = edge_args(f, d); k < n; k++) words += params[k] != 0;
    }
    return words;
}

static void drop_dead(struct fn *f) {
    u32 old = f->ins.n;
    struct compact c = {.f = f, .map = jit_raw(f, old, sizeof(u32)), .n = 1};
    move_instructions(&c);
    u64 words = pool_words(&c);
    c.pool = jit_raw(f, words, sizeof(u32));
    c.pool[0] = 0;
    rename_all(&c);
    move_arguments(&c);
    move_blocks(&c);
    assert(c.n <= words);
    VEC_GIVE(f, f->pool);
    jit_give(f, c.map, old * sizeof(u32));
    f->pool.p = c.pool;
    f->pool.n = c.n;
    f->pool.cap = (u32)words;
}

void jit_compact(struct fn *f) {
    bool test = f->options->registers;
    if (f->ins.n > LARGE || test) drop_dead(f);
    if (f->ins.n > SMALL || test) trim(f);
}
