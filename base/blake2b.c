/* blake2b.c: see blake2b.h. Names are RFC 7693's, section 3.
 *
 * I1 the block at hand is compressed only when more follows it: the last one is
 *    compressed as such. */
#include "base/blake2b.h"

#include "base/mem.h"

/* 2.6: of SHA-512. */
static const u64 iv[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

/* 2.7; rounds 10 and 11 are 0 and 1 again. */
static const u8 sigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static inline u64 rotated(u64 x, u32 by) { return x >> by | x << (64 - by); }

/* 3.1 */
static inline void mix(u64 *a, u64 *b, u64 *c, u64 *d, u64 x, u64 y) {
    *a += *b + x, *d = rotated(*d ^ *a, 32);
    *c += *d, *b = rotated(*b ^ *c, 24);
    *a += *b + y, *d = rotated(*d ^ *a, 16);
    *c += *d, *b = rotated(*b ^ *c, 63);
}

/* 3.2; count: of all bytes up to here. Names instead of v[16]: they stay in registers. */
static void compress(struct blake2b *s, const u8 *block, u64 count, bool last) {
    u64 m[16], a = s->h[0], b = s->h[1], c = s->h[2], d = s->h[3], e = s->h[4], f = s->h[5], g = s->h[6], h = s->h[7];
    u64 i = iv[0], j = iv[1], k = iv[2], l = iv[3], n = iv[4] ^ count, o = iv[5], p = last ? ~iv[6] : iv[6], q = iv[7];
    memcpy(m, block, sizeof m);
    for (u32 round = 0; round < 12; round++) {
        const u8 *z = sigma[round % 10];
        mix(&a, &e, &i, &n, m[z[0]], m[z[1]]);
        mix(&b, &f, &j, &o, m[z[2]], m[z[3]]);
        mix(&c, &g, &k, &p, m[z[4]], m[z[5]]);
        mix(&d, &h, &l, &q, m[z[6]], m[z[7]]);
        mix(&a, &f, &k, &q, m[z[8]], m[z[9]]);
        mix(&b, &g, &l, &n, m[z[10]], m[z[11]]);
        mix(&c, &h, &i, &o, m[z[12]], m[z[13]]);
        mix(&d, &e, &j, &p, m[z[14]], m[z[15]]);
    }
    const u64 low[8] = {a, b, c, d, e, f, g, h}, high[8] = {i, j, k, l, n, o, p, q};
    for (u32 x = 0; x < 8; x++) s->h[x] ^= low[x] ^ high[x];
}

void blake2b_start(struct blake2b *b) {
    memset(b, 0, sizeof *b);
    memcpy(b->h, iv, sizeof iv);
    b->h[0] ^= 0x01010000 ^ BLAKE2B_BYTES; /* 2.5: depth, fan-out, no key, length of the result */
}

void blake2b_add(struct blake2b *b, struct bytes more) {
    while (more.n) {
        if (b->fill == BLAKE2B_BLOCK) {
            compress(b, b->block, b->count += BLAKE2B_BLOCK, false);
            b->fill = 0;
        }
        for (; !b->fill && more.n > BLAKE2B_BLOCK; more.p += BLAKE2B_BLOCK, more.n -= BLAKE2B_BLOCK)
            compress(b, more.p, b->count += BLAKE2B_BLOCK, false);
        size_t n = MIN(more.n, BLAKE2B_BLOCK - b->fill);
        memcpy(b->block + b->fill, more.p, n);
        b->fill += n, more.p += n, more.n -= n;
    }
}

void blake2b_end(struct blake2b *b, u8 out[BLAKE2B_BYTES]) {
    memset(b->block + b->fill, 0, BLAKE2B_BLOCK - b->fill);
    compress(b, b->block, b->count + b->fill, true);
    memcpy(out, b->h, BLAKE2B_BYTES);
}
