/* power.c: how the VM ends. QEMU's isa-debug-exit turns a byte n into the exit
 * status 2n + 1: success is n = 0x10 (33), a panic 0x11, a status s is 0x20 + s, up to
 * 0x7f; larger ones have a code from 0x12 on if they are in the table: none can be taken
 * for an error of QEMU itself (1). cli/qemu.c turns them back. Without that device the VM
 * is switched off by ACPI if it can be, else it resets, which `-no-reboot` turns
 * into an end. A panic tells QEMU's pvpanic first (QEMU's docs/specs/pvpanic.rst): where
 * there is one, `whelk run` stops the machine there and takes its memory. The power button is ACPI's fixed one (ACPI 6.4, 4.8.2). */
#include "arch/x86_64/cpu.h"
#include "base/types.h"
#include "kern/bootinfo.h"
#include "kern/irq.h"
#include "kern/log.h"
#include "kern/machine.h"

enum { PM1_BUTTON = 1 << 8, PM1_SCI_ENABLE = 1, PM1_SLEEP = 1 << 13, PM1_TYPE_SHIFT = 10, ENABLE_SPINS = 1000000 };

enum { PVPANIC = 0x505, PVPANIC_PANICKED = 1 };
enum { DEBUG_EXIT = 0x501, EXIT_SUCCESS = 0x10, EXIT_PANIC = 0x11, EXIT_LARGE = 0x12, EXIT_FAILURE = 0x20, EXIT_LARGEST = 0x5f };

static u8 exit_code(int status) {
    /* What shells give: cannot run, not found, ended by a signal (128 + its number). */
    static const u8 large[] = {126, 127, 129, 130, 132, 134, 135, 136, 137, 139, 141, 143, 131, 133};
    if (status == MACHINE_PANICKED) return EXIT_PANIC;
    if (status == 0) return EXIT_SUCCESS;
    for (u8 i = 0; i < ARRAY_LEN(large); i++)
        if (status == large[i]) return (u8)(EXIT_LARGE + i);
    return (u8)(EXIT_FAILURE + MIN(status & 0xff, EXIT_LARGEST));
}

static void (*pressed)(void);

/* The status bits are cleared by writing ones. Others may share the line. */
static void on_sci(void *arg) {
    u16 status = inw(bootinfo.acpi.event);
    if (!(status & PM1_BUTTON)) return;
    outw(bootinfo.acpi.event, PM1_BUTTON);
    pressed();
}

void machine_on_power_button(void (*fn)(void)) {
    pressed = fn;
    if (!bootinfo.acpi.power_button) return;
    if (bootinfo.acpi.smi && bootinfo.acpi.smi_on) outb(bootinfo.acpi.smi, bootinfo.acpi.smi_on);
    for (int i = 0; i < ENABLE_SPINS && !(inw(bootinfo.acpi.control) & PM1_SCI_ENABLE); i++) continue;
    outw(bootinfo.acpi.event, PM1_BUTTON);
    enum err e = irq_register(bootinfo.acpi.gsi, true, on_sci, NULL);
    if (e) return log_warn("acpi: no power button: %s", err_text(e));
    u16 enable = (u16)(bootinfo.acpi.event + bootinfo.acpi.enable);
    outw(enable, inw(enable) | PM1_BUTTON);
}

_Noreturn void machine_exit(int status) {
    irq_off();
    if (status == MACHINE_PANICKED) outb(PVPANIC, PVPANIC_PANICKED);
    outb(DEBUG_EXIT, exit_code(status));
    /* Still here: no such device. */
    if (bootinfo.acpi.can_off) outw(bootinfo.acpi.control, (u16)(bootinfo.acpi.off_type << PM1_TYPE_SHIFT | PM1_SLEEP));
    /* Still here: a fault with no IDT resets the machine. */
    struct {
        u16 limit;
        u64 base;
    } __attribute__((packed)) none = {0, 0};
    __asm__ volatile("lidt %0; ud2" : : "m"(none));
    for (;;) __asm__ volatile("hlt");
}

/* A machine of our own has nobody to be kept from. */
void machine_seal(void) {}
bool machine_fixes_code(void) { return false; }
