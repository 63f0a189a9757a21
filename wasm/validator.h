/* validator.h: what the files of the validator share. Internal to wasm/.
 *
 * The algorithm is that of WebAssembly 2.0, appendix A.3: a stack of operand
 * types, a stack of open blocks, and a bottom type for unreachable code.
 *
 * I1 a function that fails has filled *v->error; v is of no use afterwards.
 * I2 the arrays grow by doubling and are reused from function to function, so
 *    what they take from the arena is linear in the largest function. */
#ifndef WHELK_WASM_VALIDATOR_H
#define WHELK_WASM_VALIDATOR_H

#include "wasm/binary.h"
#include "wasm/module.h"
#include "wasm/opcodes.h"

enum {
    BOTTOM = 0, /* the type of a value that unreachable code did not push */
    MAX_STACK = 1000000,
    MAX_DEPTH = 100000,
    MAX_LOOP_WORDS = 4 << 20,
};

struct types {
    const wasm_type *p;
    u32 n;
};

/* An open block. */
struct frame {
    enum wasm_op op; /* BLOCK (also for the body), LOOP, IF, ELSE */
    bool unreachable;
    u32 height; /* of the operand stack where it starts, operands excluded */
    u32 loop, outer_loop; /* innermost loop inside and outside; WASM_NONE */
    u32 seen;   /* number of the last br_table that checked it */
    struct types params, results;
};

struct validator {
    struct arena *arena;
    struct wasm_module *m;
    struct wasm_error *error;
    struct cursor c; /* starts at the module's first byte */
    u32 at;          /* of the current instruction */
    bool constant;   /* in a constant expression: */
    u32 globals_end; /* globals below it are visible */
    struct wasm_func *f;
    wasm_type *locals;
    wasm_type *stack;
    struct frame *frames;
    u32 *sets; /* f->loop_sets in the making */
    u32 height, depth, loop, br_tables;
    u32 locals_room, stack_room, frames_room, sets_room;
};

/* Fills *v->error; text starts with the official suite's wording. */
enum err validator_fail(struct validator *v, enum err code, const char *text, ...)
    __attribute__((format(printf, 3, 4)));
/* Makes *array hold at least need elements; its contents stay. */
enum err validator_reserve(struct validator *v, void *array, u32 *room, u32 need, size_t size);

/* One instruction, already read. */
enum err validate_instr(struct validator *v, const struct wasm_instr *i);
/* Opens a block: its operands must have been popped. */
enum err validator_enter(struct validator *v, enum wasm_op op, struct types params,
                         struct types results);
/* The function's body; f->code is all of it. Fills in what is noted. */
enum err validate_func(struct validator *v, struct wasm_func *f);
/* A constant expression that must yield this type. */
enum err validate_init(struct validator *v, const struct wasm_init *init, wasm_type expected);

#endif
