/* term: prints the time, waits for SIGTERM, and then ends in its own way. */
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t asked;
static void on_term(int number) {
    (void)number;
    asked = 1;
}

int main(void) {
    signal(SIGTERM, on_term);
    printf("time %ld\nwaiting\n", (long)time(NULL));
    fflush(stdout);
    while (!asked) pause();
    puts("asked to end");
    return 7;
}
