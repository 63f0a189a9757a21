/* syscount.c: counts the program's system calls. `whelk call NAME syscount`
 * answers with one line for each: its number, its name, how often, how many failed. */
#include <whelk.h>

#include "sys/names.h"

WHELK_MODULE

enum { CALLS = 512, LINE = 64 };
static whelk_u32 made[CALLS], failed[CALLS];

static const char *const names[CALLS] = {
#define X(number, name) [number] = #name,
    LINUX_CALL_NAMES(X)
#undef X
};

WHELK_CALL_EXIT {
    (void)thread;
    if (number >= CALLS) return;
    whelk_i64 result = whelk_syscall_result();
    made[number]++;
    failed[number] += result < 0 && result > -4096;
}

static char *put_text(char *to, const char *text) {
    while (*text) *to++ = *text++;
    return to;
}

static char *put_number(char *to, whelk_u32 v) {
    char digits[10];
    int n = 0;
    do digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n) *to++ = digits[--n];
    return to;
}

WHELK_CTL_CALL {
    (void)length;
    for (whelk_u32 i = 0; i < CALLS; i++) {
        char line[LINE], *at = line;
        if (!made[i]) continue;
        at = put_number(at, i);
        *at++ = ' ';
        at = put_text(at, names[i] ? names[i] : "unknown");
        *at++ = ' ';
        at = put_number(at, made[i]);
        *at++ = ' ';
        at = put_number(at, failed[i]);
        *at++ = '\n';
        if (!whelk_reply(line, (whelk_u32)(at - line))) return 1;
    }
    return 0;
}
