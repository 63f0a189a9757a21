/* ival.c: where intervals are, and how one is cut in two.
 *
 * I1 a part that is cut off is a sibling right behind the part before it: alloc.h, I1.
 * I2 cutting costs what is before the cut, never what is behind. */
#include "jit/alloc.h"

bool ival_covers(const struct alloc *a, const struct ival *i, u32 pos) {
    struct range r = ival_range(a, i);
    while (r.end <= pos)
        if (!next_range(a, &r)) return false;
    return r.start <= pos;
}

u32 first_pad(const struct fn *f, u32 pos) {
    u32 low = 0, high = f->pads.n;
    while (low < high) {
        u32 mid = (low + high) / 2;
        if (block_start(f, f->pads.p[mid]) < pos) low = mid + 1;
        else high = mid;
    }
    return low;
}

/* ---- cutting ---- */

/* head lost tail: its uses are counted anew; the tail has what is left. Nothing walks
 * the tail, or cutting a long list again and again would cost its square. */
static void measure(struct alloc *a, struct ival *head, struct ival *tail) {
    head->sum = 0;
    for (u32 u = head->uses; u; u = a->useful.p[u].next) add_weight(head, use_weight(&a->useful.p[u]));
    tail->sum -= MIN(head->sum, tail->sum);
}

/* Cuts the ranges of head, of which tail is a copy. */
static void cut_list(struct fn *f, struct ival *head, struct ival *tail, u32 pos) {
    struct alloc *a = f->alloc;
    struct range *ranges = a->ranges.p, *r = &ranges[head->ranges];
    u32 end = pos;
    tail->ranges = head->ranges;
    while (r->end <= pos) {
        end = r->end;
        tail->ranges = r->next;
        if (ranges[r->next].start >= pos) r->next = 0;
        r = &ranges[tail->ranges];
    }
    tail->start = MAX(r->start, pos);
    head->cursor = head->ranges;
    head->end = r->start < pos ? pos : end;
    if (r->start < pos) {
        struct range rest = {pos, r->end, r->next};
        r->end = pos;
        r->next = 0;
        tail->ranges = rest.next ? a->ranges.n : 0;
        if (rest.next) VEC_PUSH(f, a->ranges, rest);
    } else if (!r->next) {
        tail->ranges = 0;
    }
    if (!a->ranges.p[head->ranges].next) head->ranges = 0;
}

static void cut_ranges(struct fn *f, struct ival *head, struct ival *tail, u32 pos) {
    if (head->ranges) cut_list(f, head, tail, pos);
    else head->end = tail->start = pos;
}

/* Cuts the list of uses at pos; returns the rest. */
static u32 cut_uses(struct alloc *a, u32 *list, u32 pos) {
    struct use *last = NULL, *uses = a->useful.p;
    u32 u = *list;
    for (; u && uses[u].pos < pos; u = last->next) last = &uses[u];
    if (last) last->next = 0;
    else *list = 0;
    return u;
}

u32 ival_split(struct fn *f, u32 index, u32 pos) {
    struct alloc *a = f->alloc;
    VEC_ROOM(f, a->ivals, 1);
    struct ival *i = &a->ivals.p[index], *n = &a->ivals.p[a->ivals.n];
    assert(i->start < pos && pos < i->end);
    *n = *i;
    cut_ranges(f, i, n, pos);
    n->uses = cut_uses(a, &i->uses, pos);
    if (i->reg != REG_MEM) n->hint = i->reg; /* back to where it was: where ways meet nothing moves */
    n->reg = REG_MEM;
    measure(a, i, n);
    return i->next = a->ivals.n++;
}
