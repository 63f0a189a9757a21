/* spin: a WASI program that is always in one function. */
#include <stdio.h>

static volatile unsigned sink;

__attribute__((noinline)) unsigned hot_function(unsigned n) {
    for (unsigned i = 0; i < n; i++) sink = sink * 3 + i;
    return sink;
}

int main(void) {
    puts("spinning");
    fflush(stdout);
    for (unsigned n = 1;; n ^= hot_function(1u << 24)) continue;
}
