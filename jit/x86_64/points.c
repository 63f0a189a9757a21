/* points.c: where jumps back land (loops' headers, blocks that cold edges lead to,
 * retry loops), and which registers are clean there.
 *
 * I1 points ascend by offset: they are noted as code grows, and layout.c keeps order.
 * I2 at a block's start a register is kept when what lives in it is an i32 whose
 *    upper half is zero wherever it is in a register (V_ZEXT). */
#include "jit/x86_64/emit.h"

void note_point(struct emit *e, u32 label, u32 keep) {
    struct jit_point p = {label, keep};
    VEC_PUSH(e->f, e->points, p);
}

static u32 point_start(const struct emit *e, u32 k) { return block_start(e->f, e->points.p[k].pc); }

/* The first point that begins at pos or later, at `from` or behind it. Mostly it is near. */
static u32 first_point(const struct emit *e, u32 from, u32 pos) {
    u32 low = from, step = 1, n = e->points.n;
    for (; low + step <= n && point_start(e, low + step - 1) < pos; step *= 2) low += step;
    u32 high = MIN(low + step, n);
    while (low < high) {
        u32 mid = (low + high) / 2;
        if (point_start(e, mid) < pos) low = mid + 1;
        else high = mid;
    }
    return low;
}

static u32 keep_range(struct emit *e, const struct range *r, u8 reg, u32 from) {
    u32 k = from = first_point(e, from, r->start);
    for (; k < e->points.n && point_start(e, k) < r->end; k++) e->points.p[k].keep |= 1u << reg;
    return from;
}

static void keep_ival(struct emit *e, const struct ival *v, u32 from) {
    struct range r = ival_range(e->a, v);
    if (v->reg >= REG_XMM || !(e->f->ins.p[v->value].flags & V_ZEXT)) return;
    do from = keep_range(e, &r, v->reg, from);
    while (next_range(e->a, &r));
}

static void keep_clean(struct emit *e) {
    const struct alloc *a = e->a;
    u32 from = 0, at = point_start(e, 0); /* the first point that the one at hand may hold: all but parts ascend */
    for (u32 k = 1; k < a->whole; k++) {
        const struct ival *v = &a->ivals.p[k];
        while (at < v->start) at = ++from < e->points.n ? point_start(e, from) : NO_POS;
        if (at < v->end) keep_ival(e, v, from);
    }
    for (u32 k = a->whole; k < a->ivals.n; k++) keep_ival(e, &a->ivals.p[k], 0);
}

void put_points(struct emit *e) {
    VEC(struct jit_point) others = {0}; /* their labels are no blocks */
    u32 n = 0;
    for (u32 k = 0; k < e->points.n; k++) {
        if (e->points.p[k].pc < e->f->blocks.n) e->points.p[n++] = e->points.p[k];
        else VEC_PUSH(e->f, others, e->points.p[k]);
    }
    e->points.n = n;
    if (n) keep_clean(e);
    for (u32 k = 0, o = 0; k < n || o < others.n;) { /* two ascending lists into one */
        bool header = o == others.n || (k < n && e->labels.p[e->points.p[k].pc] < e->labels.p[others.p[o].pc]);
        struct jit_point p = header ? e->points.p[k++] : others.p[o++];
        p.pc = e->labels.p[p.pc];
        VEC_PUSH(e->c->keep, e->c->points, p);
    }
}
