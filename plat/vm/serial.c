/* serial.c: the first 16550 port, polled. Output is what the host shows. */
#include "arch/x86_64/cpu.h"
#include "kern/machine.h"

enum { COM1 = 0x3f8, DATA = 0, IRQ_ENABLE = 1, FIFO = 2, LINE = 3, MODEM = 4, STATUS = 5 };
enum { STATUS_EMPTY = 0x20, SPINS = 100000 };

void machine_console_init(void) {
    outb(COM1 + IRQ_ENABLE, 0);
    outb(COM1 + LINE, 0x80); /* divisor latch: 115200 baud */
    outb(COM1 + DATA, 1);
    outb(COM1 + IRQ_ENABLE, 0);
    outb(COM1 + LINE, 3); /* 8n1 */
    outb(COM1 + FIFO, 7);
    outb(COM1 + MODEM, 3);
}

/* A port that never drains (or none at all) must not hang the kernel. */
static void put(char c) {
    for (u32 i = 0; i < SPINS && !(inb(COM1 + STATUS) & STATUS_EMPTY); i++) continue;
    outb(COM1 + DATA, (u8)c);
}

void machine_console_write(const char *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\n') put('\r');
        put(p[i]);
    }
}
