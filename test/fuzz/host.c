/* host.c: what every fuzz target needs of the embedder: assertions that abort,
 * and the seeded bug that the environment names (base/fault.h). */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/fault.h"

int fault_knob;

__attribute__((constructor)) static void seed_fault(void) {
    const char *n = getenv("WHELK_FAULT");
    if (n) fault_knob = atoi(n);
}

_Noreturn void assert_fail(const char *what, const char *file, int line) {
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
    abort();
}
