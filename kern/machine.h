/* machine.h: what a platform (plat/) implements for the kernel. */
#ifndef WHELK_KERN_MACHINE_H
#define WHELK_KERN_MACHINE_H

#include "base/err.h"
#include "base/types.h"
#include "kern/page.h"
#include "kern/panic.h"

void machine_console_init(void);
/* Any context, also from a panic. Bytes as they are. */
void machine_console_write(const char *p, size_t n);
/* Called once, with the timer set up: how fast the TSC and the timer count
 * (0: unknown), and nanoseconds since 1970. false: there is no clock. */
struct machine_clock {
    u64 tsc_hz, timer_hz, wall_ns;
    const char *from; /* where that comes from, for the log: ", ..." or "" */
};
bool machine_clock(struct machine_clock *out);

/* fn is called in an interrupt when the host presses the power button, if the
 * machine has one. After irq_init. */
void machine_on_power_button(void (*fn)(void));

/* Physical memory, as the boot protocol describes it. */
struct machine_range {
    u64 start, end; /* of bytes; page-aligned inwards */
};
enum { MACHINE_RANGES = 32 };
/* RAM; sorted, no overlap. */
u32 machine_memory(struct machine_range out[MACHINE_RANGES]);
/* Reads the boot information into bootinfo; the bytes that it refers to
 * (initrd) are reported by machine_reserved. False with a logged reason. */
void machine_boot(u64 start_info);
/* Makes the first mappings by vm_boot_map, and turns the tables on. */
void machine_paging(phys root);
u32 machine_reserved(struct machine_range out[MACHINE_RANGES]);

/* Pages for n bytes of compiled code, a copy of code and int3 behind it: when *exec is
 * there, no mapping writes them any longer. n is the same when they are freed. */
enum err machine_code_place(const void *code, size_t n, void **exec);
void machine_code_free(void *exec, size_t n);

/* The program is loaded and about to start: the machine gives up for good what
 * the running kernel does not need. If it fixes code, nothing can be mapped to
 * run from then on that is not already (but what machine_code_place gives). */
void machine_seal(void);
bool machine_fixes_code(void);

#endif
