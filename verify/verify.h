/* verify.h: proves machine code safe before it runs, from its final bytes alone.
 *
 * THEOREM. Code that verify_code accepts, entered at a function's entry or through a
 * thunk with the registers that abi.h states, and with memory, tables and contexts as
 * rt/ keeps them,
 *   reads and writes only: linear memories inside their windows; its own frame below
 *     the saved registers; fields of its context, of its store's overflow area, of its
 *     tables and of its globals, each as declared (what is immutable is only read);
 *     and reads the module's constants;
 *   transfers control only: to instructions of the same function that this proof has
 *     seen, to entries of the module's functions, to the module's glue, to what a
 *     table's or the store's entry names once its index and type id were checked, to
 *     the host functions and builtins of its own context, and back to who called;
 *   keeps rsp, r14, r15 and the callee-saved registers as the convention has them;
 *   faults only at the pcs of the trap table.
 * It does not say that the code computes what the module means (tests and fuzzers do),
 * nor that values stay secret. References are 32-bit handles that whoever uses them
 * checks; builtins and host functions take handles and offsets, never pointers, and
 * validate them; only the glue passes a pointer, the context, in a fixed sequence.
 *
 * METHOD. One pass forward over each function. What is known of a register is one of:
 * nothing; its upper half is zero; a pointer or a bounded number (enum verify_value).
 * A jump forward leaves what is known at its target; there the meet of all that come
 * holds. A jump back must land on a declared point. There only what its mask keeps
 * stays known, and every jump back must have as much. The compiler's tables (points,
 * frames, traps) are hints: wrong ones get code refused, never accepted.
 *
 * EXTENDING. A new instruction form is a row in encodings.h: prefix, opcode, what it
 * does to its operands, widths, CPU feature. A form that must only occur in a fixed
 * sequence gets a template in template.c or glue.c. Another kind of pointer is a value in
 * enum verify_value (internal.h) with a case in memory.c. A landing pad is a
 * point with VERIFY_PAD: entered with nothing known. A new rule gets a number below,
 * the attack that it stops, and a case in test/unit/verify_attack.c. */
#ifndef WHELK_VERIFY_VERIFY_H
#define WHELK_VERIFY_VERIFY_H

#include "abi/abi.h"
#include "base/arena.h"
#include "base/err.h"

/* The rules, and the attack that each one stops. */
#define VERIFY_RULES(X)                                                                                   \
    X(ENCODING, "not a permitted instruction")  /* 1: wrmsr, mov to segment, string operations, syscall */ \
    X(MEMORY, "address may leave the memory")   /* 2: index sign-extended, dirty, scaled; wide load at the end */ \
    X(FRAME, "stack access outside the frame")  /* 3: a store over the return address or a saved register */ \
    X(CONTEXT, "no such context field")         /* 4: writing memory's base or a builtin's address */      \
    X(POINTER, "address is no proven pointer")  /* 5: a stale or forged pointer; fields beyond the object */ \
    X(PINNED, "pinned register")                /* 6: another r14, r15 or rsp; theirs leaking into values */ \
    X(SAVED, "callee-saved register not saved") /* 7: the caller's index changed under its feet */         \
    X(BRANCH, "no such place to jump to")       /* 8: into an instruction, or past a check of its target */ \
    X(CALL, "no such function to call")         /* 9: a kernel symbol that was not imported */             \
    X(INDIRECT, "indirect transfer unchecked")  /* 10: call_indirect without bounds or type check */       \
    X(DIVIDE, "division may fault")             /* 11: a fault in ring 0 that no trap explains */          \
    X(TRAPS, "trap table disagrees")            /* 12: an access whose fault is taken for a kernel bug */  \
    X(DATA, "constant outside the data")        /* 13: reading the kernel by rip */                        \
    X(GLUE, "glue is not as it must be")        /* 14: a host call with a forged context, without headroom */ \
    X(TABLES, "tables contradict each other")   /* 15: functions that overlap, a wrong type id at an entry */ \
    X(RETURN, "frame not left as entered")      /* 16: returning with rsp or saved registers off */        \
    X(END, "falls off the function's end")      /* 17: into padding, or the next function's middle */      \
    X(ALIGN, "stack misaligned at a call")      /* 18: a fault in C code of the kernel */                  \
    X(NOMEM, "out of memory")

enum verify_rule {
#define X(name, text) VERIFY_##name,
    VERIFY_RULES(X)
#undef X
        VERIFY_RULE_COUNT
};

/* What the CPU has: a form of another CPU may mean another instruction. */
enum { VERIFY_CPU_SSE41 = 1, VERIFY_CPU_POPCNT = 2, VERIFY_CPU_LZCNT = 4, VERIFY_CPU_BMI1 = 8, VERIFY_CPU_BMI2 = 16, VERIFY_CPU_AVX = 32, VERIFY_CPU_AVX2 = 64, VERIFY_CPU_FMA = 128 };

struct verify_trap {
    u32 pc, kind; /* enum abi_trap */
};

/* keep: registers whose upper half stays known to be zero (bits 0..15), the spare
 * slot's (bit 16). */
struct verify_point {
    u32 pc, keep;
};
#define VERIFY_PAD (1u << 31) /* of keep: entered from outside the function, nothing known */

/* What an unwinder believes: a call whose return address is pc is inside of the
 * handlers catches[first..first + count); a handler is entered at its pad. */
struct verify_site {
    u32 pc, first, count;
};
struct verify_catch {
    u32 tag, pc; /* tag UINT32_MAX: any */
    u32 ref;
};

struct verify_func {
    u32 entry, end, frame, spare; /* as in struct jit_func */
    u32 type;                     /* index into types */
};

/* Classes of values in signatures: one letter each. */
enum { VERIFY_INT = 'i', VERIFY_FLOAT = 'f', VERIFY_VECTOR = 'v' /* a float's places, 16 bytes */ };
struct verify_type {
    u32 id, canon; /* canon: the first equal type */
    u32 thunk, host_stub; /* offsets, or UINT32_MAX */
    u32 param_count, result_count;
    const u8 *params; /* param_count letters, then result_count */
};

enum { VERIFY_GLOBAL_CELL = 1, VERIFY_GLOBAL_WRITE = 2 };

struct verify_module {
    const u8 *code;
    u32 size, code_end;       /* instructions, then data */
    u32 glue_start, glue_end, trap_exit;
    u32 cross_return;         /* the glue's return address that an unwinder knows */
    u32 cpu;                  /* VERIFY_CPU_* */
    const struct verify_func *funcs; /* ascending */
    const struct verify_type *types; /* equal types have equal ids */
    const u32 *imports;       /* the type of each imported function */
    const u32 *adaptors;      /* of each: an offset, or UINT32_MAX: none may be called as C */
    const u8 *globals;        /* per global: VERIFY_GLOBAL_* */
    const u8 *guarded;        /* per memory: its window is front and back, and faults are traps */
    const struct verify_trap *traps;   /* ascending by pc */
    const struct verify_point *points; /* ascending by pc */
    const struct verify_site *sites;   /* ascending by pc */
    const struct verify_catch *catches;
    u32 func_count, type_count, trap_count, point_count, site_count, catch_count, tag_count;
    struct abi_counts counts;
    struct abi_layout layout;
    u64 front, back;          /* a guarded memory's window: before and from its base */
};

struct verify_error {
    enum verify_rule rule;
    u32 func;   /* among funcs; UINT32_MAX: glue or tables */
    u32 offset; /* in code */
};

/* ERR_OK or ERR_PROOF, or ERR_NOMEM. scratch is marked and released. */
enum err verify_code(struct arena *scratch, const struct verify_module *m, struct verify_error *why);
const char *verify_rule_text(enum verify_rule r);

#endif
