/* jit.h: a validated module in, machine code and tables out. Pure.
 *
 * One tier, linear passes: SSA is built from the validated bytes, folded and
 * numbered on the way; then selection, liveness, linear scan and emission.
 * The result is position-independent and holds no address: it runs wherever rt_host
 * copies it to, as it is. */
#ifndef WHELK_JIT_JIT_H
#define WHELK_JIT_JIT_H

#include "abi/abi.h"
#include "base/arena.h"
#include "base/err.h"
#include "wasm/module.h"

/* What the CPU can do: probed by the embedder, or set by a test. */
enum { JIT_CPU_SSE41 = 1, JIT_CPU_POPCNT = 2, JIT_CPU_LZCNT = 4, JIT_CPU_BMI1 = 8, JIT_CPU_BMI2 = 16, JIT_CPU_AVX = 32, JIT_CPU_AVX2 = 64, JIT_CPU_FMA = 128 };

struct jit_options {
    u32 cpu;             /* JIT_CPU_* */
    bool checked_memory; /* explicit bounds checks instead of guard pages */
    u32 registers;       /* for tests: use at most so many of each class; 0: all */
    bool coarse;         /* for tests: liveness as for functions where it would cost too much (live.c, I3) */
    /* Type ids, unique in the machine: type_ids[i] for the module's type i; never 0. */
    const u32 *type_ids;
    /* For tests and `whelk check --dump`: called with text, or NULL. */
    void (*dump)(void *self, const char *text, size_t n);
    void *dump_self;
    const char *dump_passes; /* letters of the passes to dump; NULL: none */
    bool lines;          /* note what of the module code comes from: jit_code.lines. Changes no code */
    u64 (*now_ns)(void); /* a clock, if pass_ns is wanted; or NULL */
};

/* What compile time is spent on: the passes, then the rest. */
enum jit_pass { JIT_BUILD, JIT_CLEAN, JIT_SELECT, JIT_LIVE, JIT_ALLOC, JIT_EMIT, JIT_GLUE, JIT_PASS_COUNT };
const char *jit_pass_name(enum jit_pass p);

struct jit_trap_site {
    u32 pc;   /* offset of the instruction that faults */
    u32 kind; /* enum abi_trap */
};

/* What is caught where. A call whose return address is pc is inside of the
 * handlers catches[first..first + count), the nearest first. */
struct jit_site {
    u32 pc, first, count;
};
struct jit_catch {
    u32 tag; /* index in the module; WASM_NONE: everything */
    u32 pc;  /* of the pad: entered with r14 and r15 set, rsp as in the function's body */
    u32 ref; /* not 0: with a reference to it */
};

/* Where a jump back lands, and what to keep of what is known there: registers
 * whose upper half is zero (bits 0..15), JIT_KEEP_SPARE. Or a pad. For the verifier,
 * which believes none of it: less loses proofs, more is refused. */
struct jit_point {
    u32 pc, keep;
};
#define JIT_KEEP_SPARE (1u << 16)
#define JIT_KEEP_ALL (0xffff | JIT_KEEP_SPARE)
#define JIT_POINT_PAD (1u << 31)

/* From pc on, until the next one, code is of the instruction at this offset in the
 * module; 0: of none, or of several (a trap's exit). */
struct jit_line {
    u32 pc, offset;
};

/* The id of a type in an instruction: in another engine it is another number. The
 * ids before entries and host stubs are not among them. */
struct jit_type_use {
    u32 at, type;
};

struct jit_func {
    u32 entry, end;  /* offsets in code; the type id is at entry - 4 */
    u32 frame;       /* bytes below the return address */
    u32 spare;       /* offset from rsp of the slot for borrowed registers (or beyond the frame) */
    u32 wasm_offset; /* of the body in the module, for messages */
};

struct jit_code {
    u8 *bytes; /* in the output arena */
    u32 size;
    u32 code_end;           /* [0, code_end) is instructions; then constants and switch tables */
    struct jit_func *funcs; /* one per defined function */
    u32 func_count;
    u32 *thunks; /* one per type: offset of its entry thunk, or UINT32_MAX: none of it escapes. Equal types share one */
    u32 trap_exit;
    u32 *adaptors;   /* one per imported function: offset, or UINT32_MAX: no code calls it as C (abi.h) */
    u32 *host_stubs; /* one per type: offset of its host stub (abi.h), or UINT32_MAX: no import has the type */
    /* Glue: thunks, stubs, trap exit. Here the timer may not divert: r14 may not
     * be set. No pc in it is a trap site. */
    u32 thunks_start, thunks_end;
    bool vectors;                 /* some instruction uses a vector register */
    u64 pass_ns[JIT_PASS_COUNT];  /* with jit_options.now_ns */
    struct jit_trap_site *traps;  /* sorted by pc */
    u32 trap_count;
    struct jit_site *sites; /* sorted by pc */
    struct jit_catch *catches;
    u32 site_count, catch_count;
    u32 cross_return; /* a return address in glue, below which the caller's r14 is saved */
    struct jit_point *points;     /* ascending by pc; nested loops may share one */
    u32 point_count;
    struct jit_type_use *type_uses; /* ascending */
    u32 type_use_count;
    struct jit_line *lines; /* ascending by pc; with jit_options.lines */
    u32 line_count;
};

/* What made a compile fail: ERR_LIMIT (function too large), ERR_UNSUPPORTED
 * (feature of the CPU), ERR_NOMEM. */
struct jit_error {
    enum err code;
    u32 func; /* in the module's function index space */
    char text[120];
};

/* out and its tables live in result; scratch is marked and released. */
enum err jit_compile(struct arena *result, struct arena *scratch, const struct wasm_module *m,
                     const struct jit_options *options, struct jit_code *out,
                     struct jit_error *error);

#endif
