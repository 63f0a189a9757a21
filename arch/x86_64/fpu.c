/* fpu.c: XSAVE where the CPU has it, FXSAVE else (qemu64).
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/switch.h"
#include "base/assert.h"
#include "base/mem.h"

enum { FXSAVE_BYTES = 512, FXSAVE_MXCSR = 24, MXCSR_DEFAULT = 0x1f80, FCW_DEFAULT = 0x37f };

static u64 components; /* of XCR0; 0: FXSAVE */
static size_t bytes = FXSAVE_BYTES;

/* Bytes of an area with these components: the end of the last (SDM 1, 13.4.3). */
static size_t area_bytes(u64 which) {
    size_t end = FXSAVE_BYTES + 64;
    for (u32 i = 2; i < 63; i++) {
        if (!(which >> i & 1)) continue;
        struct cpuid c = cpuid(13, i);
        end = MAX(end, (size_t)c.a + c.b);
    }
    return end;
}

void fpu_init(void) {
    components = fpu_enable();
    if (components) bytes = area_bytes(components);
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
