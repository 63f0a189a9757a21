/* proof.h: compiled modules and what the verifier is told of them, for attacks that begin
 * where all is well. */
#ifndef WHELK_TEST_LIB_PROOF_H
#define WHELK_TEST_LIB_PROOF_H

#include "jit/jit.h"
#include "verify/verify.h"

/* Imports, memories of three kinds, a table, globals; function 0 has room, and calls,
 * divides and stores. */
extern const char proof_victim[];

/* False: it does not compile. Both arenas must outlive *facts. */
bool proof_of(struct arena *arena, struct arena *scratch, const char *text, struct jit_code *code, struct verify_module *facts);

#endif
