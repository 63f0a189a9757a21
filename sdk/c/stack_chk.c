/* stack_chk.c: what clang's stack protector calls, which Debian's wasi-libc has not.
 * Its compiler-rt was built with it, so that a program that divides 128-bit integers
 * does not link otherwise ("undefined symbol: __stack_chk_guard"): link this with it.
 * The guard has the bytes at which a string's copy stops. Return addresses are not in
 * the module's memory; what a smashed stack can harm is data. */
#include <stdint.h>

uintptr_t __stack_chk_guard = 0xff0a0d00;

_Noreturn void __stack_chk_fail(void);
void __stack_chk_fail(void) { __builtin_trap(); }
