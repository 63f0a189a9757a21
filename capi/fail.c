/* fail.c: what an assertion of the engine does in somebody else's program. */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"

_Noreturn void assert_fail(const char *what, const char *file, int line) {
    fprintf(stderr, "whelk: %s:%d: assertion failed: %s\n", file, line, what);
    abort();
}
