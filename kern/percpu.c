/* percpu.c: the first CPU's data. Must be set before anything uses GS. */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/percpu.h"
#include "kern/boot.h"

static struct percpu first_cpu;

void percpu_init(void) {
    extern char boot_stack_top[];
    first_cpu.self = &first_cpu;
    first_cpu.kernel_stack_top = (u64)boot_stack_top;
    first_cpu.kernel_stack_base = (u64)boot_stack_top - 16384;
    cpu_set_gs((u64)&first_cpu);
}
