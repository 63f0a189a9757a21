/* mutate.h: mutants of emitted code, and an emulator that watches them.
 *
 * The emulator knows nothing of the verifier's rules: watch.c has its own list of what
 * a proven function may touch and where it may go (the theorem of verify.h), and looks
 * at every access, every transfer and every instruction's address. */
#ifndef WHELK_TEST_VERIFY_MUTATE_H
#define WHELK_TEST_VERIFY_MUTATE_H

#include "verify/internal.h"

enum { RUNS = 16, MAX_FUNCS = 64 };

struct range {
    u32 low, high;
};

/* Function f got so many bytes more, or lost some: what began behind
 * `at` has moved. by 0: nothing has. */
struct edit {
    u32 f, at;
    i32 by;
};

/* A module under test: facts.code is bytes, which mutation changes, and so it does with
 * the tables that name places; original and `was` stay. */
struct subject {
    struct verify_module facts, was;
    u8 *bytes;
    const u8 *original;
    struct verify_func *funcs; /* these are the facts' */
    struct verify_trap *traps;
    struct verify_point *points;
    struct verify_site *sites;
    struct verify_catch *catches;
    struct edit edit;
    u32 *marks[MAX_FUNCS];  /* the proof's, of the unchanged functions */
    u32 classes[MAX_FUNCS]; /* a bit per enum mutant_class that occurs */
};

/* Where function f must end: there the next one's type id is, or glue. */
static inline u32 subject_room(const struct subject *s, u32 f) {
    const struct verify_module *m = &s->was;
    return f + 1 < m->func_count ? m->funcs[f + 1].entry - 4 : m->glue_start;
}

static inline u64 random64(u64 *s) { /* xorshift64* */
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 0x2545f4914f6cdd1d;
}

/* ---- mutants.c: what is changed, and in what kind of instruction ---- */

#define KINDS(X)                                                                             \
    X(FLIPPED, "bits flipped") X(IMMEDIATE, "immediates") X(SWAPPED, "swapped")             \
    X(DROPPED, "dropped") X(REGISTER, "registers") X(ONE, "bits in one") X(CONDITION, "conditions") \
    X(INDEXED, "index added") X(UNINDEXED, "index dropped") X(DISPLACED, "displaced") X(REX, "REX added") \
    X(INSERTED, "inserted") X(TWO, "two at once")
#define CLASSES(X)                                                                            \
    X(INTEGER, "integers") X(FLOAT, "floats") X(VECTOR, "vectors") X(MEMORY, "memory 0")        \
    X(FURTHER, "by pointer") X(VECTOR_MEMORY, "vector access") X(ATOMIC, "atomics")             \
    X(FRAME, "frame") X(CONTEXT, "context") X(CONSTANT, "constants") X(DIVIDE, "division")      \
    X(BRANCH, "branches") X(CALL, "calls") X(THROW, "calls in try") X(PAD, "landing pads")      \
    X(INDIRECT, "call_indirect") X(TAIL, "tail calls") X(SWITCH, "br_table") X(LEAVE, "entry, return") \
    X(TRAP, "traps") X(DATA, "data")
enum mutant_kind {
#define X(name, text) KIND_##name,
    KINDS(X)
#undef X
        KIND_COUNT
};
enum mutant_class {
#define X(name, text) CLASS_##name,
    CLASSES(X)
#undef X
        CLASS_COUNT
};

/* Changes a thing or two in function f or in a switch table. */
enum mutant_kind mutant_make(struct subject *s, u32 f, u64 *random);
/* Of what was changed first. */
enum mutant_class mutant_class(const struct subject *s, u32 f);
/* The classes that occur in function f, a bit each. */
u32 mutant_classes(const struct subject *s, u32 f);

/* ---- edit.c: an instruction gets another length ---- */

/* Tables of the subject's own, to be changed. False: no memory. */
bool edit_open(struct subject *s, struct arena *a);
/* Gives some instruction of [at, end) an index, or takes it away, or changes its
 * displacement, or adds a REX prefix.
 * False: none has or lacks one, or there is no room. */
bool edit_make(struct subject *s, u32 f, enum mutant_kind kind, u32 at, u32 end, u64 *random);
/* A copy of the instruction at from comes before what begins at `behind`. False: this
 * one cannot be copied, or there is no room. */
bool edit_insert(struct subject *s, u32 f, u32 behind, u32 from);
/* Everything, whatever changed it, is as it was. */
void edit_undo(struct subject *s);
/* Where that is now which was at pc. */
u32 edit_moved(const struct subject *s, u32 pc);

/* ---- machine.c: the emulator ---- */

/* A run: function f from pc, from random registers (of seed) of which holds what is
 * known (bits as verifier.known) and r11. Runs of equal code, block and seed are the
 * same in every step. */
struct run {
    u32 f, pc, known;
    const struct value *r11; /* NULL: nothing known */
    u64 seed;
    u8 *cover;               /* bit per byte of code: executed, or read as data; or NULL */
    u64 trace;               /* out: a hash of each address executed and accessed */
};

struct machine *machine_open(void);
void machine_close(struct machine *k);
/* False: larger than the machine. */
bool machine_load(struct machine *k, const struct subject *s, u64 seed);
/* Function f or data have changed: takes them over. changed, if not NULL: a bit per
 * byte of code, set where a byte differs from the original, or instructions begin
 * elsewhere. machine_bits() of them, for f: the function's bytes, then the data's. */
void machine_patch(struct machine *k, u32 f, u8 *changed);
u32 machine_bits(const struct machine *k, u32 f);
/* Does a state in which r11 holds x exist? Memories have a size here. */
bool machine_possible(const struct value *x);
/* NULL, or how it escaped. */
const char *machine_run(struct machine *k, struct run *r);

/* ---- replay.c: a run that executes and reads no changed byte is as it was ---- */

struct replay_tally {
    u64 blocks, impossible; /* impossible: not run, since no such state exists */
    u64 runs, same;         /* same: of the runs, those known from the unchanged function, and not made again */
    u64 audited, differ;    /* of these, made nonetheless, and found not the same */
};

struct replay {
    struct machine *machine;
    const struct subject *s;
    struct verifier *v; /* of the last proof: marks */
    struct arena *arena;
    struct replay_tally *tally;
    u64 seed, random;
    u32 audit; /* one in so many; 0: none */
    u32 traps[MAX_FUNCS + 1], points[MAX_FUNCS + 1]; /* the proof's cursors before each function */
    struct replay_function *functions[MAX_FUNCS];
    u32 at;    /* where it escaped: offset in the function, and what was known there */
    u32 known;
};

/* Runs function f, unchanged and proven, from every block. NULL, or how it escapes. */
const char *replay_record(struct replay *r, u32 f);
/* Of function f, changed and, unless `off`, proven. */
const char *replay_mutant(struct replay *r, u32 f, bool off);

#endif
