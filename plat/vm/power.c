/* power.c: how the VM ends. QEMU's isa-debug-exit turns a byte n into the exit
 * status 2n + 1: success is 0x10 (33), a panic 0x11, a status s is 0x20 + s, up to
 * 0x7f: none can be taken for an error of QEMU itself (1). Without that device the VM resets,
 * which `-no-reboot` turns into an end. */
#include "arch/x86_64/cpu.h"
#include "base/types.h"
#include "kern/panic.h"

enum { DEBUG_EXIT = 0x501, EXIT_SUCCESS = 0x10, EXIT_PANIC = 0x11, EXIT_FAILURE = 0x20, EXIT_LARGEST = 0x5f };

_Noreturn void machine_exit(int status) {
    irq_off();
    u8 code = EXIT_FAILURE + (u8)MIN(status & 0xff, EXIT_LARGEST);
    if (status == 0) code = EXIT_SUCCESS;
    if (status == MACHINE_PANICKED) code = EXIT_PANIC;
    outb(DEBUG_EXIT, code);
    /* Still here: no such device. A fault with no IDT resets the machine. */
    struct {
        u16 limit;
        u64 base;
    } __attribute__((packed)) none = {0, 0};
    __asm__ volatile("lidt %0; ud2" : : "m"(none));
    for (;;) __asm__ volatile("hlt");
}
