/* heartbeat.c: the hook `timer`: counts seconds, exactly, however late a call
 * comes. `whelk call NAME heartbeat` answers with the count and when it began. */
#include <whelk.h>

WHELK_MODULE

#define SECOND 1000000000ull
static struct {
    whelk_u64 beats, first, next;
} state;

WHELK_TIMER {
    if (!state.first) state.first = state.next = now;
    while (state.next <= now) state.beats++, state.next += SECOND;
    return state.next;
}

WHELK_CTL_CALL {
    (void)length;
    return !whelk_reply(&state, sizeof state);
}
