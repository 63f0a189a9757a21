/* encode.h: bytes of x86-64 instructions, and the module's code as it grows.
 *
 * I1 code and data grow separately; data is placed behind code when both are
 *    complete, and data fixups are patched then.
 * I2 a label belongs to one function; labels are patched at the function's end.
 * I3 an instruction is stored by words that may reach beyond its end, once there is room
 *    for the longest; what comes next overwrites the rest, text.n alone says what counts. */
#ifndef WHELK_JIT_X86_ENCODE_H
#define WHELK_JIT_X86_ENCODE_H

#include "jit/ir.h"

enum {
    RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15,
    XMM0 = 16, XMM14 = 30, XMM15 = 31,
    SCRATCH = R11, FSCRATCH = XMM15, FSCRATCH2 = XMM14 /* where fn.simd */, CTX = R14, BASE = R15,
    NO_REG = 0xf4, /* as an index: SIB's 4, which is none, and no bit for REX */
};

/* x86's condition codes; enum ir_cond is a part of them. */
enum { CC_O = 0, CC_NO = 1, CC_B = 2, CC_AE = 3, CC_E = 4, CC_BE = 6, CC_A = 7, CC_S = 8, CC_NS = 9, CC_P = 10, CC_NP = 11 };

enum rm_kind { RM_REG, RM_MEM, RM_DATA };
/* Made as a word, which stays in a register: a word that was stored in parts is read late. */
struct rm {
    union {
        struct {
            u8 kind, reg, index, scale; /* reg: the register or base; scale: log2 */
            union {
                i32 disp;
                u32 data; /* RM_DATA: offset in data */
            };
        };
        u64 word;
    };
};
static INLINE struct rm rm_of_parts(u32 kind, u8 reg, u8 index, u8 scale, u32 last) {
    return (struct rm){.word = kind | (u32)reg << 8 | (u32)index << 16 | (u32)scale << 24 | (u64)last << 32};
}
static INLINE struct rm rm_reg(u8 r) { return rm_of_parts(RM_REG, r, NO_REG, 0, 0); }
static INLINE struct rm rm_mem(u8 base, i32 disp) { return rm_of_parts(RM_MEM, base, NO_REG, 0, (u32)disp); }
static INLINE struct rm rm_index(u8 base, u8 index, u8 scale, i32 disp) {
    return rm_of_parts(RM_MEM, base, index, scale, (u32)disp);
}
static INLINE struct rm rm_data(u32 at) { return rm_of_parts(RM_DATA, 0, NO_REG, 0, at); }

/* Through r11? */
static inline bool uses_scratch(struct rm m) { return m.kind != RM_DATA && (m.index == 11 || m.reg == 11); }

/* Which place a rel32 (FIX_SHORT: rel8) will point at. FIX_TYPE: the id of a type is there. */
enum fixup_kind { FIX_LABEL, FIX_SHORT, FIX_FUNC, FIX_IMPORT, FIX_TAIL_IMPORT, FIX_CROSS, FIX_TAIL_CROSS, FIX_STACK, FIX_PENDING, FIX_DATA, FIX_TYPE };
struct fixup {
    u32 at;     /* of the rel32 */
    u32 target; /* by kind */
    u8 kind, trailing; /* bytes of immediate behind the rel32; FIX_LABEL: 1 if it must not be shortened */
};

/* A switch's offsets in data, 32 bits each: from the table to its targets. Until
 * data has its place they are offsets in code. */
struct jump_table {
    u32 at, count;
};

struct code {
    struct fn *keep;  /* allocation context: what outlives a function */
    VEC(u8) text;
    VEC(u8) data;
    VEC(struct fixup) fixups;       /* across functions */
    VEC(struct jump_table) tables;
    VEC(struct jit_trap_site) traps;
    VEC(struct jit_site) sites;
    VEC(struct jit_catch) catches;
    VEC(struct jit_point) points;
    VEC(struct jit_line) lines;
    u32 vectors;                    /* not 0: a vector register occurs */
    u32 open8;                      /* rel8 jumps that have not landed */
    u32 *seen;                      /* constants by hash, 256: 4 + offset in data | log2 of the size / 4; 0: none */
};

/* ---- bytes ---- */
void put8(struct code *c, u8 x);
void put32(struct code *c, u32 x);
void patch32(struct code *c, u32 at, u32 x);
static inline u32 here(const struct code *c) { return c->text.n; }
void put_fill(struct code *c, u32 n); /* with int3 */
void put_align(struct code *c, u32 to);
/* Room for a table of count offsets, to be filled with offsets in code. */
u32 put_table(struct code *c, u32 count);
/* size 4, 8 or 16 bytes, aligned to it; equal constants may share. */
u32 put_data(struct code *c, u64 low, u64 high, u32 size);

/* ---- instructions ----
 * w: 0 for 32-bit, 1 for 64-bit. reg fields take 0..31; vector registers lose
 * their offset. op: opcode, with 0x0f00 or 0x0f3800 escapes in it; prefix: 0 or 0x66, 0xf2, 0xf3. */

/* An instruction without its operands, mostly known when the compiler is built: opcode
 * bytes as they are in memory (bits 0..23), how many those are, the prefix, REX, and how
 * many bytes of immediate follow. */
enum { FORM_BYTES = 24, FORM_PREFIX = 32, FORM_REX = 40, FORM_TRAILING = 48 };
static inline u64 form_of(u8 prefix, u8 rex, u32 op, u32 trailing) {
    u32 bytes = op >> 16 ? __builtin_bswap32(op) >> 8 : op >> 8 ? (op >> 8 | (op & 0xff) << 8) : op;
    u32 count = op >> 16 ? 3 : op >> 8 ? 2 : 1;
    return bytes | count << FORM_BYTES | (u64)prefix << FORM_PREFIX | (u64)rex << FORM_REX | (u64)trailing << FORM_TRAILING;
}
void put_form(struct code *c, u64 form, u8 reg, struct rm rm);
static inline void put_op(struct code *c, u8 prefix, u32 w, u32 op, u8 reg, struct rm rm, u32 trailing) {
    put_form(c, form_of(prefix, w ? 8 : 0, op, trailing), reg, rm);
}
/* With a VEX prefix; second: what is read beside rm (of shifts by an immediate: the result), or 0. */
void put_vex(struct code *c, u8 prefix, u32 w, u32 op, u8 reg, u8 second, struct rm rm, u32 trailing);
/* The same for byte registers: REX wherever spl..dil would be meant. */
void put_op8(struct code *c, u32 op, u8 reg, struct rm rm, u32 trailing);

enum alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
void put_alu(struct code *c, enum alu op, u32 w, u8 reg, struct rm rm);
void put_alu_imm(struct code *c, enum alu op, u32 w, struct rm rm, i32 imm);
void put_mov(struct code *c, u32 w, u8 to, struct rm from);
void put_mov_imm(struct code *c, u8 to, u64 imm);      /* keeps flags */
void put_store(struct code *c, u32 w, struct rm to, u8 from);
void put_store_imm(struct code *c, u32 w, struct rm to, i32 imm);
void put_lea(struct code *c, u32 w, u8 to, struct rm from);
void put_lea_scaled(struct code *c, u32 w, u8 to, u8 index, u8 scale, i32 disp); /* without a base */
void put_shift_imm(struct code *c, u32 sub, u32 w, u8 reg, u8 n);
void put_push(struct code *c, u8 reg);
void put_pop(struct code *c, u8 reg);
/* Vector: type F32, F64 or V128. */
void put_fmov(struct code *c, u8 type, u8 to, struct rm from);
void put_fstore(struct code *c, u8 type, struct rm to, u8 from);
/* Jumps within an instruction's own expansion. */
u32 put_jcc8(struct code *c, u8 cc);
u32 put_jmp8(struct code *c);
void land8(struct code *c, u32 at);
/* rel32 to be fixed: returns where it is. op: 0xe8, 0xe9, or 0x0f80 + cc. */
static inline u32 put_rel32(struct code *c, u32 op) {
    u32 opcode = op >> 8 ? op >> 8 | (op & 0xff) << 8 : op, length = op >> 8 ? 2 : 1;
    VEC_ROOM(c->keep, c->text, 8);
    memcpy(c->text.p + c->text.n, &opcode, 4);
    c->text.n += length + 4;
    return c->text.n - 4;
}
void put_fix(struct code *c, u32 op, u8 kind, u32 target);
void put_trap_site(struct code *c, u32 pc, u32 kind);

#endif
