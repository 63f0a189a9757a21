/* control.h: frames and labels of the oracle. */
#ifndef WHELK_TEST_ORACLE_CONTROL_H
#define WHELK_TEST_ORACLE_CONTROL_H

#include "test/oracle/oracle.h"

enum label_kind { LABEL_BLOCK, LABEL_LOOP, LABEL_TRY_TABLE, LABEL_TRY, LABEL_CATCH };

struct label {
    const u8 *target; /* a loop: after its head; else: after its end */
    union abi_value *height;
    u32 arity;
    enum label_kind kind;
    struct cursor clauses; /* TRY_TABLE */
    const u8 *body;        /* TRY: where it begins; its handlers are behind it */
    u32 caught;            /* CATCH: 1 + exception */
};

struct frame {
    const struct wasm_func *f;
    const struct wasm_functype *type;
    union abi_value *locals;
    struct label *labels;
    u32 depth;
    struct cursor c;
};

void oracle_branch(struct oracle *o, struct frame *f, u32 depth);
/* false: not an instruction on exceptions. */
bool oracle_throw(struct oracle *o, struct frame *f, const struct wasm_instr *in);
/* o->trap is EXCEPTION: goes on where this frame catches it, if it does. */
void oracle_catch(struct oracle *o, struct frame *f);

#endif
