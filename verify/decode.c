/* decode.c: bytes to a struct insn, permitted encodings only (encodings.h).
 *
 * I1 prefixes come in one order: lock, one of 66 f3 f2, REX; each at most once.
 * I2 what decodes is exactly what the processor decodes: test/unit/verify_decode.c
 *    and `make verify-decode` hold it against another decoder. */
#include "verify/internal.h"

#define E(map, prefix, opcode, role, reg, rm, width, imm, cpu) \
    [map << 10 | prefix << 8 | (opcode)] = {role, reg, rm, width, imm, CPU_##cpu},
#define RANGE(map, prefix, first, last, role, reg, rm, width, imm) \
    [(map << 10 | prefix << 8 | (first)) ... (map << 10 | prefix << 8 | (last))] = {role, reg, rm, width, imm, 0},
enum { CPU_0 = 0, CPU_SSE41 = VERIFY_CPU_SSE41, CPU_POPCNT = VERIFY_CPU_POPCNT, CPU_LZCNT = VERIFY_CPU_LZCNT,
    CPU_BMI1 = VERIFY_CPU_BMI1, CPU_AVX = VERIFY_CPU_AVX };

const struct form verify_forms[4 << 10] = {
#include "verify/encodings.h"
    RANGE(TWO, NP, 0x40, 0x4f, CMOV, GB, GR, O, 0)
    RANGE(TWO, NP, 0x90, 0x9f, SETCC, N, GB8, 1, 0)
    RANGE(TWO, NP, 0x80, 0x8f, JCC32, N, N, O, 4)
    RANGE(ONE, NP, 0x70, 0x7f, JCC8, N, N, O, 1)
    RANGE(ONE, NP, 0xb8, 0xbf, MOVI, N, N, O, 4)
    RANGE(ONE, NP, 0x58, 0x5f, POP, N, N, O, 0)
    E(ONE, NP, 0x90, NOP1, N, N, O, 0, 0)
    E(ONE, P66, 0x90, NOP1, N, N, O, 0, 0)
    E(ONE, NP, 0x99, CDQ, N, N, O, 0, 0)
    E(ONE, NP, 0xc3, RET, N, N, O, 0, 0)
    E(ONE, NP, 0xe8, CALL, N, N, O, 4, 0)
    E(ONE, NP, 0xe9, JUMP32, N, N, O, 4, 0)
    E(ONE, NP, 0xeb, JUMP8, N, N, O, 1, 0)
    E(TWO, NP, 0x0b, UD2, N, N, O, 0, 0)
};

static i64 read_imm(const u8 *p, u32 n) {
    i16 half;
    i64 whole;
    switch (n) {
    case 1: return (i8)*p;
    case 4: return read32(p);
    case 2: __builtin_memcpy(&half, p, 2); return half;
    default: __builtin_memcpy(&whole, p, 8); return whole;
    }
}

/* What follows a ModRM byte: bytes of displacement, and whether SIB. Intel SDM volume
 * 2, table 2-2, a row per value of the field reg. */
enum { M_DISP = 7, M_SIB = 8, M_REGISTER = 16, M_RIP = 32 };
#define ROWS(...) __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__
static const u8 follows[256] = {
    ROWS(0, 0, 0, 0, M_SIB, M_RIP | 4, 0, 0),
    ROWS(1, 1, 1, 1, M_SIB | 1, 1, 1, 1),
    ROWS(4, 4, 4, 4, M_SIB | 4, 4, 4, 4),
    ROWS(M_REGISTER, M_REGISTER, M_REGISTER, M_REGISTER, M_REGISTER, M_REGISTER, M_REGISTER, M_REGISTER),
};

/* The operands of ModRM, whose byte is x's lowest, and at p; returns how long they are. */
static u32 operands(u64 x, const u8 *p, struct insn *d) {
    u32 what = follows[(u8)x], n = what & M_DISP, rm = (x & 7) | (d->rex & 1u) << 3, length = 1;
    d->reg = (u8)((x >> 3 & 7) | (d->rex & 4u) << 1);
    d->rm = what & M_REGISTER ? (u8)rm : NO_REG;
    if (what & M_REGISTER) return 1;
    d->index = NO_REG;
    d->scale = 0;
    if (what & M_SIB) { /* table 2-3 */
        u32 sib = x >> 8 & 0xff, index = (sib >> 3 & 7) | (d->rex & 2u) << 2;
        if (index != RSP) d->index = (u8)index, d->scale = (u8)(sib >> 6);
        rm = (sib & 7) | (d->rex & 1u) << 3;
        if ((sib & 7) == RBP && !n) rm = NO_REG, n = 4;
        length = 2;
    }
    d->base = what & M_RIP ? RIP : (u8)rm;
    d->disp = n == 4 ? read32(p + length) : n ? (i8)p[length] : 0;
    return length + n;
}

/* Without REX, 4..7 are ah..bh. */
static bool high_byte(const struct insn *d) {
    return !d->rex && ((d->f.reg & A_BYTE && d->reg >= 4) || (d->f.rm & A_BYTE && d->rm >= 4 && d->rm < 8));
}

static u32 imm_bytes(const struct insn *d, const struct form *f) {
    if (f->role == MOVI && d->w) return 8;
    if (f->role == G_UNARY && (d->reg & 7) == 0) return 4; /* test */
    return f->imm;
}

/* The prefix is allowed where the processor allows it: on others it is a fault that
 * no trap explains. cmpxchg, xadd. */
static bool lockable(const struct insn *d, u32 row) {
    return d->f.role == CMPXCHG || (row >> 10 == TWO && (d->opcode & 0xfe) == 0xc0);
}

/* REX.W makes 64 bits of what 66 makes 16: of the operand, and of an immediate. */
static bool contradicts(const struct insn *d, u32 row) {
    return d->w && d->f.width == 2 && (row >> 8 & 3) == P66 && !((d->f.reg | d->f.rm) & A_VECTOR);
}

/* lock, then 66, f3 or f2: how many bytes. */
static u32 prefixes(u64 x, struct insn *d, u32 *row) {
    u32 n = d->lock = (x & 0xff) == 0xf0;
    u8 b = (u8)(x >> 8 * n);
    *row = (b == 0x66 ? P66 : b == 0xf3 ? PF3 : b == 0xf2 ? PF2 : NP) << 8;
    return n + (*row != 0);
}

/* Up to the SIB byte all is in the first eight: read once, then shifted, since each
 * load would make the next instruction's start later known. */
bool verify_decode(const u8 *at, struct insn *d) {
    u32 row = 0, n = 0;
    u64 x;
    __builtin_memcpy(&x, at, 8);
    d->lock = 0;
    if ((u8)x == 0x66 || ((u8)x >= 0xf0 && (u8)x <= 0xf3)) x >>= 8 * (n = prefixes(x, d, &row));
    bool rex = (x & 0xf0) == 0x40;
    d->rex = rex ? (u8)x : 0;
    x >>= 8 * rex;
    bool two = (u8)x == 0x0f;
    x >>= 8 * two;
    row |= (u32)two << 10;
    n += rex + two;
    if (two && ((u8)x & 0xfd) == 0x38) row += ((u8)x == 0x38 ? A38 - TWO : A3A - TWO) << 10, x >>= 8, n++;
    d->opcode = (u8)x;
    n++;
    const struct form *f = &verify_forms[row | d->opcode];
    if (f->role == BAD) return false;
    d->f = *f;
    d->w = d->rex >> 3 & 1;
    d->width = f->width == O ? (d->w ? 8 : 4) : f->width == U16 ? 16 : f->width;
    d->rm = NO_REG;
    if (f->role < PLAIN) n += operands(x >> 8, at + n, d);
    u32 imm = imm_bytes(d, f);
    if (imm) d->imm = read_imm(at + n, imm), n += imm;
    d->length = (u8)n;
    if (d->lock && (d->rm != NO_REG || !lockable(d, row))) return false;
    if (f->role >= G_ALU && f->role < PLAIN && d->rex & 4) return false; /* extends nothing: the processor need not agree */
    if (d->opcode == 0xc2 && d->imm & ~7) return false; /* cmpps: predicates that are reserved */
    if (contradicts(d, row)) return false;
    return n <= 15 && !high_byte(d);
}
