/* hook.h: the hooks, what they hand over, and the verdicts they take back.
 * Shared by the kernel, extension authors (sdk/c/whelk.h follows it) and the
 * host command. Numbers are part of the ABI: never reuse one. */
#ifndef WHELK_HOOK_H
#define WHELK_HOOK_H

/* X(ID, number, "name", "parameters:results" of a native handler, fail policy)
 * A native handler is the export of that name. Types as in rt_define_func.
 *   net.rx, net.tx  (length, interface) -> verdict; bytes by whelk.frame_* imports
 *   net.tap         (length, direction) -> nothing
 *   ctl.call        (length) -> status; bytes by whelk.call_* imports
 *   call.enter      (number, thread) -> verdict; arguments by whelk.syscall_* imports
 *   call.exit       (number, thread) -> nothing; the same, and the result
 *   timer           (nanoseconds since boot) -> when next, in the same; 0: no more */
#define WHELK_HOOKS(X)                             \
    X(NET_RX, 1, "net.rx", "ii:i", FAIL_OPEN)      \
    X(NET_TX, 2, "net.tx", "ii:i", FAIL_OPEN)      \
    X(NET_TAP, 3, "net.tap", "ii:", FAIL_OPEN)     \
    X(CTL_CALL, 4, "ctl.call", "i:i", FAIL_CLOSED) \
    X(CALL_ENTER, 5, "call.enter", "ii:i", FAIL_OPEN) \
    X(CALL_EXIT, 6, "call.exit", "ii:", FAIL_OPEN) \
    X(TIMER, 7, "timer", "I:I", FAIL_OPEN)

enum whelk_hook {
#define X(id, number, name, type, policy) WHELK_HOOK_##id = number,
    WHELK_HOOKS(X)
#undef X
};

/* net.rx and net.tx. An unknown verdict counts as an error of the extension
 * and follows the fail policy. TX is rx only (send the frame back out).
 * call.enter: DROP keeps the call from being made; its result is what
 * whelk.syscall_set_result said, else -EPERM. */
enum whelk_verdict { WHELK_PASS = 0, WHELK_DROP = 1, WHELK_TX = 2, WHELK_VERDICT_COUNT };

enum whelk_direction { WHELK_RX = 0, WHELK_TX_OUT = 1 };

/* The version of this contract; modules carry it in the custom section "whelk". */
#define WHELK_ABI_VERSION 1

#endif
