/* decode.h: bytes to a struct insn, permitted encodings only (encodings.h).
 *
 * I1 prefixes come in one order: lock, one of 66 f3 f2, REX; each at most once.
 * I2 what decodes is exactly what the processor decodes: `make verify-decode` holds it
 *    against another decoder.
 *
 * Inline, so that what few instructions have costs nothing where it cannot be. */
#ifndef WHELK_VERIFY_DECODE_H
#define WHELK_VERIFY_DECODE_H

#include "verify/internal.h"

/* What a row leaves to be seen to once operands and immediate are read (`again`). */
enum { R_BYTE = 1, R_GROUP = 2, R_LOCK = 4, R_PREDICATE = 8, R_IMM = 16, R_NARROW = 32 };
#define RARE(map, prefix, opcode, role, reg, rm, width) \
    ((((reg) | (rm)) & A_BYTE ? R_BYTE : 0) | (role >= G_ALU && role < PLAIN ? R_GROUP : 0) | (role == MOVI || role == G_UNARY ? R_IMM : 0) | \
     (role == CMPXCHG || (map == TWO && ((opcode) & 0xfe) == 0xc0) ? R_LOCK : 0) | (map == TWO && (opcode) == 0xc2 ? R_PREDICATE : 0) | \
     (prefix == P66 && (width) == 2 && !(((reg) | (rm)) & A_VECTOR) ? R_NARROW : 0))
#define WIDTH(width) (width) == O ? 4 : (width) == U16 ? 16 : (width), (width) == O ? 4 : 0
#define RANGE(map, prefix, first, last, role, reg, rm, width, imm, cpu) \
    [(map << 10 | prefix << 8 | (first)) ... (map << 10 | prefix << 8 | (last))] = \
        {role, reg, (rm) | ((width) == 16 ? A_ALIGNED : 0), WIDTH(width), imm, CPU_##cpu, RARE(map, prefix, first, role, reg, rm, width)},
#define E(map, prefix, opcode, role, reg, rm, width, imm, cpu) RANGE(map, prefix, opcode, opcode, role, reg, rm, width, imm, cpu)
enum { CPU_0 = 0, CPU_SSE41 = VERIFY_CPU_SSE41, CPU_POPCNT = VERIFY_CPU_POPCNT, CPU_LZCNT = VERIFY_CPU_LZCNT,
    CPU_BMI1 = VERIFY_CPU_BMI1, CPU_BMI2 = VERIFY_CPU_BMI2, CPU_AVX = VERIFY_CPU_AVX };

static const struct form forms[4 << 10] = {
#include "verify/encodings.h"
    RANGE(TWO, NP, 0x40, 0x4f, ANY, GB, GR, O, 0, 0)
    RANGE(TWO, NP, 0x90, 0x9f, SETCC, N, GB8, 1, 0, 0)
    RANGE(TWO, NP, 0x80, 0x8f, JCC32, N, N, O, 4, 0)
    RANGE(ONE, NP, 0x70, 0x7f, JCC8, N, N, O, 1, 0)
    RANGE(ONE, NP, 0xb8, 0xbf, MOVI, N, N, O, 4, 0)
    RANGE(ONE, NP, 0x58, 0x5f, POP, N, N, O, 0, 0)
    E(ONE, NP, 0x90, NOP1, N, N, O, 0, 0) E(ONE, P66, 0x90, NOP1, N, N, O, 0, 0) E(ONE, NP, 0x99, CDQ, N, N, O, 0, 0)
    E(ONE, NP, 0xc3, RET, N, N, O, 0, 0) E(ONE, NP, 0xe8, CALL, N, N, O, 4, 0) E(ONE, NP, 0xe9, JUMP32, N, N, O, 4, 0)
    E(ONE, NP, 0xeb, JUMP8, N, N, O, 1, 0) E(TWO, NP, 0x0b, UD2, N, N, O, 0, 0)
};

/* n bytes, 0 to 4, with their sign. */
static INLINE i32 signed_at(const u8 *p, u32 n) {
    u32 unused = 32 - 8 * n;
    return (i32)((u64)(u32)read32(p) << unused) >> (unused & 31);
}

/* What ModRM says, by REX's lowest bits and the byte: Intel SDM volume 2, table 2-2. */
enum { M_REGISTER, M_MEMORY, M_SIB, M_SIB_BARE /* a base of 5 is none */ };
struct modrm {
    u8 reg, rm, disp, kind; /* rm: or base; disp: bytes of it */
};
extern const struct modrm verify_modrms[8 << 8];
struct sib {
    u8 base, index, scale, five; /* table 2-3; five: a base that may be none */
};
extern const struct sib verify_sibs[4 << 8];

/* The operands of ModRM, whose byte is x's lowest, and at p; returns how long they are. */
static INLINE u32 operands(u64 x, u32 rex, const u8 *p, struct insn *d) {
    const struct modrm *m = &verify_modrms[(u8)x | (rex & 7) << 8];
    u32 n = m->disp, length = 1;
    d->reg = m->reg;
    d->rm = m->rm;
    if (m->kind == M_REGISTER) return 1;
    d->rm = d->index = NO_REG;
    d->base = m->rm;
    d->scale = 0;
    if (m->kind >= M_SIB) {
        const struct sib *s = &verify_sibs[(x >> 8 & 0xff) | (rex & 3) << 8];
        d->index = s->index;
        d->scale = s->scale;
        d->base = s->base;
        if (s->five && m->kind == M_SIB_BARE) d->base = NO_REG, n = 4;
        length = 2;
    }
    d->disp = signed_at(p + length, n);
    return length + n;
}

/* What few rows need. An immediate that another field sizes: mov r64, imm64; test rm,
 * imm32 among its group. Without REX, registers 4..7 of a byte are ah..bh. */
static INLINE bool again(const u8 *at, struct insn *d) {
    const struct form *f = &d->f;
    u32 imm = f->role == MOVI && d->w ? 8 : f->role == G_UNARY && (d->reg & 7) == 0 ? 4 : f->imm;
    if (imm != f->imm) {
        const u8 *p = at + d->length - f->imm;
        if (imm == 8) __builtin_memcpy(&d->imm, p, 8);
        else d->imm = signed_at(p, imm);
        d->length = (u8)(d->length - f->imm + imm);
    }
    if (f->rare & R_GROUP && d->rex & 4) return false; /* extends nothing: the processor need not agree */
    if (f->rare & R_NARROW && d->w) return false; /* 66 makes 16 bits, REX.W 64 */
    if (f->rare & R_PREDICATE && d->imm & ~7) return false; /* cmpps: those are reserved */
    return d->rex || !((f->reg & A_BYTE && d->reg >= 4) || (f->rm & A_BYTE && d->rm >= 4 && d->rm < 8));
}

/* An instruction of row f at `at`; x: what is there behind n bytes, the opcode first. */
static INLINE bool decode_as(const struct form f, const u8 *at, u64 x, u32 n, u32 rex, struct insn *d) {
    d->f = f;
    d->opcode = (u8)x;
    d->rex = (u8)rex;
    d->lock = 0;
    d->w = rex >> 3 & 1;
    d->width = (u8)(f.width + (f.wider & rex >> 1));
    d->rm = NO_REG;
    n++;
    if (f.role < PLAIN) n += operands(x >> 8, rex, at + n, d);
    d->imm = signed_at(at + n, f.imm);
    d->length = (u8)(n + f.imm);
    return f.role != BAD && (!f.rare || again(at, d));
}

#endif
