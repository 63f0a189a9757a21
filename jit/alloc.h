/* alloc.h: live intervals and where they end up. Shared by live.c, ival.c,
 * alloc.c, slots.c, resolve.c and the emitter.
 *
 * I1 the children of a value are disjoint, ordered, and together cover its ranges.
 * I2 a value with a child in memory has a slot, written once, right after its
 *    definition: going to memory needs no code, only coming back does.
 * I3 every operand may be in memory: the emitter has a scratch register of each
 *    class (r11, xmm15) that is never allocated. */
#ifndef WHELK_JIT_ALLOC_H
#define WHELK_JIT_ALLOC_H

#include "jit/ir.h"

enum {
    REG_COUNT = 32,    /* 0..15 general, 16..31 vector */
    REG_XMM = 16,
    REG_MEM = 0xff,    /* in the value's slot */
    NO_POS = UINT32_MAX,
    NO_SLOT = INT32_MAX,
    CALL_HINTS = 16,   /* registers are mostly among the first */
};

enum { WANTS_CLOBBERS = 1, WANTS_LATE = 2 };
/* The target, as the allocator sees it. */
struct regs {
    u32 caller_saved;            /* bit masks over REG_COUNT */
    u32 class[2];                /* those to give out; preferred: caller-saved ones, then the lower */
    /* What instruction i wants: fixed registers clobbered, as bit masks, from
     * late_pos to def_pos, or to the next gap (also not for the result). */
    const u8 *wants;             /* by op: may the answer of these two be other than 0? */
    u32 (*clobbers)(const struct fn *f, u32 i, u32 *through);
    /* Operands that must not share a register with the result: bit per operand. */
    u32 (*late)(const struct fn *f, u32 i);
    /* Where arguments arrive (fn.arg_regs, arg_slots), and a call wants its first
     * ones, as hints: so many are there; REG_MEM: in an overflow slot. */
    void (*place_args)(const struct wasm_functype *t, u8 *regs, u32 *slots);
    u32 (*call_regs)(const struct fn *f, u32 call, u8 regs[CALL_HINTS]);
    u8 (*result_reg)(u8 type);
};
extern const struct regs x86_regs;

struct range {
    u32 start, end, next;
};

/* often: its block's (often.c). */
enum { OFTEN_ONCE = 8, OFTEN_MOST = 27, MAX_USES = 1 << 27 };
struct use {
    u32 pos, next : 27, often : 5;
};
static_assert(sizeof(struct use) == 8, "there are many");
static inline u32 use_weight(const struct use *u) { return 1u << u->often; }

struct ival {
    u32 value;
    u32 start, end;
    u32 ranges;         /* the first of several; 0: there is one, from start to end */
    union {
        u32 outside;    /* live.c: its bit in the sets, from 1; coarsely: where it ends. 0: in its block only */
        u32 cursor;     /* alloc.c: of several ranges the first that has not ended, or the last */
        u32 reached;    /* of a value's first one, in the emitter: the child that it has reached */
    };
    u32 uses;
    u32 next;           /* sibling */
    u32 sum;            /* of the uses' weights, or UINT32_MAX */
    i32 slot;           /* of a value's first one: its slot, or NO_SLOT */
    u8 reg, hint;       /* hint: REG_MEM for none */
    bool vector;
    u32 hint_values[2]; /* values it should share with: before, and after, hint */
};
static_assert(sizeof(struct ival) == 48, "there are many");

struct move {
    u32 pos, value; /* before instruction pos / 4; or of an edge */
    u8 from, to;
    u32 next;       /* of the same edge */
};

enum { NEAR = 4 };
struct alloc {
    VEC(struct ival) ivals;   /* the first of each value by ascending start, then the others */
    u32 whole;                /* of ivals: those of live.c that ask for a register */
    VEC(struct range) ranges;
    VEC(struct use) useful;
    VEC(u32) calls;           /* late_pos of calls, ascending */
    VEC(struct move) reloads; /* inside blocks, ascending by pos */
    VEC(struct move) moves;   /* on edges */
    u32 *edge_moves;          /* edge -> the first of them; NULL: there are none */
    u32 *first;               /* value -> first child; 0: none */
    u32 *near;                /* the block of every NEAR-th instruction */
    u8 *often;                /* per block: how often it runs, as a power of two: 1 << OFTEN_ONCE is once a call */
    u32 any_fixed;            /* registers that have such ranges, as bits */
    u32 fixed[REG_COUNT];     /* range lists */
    u32 slots;
    u32 used;                 /* registers that hold something anywhere */
    bool memory;              /* some part is in a slot */
    bool coarse;              /* outside their block values live in memory: live.c, I3 */
};

static inline void add_weight(struct ival *i, u32 weight) { i->sum += MIN(weight, UINT32_MAX - i->sum); }
/* The first range; the next one, while there is one. */
static inline struct range ival_range(const struct alloc *a, const struct ival *i) {
    return i->ranges ? a->ranges.p[i->ranges] : (struct range){i->start, i->end, 0};
}
static inline bool next_range(const struct alloc *a, struct range *r) {
    if (!r->next) return false;
    *r = a->ranges.p[r->next];
    return true;
}
/* Of a value: CONSTs and what is folded have none. */
static inline i32 slot_of(const struct alloc *a, u32 v) { return a->ivals.p[a->first[v]].slot; }
/* Is argument v of an edge where PARAM p wants it, in a slot that both have? */
static inline bool same_slot(const struct alloc *a, u32 v, u32 p) {
    const struct ival *i = &a->ivals.p[a->first[p]];
    return i->reg == REG_MEM && slot_of(a, v) == i->slot;
}
static inline u32 edge_moves(const struct alloc *a, u32 edge) { return a->edge_moves ? a->edge_moves[edge] : 0; }
bool ival_covers(const struct alloc *a, const struct ival *i, u32 pos);
/* The interval keeps what is before pos; the result, a new sibling, has the rest. Intervals move. */
u32 ival_split(struct fn *f, u32 index, u32 pos);
u32 block_at(const struct fn *f, u32 pos);
u32 first_pad(const struct fn *f, u32 pos); /* in f->pads: the first that starts at pos or later */
void jit_often(struct fn *f);
void jit_number_slots(struct fn *f); /* slots.c: of values that have one, whichever */
void jit_resolve(struct fn *f);

#ifdef WHELK_CHECK
/* check.c: asserts that every value is where the emitter will look for it. */
void jit_check(struct fn *f);
extern bool jit_check_enabled; /* off for tests of what comes behind it */
/* Called with what was emitted for instruction i, not a terminator; NULL: nobody. */
extern void (*jit_emitted)(const struct fn *f, u32 i, const u8 *code, u32 n);
#endif

#endif
