/* args.c: shows its arguments; the first is its exit status, or "trap", or "read":
 * 40 and what getchar says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    for (int i = 0; i < argc; i++) printf("argv[%d] = %s\n", i, argv[i]);
    fflush(stdout);
    if (argc > 1 && !strcmp(argv[1], "trap")) __builtin_trap();
    if (argc > 1 && !strcmp(argv[1], "read")) return 40 + getchar();
    return argc > 1 ? atoi(argv[1]) : 0;
}
