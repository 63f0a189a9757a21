/* slots.c: which slot of the frame each value has that is in memory anywhere.
 *
 * I1 values share a slot if their lives do not meet and their size is the same: a
 *    vector takes two words, and those come behind all others.
 * I2 value order is start order (alloc.h, whole): a slot is free once its last life
 *    has ended. */
#include "base/fault.h"
#include "jit/alloc.h"

struct slot {
    u32 end;  /* of the last life in it */
    u32 kept; /* until there for what has a hint: the loop's end, of its parameters */
};

/* The slots of one size: slot k is first + k * step. */
struct slots {
    struct fn *f;
    struct alloc *a;
    VEC(struct slot) slots;
    u32 first, step;
};

static bool is_wide(const struct slots *t, u32 v) { return t->f->ins.p[v].type == T_V128; }

/* What parameter v of a loop is in the first round, if the loop is entered from above; else 0. */
static u32 entering(const struct fn *f, u32 v) {
    const struct ins *x = &f->ins.p[v];
    if (!is_loop_param(f, v)) return 0;
    const struct ins *last = &f->ins.p[f->blocks.p[x->a].first - 1];
    const struct edge *d = last->op == IR_JUMP ? &f->edges.p[last->a] : NULL;
    return d && d->to == x->a ? f->pool.p[d->args + v - block_param(f, x->a, 0)] : 0;
}

/* The slot of a value that v comes from or goes to, if it is free: the move between
 * them is none then. (With narrow moves, chacha: 3.4 -> 2.3 of gcc's time.) */
static u32 hinted_slot(const struct slots *t, u32 v, u32 start) {
    const struct alloc *a = t->a;
    const u32 *hints = a->ivals.p[a->first[v]].hint_values;
    for (u32 k = 0; k < 3; k++) {
        u32 w = k < 2 ? hints[k] : entering(t->f, v);
        if (!w || w >= v || slot_of(a, w) == NO_SLOT || is_wide(t, w) != is_wide(t, v)) continue;
        u32 hit = ((u32)slot_of(a, w) - t->first) / t->step;
        if (t->slots.p[hit].end <= start) return hit;
    }
    return NO_POS;
}

static u32 free_slot(struct slots *t, u32 start) {
    u32 n = t->slots.n; /* small: a scan of the newest few suffices */
    for (u32 k = 1; k <= MIN(n, 64u); k++)
        if (MAX(t->slots.p[n - k].end, t->slots.p[n - k].kept) <= start + (fault(SLOT_SHARED) ? 64 : 0)) return n - k;
    VEC_PUSH(t->f, t->slots, (struct slot){0});
    t->a->slots += t->step;
    return n;
}

/* The end of the loop that v is a parameter of; 0: of none. */
static u32 loop_end(const struct fn *f, u32 v) {
    const struct ins *x = &f->ins.p[v];
    if (!is_loop_param(f, v)) return 0;
    return block_end(f, f->loops.p[f->blocks.p[x->a].loop].last);
}

static void number_slots(struct fn *f, bool vectors) {
    struct alloc *a = f->alloc;
    struct slots t = {.f = f, .a = a, .first = a->slots, .step = vectors ? 2 : 1};
    for (u32 k = 1; k < a->whole; k++) {
        struct ival *first = &a->ivals.p[k];
        if (first->slot == NO_SLOT || is_wide(&t, first->value) != vectors) continue;
        u32 end = first->end, hit = hinted_slot(&t, first->value, first->start);
        for (u32 i = first->next; i; i = a->ivals.p[i].next) end = a->ivals.p[i].end;
        if (hit == NO_POS) hit = free_slot(&t, first->start);
        t.slots.p[hit].end = end;
        t.slots.p[hit].kept = MAX(t.slots.p[hit].kept, loop_end(f, first->value));
        first->slot = (i32)(t.first + hit * t.step);
    }
    VEC_GIVE(f, t.slots);
}

void jit_number_slots(struct fn *f) {
    if (!f->alloc->memory && !f->pads.n) return;
    number_slots(f, false);
    if (f->simd) number_slots(f, true);
}
