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
    LAPIC_NMI = 4 << 8,
    LAPIC_DIVIDE_BY_1 = 0xb,
};
enum { IOAPIC_VERSION = 1, IOAPIC_ENTRY = 16, IOAPIC_LEVEL = 1 << 15, IOAPIC_MASKED = 1 << 16 };

static volatile u32 *lapic;
static struct ioapic {
    volatile u32 *regs;
    u32 first, pins; /* interrupts [first, first + pins) are its */
} ioapics[IOAPICS];
static u32 ioapic_count;

static void write_local(u32 at, u32 v) { lapic[at / 4] = v; }

/* An index register and a window (82093AA data sheet, 3.1). */
static u32 read_io(struct ioapic *o, u32 reg) {
    o->regs[0] = reg;
    return o->regs[4];
}
static void write_io(struct ioapic *o, u32 reg, u32 v) {
    o->regs[0] = reg;
    o->regs[4] = v;
}

/* The two 8259As of a PC: its firmware leaves them on vectors 8 to 15. */
enum { PIC_1_MASK = 0x21, PIC_2_MASK = 0xa1 };

void apic_init(volatile u32 *local) {
    outb(PIC_1_MASK, 0xff);
    outb(PIC_2_MASK, 0xff);
    lapic = local;
    wrmsr(MSR_APIC_BASE, LAPIC_PHYSICAL | 1 << 11 | (rdmsr(MSR_APIC_BASE) & 1 << 8));
    write_local(LAPIC_SPURIOUS, LAPIC_ENABLE | VECTOR_SPURIOUS);
    write_local(LAPIC_LINT0, LAPIC_MASKED);
    write_local(LAPIC_LINT1, LAPIC_NMI); /* the host's way to a backtrace */
    write_local(LAPIC_DIVIDE, LAPIC_DIVIDE_BY_1);
    write_local(LAPIC_TIMER, VECTOR_TIMER); /* one-shot */
}

void ioapic_add(volatile u32 *regs, u32 first) {
    if (ioapic_count == IOAPICS || first >= IOAPIC_PINS) return;
    struct ioapic *o = &ioapics[ioapic_count++];
    o->regs = regs;
    o->first = first;
    u32 version = read_io(o, IOAPIC_VERSION);
    o->pins = version == UINT32_MAX ? 0 : MIN((version >> 16 & 0xff) + 1, IOAPIC_PINS - first);
    for (u32 i = 0; i < o->pins; i++) write_io(o, IOAPIC_ENTRY + 2 * i, IOAPIC_MASKED);
}

/* SDM 3A, 11.11.1: physical destination, fixed delivery. */
u64 apic_message_address(void) { return LAPIC_PHYSICAL | (u64)(lapic[LAPIC_ID / 4] >> 24) << 12; }

void apic_end_of_interrupt(void) { write_local(LAPIC_EOI, 0); }
void apic_timer(u32 ticks) { write_local(LAPIC_INITIAL, ticks); }
u32 apic_timer_left(void) { return lapic[LAPIC_CURRENT / 4]; }

static struct ioapic *ioapic_of(u32 gsi) {
    for (u32 i = 0; i < ioapic_count; i++)
        if (gsi >= ioapics[i].first && gsi - ioapics[i].first < ioapics[i].pins) return &ioapics[i];
    return NULL;
}

bool ioapic_has(u32 gsi) { return ioapic_of(gsi); }

void ioapic_route(u32 gsi, u8 vector, bool level) {
    struct ioapic *o = ioapic_of(gsi);
    assert(o);
    u32 pin = gsi - o->first;
    write_io(o, IOAPIC_ENTRY + 2 * pin + 1, 0); /* to the first CPU */
    write_io(o, IOAPIC_ENTRY + 2 * pin, vector | (level ? IOAPIC_LEVEL : 0));
}
