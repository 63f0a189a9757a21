/* entry.S: the ways into the kernel and out of it.
 *
 * I1 every vector has an IST stack: the interrupted code may use a red zone.
 * I2 the IST stack is left before anything can interrupt or fault again:
 *    trap_place copies the frame to a stack of the thread, interrupts off.
 * I3 system calls touch neither the program's stack nor its vector registers. */
#include "arch/x86_64/registers.inc"

#define PERCPU_KERNEL_STACK %gs:8
#define PERCPU_PROGRAM_RSP %gs:16
#define KERNEL_CS 8
#define KERNEL_SS 16
#define TRAP_SYSCALL 256

    .text
/* 256 stubs of 16 bytes: error code (the CPU's, or 0), vector. */
    .balign 16
    .globl trap_stubs
trap_stubs:
    vector = 0
    .rept 256
    .balign 16
    /* 8, 10..14, 17, 21, 29, 30: the CPU pushes an error code */
    .if !((vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30))
    pushq $0
    .endif
    pushq $vector
    jmp trap_common
    vector = vector + 1
    .endr

trap_common:
    PUSH_REGISTERS
    cld
    movq %rsp, %rdi
    call trap_place
    testq %rax, %rax
    jz 1f
    movq %rax, %rsp
    movq %rsp, %rdi
    call trap_handle
trap_return:
    POP_REGISTERS
    addq $16, %rsp
    iretq
1:  movq %rsp, %rdi
    call trap_fatal
    ud2

    .globl arch_return
arch_return:
    cli
    movq %rdi, %rsp
    jmp trap_return

/* LSTAR. rcx: return address, r11: flags; SFMASK has cleared IF and DF. */
    .globl syscall_entry
syscall_entry:
    movq %rsp, PERCPU_PROGRAM_RSP
    movq PERCPU_KERNEL_STACK, %rsp
    pushq $KERNEL_SS
    pushq PERCPU_PROGRAM_RSP
    pushq %r11
    pushq $KERNEL_CS
    pushq %rcx
    pushq %rax
    pushq $TRAP_SYSCALL
    PUSH_REGISTERS
    movq %rsp, %rdi
    call trap_syscall
    cmpl $TRAP_SYSCALL, 15 * 8(%rsp)
    jne trap_return
    POP_REGISTERS
    movq 16(%rsp), %rcx
    movq 32(%rsp), %r11
    /* Flags without IF first: with it, an interrupt could come while this
     * stack is still in use for the frame. */
    movq %r11, (%rsp)
    andq $~0x200, (%rsp)
    popfq
    movq 32(%rsp), %rsp
    sti /* its shadow covers the jump */
    jmp *%rcx
    .section .note.GNU-stack, "", @progbits
