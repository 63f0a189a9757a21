/* mutate.c: mutants of emitted code. Each is refused, or is run in an emulator from
 * every block, from RUNS random states in which what the proof knows there holds: every
 * access and transfer must be one that the theorem of verify.h allows.
 *
 * I1 a module's mutants all differ from it and from each other.
 * I2 after each mutant the code is what the compiler emitted.
 * I3 processes share nothing but their tallies, which only their own one writes. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/host_rt.h"
#include "rt/internal.h"
#include "test/fuzz/gen.h"
#include "test/verify/mutate.h"

enum { MUTANTS_PER_MODULE = 200, SEEN = 4 * MUTANTS_PER_MODULE, MODULES_PER_MACHINE = 50, PROCESSES_MAX = 64, PROGRESS_SECONDS = 30, AUDIT = 64 };

/* Counters only, so that tallies can be added word by word. */
struct tally {
    u64 modules, unfit, mutants, accepted, escapes, wrong; /* wrong: modules that escape unchanged */
    u64 kinds[KIND_COUNT], kept[KIND_COUNT];
    u64 classes[CLASS_COUNT], class_kept[CLASS_COUNT], class_modules[CLASS_COUNT];
    struct replay_tally runs;
};

struct test {
    struct arena arena, scratch;
    struct wasm_module module;
    struct jit_code code;
    struct subject s;
    struct verify_error why;
    struct verifier v;
    struct replay replay;
    struct tally *sum;
    u64 seen[SEEN]; /* hashes of this module's mutants */
    u64 random;
};

static struct options {
    u64 count, seed;
    u32 processes, audit;
    bool off;
} options = {.count = 1000, .seed = 1, .audit = AUDIT};

static struct test T;
static volatile sig_atomic_t ended; /* by SIGTERM: the tally is printed nonetheless */
static void end(int signal) { ended = 1; }

_Noreturn void assert_fail(const char *what, const char *file, int line) {
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
    abort();
}

static unsigned long long ull(u64 x) { return x; }

/* ---- a module ---- */

static bool compile(struct test *t, u64 seed) {
    static u8 noise[1024], wasm[GEN_CAP];
    enum { EMULATED = 0xff & ~(JIT_CPU_POPCNT | JIT_CPU_AVX) }; /* what the emulator has */
    static const u32 cpus[] = {EMULATED, JIT_CPU_SSE41, EMULATED, 0}; /* with none there are no vectors */
    static u32 ids[4096];
    struct wasm_error bad;
    struct jit_error why;
    size_t n = 48 + random64(&t->random) % 900;
    for (size_t k = 0; k < n; k++) noise[k] = (u8)random64(&t->random);
    n = gen_module((struct bytes){noise, n}, wasm);
    if (wasm_decode(&t->arena, (struct bytes){wasm, n}, &t->module, &bad) || wasm_validate(&t->arena, &t->module, &bad)) return false;
    for (u32 k = 0; k < MIN(t->module.type_count, 4096u); k++) ids[k] = 1 + t->module.types[k].canon;
    struct jit_options o = {.type_ids = ids, .checked_memory = seed / 3 % 3 == 1, .registers = seed % 3 ? 0 : 2 + seed / 3 % 6, .cpu = cpus[seed % ARRAY_LEN(cpus)]};
    if (t->module.type_count > 4096 || jit_compile(&t->arena, &t->scratch, &t->module, &o, &t->code, &why)) return false;
    if (!t->code.func_count || t->code.func_count > MAX_FUNCS || !rt_proof_facts(&t->arena, &t->module, &o, &t->code, &t->s.facts)) return false;
    t->s.bytes = arena_alloc(&t->arena, t->code.size);
    memcpy(t->s.bytes, t->code.bytes, t->code.size);
    t->s.original = t->code.bytes;
    t->s.facts.code = t->s.bytes;
    return true;
}

/* Proves function f as it is now, with the tables' cursors as they should be. */
static bool prove(struct test *t, u32 f) {
    struct verifier *v = &t->v;
    struct replay *r = &t->replay;
    v->failed = false;
    v->switched = 0;
    v->trap = r->traps[f];
    v->point = r->points[f];
    return verify_function(v, f) && v->trap == r->traps[f + 1] && v->point == r->points[f + 1];
}

static bool first_proof(struct test *t) {
    struct verifier *v = &t->v;
    const struct verify_module *m = &t->s.facts;
    *v = (struct verifier){.m = m, .why = &t->why};
    if (!edit_open(&t->s, &t->arena) || !verify_begin(v, &t->scratch)) return false;
    v->marks = ARENA_ARRAY(&t->scratch, u32, m->glue_start); /* room for what grows */
    for (u32 f = 0; f < m->func_count; f++) {
        u32 n = m->funcs[f].end - m->funcs[f].entry;
        t->replay.traps[f] = v->trap;
        t->replay.points[f] = v->point;
        if (!verify_function(v, f)) return false;
        t->s.marks[f] = ARENA_ARRAY(&t->arena, u32, n);
        memcpy(t->s.marks[f], v->marks, n * sizeof *v->marks);
        t->s.classes[f] = mutant_classes(&t->s, f);
    }
    t->replay.traps[m->func_count] = v->trap;
    t->replay.points[m->func_count] = v->point;
    return true;
}

/* Runs it unchanged. What escapes then is the emulator's mistake. */
static bool record(struct test *t) {
    const char *escape = NULL;
    for (u32 f = 0; f < t->s.facts.func_count && !escape; f++) {
        prove(t, f);
        escape = replay_record(&t->replay, f);
        if (escape) printf("module %llu, function %u, unchanged, from +0x%x: %s\n", ull(t->sum->modules), f, t->replay.at, escape);
    }
    return !escape;
}

/* ---- a mutant ---- */

static u64 hash_of_mutant(const struct test *t, u32 f) {
    u64 h = f;
    for (u32 at = t->s.facts.funcs[f].entry; at < t->s.facts.size; at++)
        if (t->s.bytes[at] != t->s.original[at]) h = (h ^ ((u64)at << 8 | t->s.bytes[at])) * 0x9e3779b97f4a7c15 + 1;
    return h;
}

/* One that was not seen before, and is no mutant of nothing. */
static bool is_new(struct test *t, u32 f) {
    u64 h = hash_of_mutant(t, f);
    if (!memcmp(t->s.bytes, t->s.original, t->s.facts.size)) return false;
    u32 k = (u32)(h % SEEN);
    for (; t->seen[k]; k = (k + 1) % SEEN)
        if (t->seen[k] == h) return false;
    t->seen[k] = h;
    return true;
}

static void show(struct test *t, u32 f, const char *escape) {
    const struct verify_func *fn = &t->s.facts.funcs[f];
    printf("ESCAPE: process seed %llu, mutant %llu, module %llu, function %u, from +0x%x (known 0x%x): %s\n", ull(options.seed), ull(t->sum->mutants), ull(t->sum->modules), f, t->replay.at, t->replay.known, escape);
    u32 end = t->s.edit.by ? t->s.edit.at + 16 : t->s.facts.size; /* behind that all has moved */
    if (t->s.edit.by) printf("  what begins behind +0x%x has moved by %d\n", t->s.edit.at - fn->entry, t->s.edit.by);
    for (u32 at = t->s.edit.by ? t->s.edit.at : fn->entry; at < end; at++)
        if (t->s.bytes[at] != t->s.original[at]) printf("  +0x%x: %02x -> %02x\n", at - fn->entry, t->s.original[at], t->s.bytes[at]);
    char name[64];
    snprintf(name, sizeof name, "build/mutant-%llu-%llu.bin", ull(options.seed), ull(t->sum->mutants));
    FILE *o = fopen(name, "wb");
    if (o) fwrite(t->s.bytes + fn->entry, 1, fn->end - fn->entry, o), fclose(o);
}

/* Functions that a mutant of f concerns: data may be any function's, unless they are
 * distances to what moved. */
static struct range concerned(const struct test *t, u32 f) {
    u32 data = t->s.facts.code_end;
    bool all = !t->s.edit.by && memcmp(t->s.bytes + data, t->s.original + data, t->s.facts.size - data);
    return all ? (struct range){0, t->s.facts.func_count} : (struct range){f, f + 1};
}

static bool proven(struct test *t, struct range fs) {
    bool ok = true;
    for (u32 f = fs.low; f < fs.high && ok; f++) ok = prove(t, f);
    return ok;
}

/* Runs what is changed; returns whether it escapes. */
static bool escapes(struct test *t, struct range fs) {
    const char *escape = NULL;
    for (u32 f = fs.low; f < fs.high && !escape; f++) {
        if (!options.off) prove(t, f);
        escape = replay_mutant(&t->replay, f, options.off);
        if (escape && !options.off) show(t, f, escape);
    }
    return escape != NULL;
}

static void test_mutant(struct test *t, u32 f) {
    enum mutant_kind kind = mutant_make(&t->s, f, &t->random);
    struct tally *sum = t->sum;
    if (!is_new(t, f)) {
        edit_undo(&t->s);
        return;
    }
    enum mutant_class class = mutant_class(&t->s, f);
    struct range fs = concerned(t, f);
    sum->mutants++;
    sum->kinds[kind]++;
    sum->classes[class]++;
    if (options.off || proven(t, fs)) {
        sum->accepted++;
        sum->kept[kind]++;
        sum->class_kept[class]++;
        sum->escapes += escapes(t, fs);
    }
    edit_undo(&t->s);
}

static void test_module(struct test *t, u64 seed, u64 count) {
    struct tally *sum = t->sum;
    arena_init(&t->arena, &host_heap, 0);
    arena_init(&t->scratch, &host_heap, 0);
    memset(t->seen, 0, sizeof t->seen);
    t->replay.seed = random64(&t->random);
    bool ok = compile(t, seed) && first_proof(t), fits = ok && machine_load(t->replay.machine, &t->s, seed);
    sum->unfit += !fits;
    if (fits && !record(t)) {
        printf("the unchanged module escapes: the emulator's rules are wrong\n");
        sum->wrong++;
    } else if (fits) {
        u32 classes = (u32)(t->s.facts.size > t->s.facts.code_end) << CLASS_DATA;
        sum->modules++;
        for (u32 f = 0; f < t->s.facts.func_count; f++) classes |= t->s.classes[f];
        for (u32 k = 0; k < CLASS_COUNT; k++) sum->class_modules[k] += classes >> k & 1;
        for (u32 k = 0; k < MUTANTS_PER_MODULE && sum->mutants < count && !ended; k++)
            test_mutant(t, (u32)(random64(&t->random) % t->s.facts.func_count));
    }
    arena_reset(&t->arena);
    arena_reset(&t->scratch);
}

/* ---- processes ---- */

static void run_tests(struct tally *sum, u64 count, u64 seed) {
    T.sum = sum;
    options.seed = seed;
    T.random = seed * 0x9e3779b97f4a7c15 | 1;
    T.replay = (struct replay){.machine = machine_open(), .s = &T.s, .v = &T.v, .arena = &T.arena, .tally = &sum->runs, .random = seed | 1, .audit = options.off ? 0 : options.audit};
    for (u64 module = seed; sum->mutants < count && !ended; module++) {
        if (module % MODULES_PER_MACHINE == 0) { /* Unicorn 2.0.1 faults once its buffer for translations is full */
            machine_close(T.replay.machine);
            T.replay.machine = machine_open();
        }
        test_module(&T, module, count);
    }
}

static struct tally total(const struct tally *each) {
    struct tally all = {0};
    for (u32 p = 0; p < options.processes; p++)
        for (u32 k = 0; k < sizeof all / sizeof(u64); k++) ((u64 *)&all)[k] += ((const u64 *)&each[p])[k];
    return all;
}

static void print_line(const struct tally *s, time_t start) {
    printf("mutate: %llu modules, %llu mutants, %llu accepted; %llu blocks, %llu runs (%llu of them the unchanged function's; %llu of these made again, %llu not the same), %llu escapes; %ld s%s\n",
           ull(s->modules), ull(s->mutants), ull(s->accepted), ull(s->runs.blocks), ull(s->runs.runs), ull(s->runs.same), ull(s->runs.audited),
           ull(s->runs.differ), ull(s->escapes), (long)(time(NULL) - start), options.off ? " (verifier off)" : "");
    fflush(stdout);
}

static void print_tally(const struct tally *s) {
    static const char *const kinds[] = {
#define X(name, text) text,
        KINDS(X)
    };
    static const char *const classes[] = {CLASSES(X)};
#undef X
    for (u32 k = 0; k < KIND_COUNT; k++) printf("  %-14s %8llu mutants, accepted %llu\n", kinds[k], ull(s->kinds[k]), ull(s->kept[k]));
    for (u32 k = 0; k < CLASS_COUNT; k++)
        printf("  in %-14s %8llu mutants, accepted %llu; the class occurs in %llu modules\n", classes[k], ull(s->classes[k]), ull(s->class_kept[k]), ull(s->class_modules[k]));
    printf("  %llu modules were refused or too large, %llu blocks have no possible state\n", ull(s->unfit), ull(s->runs.impossible));
}

static pid_t start(u32 p, struct tally *sum) {
    u64 share = options.count / options.processes + (p < options.count % options.processes);
    pid_t pid = fork();
    if (pid) return pid;
    run_tests(sum, share, options.seed + 1000000 * p);
    _exit(0);
}

/* Until all have ended; false: one of them in another way than it should. */
static bool wait_for_all(const pid_t *pids, const struct tally *each, time_t start) {
    bool good = true, told = false;
    time_t next = start + PROGRESS_SECONDS;
    for (u32 left = options.processes; left;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid > 0) {
            left--;
            if (status) fprintf(stderr, "mutate: process %d ended with status 0x%x\n", (int)pid, (unsigned)status), good = false;
            continue;
        }
        for (u32 p = 0; ended && !told && p < options.processes; p++) kill(pids[p], SIGTERM);
        told = ended;
        usleep(20000);
        if (time(NULL) < next) continue;
        struct tally all = total(each);
        print_line(&all, start);
        next = time(NULL) + PROGRESS_SECONDS;
    }
    return good;
}

static void usage(void) {
    fprintf(stderr, "usage: mutate [-j PROCESSES] [-s SEED] [-a] [COUNT [on|off]]\n"
                    "  COUNT  mutants (1000), shared among PROCESSES (as many as processors)\n"
                    "  off    without the verifier: everything is run, and escapes must be found\n"
                    "  -a     also make every run that is known from the unchanged function, and compare\n");
    exit(2);
}

static void parse(int argc, char **argv) {
    options.processes = (u32)MIN(MAX(sysconf(_SC_NPROCESSORS_ONLN), 1L), (long)PROCESSES_MAX);
    for (int c; (c = getopt(argc, argv, "j:s:a")) != -1;) {
        if (c == 'j') options.processes = (u32)atoi(optarg);
        else if (c == 's') options.seed = strtoull(optarg, NULL, 10);
        else if (c == 'a') options.audit = 1;
        else usage();
    }
    if (!options.processes || options.processes > PROCESSES_MAX || argc - optind > 2) usage();
    for (; optind < argc; optind++) {
        if (!strcmp(argv[optind], "off")) options.off = true;
        else if (strcmp(argv[optind], "on") && !(options.count = strtoull(argv[optind], NULL, 10))) usage();
    }
}

int main(int argc, char **argv) {
    pid_t pids[PROCESSES_MAX];
    parse(argc, argv);
    struct tally *each = mmap(NULL, sizeof *each * options.processes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (each == MAP_FAILED) return perror("mutate: mmap"), 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGTERM, end);
    signal(SIGINT, end);
    time_t begun = time(NULL);
    for (u32 p = 0; p < options.processes; p++)
        if ((pids[p] = start(p, &each[p])) < 0) return perror("mutate: fork"), 2;
    bool whole = wait_for_all(pids, each, begun);
    struct tally all = total(each);
    print_tally(&all);
    print_line(&all, begun);
    u64 bad = all.escapes + all.wrong + all.runs.differ + !whole;
    if (options.off) bad = !all.escapes || !whole;
    printf("mutate: %llu passed, %llu failed\n", ull(all.mutants - MIN(bad, all.mutants)), ull(bad));
    return bad != 0;
}
