#include "kern/panic.h"

#include "arch/x86_64/cpu.h"
#include "base/assert.h"
#include "base/fmt.h"
#include "kern/machine.h"

_Noreturn void panic(const char *format, ...) {
    irq_off();
    char text[256];
    va_list args;
    va_start(args, format);
    size_t n = vfmt(text, sizeof text, format, args);
    va_end(args);
    machine_console_write("\npanic: ", 8);
    machine_console_write(text, MIN(n, sizeof text - 1));
    machine_console_write("\n", 1);
    machine_exit(1);
}

_Noreturn void assert_fail(const char *what, const char *file, int line) {
    panic("%s:%d: assertion failed: %s", file, line, what);
}
