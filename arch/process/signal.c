/* signal.c: interrupts, faults and system calls of the program, as signals.
 *
 * I1 the handler runs with all signals blocked, so that nothing overwrites its
 *    stack; it ends by returning into the kernel on another (entry.S).
 * I2 a fault inside the handler is a bug that ends the process: SIGSEGV is blocked. */
#include "arch/process/host.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/percpu.h"
#include "arch/x86_64/trap.h"
#include "base/mem.h"

enum { SA_SIGINFO = 4, SA_RESTORER = 0x04000000, SA_ONSTACK = 0x08000000, SA_RESTART = 0x10000000, SIGNALS = 64 };
enum { SYS_SECCOMP = 1, SYS_USER_DISPATCH = 2 };
#define ARCH_X86_64 0xc000003eu
enum { PAGE_USER = 4 };
enum { PR_SET_SYSCALL_USER_DISPATCH = 59, DISPATCH_ON = 1 };
enum { ARCH_SET_GS = 0x1001, ARCH_SET_FS = 0x1002, FSGSBASE_LEAF_BIT = 0 };
/* What neither an interrupt's nor a system call's entry keeps: TF, DF, NT, AC. */
enum { ENTRY_CLEARS = 1 << 8 | 1 << 10 | 1 << 14 | 1 << 18 };

struct host_siginfo {
    i32 number, error, code, pad;
    u64 call_address; /* of SIGSYS, as the rest */
    u32 call, call_arch;
};
struct host_sigaction {
    void (*handler)(int, struct host_siginfo *, struct host_context *);
    u64 flags;
    void (*restorer)(void);
    u64 mask;
};
struct host_stack {
    void *base;
    u32 flags, pad;
    u64 size;
};

struct process_cpu process_cpu;

extern const char process_sleep_from[], process_sleep_to[];
extern const char trap_enter[], syscall_enter[], trap_return_open[], trap_return_closed[];
extern char stacks_start[], boot_stack_top[], signal_stack[], signal_stack_top[];
void process_restorer(void);
void process_soft_interrupt(u64 vector);
void process_interrupts(struct trap_frame *f);

static const u8 vector_of[PROCESS_INTERRUPTS] = {
    [PROCESS_TIMER] = VECTOR_TIMER, [PROCESS_DEVICE] = VECTOR_GSI, [PROCESS_BUTTON] = VECTOR_GSI + 1};

void process_set_gs(u64 base) { host(HOST_ARCH_PRCTL, ARCH_SET_GS, base); }
void process_set_fs(u64 base) { host(HOST_ARCH_PRCTL, ARCH_SET_FS, base); }

/* --- from a signal to a frame --- */

static struct trap_frame frame_of(const struct host_context *c) {
    return (struct trap_frame){
        .r15 = c->r15, .r14 = c->r14, .r13 = c->r13, .r12 = c->r12, .rbp = c->rbp, .rbx = c->rbx, .r11 = c->r11,
        .r10 = c->r10, .r9 = c->r9, .r8 = c->r8, .rax = c->rax, .rcx = c->rcx, .rdx = c->rdx, .rsi = c->rsi,
        .rdi = c->rdi, .vector = c->vector, .error = c->error, .rip = c->rip, .cs = c->cs,
        .rflags = (c->rflags & ~(u64)RFLAGS_IF) | (process_cpu.on ? RFLAGS_IF : 0), .rsp = c->rsp, .ss = c->ss};
}

/* On the last steps out of the kernel: as if they had been taken (entry.S, I3). */
static void finish_return(struct trap_frame *f) {
    if (f->rip < (u64)trap_return_open || f->rip >= (u64)trap_return_closed || !(f->rflags & RFLAGS_IF)) return;
    const u64 *left = (const u64 *)f->rsp;
    f->rip = left[0], f->cs = left[1], f->rflags = left[2] | RFLAGS_IF, f->rsp = left[3], f->ss = left[4];
}

/* Goes on at `to` with the frame on a stack of the thread, interrupts off. */
static void enter(struct host_context *c, struct trap_frame *f, const char *to) {
    process_cpu.on = 0;
    finish_return(f);
    struct trap_frame *copy = trap_place(f);
    if (!copy) trap_fatal(f);
    c->rip = (u64)to;
    c->rsp = (u64)copy;
    c->rflags &= ~(u64)ENTRY_CLEARS;
}

/* About to sleep: not any more (entry.S). */
static void wake(struct host_context *c) {
    if (c->rip < (u64)process_sleep_from || c->rip >= (u64)process_sleep_to) return;
    c->rip = (u64)process_sleep_to;
    c->rax = (u64)-HOST_EINTR;
}

static void interrupt(struct host_context *c, enum process_interrupt which) {
    if (which == PROCESS_TIMER && !process_alarm_due()) return;
    if (!process_cpu.on) {
        process_cpu.pending |= 1u << which;
        wake(c);
        return;
    }
    struct trap_frame f = frame_of(c);
    f.vector = vector_of[which];
    f.error = 0;
    enter(c, &f, trap_enter);
}

static void system_call(struct host_context *c, const struct host_siginfo *info) {
    if (info->code == SYS_SECCOMP && process_refused(c)) return; /* else a fault of ours */
    struct trap_frame f = frame_of(c);
    /* int $0x80 is a fault of the program's on every machine (kern/trap.c). */
    bool of_program = info->code == SYS_USER_DISPATCH && info->call_arch == ARCH_X86_64 && address_of_program(c->rip);
    f.vector = of_program ? TRAP_SYSCALL : TRAP_PROTECTION;
    f.error = c->rax;
    enter(c, &f, of_program ? syscall_enter : trap_enter);
}

/* c->vector is that of the last exception, which may not be this signal's. */
static void fault(struct host_context *c, const struct host_siginfo *info) {
    if (info->code <= 0) return; /* somebody sent it */
    struct trap_frame f = frame_of(c);
    if (info->number == HOST_SIGILL) f.vector = TRAP_ILLEGAL;
    if (f.vector == TRAP_PAGE) {
        process_cpu.fault = c->fault;
        f.error &= ~(u64)PAGE_USER; /* all that runs here is, and nothing asks */
    }
    enter(c, &f, trap_enter);
}

static void on_signal(int number, struct host_siginfo *info, struct host_context *c) {
    switch (number) {
    case HOST_SIGALRM: return interrupt(c, PROCESS_TIMER);
    case HOST_SIGIO: return interrupt(c, PROCESS_DEVICE);
    case HOST_SIGTERM: return interrupt(c, PROCESS_BUTTON);
    case HOST_SIGSYS: return system_call(c, info);
    default: return fault(c, info);
    }
}

/* --- interrupts that waited --- */

static bool take_one(u64 *vector) {
    for (u32 i = 0; i < PROCESS_INTERRUPTS; i++) {
        if (!(process_cpu.pending >> i & 1)) continue;
        __atomic_and_fetch(&process_cpu.pending, ~(1u << i), __ATOMIC_RELAXED); /* one instruction: signals */
        *vector = vector_of[i];
        return true;
    }
    return false;
}

void process_take_pending(void) {
    u64 vector;
    for (;;) {
        irq_off();
        while (take_one(&vector)) process_soft_interrupt(vector);
        *(volatile u32 *)&process_cpu.on = 1;
        if (!*(volatile u32 *)&process_cpu.pending) return;
    }
}

/* On the way out: the frame is what they interrupt. */
void process_interrupts(struct trap_frame *f) {
    u64 vector;
    while (take_one(&vector)) {
        f->vector = vector;
        trap_handle(f);
    }
}

/* --- set-up --- */

static void handle(int number) {
    struct host_sigaction a = {on_signal, SA_SIGINFO | SA_RESTORER | SA_ONSTACK, process_restorer, UINT64_MAX};
    host(HOST_SIGACTION, number, &a, NULL, 8);
}

/* From here on a `syscall` outside of [from, from + bytes) is the program's. */
static i64 dispatch(const char *from, size_t bytes) {
    return host(HOST_PRCTL, PR_SET_SYSCALL_USER_DISPATCH, DISPATCH_ON, from, bytes, NULL);
}

void trap_init(void) {
    extern char text_start[], text_end[];
    static const u8 handled[] = {HOST_SIGILL, HOST_SIGTRAP, HOST_SIGBUS, HOST_SIGFPE, HOST_SIGSEGV, HOST_SIGALRM,
                                 HOST_SIGTERM, HOST_SIGIO, HOST_SIGSYS};
    struct host_stack stack = {signal_stack, 0, 0, (u64)(signal_stack_top - signal_stack)};
    host(HOST_MPROTECT, stacks_start, 4096, 0);
    host(HOST_MPROTECT, boot_stack_top, 4096, 0);
    host(HOST_SIGALTSTACK, &stack, NULL);
    for (u32 i = 0; i < ARRAY_LEN(handled); i++) handle(handled[i]);
    /* Linux before 5.11: system calls of the program would be the host's. */
    if (dispatch(text_start, (size_t)(text_end - text_start)) < 0) process_no_dispatch();
}
