/* recurse.c: Fibonacci, Ackermann, Takeuchi and the queens by recursion, n times. Calls and their frames. */
#include "bench.h"

static NOINLINE uint32_t fib(uint32_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

static NOINLINE uint32_t ackermann(uint32_t m, uint32_t n) {
    if (!m) return n + 1;
    return ackermann(m - 1, n ? ackermann(m, n - 1) : 1);
}

static NOINLINE int32_t tak(int32_t x, int32_t y, int32_t z) {
    return y < x ? tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y)) : z;
}

static NOINLINE uint32_t queens(uint32_t all, uint32_t columns, uint32_t left, uint32_t right) {
    uint32_t count = 0;
    if (columns == all) return 1;
    for (uint32_t free = all & ~(columns | left | right); free; free &= free - 1) {
        uint32_t one = free & -free;
        count += queens(all, columns | one, (left | one) << 1, (right | one) >> 1);
    }
    return count;
}

uint32_t run(uint32_t n) {
    uint32_t sum = 0;
    while (n--) {
        sum = mix(sum, fib(24 + (n & 1)));
        sum = mix(sum, ackermann(2, 200 + (n & 3)));
        sum = mix(sum, (uint32_t)tak(14, 8, 2));
        sum = mix(sum, queens(0xff, 0, 0, 0));
    }
    return sum;
}
