/* resolve.c: the moves that splitting left to be made.
 *
 * I1 only a part in a register needs a move where it begins: memory already
 *    holds the value (alloc.h, I2).
 * I2 a part that begins inside a block is reached from its elder sibling there;
 *    at a block's start, from wherever the value is at each predecessor's end. */
#include "base/fault.h"
#include "jit/alloc.h"

struct resolve {
    struct fn *f;
    struct alloc *a;
    u32 *lowest; /* by block: the first of those that an edge comes from; 0: of a loop's header, or none */
};

static u8 place_at(const struct alloc *a, u32 first, u32 pos) {
    u8 reg = REG_MEM;
    for (u32 i = first; i && a->ivals.p[i].start <= pos; i = a->ivals.p[i].next) reg = a->ivals.p[i].reg;
    return reg;
}

/* elder is the part before i: most of these edges, which end at end, come from it. */
static void edge_move(struct resolve *r, u32 e, const struct ival *i, u32 elder, u32 end) {
    struct fn *f = r->f;
    u32 first = r->a->ivals.p[elder].start <= end ? elder : r->a->first[i->value];
    u8 from = place_at(r->a, first, end);
    if (from == i->reg || fault(EDGE_MOVE)) return;
    struct move m = {end, i->value, from, i->reg, r->a->edge_moves[e]};
    VEC_PUSH(f, r->a->moves, m);
    r->a->edge_moves[e] = r->a->moves.n - 1;
}

static void enter_block(struct resolve *r, u32 b, const struct ival *i, u32 elder) {
    struct fn *f = r->f;
    u32 end = i->next ? r->a->ivals.p[i->next].start : NO_POS;
    for (u32 e = *block_preds(f, b); e; e = f->edges.p[e].next) {
        u32 pos = def_pos(f->blocks.p[f->edges.p[e].from].last);
        if (pos < i->start || pos >= end) edge_move(r, e, i, elder, pos); /* else it is there already */
    }
}

static void enter_blocks(struct resolve *r, u32 index, u32 elder) {
    struct fn *f = r->f;
    struct ival i = r->a->ivals.p[index];
    struct range now = ival_range(r->a, &i);
    u32 b = block_at(f, i.start), begin = b;
    if (block_start(f, b) < i.start) b++;
    for (; b < f->blocks.n && block_start(f, b) < i.end; b++) {
        u32 start = block_start(f, b);
        if (r->lowest[b] >= begin) continue; /* wherever they come from, it is there */
        if (i.value > f->blocks.p[b].first && i.value <= f->blocks.p[b].last) continue; /* defined here */
        while (now.end <= start) next_range(r->a, &now); /* the last one ends with i */
        if (now.start > start) continue;
        enter_block(r, b, &i, elder);
    }
}

/* A pad begins with what it wants in registers, from slots. */
static void enter_pads(struct resolve *r, u32 index) {
    struct fn *f = r->f;
    struct ival i = r->a->ivals.p[index];
    for (u32 k = first_pad(f, i.start); k < f->pads.n; k++) {
        u32 start = block_start(f, f->pads.p[k]);
        if (start >= i.end) break;
        if (!ival_covers(r->a, &i, start)) continue;
        assert(slot_of(r->a, i.value) != NO_SLOT);
        struct move m = {start, i.value, REG_MEM, i.reg, 0};
        VEC_PUSH(f, r->a->reloads, m);
    }
}

static void enter_middle(struct resolve *r, u32 index, u32 elder) {
    struct ival i = r->a->ivals.p[index];
    u32 b = block_at(r->f, i.start);
    if (block_start(r->f, b) == i.start) return;
    u8 from = r->a->ivals.p[elder].reg;
    assert(!(i.start & 3) || from == i.reg);
    if (from == i.reg || fault(RELOAD)) return;
    struct move m = {i.start, i.value, from, i.reg, 0};
    VEC_PUSH(r->f, r->a->reloads, m);
}

static void sift(struct move *m, u32 k, u32 n) {
    struct move x = m[k];
    for (u32 c; (c = 2 * k + 1) < n; k = c) {
        if (c + 1 < n && m[c + 1].pos > m[c].pos) c++;
        if (m[c].pos <= x.pos) break;
        m[k] = m[c];
    }
    m[k] = x;
}

static void sort_moves(struct move *m, u32 n) {
    for (u32 k = n / 2; k-- > 0;) sift(m, k, n);
    while (n > 1) {
        struct move top = m[0];
        m[0] = m[--n];
        m[n] = top;
        sift(m, 0, n);
    }
}

static void prepare(struct resolve *r) {
    struct fn *f = r->f;
    r->a->edge_moves = jit_alloc(f, f->edges.n, sizeof(u32));
    VEC_PUSH(f, r->a->moves, (struct move){0});
    r->lowest = jit_alloc(f, f->blocks.n, sizeof(u32));
    for (u32 b = 1; b < f->blocks.n; b++) {
        const struct block *k = &f->blocks.p[b];
        u32 preds = *block_preds(f, b);
        if (k->header || !preds) continue;
        r->lowest[b] = b;
        for (u32 e = preds; e; e = f->edges.p[e].next) r->lowest[b] = MIN(r->lowest[b], f->edges.p[e].from);
    }
}

void jit_resolve(struct fn *f) {
    struct resolve r = {f, f->alloc, NULL};
    if (r.a->ivals.n > r.a->whole) prepare(&r);
    for (u32 first = 1; (r.lowest || f->pads.n) && first < r.a->whole; first++) {
        u32 elder = first;
        for (u32 i = first; f->pads.n && i && !fault(PAD_RELOAD); i = r.a->ivals.p[i].next)
            if (r.a->ivals.p[i].reg != REG_MEM) enter_pads(&r, i);
        if (!r.a->ivals.p[first].next) continue;
        r.a->ivals.p[first].reached = first;
        for (u32 i = first; i; elder = i, i = r.a->ivals.p[i].next) {
            if (r.a->ivals.p[i].reg == REG_MEM) continue;
            if (i != first) enter_middle(&r, i, elder);
            enter_blocks(&r, i, elder);
        }
    }
    sort_moves(r.a->reloads.p, r.a->reloads.n);
    if (r.lowest) jit_give(f, r.lowest, f->blocks.n * sizeof(u32));
}
