/* forge: a guest that lies: a record of a panic with what must not reach a terminal, or
 * with a wrong length, and then the device that says "panicked". Word 1: which. */
#include <stdio.h>
#include <string.h>

#include "base/crash.h"

static struct crash_record record __attribute__((aligned(CRASH_ALIGN)));

int main(int argc, char **argv) {
    static const char text[] = "panic: \033]0;title\a\033[2J\x9b\x31m\xff forged\nbacktrace:\n  0x1 \033[31mred\n";
    record.bytes = sizeof record;
    record.length = argc > 1 && !strcmp(argv[1], "long") ? CRASH_TEXT + 1 : CRASH_TEXT;
    memset(record.text, 'x', sizeof record.text); /* no line ends, and no zero */
    memcpy(record.text, text, sizeof text - 1);
    *(volatile u64 *)&record.magic[0] = CRASH_MAGIC_0;
    *(volatile u64 *)&record.magic[1] = CRASH_MAGIC_1;
    puts("lying");
    fflush(stdout);
    __asm__ volatile("outb %0, %1" : : "a"((u8)1), "Nd"((u16)0x505) : "memory");
    return 3;
}
