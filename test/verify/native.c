/* native.c: what the verifier accepts is run by this processor. A program is generated: code,
 * its frame, its points (native_make.c). Where it is refused, that piece is made
 * anew, or the trap that is missing goes into its table, until it is accepted or ROUNDS
 * are over. So the verifier leads to code that no compiler makes and that chance alone hardly
 * ever would. It runs RUNS_EACH times, from random registers.
 *
 * What is checked: it ends by returning, with the callee-saved registers, rsp, r14 and r15
 * as they were, or by a fault at a pc of its trap table, of that trap's kind and
 * inside of a guarded memory's window; and its context, store and table and the stack above
 * it are as before, but for the overflow area and globals that may be written.
 *
 * What it cannot see: reads of what is mapped; writes to whatever else this process has
 * mapped, unless it dies of them; glue, host calls and indirect calls, which no recipe
 * makes, and most vectors, which come about by chance alone; a callee other than the one
 * below; of what the clock ends (a loop), all but what it has written. Nor does it see
 * that the verifier refuses too much. Most of this test/verify/mutate.c does see, in what compilers make.
 *
 * I1 a seed alone says what happens, but for the clock: each program finds all as new.
 * I2 what escapes ends its process; another one goes on behind that seed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt/internal.h"
#include "test/lib/proof.h"
#include "test/lib/test.h"
#include "test/verify/native.h"

enum { ROUNDS = 140, LATE_ROUND = 110, RUNS_EACH = 6, BATCH = 500, BATCH_SECONDS = 60, FAILURES = 5, ALL_TRAPS = 128 };

/* Shared with the processes that run. */
struct tally {
    u64 seed, proofs, accepted, points, failed;
    u64 ends[END_ESCAPED + 1];
};

static struct test {
    struct arena arena, scratch;
    struct jit_code code;
    struct verify_module facts;
    u8 *bytes; /* the code, where it runs */
    struct verify_func funcs[MAX_FUNCS], was[MAX_FUNCS];
    struct verify_trap traps[ALL_TRAPS];
    struct verify_point points[NATIVE_POINTS];
    struct program program;
    struct tally *tally;
} T;

/* ---- the module ---- */

/* or rax, -1; shl rax, 62; mov r, rax, for all that a callee may change; ret. As an
 * index that is no address at all. */
static void write_callee(struct test *t) {
    static const u8 others[] = {RCX, RDX, RSI, RDI, R8, R9, R10, R11};
    struct verify_func *f = &t->was[1];
    u8 *p = t->bytes + f->entry;
    memcpy(p, "\x48\x83\xc8\xff\x48\xc1\xe0\x3e", 8);
    p += 8;
    for (u32 k = 0; k < ARRAY_LEN(others); k++, p += 3) {
        const u8 copy[] = {others[k] > 7 ? 0x49 : 0x48, 0x89, 0xc0 | (others[k] & 7)};
        memcpy(p, copy, sizeof copy);
    }
    *p++ = 0xc3;
    assert(p <= t->bytes + f->end);
    f->end = (u32)(p - t->bytes);
    f->frame = f->spare = 0;
}

/* Function 0 is replaced by programs, and has room; function 1 by one that leaves
 * nothing in the registers that a callee may change. The others stay: what is proven of
 * the tables is proven beside them. */
static bool open_module(struct test *t) {
    arena_init(&t->arena, &test_heap, 0);
    arena_init(&t->scratch, &test_heap, 0);
    if (!proof_of(&t->arena, &t->scratch, proof_victim, &t->code, &t->facts) || t->facts.func_count > MAX_FUNCS) return false;
    t->facts.cpu = rt_probe_cpu();
    u64 room = ALIGN_UP((u64)t->code.size, (u64)4096) + 4096;
    t->bytes = mmap(NULL, room, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (t->bytes == MAP_FAILED) return false;
    memcpy(t->bytes, t->code.bytes, t->code.size);
    memcpy(t->was, t->facts.funcs, t->facts.func_count * sizeof *t->was);
    write_callee(t);
    t->facts.code = t->bytes;
    t->facts.funcs = t->funcs;
    t->facts.traps = t->traps;
    t->facts.points = t->points;
    return run_open(&t->facts, t->bytes);
}

/* ---- a program becomes code ---- */

/* Its ways lead to pieces behind k. */
static bool lay_switch(struct test *t, u32 k, u32 seed, u32 *used, u32 *table) {
    const struct program *g = &t->program;
    *table = t->code.code_end + *used;
    if (*table + 4 * SWITCH_WAYS > t->code.size) return false;
    for (u32 e = 0; e < SWITCH_WAYS; e++) {
        u32 distance = g->pieces[k + 1 + (seed + 5 * e) % (g->last - k)].pc - *table;
        memcpy(t->bytes + *table + 4 * e, &distance, 4);
    }
    *used += 4 * SWITCH_WAYS;
    return true;
}

static bool lay_place(struct test *t, u32 k, const struct place *p, u32 *used) {
    const struct program *g = &t->program;
    u32 size = p->kind == TO_NEAR ? 1 : 4, at = g->pieces[k].pc + p->at, to = t->was[1].entry;
    if (p->kind == TO_SWITCH && !lay_switch(t, k, p->to, used, &to)) return false;
    if (p->kind == TO_NEAR || p->kind == TO_FAR) to = g->pieces[MIN(p->to, g->last)].pc;
    i32 distance = (i32)(to - (at + size));
    memcpy(t->bytes + at, &distance, size);
    return size == 4 || distance == (i8)distance;
}

static bool lay_piece(struct test *t, u32 k, u32 *used) {
    const struct piece *q = &t->program.pieces[k];
    bool ok = true;
    memcpy(t->bytes + q->pc, q->bytes, q->n);
    for (u32 i = 0; i < q->place_count; i++) ok = ok && lay_place(t, k, &q->places[i], used);
    return ok;
}

static void lay_tables(struct test *t, u32 end) {
    const struct program *g = &t->program;
    t->funcs[0].end = end;
    t->funcs[0].frame = g->frame;
    t->funcs[0].spare = g->spare;
    t->facts.point_count = g->point_count;
    for (u32 k = 0; k < g->point_count; k++) t->points[k] = (struct verify_point){g->pieces[g->points[k].at].pc, g->points[k].keep};
    u32 n = g->trap_count;
    memcpy(t->traps, g->traps, n * sizeof *g->traps);
    for (u32 k = 0; k < t->code.trap_count && n < ALL_TRAPS; k++)
        if (t->code.traps[k].pc >= t->was[2].entry) t->traps[n++] = (struct verify_trap){t->code.traps[k].pc, t->code.traps[k].kind};
    t->facts.trap_count = n;
}

/* False: it has no room, or a short jump is too long. */
static bool lay(struct test *t) {
    struct program *g = &t->program;
    u32 at = t->was[0].entry, used = 0;
    bool ok = true;
    for (u32 k = 0; k <= g->last; k++) {
        g->pieces[k].pc = at;
        at += g->pieces[k].n;
    }
    if (at > t->was[0].end) return false;
    memcpy(t->funcs, t->was, sizeof t->funcs);
    memset(t->bytes + t->was[0].entry, 0xcc, t->was[0].end - t->was[0].entry);
    for (u32 k = 0; k <= g->last; k++) ok = ok && lay_piece(t, k, &used);
    lay_tables(t, at);
    return ok;
}

/* ---- until it is accepted ---- */

static u32 any_piece(struct program *g) { return 1 + below(g, g->last - 1); }

static void remake(struct program *g, u32 k, u32 round) {
    g->trap_count = 0;
    if (round < LATE_ROUND || below(g, 4)) make_piece(g, k);
    else make_nothing(g, k);
}

/* Behind a REX prefix it is the same. */
static bool is_ud2(const u8 *p) {
    p += (*p & 0xf0) == 0x40;
    return p[0] == 0x0f && p[1] == 0x0b;
}

/* False: it is there already, and something else is wrong. */
static bool add_trap(struct test *t, u32 pc) {
    struct program *g = &t->program;
    u32 k = 0;
    while (k < g->trap_count && g->traps[k].pc < pc) k++;
    if (g->trap_count == NATIVE_TRAPS || (k < g->trap_count && g->traps[k].pc == pc)) return false;
    memmove(g->traps + k + 1, g->traps + k, (g->trap_count++ - k) * sizeof *g->traps);
    g->traps[k] = (struct verify_trap){pc, is_ud2(t->bytes + pc) ? ABI_TRAP_UNREACHABLE : ABI_TRAP_MEMORY};
    return true;
}

/* Of the tables as a whole, or another function: traps or points are left over. */
static bool mend_tables(struct program *g, const struct verify_error *why) {
    if (g->trap_count && why->rule == VERIFY_TRAPS) return g->trap_count = 0, true;
    return g->point_count && g->point_count--;
}

static void mend_code(struct program *g, u32 pc, u32 round) {
    u32 k = 1;
    while (k < g->last && g->pieces[k + 1].pc <= pc) k++;
    if (k == g->last && below(g, 2)) make_leave(g);
    if (k == g->last || !below(g, 10)) k = any_piece(g);
    remake(g, k, round);
    if (!below(g, 25)) make_entry(g), make_leave(g);
    if (g->point_count && !below(g, 30)) g->point_count--;
}

/* False: nothing will help. */
static bool mend(struct test *t, const struct verify_error *why, u32 round) {
    if (why->func) return mend_tables(&t->program, why);
    if (why->rule != VERIFY_TRAPS || !add_trap(t, why->offset)) mend_code(&t->program, why->offset, round);
    return true;
}

static bool make_accepted(struct test *t) {
    struct verify_error why;
    for (u32 round = 0; round < ROUNDS; round++) {
        if (!lay(t)) {
            remake(&t->program, any_piece(&t->program), round);
            continue;
        }
        t->tally->proofs++;
        enum err e = verify_code(&t->scratch, &t->facts, &why);
        if (!e) return true;
        if (e != ERR_PROOF || !mend(t, &why, round)) return false;
    }
    return false;
}

/* ---- processes ---- */

static void show(const struct test *t, const char *what) {
    const struct program *g = &t->program;
    u32 entry = t->funcs[0].entry;
    printf("ESCAPE: seed %llu: %s (frame %u)\n ", (unsigned long long)t->tally->seed, what, g->frame);
    for (u32 at = entry; at < t->funcs[0].end; at++) printf(" %02x", t->bytes[at]);
    printf("\n  traps");
    for (u32 k = 0; k < g->trap_count; k++) printf(" +0x%x", g->traps[k].pc - entry);
    printf(", points");
    for (u32 k = 0; k < g->point_count; k++) printf(" +0x%x: 0x%x", t->points[k].pc - entry, t->points[k].keep);
    printf("\n");
    fflush(stdout);
}

static void run_accepted(struct test *t) {
    const char *what = NULL;
    enum native_end end = END_RETURNED;
    t->tally->accepted++;
    t->tally->points += t->program.point_count > 0;
    run_fresh();
    for (u32 k = 0; k < RUNS_EACH && end != END_SLOW; k++) {
        end = run_program(&t->program, &t->funcs[0], &what);
        t->tally->ends[end]++;
        if (end != END_ESCAPED) continue;
        show(t, what);
        _exit(1);
    }
}

/* In a process of its own: the seeds from tally->seed to end. */
static void run_seeds(struct test *t, u64 end) {
    setrlimit(RLIMIT_CPU, &(struct rlimit){BATCH_SECONDS, BATCH_SECONDS});
    if (!open_module(t)) fprintf(stderr, "verify-native: the module does not compile, or its environment cannot be mapped: more memory or address space is needed\n"), _exit(2);
    for (; t->tally->seed < end; t->tally->seed++) {
        t->program = (struct program){.random = t->tally->seed * 0x9e3779b97f4a7c15 | 1, .layout = &t->facts.layout};
        for (u32 k = 0; k < 4; k++) random64(&t->program.random);
        make_program(&t->program);
        if (make_accepted(t)) run_accepted(t);
    }
    _exit(0);
}

static bool run_batch(struct test *t, u64 end) {
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (!pid) run_seeds(t, end);
    if (pid < 0 || waitpid(pid, &status, 0) != pid) return perror("verify-native: fork"), false;
    if (!status) return true;
    printf("seed %llu: its process ended with status 0x%x\n", (unsigned long long)t->tally->seed, (unsigned)status);
    t->tally->failed++;
    t->tally->seed++;
    return t->tally->failed < FAILURES && (!WIFEXITED(status) || WEXITSTATUS(status) != 2);
}

int main(int argc, char **argv) {
    u64 count = argc > 1 ? strtoull(argv[1], NULL, 10) : 0, seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, end = seed + count;
    if (!count || argc > 3) return fprintf(stderr, "usage: verify-native COUNT [SEED]: so many seeds, from SEED (1) on\n"), 2;
    struct tally *s = T.tally = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED) return perror("verify-native: mmap"), 2;
    s->seed = seed;
    while (s->seed < end && run_batch(&T, MIN(end, s->seed + BATCH))) continue;
    bool whole = s->seed >= end;
    printf("verify-native: %llu seeds, %llu proofs, %llu accepted (%llu with points); runs: %llu returned, %llu trapped, %llu ended by the clock\n", (unsigned long long)(s->seed - seed), (unsigned long long)s->proofs,
           (unsigned long long)s->accepted, (unsigned long long)s->points, (unsigned long long)s->ends[END_RETURNED], (unsigned long long)s->ends[END_TRAPPED], (unsigned long long)s->ends[END_SLOW]);
    u64 failed = s->failed + (!whole && !s->failed);
    printf("verify-native: %llu passed, %llu failed\n", (unsigned long long)(s->accepted - MIN(failed, s->accepted)), (unsigned long long)failed);
    return failed || !s->accepted;
}
