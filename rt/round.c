/* round.c: ceil, floor, trunc and nearest (WebAssembly 2.0, 4.3.3) in integer
 * arithmetic, for CPUs without SSE4.1. Bits in, bits out.
 *
 * I1 a NaN comes out quiet with its payload; zeros keep their sign. */
#include "base/assert.h"
#include "rt/internal.h"

/* As roundsd's immediate; bit 3 (no inexact exception) is ignored. */
enum { NEAREST = 0, FLOOR = 1, CEIL = 2, TRUNC = 3 };

struct format {
    u32 mantissa, exponent; /* bits of each */
};

static u64 bit(u32 n) { return 1ull << n; }

/* Should |x| go up to the next integer? frac is what is cut off, half its
 * middle, odd says whether the integer below is odd. */
static bool away(u32 mode, bool negative, u64 frac, u64 half, bool odd) {
    switch (mode) {
    case FLOOR: return negative;
    case CEIL: return !negative;
    case NEAREST: return frac > half || (frac == half && odd);
    default: return false;
    }
}

/* |x| < 1: to zero or to one, the sign kept. frac > half stands for |x| > 0.5. */
static u64 round_small(struct format f, u64 bits, u32 mode) {
    u64 sign = bits & bit(f.mantissa + f.exponent), mag = bits ^ sign;
    u64 bias = bit(f.exponent - 1) - 1;
    if (!mag) return bits;
    bool up = away(mode, sign != 0, mag, (bias - 1) << f.mantissa, false);
    return sign | (up ? bias << f.mantissa : 0);
}

static u64 round_bits(struct format f, u64 bits, u32 mode) {
    u64 all = bit(f.exponent) - 1, bias = all >> 1, mantissa = bit(f.mantissa) - 1;
    u64 e = bits >> f.mantissa & all;
    mode &= 3;
    if (e == all) return bits & mantissa ? bits | bit(f.mantissa - 1) : bits;
    if (e >= bias + f.mantissa) return bits; /* an integer already */
    if (e < bias) return round_small(f, bits, mode);
    u32 cut = f.mantissa - (u32)(e - bias);
    assert(cut >= 1 && cut <= f.mantissa);
    u64 frac = bits & (bit(cut) - 1), below = bits - frac;
    if (!frac) return bits;
    /* For e == bias the integer is the hidden one, and bit `cut` the exponent's
     * lowest: set, as biases are odd. A carry out of the mantissa is right too. */
    bool odd = below & bit(cut), negative = bits & bit(f.mantissa + f.exponent);
    return away(mode, negative, frac, bit(cut - 1), odd) ? below + bit(cut) : below;
}

u32 rt_round_f32(u32 bits, u32 mode) { return (u32)round_bits((struct format){23, 8}, bits, mode); }
u64 rt_round_f64(u64 bits, u32 mode) { return round_bits((struct format){52, 11}, bits, mode); }
