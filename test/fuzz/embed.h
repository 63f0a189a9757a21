/* embed.h: an embedder that does as the bytes of the input say: what it holds, how it
 * takes its choices, and what it makes of types and values.
 *
 * I1 it keeps to wasm.h: it deletes what it owns, once, and hands over what is own; what
 *    is borrowed for a call lives until its end. Everything else may be: objects of
 *    another store, of a deleted one, of another kind; wrong counts; no vector.
 * I2 every finalizer that was set has run when all is deleted, once.
 * I3 an allocation fails when the input says so: then anything may be refused. */
#ifndef WHELK_TEST_FUZZ_EMBED_H
#define WHELK_TEST_FUZZ_EMBED_H

#include <whelk/engine.h>

#include "base/types.h"

enum { STORES = 2, REFS = 24, TYPES = 6, VALS = 8, VALUES_MOST = 70, DEPTH_MOST = 3 };

struct embed_store {
    wasm_store_t *s; /* NULL: none */
    u32 id;          /* of this life; 0: never */
    u32 busy;        /* calls that are in it: it cannot go */
};

struct embed_slot {
    wasm_ref_t *ref; /* own; NULL: empty */
    u32 store;       /* its store's id */
};

struct embed {
    const u8 *at, *end;
    struct embed_store stores[STORES];
    struct embed_slot refs[REFS];
    wasm_externtype_t *types[TYPES];
    wasm_val_t vals[VALS];
    wasm_shared_module_t *shared;
    u32 ids, depth;
    u32 finalizers, finalized; /* set, run */
    u32 failing;               /* the allocation that will fail: 1 is the next; 0: none */
    u32 failed;                /* so many did */
};
extern struct embed embed;
extern wasm_engine_t *embed_engine;

void embed_open(const u8 *data, size_t n);
void embed_close(void); /* all goes, in an order that the input has chosen */

/* Choices; 0 when the input is over. */
u32 take_byte(void);
u32 take_below(u32 n); /* n up to 256 */
bool take_chance(u32 of); /* one of so many; never when the input is over */

struct embed_store *take_store(void);           /* one that lives, or NULL */
struct embed_store *embed_store_of(u32 id);     /* NULL: it is gone */
struct embed_slot *take_slot(void);             /* any that is not empty, or NULL */
#define EMBED_KINDS(X) X(func) X(global) X(table) X(memory) X(extern) X(trap) X(foreign) X(module) X(instance)
#define X(kind) struct embed_slot *take_##kind(void); /* the same, of that kind */
EMBED_KINDS(X)
#undef X
void put_ref(wasm_ref_t *own, u32 store);       /* in a slot, whose own reference goes; NULL: nothing */
wasm_ref_t *take_ref(void);                     /* any, borrowed; or NULL */

/* A value of that kind, borrowed; sometimes of another kind, or another store's. */
wasm_val_t take_value(wasm_valkind_t kind);
wasm_val_t take_own_value(wasm_valkind_t kind);
/* A type; NULL: it could not be made. */
wasm_externtype_t *take_new_type(void);
const wasm_externtype_t *take_type(void); /* of those that are kept, or NULL */
/* An object of that type; NULL: it was refused. Its id is st's. */
wasm_extern_t *embed_make(struct embed_store *st, const wasm_externtype_t *t);

/* The binary of one of the modules (embed_modules.c), some bytes of it changed
 * perhaps. The caller's to delete. */
void take_binary(wasm_byte_vec_t *out);
void take_damage(wasm_byte_vec_t *v);
void embed_modules_init(void);

void embed_count_final(void *info);
/* fuzz_capi.c: one thing that an embedder may do. */
void embed_step(void);

#endif
