/* mutate.c: COUNT mutants of emitted code. Each is refused, or is run in an emulator
 * from every block, from 16 random states in which what the proof knows there holds:
 * every access and transfer must be one that the theorem of verify.h allows.
 *
 * Usage: mutate COUNT [off] [SEED]. off: everything counts as accepted; then escapes
 * must be found.
 *
 * Mutants: flipped bits, changed immediates and displacements, instructions swapped,
 * dropped, or with other registers; and bytes of switch tables. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "rt/internal.h"
#include "test/fuzz/gen.h"
#include "test/verify/mutate.h"

enum { RUNS = 16, MUTANTS_PER_MODULE = 400, MAX_FUNCS = 64 };

static struct tally {
    u64 modules, mutants, accepted, blocks, runs, escapes, kinds[6], kept[6];
} sum;

struct test {
    struct arena arena, scratch;
    struct wasm_module module;
    struct jit_code code;
    struct verify_module facts;
    struct verify_error why;
    struct verifier v;
    u32 traps[MAX_FUNCS + 1], points[MAX_FUNCS + 1]; /* cursors before each function */
    u8 *bytes;
    struct machine *machine;
    bool off;
    u64 random;
};

static struct test T;
static volatile sig_atomic_t ended; /* by SIGTERM: the tally is printed nonetheless */
static void end(int signal) { ended = 1; }

_Noreturn void assert_fail(const char *what, const char *file, int line) {
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
    abort();
}

static void *take(void *self, size_t n) { return malloc(n); }
static void give(void *self, void *p, size_t n) { free(p); }
static const struct arena_source heap = {take, give, NULL};

/* Proves function f as it is now, with the tables' cursors as they should be. */
static bool prove(struct test *t, u32 f) {
    struct verifier *v = &t->v;
    v->failed = false;
    v->trap = t->traps[f];
    v->point = t->points[f];
    return verify_function(v, f) && v->trap == t->traps[f + 1] && v->point == t->points[f + 1];
}

static bool first_proof(struct test *t) {
    struct verifier *v = &t->v;
    *v = (struct verifier){.m = &t->facts, .why = &t->why};
    if (!verify_begin(v, &t->scratch)) return false;
    for (u32 f = 0; f < t->facts.func_count; f++) {
        t->traps[f] = v->trap;
        t->points[f] = v->point;
        if (!verify_function(v, f)) return false;
    }
    t->traps[t->facts.func_count] = v->trap;
    t->points[t->facts.func_count] = v->point;
    return true;
}

static bool compile(struct test *t, u64 seed) {
    static u8 noise[1024], wasm[GEN_CAP];
    static u32 ids[4096];
    struct wasm_error bad;
    struct jit_error why;
    size_t n = 48 + random64(&t->random) % 900;
    for (size_t k = 0; k < n; k++) noise[k] = (u8)random64(&t->random);
    n = gen_module((struct bytes){noise, n}, wasm);
    if (wasm_decode(&t->arena, (struct bytes){wasm, n}, &t->module, &bad) || wasm_validate(&t->arena, &t->module, &bad)) return false;
    for (u32 k = 0; k < MIN(t->module.type_count, 4096u); k++) ids[k] = 1 + t->module.types[k].canon;
    struct jit_options o = {.type_ids = ids, .checked_memory = seed % 4 == 1, .registers = seed % 3 ? 0 : 2 + seed % 6, .cpu = seed % 2 ? 0xff & ~JIT_CPU_POPCNT : 0}; /* the emulator lacks popcnt */
    if (t->module.type_count > 4096 || jit_compile(&t->arena, &t->scratch, &t->module, &o, &t->code, &why)) return false;
    if (!t->code.func_count || t->code.func_count > MAX_FUNCS || t->module.memory_count > 4) return false;
    t->bytes = arena_alloc(&t->arena, t->code.size);
    memcpy(t->bytes, t->code.bytes, t->code.size);
    if (!rt_proof_facts(&t->arena, &t->module, &o, &t->code, &t->facts)) return false;
    t->facts.code = t->bytes;
    return true;
}

/* ---- mutation ---- */

/* The n-th instruction's start from f's entry on, by the proof's own marks of the
 * unchanged function; templates count as one. */
static u32 some_start(struct test *t, u32 f, u32 *end) {
    const struct verify_func *fn = &t->facts.funcs[f];
    u32 size = fn->end - fn->entry, at = (u32)(random64(&t->random) % size);
    while (at && !(t->v.marks[at] & M_START)) at--;
    *end = at + 1;
    while (*end < size && !(t->v.marks[*end] & M_START)) ++*end;
    *end += fn->entry;
    return fn->entry + at;
}

static void flip(struct test *t, u32 low, u32 high) {
    for (u32 n = 1 + random64(&t->random) % 3; n; n--) t->bytes[low + random64(&t->random) % (high - low)] ^= (u8)(1 << random64(&t->random) % 8);
}

static void change_tail(struct test *t, u32 end, u32 start) { /* the last byte or four: mostly an immediate or displacement */
    u64 x = random64(&t->random);
    if (x & 1 || end - start < 5) t->bytes[end - 1] = (u8)(x >> 8);
    else if (x & 2) memcpy(t->bytes + end - 4, (u8 *)&x + 4, 4);
    else {
        i32 was = read32(t->bytes + end - 4) + (i32)(x >> 8) % 64;
        memcpy(t->bytes + end - 4, &was, 4);
    }
}

static void swap(struct test *t, u32 a, u32 b, u32 limit) { /* [a, b) with what comes next */
    u8 copy[128];
    u32 fn_end = limit, c = b + 1;
    const struct verify_func *fn = &t->facts.funcs[t->v.index];
    while (c < fn_end && !(t->v.marks[c - fn->entry] & M_START)) c++;
    if (c - a > sizeof copy || c > fn_end) return;
    memcpy(copy, t->bytes + b, c - b);
    memcpy(copy + (c - b), t->bytes + a, b - a);
    memcpy(t->bytes + a, copy, c - a);
}

static u32 mutate(struct test *t, u32 f) {
    const struct verify_func *fn = &t->facts.funcs[f];
    u32 kind = (u32)(random64(&t->random) % 6), end, at = some_start(t, f, &end);
    switch (kind) {
    case 0: flip(t, fn->entry, fn->end); break;
    case 1: change_tail(t, end, at); break;
    case 2: swap(t, at, end, fn->end); break;
    case 3: memset(t->bytes + at, 0x90, end - at); break;
    case 4: t->bytes[at + MIN(end - at - 1, 1 + (u32)(random64(&t->random) % 3))] ^= (u8)(1 << (random64(&t->random) % 6)); break;
    default:
        if (t->code.size > t->code.code_end && random64(&t->random) % 4 == 0) flip(t, t->code.code_end, t->code.size);
        else flip(t, at, end);
        break;
    }
    return kind;
}

/* ---- running ---- */

static bool run_blocks(struct test *t, u32 f, bool report) {
    const struct verify_func *fn = &t->facts.funcs[f];
    const char *escape = NULL;
    for (u32 at = 0; at < fn->end - fn->entry && !escape; at++) {
        u32 mark = t->v.marks[at], pc = fn->entry + at;
        if (at && !(mark & M_START && mark & (M_PENDING | M_POINT))) continue;
        bool kept = mark & M_KEPT;
        if (kept && t->v.loop_pc != pc) continue; /* only the last loop's value is there */
        sum.blocks++;
        for (u32 n = 0; n < RUNS && !escape; n++) {
            sum.runs++;
            escape = machine_run(t->machine, f, pc, at ? mark & K_ALL : 0, kept ? &t->v.loop_value : NULL);
        }
        if (escape && kept) printf("r11: kind %u, index %u, low 0x%llx\n", t->v.loop_value.kind, t->v.loop_value.index, (unsigned long long)t->v.loop_value.low);
        if (escape && report) printf("module %llu, function %u, from +0x%x (known 0x%x): %s\n", (unsigned long long)sum.modules, f, at, mark & K_ALL, escape);
    }
    return !escape;
}

static void show(struct test *t, u32 f) {
    const struct verify_func *fn = &t->facts.funcs[f];
    FILE *o = fopen("build/mutant.bin", "wb");
    if (o) fwrite(t->bytes + fn->entry, 1, fn->end - fn->entry, o), fclose(o);
    for (u32 at = fn->entry; at < fn->end; at++)
        if (t->bytes[at] != t->code.bytes[at]) printf("  +0x%x: %02x -> %02x\n", at - fn->entry, t->code.bytes[at], t->bytes[at]);
}

static void test_mutant(struct test *t, u32 f) {
    u32 kind = mutate(t, f);
    sum.mutants++;
    sum.kinds[kind]++;
    bool ok = t->off || prove(t, f);
    if (ok && memcmp(t->bytes, t->code.bytes, t->code.size)) {
        sum.accepted++;
        sum.kept[kind]++;
        machine_patch(t->machine, f);
        if (!run_blocks(t, f, !t->off)) {
            sum.escapes++;
            if (!t->off) show(t, f);
        }
        machine_reset(t->machine);
    }
    memcpy(t->bytes, t->code.bytes, t->code.size);
    prove(t, f); /* the marks of the unchanged function, for the next mutation */
}

static void test_module(struct test *t, u64 seed, u64 count) {
    arena_init(&t->arena, &heap, 0);
    arena_init(&t->scratch, &heap, 0);
    if (compile(t, seed) && first_proof(t)) {
        sum.modules++;
        machine_load(t->machine, &t->facts, t->bytes, seed);
        bool fine = true;
        for (u32 f = 0; f < t->facts.func_count; f++) machine_patch(t->machine, f), fine = fine && prove(t, f) && run_blocks(t, f, true);
        if (!fine) printf("the unchanged module escapes: the emulator's rules are wrong\n"), sum.escapes += !t->off;
        for (u32 k = 0; k < MUTANTS_PER_MODULE && sum.mutants < count && fine && !ended; k++) {
            u32 f = (u32)(random64(&t->random) % t->facts.func_count);
            if (prove(t, f)) test_mutant(t, f);
        }
    }
    arena_reset(&t->arena);
    arena_reset(&t->scratch);
}

int main(int argc, char **argv) {
    u64 count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000, seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    T.off = argc > 2 && !strcmp(argv[2], "off");
    T.random = seed * 0x9e3779b97f4a7c15 | 1;
    T.machine = machine_open();
    time_t start = time(NULL);
    signal(SIGTERM, end);
    for (; sum.mutants < count && !ended; seed++) test_module(&T, seed, count);
    static const char *const kinds[] = {"bits flipped", "immediates", "swapped", "dropped", "registers", "bits in one"};
    for (u32 k = 0; k < ARRAY_LEN(kinds); k++)
        printf("  %-12s %8llu, accepted %llu\n", kinds[k], (unsigned long long)sum.kinds[k], (unsigned long long)sum.kept[k]);
    printf("mutate: %llu modules, %llu mutants, %llu accepted; %llu blocks, %llu runs, %llu escapes; %ld s%s\n",
           (unsigned long long)sum.modules, (unsigned long long)sum.mutants, (unsigned long long)sum.accepted, (unsigned long long)sum.blocks,
           (unsigned long long)sum.runs, (unsigned long long)sum.escapes, (long)(time(NULL) - start), T.off ? " (verifier off)" : "");
    bool good = T.off ? sum.escapes > 0 : sum.escapes == 0;
    printf("mutate: %llu passed, %llu failed\n", (unsigned long long)(good ? sum.mutants : sum.mutants - sum.escapes),
           (unsigned long long)(good ? 0 : MAX(sum.escapes, (u64)1)));
    return !good;
}
