/* wizer.c: beside a program of the suite, for wizer: calls run(BENCH_N) in
 * wizer.initialize, and says the checksum and the nanoseconds that it took. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint32_t run(uint32_t n);

void _initialize(void);

__attribute__((export_name("wizer.initialize"))) void wizer_initialize(void) {
    struct timespec a, b;
    _initialize();
    const char *text = getenv("BENCH_N");
    uint32_t n = text ? (uint32_t)strtoul(text, NULL, 10) : 0;
    clock_gettime(CLOCK_MONOTONIC, &a);
    uint32_t sum = run(n);
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("%u %.0f\n", sum, (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec));
    fflush(stdout);
}
