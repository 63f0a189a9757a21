/* fpu.c: turns the vector units on.
 *
 * I1 XCR0 and CR4.OSXSAVE are set before any program runs: glibc picks its
 *    string functions by them. */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/switch.h"

enum { CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10, CR4_OSXSAVE = 1 << 18 };
enum { CR0_MP = 2, CR0_EM = 4, CR0_TS = 8 };
enum { HAS_XSAVE = 26 };

static void xsetbv(u64 v) {
    __asm__ volatile("xsetbv" : : "c"(0), "a"((u32)v), "d"((u32)(v >> 32)));
}

u64 fpu_enable(void) {
    write_cr0((read_cr0() & ~(u64)(CR0_EM | CR0_TS)) | CR0_MP);
    write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
    __asm__ volatile("fninit");
    if (!(cpuid(1, 0).c >> HAS_XSAVE & 1)) return 0;
    write_cr4(read_cr4() | CR4_OSXSAVE);
    u64 components = cpuid(13, 0).a & FPU_WANTED;
    if (!(components & 4)) components &= 3;
    xsetbv(components);
    return components;
}
