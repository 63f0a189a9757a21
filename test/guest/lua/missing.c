/* missing.c: what Lua's library wants of C and WASI does not have. Each says that
 * it could not. */
#include <stdio.h>

int system(const char *command) {
    (void)command;
    return -1;
}

FILE *tmpfile(void) { return NULL; }

char *tmpnam(char *name) {
    (void)name;
    return NULL;
}
