/* fpu.c: the vector units are as the host left them. */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/switch.h"

enum { HAS_OSXSAVE = 27 };

u64 fpu_enable(void) {
    if (!(cpuid(1, 0).c >> HAS_OSXSAVE & 1)) return 0;
    u32 low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low & FPU_WANTED;
}
