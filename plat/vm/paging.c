/* paging.c: the first mappings of the final tables: image and direct map. */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "kern/machine.h"
#include "kern/memory.h"
#include "kern/vm.h"

static bool is_guard(uptr va) {
    extern char stacks_start[], boot_stack_top[], trap_stack_top[], nmi_stack_top[];
    return va == (uptr)stacks_start || va == (uptr)boot_stack_top || va == (uptr)trap_stack_top ||
           va == (uptr)nmi_stack_top;
}

/* The image: code may run, constants be read, data be written; nothing else. */
static u32 image_prot(uptr va) {
    extern char rodata_start[], data_start[];
    if (va < (uptr)rodata_start) return VM_READ | VM_EXEC;
    return va < (uptr)data_start ? VM_READ : VM_READ | VM_WRITE;
}

static u32 direct_prot(u64 at) {
    extern char kernel_start[], kernel_end[];
    uptr va = KERNEL_BASE + at;
    bool in_image = va >= (uptr)kernel_start && va < (uptr)kernel_end;
    return in_image ? image_prot(va) & ~(u32)VM_EXEC : VM_READ | VM_WRITE;
}

void machine_paging(phys root) {
    extern char kernel_start[], kernel_end[];
    for (uptr va = (uptr)kernel_start; va < (uptr)kernel_end; va += PAGE_SIZE)
        if (!is_guard(va)) vm_boot_map(va, (phys){va - KERNEL_BASE}, image_prot(va));
    struct machine_range ram[MACHINE_RANGES];
    u32 n = machine_memory(ram);
    for (u32 i = 0; i < n; i++)
        for (u64 at = ram[i].start; at < ram[i].end; at += PAGE_SIZE)
            vm_boot_map(DIRECT_MAP + at, (phys){at}, direct_prot(at));
    write_cr3(root.v);
    write_cr4(read_cr4() | 1 << 7); /* PGE */
}
