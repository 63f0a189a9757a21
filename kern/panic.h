/* panic.h: the end. Prints registers, a backtrace with symbols and what was
 * running, leaves the same and more in a record (base/crash.h), then ends the VM
 * with a non-zero status. Only for our own bugs. */
#ifndef WHELK_KERN_PANIC_H
#define WHELK_KERN_PANIC_H

_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A part of the record beyond what is printed: fn says its lines. It takes no lock
 * and no memory, and bears data that is half changed. Boot only. */
typedef void panic_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void panic_add_section(const char *title, void (*fn)(panic_say *say));
/* Ends the machine; status 0 is success, above 95 counts as 95 unless a
 * shell gives it a meaning (plat/vm/power.c). */
enum { MACHINE_PANICKED = -1 };
_Noreturn void machine_exit(int status);

#endif
