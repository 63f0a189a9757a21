/* fuzz_differ.c: fuzz bytes -> a valid module -> compiler and oracle agree;
 * with the first byte odd, the module is then damaged in a few places, and
 * must be refused or still agree.
 *
 * As a libFuzzer target, or alone: `fuzz_differ SEED COUNT [FILE]` runs COUNT
 * modules from a seeded generator (FILE receives the first that differs). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "test/fuzz/differ.h"
#include "test/fuzz/gen.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t n);

/* With KEEP=FILE in the environment each module is written before it runs: for
 * those that bring the whole process down. */
static u8 module[GEN_CAP];
static size_t module_size;

/* Each four bytes of the tail: where, and what to put there. */
static void damage(const u8 *tail, size_t n) {
    for (size_t i = 0; i + 4 <= n; i += 4) {
        size_t at = (tail[i] | (size_t)tail[i + 1] << 8) % module_size;
        module[at] = (tail[i + 2] & 1) ? tail[i + 3] : (u8)(module[at] ^ 1u << (tail[i + 3] & 7));
    }
}

static void save(const char *path) {
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(module, 1, module_size, f) != module_size) fprintf(stderr, "%s: cannot be written\n", path);
    if (f) fclose(f);
}

static bool one(const u8 *data, size_t n, char *why) {
    bool mutate = n > 16 && data[0] & 1;
    module_size = gen_module((struct bytes){data + !!n, n - !!n}, module);
    if (mutate) damage(data + n - (data[0] & 0xc), data[0] & 0xc);
    if (getenv("KEEP")) save(getenv("KEEP"));
    return differ_run((struct bytes){module, module_size}, !mutate, why);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t n) {
    char why[200] = "";
    if (one(data, n, why)) return 0;
    fprintf(stderr, "difference: %s\n", why);
    save("differ.wasm");
    abort();
}

#ifndef FUZZER
_Noreturn void assert_fail(const char *what, const char *file, int line) {
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
    abort();
}

static u64 next(u64 *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

int main(int argc, char **argv) {
    u64 seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1, count = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000;
    const char *path = argc > 3 ? argv[3] : "build/differ.wasm";
    unsigned differ = 0;
    for (u64 i = 0; i < count && !differ; i++) {
        u64 state = (seed + i) * 0x9e3779b97f4a7c15 | 1;
        u8 data[4096];
        size_t n = 64 + next(&state) % (sizeof data - 64);
        for (size_t k = 0; k < n; k++) data[k] = (u8)(next(&state) >> 24);
        char why[200] = "";
        if (one(data, n, why)) continue;
        printf("seed %llu: %s (module in %s)\n", (unsigned long long)(seed + i), why, path);
        save(path);
        differ++;
    }
    printf("differ: %llu passed, %u failed\n", (unsigned long long)(count - differ), differ);
    return differ != 0;
}
#endif
