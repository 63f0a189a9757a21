/* decode.c: the decoder's tables, and what may come before an instruction. */
#include "verify/decode.h"

#define MOD(i) ((i) >> 6 & 3)
#define RM(i) ((i) & 7)
#define MODRM(i) {((i) >> 3 & 7) | ((i) >> 10 & 1) << 3, MOD(i) == 0 && RM(i) == 5 ? RIP : RM(i) | ((i) >> 8 & 1) << 3, \
                  MOD(i) == 1 ? 1 : MOD(i) == 2 || (MOD(i) == 0 && RM(i) == 5) ? 4 : 0, \
                  MOD(i) == 3 ? M_REGISTER : RM(i) != 4 ? M_MEMORY : MOD(i) ? M_SIB : M_SIB_BARE}
#define INDEX(i) (((i) >> 3 & 7) | ((i) >> 9 & 1) << 3)
#define SIB(i) {RM(i) | ((i) >> 8 & 1) << 3, INDEX(i) == RSP ? NO_REG : INDEX(i), MOD(i), RM(i) == 5}
#define FOUR(X, i) X(i), X((i) + 1), X((i) + 2), X((i) + 3)
#define SIXTEEN(X, i) FOUR(X, i), FOUR(X, (i) + 4), FOUR(X, (i) + 8), FOUR(X, (i) + 12)
#define MANY(X, i) SIXTEEN(X, i), SIXTEEN(X, (i) + 16), SIXTEEN(X, (i) + 32), SIXTEEN(X, (i) + 48)
#define BYTES(X, i) MANY(X, i), MANY(X, (i) + 64), MANY(X, (i) + 128), MANY(X, (i) + 192)
#define BYTES4(X, i) BYTES(X, i), BYTES(X, (i) + 256), BYTES(X, (i) + 512), BYTES(X, (i) + 768)
const struct modrm verify_modrms[8 << 8] = {BYTES4(MODRM, 0), BYTES4(MODRM, 1024)};
const struct sib verify_sibs[4 << 8] = {BYTES4(SIB, 0)};

/* VEX, of three bytes or of two: the inverted tops of the registers (R's), and the map (0f);
 * W (clear), the second register, inverted, L and the prefix (2.3.5). Who has no second
 * register must say so. Memory need not be aligned, but for movaps. */
static bool decode_vex(const u8 *at, struct insn *d) {
    u64 x = read64(at);
    u32 n = at[0] == 0xc4 ? 3 : 2;
    if (n == 2) x = x >> 16 << 24 | (x & 0x7f00) << 8 | (x & 0x8000) | 0x6100;
    u32 map = x >> 8 & 31, rex = (~x >> 13 & 7) | (x >> 20 & 8);
    d->second = ~x >> 19 & 15;
    if (map < TWO || map > A3A || x >> 18 & 1) return false;
    if (!decode_as(forms[map << 10 | (x >> 16 & 3) << 8 | (u8)(x >> 24)], at, x >> 24, n, rex, d)) return false;
    if (d->f.role == BMI) return !d->f.imm || !d->second; /* of rorx there is none */
    if (map != TWO || d->opcode != 0x28) d->f.rm &= (u8)~A_ALIGNED;
    d->f.cpu |= VERIFY_CPU_AVX;
    bool three = d->f.role == G_VSHIFT || (d->f.reg & VB) == VB;
    return (d->f.reg | d->f.rm) & A_VECTOR && (three || !d->second) && (!d->w || d->f.wider);
}

/* Lock is allowed where the processor allows it: on others it is a fault that no trap
 * explains. Up to the SIB byte all is in eight bytes, read once and shifted: each load
 * would make the next instruction's start later known. */
bool verify_decode(const u8 *at, struct insn *d) {
    if ((at[0] & 0xfe) == 0xc4) return decode_vex(at, d);
    u32 lock = at[0] == 0xf0, b = at[lock];
    u32 row = (b == 0x66 ? P66 : b == 0xf3 ? PF3 : b == 0xf2 ? PF2 : NP) << 8, n = lock + (row != 0);
    u64 x = read64(at + n);
    u32 is_rex = (x & 0xf0) == 0x40, rex = is_rex ? (u8)x : 0;
    x >>= 8 * is_rex, n += is_rex;
    if ((u8)x == 0x0f) {
        u8 next = (u8)(x >> 8);
        u32 three = next == 0x38 || next == 0x3a;
        row |= (next == 0x38 ? A38 : next == 0x3a ? A3A : TWO) << 10;
        x >>= 8 + 8 * three, n += 1 + three;
    }
    if (!decode_as(forms[row | (u8)x], at, x, n, rex, d)) return false;
    d->lock = (u8)lock;
    if (d->f.role == BMI) return false;
    return !lock || (d->rm == NO_REG && d->f.rare & R_LOCK);
}
