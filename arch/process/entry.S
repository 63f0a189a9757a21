/* entry.S: the ways into a kernel that is a process, and out of it.
 *
 * I1 a signal's handler runs on the alternate stack, all signals blocked; it
 *    copies what was interrupted to a stack of the thread (trap_place) and
 *    returns by rt_sigreturn to trap_enter, with a clean mask: nothing of the
 *    kernel ever runs on the alternate stack, where the next signal would land.
 * I2 the way out is iretq, which works at any privilege: it restores rip, rsp
 *    and flags at once and reads only the kernel's own stack (red zones!).
 * I3 between trap_return_open and trap_return_closed interrupts count as on
 *    while the frame is not yet left: a signal there finds the interrupted
 *    registers in place, and rip, flags and rsp on the stack (signal.c). */
#include "arch/x86_64/registers.inc"

#define SYS_rt_sigreturn 15
#define SYS_ppoll 271
#define EINTR 4
#define RFLAGS_IF 0x200
#define ON process_cpu(%rip)
#define PENDING process_cpu + 4(%rip)

    .text
/* rsp: the frame; interrupts off. */
    .globl trap_enter, syscall_enter, arch_return
trap_enter:
    movq %rsp, %rdi
    call trap_handle
    jmp trap_return

syscall_enter:
    movq %rsp, %rdi
    call trap_syscall
trap_return:
    POP_REGISTERS
    addq $16, %rsp
    testl $RFLAGS_IF, 16(%rsp)
    jz 1f
    movl $1, ON
    .globl trap_return_open, trap_return_closed
trap_return_open:
    cmpl $0, PENDING
    jne 2f
1:  iretq
2:  movl $0, ON
trap_return_closed:
    subq $16, %rsp
    PUSH_REGISTERS /* the same values: the frame is whole again */
    movq %rsp, %rdi
    call process_interrupts
    jmp trap_return

arch_return:
    movl $0, ON
    movq %rdi, %rsp
    jmp trap_return

/* void process_soft_interrupt(u64 vector): as if it had come right after the call. */
    .globl process_soft_interrupt
process_soft_interrupt:
    popq %rcx
    movq %rsp, %rdx
    movl %ss, %eax
    pushq %rax
    pushq %rdx
    pushfq
    orq $RFLAGS_IF, (%rsp) /* they are on right after the call: the thread may be preempted */
    movl %cs, %eax
    pushq %rax
    pushq %rcx
    pushq $0
    pushq %rdi
    PUSH_REGISTERS
    movq %rsp, %rdi
    andq $~15, %rsp
    movq %rdi, %rbx
    call trap_handle
    movq %rbx, %rsp
    jmp trap_return

/* i64 process_sleep(struct pollfd *, u64 count, const struct host_timespec *):
 * ppoll, unless something is pending. A signal between the look and the call
 * goes on behind the call (signal.c): no interrupt is slept over. */
    .globl process_sleep, process_sleep_from, process_sleep_to
process_sleep:
    xorl %r10d, %r10d
    xorl %r8d, %r8d
process_sleep_from:
    movl $SYS_ppoll, %eax
    cmpl $0, PENDING
    jne 1f
    syscall
process_sleep_to:
    ret
1:  movq $-EINTR, %rax
    ret

/* The restorer of signals, and the system call itself. */
    .globl process_restorer
process_restorer:
    movl $SYS_rt_sigreturn, %eax
    syscall
    ud2

/* i64 host_call(u64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) */
    .globl host_call
host_call:
    movq %rdi, %rax
    movq %rsi, %rdi
    movq %rdx, %rsi
    movq %rcx, %rdx
    movq %r8, %r10
    movq %r9, %r8
    movq 8(%rsp), %r9
    syscall
    ret

/* The entry point of the ELF: rsp -> argc, argv, environment, auxv. */
    .globl process_start
process_start:
    xorl %ebp, %ebp
    movq %rsp, %rdi
    leaq boot_stack_top(%rip), %rsp
    call process_main
    ud2

    .section .stacks, "aw", @nobits
    .balign 4096
    .globl boot_stack_top, signal_stack, signal_stack_top
    .skip 4096 /* guards: trap_init */
    .skip 16384
boot_stack_top:
    .skip 4096
signal_stack:
    .skip 65536
signal_stack_top:
    .section .note.GNU-stack, "", @progbits
