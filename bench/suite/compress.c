/* compress.c: a compressor of the LZ77 family with hash chains, then an
 * adaptive binary range coder over its output, on 128 KiB of text, n times; the
 * result is expanded again and compared. */
#include "bench.h"

enum { TEXT = 1 << 17, HASH = 1 << 13, CHAIN = 16, WINDOW = 1 << 15, LONGEST = 66, LEAST = 3 };
static uint8_t text[TEXT], packed[TEXT * 2], back[TEXT + LONGEST], coded[TEXT * 2];
static int32_t head[HASH], before[TEXT];

static void make(void) {
    static const char *const words[] = {"packet ", "kernel ", "extension ", "the ", "of ", "module ", "a ", "frame, ",
                                        "ring ", "memory. ", "is ", "call ", "proof ", "and ", "page ", "shell "};
    uint32_t seed = 8675309, at = 0;
    while (at < TEXT)
        for (const char *w = words[next(&seed) >> 7 & 15]; *w && at < TEXT; w++) text[at++] = (uint8_t)*w;
}

static uint32_t hash(const uint8_t *p) {
    uint32_t v = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
    return v * 2654435761u >> 19;
}

static uint32_t match_length(const uint8_t *a, const uint8_t *b, uint32_t most) {
    uint32_t n = 0;
    while (n < most && a[n] == b[n]) n++;
    return n;
}

static NOINLINE uint32_t longest(uint32_t at, uint32_t *distance) {
    uint32_t best = 0, most = TEXT - at < LONGEST ? TEXT - at : LONGEST;
    int32_t from = head[hash(text + at)];
    for (int k = 0; k < CHAIN && from >= 0 && at - (uint32_t)from < WINDOW; k++, from = before[from]) {
        uint32_t n = match_length(text + from, text + at, most);
        if (n > best) {
            best = n;
            *distance = at - (uint32_t)from;
        }
    }
    return best;
}

static void remember(uint32_t at) {
    uint32_t h = hash(text + at);
    before[at] = head[h];
    head[h] = (int32_t)at;
}

/* A literal is 0 and its byte, a match 1, its length less LEAST, its distance in two bytes. */
static NOINLINE uint32_t pack(void) {
    uint32_t at = 0, out = 0;
    for (int i = 0; i < HASH; i++) head[i] = -1;
    while (at < TEXT) {
        uint32_t distance = 0, n = at + LEAST <= TEXT ? longest(at, &distance) : 0;
        if (n >= LEAST) {
            packed[out++] = 1;
            packed[out++] = (uint8_t)(n - LEAST);
            packed[out++] = (uint8_t)distance;
            packed[out++] = (uint8_t)(distance >> 8);
        } else {
            n = 1;
            packed[out++] = 0;
            packed[out++] = text[at];
        }
        for (; n; n--, at++)
            if (at + LEAST <= TEXT) remember(at);
    }
    return out;
}

static NOINLINE uint32_t unpack(uint32_t n) {
    uint32_t out = 0;
    for (uint32_t at = 0; at < n;) {
        if (!packed[at]) {
            back[out++] = packed[at + 1];
            at += 2;
            continue;
        }
        uint32_t length = packed[at + 1] + LEAST, distance = packed[at + 2] | (uint32_t)packed[at + 3] << 8;
        for (; length && out < TEXT; length--, out++) back[out] = back[out - distance];
        at += 4;
    }
    return out;
}

/* Binary range coder with carry by saturation, probabilities of 12 bits. */
struct coder {
    uint32_t low, range, out;
};

static void put_bit(struct coder *c, uint16_t *probability, uint32_t bit) {
    uint32_t bound = (c->range >> 12) * *probability;
    if (bit) {
        c->low += bound;
        c->range -= bound;
        *probability = (uint16_t)(*probability - (*probability >> 5));
    } else {
        c->range = bound;
        *probability = (uint16_t)(*probability + ((4096 - *probability) >> 5));
    }
    while (c->range < 1u << 24) {
        coded[c->out++ & (TEXT * 2 - 1)] = (uint8_t)(c->low >> 24);
        c->low <<= 8;
        c->range <<= 8;
    }
}

static NOINLINE uint32_t entropy(uint32_t n) {
    static uint16_t model[4][256];
    struct coder c = {0, UINT32_MAX, 0};
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 256; k++) model[i][k] = 2048;
    for (uint32_t at = 0; at < n; at++) {
        uint32_t node = 1, byte = packed[at];
        for (int bit = 7; bit >= 0; bit--) {
            uint32_t b = byte >> bit & 1;
            put_bit(&c, &model[at & 3][node], b);
            node = (node << 1 | b) & 255;
        }
    }
    return c.out;
}

uint32_t run(uint32_t n) {
    uint32_t sum = 0;
    make();
    while (n--) {
        uint32_t size = pack();
        sum = mix(sum, size);
        if (unpack(size) != TEXT) return 0;
        for (uint32_t i = 0; i < TEXT; i++)
            if (back[i] != text[i]) return 0;
        uint32_t bytes = entropy(size);
        sum = mix(sum, bytes);
        for (uint32_t i = 0; i < bytes; i += 61) sum = mix(sum, coded[i]);
        text[n % TEXT] ^= 1;
    }
    return sum;
}
