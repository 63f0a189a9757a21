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
    case 2: memcpy(&half, p, 2); return half;
    case 4: return read32(p);
    default: memcpy(&whole, p, 8); return whole;
    }
}

/* The operands of ModRM and what follows; returns the byte behind. Intel SDM
 * volume 2, tables 2-2 and 2-3. */
static const u8 *operands(const u8 *p, struct insn *d) {
    u8 modrm = *p++, mod = modrm >> 6, rm = modrm & 7;
    d->reg = (u8)((modrm >> 3 & 7) | (d->rex & 4) << 1);
    if (mod == 3) {
        d->rm = (u8)(rm | (d->rex & 1) << 3);
        return p;
    }
    d->rm = NO_REG;
    d->index = NO_REG;
    d->scale = 0;
    d->base = (u8)(rm | (d->rex & 1) << 3);
    if (rm == 4) {
        u8 sib = *p++, index = (u8)((sib >> 3 & 7) | (d->rex & 2) << 2);
        rm = sib & 7;
        d->base = (u8)(rm | (d->rex & 1) << 3);
        if (index != RSP) d->index = index, d->scale = sib >> 6;
        if (mod == 0 && rm == RBP) d->base = NO_REG;
    } else if (mod == 0 && rm == RBP) {
        d->base = RIP;
    }
    if (mod == 1) d->disp = (i8)*p++;
    else if (mod == 2 || d->base >= RIP) d->disp = read32(p), p += 4;
    else d->disp = 0;
    return p;
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

bool verify_decode(const u8 *at, struct insn *d) {
    const u8 *p = at;
    u32 row = 0;
    d->lock = *p == 0xf0;
    p += d->lock;
    if (*p == 0x66) row = P66 << 8, p++;
    else if (*p == 0xf3) row = PF3 << 8, p++;
    else if (*p == 0xf2) row = PF2 << 8, p++;
    d->rex = 0;
    if ((*p & 0xf0) == 0x40) d->rex = *p++;
    if (*p == 0x0f) {
        p++;
        if (*p == 0x38) row |= A38 << 10, p++;
        else if (*p == 0x3a) row |= A3A << 10, p++;
        else row |= TWO << 10;
    }
    d->opcode = *p++;
    const struct form *f = &verify_forms[row | d->opcode];
    if (f->role == BAD) return false;
    d->f = *f;
    d->w = d->rex >> 3 & 1;
    d->width = f->width == O ? (d->w ? 8 : 4) : f->width == U16 ? 16 : f->width;
    d->rm = NO_REG;
    if (f->role < PLAIN) p = operands(p, d);
    u32 n = imm_bytes(d, f);
    if (n) d->imm = read_imm(p, n), p += n;
    d->length = (u8)(p - at);
    if (d->lock && (d->rm != NO_REG || !lockable(d, row))) return false;
    if (f->role >= G_ALU && f->role < PLAIN && d->rex & 4) return false; /* extends nothing: the processor need not agree */
    return d->length <= 15 && !high_byte(d);
}
