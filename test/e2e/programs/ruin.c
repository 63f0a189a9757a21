/* ruin: calls the kernel's panic(), whose address is word 1: nothing keeps a program from it. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    void (*panic)(const char *format, ...) = (void (*)(const char *, ...))strtoull(argc > 1 ? argv[1] : "0", NULL, 16);
    puts("ruining");
    fflush(stdout);
    panic("by a program, %s", "on purpose");
    return 0;
}
