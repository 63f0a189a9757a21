/* chacha.c: ChaCha20 (RFC 8439), four blocks at a time in vectors of the
 * compiler, n times 64 KiB. Where a target has no vectors it is split. */
#include "bench.h"

typedef uint32_t v4 __attribute__((vector_size(16)));
static uint32_t out[16384];

static inline v4 rol(v4 x, int by) { return x << by | x >> (32 - by); }

#define QUARTER(a, b, c, d)                  \
    do {                                     \
        a += b, d = rol(d ^ a, 16);          \
        c += d, b = rol(b ^ c, 12);          \
        a += b, d = rol(d ^ a, 8);           \
        c += d, b = rol(b ^ c, 7);           \
    } while (0)

static NOINLINE void four_blocks(const uint32_t *state, uint32_t *to) {
    v4 x[16], start[16];
    for (int i = 0; i < 16; i++) start[i] = (v4){state[i], state[i], state[i], state[i]};
    start[12] += (v4){0, 1, 2, 3};
    for (int i = 0; i < 16; i++) x[i] = start[i];
    for (int round = 0; round < 10; round++) {
        QUARTER(x[0], x[4], x[8], x[12]);
        QUARTER(x[1], x[5], x[9], x[13]);
        QUARTER(x[2], x[6], x[10], x[14]);
        QUARTER(x[3], x[7], x[11], x[15]);
        QUARTER(x[0], x[5], x[10], x[15]);
        QUARTER(x[1], x[6], x[11], x[12]);
        QUARTER(x[2], x[7], x[8], x[13]);
        QUARTER(x[3], x[4], x[9], x[14]);
    }
    for (int i = 0; i < 16; i++) {
        v4 v = x[i] + start[i];
        for (int lane = 0; lane < 4; lane++) to[lane * 16 + i] = v[lane];
    }
}

uint32_t run(uint32_t n) {
    uint32_t sum = 0, state[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    for (uint32_t i = 4; i < 16; i++) state[i] = i * 0x01010101u;
    while (n--) {
        for (uint32_t at = 0; at < sizeof out / sizeof *out; at += 64) {
            four_blocks(state, out + at);
            state[12] += 4;
        }
        sum = mix(sum, out[n & 16383] ^ out[77]);
    }
    return sum;
}
