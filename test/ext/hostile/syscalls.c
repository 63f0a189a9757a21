/* syscalls.c: refuses call 39 with 77; makes the result of 110 its third
 * argument; of 1 how many of 16 bytes of the program could be read; reads to
 * beyond its own memory after 0. Its timer wants 5 ms and traps the third time. */
#include <whelk.h>

WHELK_MODULE

static char bytes[16];
static int calls;

WHELK_CALL_ENTER {
    (void)thread;
    if (number != 39) return WHELK_PASS;
    whelk_syscall_set_result(77);
    return WHELK_DROP;
}

WHELK_CALL_EXIT {
    (void)thread;
    if (number == 110) whelk_syscall_set_result((whelk_i64)whelk_syscall_arg(2));
    if (number == 1) whelk_syscall_set_result(whelk_syscall_read(whelk_syscall_arg(0), bytes, sizeof bytes));
    if (number == 0) whelk_syscall_read(whelk_syscall_arg(0), (void *)0xfffffff0ul, 4096);
}

WHELK_TIMER {
    if (++calls == 3) __builtin_trap();
    return now + 5000000;
}
