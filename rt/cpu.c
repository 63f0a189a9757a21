/* cpu.c: what the x86-64 CPU offers to compiled code. Runs in any mode. */
#include "base/types.h"
#include "rt/internal.h"

struct regs {
    u32 a, b, c, d;
};

static struct regs cpuid(u32 leaf, u32 sub) {
    struct regs r;
    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(sub));
    return r;
}

/* Did the system enable the upper vector state (XCR0)? */
static bool ymm_enabled(u32 leaf1_c) {
    u32 low, high;
    if (!(leaf1_c >> 27 & 1)) return false; /* OSXSAVE: xgetbv would fault */
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & 6) == 6;
}

static u32 when(u32 word, u32 bit, u32 feature) { return word >> bit & 1 ? feature : 0; }

u32 rt_probe_cpu(void) {
    struct regs top = cpuid(0, 0), one = cpuid(1, 0), ext = cpuid(0x80000000, 0);
    struct regs seven = top.a >= 7 ? cpuid(7, 0) : (struct regs){0};
    struct regs extended = ext.a >= 0x80000001 ? cpuid(0x80000001, 0) : (struct regs){0};
    u32 f = when(one.c, 19, JIT_CPU_SSE41) | when(one.c, 23, JIT_CPU_POPCNT) |
            when(extended.c, 5, JIT_CPU_LZCNT) | when(seven.b, 3, JIT_CPU_BMI1) |
            when(seven.b, 8, JIT_CPU_BMI2);
    if (ymm_enabled(one.c))
        f |= when(one.c, 28, JIT_CPU_AVX) | when(seven.b, 5, JIT_CPU_AVX2) | when(one.c, 12, JIT_CPU_FMA);
    return f;
}
