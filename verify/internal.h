/* internal.h: the state of a proof. Only verify/ includes it.
 *
 * I1 known and special say only what holds whenever code gets to pc.
 * I2 a register in special has its value in values[]; every write takes it out.
 * I3 facts about flags (struct fact) hold at one pc alone, the next instruction's;
 *    at a label there are none.
 * I4 after the first failure nothing is looked at any more. */
#ifndef WHELK_VERIFY_INTERNAL_H
#define WHELK_VERIFY_INTERNAL_H

#include "base/mem.h"
#include "verify/verify.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, NO_REG = 0xff, RIP = 0xfe };
enum { PINNED = 1 << RSP | 1 << R14 | 1 << R15, CALLEE_SAVED = 1 << RBX | 1 << RBP | 1 << R12 | 1 << R13 };

/* ---- decoding ---- */

enum map { ONE, TWO, A38, A3A };
enum prefix { NP, P66, PF3, PF2 };

/* What the operands of a form are. */
enum access { N = 0, A_READ = 1, A_WRITE = 2, A_VECTOR = 4, A_PART = 8, A_DIRTY = 16, A_BYTE = 32, A_REGISTER = 64, A_ALIGNED = 128,
    GR = A_READ, GW = A_WRITE, GB = GR | GW, GX = GB | A_DIRTY, GB16 = GB | A_PART,
    GR8 = GR | A_BYTE, GB8 = GB16 | A_BYTE, N8 = A_BYTE,
    VR = A_VECTOR | A_READ, VW = A_VECTOR | A_WRITE, VB = VR | VW };

/* Roles up to PLAIN have a ModRM byte. */
enum role {
    BAD, ANY, LOAD, STORE, ADD, AND, XOR, CMP, TEST, LEA, CMPXCHG, FENCE, NOP, SETCC, BMI,
    G_ALU, G_SHIFT, G_MOVI, G_TEST8, G_UNARY, G_FF, G_VSHIFT, PLAIN,
    MOVI, CDQ, NOP1, RET, CALL, JUMP8, JUMP32, JCC8, JCC32, POP, UD2,
};

enum { O = 32, U16 = 17 }; /* widths that are no numbers */

struct form {
    u8 role, reg, rm, width, wider, imm, cpu; /* wider: by REX.W */
    u8 rare; /* decode.h */
};

struct insn {
    struct form f;
    u8 w, lock, rex, opcode, length;
    u8 reg, rm;            /* rm: NO_REG when it is memory */
    u8 base, index, scale; /* base: RIP, NO_REG */
    u8 width, second;      /* bytes of operand; VEX's register beside them */
    i32 disp;
    i64 imm;
};

/* False: not permitted. The bytes behind at are readable for 32. */
bool verify_decode(const u8 *at, struct insn *d);

/* ---- what is known ---- */

enum verify_value {
    NUMBER,   /* low <= it <= high */
    CARRY,    /* a sum with low, that may have wrapped: the next instruction asks */
    LEAST,    /* low <= it */
    CHECKED,  /* low <= it <= bytes of memory `index` */
    INSIDE,   /* that, with the memory's base added */
    ADDRESS,  /* base of guarded memory `index` + [low, high] */
    BASE,     /* base of memory `index` */
    P_STORE,  /* struct abi_store of this instance */
    P_TABLE,  /* struct abi_table */
    P_CELL,   /* the cell of global `index` */
};
struct value {
    u8 kind;
    u32 index;
    u64 low, high;
};

/* known: bits 0..15 the register's upper half is zero; then: */
enum {
    K_SPARE = 1 << 16, /* the spare slot's upper half is zero */
    K_CODE = 1 << 17,  /* rax, r10: code and context of an entry of a table */
    K_TYPED = 1 << 18, /* its type id was checked */
    K_OWN = 1 << 19,   /* its context is r14 */
    K_CALLEE = K_CODE | K_TYPED | K_OWN,
    K_ALL = (1 << 20) - 1,
    M_KEPT = 1 << 28,  /* of marks only: r11 holds loop_value */
    M_POINT = 1 << 29, M_PENDING = 1 << 30,
};
#define M_START (1u << 31)

enum fact_kind { F_NONE, F_BOUND, F_CARRY, F_LIMIT, F_ZERO, F_DIVISOR };
struct fact {
    u32 at; /* pc where it holds */
    u8 kind, reg, w; /* reg: NO_REG: the slot */
    u32 index; /* memory (BOUND), limit (LIMIT) */
    i32 slot;
    bool nonzero, not_minus;
};

struct verifier {
    const struct verify_module *m;
    struct verify_error *why;
    bool failed;
    /* of the module */
    u8 *entries;  /* bit per 16 bytes of code: a function's entry */
    u8 *glue;     /* per byte of glue: enum glue_kind once proven */
    u32 trap, point; /* next in their tables */
    u32 switched;    /* entries of switches so far: each is in data once */
    i64 plain_low, plain_high; /* first and last byte that [memory 0 + any 32 bits + disp] may touch, less the 32 bits */
    u32 *marks;   /* per byte of the function at hand */
    /* of the function */
    const struct verify_func *f;
    u32 index, pc, pending;
    u32 slots;    /* bytes of frame that loads and stores may touch */
    u32 saved;    /* registers that its entry saved */
    u32 writable; /* registers that it may write */
    /* at pc */
    bool dead;
    u32 known, special;
    struct value values[16];
    struct fact fact;             /* of the flags, or a divisor */
    struct { u32 at, start; u8 w, sign; } high; /* rdx extends rax for a division at `at` */
    struct value loop_value;      /* r11 at the retry loop at loop_pc */
    u32 loop_pc;
};

/* Returns false, for callers to return in turn. */
__attribute__((cold)) bool verify_fail(struct verifier *v, enum verify_rule rule, u32 at);
#define FAIL(v, rule) verify_fail(v, VERIFY_##rule, (v)->pc)

/* ---- verify.c ---- */
bool verify_begin(struct verifier *v, struct arena *scratch); /* the tables; room for the rest */

/* An instruction goes by value: else it had to be in memory, and mostly needs not be. */

/* ---- func.c ---- */
bool verify_function(struct verifier *v, u32 index);

/* ---- memory.c ---- */
bool verify_memory(struct verifier *v, struct insn d, bool write); /* not in the frame */
/* A 64-bit load of a pointer: sets *out and returns true; else the load is any other. */
bool verify_pointer(struct verifier *v, struct insn d, struct value *out);
/* [r14 + disp] as a field of a memory's struct abi_memory: its index, or UINT32_MAX. */
u32 verify_memory_field(const struct verifier *v, struct insn d, u32 offset);
bool verify_number(const struct verifier *v, u8 reg, struct value *out);

/* ---- flow.c ---- */
bool verify_backward(struct verifier *v, u32 from, i64 target); /* or to nowhere */
void verify_prove_by(struct verifier *v, u8 condition, u32 next); /* a conditional jump not taken; next: where that goes on */
void verify_join(struct verifier *v, u32 *mark);
bool verify_jump(struct verifier *v, i64 target);
bool verify_call(struct verifier *v, i64 target);
void verify_called(struct verifier *v);
bool verify_prologue(struct verifier *v);
bool verify_leave_by(struct verifier *v, u32 from, i64 target);

/* ---- template.c: sequences that are taken as a whole: length in bytes; 0: refused ---- */
u32 verify_leave(struct verifier *v, u32 at);
u32 verify_switch(struct verifier *v, struct insn d);
u32 verify_indirect(struct verifier *v, struct insn d);
u32 verify_c_call(struct verifier *v, struct insn d);
bool verify_divide(struct verifier *v, struct insn d);
/* cmp operand, -1 and the way around the division by it, if that is what follows. */
u32 verify_guard(struct verifier *v, struct insn d);

/* ---- glue.c ---- */
enum glue_kind { GLUE_UNKNOWN, GLUE_CALL, GLUE_TAIL, GLUE_CROSS, GLUE_TAIL_CROSS, GLUE_STACK };
enum glue_kind verify_glue_at(struct verifier *v, u32 at);
bool verify_glue(struct verifier *v); /* what is entered from outside */

static inline i32 read32(const u8 *p) { i32 x; __builtin_memcpy(&x, p, 4); return x; }
static inline u64 read64(const u8 *p) { u64 x; __builtin_memcpy(&x, p, 8); return x; }
static inline const u8 *code_at(const struct verifier *v, u32 at) { return v->m->code + at; }

/* Is the trap table's next entry for the instruction at pc? */
static inline bool verify_is_trap(const struct verifier *v) { return v->trap < v->m->trap_count && v->m->traps[v->trap].pc == v->pc; }

/* An access that may fault takes it. kind 0: any. */
static inline bool verify_trap(struct verifier *v, u32 kind) {
    if (!verify_is_trap(v)) return FAIL(v, TRAPS);
    u32 have = v->m->traps[v->trap++].kind;
    return (kind ? have == kind : have && have < ABI_TRAP_COUNT) ? true : FAIL(v, TRAPS);
}

/* A jump from the instruction at from, with what is known now. */
static INLINE bool verify_branch(struct verifier *v, u32 from, i64 target) {
    if (target <= from || target >= v->f->end) return verify_backward(v, from, target);
    u32 *m = &v->marks[(u32)target - v->f->entry], was = *m;
    v->pending += !(was & M_PENDING);
    *m = was | M_PENDING | (K_ALL & ~v->known);
    return true;
}

/* A register is written: what was known of it is gone. */
static inline bool verify_write(struct verifier *v, u8 reg, bool zero_extended) {
    if (!(v->writable >> reg & 1)) return PINNED >> reg & 1 ? FAIL(v, PINNED) : FAIL(v, SAVED);
#define REST(reg) ~(1u << (reg) | ((reg) == RAX || (reg) == R10 ? K_CALLEE : 0))
#define REST4(reg) REST(reg), REST((reg) + 1), REST((reg) + 2), REST((reg) + 3)
    static const u32 rests[16] = {REST4(RAX), REST4(RSP), REST4(R8), REST4(R12)};
    u32 rest = rests[reg];
    v->known = (v->known & rest) | (u32)zero_extended << reg;
    v->special &= rest;
    return true;
}

/* Nothing goes on behind this instruction. */
static inline void verify_end(struct verifier *v) { v->dead = true; }

#endif
