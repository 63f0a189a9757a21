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

/* The first point from n on that begins at pos or later. */
static u32 first_point(const struct emit *e, u32 pos) {
    u32 low = 0, high = e->points.n;
    while (low < high) {
        u32 mid = (low + high) / 2;
        if (block_start(e->f, e->points.p[mid].pc) < pos) low = mid + 1;
        else high = mid;
    }
    return low;
}

static void keep_range(struct emit *e, const struct range *r, u8 reg) {
    for (u32 k = first_point(e, r->start); k < e->points.n; k++) {
        if (block_start(e->f, e->points.p[k].pc) >= r->end) return;
        e->points.p[k].keep |= 1u << reg;
    }
}

static void keep_clean(struct emit *e) {
    const struct alloc *a = e->a;
    for (u32 k = 1; k < a->ivals.n; k++) {
        const struct ival *v = &a->ivals.p[k];
        if (v->reg >= REG_XMM || !(e->f->ins.p[v->value].flags & V_ZEXT)) continue;
        for (u32 r = v->ranges; r; r = a->ranges.p[r].next) keep_range(e, &a->ranges.p[r], v->reg);
    }
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
