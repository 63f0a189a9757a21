/* native.h: programs of the fuzzer of accepted code (native.c). Registers are named as
 * in verify/internal.h. */
#ifndef WHELK_TEST_VERIFY_NATIVE_H
#define WHELK_TEST_VERIFY_NATIVE_H

#include "test/verify/mutate.h"

enum { PIECES = 20, PIECE_BYTES = 64, PLACES = 4, NATIVE_TRAPS = 64, NATIVE_POINTS = 2, SWITCH_WAYS = 3 };

/* A field of code that names a place: a piece, the function that is called, a table of a switch. */
enum place_kind { TO_NEAR /* one byte, to a piece */, TO_FAR, TO_CALLEE, TO_SWITCH };

struct place {
    enum place_kind kind;
    u32 at, to; /* at: in its piece */
};

/* An instruction, or some that belong together. */
struct piece {
    u8 bytes[PIECE_BYTES];
    u32 n, pc; /* pc: where it was laid */
    struct place places[PLACES];
    u32 place_count;
};

/* A point of the table: at piece `at`. */
struct native_point {
    u32 at, keep;
};

/* Piece 0 is the entry, piece `last` leaves. */
struct program {
    u64 random;
    const struct abi_layout *layout;
    struct piece pieces[PIECES];
    u32 last, self; /* self: the piece that is being made */
    u32 saves, slots, frame, spare;
    struct verify_trap traps[NATIVE_TRAPS];
    struct native_point points[NATIVE_POINTS];
    u32 trap_count, point_count;
};

static inline u32 below(struct program *g, u32 n) { return (u32)((random64(&g->random) >> 13) % n); }

/* ---- native_make.c ---- */

void make_program(struct program *g);
void make_piece(struct program *g, u32 at);
void make_entry(struct program *g);
void make_leave(struct program *g);
void make_nothing(struct program *g, u32 at); /* a nop */

/* ---- native_run.c: a process's one environment ---- */

enum native_end { END_RETURNED, END_TRAPPED, END_SLOW, END_ESCAPED };

/* code: where m's bytes may run; function 0 is g. False: no memory. */
bool run_open(const struct verify_module *m, u8 *code);
/* Once, with registers from g's random numbers. what: of an escape. */
enum native_end run_program(struct program *g, const struct verify_func *f, const char **what);
void run_fresh(void); /* everything as it was before any run */

#endif
