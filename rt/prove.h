/* prove.h: the proof of compiled code, for who compiles without loading, too. */
#ifndef WHELK_RT_PROVE_H
#define WHELK_RT_PROVE_H

#include "jit/jit.h"
#include "rt/rt.h"

struct verify_module;

/* What the verifier is told, in a; false: no memory. */
bool rt_proof_facts(struct arena *a, const struct wasm_module *w, const struct jit_options *o, const struct jit_code *c,
                    struct verify_module *out);
/* The machine code is safe, or ERR_PROOF, or ERR_NOMEM; before anything of it is executable.
 * error->offset: of the function in the module; SIZE_MAX for what belongs to none. */
enum err rt_prove(struct arena *scratch, const struct wasm_module *w, const struct jit_options *o, const struct jit_code *c,
                  struct rt_error *error);

#endif
