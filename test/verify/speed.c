/* speed.c: what the proof of real modules takes, and of what part of loading them.
 *
 * Usage: speed ROUNDS FILE.wasm... Each is decoded, validated, compiled and proven
 * ROUNDS times; the quickest of each counts, since the machine has other work, too.
 * Instructions of the processor instead of time, which noise does not change:
 *   valgrind --tool=callgrind --toggle-collect=verify_code build/host/verify-speed 1 FILE.wasm */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <Zydis/Zydis.h>

#include "base/assert.h"
#include "cli/host_rt.h"
#include "rt/internal.h"
#include "verify/verify.h"

_Noreturn void assert_fail(const char *what, const char *file, int line) {
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
    abort();
}

enum phase { DECODE, COMPILE, FACTS, PROVE, PHASES };

struct load {
    struct arena arena, scratch;
    struct wasm_module module;
    struct jit_code code;
    struct verify_module facts;
    u64 instructions, best[PHASES];
};

static u64 now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static void lap(struct load *l, enum phase p, u64 *since) {
    u64 now = now_ns();
    l->best[p] = MIN(l->best[p], now - *since);
    *since = now;
}

/* The machine instructions of its functions: the proof itself takes some sequences as one. */
static u64 count(const struct verify_module *m) {
    ZydisDecoder decoder;
    ZydisDecodedInstruction z;
    u64 n = 0;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    for (u32 k = 0; k < m->func_count; k++)
        for (u32 at = m->funcs[k].entry; at < m->funcs[k].end; at += z.length, n++)
            if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, ZYAN_NULL, m->code + at, m->size - at, &z))) unreachable();
    return n;
}

/* As rt/ does it, linking apart. */
static bool load(struct load *l, struct bytes in) {
    static u32 ids[WASM_MAX_TYPES];
    struct wasm_error bad;
    struct jit_error unable;
    struct verify_error why;
    u64 since = now_ns();
    if (wasm_decode(&l->arena, in, &l->module, &bad) || wasm_validate(&l->arena, &l->module, &bad)) return false;
    for (u32 k = 0; k < l->module.type_count; k++) ids[k] = 1 + l->module.types[k].canon;
    lap(l, DECODE, &since);
    struct jit_options o = {.type_ids = ids, .cpu = 0x1f};
    if (jit_compile(&l->arena, &l->scratch, &l->module, &o, &l->code, &unable)) return false;
    lap(l, COMPILE, &since);
    if (!rt_proof_facts(&l->arena, &l->module, &o, &l->code, &l->facts)) return false;
    lap(l, FACTS, &since);
    if (verify_code(&l->scratch, &l->facts, &why)) return false;
    lap(l, PROVE, &since);
    l->instructions = count(&l->facts);
    return true;
}

static struct bytes file(const char *path) {
    FILE *f = fopen(path, "rb");
    u8 *p = malloc(1 << 26);
    size_t n = f && p ? fread(p, 1, 1 << 26, f) : 0;
    if (f) fclose(f);
    return (struct bytes){p, n};
}

static bool measure(const char *path, u32 rounds) {
    static struct load l;
    struct bytes in = file(path);
    bool ok = true;
    for (enum phase p = 0; p < PHASES; p++) l.best[p] = UINT64_MAX;
    for (u32 k = 0; k < rounds && ok; k++) {
        arena_init(&l.arena, &host_heap, 0);
        arena_init(&l.scratch, &host_heap, 0);
        ok = load(&l, in);
        arena_reset(&l.arena);
        arena_reset(&l.scratch);
    }
    free((void *)in.p);
    if (!ok) return printf("%s: is not loaded\n", path), false;
    double proof = (double)(l.best[PROVE] + l.best[FACTS]), all = proof + (double)(l.best[DECODE] + l.best[COMPILE]);
    printf("%s: %llu instructions: decode %.1f us, compile %.1f us, facts %.1f us, proof %.1f us: %.2f ns an instruction, %.1f %% of all\n",
           path, (unsigned long long)l.instructions, (double)l.best[DECODE] / 1e3, (double)l.best[COMPILE] / 1e3,
           (double)l.best[FACTS] / 1e3, (double)l.best[PROVE] / 1e3, (double)l.best[PROVE] / (double)l.instructions, 100 * proof / all);
    return true;
}

int main(int argc, char **argv) {
    u32 rounds = argc > 1 ? (u32)strtoul(argv[1], NULL, 10) : 0;
    bool ok = argc > 2 && rounds;
    if (!ok) fprintf(stderr, "usage: verify-speed ROUNDS FILE.wasm...\n");
    for (int k = 2; k < argc && ok; k++) ok = measure(argv[k], rounds);
    return !ok;
}
