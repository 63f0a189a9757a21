/* wide.c: 128-bit division, by Debian's compiler-rt and sdk/c/stack_chk.c; then a
 * frame is smashed, which the stack protector turns into a trap. */
#include <stdio.h>

typedef unsigned __int128 wide;

static void show(wide v) {
    char text[40], *p = text + sizeof text - 1;
    for (*p = 0; v || !*p; v /= 10) *--p = (char)('0' + (int)(v % 10));
    puts(p);
}

__attribute__((noinline)) static void smash(volatile unsigned n) {
    char frame[16];
    for (volatile char *p = frame; n--; p++) *p = 'x';
}

int main(void) {
    wide product = 1;
    for (unsigned i = 2; i <= 33; i++) product *= i;
    show(product);
    show(product / 1000000007);
    show((wide)(-(__int128)product % 1000003 * -1));
    fflush(stdout);
    smash(32);
    return 0;
}
