/* stack.h: the first stack of a program (System V ABI x86-64, 3.4.1). */
#ifndef WHELK_SYS_STACK_H
#define WHELK_SYS_STACK_H

#include "base/types.h"

struct stack_facts {
    u64 headers, header_count, entry, hwcap;
    u8 random[16];
};
/* argv and env: strings, each ended by a zero byte (the last may lack it).
 * Writes below top; the stack pointer at entry, or 0 if it does not fit or
 * memory is short. */
u64 stack_build(u64 top, struct bytes argv, struct bytes env, const struct stack_facts *facts);

#endif
