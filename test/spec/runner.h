/* runner.h: runs a pack of the official suite (see convert.py for its format)
 * through rt/rt.h. Freestanding: hosted under sanitizers and in ring 0.
 *
 * Each script has a store and a linker of its own, with the suite's module
 * "spectest". A module that needs a later feature must be listed as deferred
 * and be refused as unsupported; whatever then needs it is skipped. */
#ifndef WHELK_TEST_SPEC_RUNNER_H
#define WHELK_TEST_SPEC_RUNNER_H

#include "rt/rt.h"

struct spec_counts {
    u32 passed, failed, skipped;
};

enum { SPEC_GROUPS = 15 };

struct spec_options {
    struct rt_engine *engine;
    void (*print)(const char *text, size_t n);
    const char *only;   /* name of the one script to run; NULL: all */
    const char *label;  /* before the totals; "" for none */
    bool list_deferred; /* print a line for each module that deferred.txt lacks */
};

/* Prints failures, a line per group, and label "N passed, N failed, N skipped".
 * true: nothing failed and something passed. */
bool spec_run(const struct spec_options *o, struct bytes pack, struct spec_counts *total);

#endif
