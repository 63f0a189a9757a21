/* clock.h: what clock.c measures by. */
#ifndef WHELK_PLAT_VM_CLOCK_H
#define WHELK_PLAT_VM_CLOCK_H

#include "base/types.h"

/* Seconds since 1970 from the battery clock; 0 if there is none. */
u64 rtc_seconds(void);
/* Waits about ns nanoseconds, by the battery clock's oscillator; returns
 * the TSC ticks that passed, 0 if there is no such clock. */
u64 rtc_measure_tsc(u64 *ns);
/* KVM's own: the TSC's rate, and nanoseconds since 1970 now. false: it has none. */
bool kvm_clock_read(u64 *hz, u64 *wall_ns);

#endif
