/* alloc.c: linear scan over live intervals, with splitting.
 *
 * I1 intervals are taken by ascending start; a split-off part starts later than
 *    the place that is being decided, so the scan ends.
 * I2 at any position a register belongs to at most one interval.
 * I3 what loses a register is the interval with the least weight: uses, each as heavy as
 *    its block runs often (often.c), over length.
 * I4 a part in memory is followed, before its next worthwhile use, by a part
 *    that asks for a register again; if that use is in a loop and the loss was
 *    outside, it asks before the loop.
 * I5 a part is in a register only if its uses weigh more than what brings it there.
 *
 * Gain of I5 and of what runs often, instructions: 1 % of 54 programs; 2 % of SQLite,
 * 1 of Lua, 20 of a sudoku solver. */
#include "base/fault.h"
#include "jit/alloc.h"

/* An interval that has a register, but a hole here. */
struct hole {
    u32 ival, over; /* over: where the hole is */
    u8 reg, vector;
};

/* So many are looked at for each interval; what has a hole beyond them keeps its
 * register in it. */
enum { MAX_HOLES = 128, MAX_STEPS = 16 };

struct scan {
    struct fn *f;
    struct alloc *a;
    struct ival *ivals;          /* a's, until the next split */
    const struct regs *regs;
    VEC(u32) heap;               /* split off and to do, smallest start first */
    struct hole *inactive;       /* MAX_HOLES */
    u32 holes;
    u32 class[2];                /* the registers there are, as bits */
    u32 busy;                    /* registers with an active interval, as bits */
    u32 fixed;                   /* registers with fixed ranges to come */
    u32 call;                    /* first of a->calls that is not over */
    u32 due;                     /* before it nothing active ends, and no hole is over */
    u32 reached;                 /* start of the last one taken */
    u32 active[REG_COUNT];
    u32 active_end[REG_COUNT];   /* of the range at hand */
    u32 active_use[REG_COUNT];   /* of its uses those from here on ... */
    u32 active_rest[REG_COUNT];  /* ... weigh so much: see weight_left */
    u64 weight[REG_COUNT];       /* for the interval at hand */
};

static struct ival *at(const struct scan *s, u32 i) { return s->ivals + i; }

/* ---- the heap ---- */

static bool earlier(const struct scan *s, u32 x, u32 y) { return at(s, x)->start < at(s, y)->start; }

static void heap_push(struct scan *s, u32 x) {
    VEC_PUSH(s->f, s->heap, x);
    u32 *h = s->heap.p, k = s->heap.n - 1;
    for (; k && earlier(s, x, h[(k - 1) / 2]); k = (k - 1) / 2) h[k] = h[(k - 1) / 2];
    h[k] = x;
}

static u32 heap_pop(struct scan *s) {
    u32 *h = s->heap.p, top = h[0], x = h[--s->heap.n], n = s->heap.n, k = 0;
    for (;;) {
        u32 c = 2 * k + 1;
        if (c >= n) break;
        if (c + 1 < n && earlier(s, h[c + 1], h[c])) c++;
        if (!earlier(s, h[c], x)) break;
        h[k] = h[c];
        k = c;
    }
    h[k] = x;
    return top;
}

/* ---- intervals ---- */

/* The range at hand. */
static struct range current(const struct alloc *a, const struct ival *i) {
    return i->ranges ? a->ranges.p[i->cursor] : (struct range){i->start, i->end, 0};
}

/* Ranges that end by pos do not matter any more: the scan only goes forward. */
static void advance(struct scan *s, struct ival *i, u32 pos) {
    const struct range *r = s->a->ranges.p;
    if (!i->ranges) return;
    while (r[i->cursor].end <= pos && r[i->cursor].next) i->cursor = r[i->cursor].next;
}

/* The first position in both lists. */
static u32 intersection(const struct alloc *a, struct range p, struct range q) {
    for (;;) {
        if (p.end > q.start && q.end > p.start) return MAX(p.start, q.start);
        if (!next_range(a, p.end <= q.start ? &p : &q)) return NO_POS;
    }
}

static u32 weight_over(u32 sum, u32 length) {
    length += 64;
    if (sum <= UINT16_MAX) return (sum << 16) / length; /* a shorter division */
    u64 weight = ((u64)sum << 16) / length;
    return (u32)MIN(weight, (u64)UINT32_MAX);
}

static u32 weight_of(const struct ival *i) { return weight_over(i->sum, i->end - i->start); }

/* i keeps what is before pos; the result, a new sibling, has the rest. */
static u32 split(struct scan *s, u32 i, u32 pos) {
    u32 rest = ival_split(s->f, i, pos);
    s->ivals = s->a->ivals.p;
    return rest;
}

u32 block_at(const struct fn *f, u32 pos) {
    u32 b = f->alloc->near[pos / gap_pos(NEAR)];
    while (b + 1 < f->blocks.n && block_start(f, b + 1) <= pos) b++;
    return b;
}

/* ---- memory ---- */

static void needs_slot(struct scan *s, const struct ival *i) {
    at(s, s->a->first[i->value])->slot = 0; /* numbered by slots.c */
    s->a->memory = true;
}

/* Before which instruction to come back for the use at pos: just there, or
 * before the outermost loop around it that does not hold since. */
static u32 reload_place(const struct scan *s, u32 since, u32 pos) {
    const struct fn *f = s->f;
    u32 place = ALIGN_DOWN(pos, 4u), b = block_at(f, pos);
    for (u32 k = f->blocks.p[b].loop; k; k = f->loops.p[k].parent) {
        u32 start = block_start(f, f->loops.p[k].header);
        if (start <= since) break;
        place = start;
    }
    return place;
}

/* An edge does no more than move it, so comes back by itself where it must. */
static bool is_edge_use(const struct scan *s, u32 use) { return s->a->useful.p[use].pos % 4 == 3; }

static u32 cost_at(const struct scan *s, u32 pos) { return 1u << s->a->often[block_at(s->f, pos)]; }

/* Do the uses from use on, before pos, weigh more than cost? Looks at a few. */
static bool outweigh(const struct scan *s, u32 use, u32 pos, u32 cost) {
    u32 gain = 0;
    for (u32 left = MAX_STEPS; left && use && s->a->useful.p[use].pos < pos; left--, use = s->a->useful.p[use].next) {
        gain += is_edge_use(s, use) ? 0 : use_weight(&s->a->useful.p[use]);
        if (gain > cost) return true;
    }
    return false;
}

/* The interval lives in its slot from its start on; the scan is at now, before
 * which nothing may ask for a register any more. */
static void to_memory(struct scan *s, u32 index, u32 now) {
    struct ival *i = at(s, index);
    u32 since = MAX(i->start, now);
    i->reg = REG_MEM;
    needs_slot(s, i);
    for (u32 u = i->uses; u; u = s->a->useful.p[u].next) {
        if (is_edge_use(s, u)) continue;
        u32 place = reload_place(s, since, s->a->useful.p[u].pos);
        if (place <= since || !outweigh(s, u, NO_POS, cost_at(s, place - 1))) continue; /* what goes into a loop comes back before it */
        heap_push(s, split(s, index, place));
        return;
    }
}

static bool is_first(const struct scan *s, const struct ival *i) { return s->ivals + s->a->first[i->value] == i; }

/* Does it pay that the interval begins in a register, which it has until pos? A parameter is
 * stored where its block begins then; what else begins is computed in some register anyway. */
static bool pays(const struct scan *s, const struct ival *i, u32 pos) {
    if (is_first(s, i) && s->f->ins.p[i->value].op != IR_PARAM) return true;
    return outweigh(s, i->uses, pos, cost_at(s, i->start));
}

/* Where to let go of a register that is lost at pos. Memory holds the value
 * since its definition, so earlier costs nothing: if the loss is in a loop that
 * the value only passes through, before that loop, or every back edge would
 * have to bring the value back. (nbody: 1.30 -> 1.21 of gcc's time.) */
static u32 loss_place(const struct scan *s, const struct ival *i, u32 pos) {
    const struct fn *f = s->f;
    u32 last = i->start, place = pos;
    if (!pays(s, i, pos)) return i->start;
    for (u32 u = i->uses; u && s->a->useful.p[u].pos < pos; u = s->a->useful.p[u].next) last = s->a->useful.p[u].pos;
    for (u32 k = f->blocks.p[block_at(f, pos)].loop; k; k = f->loops.p[k].parent) {
        u32 start = block_start(f, f->loops.p[k].header);
        if (start <= MAX(last, i->start)) break;
        place = start;
    }
    return place;
}

/* Takes the register from pos on, or from where that costs less. */
static void evict(struct scan *s, u32 index, u32 pos) {
    struct ival *i = at(s, index);
    if (i->start >= pos) {
        to_memory(s, index, pos);
    } else if (pos < i->end) {
        u32 place = loss_place(s, i, pos);
        to_memory(s, place > i->start ? split(s, index, place) : index, pos);
    }
}

/* ---- the scan ---- */

static inline void set_active(struct scan *s, u32 index, u8 reg) {
    const struct ival *i = at(s, index);
    assert(!(s->busy >> reg & 1) && i->start < i->end);
    s->active[reg] = index;
    s->active_end[reg] = current(s->a, i).end;
    s->active_use[reg] = i->uses;
    s->active_rest[reg] = i->sum;
    s->due = MIN(s->due, s->active_end[reg]);
    s->busy |= 1u << reg;
}

static void release(struct scan *s, u32 reg) {
    s->active[reg] = 0;
    s->busy &= ~(1u << reg);
}

/* Does another interval, whose hole is now, come back to the register? */
static bool promised(const struct scan *s, u32 reg) {
    for (u32 k = 0; k < s->holes; k++)
        if (s->inactive[k].reg == reg) return true;
    return false;
}

/* The range of an active interval is over. Where no more holes are kept track of,
 * the interval keeps its register through this one, unless another that had its
 * own hole comes back to it: then it goes to memory behind the hole. */
static void end_range(struct scan *s, u32 reg, u32 pos) {
    u32 index = s->active[reg];
    struct ival *i = at(s, index);
    if (i->end <= pos) {
        release(s, reg);
        return;
    }
    advance(s, i, pos);
    struct range r = current(s->a, i);
    s->active_end[reg] = r.end;
    if (r.start <= pos) return;
    if (s->holes == MAX_HOLES) {
        if (!promised(s, reg)) return;
        evict(s, index, r.start);
        release(s, reg);
        return;
    }
    s->inactive[s->holes++] = (struct hole){index, r.start, (u8)reg, i->vector};
    release(s, reg);
}

/* Is the hole still one at pos? Looks at what may have changed. */
static bool still_hole(struct scan *s, struct hole *h, u32 pos) {
    struct ival *i = at(s, h->ival);
    if (i->reg == REG_MEM || i->end <= pos) return false;
    advance(s, i, pos);
    h->over = current(s->a, i).start;
    if (h->over > pos) return true;
    set_active(s, h->ival, h->reg);
    return false;
}

static void expire_due(struct scan *s, u32 pos) {
    u32 kept = 0, due = NO_POS, over = 0;
    for (u32 m = s->busy; m; m &= m - 1) { /* without a branch: which are over nobody foresees */
        u32 r = (u32)__builtin_ctz(m), end = s->active_end[r], past = end <= pos;
        over |= past << r;
        due = MIN(due, end | -past); /* NO_POS */
    }
    for (u32 m = over; m; m &= m - 1) {
        u32 r = (u32)__builtin_ctz(m);
        end_range(s, r, pos);
        if (s->busy >> r & 1) due = MIN(due, s->active_end[r]);
    }
    s->due = due;
    for (u32 k = 0; k < s->holes; k++) {
        struct hole *h = &s->inactive[k];
        if (h->over <= pos && !still_hole(s, h, pos)) continue;
        s->due = MIN(s->due, h->over);
        s->inactive[kept++] = *h;
    }
    s->holes = kept;
}

static void expire(struct scan *s, u32 pos) {
    assert(pos >= s->reached);
    s->reached = pos;
    if (pos >= s->due) expire_due(s, pos);
    while (s->call < s->a->calls.n && s->a->calls.p[s->call] < pos) s->call++;
}

static u32 first_call(const struct scan *s, u32 pos) {
    u32 low = s->call, high = s->a->calls.n;
    while (low < high) {
        u32 mid = (low + high) / 2;
        if (s->a->calls.p[mid] < pos) low = mid + 1;
        else high = mid;
    }
    return low;
}

static u32 next_call(const struct scan *s, const struct ival *i) {
    const struct alloc *a = s->a;
    u32 c = s->call;
    struct range r = ival_range(a, i);
    while (c < a->calls.n && a->calls.p[c] < i->end) {
        if (r.start > a->calls.p[c]) c = first_call(s, r.start);
        if (c < a->calls.n && a->calls.p[c] < r.end) return a->calls.p[c];
        if (!next_range(a, &r)) break;
    }
    return NO_POS;
}

/* Fixed ranges that are over are dropped for good. */
static u32 next_fixed(struct scan *s, const struct ival *i, u32 reg) {
    u32 *list = &s->a->fixed[reg];
    while (*list && s->a->ranges.p[*list].end <= i->start) *list = s->a->ranges.p[*list].next;
    if (!*list) s->fixed &= ~(1u << reg);
    return *list && s->a->ranges.p[*list].start < i->end ? intersection(s->a, ival_range(s->a, i), s->a->ranges.p[*list]) : NO_POS;
}

static u32 lost_to_calls(const struct scan *s) { return fault(STALE_REGISTER) ? 0 : s->regs->caller_saved; }

/* The next of mask in order; there is one. */
static u32 next_in_order(const struct scan *s, u32 mask) {
    u32 first = mask & s->regs->caller_saved;
    return (u32)__builtin_ctz(first ? first : mask);
}

static u32 meeting(const struct scan *s, const struct ival *i, const struct hole *h) {
    if (h->vector != i->vector || h->over >= i->end) return NO_POS;
    return intersection(s->a, ival_range(s->a, i), current(s->a, at(s, h->ival)));
}

/* What of mask neither a call nor a fixed range takes within the interval. */
static INLINE u32 unfixed(struct scan *s, const struct ival *i, u32 mask, u32 call) {
    if (call != NO_POS) mask &= ~lost_to_calls(s);
    for (u32 m = mask & s->fixed; m; m &= m - 1) {
        u32 r = (u32)__builtin_ctz(m);
        if (next_fixed(s, i, r) != NO_POS) mask &= ~(1u << r);
    }
    return mask;
}

/* The same for what comes back from a hole. */
static u32 unmet(struct scan *s, const struct ival *i, u32 mask) {
    for (u32 k = 0; k < s->holes && mask; k++) {
        const struct hole *h = &s->inactive[k];
        if (mask >> h->reg & 1 && meeting(s, i, h) != NO_POS) mask &= ~(1u << h->reg);
    }
    return mask;
}

/* Where what i is for begins, at pos: there, or with the loops around it that it lives
 * through, which come back to what is before. */
static u32 begins(const struct scan *s, const struct ival *i, u32 pos, u32 loop) {
    const struct fn *f = s->f;
    for (; loop; loop = f->loops.p[loop].parent) {
        u32 start = block_start(f, f->loops.p[loop].header);
        if (i->start > start || i->end < block_end(f, f->loops.p[loop].last)) break;
        pos = start;
    }
    return pos;
}

/* The weight of what reg is still needed for from pos on: uses that are over are left
 * behind, a few at a time, or they might be walked again and again. A loop's parameter
 * keeps them: in memory it would hold up the next round (virtual: 1.06 times as long). */
static u32 weight_left(struct scan *s, u32 reg, u32 pos, u32 loop) {
    const struct ival *i = at(s, s->active[reg]);
    u32 from = begins(s, i, pos, loop), *u = &s->active_use[reg];
    if (is_loop_param(s->f, i->value)) return weight_of(i);
    for (u32 left = MAX_STEPS; left && *u && s->a->useful.p[*u].pos < from; left--, *u = s->a->useful.p[*u].next)
        s->active_rest[reg] -= MIN(use_weight(&s->a->useful.p[*u]), s->active_rest[reg]);
    return weight_over(s->active_rest[reg], i->end - from);
}

/* What each of mask costs to take away from whoever has it. */
static void weigh(struct scan *s, const struct ival *i, u32 mask) {
    u32 loop = s->f->blocks.p[block_at(s->f, i->start)].loop;
    for (u32 m = mask; m; m &= m - 1) {
        u32 r = (u32)__builtin_ctz(m);
        s->weight[r] = s->busy >> r & 1 ? weight_left(s, r, i->start, loop) + 1ull : 0;
    }
    for (u32 k = 0; k < s->holes; k++) {
        const struct hole *h = &s->inactive[k];
        if (mask >> h->reg & 1 && meeting(s, i, h) != NO_POS)
            s->weight[h->reg] = MAX(s->weight[h->reg], weight_of(at(s, h->ival)) + 1ull);
    }
}

static u32 bit_of(u8 reg) { return (u32)(1ull << reg % 64); } /* none of REG_MEM */

/* As a bit of mask, or 0: where a parameter comes from most often. */
static u32 most_come_from(const struct scan *s, const struct ival *i, u32 mask) {
    const struct fn *f = s->f;
    u32 block = f->ins.p[i->value].a, k = i->value - block_param(f, block, 0), best = 0, most = 0;
    for (u32 e = *block_preds(f, block), left = MAX_STEPS; e && left; e = f->edges.p[e].next, left--) {
        const struct edge *d = &f->edges.p[e];
        u32 bit = mask & bit_of(at(s, s->a->first[f->pool.p[d->args + k]])->reg), often = 1u + s->a->often[d->from];
        if (!bit || often <= most) continue;
        most = often;
        best = bit;
    }
    return best;
}

/* As a bit of mask, or 0: the value's that it goes to, if that has one; a parameter's most of the ways in
 * have; what it is itself wanted in; where others go that it meets; its operand's. Hardly a branch, for nobody
 * foresees which it is: value 0 has interval 0, which has no register and wants none. */
static u32 hinted(const struct scan *s, const struct ival *i, u32 mask) {
    const struct ival *to = at(s, s->a->first[i->hint_values[0]]), *from = at(s, s->a->first[i->hint_values[1]]);
    u32 want = mask & bit_of(to->reg), self = mask & bit_of(i->hint);
    u32 others = to->reg == REG_MEM ? mask & bit_of(to->hint) : 0, operand = mask & bit_of(from->reg);
    if (s->f->ins.p[i->value].op == IR_PARAM && !want) want = most_come_from(s, i, mask);
    want = want ? want : self;
    want = want ? want : others;
    return want ? want : operand;
}

/* One of mask; callee-saved ones cost a push when new. */
static u8 choose(const struct scan *s, const struct ival *i, u32 mask) {
    u32 cheap = mask & (s->a->used | s->regs->caller_saved), from = cheap ? cheap : mask;
    u32 want = hinted(s, i, mask) & from;
    return (u8)next_in_order(s, want ? want : from);
}

/* Until where r, which nobody has, is free. */
static u32 free_until(struct scan *s, const struct ival *i, u32 r, u32 call) {
    u32 until = lost_to_calls(s) >> r & 1 ? call : NO_POS;
    if (s->fixed >> r & 1) until = MIN(until, next_fixed(s, i, r));
    for (u32 k = 0; k < s->holes; k++) {
        if (s->inactive[k].reg != r) continue;
        u32 meet = meeting(s, i, &s->inactive[k]);
        until = MIN(until, meet);
    }
    return until;
}

/* The register that is free for the longest time, until *until. */
static u8 longest(struct scan *s, const struct ival *i, u32 call, u32 *until) {
    u32 best = next_in_order(s, s->class[i->vector]);
    *until = i->start;
    for (u32 m = s->class[i->vector] & ~s->busy; m;) {
        u32 r = next_in_order(s, m), to = free_until(s, i, r, call);
        m &= ~(1u << r);
        if (to <= *until) continue;
        *until = to;
        best = r;
    }
    return (u8)best;
}

/* The cheapest register of mask to take away. */
static u8 cheapest(const struct scan *s, u32 mask) {
    u32 best = REG_MEM;
    while (mask) {
        u32 r = next_in_order(s, mask);
        mask &= ~(1u << r);
        if (best == REG_MEM || s->weight[r] < s->weight[best]) best = r;
    }
    return (u8)best;
}

static void give(struct scan *s, u32 index, u8 reg) {
    struct ival *i = at(s, index);
    struct ival *o = i->hint_values[0] ? at(s, s->a->first[i->hint_values[0]]) : i;
    if (o->start > i->start && o->hint == REG_MEM) o->hint = reg; /* who else goes there */
    i->reg = reg;
    i->cursor = i->ranges;
    advance(s, i, i->start);
    set_active(s, index, reg);
    s->a->used |= 1u << reg;
}

/* Whoever is in reg and meets the interval loses it. */
static void clear_register(struct scan *s, u32 index, u8 reg) {
    u32 pos = at(s, index)->start, old = s->active[reg];
    struct range first = ival_range(s->a, at(s, index));
    release(s, reg);
    if (old) evict(s, old, pos);
    for (u32 k = 0; k < s->holes; k++) {
        struct hole *h = &s->inactive[k];
        if (h->reg != reg) continue;
        u32 meet = intersection(s->a, first, current(s->a, at(s, h->ival)));
        if (meet == NO_POS) continue;
        evict(s, h->ival, MAX(pos, meet));
        if (!still_hole(s, h, pos)) h->over = s->due = 0; /* looked at by the next expire */
    }
}

static void take_away(struct scan *s, u32 index, u32 candidates, u32 call) {
    struct ival *i = at(s, index);
    weigh(s, i, candidates);
    u8 victim = cheapest(s, candidates);
    if (victim != REG_MEM && s->weight[victim] < weight_of(i)) {
        clear_register(s, index, victim);
        give(s, index, victim);
        return;
    }
    u32 until;
    u8 reg = longest(s, i, call, &until);
    if (until <= i->start + 4 || !i->uses || s->a->useful.p[i->uses].pos >= until || !pays(s, i, until)) {
        to_memory(s, index, i->start);
        return;
    }
    evict(s, index, until);
    give(s, index, reg);
}

/* Is all that is done with the value that an edge moves it on? */
static bool is_moved_only(const struct scan *s, const struct ival *i) {
    u32 u = i->uses, left = MAX_STEPS;
    while (left && u && is_edge_use(s, u)) left--, u = s->a->useful.p[u].next;
    return !u;
}

/* Does a parameter do no more than go on into another one's slot? Through others yet to come,
 * perhaps. Else what goes round a loop past a switch comes to a register and back each time
 * (SQLite: 4 %). */
static bool passes_on(const struct scan *s, const struct ival *i) {
    enum { MAX_HOPS = 4 };
    if (s->f->ins.p[i->value].op != IR_PARAM) return false;
    u32 start = i->start;
    for (u32 left = MAX_HOPS; left && i->hint_values[0] && is_moved_only(s, i); left--) {
        i = at(s, s->a->first[i->hint_values[0]]);
        if (i->start < start) return i->reg == REG_MEM;
    }
    return false;
}

/* Behind what, and the loops around it that do not hold since, nothing is done with it but to
 * move it on; NO_POS if that is far away, or nowhere. */
static u32 last_use(const struct scan *s, u32 use, u32 since) {
    const struct fn *f = s->f;
    u32 left = MAX_STEPS, last = 0;
    for (; left && use; left--, use = s->a->useful.p[use].next)
        if (!is_edge_use(s, use)) last = s->a->useful.p[use].pos;
    if (!left || !last) return NO_POS;
    u32 end = ALIGN_DOWN(last, 4u) + 4;
    for (u32 k = f->blocks.p[block_at(f, last)].loop; k; k = f->loops.p[k].parent) {
        if (block_start(f, f->loops.p[k].header) < since) break;
        end = block_end(f, f->loops.p[k].last);
    }
    return end;
}

/* What came back to a register lets go of it behind its last use: memory has the value. */
static void let_go(struct scan *s, u32 index) {
    const struct ival *i = at(s, index);
    u32 start = i->start, end = is_first(s, i) ? NO_POS : last_use(s, i->uses, start);
    if (end < i->end) to_memory(s, split(s, index, end), start);
}

static void place(struct scan *s, u32 index) {
    let_go(s, index);
    expire(s, at(s, index)->start);
    struct ival *i = at(s, index); /* these may have split it, or others */
    if (passes_on(s, i)) {
        to_memory(s, index, i->start);
        return;
    }
    u32 call = next_call(s, i), class = s->class[i->vector];
    u32 whole = unfixed(s, i, class & ~s->busy, call), mask = unmet(s, i, whole);
    if (mask) give(s, index, choose(s, i, mask));
    else take_away(s, index, whole | unfixed(s, i, class & s->busy, call), call);
}

/* ---- all ---- */

/* Of mask the first few. */
static u32 take_few(const struct scan *s, u32 mask, u32 few) {
    u32 left = mask;
    while (left && few--) left &= ~(1u << next_in_order(s, left));
    return mask & ~left;
}

/* The registers there are. Tests ask for few, so that spilling and all that follows from
 * it happens in small functions too. */
static void prepare(struct scan *s) {
    u32 few = s->f->options->registers;
    for (u32 c = 0; c < 2; c++) {
        s->class[c] = s->regs->class[c];
        if (c && s->f->simd) s->class[c] &= ~(1u << (31 - __builtin_clz(s->class[c]))); /* the last one is the second scratch */
        if (few) s->class[c] = take_few(s, s->class[c], few);
    }
}

void jit_allocate(struct fn *f) {
    struct hole inactive[MAX_HOLES];
    struct scan s = {.f = f, .a = f->alloc, .ivals = f->alloc->ivals.p, .regs = &x86_regs, .inactive = inactive, .fixed = f->alloc->any_fixed};
    u32 next = 1, count = s.a->whole;
    prepare(&s);
    while (next < count || s.heap.n) { /* live.c's ascend: values are numbered so */
        bool fresh = !s.heap.n || (next < count && at(&s, next)->start <= at(&s, s.heap.p[0])->start);
        place(&s, fresh ? next++ : heap_pop(&s));
    }
    VEC_GIVE(f, s.heap);
    VEC_GIVE(f, s.a->useful);
    VEC_GIVE(f, s.a->calls);
    VEC_CUT(f, s.a->ranges);
    jit_number_slots(f);
    VEC_TRIM(f, s.a->ivals);
    jit_resolve(f);
#ifdef WHELK_CHECK
    jit_check(f);
#endif
}
