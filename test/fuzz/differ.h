/* differ.h: one module, two engines: rt/ (the compiler) and the oracle. */
#ifndef WHELK_TEST_FUZZ_DIFFER_H
#define WHELK_TEST_FUZZ_DIFFER_H

#include "base/types.h"

/* Runs every exported function of a generated module in both. false: they
 * disagree, and *why (of 200 bytes) says where. One thread. */
bool differ_run(struct bytes module, char *why);

#endif
