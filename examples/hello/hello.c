/* hello.c: the smallest program: plain C for Linux. Prints what it was given. */
#include <stdio.h>
#include <stdlib.h>

extern char **environ;

int main(int argc, char **argv) {
    printf("hello from a Linux program\n");
    for (int i = 0; i < argc; i++) printf("argv[%d] = %s\n", i, argv[i]);
    for (char **e = environ; *e; e++) printf("env %s\n", *e);
    return argc > 1 ? atoi(argv[1]) : 0;
}
