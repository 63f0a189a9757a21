/* signals.h: between the calls about signals and their delivery. */
#ifndef WHELK_SYS_SIGNALS_H
#define WHELK_SYS_SIGNALS_H

#include "sys/process.h"

enum signal_flags {
    SIGNAL_NOCLDSTOP = 1, SIGNAL_NOCLDWAIT = 2, SIGNAL_SIGINFO = 4, SIGNAL_RESTORER = 0x04000000,
    SIGNAL_ONSTACK = 0x08000000, SIGNAL_RESTART = 0x10000000, SIGNAL_NODEFER = 0x40000000,
};
#define SIGNAL_RESETHAND 0x80000000u

struct signal_cause {
    i32 code;     /* si_code */
    u64 address;  /* si_addr of a fault */
    u64 trap, error;
};

/* rt_sigreturn(2): puts the frame back as the handler left it; rax of it. */
i64 signal_return(struct trap_frame *frame);
/* Writes a handler's frame to the program's stack and points *frame at the
 * handler. false if the stack cannot be written: *frame is as before. */
bool signal_push(struct trap_frame *frame, int signal, const struct signal_action *a,
                 const struct signal_cause *cause);

#endif
