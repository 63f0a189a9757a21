/* oracle.h: a reference interpreter to hold the compiler against: WebAssembly 2.0
 * with vectors but the relaxed ones, several memories, memory64, atomics, tail calls, typed
 * references, exceptions. Written for clarity; hosted
 * only; shares no code with jit/ or rt/.
 * It runs validated modules whose imports are functions only. */
#ifndef WHELK_TEST_ORACLE_ORACLE_H
#define WHELK_TEST_ORACLE_ORACLE_H

#include "abi/abi.h"
#include "wasm/module.h"
#include "wasm/opcodes.h"

/* References: 0 is null, else the function's index + 1. */
struct oracle_table {
    u32 *refs;
    u64 len, max;
};

struct oracle_memory {
    u8 *bytes;
    u64 pages, max;
    bool wide, shared; /* 64-bit indices */
    u32 page_log2;
};

struct oracle_exception {
    u32 tag;
    union abi_value *values;
};

enum { ORACLE_STACK = 1 << 16, ORACLE_DEPTH = 200, ORACLE_TABLE_MAX = 1 << 16 };

struct oracle {
    const struct wasm_module *m;
    struct oracle_memory *memories;
    union abi_value *globals;
    struct oracle_table *tables;
    u64 byte_limit;
    bool *dropped_data, *dropped_elem;
    union abi_value *stack, *sp; /* operands of all frames; sp is the next free slot */
    u64 steps;       /* instructions left; 0 ends the run as DEADLINE */
    u32 depth;
    enum abi_trap trap;
    struct oracle_exception *exceptions;
    u32 exception_count, exception_room, thrown; /* thrown: 1 + its number */
    u32 tail; /* 1 + function to go on with once the frame is gone */
    /* An imported function was called: args in, its only result out. */
    u64 (*host)(void *self, u32 func, const union abi_value *args);
    void *host_self;
};

/* byte_limit caps memory.grow over all memories. Runs initialisers and the start function. */
enum abi_trap oracle_init(struct oracle *o, const struct wasm_module *m, u64 byte_limit, u64 steps);
void oracle_free(struct oracle *o);
/* vals: arguments in, results out; floats as their bits, i32 zero-extended. */
enum abi_trap oracle_call(struct oracle *o, u32 func, union abi_value *vals);

/* For the files of this folder. Each answers false for an opcode that is not
 * its own; operands are popped from and results pushed to o->sp. */
bool oracle_integer(struct oracle *o, enum wasm_op op);
bool oracle_float(struct oracle *o, enum wasm_op op);
bool oracle_convert(struct oracle *o, enum wasm_op op);
bool oracle_memory(struct oracle *o, const struct wasm_instr *in);
bool oracle_atomic(struct oracle *o, const struct wasm_instr *in);
bool oracle_table(struct oracle *o, const struct wasm_instr *in);
bool oracle_vector(struct oracle *o, const struct wasm_instr *in);
/* The bytes of an access; NULL after a trap. */
u8 *oracle_place(struct oracle *o, const struct wasm_instr *in, u64 index, u32 n);
static inline u64 oracle_bytes(const struct oracle_memory *m) { return m->pages << m->page_log2; }
void oracle_run_function(struct oracle *o, u32 func); /* arguments on o->sp become results */

static inline void oracle_trap(struct oracle *o, enum abi_trap kind) {
    if (!o->trap) o->trap = kind;
}
static inline void push(struct oracle *o, u64 v) {
    assert(o->sp < o->stack + ORACLE_STACK);
    *o->sp++ = (union abi_value){.bits = {v, 0}};
}
static inline void push_whole(struct oracle *o, union abi_value v) {
    assert(o->sp < o->stack + ORACLE_STACK);
    *o->sp++ = v;
}
static inline union abi_value pop_whole(struct oracle *o) {
    assert(o->sp > o->stack);
    return *--o->sp;
}
static inline u64 pop(struct oracle *o) {
    assert(o->sp > o->stack);
    return (--o->sp)->i64;
}

#endif
