/* host.c: what every fuzz target needs of the embedder: assertions that abort. */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"

_Noreturn void assert_fail(const char *what, const char *file, int line) {
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
    abort();
}
