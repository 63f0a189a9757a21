/* build.h: state shared by the parts of the builder. */
#ifndef WHELK_JIT_BUILD_H
#define WHELK_JIT_BUILD_H

#include "jit/ir.h"
#include "wasm/opcodes.h"

enum ctl_kind { CTL_FUNC, CTL_INLINE, CTL_BLOCK, CTL_LOOP, CTL_IF, CTL_ELSE, CTL_TRY_TABLE, CTL_TRY, CTL_CATCH };

/* One open structured instruction. */
struct ctl {
    u8 kind;
    u32 params, results;          /* counts */
    u32 height;                   /* operand stack below the parameters */
    u32 log;                      /* of local assignments at entry */
    u32 number;                   /* number_mark at entry */
    u32 edges;                    /* forward edges to the end; 0: none */
    u32 edge_count;
    u32 else_edge;                /* CTL_IF: taken when the condition is 0 */
    u32 saved;                    /* CTL_IF: pool index of the parameters' values */
    u32 header, loop, locals;     /* CTL_LOOP: block, loop; pool: count, then locals */
    u32 scope;                    /* of handlers around its body; 0: none */
    u32 own;                      /* CTL_TRY_TABLE, CTL_TRY: a scope that ends with its body; 0: none */
    u32 handlers;                 /* CTL_TRY, CTL_CATCH: the next in b->handlers */
    u32 caught;                   /* CTL_CATCH: the exception */
};

/* An assignment that may have to be undone: what the local held before. */
struct assign {
    u32 local, value, logged;
};

/* A local where edges meet. */
struct column {
    u32 local, value; /* value: that of the edges so far, while they agree; then of the block */
    u32 seen;         /* by so many edges */
    u32 param;        /* which PARAM, if it differs */
    bool differs;
};

/* Handlers that a call may reach: those of a scope, then those of its parent. */
struct scope {
    u32 parent, first, count; /* clauses */
};

struct clause {
    u32 tag;     /* WASM_NONE: all */
    bool ref;
    u32 target;  /* in ctls; of a legacy handler in handlers */
    bool legacy;
    u32 pads;    /* list, the newest first */
};

struct pad {
    u32 clause, edge, next;
    u32 stamp;   /* b->assigns when it was made: no local has changed since */
    u32 block;   /* 0 until the scope ends */
};

/* A legacy try, seen before anything is built: its handlers stand behind it. */
struct old_clause {
    u32 tag, next;
    bool rethrown;
};
struct old_try {
    u32 clauses, last;
    bool delegates;
    u32 label; /* where to */
};

struct build {
    struct fn *f;
    struct cursor code, outer;    /* outer: where the caller goes on while a leaf is built (build_inline.c); or p is NULL */
    u32 body, base;               /* of the function at hand: its label in ctls, its first local */
    u32 inlined;                  /* bytes of leaves, ever */
    struct wasm_instr in;
    VEC(u32) stack;
    VEC(struct ctl) ctls;
    VEC(struct assign) log;
    u32 *locals;                  /* current values */
    u32 *logged;                  /* 1 + index of the newest log entry of a local */
    u32 *stamp, *slot;            /* per local: used within one merge */
    u32 stamp_now;
    struct column *columns;       /* of the merge at hand: by slot */
    u32 column_count;
    u8 *ends;                     /* per local: wasm_func.local_ends; of a leaf's UINT8_MAX */
    u32 outside;                  /* offset in the code where the outermost open loop begins */
    u32 *before;                  /* of the locals that become PARAMs: what edges that say nothing hold */
    VEC(u32) kept;                /* results that become PARAMs */
    u32 block;                    /* being filled */
    u32 loop;                     /* innermost */
    u32 loops_seen;
    /* Of what may have been written: two reads of one epoch see the same. Bumped
     * from epochs, so that no number comes back after a join. */
    u32 memory_epoch, global_epoch, epochs;
    VEC(struct scope) scopes;
    VEC(struct clause) clauses;
    VEC(struct pad) pads;
    VEC(struct ctl) handlers;     /* where the pads of legacy handlers meet */
    VEC(struct old_clause) old_clauses;
    VEC(struct old_try) old_tries;
    u32 tries_seen;
    u32 *tag_seen;                /* per tag: the last site at which it was met */
    u32 site_number, clause_steps;
    u32 assigns;                  /* of locals, ever */
    bool plain_memory;            /* memory 0 is there, behind guards */
    bool dead;                    /* code here is unreachable */
    u32 dead_depth;               /* of blocks opened in dead code */
    u64 cells;                    /* edge arguments handled: a limit on work */
};

/* Of the next instruction, in the function's own code. */
static inline u32 build_offset(const struct build *b) { return (u32)cursor_at(b->outer.p ? &b->outer : &b->code); }

/* A body, validated: no instruction reaches beyond its end, so all of the module may be read (wasm/short.h). */
static inline struct cursor body_of(const struct fn *f, const struct wasm_func *w) {
    return (struct cursor){w->code.p, w->code.p, f->m->bytes.p + f->m->bytes.n};
}
static inline bool is_over(const struct cursor *c, const struct wasm_func *w) { return c->p == w->code.p + w->code.n; }

static inline void push(struct build *b, u32 v) {
    assert(v);
    VEC_PUSH(b->f, b->stack, v);
}
static inline u32 pop(struct build *b) {
    assert(b->stack.n);
    return b->stack.p[--b->stack.n];
}
static inline u32 value1(struct build *b, u8 op, u8 type, u8 aux, u32 a) {
    return ir_value(b->f, ir_make(op, type, aux, a, 0, 0));
}
static inline u32 value2(struct build *b, u8 op, u8 type, u8 aux, u32 a, u32 c) {
    return ir_value(b->f, ir_make(op, type, aux, a, c, 0));
}

static inline void memory_changes(struct build *b) { b->memory_epoch = ++b->epochs; }
static inline void global_changes(struct build *b) { b->global_epoch = ++b->epochs; }

enum { INLINE_LOCALS = 8 };

void build_set_local(struct build *b, u32 local, u32 v);
/* build.c */
u32 build_zero(struct build *b, wasm_type t);
/* build_inline.c */
bool build_inlines(const struct build *b, u32 func);
void build_enter(struct build *b, u32 func);   /* the call's arguments are on the stack */
void build_leave(struct build *b);             /* after its last instruction, its label is gone */
void build_run_out(struct build *b);           /* the same; nobody has branched to the label */
/* build_flow.c */
u32 build_block(struct build *b);          /* opens a block in code order */
void build_end_block(struct build *b, struct ins terminator);
u32 build_condition(struct build *b, u32 v); /* as true as v, for who tests it at once */
void build_control(struct build *b);       /* the structured instructions and branches; these by themselves: */
void build_open(struct build *b);          /* BLOCK; its type is in b->in */
void build_if(struct build *b);            /* the same */
void build_end(struct build *b);
void build_return(struct build *b);
void build_br(struct build *b, u32 depth);
void build_br_if(struct build *b, u32 depth);
/* build_merge.c */
u32 build_edge(struct build *b);           /* from the current block, no target yet */
u32 build_edges(struct build *b, u32 n);   /* so many; returns the first */
void build_edge_to_label(struct build *b, u32 edge, u32 depth);
void build_attach(struct build *b, u32 edge, u32 block);
void build_edge_to(struct build *b, u32 edge, struct ctl *c);
bool build_merge(struct build *b, struct ctl *c, bool fell); /* false: nobody arrives */
bool build_meet(struct build *b, struct ctl *c); /* the same, but the innermost label stays */
void build_undo_locals(struct build *b, u32 mark);
void build_loop_params(struct build *b, struct ctl *c);
/* build_address.c: for an access to memory 0 behind guards */
void build_fold_address(struct build *b, u32 *at, u32 *offset);
/* build_simd.c */
void build_vector(struct build *b);
/* build_atomic.c */
void build_atomic(struct build *b);
/* build_throw.c */
void build_scan_tries(struct build *b);
void build_site(struct build *b, u32 call);
void build_finish_sites(struct build *b);
void build_end_scope(struct build *b, struct ctl *c); /* makes its pads; after the body's last block */
void build_throw(struct build *b);         /* THROW, RETHROW, THROW_REF */
void build_try(struct build *b, struct ctl c);
void build_try_table(struct build *b, struct ctl c);
void build_catch(struct build *b);
/* build_ops.c */
u32 build_pool_args(struct build *b, u32 n);
u32 build_access(struct build *b);         /* in fn.accesses: of the instruction at hand */
u32 build_builtin(struct build *b, enum abi_builtin which, u8 type, u32 n, const u32 *args);
u32 build_to_i64(struct build *b, u32 v);  /* an index or a count, i32 or i64 */
void build_call(struct build *b, u32 func);
u32 build_eqz(struct build *b, u32 v, u8 type); /* is it 0? */
void build_tail_call(struct build *b);
u32 build_is_null(struct build *b, u32 ref);
bool build_checks(const struct build *b, u32 memory); /* each access, explicitly: no guards */
void build_plain(struct build *b);         /* everything else */
/* build_rows.c */
void build_short(struct build *b);         /* as many instructions as it can; for live code */
void build_row(struct build *b);           /* an operation of numbers or an access */
bool build_is_simple(const struct build *b, enum wasm_op op); /* arithmetic or an access; no call, no trap but of memory */
/* The access of the instruction at hand; operands and result on the stack. */
void build_load(struct build *b, u8 type, u8 access);
void build_store(struct build *b, u8 access);

#endif
