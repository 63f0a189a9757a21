/* switch.S: from one thread to another, and copies that may fault. The same in
 * ring 0 and in a process. */
    .text
/* void arch_switch(u64 *save_rsp, u64 load_rsp) */
    .globl arch_switch
arch_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret

/* Where a new thread's first arch_switch returns to. */
    .globl arch_thread_start
arch_thread_start:
    xorl %ebp, %ebp
    call thread_begin
    ud2

/* u64 user_copy(void *to, const void *from, u64 n): 0, or 1 after a fault that
 * nobody handled: kern/trap.c sends faults between user_copy and
 * user_copy_fault there. Words, as base/freestanding.c says. */
    .globl user_copy, user_copy_fault
user_copy:
    subq $32, %rdx
    jb 2f
1:  movq (%rsi), %rax
    movq 8(%rsi), %rcx
    movq 16(%rsi), %r8
    movq 24(%rsi), %r9
    movq %rax, (%rdi)
    movq %rcx, 8(%rdi)
    movq %r8, 16(%rdi)
    movq %r9, 24(%rdi)
    addq $32, %rsi
    addq $32, %rdi
    subq $32, %rdx
    jae 1b
2:  addq $32, %rdx
    jz 4f
3:  movb (%rsi), %al
    movb %al, (%rdi)
    incq %rsi
    incq %rdi
    decq %rdx
    jnz 3b
4:  xorl %eax, %eax
    ret
user_copy_fault:
    movl $1, %eax
    ret
    .section .note.GNU-stack, "", @progbits
