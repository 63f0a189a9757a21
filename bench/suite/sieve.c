/* sieve.c: primes below 1,000,000 by Eratosthenes, n times. Byte stores with a stride. */
#include "bench.h"

enum { LIMIT = 1000000 };
static uint8_t composite[LIMIT];

static uint32_t sieve(void) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < LIMIT; i++) composite[i] = 0;
    for (uint32_t i = 2; i < LIMIT; i++) {
        if (composite[i]) continue;
        count++;
        for (uint64_t k = (uint64_t)i * i; k < LIMIT; k += i) composite[k] = 1;
    }
    return count;
}

uint32_t run(uint32_t n) {
    uint32_t sum = 0;
    while (n--) sum = mix(sum, sieve());
    return sum;
}
