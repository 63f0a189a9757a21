/* dump.c: compiles FILE.wasm and prints its IR and, as one hex line per
 * function, its machine code. The other half of a golden test is ./run.
 *
 * Usage: dump FILE.wasm [PASSES] [OUT.bin] */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "jit/jit.h"
#include "test/lib/test.h"

static void print(void *self, const char *text, size_t n) { fwrite(text, 1, n, self); }

static struct bytes read_file(const char *path) {
    static u8 bytes[1 << 20];
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
    if (f) fclose(f);
    return (struct bytes){bytes, n};
}

static int fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    return 1;
}

/* Type ids are made up: 100 and the type's index. */
static const u32 *some_ids(struct arena *a, const struct wasm_module *m) {
    u32 *ids = ARENA_ARRAY(a, u32, m->type_count + 1);
    for (u32 i = 0; i < m->type_count; i++) ids[i] = 100 + m->types[i].canon;
    return ids;
}

static void print_code(const struct jit_code *code) {
    for (u32 i = 0; i < code->func_count; i++) {
        printf("; machine code of function %u\n", i);
        for (u32 at = code->funcs[i].entry; at < code->funcs[i].end; at++) printf("%02x", code->bytes[at]);
        printf("\n");
    }
}

int main(int argc, char **argv) {
    struct arena a, result, scratch;
    struct wasm_module m;
    struct wasm_error werror;
    struct jit_error jerror;
    struct jit_code code;
    if (argc < 2) return fail("usage: dump FILE.wasm [PASSES [avx]]");
    arena_init(&a, &test_heap, 0);
    arena_init(&result, &test_heap, 0);
    arena_init(&scratch, &test_heap, 0);
    if (wasm_decode(&a, read_file(argv[1]), &m, &werror) || wasm_validate(&a, &m, &werror)) return fail(werror.text);
    struct jit_options o = {.cpu = JIT_CPU_SSE41 | JIT_CPU_POPCNT | JIT_CPU_LZCNT | JIT_CPU_BMI1 | JIT_CPU_BMI2 |
                                   (argc > 3 ? JIT_CPU_AVX : 0),
                            .type_ids = some_ids(&a, &m), .dump = print, .dump_self = stdout,
                            .dump_passes = argc > 2 ? argv[2] : "S"};
    if (jit_compile(&result, &scratch, &m, &o, &code, &jerror)) return fail(jerror.text);
    print_code(&code);
    arena_reset(&a);
    arena_reset(&result);
    arena_reset(&scratch);
    return 0;
}
