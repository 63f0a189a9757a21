/* deny.c: refuses a system call: `whelk call NAME deny -i FILE`, FILE holding the
 * call's number as text, makes it answer EPERM from then on; an empty one allows
 * all again. In call.enter there is no way around it, whoever makes the call. */
#include <whelk.h>

WHELK_MODULE

enum { EPERM = 1, NONE = 0xffff };
static whelk_u32 denied = NONE;

WHELK_CALL_ENTER {
    (void)thread;
    if (number != denied) return WHELK_PASS;
    whelk_syscall_set_result(-EPERM); /* what it would be anyway */
    return WHELK_DROP;
}

WHELK_CTL_CALL {
    char text[8];
    whelk_u32 n = whelk_call_read(0, text, sizeof text), v = 0, digits = 0;
    (void)length;
    for (; digits < n && text[digits] >= '0' && text[digits] <= '9'; digits++) v = v * 10 + (whelk_u32)(text[digits] - '0');
    denied = digits ? v : NONE;
    return 0;
}
