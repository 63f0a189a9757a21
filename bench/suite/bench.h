/* bench.h: what every program of the suite includes.
 *
 * A program is one C file with run(n): n scales the work, the result is a
 * checksum that depends on all of it and is the same on every engine. It is
 * built to wasm32 and natively, from the same source. Nothing of it may depend
 * on the width of a pointer or on the platform's libc. */
#ifndef WHELK_BENCH_SUITE_BENCH_H
#define WHELK_BENCH_SUITE_BENCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __wasm__
#define BENCH __attribute__((export_name("run")))
#else
#define BENCH __attribute__((visibility("default")))
#endif
#define NOINLINE __attribute__((noinline))

BENCH uint32_t run(uint32_t n);

/* Numbers that every engine draws alike (xorshift). */
static inline uint32_t next(uint32_t *seed) {
    uint32_t x = *seed;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *seed = x;
}

static inline uint32_t mix(uint32_t sum, uint32_t v) { return (sum ^ v) * 0x01000193u; }

/* A double as a contribution to a checksum. */
static inline uint32_t bits_of(double d) {
    union { double d; uint64_t u; } v = {d};
    return (uint32_t)(v.u ^ v.u >> 32);
}

#endif
