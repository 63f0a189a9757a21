/* interrupts.c: the interrupt controllers' registers. */
#include "arch/x86_64/apic.h"
#include "kern/bootinfo.h"
#include "kern/interrupt.h"
#include "kern/panic.h"
#include "kern/vm.h"

/* Where ACPI is silent: the one that every PC has. */
static void add_ioapics(void) {
    if (!bootinfo.ioapic_count) {
        bootinfo.ioapic[0].base = IOAPIC_PHYSICAL;
        bootinfo.ioapic_count = 1;
    }
    for (u32 i = 0; i < bootinfo.ioapic_count; i++) {
        volatile u32 *io = vm_map_device((phys){bootinfo.ioapic[i].base}, PAGE_SIZE);
        if (!io) panic("no memory to map the interrupt controllers");
        ioapic_add(io, bootinfo.ioapic[i].first);
    }
}

void irq_init(void) {
    volatile u32 *local = vm_map_device((phys){LAPIC_PHYSICAL}, PAGE_SIZE);
    if (!local) panic("no memory to map the interrupt controllers");
    apic_init(local);
    add_ioapics();
}
