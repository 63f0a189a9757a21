/* apic.h: the local APIC (timer, end of interrupt) and the IOAPIC. */
#ifndef WHELK_ARCH_APIC_H
#define WHELK_ARCH_APIC_H

#include "base/types.h"

enum { VECTOR_TIMER = 32, VECTOR_GSI = 48, VECTOR_MESSAGE = 80, VECTOR_SPURIOUS = 255, IOAPIC_PINS = 24 };
#define LAPIC_PHYSICAL 0xfee00000ull
#define IOAPIC_PHYSICAL 0xfec00000ull

/* Mapped registers. Masks everything. */
void apic_init(volatile u32 *local, volatile u32 *io);
void apic_end_of_interrupt(void);
/* Interrupts once after that many ticks of the timer's clock; 0: not at all. */
void apic_timer(u32 ticks);
/* Ticks left. */
u32 apic_timer_left(void);
u32 ioapic_pins(void);
/* Where a device writes to interrupt the first CPU by a message. */
u64 apic_message_address(void);
void ioapic_route(u32 pin, u8 vector, bool level);

#endif
