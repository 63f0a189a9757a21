/* hang: like a kernel that is stuck: nothing can interrupt this processor. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    puts("hanging");
    fflush(stdout);
    sleep(2); /* the watchdog waits for a first sign of life */
    __asm__ volatile("1: cli; jmp 1b");
}
