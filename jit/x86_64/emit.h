/* emit.h: state of emitting one function, and how operands are reached.
 *
 * I1 frame, from rsp up: slots, a spare slot, saved registers, return address.
 * I2 r11 and xmm15 hold nothing between instructions of the IR.
 * I3 a late operand (regs.c) is looked up at def_pos: if the result, or a fixed
 *    register, took its place, it is in memory from there on. */
#ifndef WHELK_JIT_X86_EMIT_H
#define WHELK_JIT_X86_EMIT_H

#include "base/fault.h"
#include "jit/alloc.h"
#include "jit/x86_64/encode.h"

/* The register of parameter k, or REG_MEM and its overflow slot. */
u8 x86_param(const struct wasm_functype *t, u32 k, u32 *slot);

/* Facts of the module that every function needs. */
struct module_info {
    const struct wasm_module *m;
    const struct jit_options *options;
    struct abi_layout layout;
    u8 *global_indirect; /* per global */
    u32 *import_used, *tail_import_used, *direct_used; /* by import: through a stub, the same for jumps, as C */
};

enum loc_kind { L_REG, L_SLOT, L_CONST };
#define LOC(kind, n) ((u32)(kind) << 28 | (n))
static inline u32 loc_kind(u32 l) { return l >> 28; }
static inline u32 loc_n(u32 l) { return l & 0xfffffff; }

struct pmove {
    u32 to, from;
    u8 type;
};

/* Code behind the function's end. */
enum cold_kind { COLD_TRAP, COLD_EDGE, COLD_CROSS, COLD_PENDING, COLD_TAIL_CROSS, COLD_MISMATCH };
struct cold {
    u32 label, a, back; /* a: trap kind (of MISMATCH: for null), edge, or call */
    u32 origin; /* of those that jump to it, as fn.origin; 0: of several, or none yet */
    u8 kind;
    bool used;
};

/* Where calls of a type go when the callee is null, or of another type. */
struct mismatch {
    u32 type, cold; /* cold: 1 + its index; 0: none yet */
};

/* A condition in the flags. parity: 1 "and not P", 2 "or P". */
struct cond {
    u8 cc, parity;
};

struct emit {
    struct fn *f;
    struct alloc *a;
    struct code *c;
    struct module_info *info;
    u32 block;
    u32 frame, saved; /* frame: bytes below the saved registers */
    u32 saved_mask;
    bool has_spare; /* a slot above the allocator's: see borrow */
    u32 reload;                  /* next of alloc->reloads */
    u32 reload_pos;              /* its, or NO_POS */
    u32 start;                   /* offset of the entry */
    u32 function_fixups, function_traps, function_sites, function_catches, function_lines; /* where ours begin in c->fixups, c->traps */
    VEC(u32) pads;               /* offsets of padding to be cut to what aligns (layout.c) */
    bool *jumped_back;           /* per block: by a cold tail */
    VEC(u32) labels;             /* offsets; blocks first */
    VEC(struct fixup) label_fixups;
    VEC(struct fixup) table_fixups; /* at: in data */
    VEC(struct cold) colds;
    VEC(struct jit_point) points; /* pc: a label */
    u32 trap_colds[ABI_TRAP_COUNT]; /* 1 + index; 0: none yet */
    u32 origin; /* of the instruction at hand; 0: not asked for */
    /* Flags that hold a result compared with 0, while code has not grown past flags_at. */
    u32 flags_at;
    u8 flags_reg, flags_w;
    bool flags_logic;            /* from and, or, xor: no carry, no overflow */
    bool keep_flags;             /* between a comparison and its user */
    /* What the flags hold behind a user of this folded comparison, at compared_at. */
    u32 compared, compared_at;
    struct cond compared_flags;
    struct mismatch mismatches[2][8]; /* of tables, of references; by type: the last of those that share a row */
    VEC(struct pmove) moves;
    u32 *reads, *writer; /* by register, then slot: of the moves */
    VEC(u32) ready;
    VEC(struct pmove) overflow;  /* to: an overflow slot */
};

static inline struct ins *e_ins(const struct emit *e, u32 v) { return &e->f->ins.p[v]; } /* checked by who noted v */
static inline u32 wide(u8 type) { return type == T_I64; }
static inline bool is_reg(u32 loc) { return loc_kind(loc) == L_REG; }
static inline bool has_cpu(const struct emit *e, u32 bit) { return e->info->options->cpu & bit; }
static inline bool fits32(u64 x) { return (i64)x == (i32)x; }

/* ---- operands (operand.c) ---- */
/* A constant has no place. */
static inline struct rm rm_of(const struct emit *e, u32 loc) {
    assert(loc_kind(loc) != L_CONST);
    if (is_reg(loc)) return rm_reg((u8)loc_n(loc));
    return rm_mem(RSP, (i32)(8 * loc_n(loc) + (fault(STACK_ABOVE) ? e->frame : 0)));
}
/* Where v is at pos. Mostly it is in one place. */
u32 loc_of_parts(const struct emit *e, struct ival *first, u32 pos);
static inline u32 loc_at(const struct emit *e, u32 v, u32 pos) {
    u32 index = e->a->first[v];
    struct ival *first = &e->a->ivals.p[index];
    if (!index) return LOC(L_CONST, v);
    if (unlikely(first->next)) return loc_of_parts(e, first, pos);
    return first->reg != REG_MEM ? LOC(L_REG, first->reg) : LOC(L_SLOT, (u32)first->slot);
}
struct rm rm_value(struct emit *e, u32 v, u32 pos); /* constants: in data */
u8 into_scratch(struct emit *e, u32 v, u32 pos);
/* The same, of an integer beside register other: what is in a slot comes to the scratch first, if that is
 * free. Zen renames a move from the stack; with an operation in it it waits for the store. */
struct rm rm_apart(struct emit *e, u32 v, u32 pos, u8 other);
/* As it is, or in the scratch of its class. */
static inline u8 in_reg(struct emit *e, u32 v, u32 pos) {
    u32 l = loc_at(e, v, pos);
    return is_reg(l) ? (u8)loc_n(l) : into_scratch(e, v, pos);
}
void to_reg(struct emit *e, u32 v, u32 pos, u8 reg);
/* An i32 constant, or an i64 one that fits a sign-extended imm32. */
bool imm_value(const struct emit *e, u32 v, i32 *imm);
/* The memory that a folded load reads, at instruction i: its user says where it is,
 * right before the instruction that has it, by load_site. May be through the scratch. */
struct rm folded_load(struct emit *e, u32 load, u32 pos);
void load_site(struct emit *e);
static inline bool is_folded(const struct emit *e, u32 v) { return e_ins(e, v)->flags & V_FOLDED; }
/* Of an instruction that takes its second operand from memory: is the first one there? */
static inline bool better_second(const struct emit *e, const struct ins *x, u32 i) {
    return is_folded(e, x->a) || (!is_reg(loc_at(e, x->a, use_pos(i))) && !is_folded(e, x->b));
}
/* Its register, or the scratch. */
static inline u8 dest(const struct emit *e, u32 v) {
    u8 reg = e->a->ivals.p[e->a->first[v]].reg;
    if (reg != REG_MEM) return reg;
    return is_float(e_ins(e, v)->type) ? FSCRATCH : SCRATCH;
}
void to_slot(struct emit *e, u32 v, u8 reg);
/* reg holds v: to the slot if it has one. */
static inline void done(struct emit *e, u32 v, u8 reg) {
    if (unlikely(slot_of(e->a, v) != NO_SLOT)) to_slot(e, v, reg);
}
/* What was just emitted set the flags by reg's value. */
void note_flags(struct emit *e, u8 reg, u32 w, bool logic);
u32 new_label(struct emit *e);
void bind_label(struct emit *e, u32 label);
void put_label(struct emit *e, u32 op, u32 label);
u32 trap_label(struct emit *e, u32 kind);
u32 new_cold(struct emit *e, u32 kind, u32 a);
/* A function, so that colds may grow while its argument is computed. */
static inline u32 cold_label(const struct emit *e, u32 cold) { return e->colds.p[cold].label; }
/* The same, for the instruction at hand. */
u32 use_cold(struct emit *e, u32 cold);
/* regs.c: is an import of the type called as C, in line (abi.h)? */
bool x86_direct(const struct wasm_functype *t);
/* For instructions that need a second scratch, rarely: saves a register. */
u8 borrow(struct emit *e, u8 not1, u8 not2);
void give_back(struct emit *e, u8 reg);

/* ---- moves.c ---- */
static inline void add_move(struct emit *e, u32 to, u32 from, u8 type) {
    if (to != from) VEC_PUSH(e->f, e->moves, ((struct pmove){to, from, type}));
}
void run_moves(struct emit *e); /* all at once, then forgets them */
void move_one(struct emit *e, u32 to, u32 from, u8 type);

/* ---- overflow.c: values that travel through store->overflow ---- */
void add_overflow(struct emit *e, u32 slot, u32 from, u8 type);
void send_overflow(struct emit *e); /* all that were added; before run_moves */
void load_store(struct code *c, u8 to);
struct rm overflow_slot(u8 store, u32 slot);
void put_fetch(struct code *c, u8 type, u8 to, u8 store, u32 slot);

struct cond emit_condition(struct emit *e, u32 v, u32 at);

void emit_alu(struct emit *e, u32 i);       /* emit_int.c */
void emit_mul(struct emit *e, u32 i);
void emit_shift(struct emit *e, u32 i);
void emit_sext(struct emit *e, u32 i);
void emit_copy(struct emit *e, u32 i);
void emit_bits(struct emit *e, u32 i);
void emit_compare(struct emit *e, u32 i);
void emit_divide(struct emit *e, u32 i);
void emit_multiply_high(struct emit *e, u32 i);
void emit_float(struct emit *e, u32 i);
void emit_convert(struct emit *e, u32 i);
void emit_simd(struct emit *e, u32 i);      /* emit_simd.c */
void emit_load(struct emit *e, u32 i);      /* emit_mem.c */
void emit_store(struct emit *e, u32 i);
void emit_update(struct emit *e, u32 i);    /* a store of what is folded into it: emit_int.c */
void emit_global_get(struct emit *e, u32 i);
void emit_global_set(struct emit *e, u32 i);
void emit_size(struct emit *e, u32 i);
u32 access_size(u8 access);             /* enum ir_access, in bytes */
/* emit_access.c: the address of f->accesses[access] in instruction i, through
 * r11. *traps: may the access fault? */
struct indexed {
    u32 index; /* value */
    u32 size;  /* bytes */
    bool atomic;
};
struct rm access_address(struct emit *e, u32 access, struct indexed x, u32 i, bool *traps);
void put_load(struct emit *e, u8 type, u8 access, u8 to, struct rm at);
void emit_atomic(struct emit *e, u32 i); /* emit_atomic.c */
void emit_call(struct emit *e, u32 i);
void emit_result(struct emit *e, u32 i);
void emit_check(struct emit *e, u32 i);
void emit_throw(struct emit *e, u32 i);
void emit_caught(struct emit *e, u32 i);
void put_site(struct emit *e, u32 i); /* right behind the call of instruction i */
void emit_tail_call(struct emit *e, u32 i);
void put_leave(struct emit *e); /* the frame: rsp at the return address */
void emit_select(struct emit *e, u32 i);

/* ---- points.c: for the verifier ---- */
void note_point(struct emit *e, u32 label, u32 keep); /* right after label is bound */
void put_points(struct emit *e);                      /* once labels are final */
/* ---- layout.c ---- */
enum { LOOP_ALIGN = 32 };
void emit_layout(struct emit *e);
void emit_function(struct fn *f, struct code *c, struct module_info *info, struct jit_func *out);

/* ---- thunk.c ---- */
struct glue;
void emit_glue(struct code *c, struct module_info *info, struct jit_code *out);

#endif
