/* fpu.c: XSAVE where the CPU has it, FXSAVE else (qemu64).
 *
 * I1 XCR0 and CR4.OSXSAVE are set before any program runs: glibc picks its
 *    string functions by them. */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/switch.h"
#include "base/assert.h"
#include "base/mem.h"

enum { CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10, CR4_OSXSAVE = 1 << 18 };
enum { CR0_MP = 2, CR0_EM = 4, CR0_TS = 8 };
/* x87, SSE, AVX; and AVX-512's three. */
enum { XCR0_WANTED = 7 | 0xe0, FXSAVE_BYTES = 512, FXSAVE_MXCSR = 24, MXCSR_DEFAULT = 0x1f80, FCW_DEFAULT = 0x37f };

static u64 components; /* of XCR0; 0: FXSAVE */
static size_t bytes = FXSAVE_BYTES;

static void xsetbv(u64 v) {
    __asm__ volatile("xsetbv" : : "c"(0), "a"((u32)v), "d"((u32)(v >> 32)));
}

void fpu_init(void) {
    write_cr0((read_cr0() & ~(u64)(CR0_EM | CR0_TS)) | CR0_MP);
    write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
    __asm__ volatile("fninit");
    if (!(cpuid(1, 0).c >> 26 & 1)) return;
    write_cr4(read_cr4() | CR4_OSXSAVE);
    components = cpuid(13, 0).a & XCR0_WANTED;
    if (!(components & 4)) components &= 3;
    xsetbv(components);
    bytes = cpuid(13, 0).b; /* for what XCR0 now enables */
    assert(bytes >= FXSAVE_BYTES + 64);
}

size_t fpu_bytes(void) { return bytes; }

void fpu_reset(void *area) {
    /* A zero XSTATE_BV means: every component in its initial state. MXCSR is
     * loaded from the area all the same. */
    u8 *p = area;
    u32 mxcsr = MXCSR_DEFAULT;
    u16 fcw = FCW_DEFAULT;
    memset(p, 0, bytes);
    memcpy(p, &fcw, sizeof fcw);
    memcpy(p + FXSAVE_MXCSR, &mxcsr, sizeof mxcsr);
}

void fpu_save(void *area) {
    assert((uptr)area % 64 == 0);
    if (components)
        __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"((u32)components), "d"(0) : "memory");
    else __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

void fpu_restore(const void *area) {
    assert((uptr)area % 64 == 0);
    if (components)
        __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"((u32)components), "d"(0) : "memory");
    else __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}
