/* machine.h: what a platform (plat/) implements for the kernel. */
#ifndef WHELK_KERN_MACHINE_H
#define WHELK_KERN_MACHINE_H

#include "base/types.h"
#include "kern/panic.h"

void machine_console_init(void);
/* Any context, also from a panic. Bytes as they are. */
void machine_console_write(const char *p, size_t n);
/* Seconds since 1970 from a battery clock; 0 if there is none. */
u64 machine_wall_seconds(void);
/* Waits about ns nanoseconds, by a clock that needs no calibration; returns
 * the TSC ticks that passed, 0 if there is no such clock. */
u64 machine_measure_tsc(u64 *ns);

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
u32 machine_reserved(struct machine_range out[MACHINE_RANGES]);

#endif
