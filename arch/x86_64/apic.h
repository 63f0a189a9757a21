/* apic.h: the local APIC (timer, end of interrupt) and the IOAPIC. */
#ifndef WHELK_ARCH_APIC_H
#define WHELK_ARCH_APIC_H

#include "base/types.h"

enum { VECTOR_TIMER = 32, VECTOR_GSI = 48, VECTOR_MESSAGE = 96, VECTOR_SPURIOUS = 255 };
enum { IOAPICS = 4, IOAPIC_PINS = 48 /* of all together */ };
#define LAPIC_PHYSICAL 0xfee00000ull
#define IOAPIC_PHYSICAL 0xfec00000ull

/* Mapped registers. Masks everything. */
void apic_init(volatile u32 *local);
/* An IOAPIC whose first pin is that interrupt; all masked. */
void ioapic_add(volatile u32 *regs, u32 first);
void apic_end_of_interrupt(void);
/* Interrupts once after that many ticks of the timer's clock; 0: not at all. */
void apic_timer(u32 ticks);
/* Ticks left. */
u32 apic_timer_left(void);
bool ioapic_has(u32 gsi);
/* Where a device writes to interrupt the first CPU by a message. */
u64 apic_message_address(void);
void ioapic_route(u32 gsi, u8 vector, bool level);

#endif
