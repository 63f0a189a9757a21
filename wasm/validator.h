/* validator.h: what the files of the validator share. Internal to wasm/.
 *
 * The algorithm is that of WebAssembly 2.0, appendix A.3: a stack of operand
 * types, a stack of open blocks, and a bottom type for unreachable code.
 *
 * I1 a function that fails has filled *v->error; v is of no use afterwards.
 * I2 the arrays grow by doubling and are reused from function to function, so
 *    what they take from the arena is linear in the largest function; the first of
 *    each are on the stack. */
#ifndef WHELK_WASM_VALIDATOR_H
#define WHELK_WASM_VALIDATOR_H

#include "base/assert.h"
#include "wasm/binary.h"
#include "wasm/module.h"
#include "wasm/opcodes.h"

enum {
    BOTTOM = 0, /* the type of a value that unreachable code did not push */
    BOTTOM_REF = 1, /* of one that is a reference for certain */
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
    enum wasm_op op; /* BLOCK (also for the body), LOOP, IF, ELSE, TRY_TABLE; TRY, CATCH, CATCH_ALL */
    bool unreachable;
    u32 height; /* of the operand stack where it starts, operands excluded */
    u32 loop, outer_loop; /* innermost loop inside and outside; WASM_NONE */
    u32 seen;   /* number of the last br_table that checked it */
    u32 set_locals; /* of v->set_locals where it starts */
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
    u32 *sets;  /* f->loop_sets in the making */
    u8 *ends;   /* room for f->local_ends */
    u32 *reads; /* of each local, the last: 1 + offset in the module; 0: none */
    /* Locals without a default value, and whether they are set here (3.0, 3.3.5):
     * a bitset, and the ones set since the body began, in order. */
    bool tracks_locals; /* there are such */
    u32 *local_set, *set_order, set_locals;
    u32 local_set_room, set_order_room;
    u32 height, depth, loop, br_tables;
    u32 most; /* below it there is room, and f->max_stack has been as high */
    u32 locals_room, stack_room, frames_room, sets_room, reads_room, ends_left;
};

/* Fills *v->error; text starts with the official suite's wording. */
enum err validator_fail(struct validator *v, enum err code, const char *text, ...)
    __attribute__((format(printf, 3, 4)));
/* Makes *array hold at least need elements; its contents stay. */
enum err validator_reserve(struct validator *v, void *array, u32 *room, u32 need, size_t size);

enum err validator_unknown(struct validator *v, const char *what, u32 index);
/* A type that the code mentions, with its canonical index: *t. */
enum err validator_type(struct validator *v, wasm_type *t);

/* -- the operand stack (validate_stack.c; what is common is here) -- */
static inline struct frame *top(struct validator *v) {
    assert(v->depth > 0);
    return &v->frames[v->depth - 1];
}
enum err validator_push(struct validator *v, wasm_type t);
enum err validator_pop(struct validator *v, wasm_type want);
enum err validator_pop_any(struct validator *v, wasm_type *out);
/* A reference, or what unreachable code left out. */
enum err validator_pop_ref(struct validator *v, wasm_type *out);
enum err validator_push_all(struct validator *v, struct types t);
enum err validator_pop_all(struct validator *v, struct types t);
void validator_set_unreachable(struct validator *v);
bool validator_fit(struct types have, struct types want); /* one by one */
/* The same under the names that rules are written with. */
static inline enum err push(struct validator *v, wasm_type t) {
    if (unlikely(v->height >= v->most)) return validator_push(v, t);
    v->stack[v->height++] = t;
    return ERR_OK;
}
static inline enum err pop(struct validator *v, wasm_type want) {
    if (unlikely(v->height == top(v)->height || v->stack[v->height - 1] != want)) return validator_pop(v, want);
    v->height--;
    return ERR_OK;
}
static inline enum err pop_any(struct validator *v, wasm_type *out) { return validator_pop_any(v, out); }
static inline enum err pop_ref(struct validator *v, wasm_type *out) { return validator_pop_ref(v, out); }
static inline enum err push_all(struct validator *v, struct types t) { return validator_push_all(v, t); }
static inline enum err pop_all(struct validator *v, struct types t) { return validator_pop_all(v, t); }
static inline void set_unreachable(struct validator *v) { validator_set_unreachable(v); }
static inline enum err unknown(struct validator *v, const char *what, u32 i) { return validator_unknown(v, what, i); }

/* -- validate_instr.c -- */
enum err validator_block(struct validator *v, const struct wasm_instr *i);
enum err validator_check_results(struct validator *v); /* they are on the stack, and nothing else of the block */
enum err validator_end(struct validator *v);
enum err validator_label(struct validator *v, u32 label, struct types *carried);
enum err validator_call(struct validator *v, u32 type, bool tail);
/* -- validate_ref.c: the instructions on references and locals -- */
enum err validate_ref(struct validator *v, const struct wasm_instr *i);
enum err validate_local(struct validator *v, const struct wasm_instr *i);
void validator_unset_locals(struct validator *v, u32 height);
/* -- validate_throw.c: exceptions -- */
enum err validate_throw(struct validator *v, const struct wasm_instr *i);

/* -- validate_short.c: instructions from v->c on, up to one that it leaves to validate_instr -- */
void validate_short(struct validator *v);
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
