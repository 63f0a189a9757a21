/* allocation.c: the checker behind register allocation (jit/check.c) and the audit of
 * what was emitted (audit.c) find bugs that are built in, each within some hundred
 * generated modules, and nothing where there is none; nor does the verifier. They
 * assert: so each fault has a process of its own.
 *
 * Linked with the pure folders as compiled with WHELK_FAULTS and WHELK_CHECK. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "jit/jit.h"
#include "rt/internal.h"
#include "test/fuzz/gen.h"
#include "test/lib/test.h"
#include "test/verify/audit.h"

static u32 modules = 1500; /* or as the command line says */

int fault_knob;

static const struct {
    enum fault fault;
    const char *name;
} faults[] = {
    {FAULT_EDGE_MOVE, "EDGE_MOVE"}, {FAULT_SLOT_SHARED, "SLOT_SHARED"},       {FAULT_LATE_READ, "LATE_READ"},
    {FAULT_RELOAD, "RELOAD"},       {FAULT_STALE_REGISTER, "STALE_REGISTER"}, {FAULT_PAD_RELOAD, "PAD_RELOAD"},
    {FAULT_CLOBBER, "CLOBBER"},
};

static struct arena arena, scratch;

static u64 next(u64 *x) {
    *x ^= *x << 13;
    *x ^= *x >> 7;
    return *x ^= *x << 17;
}

/* What the checker does not see, coarse functions, the verifier does. */
static void prove(const struct wasm_module *module, const struct jit_options *o, const struct jit_code *code) {
    struct rt_error why = {0};
    if (!rt_prove(&scratch, module, o, code, &why)) return;
    fprintf(stderr, "%s\n", why.text);
    _exit(1);
}

static void compile(u64 seed) {
    static u8 noise[1024], bytes[GEN_CAP];
    static u32 ids[4096];
    struct wasm_module module;
    struct wasm_error bad;
    struct jit_code code;
    struct jit_error why;
    u64 random = seed * 0x9e3779b97f4a7c15 | 1;
    size_t n = 64 + next(&random) % 900;
    for (size_t k = 0; k < n; k++) noise[k] = (u8)next(&random);
    n = gen_module((struct bytes){noise, n}, bytes);
    if (wasm_decode(&arena, (struct bytes){bytes, n}, &module, &bad) || wasm_validate(&arena, &module, &bad)) return;
    for (u32 k = 0; k < MIN(module.type_count, 4096u); k++) ids[k] = 1 + module.types[k].canon;
    struct jit_options o = {.type_ids = ids, .cpu = 0xff, .registers = seed % 3 ? 2 + (u32)(seed % 7) : 0, .coarse = seed % 5 == 4};
    if (module.type_count > 4096 || jit_compile(&arena, &scratch, &module, &o, &code, &why)) return;
    if (fault_knob == FAULT_NONE) prove(&module, &o, &code);
}

static void compile_all(enum fault fault) {
    arena_init(&arena, &test_heap, 0);
    arena_init(&scratch, &test_heap, 0);
    fault_knob = fault;
    audit_start();
    for (u32 k = 1; k <= modules; k++) {
        compile(k);
        arena_reset(&arena);
        arena_reset(&scratch);
    }
}

/* What a process that compiles with the fault says before it dies; empty: nothing. */
static void search(enum fault fault, char *said, size_t cap) {
    int ends[2], status;
    if (pipe(ends)) abort();
    pid_t child = fork();
    if (!child) {
        dup2(ends[1], 2);
        compile_all(fault);
        _exit(0);
    }
    close(ends[1]);
    ssize_t n = read(ends[0], said, cap - 1);
    said[n > 0 ? n : 0] = 0;
    close(ends[0]);
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) && !said[0]) snprintf(said, cap, "died without a word");
}

int main(int argc, char **argv) {
    char said[300];
    if (argc > 1) modules = (u32)atoi(argv[1]);
    search(FAULT_NONE, said, sizeof said);
    EQUAL_TEXT(said, "");
    for (u32 k = 0; k < ARRAY_LEN(faults); k++) {
        search(faults[k].fault, said, sizeof said);
        test_check(strstr(said, "jit/check.c:") || strstr(said, "audit.c:"), faults[k].name, __FILE__, __LINE__);
        printf("%-14s %.*s\n", faults[k].name, (int)strcspn(said, "\n"), said);
    }
    return test_end("allocation");
}
