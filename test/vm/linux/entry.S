/* entry.S: a loader that PVH starts and that starts a kernel as the 64-bit Linux
 * protocol does (Documentation/arch/x86/boot.rst): long mode, 4 GiB mapped at
 * their own addresses, rsi -> zero page. So the kernel's other entry can be
 * tested under QEMU, which for an ELF file knows only PVH. */
    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, 18
    .asciz "Xen"
    .quad start

    .text
    .code32
    .globl start
start:
    cli
    cld
    movl $tables_pd, %edi
    movl $0x83, %eax
1:  movl %eax, (%edi)
    addl $8, %edi
    addl $0x200000, %eax
    jnc 1b
    movl $tables_pd + 3, %eax
    movl $tables_pdpt, %edi
    movl $4, %ecx
2:  movl %eax, (%edi)
    addl $0x1000, %eax
    addl $8, %edi
    loop 2b
    movl $tables_pdpt + 3, tables_pml4
    movl %cr4, %eax
    orl $(1 << 5), %eax
    movl %eax, %cr4
    movl $tables_pml4, %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx
    rdmsr
    orl $(1 << 8), %eax
    wrmsr
    movl $0x80000011, %eax
    movl %eax, %cr0
    lgdt gdt_pointer
    ljmp $0x10, $1f /* the selectors that the protocol names */
    .code64
1:  movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $stack_top, %esp
    movl %ebx, %edi
    call load /* u64 load(start_info): the entry point */
    leaq zero_page(%rip), %rsi
    jmp *%rax

    .section .rodata
    .balign 8
gdt:
    .quad 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
    .word . - gdt - 1
    .long gdt
    .globl kernel, kernel_end
    .balign 4096
kernel:
    .incbin KERNEL
kernel_end:

    .bss
    .balign 4096
tables_pml4: .skip 4096
tables_pdpt: .skip 4096
tables_pd: .skip 4 * 4096
    .skip 8192
stack_top:
    .section .note.GNU-stack, "", @progbits
