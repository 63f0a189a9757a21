/* crash.h: what a panicking kernel leaves in its memory for the host's command: one
 * record at the start of a page. kern/panic.c writes it, cli/crash.c looks for it
 * in a core, and believes nothing of it. */
#ifndef WHELK_BASE_CRASH_H
#define WHELK_BASE_CRASH_H

#include "base/types.h"

#define CRASH_MAGIC_0 0x70326b6c656857e1ull
#define CRASH_MAGIC_1 0x31206863696e6170ull
enum { CRASH_TEXT = 32 << 10, CRASH_ALIGN = 4096 };

/* In the order of Linux's struct user_regs_struct, as a core's note has them. */
struct crash_registers {
    u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax, rip, cs, rflags, rsp, ss;
    u64 fs_base, gs_base, ds, es, fs, gs;
};

struct crash_record {
    u64 magic[2];
    u32 bytes; /* of this structure */
    u32 length;
    struct crash_registers registers; /* where it went wrong; 0: unknown */
    char text[CRASH_TEXT];            /* length bytes; the first line says what happened */
};

#endif
