/* check.c: proves what allocation decided, in tests and fuzzing (WHELK_CHECK).
 *
 * Symbolic, as regalloc2's checker is: a state says which value each register
 * and each slot holds. Where a block begins, the state is what the intervals
 * claim there. Every instruction must find its operands where the emitter will
 * look for them, and every edge, with its moves, must make true what its target
 * claims. So by induction every claim holds, whatever way is taken.
 *
 * I1 nothing here asks the scan or resolve.c: only intervals, slots and moves
 *    are read, as the emitter reads them.
 * I2 a place holds one value: what a copy leaves behind is not counted on.
 * I3 values that live in memory outside their block (live.c, I3) are claimed where
 *    they may not exist yet: such functions are not checked. */
#ifdef WHELK_CHECK
#include "base/fmt.h"
#include "jit/alloc.h"

bool jit_check_enabled = true;
void (*jit_emitted)(const struct fn *f, u32 i, const u8 *code, u32 n);

enum { SLOTS = REG_COUNT }; /* places: registers, then slots */

struct claim {
    u32 value, place, next;
};

struct check {
    struct fn *f;
    struct alloc *a;
    u32 places;
    u32 *holds;  /* place -> value; 0: unknown */
    u32 *arrive; /* of the edge at hand: place -> value it brings */
    u32 *stamp;  /* on which walk of an edge: a switch may list one twice */
    u32 walk;
    u32 *claims; /* block -> first */
    VEC(struct claim) pool;
    u32 at; /* instruction at hand */
};

_Noreturn static void fail(const struct check *c, const char *what, u32 value, u32 place) {
    static char text[160];
    bool reg = place < SLOTS;
    fmt(text, sizeof text, "allocation of function %u: at %u (%s), value %u (%s), %s %u: %s", c->f->index, c->at,
        ir_opinfos[ins_at(c->f, c->at)->op].name, value, ir_opinfos[ins_at(c->f, value)->op].name, reg ? "register" : "slot",
        reg ? place : place - SLOTS, what);
    assert_fail(text, "jit/check.c", __LINE__);
}

static bool is_vector(const struct check *c, u32 v) { return ins_at(c->f, v)->type == T_V128; }
static bool has_slot(const struct check *c, u32 v) { return slot_of(c->a, v) != NO_SLOT; }
static u32 slot_place(const struct check *c, u32 v) {
    u32 place = SLOTS + (u32)slot_of(c->a, v);
    if (!has_slot(c, v) || place + is_vector(c, v) >= c->places) fail(c, "has no slot", v, SLOTS);
    return place;
}

/* A vector in memory takes two slots. */
static u32 width(const struct check *c, u32 v, u32 place) { return place >= SLOTS && is_vector(c, v) ? 2 : 1; }

static void put(struct check *c, u32 v, u32 place) {
    for (u32 k = 0; k < width(c, v, place); k++) c->holds[place + k] = v;
}

static void want(struct check *c, u32 v, u32 place) {
    for (u32 k = 0; k < width(c, v, place); k++)
        if (c->holds[place + k] != v) fail(c, "does not hold it", v, place);
}

static u32 child_place(const struct check *c, u32 v, const struct ival *i) {
    return i->reg != REG_MEM ? i->reg : slot_place(c, v);
}

/* Where the emitter looks for v at pos. */
static u32 place_of(const struct check *c, u32 v, u32 pos) {
    const struct ival *i = &c->a->ivals.p[c->a->first[v]];
    if (!c->a->first[v]) fail(c, "has no place", v, 0);
    while (i->next && c->a->ivals.p[i->next].start <= pos) i = &c->a->ivals.p[i->next];
    return child_place(c, v, i);
}

/* ---- claims ---- */

static bool is_param(const struct check *c, u32 v, u32 b) {
    const struct block *k = &c->f->blocks.p[b];
    return v > k->first && v <= k->first + k->params;
}

static void claim(struct check *c, u32 b, u32 v, u32 place) {
    struct claim x = {v, place, c->claims[b]};
    VEC_PUSH(c->f, c->pool, x);
    c->claims[b] = c->pool.n - 1;
}

/* A pad finds slots only; a parameter is stored by the block itself. */
static void claim_at(struct check *c, u32 b, u32 v, const struct ival *i) {
    bool pad = c->f->blocks.p[b].pad;
    if (pad || (has_slot(c, v) && !is_param(c, v, b))) claim(c, b, v, slot_place(c, v));
    if (!pad && (i->reg != REG_MEM || is_param(c, v, b))) claim(c, b, v, child_place(c, v, i));
}

static void claim_range(struct check *c, u32 v, const struct ival *i, const struct range *r) {
    const struct fn *f = c->f;
    u32 b = block_at(f, r->start);
    if (block_start(f, b) < r->start) b++;
    for (; b < f->blocks.n && block_start(f, b) < r->end; b++) claim_at(c, b, v, i);
}

static void claim_all(struct check *c) {
    VEC_PUSH(c->f, c->pool, (struct claim){0});
    for (u32 v = 1; v < c->f->ins.n; v++)
        for (u32 i = c->a->first[v]; i; i = c->a->ivals.p[i].next) {
            bool more = true;
            for (struct range r = ival_range(c->a, &c->a->ivals.p[i]); more; more = next_range(c->a, &r))
                claim_range(c, v, &c->a->ivals.p[i], &r);
        }
}

/* ---- edges ---- */

static void bring(struct check *c, u32 v, u32 place) {
    for (u32 k = 0; k < width(c, v, place); k++) {
        if (c->stamp[place + k] == c->walk) fail(c, "is written twice by an edge", v, place);
        c->stamp[place + k] = c->walk;
        c->arrive[place + k] = v;
    }
}

static void moves_of_edge(struct check *c, u32 edge, u32 end) {
    const struct fn *f = c->f;
    const struct edge *d = &f->edges.p[edge];
    for (u32 k = 0; k < edge_args(f, d); k++) {
        u32 p = block_param(f, d->to, k), v = f->pool.p[d->args + k];
        if (!has_place(ins_at(f, p))) continue;
        u32 to = child_place(c, p, &c->a->ivals.p[c->a->first[p]]);
        if (!is_const(f, v)) want(c, v, same_slot(c->a, v, p) ? to : place_of(c, v, end));
        bring(c, p, to);
    }
    for (u32 m = edge_moves(c->a, edge); m; m = c->a->moves.p[m].next) {
        const struct move *x = &c->a->moves.p[m];
        want(c, x->value, place_of(c, x->value, end));
        bring(c, x->value, x->to);
    }
}

static void check_edge(struct check *c, u32 edge, u32 end) {
    c->walk++;
    moves_of_edge(c, edge, end);
    for (u32 k = c->claims[c->f->edges.p[edge].to]; k; k = c->pool.p[k].next) {
        struct claim x = c->pool.p[k];
        for (u32 n = 0; n < width(c, x.value, x.place); n++) {
            u32 place = x.place + n, held = c->stamp[place] == c->walk ? c->arrive[place] : c->holds[place];
            if (held != x.value) fail(c, "is not what the edge's target expects", x.value, place);
        }
    }
}

/* What the unwinder may enter from i finds its slots. */
static void check_pads(struct check *c, u32 i) {
    const struct site *s = fn_site(c->f, i);
    for (u32 k = 0; s && k < s->count; k++)
        for (u32 x = c->claims[c->f->catches.p[s->first + k].block]; x; x = c->pool.p[x].next)
            want(c, c->pool.p[x].value, c->pool.p[x].place);
}

/* ---- blocks ---- */

static void check_operands(struct check *c, u32 i, u32 clobbered, u32 late) {
    struct operands ops = ir_operands(c->f, i);
    for (u32 k = 0; k < ops.count; k++) {
        u32 v = ops.list[k];
        const struct ins *x = ins_at(c->f, v);
        if (x->flags & V_FOLDED) check_operands(c, v, clobbered, late >> 8);
        if (x->flags & V_FOLDED || is_const(c->f, v) || x->type == T_NONE) continue;
        bool is_late = k < 8 && late >> k & 1; /* read when the result's register may be written */
        u32 place = place_of(c, v, is_late ? def_pos(c->at) : use_pos(c->at));
        want(c, v, place);
        if (is_late && place < SLOTS && clobbered >> place & 1) fail(c, "is overwritten before it is read", v, place);
    }
}

static void define(struct check *c, u32 i, u32 through) {
    const struct ival *own = &c->a->ivals.p[c->a->first[i]];
    if (!c->a->first[i]) return;
    if (own->reg != REG_MEM && through >> own->reg & 1) fail(c, "is overwritten by its own instruction", i, own->reg);
    if (own->reg != REG_MEM) put(c, i, own->reg);
    if (has_slot(c, i)) put(c, i, slot_place(c, i));
}

static void check_instruction(struct check *c, u32 i) {
    u32 through = 0, lost = x86_regs.clobbers(c->f, i, &through), result = 0, first = c->a->first[i];
    if (first && c->a->ivals.p[first].reg != REG_MEM) result = 1u << c->a->ivals.p[first].reg;
    check_operands(c, i, lost | result, x86_regs.late(c->f, i));
    for (u32 m = lost; m; m &= m - 1) c->holds[__builtin_ctz(m)] = 0;
    check_pads(c, i);
    define(c, i, through);
    if (ir_opinfos[ins_at(c->f, i)->op].kind != K_TERM) return;
    struct operands edges = ir_edges(c->f, i);
    for (u32 k = 0; k < edges.count; k++) check_edge(c, edges.list[k], def_pos(i));
}

static u32 run_reloads(struct check *c, u32 next, u32 i) {
    const struct alloc *a = c->a;
    for (; next < a->reloads.n && a->reloads.p[next].pos <= gap_pos(i); next++) {
        const struct move *m = &a->reloads.p[next];
        u32 from = m->from == REG_MEM ? slot_place(c, m->value) : place_of(c, m->value, m->pos - 1);
        want(c, m->value, from);
        put(c, m->value, m->to);
    }
    return next;
}

static void enter_block(struct check *c, u32 b) {
    const struct block *k = &c->f->blocks.p[b];
    memset(c->holds, 0, c->places * sizeof *c->holds);
    c->at = k->first;
    for (u32 x = c->claims[b]; x; x = c->pool.p[x].next) {
        struct claim y = c->pool.p[x];
        for (u32 n = 0; n < width(c, y.value, y.place); n++)
            if (c->holds[y.place + n] && c->holds[y.place + n] != y.value) fail(c, "is claimed by two values", y.value, y.place);
        put(c, y.value, y.place);
    }
    for (u32 p = k->first + 1; p <= k->first + k->params; p++)
        if (c->a->first[p] && has_slot(c, p)) put(c, p, slot_place(c, p));
}

void jit_check(struct fn *f) {
    struct alloc *a = f->alloc;
    struct check c = {.f = f, .a = a, .places = REG_COUNT + a->slots};
    if (!jit_check_enabled || a->coarse) return;
    c.holds = jit_alloc(f, c.places, sizeof(u32));
    c.arrive = jit_alloc(f, c.places, sizeof(u32));
    c.stamp = jit_alloc(f, c.places, sizeof(u32));
    c.claims = jit_alloc(f, f->blocks.n, sizeof(u32));
    claim_all(&c);
    for (u32 b = 1, reload = 0; b < f->blocks.n; b++) {
        enter_block(&c, b);
        for (u32 i = f->blocks.p[b].first; i <= f->blocks.p[b].last; i++) {
            const struct ins *x = ins_at(f, c.at = i);
            reload = run_reloads(&c, reload, i);
            if ((x->flags & (V_LIVE | V_FOLDED)) == V_LIVE && x->op > IR_CONST) check_instruction(&c, i);
        }
    }
}
#endif
