/* differ.h: one module, two engines: rt/ (the compiler) and the oracle. */
#ifndef WHELK_TEST_FUZZ_DIFFER_H
#define WHELK_TEST_FUZZ_DIFFER_H

#include "base/types.h"

/* Runs every exported function of a module in both. false: they disagree, and
 * *why (of 200 bytes) says where. One thread. A module that is refused, or
 * that asks for more than the oracle offers (imports other than env.mix, large
 * memories and tables), is a difference if valid is claimed, else agreement. */
bool differ_run(struct bytes module, bool valid, char *why);

#endif
