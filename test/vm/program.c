/* program.c: code in the lower half, as programs run: system calls, red zones,
 * preemption, lazy pages, faults. No sys/: the ops are this file's. */
#include "arch/x86_64/switch.h"
#include "base/mem.h"
#include "init/init.h"
#include "kern/panic.h"
#include "kern/program.h"
#include "kern/thread.h"
#include "kern/time.h"
#include "kern/vm.h"
#include "kern/wait.h"
#include "test/lib/test.h"

#define MS 1000000ull
#define CODE 0x400000ull
#define STACK (VM_USER_END - 0xfffff000ull) /* its top; pages come when touched */
#define LAZY 0x500000ull

enum { CALL_ECHO = 7, CALL_BAD = 99, CALL_EXIT = 60, CALL_FULL = 15, ROUNDS = 20000 };

/* Everything that the ABI lets a program rely on across a system call and a
 * tick: registers but rax rcx r11, the red zone, vector registers, flags. */
__asm__(
    ".section .rodata\n"
    "program_start:\n"
    "  movl $20000, %ebx\n movq $0x1111, %rbp\n movq $0x1212, %r12\n movq $0x1313, %r13\n"
    "  movq $0x1414, %r14\n movq $0x1515, %r15\n movq %rbp, %xmm5\n"
    "1: movq %rsp, %rdi\n movq $2, %rsi\n movq $3, %rdx\n movq $4, %r10\n movq $5, %r8\n movq $6, %r9\n"
    "  movq %r12, -8(%rsp)\n movq %r13, -128(%rsp)\n"
    "  movl $7, %eax\n stc\n syscall\n"
    "  jnc 9f\n cmpq $8, %rax\n jne 9f\n cmpq %rsp, %rdi\n jne 9f\n cmpq $2, %rsi\n jne 9f\n"
    "  cmpq $3, %rdx\n jne 9f\n cmpq $4, %r10\n jne 9f\n cmpq $5, %r8\n jne 9f\n cmpq $6, %r9\n jne 9f\n"
    "  cmpq %r12, -8(%rsp)\n jne 9f\n cmpq %r13, -128(%rsp)\n jne 9f\n"
    "  cmpq $0x1414, %r14\n jne 9f\n cmpq $0x1515, %r15\n jne 9f\n movq %xmm5, %rax\n cmpq $0x1111, %rax\n jne 9f\n"
    "  cmpq $0x1111, %rbp\n jne 9f\n cmpq $0x1212, %r12\n jne 9f\n cmpq $0x1313, %r13\n jne 9f\n"
    "  subl $1, %ebx\n jnz 1b\n"
    /* a lazy page */
    "  movq $0x500000, %rdi\n movq %rbp, 8(%rdi)\n cmpq %rbp, 8(%rdi)\n jne 9f\n"
    /* a full return sets rcx and r11 */
    "  movl $15, %eax\n syscall\n cmpq $0x77, %rcx\n jne 9f\n cmpq $0x88, %r11\n jne 9f\n"
    /* a null read: the fault handler skips its three bytes */
    "  xorl %edi, %edi\n movq (%rdi), %rax\n"
    "  ud2\n"
    /* no 32-bit system calls: as Linux without them */
    "  int $0x80\n"
    "  movl $60, %eax\n syscall\n"
    "9: movl $99, %eax\n syscall\n"
    "program_end:\n .text\n");
extern const char program_start[], program_end[];

static u32 calls, bad, paged, null_faults, illegal, old_calls, leaves;
static volatile bool done;
static struct waitq ended = WAITQ_INIT(ended);

static void end(void) {
    done = true;
    wait_wake_all(&ended);
    thread_exit();
}

static i64 on_syscall(struct trap_frame *f) {
    switch (f->error) {
    case CALL_ECHO:
        calls++;
        if (calls % 64 == 0) thread_yield();
        return CALL_ECHO + 1;
    case CALL_FULL:
        f->vector = TRAP_SYSCALL_FULL;
        f->rcx = 0x77;
        f->r11 = 0x88;
        return 0;
    case CALL_BAD: bad++; break;
    }
    end();
    return 0;
}

static void on_fault(struct trap_frame *f, uptr address) {
    if (f->vector == TRAP_PAGE && address == 0) null_faults++, f->rip += 3;
    else if (f->vector == TRAP_ILLEGAL) illegal++, f->rip += 2;
    else if (f->vector == TRAP_PROTECTION) old_calls++;
    else bad++, end();
}

static void on_leave(struct trap_frame *f) { leaves++; }

static bool on_page(uptr address, bool write, bool exec, bool present) {
    uptr at = ALIGN_DOWN(address, (uptr)PAGE_SIZE);
    if (present || (at != LAZY && at != STACK - PAGE_SIZE)) return false;
    thread_sleep_until(time_mono_ns() + MS); /* as if from a disk */
    paged++;
    return !vm_map(at, page_alloc_zeroed(), VM_READ | VM_WRITE);
}

static void run(void *arg) { arch_enter_program(CODE, STACK); }

static struct timer ticker;
static void tick(struct timer *t) { timer_arm(t, time_mono_ns() + MS / 20); }

static void spin(void *arg) {
    while (!done) __asm__ volatile("movq %0, %%xmm5" : : "r"(1ull)); /* another's xmm5 */
}

static void unmap(uptr at) {
    phys p = vm_unmap(at);
    CHECK(p.v);
    page_free(p, 0);
}

int vm_test(void) {
    static const struct program_ops ops = {on_syscall, on_fault, on_leave};
    phys code = page_alloc_zeroed();
    memcpy(phys_to_virt(code), program_start, (size_t)(program_end - program_start));
    EQUAL(vm_map(CODE, code, VM_READ | VM_EXEC), ERR_OK);
    program_set_ops(&ops);
    vm_set_fault_handler(on_page);
    ticker.fn = tick;
    timer_arm(&ticker, time_mono_ns());
    EQUAL(thread_create("program", run, NULL, NULL), ERR_OK);
    EQUAL(thread_create("spin", spin, NULL, NULL), ERR_OK);
    CHECK(wait_event(&ended, done, time_mono_ns() + 120000 * MS));
    timer_cancel(&ticker);
    EQUAL(bad, 0);
    EQUAL(calls, ROUNDS);
    EQUAL(paged, 2);
    EQUAL(null_faults, 1);
    EQUAL(illegal, 1);
    EQUAL(old_calls, 1);
    CHECK(leaves >= ROUNDS);
    unmap(CODE);
    unmap(LAZY);
    unmap(STACK - PAGE_SIZE);
    return test_end("program");
}
