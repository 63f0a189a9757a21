#include "arch/x86_64/apic.h"

#include "arch/x86_64/cpu.h"
#include "base/assert.h"

/* Intel SDM 3A, table 11-1: register offsets in bytes. */
enum {
    LAPIC_ID = 0x20,
    LAPIC_EOI = 0xb0,
    LAPIC_SPURIOUS = 0xf0,
    LAPIC_TIMER = 0x320,
    LAPIC_LINT0 = 0x350,
    LAPIC_LINT1 = 0x360,
    LAPIC_INITIAL = 0x380,
    LAPIC_CURRENT = 0x390,
    LAPIC_DIVIDE = 0x3e0,
    LAPIC_MASKED = 1 << 16,
    LAPIC_ENABLE = 1 << 8,
    LAPIC_DIVIDE_BY_1 = 0xb,
};
enum { IOAPIC_VERSION = 1, IOAPIC_ENTRY = 16, IOAPIC_LEVEL = 1 << 15, IOAPIC_MASKED = 1 << 16 };

static volatile u32 *lapic, *ioapic;
static u32 pins;

static void write_local(u32 at, u32 v) { lapic[at / 4] = v; }

/* An index register and a window (82093AA data sheet, 3.1). */
static u32 read_io(u32 reg) {
    ioapic[0] = reg;
    return ioapic[4];
}
static void write_io(u32 reg, u32 v) {
    ioapic[0] = reg;
    ioapic[4] = v;
}

/* The two 8259As of a PC: its firmware leaves them on vectors 8 to 15. */
enum { PIC_1_MASK = 0x21, PIC_2_MASK = 0xa1 };

void apic_init(volatile u32 *local, volatile u32 *io) {
    outb(PIC_1_MASK, 0xff);
    outb(PIC_2_MASK, 0xff);
    lapic = local;
    ioapic = io;
    wrmsr(MSR_APIC_BASE, LAPIC_PHYSICAL | 1 << 11 | (rdmsr(MSR_APIC_BASE) & 1 << 8));
    write_local(LAPIC_SPURIOUS, LAPIC_ENABLE | VECTOR_SPURIOUS);
    write_local(LAPIC_LINT0, LAPIC_MASKED);
    write_local(LAPIC_LINT1, LAPIC_MASKED);
    write_local(LAPIC_DIVIDE, LAPIC_DIVIDE_BY_1);
    write_local(LAPIC_TIMER, VECTOR_TIMER); /* one-shot */
    u32 version = read_io(IOAPIC_VERSION);
    pins = version == UINT32_MAX ? 0 : MIN((version >> 16 & 0xff) + 1, (u32)IOAPIC_PINS);
    for (u32 i = 0; i < pins; i++) write_io(IOAPIC_ENTRY + 2 * i, IOAPIC_MASKED);
}

/* SDM 3A, 11.11.1: physical destination, fixed delivery. */
u64 apic_message_address(void) { return LAPIC_PHYSICAL | (u64)(lapic[LAPIC_ID / 4] >> 24) << 12; }

void apic_end_of_interrupt(void) { write_local(LAPIC_EOI, 0); }
void apic_timer(u32 ticks) { write_local(LAPIC_INITIAL, ticks); }
u32 apic_timer_left(void) { return lapic[LAPIC_CURRENT / 4]; }
u32 ioapic_pins(void) { return pins; }

void ioapic_route(u32 pin, u8 vector, bool level) {
    assert(pin < pins);
    write_io(IOAPIC_ENTRY + 2 * pin + 1, 0); /* to the first CPU */
    write_io(IOAPIC_ENTRY + 2 * pin, vector | (level ? IOAPIC_LEVEL : 0));
}
