/* boot.S: from the PVH entry (32-bit protected mode, paging off, ebx ->
 * hvm_start_info) or the 64-bit Linux entry (long mode, memory at its own
 * address, rsi -> zero page) to kernel_main in the high half.
 *
 * I1 only position-independent or physical addresses until the far jump.
 * I2 the boot tables map the first 4 GiB three times: identity (gone when
 *    vm_init switches tables), direct map, and 1 GiB at KERNEL_BASE. */
#define KERNEL_BASE 0xffffffff80000000
#define PHYS(symbol) (symbol - KERNEL_BASE)

/* Xen ELF note 18, XEN_ELFNOTE_PHYS32_ENTRY: QEMU reads 8 bytes of an ELF64. */
    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, 18
    .asciz "Xen"
    .quad PHYS(start32)

    .section .boot, "ax", @progbits
    .code32
    .globl start32
start32:
    cli
    cld
    movl %ebx, %esi /* kept for kernel_main */

    /* 2048 large pages: present, writable. */
    movl $PHYS(boot_pd), %edi
    movl $0x83, %eax
1:  movl %eax, (%edi)
    addl $8, %edi
    addl $0x200000, %eax
    jnc 1b

    movl $PHYS(boot_pd) + 3, %eax
    movl $PHYS(boot_pdpt), %edi
    movl $4, %ecx
2:  movl %eax, (%edi)
    addl $0x1000, %eax
    addl $8, %edi
    loop 2b
    movl $PHYS(boot_pd) + 3, PHYS(boot_pdpt_high) + 510 * 8
    movl $PHYS(boot_pdpt) + 3, PHYS(boot_pml4)
    movl $PHYS(boot_pdpt) + 3, PHYS(boot_pml4) + 256 * 8
    movl $PHYS(boot_pdpt_high) + 3, PHYS(boot_pml4) + 511 * 8

    movl %cr4, %eax
    orl $(1 << 5), %eax /* PAE */
    movl %eax, %cr4
    movl $PHYS(boot_pml4), %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx /* EFER */
    rdmsr
    orl $(1 << 8 | 1 << 11), %eax /* LME, NXE */
    wrmsr
    movl $0x80010033, %eax /* PG WP NE ET MP PE */
    movl %eax, %cr0
    lgdt PHYS(boot_gdt_pointer)
    ljmp $8, $PHYS(start64)

    .code64
start64:
    movabsq $start_high, %rax
    jmp *%rax

/* ELF's entry point: who knows the note enters above. The loader's tables are
 * left as soon as ours are filled; both show this code at its own address. */
    .globl linux_start64
linux_start64:
    cli
    cld
    leaq boot_pd(%rip), %rdi
    movl $0x83, %eax
    movl $2048, %ecx
1:  movq %rax, (%rdi)
    addq $0x200000, %rax
    addq $8, %rdi
    loop 1b

    leaq boot_pd + 3(%rip), %rax
    leaq boot_pdpt_high(%rip), %rdi
    movq %rax, 510 * 8(%rdi)
    leaq boot_pdpt(%rip), %rdi
    movl $4, %ecx
2:  movq %rax, (%rdi)
    addq $0x1000, %rax
    addq $8, %rdi
    loop 2b
    leaq boot_pml4(%rip), %rdi
    leaq boot_pdpt + 3(%rip), %rax
    movq %rax, (%rdi)
    movq %rax, 256 * 8(%rdi)
    leaq boot_pdpt_high + 3(%rip), %rax
    movq %rax, 511 * 8(%rdi)

    movl $(1 << 5), %eax /* PAE, and nothing that the loader may have liked */
    movq %rax, %cr4
    movl $0xc0000080, %ecx /* EFER */
    rdmsr
    orl $(1 << 8 | 1 << 11), %eax /* LME, NXE */
    wrmsr
    movq %rdi, %cr3
    movl $0x80010033, %eax /* PG WP NE ET MP PE */
    movq %rax, %cr0
    leaq boot_stack_top(%rip), %rsp
    lgdt boot_gdt_pointer(%rip)
    pushq $8
    leaq start64(%rip), %rax
    pushq %rax
    lretq

    .text
start_high:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    leaq boot_stack_top(%rip), %rsp
    xorl %ebp, %ebp
    movl %esi, %edi
    call kernel_main
    ud2

    .section .rodata
    .balign 8
boot_gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdt_pointer:
    .word . - boot_gdt - 1
    .quad PHYS(boot_gdt)

    .bss
    .balign 4096
boot_pml4: .skip 4096
boot_pdpt: .skip 4096
boot_pdpt_high: .skip 4096
boot_pd: .skip 4 * 4096

/* The stacks of the first CPU, each above a page that vm_init leaves out. */
    .section .stacks, "aw", @nobits
    .balign 4096
    .globl boot_stack_top, trap_stack_top, nmi_stack_top, double_fault_stack_top
    .skip 4096
    .skip 16384
boot_stack_top:
    .skip 4096
    .skip 8192
trap_stack_top:
    .skip 4096
    .skip 8192
nmi_stack_top:
    .skip 4096
    .skip 8192
double_fault_stack_top:
    .section .note.GNU-stack, "", @progbits
