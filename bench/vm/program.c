/* program.c: beside a program of the suite, as a Linux program or a WASI program in a
 * guest: NAME ENGINE ROUNDS. Samples as bench/vm/image.c says them: of cycles natively,
 * of nanoseconds ("bench-ns:") where there is no counter. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { OPERATIONS = 100000 }; /* of run(1), in Dhrystone */

uint32_t run(uint32_t n);

#ifdef __wasm__
#define PREFIX "bench-ns"
static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}
#else
#define PREFIX "bench"
static uint64_t now(void) { return __builtin_ia32_rdtsc(); }
#endif

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int rounds = atoi(argv[3]);
    for (int i = 0; i <= rounds; i++) {
        printf("bench: round %d\n", i);
        uint64_t start = now();
        uint32_t sum = run(1);
        uint64_t end = now();
        printf(PREFIX ": run %s %s %" PRIu64 " %d\nbench: sum %08" PRIx32 "\n", argv[1], argv[2], end - start, OPERATIONS, sum);
    }
    return 0;
}
