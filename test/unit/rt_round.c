/* rt/round.c against libm, in all modes. */
#include <math.h>
#include <string.h>

#include "rt/internal.h"
#include "test/lib/test.h"

static double oracle(double x, unsigned mode) {
    switch (mode) {
    case 0: return nearbyint(x);
    case 1: return floor(x);
    case 2: return ceil(x);
    default: return trunc(x);
    }
}

static u64 bits64(double d) {
    u64 b;
    memcpy(&b, &d, 8);
    return b;
}
static u32 bits32(float f) {
    u32 b;
    memcpy(&b, &f, 4);
    return b;
}

static u64 state = 88172645463325252ull;
static u64 next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static bool nan64(u64 b) { return (b & ~(1ull << 63)) > 0x7ff0000000000000; }
static bool nan32(u32 b) { return (b & ~(1u << 31)) > 0x7f800000; }

static void one64(u64 b) {
    double d;
    memcpy(&d, &b, 8);
    for (unsigned m = 0; m < 4; m++) {
        u64 want = nan64(b) ? b | 1ull << 51 : bits64(oracle(d, m));
        if (rt_round_f64(b, m) != want || rt_round_f64(b, m | 8) != want) EQUAL(rt_round_f64(b, m), want);
    }
}

static void one32(u32 b) {
    float f;
    memcpy(&f, &b, 4);
    for (unsigned m = 0; m < 4; m++) {
        u32 want = nan32(b) ? b | 1u << 22 : bits32((float)oracle(f, m));
        if (rt_round_f32(b, m) != want) EQUAL(rt_round_f32(b, m), want);
    }
}

int main(void) {
    static const double edges[] = {0.0, 0.5, 0.49999999999999994, 1.0, 1.5, 2.5, 3.5, 4503599627370495.5,
                                   9007199254740993.0, 8388607.5, 1e300, 5e-324, INFINITY, NAN, 0.75};
    for (size_t i = 0; i < ARRAY_LEN(edges); i++)
        for (int s = 0; s < 2; s++) {
            double d = s ? -edges[i] : edges[i];
            one64(bits64(d));
            one32(bits32((float)d));
        }
    for (int i = 0; i < 200000; i++) {
        u64 r = next();
        one64(r);
        one64((r & 0x800fffffffffffff) | (1000 + r % 90) << 52); /* around the integers */
        one32((u32)r);
        one32(((u32)r & 0x807fffff) | (u32)(120 + r % 40) << 23);
    }
    CHECK(rt_round_f64(bits64(2.5), 0) == bits64(2.0));
    return test_end("rt_round");
}
