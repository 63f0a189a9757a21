/* enter.h: from C into compiled code in line, for what is called often: hooks.
 *
 * rt_call goes through a thunk, which saves six registers, builds a frame for
 * the trap exit and moves arguments through memory. Here the compiler is told
 * what is clobbered, so that a caller that calls twice saves once; arguments are in
 * registers; and the frame lies ready at the top of the store's stack.
 *
 * I1 rt_callable.direct is a compiled function of integers only: at most two
 *    parameters, at most one result. Anything else takes rt_call.
 * I2 so does a store that is entered already, or `careful`: its code may use
 *    vector registers (MXCSR is then to be looked at), or exceptions.
 * I3 struct rt_frame is what the trap exit pops (jit/x86_64/thunk.c, I1). It
 *    stays where it is; what changes with the call is written before it. */
#ifndef WHELK_RT_ENTER_H
#define WHELK_RT_ENTER_H

#include "rt/rt.h"

struct rt_frame {
    u64 store, rsp; /* rsp: of what follows */
    u64 trap_sp, r15, r14, r13;
    u64 r12, rbx, rbp, resume; /* r12: the caller's rsp; rbx: the store */
    u64 unused[2];             /* above the return address, while the stack is switched back */
};
static_assert(sizeof(struct rt_frame) % 16 == 0, "it is where the stack begins");

enum abi_trap rt_call2_slow(const struct rt_callable *c, u64 a, u64 b, u64 *result);
enum abi_trap rt_call2_trapped(struct abi_store *s, u32 trap);

#ifdef __SSE__
#define RT_CLOBBER_VECTORS                                                                                        \
    , "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", \
        "xmm13", "xmm14", "xmm15"
#else
#define RT_CLOBBER_VECTORS
#endif

/* depth and pending as one word: entered, nothing pending. */
enum { RT_ENTERED_SHIFT = 32 };
static_assert(offsetof(struct abi_store, depth) == offsetof(struct abi_store, pending) + 4 &&
                  offsetof(struct abi_store, pending) % 8 == 0, "rt_call2 stores both at once");

static inline u64 *rt_entered(struct abi_store *s) { return (u64 *)(uptr)&s->pending; }

/* Arguments that the function does not have, and a result that it does not
 * have, mean nothing. As rt_call otherwise. */
static inline enum abi_trap rt_call2(const struct rt_callable *c, u64 a, u64 b, u64 *result) {
    register struct abi_store *s __asm__("rbx") = c->caller->store;
    if (unlikely(!c->direct || *rt_entered(s) || s->careful)) {
        u64 out; /* so that what result points to may stay in a register */
        enum abi_trap t = rt_call2_slow(c, a, b, &out);
        *result = out;
        return t;
    }
    register struct abi_ctx *ctx __asm__("r14") = c->caller;
    register u8 *base __asm__("r15") = c->caller->mem_base;
    const void *code = c->direct;
    struct rt_frame *frame = (struct rt_frame *)s->trap_sp;
    u64 value, trap;
    *rt_entered(s) = 1ull << RT_ENTERED_SHIFT;
    __asm__ volatile("movq %%rsp, %%r12\n\t"
                     "movq %%rsp, %c[r12](%%rdx)\n\t"
                     "movq %%rbp, %c[rbp](%%rdx)\n\t"
                     "leaq 2f(%%rip), %%r10\n\t"
                     "movq %%r10, %c[resume](%%rdx)\n\t"
                     "movq %%rdx, %%rsp\n\t"
                     "call *%%rax\n\t"
                     "xorl %%ecx, %%ecx\n"
                     "1:\tmovq %%r12, %%rsp\n\t"
                     ".subsection 1\n" /* the trap exit returns here; eax: the trap */
                     "2:\tmovl %%eax, %%ecx\n\t"
                     "jmp 1b\n\t"
                     ".previous"
                     : "=a"(value), "=c"(trap), "+D"(a), "+S"(b), "+d"(frame), "+r"(s), "+r"(ctx), "+r"(base)
                     : "0"(code), [r12] "i"(offsetof(struct rt_frame, r12)), [rbp] "i"(offsetof(struct rt_frame, rbp)),
                       [resume] "i"(offsetof(struct rt_frame, resume))
                     : "r8", "r9", "r10", "r11", "r12", "r13", "cc", "memory" RT_CLOBBER_VECTORS);
    *rt_entered(s) = 0;
    *result = value;
    if (unlikely(trap)) return rt_call2_trapped(s, (u32)trap);
    return ABI_TRAP_NONE;
}

#endif
