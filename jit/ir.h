/* ir.h: one function in SSA form, and what the passes note about it.
 *
 * I1 an instruction is 16 bytes; a value is the index of the instruction that
 *    defines it. Index 0 is never a value.
 * I2 a block is a contiguous run: BLOCK, its PARAMs, ..., one terminator. Blocks
 *    are in code order, which is topological but for edges back to a loop's
 *    first block; the blocks of a loop are contiguous.
 * I3 an edge carries one argument for each PARAM of its target. Two of one terminator
 *    may have the same target.
 * I4 positions for liveness: before instruction i is the gap 4i; it reads at
 *    4i+1, clobbers and reads late operands at 4i+2, writes at 4i+3. PARAMs and
 *    ARGs are written at the gap of their block's BLOCK.
 * I5 a CONST has no place: it may be used anywhere in the function.
 * I6 i32 values may have dirty upper halves unless V_ZEXT is set.
 * I7 the RESULTs of a call follow it with nothing that calls in between: they
 *    are in store->overflow, which the next call overwrites.
 * I8 a pad has no edges to it: it is reached from calls, by the unwinder, with
 *    no register known but r14 and r15. So what is live into it has a slot, and
 *    its first instructions are CAUGHTs. In code order it is behind its calls. */
#ifndef WHELK_JIT_IR_H
#define WHELK_JIT_IR_H

#include "base/assert.h"
#include "base/mem.h"
#include "jit/jit.h"

enum ir_type { T_NONE, T_I32, T_I64, T_F32, T_F64, T_V128 };

/* How an instruction behaves. PURE: numbered, removed when unused. TRAPS: may
 * trap; numbered, not removed. READS: numbered within an epoch, removed when unused. EFFECT: stays. */
enum ir_kind { K_META, K_PURE, K_TRAPS, K_READS, K_EFFECT, K_TERM };

/* name, value operands among a b c, kind. */
#define IR_OPS(X)                                                              \
    X(NOP, 0, META)                                                            \
    X(BLOCK, 0, META)      /* a: block, b: list of edges to it; 0: none */     \
    X(PARAM, 0, META)      /* a: block, b: which */                            \
    X(ARG, 0, META)        /* a: parameter of the function */                  \
    X(CONST, 0, META)      /* bits: words[1] */                                \
    X(RESULT, 1, META)     /* a: call, b: which (1..); right behind it: I7 */  \
    X(ADD, 2, PURE)                                                            \
    X(SUB, 2, PURE)                                                            \
    X(MUL, 2, PURE)                                                            \
    X(AND, 2, PURE)                                                            \
    X(OR, 2, PURE)                                                             \
    X(XOR, 2, PURE)                                                            \
    X(SHL, 2, PURE)                                                            \
    X(SHR_S, 2, PURE)                                                          \
    X(SHR_U, 2, PURE)                                                          \
    X(ROTL, 2, PURE)                                                           \
    X(ROTR, 2, PURE)                                                           \
    X(DIV_S, 2, TRAPS)                                                         \
    X(DIV_U, 2, TRAPS)                                                         \
    X(REM_S, 2, TRAPS)                                                         \
    X(REM_U, 2, TRAPS)                                                         \
    X(MULH, 2, PURE)       /* upper half of the product; aux: 1 signed */      \
    X(CLZ, 1, PURE)                                                            \
    X(CTZ, 1, PURE)                                                            \
    X(POPCNT, 1, PURE)                                                         \
    X(SEXT, 1, PURE)       /* aux: from 8, 16, 32 bits */                      \
    X(WRAP, 1, PURE)                                                           \
    X(ZEXT, 1, PURE)                                                           \
    X(ICMP, 2, PURE)       /* aux: enum ir_cond */                             \
    X(FCMP, 2, PURE)       /* aux: enum ir_fcond */                            \
    X(FADD, 2, PURE)                                                           \
    X(FSUB, 2, PURE)                                                           \
    X(FMUL, 2, PURE)                                                           \
    X(FDIV, 2, PURE)                                                           \
    X(FMIN, 2, PURE)                                                           \
    X(FMAX, 2, PURE)                                                           \
    X(FCOPYSIGN, 2, PURE)                                                      \
    X(FABS, 1, PURE)                                                           \
    X(FNEG, 1, PURE)                                                           \
    X(FSQRT, 1, PURE)                                                          \
    X(FROUND, 1, PURE)     /* aux: roundsd's immediate */                      \
    X(TRUNC, 1, TRAPS)     /* float to int; aux: 1 signed */                   \
    X(TRUNC_SAT, 1, PURE)  /* the same, saturating */                          \
    X(CONVERT, 1, PURE)    /* int to float; aux: 1 signed */                   \
    X(FCVT, 1, PURE)       /* demote, promote */                               \
    X(BITCAST, 1, PURE)                                                        \
    X(SELECT, 3, PURE)     /* c ? a : b */                                     \
    X(VCONST, 0, PURE)     /* a: in fn.vconsts */                              \
    X(VUNARY, 1, PURE)     /* c: enum simd_op | immediate << 16 */             \
    X(VBINARY, 2, PURE)    /* the same */                                      \
    X(LOAD, 1, TRAPS)      /* aux: enum ir_access, b: i32 offset, c: epoch */     \
    X(STORE, 2, EFFECT)    /* aux: enum ir_access, c: i32 offset */            \
    X(LOAD_AT, 1, TRAPS)   /* of any memory; aux, b: in fn.accesses, c: epoch */ \
    X(STORE_AT, 2, EFFECT) /* the same; c: in fn.accesses */                   \
    X(CAUGHT, 0, READS)    /* a: value of the payload; WASM_NONE: the exception's handle */ \
    X(GLOBAL_GET, 0, READS) /* a: global, c: epoch */                          \
    X(GLOBAL_SET, 1, EFFECT) /* b: global */                                   \
    X(MEM_SIZE, 0, READS)  /* a: memory */                                     \
    X(TABLE_SIZE, 0, READS) /* a: table */                                     \
    X(ATOMIC_LOAD, 1, EFFECT)  /* aux: enum ir_access; b: in fn.accesses */    \
    X(ATOMIC_STORE, 2, EFFECT) /* aux: the same; c: in fn.accesses */          \
    X(ATOMIC_RMW, 2, EFFECT)   /* aux: access | enum ir_rmw << 4; c: in fn.accesses */ \
    X(ATOMIC_CMPXCHG, 0, EFFECT) /* pool[a..a+3): index, expected, new; aux, c: as STORE */ \
    X(FENCE, 0, EFFECT)                                                        \
    X(CALL, 0, EFFECT)     /* pool[a..a+b): arguments, c: function */          \
    X(CALL_INDIRECT, 0, EFFECT) /* the same, the index last; c: type; pool[a-1]: table, WASM_NONE: handles */ \
    X(CALL_BUILTIN, 0, EFFECT) /* pool[a..a+b), aux: enum abi_builtin */       \
    X(CHECK, 1, EFFECT)    /* traps if a is 0; aux: enum abi_trap */           \
    X(JUMP, 0, TERM)       /* a: edge */                                       \
    X(BRIF, 1, TERM)       /* a: condition, b: edge if not 0, c: edge if 0 */  \
    X(BRTABLE, 1, TERM)    /* a: index, pool[b..b+c): edges, the default last */ \
    X(RETURN, 0, TERM)     /* pool[a..a+b) */                                  \
    X(TRAP, 0, TERM)       /* aux: enum abi_trap */                            \
    X(TAIL_CALL, 0, TERM)  /* as CALL */                                       \
    X(TAIL_INDIRECT, 0, TERM) /* as CALL_INDIRECT */                           \
    X(THROW, 0, TERM)      /* pool[a..a+b): payload, c: tag */                 \
    X(THROW_REF, 1, TERM)  /* a: handle of the exception */

enum ir_op {
#define X(name, args, kind) IR_##name,
    IR_OPS(X)
#undef X
        IR_OP_COUNT
};

/* Integer conditions, numbered as x86's condition codes. */
enum ir_cond { CC_ULT = 2, CC_UGE = 3, CC_EQ = 4, CC_NE = 5, CC_ULE = 6, CC_UGT = 7, CC_LT = 12, CC_GE = 13, CC_LE = 14, CC_GT = 15 };
enum ir_fcond { FC_EQ, FC_NE, FC_LT, FC_GT, FC_LE, FC_GE };

/* What a load reads or a store writes; the value's type says the rest. */
enum ir_access {
    A_U8, A_S8, A_U16, A_S16, A_U32, A_S32, A_64, A_F32, A_F64,
    A_V32, A_V64, A_V128, /* of a vector; the first two are loads, zero above */
};

/* What an atomic read-modify-write does; its value is the old one. */
enum ir_rmw { RMW_ADD, RMW_SUB, RMW_AND, RMW_OR, RMW_XOR, RMW_XCHG };

enum ir_flags {
    V_LIVE = 1,   /* marked by dead code removal */
    V_FOLDED = 2, /* emitted by its only user, in the same block */
    V_ZEXT = 4,   /* the upper half is zero wherever it is in a register */
    V_USE = 8,    /* from here on: how often it is used, by what is live once jit_clean has run */
    V_MANY = 0xf8, /* so often, or more often */
};

struct ins {
    union {
        struct {
            u8 op, type, aux, flags;
            union {
                struct {
                    u32 a, b, c;
                };
                u32 args[3]; /* the same */
            };
        };
        u64 words[2]; /* and all of it */
    };
};
static_assert(sizeof(struct ins) == 16, "I1");
/* Made as words: one that was stored in parts is read late. */
static INLINE struct ins ir_make(u32 op, u8 type, u8 aux, u32 a, u32 b, u32 c) {
    return (struct ins){.words = {op | (u32)type << 8 | (u32)aux << 16 | (u64)a << 32, b | (u64)c << 32}};
}

struct ir_opinfo {
    const char *name;
    u8 args, kind;
    bool pool; /* its operands are in the pool: see ir_operands */
};
extern const struct ir_opinfo ir_opinfos[IR_OP_COUNT];

struct edge {
    u32 from;
    union {
        u32 to;
        u32 pairs;   /* before it has a target: so many (local, value), in the pool behind args */
    };
    u32 args;        /* in the pool: one per PARAM of to; before that, per result of the label */
    union {
        u32 next;    /* of the same target, or label while it is open */
        u32 label;   /* while emitting, of a switch: where a jump along it lands; 0: not known */
    };
};
static_assert(sizeof(struct edge) == 16, "there are many");

struct block {
    u32 first, last; /* instructions */
    u32 params;
    u32 loop : 30;   /* innermost loop it belongs to; 0: none */
    bool header : 1;
    bool pad : 1;    /* entered by the unwinder only: I8 */
};
static_assert(sizeof(struct block) == 16, "there are many");

/* Where what a call throws may be caught, the nearest first: catches[first..). */
struct site {
    u32 call, first, count; /* call: CALL, CALL_INDIRECT, THROW, THROW_REF */
};

struct catch {
    u32 tag;   /* WASM_NONE: all */
    u32 block; /* a pad */
    bool ref;  /* the pad wants the exception itself, not its payload alone */
};

struct loop {
    u32 parent, header, last; /* blocks, last included */
    u32 depth;                /* 1: no loop around it */
};

/* Where an access goes that is not LOAD's or STORE's (those: memory 0, behind
 * guards, offset below 2^31). */
struct access {
    u32 memory;
    bool checked; /* explicitly, not by guards */
    u64 offset;
};

struct vconst {
    u64 low, high;
};

/* A growing array: p is of the element's type. Failure escapes (jit_escape). */
#define VEC(type)     \
    struct {          \
        type *p;      \
        u32 n, cap;   \
    }

/* Where a compile goes when a resource runs out, and why. */
struct jit_exit {
    void *buffer[5]; /* of __builtin_setjmp */
    enum err err;
};

/* What was given back: ascending, none of them side by side; the largest if they are many. */
enum { JIT_PIECES = 12, JIT_ALIGN = 16 };
struct piece {
    u8 *p;
    size_t n;
};

struct fn {
    struct arena *arena;
    struct piece pieces[JIT_PIECES];
    u32 piece_count;
    bool small; /* nothing that is given back is used again */
    struct jit_exit *exit;
    const struct wasm_module *m;
    const struct wasm_func *wf;
    const struct wasm_functype *type;
    const struct jit_options *options;
    u32 index;
    u8 *leaves; /* by function of the module: build_inline.c */
    VEC(struct ins) ins;
    u32 room; /* of ins, while building; 0 with options->lines: nothing is appended without looking */
    VEC(u32) origins; /* with options->lines: offsets in the module, as many as ins */
    const u8 *origin; /* while building: the instruction at hand */
    VEC(u32) pool;
    VEC(struct edge) edges;
    VEC(struct block) blocks;
    VEC(struct loop) loops;
    VEC(struct site) sites; /* ascending by call */
    VEC(struct catch) catches;
    VEC(u32) pads;          /* blocks, ascending */
    VEC(struct access) accesses;
    u8 *arg_regs;    /* where each parameter arrives: a register, or REG_MEM */
    u32 *arg_slots;  /* and then its overflow slot (abi.h) */
    bool clean;  /* jit_clean has run: what is not V_LIVE is dead */
    bool calls;
    bool simd;   /* has values of type V128: xmm14 is a second scratch */
    VEC(struct vconst) vconsts;
    struct number *number; /* while building */
    /* of alloc, see alloc.h */
    struct alloc *alloc;
};

/* Leaves the compile of this function with an error. */
_Noreturn void jit_escape(struct fn *f, enum err e);
void jit_begin(struct fn *f); /* before anything is allocated */
void *jit_alloc(struct fn *f, size_t n, size_t size);
void *jit_raw(struct fn *f, size_t n, size_t size); /* not zeroed */
void *jit_last(struct fn *f, size_t n, size_t size); /* the same, behind all else: for what will grow */
/* What was given back, or NULL: so much more is missing then. */
void *jit_below(struct fn *f, size_t n, size_t size, size_t *missing);
/* p, of n bytes, moves up, and what it leaves is free: if p is behind all else and there is room. */
void *jit_lift(struct fn *f, void *p, size_t n, size_t by);
/* Gives n bytes from p on back, to whoever asks next: what is dead before the
 * function is done. */
void jit_give(struct fn *f, void *p, size_t n);
void *jit_grow(struct fn *f, void *p, u32 *cap, u64 need, size_t size); /* what is new is not zeroed */
void jit_cut(struct fn *f, void *p, u32 *cap, u32 n, size_t size); /* to n elements, where it is */
/* To n elements, at the lowest place there is. */
void *jit_trim(struct fn *f, void *p, u32 *cap, u32 n, size_t size);

#define VEC_ROOM(f, v, k)                                                                          \
    do {                                                                                           \
        if (unlikely((v).cap - (v).n < (k)))                                                       \
            (v).p = jit_grow(f, (v).p, &(v).cap, (u64)(v).n + (k), sizeof(*(v).p));                \
    } while (0)
#define VEC_BELOW(f, v, k, missing)                                                                  \
    do {                                                                                           \
        if ((v).cap < (k) && ((v).p = jit_below(f, (k), sizeof(*(v).p), &(missing)))) (v).cap = (k); \
    } while (0)
/* For several at once: what one of that capacity takes; one's place, from at on. */
#define VEC_BYTES(v) ALIGN_UP((v).cap * sizeof(*(v).p), (size_t)JIT_ALIGN)
#define VEC_AT(v, at) ((v).p = (void *)(at), (at) += VEC_BYTES(v))
#define VEC_CUT(f, v) jit_cut(f, (v).p, &(v).cap, (v).n, sizeof(*(v).p))
#define VEC_GIVE(f, v)                                     \
    do {                                                  \
        jit_give((f), (v).p, (v).cap * sizeof(*(v).p));   \
        (v).p = NULL, (v).n = (v).cap = 0;                \
    } while (0)
/* It will hardly grow any more. */
#define VEC_TRIM(f, v) (v).p = jit_trim((f), (v).p, &(v).cap, (v).n, sizeof(*(v).p))
#define VEC_PUSH(f, v, x)                     \
    do {                                      \
        VEC_ROOM(f, v, 1);                    \
        (v).p[(v).n++] = (x);                 \
    } while (0)

static inline struct ins *ins_at(const struct fn *f, u32 i) {
    assert(i < f->ins.n);
    return &f->ins.p[i];
}
static inline u32 ir_uses(const struct fn *f, u32 v) { return f->ins.p[v].flags / V_USE; }
static INLINE void ir_use(struct ins *i) { i->flags += (i->flags < V_MANY) * V_USE; }
static inline bool is_const(const struct fn *f, u32 v) { return f->ins.p[v].op == IR_CONST; }
static inline u64 const_bits(const struct ins *i) { return i->words[1]; }
static inline bool is_float(u8 type) { return type >= T_F32; }
static inline u32 gap_pos(u32 i) { return 4 * i; }
static inline u32 use_pos(u32 i) { return 4 * i + 1; }
static inline u32 late_pos(u32 i) { return 4 * i + 2; }
static inline u32 def_pos(u32 i) { return 4 * i + 3; }
static inline u32 block_start(const struct fn *f, u32 b) { return gap_pos(f->blocks.p[b].first); }
static inline u32 block_end(const struct fn *f, u32 b) { return gap_pos(f->blocks.p[b].last + 1); }
static inline u32 *block_preds(const struct fn *f, u32 b) { return &f->ins.p[f->blocks.p[b].first].b; }
static inline u32 edge_args(const struct fn *f, const struct edge *e) { return f->blocks.p[e->to].params; }
/* The PARAM that argument k of an edge to b feeds. */
static inline bool is_loop_param(const struct fn *f, u32 v) {
    const struct ins *x = &f->ins.p[v];
    return x->op == IR_PARAM && f->blocks.p[x->a].header;
}
static inline u32 block_param(const struct fn *f, u32 b, u32 k) { return f->blocks.p[b].first + 1 + k; }
static inline bool has_place(const struct ins *i) {
    return (i->type != T_NONE) & (i->op != IR_CONST) & ((i->flags & (V_LIVE | V_FOLDED)) == V_LIVE);
}
enum ir_type ir_type_of(wasm_type t);

/* Indices that live in an instruction or in the pool: valid while neither grows. */
struct operands {
    const u32 *list;
    u32 count;
};
/* The values that instruction i reads itself: operands, call arguments, returned
 * values; not edge arguments. */
static inline struct operands ir_operands(const struct fn *f, u32 i) {
    const struct ins *x = ins_at(f, i);
    switch (x->op) {
    case IR_ATOMIC_CMPXCHG:
    case IR_CALL:
    case IR_CALL_INDIRECT:
    case IR_CALL_BUILTIN:
    case IR_TAIL_CALL:
    case IR_TAIL_INDIRECT:
    case IR_THROW:
    case IR_RETURN: return (struct operands){f->pool.p + x->a, x->b};
    default: return (struct operands){x->args, ir_opinfos[x->op].args};
    }
}
/* The edges of a terminator. */
static inline struct operands ir_edges(const struct fn *f, u32 last) {
    const struct ins *x = ins_at(f, last);
    switch (x->op) {
    case IR_JUMP: return (struct operands){&x->a, 1};
    case IR_BRIF: return (struct operands){&x->b, 2};
    case IR_BRTABLE: return (struct operands){f->pool.p + x->b, x->c};
    default: return (struct operands){NULL, 0};
    }
}

/* Where what instruction i throws may be caught; NULL: not in this function. */
const struct site *fn_site(const struct fn *f, u32 i);

/* fold.c: tries to say i with less: returns a value that equals it, or 0 after
 * it may have rewritten *i to something cheaper. */
u32 fold_ins(struct fn *f, struct ins *i);
/* Is there anything to try? */
static inline bool fold_tries(u8 op) { return (op >= IR_ADD && op <= IR_ICMP) || op == IR_SELECT || op == IR_BITCAST; }
/* fold_divide.c: a quotient or remainder by a constant, or 0. */
u32 fold_divide(struct fn *f, const struct ins *i);
/* No value that v can have is larger, read as unsigned. */
u64 fold_max(const struct fn *f, u32 v);

/* number.c: value numbering. A value found is one whose definition dominates
 * the place: scopes are closed with number_release. */
void number_init(struct fn *f, u32 size_hint);
void number_end(struct fn *f);
u32 number_mark(const struct fn *f);
void number_release(struct fn *f, u32 mark);
/* The value of i: folded, or found, or appended. */
u32 ir_value(struct fn *f, struct ins i);
u32 ir_const(struct fn *f, u8 type, u64 bits);
/* The address, v plus a constant, at which memory 0 has certainly been
 * accessed where code is now; 0: none. Set in the scope of the access. */
u32 number_anchor(const struct fn *f, u32 v);
void number_set_anchor(struct fn *f, u32 v, u32 address);
/* Appends without looking, and counts the uses of its operands. */
u32 ir_append(struct fn *f, struct ins i);
u32 ir_alone(struct fn *f, struct ins i); /* what has no operands */
/* v is an index, and is to be clean. */
void ir_index(struct fn *f, u32 v);

/* The passes, in order. */
void jit_build(struct fn *f);
void jit_clean(struct fn *f);
void jit_select(struct fn *f);
void jit_compact(struct fn *f); /* at the beginning of jit_live */
void jit_live(struct fn *f);
void jit_allocate(struct fn *f);

void ir_dump(const struct fn *f, const char *title);

#endif
