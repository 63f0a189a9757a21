/* live.c: live ranges, uses and hints of every value, in one backward pass.
 *
 * I1 ranges of a value are pushed at the front: they end ascending and disjoint. The
 *    first one's start is the interval's; its own is not kept until the definition.
 * I2 a value live into a loop's header is live in the whole loop.
 * I3 when the sets cost too much for the function, a value that is used outside
 *    its block lives in memory there, in one piece from that block's end to its last
 *    use in code order (loops extend it). Nothing is claimed of registers where a
 *    block begins: what lies between may be on another way.
 * I4 a value has a bit from its last use outside its block until the walk reaches
 *    its definition; then another may have the bit. A set made before that may hold
 *    it, but whoever reads such a set is where the old value still lives. So sets
 *    are as wide as many values live at once: a word or two.
 * I5 blocks through which a value lives cost nothing: while its bit is in the set, only
 *    where that run ends is known; it becomes a range where it begins, at the definition
 *    or where the set of the block before does not have the bit. */
#include "base/fault.h"
#include "jit/alloc.h"

enum { MAX_STEPS = 1 << 24, MAX_SET_WORDS = 1 << 21 };

/* A block's set: what is live into it. Words before low and from low + n on are 0. */
struct row {
    u32 at;
    u16 low, n;
};

struct bit {
    u32 holder; /* interval; of a spare one: 1 + the next; 0: none */
    u32 until;  /* in the set at hand: where the run ends through which it lives: I5 */
};

struct live {
    struct fn *f;
    struct alloc *a;
    const struct regs *regs;
    VEC(struct bit) bits; /* ival.outside is 1 + one */
    u32 spare;        /* 1 + the first bit without a holder; 0: none */
    VEC(u64) now;     /* the set at hand: of its words only low to high are not 0 */
    u32 low, high;    /* where a block begins it stays for the one before */
    u32 block, first, often; /* at hand, its first instruction, alloc.often */
    VEC(u64) sets;
    struct row *rows; /* per block */
    u32 steps;        /* of work with sets */
    bool coarse;      /* I3 */
};

static struct ival *ival_of(const struct live *l, u32 v) { return &l->a->ivals.p[l->a->first[v]]; }

static bool wants(const struct live *l, u32 v) { return l->a->first[v]; }

static bool costs_too_much(const struct live *l) {
    return !l->coarse && (l->steps > MAX_STEPS || l->sets.n > MAX_SET_WORDS);
}

/* ---- sets ---- */

static inline void set_word(struct live *l, u32 w, u64 bits) {
    l->now.p[w] |= bits;
    l->low = MIN(l->low, w);
    l->high = MAX(l->high, w + 1);
}

static __attribute__((noinline)) void take_bit(struct live *l, struct ival *i) {
    u32 bit = l->spare - 1;
    if (l->spare) {
        l->spare = l->bits.p[bit].holder;
    } else {
        bit = l->bits.n;
        VEC_PUSH(l->f, l->bits, (struct bit){0});
        if (bit % 64 == 0) VEC_PUSH(l->f, l->now, 0);
    }
    l->bits.p[bit].holder = (u32)(i - l->a->ivals.p);
    i->outside = bit + 1;
}

static inline bool in_set(const struct live *l, const struct ival *i) {
    u32 bit = i->outside - 1;
    return i->outside && l->now.p[bit / 64] >> bit % 64 & 1;
}

/* Lives from the start of the block at hand until end, at least. */
static inline void set_live(struct live *l, struct ival *i, u32 end) {
    if (unlikely(!i->outside)) take_bit(l, i);
    u32 bit = i->outside - 1;
    if (l->now.p[bit / 64] >> bit % 64 & 1) {
        l->bits.p[bit].until = MAX(l->bits.p[bit].until, end);
        return;
    }
    set_word(l, bit / 64, 1ull << bit % 64);
    l->bits.p[bit].until = end;
}

static __attribute__((noinline)) void drop_bit(struct live *l, struct ival *i) {
    u32 bit = i->outside - 1;
    l->now.p[bit / 64] &= ~(1ull << bit % 64);
    l->bits.p[bit].holder = l->spare;
    l->spare = bit + 1;
    i->outside = 0;
}

static inline void add_row(struct live *l, u32 b) {
    struct row r = l->rows[b];
    l->steps += r.n;
    for (u32 k = 0; k < r.n; k++) set_word(l, r.low + k, l->sets.p[r.at + k]);
}

/* What lives where block b begins, too; it lives until end if it was not in the set. */
static inline void join_row(struct live *l, u32 b, u32 end) {
    struct row r = l->rows[b];
    l->steps += r.n;
    for (u32 k = 0; k < r.n; k++) {
        u32 w = r.low + k;
        u64 fresh = l->sets.p[r.at + k] & ~l->now.p[w];
        if (!fresh) continue;
        set_word(l, w, fresh);
        for (; fresh; fresh &= fresh - 1) l->bits.p[w * 64 + (u32)__builtin_ctzll(fresh)].until = end;
    }
}

static void clear_set(struct live *l) {
    for (u32 w = l->low; w < l->high; w++) l->now.p[w] = 0;
    l->low = UINT32_MAX;
    l->high = 0;
}

/* The set at hand is b's. */
static void keep_row(struct live *l, u32 b) {
    while (l->low < l->high && !l->now.p[l->low]) l->low++;
    while (l->low < l->high && !l->now.p[l->high - 1]) l->high--;
    if (l->low >= l->high) clear_set(l);
    if (l->high > UINT16_MAX) l->steps = MAX_STEPS + 1; /* four million values live here */
    struct row r = {l->sets.n, (u16)(l->high ? l->low : 0), (u16)(l->high ? l->high - l->low : 0)};
    l->rows[b] = r;
    for (u32 k = 0; k < r.n; k++) VEC_PUSH(l->f, l->sets, l->now.p[r.low + k]);
}

/* ---- ranges ---- */

/* Before the first one, which it does not touch. */
static __attribute__((noinline)) void push_range(struct live *l, struct ival *i, u32 start, u32 end) {
    struct alloc *a = l->a;
    struct range last = {i->start, i->end, 0}, n = {start, end, a->ranges.n};
    if (i->ranges) {
        a->ranges.p[i->ranges].start = i->start;
        n.next = i->ranges;
    } else {
        VEC_PUSH(l->f, a->ranges, last);
    }
    VEC_PUSH(l->f, a->ranges, n);
    i->ranges = a->ranges.n - 1;
    i->start = start;
}

/* The first of several ends at end or later; with those that it reaches then it is one. */
static __attribute__((noinline)) void join_ranges(struct alloc *a, struct ival *i, u32 end) {
    struct range *r = &a->ranges.p[i->ranges];
    r->end = MAX(r->end, end);
    while (r->next && a->ranges.p[r->next].start <= r->end) {
        r->end = MAX(r->end, a->ranges.p[r->next].end);
        r->next = a->ranges.p[r->next].next;
    }
    i->end = MAX(i->end, end);
    if (!r->next) i->ranges = 0;
}

static inline void add_range(struct live *l, struct ival *i, u32 start, u32 end) {
    assert(start < end);
    if (i->start > end) {
        push_range(l, i, start, end);
        return;
    }
    i->start = i->end ? MIN(i->start, start) : start;
    if (unlikely(i->ranges)) join_ranges(l->a, i, end);
    else i->end = MAX(i->end, end);
}

static void fix_register(struct live *l, u32 reg, u32 start, u32 end) {
    struct range n = {start, end, l->a->fixed[reg]};
    VEC_PUSH(l->f, l->a->ranges, n);
    l->a->fixed[reg] = l->a->ranges.n - 1;
    l->a->any_fixed |= 1u << reg;
}

/* The end of the outermost loop that holds the block at hand but not v's definition. */
static u32 loop_extension(const struct live *l, u32 v) {
    const struct fn *f = l->f;
    u32 end = 0;
    for (u32 k = f->blocks.p[l->block].loop; k; k = f->loops.p[k].parent) {
        if (f->blocks.p[f->loops.p[k].header].first < v) break;
        end = block_end(f, f->loops.p[k].last);
    }
    return end;
}

/* Of v, which has the interval, at pos in the block at hand, until end. */
static INLINE void add_use(struct live *l, u32 v, struct ival *i, u32 pos, u32 end, u32 often) {
    struct alloc *a = l->a;
    if (v >= l->first) {
        if (l->coarse || !in_set(l, i)) add_range(l, i, gap_pos(l->first), end);
    } else if (l->coarse) {
        i->outside = MAX(MAX(i->outside, end), loop_extension(l, v));
        return;
    } else {
        set_live(l, i, end);
    }
    struct use u = {pos, i->uses, often};
    i->uses = a->useful.n;
    VEC_PUSH(l->f, a->useful, u);
    add_weight(i, use_weight(&u));
}

/* Of i: to share with another, which is o. */
static inline void add_hint(struct ival *i, const struct ival *o, bool weak) {
    if (i->vector != o->vector) return;
    if (!weak && !i->hint_values[0]) i->hint_values[0] = o->value;
    else if (!i->hint_values[1]) i->hint_values[1] = o->value;
}

static void add_reg_hint(struct live *l, u32 v, u8 reg) {
    if (!wants(l, v) || reg == REG_MEM) return;
    struct ival *i = ival_of(l, v);
    if (i->vector == (reg >= REG_XMM)) i->hint = reg;
}

/* At its definition, of what is used outside its block. */
static __attribute__((noinline)) void end_life(struct live *l, struct ival *i, u32 pos) {
    if (in_set(l, i)) add_range(l, i, pos, l->bits.p[i->outside - 1].until);
    drop_bit(l, i);
}

static inline void define(struct live *l, struct ival *i, u32 pos) {
    if (i->outside && !l->coarse) end_life(l, i, pos);
    if (!i->end) i->end = pos + 1;
    i->start = pos;
    if (i->ranges) l->a->ranges.p[i->ranges].start = pos;
}

static void use_folded(struct live *l, u32 v, u32 at, u32 late);

/* Operands of an instruction, and those of what is folded into it, are read at at's place. */
static INLINE void use_operands(struct live *l, struct operands ops, u32 at, u32 late) {
    for (u32 k = ops.count; k-- > 0;) {
        u32 v = ops.list[k], index = l->a->first[v];
        u32 end = k < 8 && late >> k & 1 ? gap_pos(at + 1) : late_pos(at);
        if (index) add_use(l, v, &l->a->ivals.p[index], use_pos(at), end, l->often);
        else if (l->f->ins.p[v].flags & V_FOLDED) use_folded(l, v, at, late >> 8);
    }
}

static __attribute__((noinline)) void use_folded(struct live *l, u32 v, u32 at, u32 late) {
    use_operands(l, ir_operands(l->f, v), at, late); /* folding is one deep or two */
}

#define COMMUTES(op) ((op) == IR_ADD || (op) == IR_MUL || ((op) >= IR_AND && (op) <= IR_XOR) || (op) == IR_FADD || (op) == IR_FMUL)

static void hint_args(struct live *l, u32 i, const struct ins *x) {
    u8 regs[CALL_HINTS];
    u32 n = l->regs->call_regs(l->f, i, regs);
    for (u32 k = 0; k < n; k++) add_reg_hint(l, l->f->pool.p[x->a + k], regs[k]);
}

/* Does v, which instruction i reads, end there? */
static bool ends_at(const struct live *l, u32 v, u32 i) {
    const struct ival *x = ival_of(l, v);
    return (!l->coarse && in_set(l, x) ? l->bits.p[x->outside - 1].until : x->end) <= gap_pos(i + 1);
}

/* Which of its operands x should share a register with: one that ends there, and if both
 * do, not a loop's parameter, whose register the next round's value wants. */
static u32 shared_operand(const struct live *l, u32 i, const struct ins *x) {
    if (!COMMUTES(x->op) || !wants(l, x->b) || !wants(l, x->a) || !ends_at(l, x->b, i)) return x->a;
    return ends_at(l, x->a, i) && !ival_of(l, x->a)->hint_values[0] ? x->a : x->b;
}

/* own: its interval, if it has one. */
static void hint_instruction(struct live *l, u32 i, const struct ins *x, struct ival *own) {
    struct fn *f = l->f;
    switch (x->op) {
    case IR_TAIL_CALL:
    case IR_TAIL_INDIRECT: hint_args(l, i, x); break;
    case IR_CALL:
    case IR_CALL_INDIRECT:
    case IR_CALL_BUILTIN:
        hint_args(l, i, x);
        add_reg_hint(l, i, l->regs->result_reg(x->type));
        break;
    case IR_RETURN:
        if (x->b) add_reg_hint(l, f->pool.p[x->a], l->regs->result_reg(f->ins.p[f->pool.p[x->a]].type));
        break;
    default: {
        if (!own || !ir_opinfos[x->op].args) break;
        u32 v = shared_operand(l, i, x);
        if (!wants(l, v)) break;
        struct ival *from = ival_of(l, v);
        add_hint(own, from, true);
        /* what own is for, that is for if it becomes own */
        if (own->hint_values[0] && !from->hint_values[0] && own->vector == from->vector && ends_at(l, v, i)) from->hint_values[0] = own->hint_values[0];
    }
    }
}

static u32 end_of_ins(u32 i) { return gap_pos(i + 1); }

/* What is live into the pads of i is live through it, if only in its slot. */
static void through_pad(struct live *l, u32 pad, u32 i) {
    struct row r = l->rows[pad];
    l->steps += r.n;
    for (u32 w = 0; w < r.n; w++)
        for (u64 bits = l->sets.p[r.at + w]; bits; bits &= bits - 1, l->steps++) {
            struct ival *v = &l->a->ivals.p[l->bits.p[(r.low + w) * 64 + (u32)__builtin_ctzll(bits)].holder];
            set_live(l, v, end_of_ins(i));
        }
}

static void through_pads(struct live *l, u32 i) {
    const struct fn *f = l->f;
    const struct site *s = fn_site(f, i);
    for (u32 k = 0; s && k < s->count && !l->coarse && !costs_too_much(l); k++)
        through_pad(l, f->catches.p[s->first + k].block, i);
}

/* x works in regs, or clobbers them: its first operand and a quotient are in the first, the
 * rest of a division or the upper half of a product in the last. */
static void hint_fixed(struct live *l, const struct ins *x, struct ival *own, u32 regs) {
    if ((x->op < IR_DIV_S || x->op > IR_MULH) && x->op != IR_BRTABLE) return;
    add_reg_hint(l, x->a, (u8)__builtin_ctz(regs));
    bool first = x->op == IR_DIV_S || x->op == IR_DIV_U;
    if (own && own->hint == REG_MEM) own->hint = (u8)(first ? __builtin_ctz(regs) : 31 - __builtin_clz(regs));
}

static void note_clobbers(struct live *l, u32 i, const struct ins *x, struct ival *own) {
    u32 through = 0, now = l->regs->clobbers(l->f, i, &through);
    if (now == l->regs->caller_saved) {
        VEC_PUSH(l->f, l->a->calls, late_pos(i));
        return;
    }
    if (now) hint_fixed(l, x, own, now);
    for (u32 r = 0; now >> r; r++)
        if (now >> r & 1) fix_register(l, r, late_pos(i), through >> r & 1 ? gap_pos(i + 1) : def_pos(i));
}

/* Which lives, and is no PARAM, ARG or CONST. */
static inline void live_instruction(struct live *l, u32 i, const struct ins *x) {
    u8 wants = l->regs->wants[x->op];
    struct ival *own = NULL;
    if (x->type != T_NONE) define(l, own = ival_of(l, i), def_pos(i));
    if (wants & WANTS_CLOBBERS) note_clobbers(l, i, x, own);
    if (unlikely(l->f->sites.n)) through_pads(l, i);
    u32 late = wants & WANTS_LATE && !fault(LATE_READ) ? l->regs->late(l->f, i) : 0;
    use_operands(l, ir_operands(l->f, i), i, late);
    hint_instruction(l, i, x, own);
}

/* Arguments are read where the block ends. */
static void use_arguments(struct live *l, u32 b, u32 e) {
    struct fn *f = l->f;
    const struct edge *d = &f->edges.p[e];
    u32 often = MIN(l->often, l->a->often[d->to]);
    for (u32 k = 0, n = edge_args(f, d); k < n; k++) {
        u32 p = block_param(f, d->to, k), v = f->pool.p[d->args + k];
        if (!wants(l, p) || !wants(l, v)) continue;
        struct ival *from = ival_of(l, v), *to = ival_of(l, p);
        add_use(l, v, from, def_pos(f->blocks.p[b].last), block_end(f, b), often);
        if (d->to <= b && from->vector == to->vector) from->hint_values[0] = to->value; /* each round, and more than leaving the loop */
        else add_hint(from, to, false);
        add_hint(to, from, false);
    }
}

/* The set at hand is of what lives where block b ends, and the next one begins: runs
 * of what does not live there any more are over, others begin. */
static void change_runs(struct live *l, u32 b) {
    struct row r = l->rows[b + 1];
    u32 end = block_end(l->f, b), start = block_start(l->f, b + 1);
    l->steps += l->high > l->low ? l->high - l->low : 0;
    for (u32 w = r.n ? MIN(l->low, r.low) : l->low, high = MAX(l->high, r.low + r.n); w < high; w++) {
        u64 old = w - r.low < r.n ? l->sets.p[r.at + w - r.low] : 0, now = l->now.p[w];
        for (u64 gone = old & ~now; gone; gone &= gone - 1, l->steps++) {
            u32 bit = w * 64 + (u32)__builtin_ctzll(gone);
            add_range(l, &l->a->ivals.p[l->bits.p[bit].holder], start, l->bits.p[bit].until);
        }
        for (u64 fresh = now & ~old; fresh; fresh &= fresh - 1, l->steps++) l->bits.p[w * 64 + (u32)__builtin_ctzll(fresh)].until = end;
    }
}

static bool leads_to(const struct fn *f, struct operands edges, u32 b) {
    for (u32 e = 0; e < edges.count; e++)
        if (f->edges.p[edges.list[e]].to == b) return true;
    return false;
}

/* The set at hand is what lives where block b + 1 begins: makes it what lives where b
 * ends. Mostly b leads there, and no run is over. */
static void enter_end(struct live *l, u32 b, struct operands edges) {
    const struct fn *f = l->f;
    bool next = leads_to(f, edges, b + 1);
    if (!next) clear_set(l);
    for (u32 e = 0; e < edges.count; e++) {
        u32 to = f->edges.p[edges.list[e]].to;
        if (to <= b || (next && to == b + 1)) continue;
        if (next) join_row(l, to, block_end(f, b));
        else add_row(l, to);
    }
    if (!next && b + 1 < f->blocks.n) change_runs(l, b);
}

/* A loop begins here: what lives here lives until it ends. */
static void through_loop(struct live *l, u32 end) {
    for (u32 w = l->low; w < l->high; w++)
        for (u64 bits = l->now.p[w]; bits; bits &= bits - 1, l->steps++) {
            u32 *until = &l->bits.p[w * 64 + (u32)__builtin_ctzll(bits)].until;
            *until = MAX(*until, end);
        }
}

static void define_params(struct live *l, const struct block *k) {
    struct fn *f = l->f;
    for (u32 i = k->first + 1; i <= k->last; i++) {
        const struct ins *x = &f->ins.p[i];
        if (x->op != IR_PARAM && x->op != IR_ARG) break;
        if (!wants(l, i)) continue;
        define(l, ival_of(l, i), gap_pos(k->first));
        if (x->op == IR_ARG) add_reg_hint(l, i, f->arg_regs[x->a]);
    }
}

static void live_block(struct live *l, u32 b) {
    struct fn *f = l->f;
    const struct block *k = &f->blocks.p[b];
    struct operands edges = ir_edges(f, k->last);
    l->block = b;
    l->first = k->first;
    l->often = l->a->often[b];
    enter_end(l, b, edges);
    if (edges.count > 1) l->often -= MIN(l->often, 31u - (u32)__builtin_clz(edges.count));
    for (u32 e = 0; e < edges.count; e++) use_arguments(l, b, edges.list[e]);
    l->often = l->a->often[b];
    const struct ins *x = &f->ins.p[k->last];
    for (u32 i = k->last; i > k->first; i--, x--)
        if ((x->flags & (V_LIVE | V_FOLDED)) == V_LIVE && x->op > IR_CONST) live_instruction(l, i, x);
    define_params(l, k);
    if (k->header) through_loop(l, block_end(f, f->loops.p[k->loop].last));
    keep_row(l, b);
}

/* Below the intervals, for they grow where they are. */
static void find_below(struct fn *f, u32 useful, u32 ranges, u32 calls) {
    struct alloc *a = f->alloc;
    size_t missing = 0;
    VEC_BELOW(f, a->useful, useful, missing);
    VEC_BELOW(f, a->ranges, ranges, missing);
    VEC_BELOW(f, a->calls, calls, missing);
    if (missing) missing += 256; /* for what else grows while intervals are split */
    VEC_CUT(f, a->ivals);
    a->ivals.p = jit_lift(f, a->ivals.p, a->ivals.cap * sizeof *a->ivals.p, missing);
}

/* For so many values with a place as many of each as there are mostly; values are used
 * more often where there are many. */
static void reserve(struct live *l, u32 count) {
    enum { MANY = 400 };
    struct fn *f = l->f;
    struct alloc *a = l->a;
    u32 useful = (count < MANY ? count / 2 * 5 : count * 3) + 4, ranges = count / 8 * 5 + 2, calls = f->calls ? count / 4 + 2 : 0;
    if (!f->small) find_below(f, useful, ranges, calls);
    VEC_ROOM(f, a->useful, useful);
    VEC_ROOM(f, a->ranges, ranges);
    VEC_ROOM(f, a->calls, calls);
}

static __attribute__((noinline)) struct ival *more_ivals(struct fn *f, u32 n) {
    struct alloc *a = f->alloc;
    a->ivals.n = n;
    VEC_ROOM(f, a->ivals, 1);
    return a->ivals.p + n;
}

static void make_ivals(struct live *l) {
    struct fn *f = l->f;
    struct alloc *a = l->a;
    if ((u64)f->pool.n + 4 * (u64)f->ins.n >= MAX_USES) jit_escape(f, ERR_LIMIT);
    if (!a->ivals.cap) a->ivals.p = jit_last(f, a->ivals.cap = f->ins.n / 3 + 2, sizeof *a->ivals.p);
    a->ivals.n = a->ranges.n = a->useful.n = a->calls.n = 0;
    memset(a->fixed, 0, sizeof a->fixed);
    a->any_fixed = 0;
    VEC_PUSH(f, a->ivals, ((struct ival){.slot = NO_SLOT, .reg = REG_MEM, .hint = REG_MEM}));
    const struct ins *x = f->ins.p + 1;
    struct ival *to = a->ivals.p + 1;
    u32 *first = a->first, k = 1;
    first[0] = 0;
    for (u32 v = 1, n = f->ins.n; v < n; v++, x++) { /* without a branch: which have a place nobody foresees */
        u32 place = has_place(x);
        if (unlikely(k == a->ivals.cap)) to = more_ivals(f, k);
        first[v] = place * k;
        *to = (struct ival){.value = v, .slot = NO_SLOT, .reg = REG_MEM, .hint = REG_MEM, .vector = is_float(x->type)};
        to += place;
        k += place;
    }
    a->ivals.n = k;
    reserve(l, a->ivals.n);
    VEC_PUSH(f, a->ranges, (struct range){0});
    VEC_PUSH(f, a->useful, (struct use){0});
}

static bool covers_pad(const struct fn *f, u32 start, u32 end) {
    u32 k = first_pad(f, start);
    return k < f->pads.n && block_start(f, f->pads.p[k]) < end;
}

/* Where a pad begins registers are unknown: values that live there have a slot. */
static void give_slots(struct fn *f) {
    struct alloc *a = f->alloc;
    for (u32 k = 1; f->pads.n && k < a->ivals.n; k++) {
        bool more = true;
        for (struct range r = ival_range(a, &a->ivals.p[k]); more; more = next_range(a, &r))
            if (covers_pad(f, r.start, r.end)) a->ivals.p[a->first[a->ivals.p[k].value]].slot = 0;
    }
}

static void reverse_calls(struct alloc *a) {
    for (u32 i = 0, k = a->calls.n; i + 1 < k; i++) {
        u32 t = a->calls.p[i];
        a->calls.p[i] = a->calls.p[--k];
        a->calls.p[k] = t;
    }
}

static void into_memory(struct fn *f, u32 index) {
    struct alloc *a = f->alloc;
    struct ival *i = &a->ivals.p[index];
    struct ival rest = {.value = i->value, .start = block_end(f, block_at(f, i->start)), .end = i->outside,
                        .slot = NO_SLOT, .reg = REG_MEM, .hint = REG_MEM, .vector = i->vector};
    i->next = a->ivals.n;
    i->slot = 0;
    a->memory = true;
    VEC_PUSH(f, a->ivals, rest);
}

/* false: I3. */
static bool walk_blocks(struct live *l) {
    for (u32 b = l->f->blocks.n - 1; b; b--) {
        live_block(l, b);
        if (costs_too_much(l)) return false;
    }
    return true;
}

static bool walk(struct live *l) {
    struct fn *f = l->f;
    l->low = UINT32_MAX;
    make_ivals(l); /* below what goes when this is done */
    l->rows = jit_raw(f, f->blocks.n, sizeof *l->rows);
    VEC_ROOM(f, l->sets, f->blocks.n);
    bool done = walk_blocks(l);
    VEC_GIVE(f, l->bits);
    VEC_GIVE(f, l->now);
    VEC_GIVE(f, l->sets);
    jit_give(f, l->rows, f->blocks.n * sizeof *l->rows);
    return done;
}

static void note_blocks(struct fn *f) {
    u32 *near = f->alloc->near = jit_raw(f, f->ins.n / NEAR + 1, sizeof(u32)), k = 0;
    for (u32 b = 1; b < f->blocks.n; b++)
        while (k * NEAR <= f->blocks.p[b].last) near[k++] = b;
    if (k == f->ins.n / NEAR) near[k] = f->blocks.n - 1;
}

void jit_live(struct fn *f) {
    jit_compact(f);
    struct alloc *a = f->alloc = jit_alloc(f, 1, sizeof *a);
    note_blocks(f);
    jit_often(f);
    a->first = jit_raw(f, f->ins.n, sizeof(u32));
    f->arg_slots = jit_alloc(f, f->type->param_count, sizeof(u32) + 1);
    f->arg_regs = (u8 *)(f->arg_slots + f->type->param_count);
    x86_regs.place_args(f->type, f->arg_regs, f->arg_slots);
    struct live l = {.f = f, .a = a, .regs = &x86_regs, .coarse = f->options->coarse};
    if (!walk(&l)) {
        l = (struct live){.f = f, .a = a, .regs = &x86_regs, .coarse = true};
        walk(&l);
    }
    a->coarse = l.coarse;
    a->whole = a->ivals.n;
    for (u32 k = 1; a->coarse && k < a->whole; k++)
        if (a->ivals.p[k].outside) into_memory(f, k);
    reverse_calls(a);
    give_slots(f);
}
