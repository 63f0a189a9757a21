/* often.c: how often each block runs, guessed: as a power of two, in alloc.often.
 *
 * I1 what comes into a block is what its ways in bring, a loop's header 8 times that; it
 *    leaves by the ways out in equal parts. Nothing may be left behind many ways out: a loop there is
 *    still 8 times what is around it.
 * I2 but a way out of a loop takes an eighth, and one into a trap next to nothing. */
#include "jit/alloc.h"

enum { LOOP = 8, RARE = 64, MOST = 1u << OFTEN_MOST };

struct often {
    struct fn *f;
    u32 *runs; /* per block, until it is reached: what came in so far */
};

static bool ends_badly(const struct fn *f, u32 b) {
    u8 op = f->ins.p[f->blocks.p[b].last].op;
    return op == IR_TRAP || op == IR_THROW || op == IR_THROW_REF;
}

/* Is block to in the innermost loop that from is in? */
static bool stays(const struct fn *f, u32 from, u32 to) {
    u32 loop = f->blocks.p[from].loop;
    return !loop || (to >= f->loops.p[loop].header && to <= f->loops.p[loop].last);
}

static void come(struct often *o, u32 from, u32 to, u32 share) {
    if (to > from) o->runs[to] = MIN(o->runs[to] + share, (u32)MOST);
}

/* The first of two ways out is taken so often, in LOOP * RARE parts. */
static u32 parts(const struct fn *f, u32 b, u32 yes, u32 no) {
    bool bad = ends_badly(f, yes), worse = ends_badly(f, no);
    if (bad != worse) return bad ? LOOP : LOOP * RARE - LOOP;
    bool in = stays(f, b, yes), still = stays(f, b, no);
    if (in != still) return in ? LOOP * RARE - RARE : RARE;
    return LOOP * RARE / 2;
}

static void leave_two(struct often *o, u32 b, u32 yes, u32 no) {
    u32 first = (u32)((u64)o->runs[b] * parts(o->f, b, yes, no) / (LOOP * RARE));
    come(o, b, yes, first);
    come(o, b, no, o->runs[b] - first);
}

static void leave(struct often *o, u32 b) {
    struct fn *f = o->f;
    struct operands e = ir_edges(f, f->blocks.p[b].last);
    if (f->ins.p[f->blocks.p[b].last].op == IR_BRIF) {
        leave_two(o, b, f->edges.p[e.list[0]].to, f->edges.p[e.list[1]].to);
        return;
    }
    u32 share = e.count > 1 ? MAX(o->runs[b] / e.count, 1u) : o->runs[b];
    for (u32 k = 0; k < e.count; k++) come(o, b, f->edges.p[e.list[k]].to, share);
}

void jit_often(struct fn *f) {
    struct often o = {f, jit_alloc(f, f->blocks.n, sizeof(u32))};
    u8 *often = f->alloc->often = jit_raw(f, f->blocks.n, 1);
    o.runs[1] = 1 << OFTEN_ONCE;
    for (u32 b = 1; b < f->blocks.n; b++) {
        if (f->blocks.p[b].header) o.runs[b] = MIN(MAX(o.runs[b], 1u) * LOOP, (u32)MOST);
        often[b] = (u8)(31 - __builtin_clz(o.runs[b] | 1));
        leave(&o, b);
    }
    jit_give(f, o.runs, f->blocks.n * sizeof(u32));
}
