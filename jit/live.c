/* live.c: live ranges, uses and hints of every value, in one backward pass.
 *
 * I1 ranges of a value are pushed at the front: they end ascending and disjoint.
 * I2 a value live into a loop's header is live in the whole loop.
 * I3 when the sets would be too large for the function, a value's range is
 *    taken as one piece from definition to last use (loops extend it): still
 *    right, since code order is topological, only without holes. */
#include "base/fault.h"
#include "jit/alloc.h"

enum { MAX_SET_WORDS = 1 << 21, MAX_PAD_WORDS = 1 << 25 };

struct live {
    struct fn *f;
    struct alloc *a;
    const struct regs *regs;
    u32 *dense;    /* value -> bit; 0: used in its own block only */
    u32 *sparse;
    u32 bits, words;
    u64 *in;       /* per block: words */
    u64 *now;
    bool coarse;   /* I3 */
};

static bool wants(const struct live *l, u32 v) { return has_place(&l->f->ins.p[v]); }

static void add_range(struct live *l, u32 v, u32 start, u32 end) {
    struct alloc *a = l->a;
    struct ival *i = &a->ivals.p[a->first[v]];
    assert(a->first[v] && start < end);
    i->end = MAX(i->end, end);
    struct range *r = i->ranges ? &a->ranges.p[i->ranges] : NULL;
    if (r && r->start == start && r->end >= end) return; /* one more use in the block */
    if (r && (l->coarse || r->start <= end)) {
        r->start = MIN(r->start, start);
        r->end = MAX(r->end, end);
        while (r->next && a->ranges.p[r->next].start <= r->end) {
            r->end = MAX(r->end, a->ranges.p[r->next].end);
            r->next = a->ranges.p[r->next].next;
        }
        return;
    }
    struct range n = {start, end, i->ranges};
    VEC_PUSH(l->f, a->ranges, n);
    i->ranges = a->ranges.n - 1;
}

static void fix_register(struct live *l, u32 reg, u32 start, u32 end) {
    struct range n = {start, end, l->a->fixed[reg]};
    VEC_PUSH(l->f, l->a->ranges, n);
    l->a->fixed[reg] = l->a->ranges.n - 1;
}

static u32 loop_weight(u32 depth) { return 1u << 3 * MIN(depth, 6u); }

/* The end of the outermost loop that holds block b but not v's definition. */
static u32 loop_extension(const struct live *l, u32 v, u32 b) {
    const struct fn *f = l->f;
    u32 end = 0;
    for (u32 k = f->blocks.p[b].loop; k; k = f->loops.p[k].parent) {
        if (f->blocks.p[f->loops.p[k].header].first < v) break;
        end = block_end(f, f->loops.p[k].last);
    }
    return end;
}

static void add_use(struct live *l, u32 v, u32 b, u32 pos, u32 end) {
    struct alloc *a = l->a;
    if (!wants(l, v)) return;
    u32 first = l->f->blocks.p[b].first;
    bool inside = v > first;
    if (!inside && !l->coarse) {
        assert(l->dense[v]);
        l->now[l->dense[v] / 64] |= 1ull << l->dense[v] % 64;
    }
    if (l->coarse) end = MAX(end, loop_extension(l, v, b));
    add_range(l, v, block_start(l->f, b), end);
    struct ival *i = &a->ivals.p[a->first[v]];
    struct use u = {pos, i->uses, loop_weight(l->f->blocks.p[b].depth)};
    VEC_PUSH(l->f, a->useful, u);
    i->uses = a->useful.n - 1;
    i->sum += u.weight;
}

static void add_hint(struct live *l, u32 v, u32 other, bool weak) {
    if (!wants(l, v) || !wants(l, other)) return;
    struct ival *i = &l->a->ivals.p[l->a->first[v]];
    if (i->vector != l->a->ivals.p[l->a->first[other]].vector) return;
    if (!weak && !i->hint_values[0]) i->hint_values[0] = other;
    else if (!i->hint_values[1]) i->hint_values[1] = other;
}

static void add_reg_hint(struct live *l, u32 v, u8 reg) {
    if (!wants(l, v) || reg == REG_MEM) return;
    struct ival *i = &l->a->ivals.p[l->a->first[v]];
    if (i->vector == (reg >= REG_XMM)) i->hint = reg;
}

static void define(struct live *l, u32 v, u32 pos) {
    struct alloc *a = l->a;
    struct ival *i = &a->ivals.p[a->first[v]];
    if (!i->ranges) add_range(l, v, pos, pos + 1);
    a->ranges.p[i->ranges].start = i->start = pos;
    if (!l->coarse && l->dense[v]) l->now[l->dense[v] / 64] &= ~(1ull << l->dense[v] % 64);
}

/* Operands of i, and those of what is folded into it, are read at at's place. */
static void use_operands(struct live *l, u32 i, u32 at, u32 b, u32 late) {
    struct fn *f = l->f;
    struct operands ops;
    ir_operands(f, i, &ops);
    for (u32 k = ops.count; k-- > 0;) {
        u32 v = ops.list[k];
        if (f->ins.p[v].flags & V_FOLDED) {
            use_operands(l, v, at, b, late >> 8); /* depth is bounded: folding is one deep or two */
            continue;
        }
        bool is_late = k < 8 && late >> k & 1;
        add_use(l, v, b, use_pos(at), is_late ? gap_pos(at + 1) : late_pos(at));
    }
}

static void hint_instruction(struct live *l, u32 i) {
    struct fn *f = l->f;
    const struct ins *x = &f->ins.p[i];
    if (x->op == IR_TAIL_CALL || x->op == IR_TAIL_INDIRECT) {
        for (u32 k = 0; k < x->b; k++) add_reg_hint(l, f->pool.p[x->a + k], l->regs->call_reg(f, i, k));
    } else if (x->op == IR_CALL || x->op == IR_CALL_INDIRECT || x->op == IR_CALL_BUILTIN) {
        for (u32 k = 0; k < x->b; k++) add_reg_hint(l, f->pool.p[x->a + k], l->regs->call_reg(f, i, k));
        add_reg_hint(l, i, l->regs->result_reg(x->type));
    } else if (x->op == IR_RETURN) {
        if (x->b) add_reg_hint(l, f->pool.p[x->a], l->regs->result_reg(f->ins.p[f->pool.p[x->a]].type));
    } else if (x->type != T_NONE && ir_opinfos[x->op].args) {
        add_hint(l, i, x->a, true);
    }
}

static u32 end_of_ins(u32 i) { return gap_pos(i + 1); }

/* What is live into the pads of i is live through it, if only in its slot. */
static void through_pads(struct live *l, u32 i, u32 b) {
    const struct fn *f = l->f;
    const struct site *s = fn_site(f, i);
    for (u32 k = 0; s && k < s->count && !l->coarse; k++) {
        const u64 *in = l->in + (size_t)f->catches.p[s->first + k].block * l->words;
        for (u32 w = 0; w < l->words; w++)
            for (u64 bits = in[w]; bits; bits &= bits - 1) {
                u32 v = l->sparse[w * 64 + (u32)__builtin_ctzll(bits)];
                add_range(l, v, block_start(f, b), end_of_ins(i));
                if (v < f->blocks.p[b].first) l->now[l->dense[v] / 64] |= 1ull << l->dense[v] % 64;
            }
    }
}

static void note_clobbers(struct live *l, u32 i) {
    u32 through = 0, now = l->regs->clobbers(l->f, i, &through);
    if (now == l->regs->caller_saved) {
        VEC_PUSH(l->f, l->a->calls, late_pos(i));
        return;
    }
    for (u32 r = 0; now >> r; r++)
        if (now >> r & 1) fix_register(l, r, late_pos(i), through >> r & 1 ? gap_pos(i + 1) : def_pos(i));
}

static void live_instruction(struct live *l, u32 i, u32 b) {
    const struct ins *x = &l->f->ins.p[i];
    if ((x->flags & (V_LIVE | V_FOLDED)) != V_LIVE) return;
    if (x->op == IR_CONST || x->op == IR_PARAM || x->op == IR_ARG) return;
    if (x->type != T_NONE) define(l, i, def_pos(i));
    note_clobbers(l, i);
    if (l->f->sites.n) through_pads(l, i, b);
    use_operands(l, i, i, b, fault(LATE_READ) ? 0 : l->regs->late(l->f, i));
    hint_instruction(l, i);
}

static void edge_out(struct live *l, u32 b, u32 e) {
    struct fn *f = l->f;
    const struct edge *d = &f->edges.p[e];
    if (!l->coarse && d->to > b)
        for (u32 w = 0; w < l->words; w++) l->now[w] |= l->in[(size_t)d->to * l->words + w];
    for (u32 k = 0; k < d->count; k++) {
        u32 p = block_param(f, d->to, k), v = f->pool.p[d->args + k];
        if (!wants(l, p) || !wants(l, v)) continue;
        add_use(l, v, b, def_pos(f->blocks.p[b].last), block_end(f, b));
        add_hint(l, v, p, false);
        add_hint(l, p, v, false);
    }
}

static void each_live(struct live *l, u32 start, u32 end) {
    for (u32 w = 0; w < l->words; w++)
        for (u64 bits = l->now[w]; bits; bits &= bits - 1)
            add_range(l, l->sparse[w * 64 + (u32)__builtin_ctzll(bits)], start, end);
}

static void live_block(struct live *l, u32 b) {
    struct fn *f = l->f;
    const struct block *k = &f->blocks.p[b];
    struct operands edges = ir_edges(f, k->last);
    l->now = l->in + (size_t)b * l->words;
    for (u32 e = 0; e < edges.count; e++) edge_out(l, b, edge_of(&edges, e));
    each_live(l, block_start(f, b), block_end(f, b));
    for (u32 i = k->last; i > k->first; i--) live_instruction(l, i, b);
    for (u32 i = k->first + 1; i <= k->last; i++) {
        if (f->ins.p[i].op != IR_PARAM && f->ins.p[i].op != IR_ARG) break;
        if (wants(l, i)) define(l, i, block_start(f, b));
        if (wants(l, i) && f->ins.p[i].op == IR_ARG) add_reg_hint(l, i, f->arg_regs[f->ins.p[i].a]);
    }
    if (k->header) each_live(l, block_start(f, b), block_end(f, f->loops.p[k->loop].last));
}

/* Numbers the values that are used outside their block. */
static void count_cross(struct live *l, u32 v, u32 first) {
    if (v < first && wants(l, v) && !l->dense[v]) {
        l->dense[v] = ++l->bits;
        l->sparse[l->bits] = v;
    }
}

static void number_cross(struct live *l) {
    struct fn *f = l->f;
    for (u32 b = 1; b < f->blocks.n; b++) {
        u32 first = f->blocks.p[b].first, last = f->blocks.p[b].last;
        for (u32 i = first; i <= last; i++) {
            struct operands ops;
            if (!(f->ins.p[i].flags & V_LIVE)) continue;
            ir_operands(f, i, &ops);
            for (u32 k = 0; k < ops.count; k++) count_cross(l, ops.list[k], first);
        }
        struct operands edges = ir_edges(f, last);
        for (u32 e = 0; e < edges.count; e++) {
            const struct edge *d = &f->edges.p[edge_of(&edges, e)];
            for (u32 k = 0; k < d->count; k++) count_cross(l, f->pool.p[d->args + k], first);
        }
    }
}

static void make_ivals(struct live *l) {
    struct fn *f = l->f;
    struct alloc *a = l->a;
    VEC_PUSH(f, a->ivals, (struct ival){0});
    VEC_PUSH(f, a->ranges, (struct range){0});
    VEC_PUSH(f, a->useful, (struct use){0});
    VEC_PUSH(f, a->moves, (struct move){0});
    for (u32 v = 1; v < f->ins.n; v++) {
        a->slot[v] = NO_SLOT;
        if (!wants(l, v)) continue;
        struct ival i = {.value = v, .reg = REG_MEM, .hint = REG_MEM, .vector = is_float(f->ins.p[v].type)};
        VEC_PUSH(f, a->ivals, i);
        a->first[v] = a->ivals.n - 1;
    }
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

static bool covers_pad(const struct fn *f, u32 start, u32 end) {
    u32 k = first_pad(f, start);
    return k < f->pads.n && block_start(f, f->pads.p[k]) < end;
}

/* Where a pad begins registers are unknown: values that live there have a slot. */
static void give_slots(struct live *l) {
    struct alloc *a = l->a;
    for (u32 k = 1; l->f->pads.n && k < a->ivals.n; k++)
        for (u32 r = a->ivals.p[k].ranges; r; r = a->ranges.p[r].next)
            if (covers_pad(l->f, a->ranges.p[r].start, a->ranges.p[r].end)) a->slot[a->ivals.p[k].value] = 0;
}

static void reverse_calls(struct alloc *a) {
    for (u32 i = 0, k = a->calls.n; i + 1 < k; i++) {
        u32 t = a->calls.p[i];
        a->calls.p[i] = a->calls.p[--k];
        a->calls.p[k] = t;
    }
}

void jit_live(struct fn *f) {
    struct alloc *a = f->alloc = jit_alloc(f, 1, sizeof *a);
    struct live l = {.f = f, .a = a, .regs = &x86_regs};
    a->first = jit_alloc(f, f->ins.n, sizeof(u32));
    a->slot = jit_alloc(f, f->ins.n, sizeof(i32));
    l.dense = jit_alloc(f, f->ins.n, sizeof(u32));
    l.sparse = jit_alloc(f, f->ins.n + 1, sizeof(u32));
    f->arg_regs = jit_alloc(f, f->type->param_count, 1);
    f->arg_slots = jit_alloc(f, f->type->param_count, sizeof(u32));
    l.regs->place_args(f->type, f->arg_regs, f->arg_slots);
    make_ivals(&l);
    number_cross(&l);
    l.words = l.bits / 64 + 1;
    l.coarse = (u64)l.words * f->blocks.n > MAX_SET_WORDS || (u64)l.words * f->catches.n > MAX_PAD_WORDS;
    a->coarse = l.coarse;
    if (l.coarse) l.words = 0;
    l.in = jit_alloc(f, (size_t)l.words * f->blocks.n, sizeof(u64));
    for (u32 b = f->blocks.n - 1; b; b--) live_block(&l, b);
    reverse_calls(a);
    give_slots(&l);
}
