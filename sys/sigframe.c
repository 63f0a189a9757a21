/* sigframe.c: what a handler finds on the stack, and the way back (System V
 * ABI; struct rt_sigframe of Linux x86-64).
 *
 * I1 what comes back from the program is sanitised: rip in its half, flags it
 *    may set, a vector state header that XRSTOR accepts. */
#include "arch/x86_64/cpu.h"
#include "base/assert.h"
#include "base/mem.h"
#include "kern/heap.h"
#include "kern/vm.h"
#include "sys/signals.h"

struct context {
    u64 flags, link;
    u64 alt_base;
    i32 alt_flags, pad;
    u64 alt_size;
    u64 r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
    u16 cs, gs, fs, ss;
    u64 error, trap, old_mask, cr2, fpu, reserved[8];
    u64 mask;
};

struct info {
    i32 signal, error, code, pad;
    u64 address;
    u8 rest[104];
};
_Static_assert(sizeof(struct info) == 128, "siginfo_t");

struct frame {
    u64 restorer;
    struct context context;
    struct info info;
};
static_assert(sizeof(struct frame) % 8 == 0, "the stack stays aligned");

/* The red zone of the interrupted function is the program's (ABI 3.2.2). */
enum { RED_ZONE = 128, FPU_LEGACY = 512, FPU_HEADER = 64, MXCSR_AT = 24 };
enum { FLAGS_ALLOWED = 0x40dd5 /* arithmetic, DF, AC */ };

static bool has_xsave(void) { return cpuid(1, 0).c >> 27 & 1; /* OSXSAVE */ }
static size_t fpu_size(void) { return has_xsave() ? cpuid(0xd, 0).b : FPU_LEGACY; }

static u64 fpu_mask(void) {
    u32 lo, hi;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return lo | (u64)hi << 32;
}

static void fpu_store(void *area) {
    if (has_xsave()) __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
    else __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static void fpu_load(u8 *area) {
    u32 mxcsr;
    memcpy(&mxcsr, area + MXCSR_AT, 4);
    mxcsr &= 0xffbf; /* bits that every CPU has */
    memcpy(area + MXCSR_AT, &mxcsr, 4);
    if (!has_xsave()) {
        __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
        return;
    }
    u64 header[8] = {0}, had;
    memcpy(&had, area + FPU_LEGACY, 8);
    header[0] = had & fpu_mask();
    memcpy(area + FPU_LEGACY, header, sizeof header);
    __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
}

/* A 64-aligned area inside *block; NULL when memory is short. */
static u8 *fpu_area(void **block) {
    *block = kzalloc(fpu_size() + 64);
    return *block ? (u8 *)ALIGN_UP((uptr)*block, 64) : NULL;
}

static bool fpu_push(u64 to) {
    void *block;
    u8 *area = fpu_area(&block);
    if (!area) return false;
    fpu_store(area);
    bool ok = user_write(to, area, fpu_size());
    kfree(block);
    return ok;
}

static bool fpu_pop(u64 from) {
    void *block;
    u8 *area = fpu_area(&block);
    bool ok = area && user_read(area, from, fpu_size());
    if (ok) fpu_load(area);
    kfree(block);
    return ok;
}

static void save(struct context *c, const struct trap_frame *f) {
    c->r8 = f->r8, c->r9 = f->r9, c->r10 = f->r10, c->r11 = f->r11;
    c->r12 = f->r12, c->r13 = f->r13, c->r14 = f->r14, c->r15 = f->r15;
    c->rdi = f->rdi, c->rsi = f->rsi, c->rbp = f->rbp, c->rbx = f->rbx;
    c->rdx = f->rdx, c->rax = f->rax, c->rcx = f->rcx, c->rsp = f->rsp;
    c->rip = f->rip, c->rflags = f->rflags;
    c->cs = (u16)f->cs, c->ss = (u16)f->ss;
}

static void restore(struct trap_frame *f, const struct context *c) {
    f->r8 = c->r8, f->r9 = c->r9, f->r10 = c->r10, f->r11 = c->r11;
    f->r12 = c->r12, f->r13 = c->r13, f->r14 = c->r14, f->r15 = c->r15;
    f->rdi = c->rdi, f->rsi = c->rsi, f->rbp = c->rbp, f->rbx = c->rbx;
    f->rdx = c->rdx, f->rax = c->rax, f->rcx = c->rcx, f->rsp = c->rsp;
    f->rip = c->rip;
    f->rflags = (c->rflags & FLAGS_ALLOWED) | RFLAGS_IF | 2;
}

static u64 stack_for(const struct trap_frame *f, const struct task *t, u64 flags) {
    bool on_it = f->rsp - t->altstack < t->altstack_size;
    if ((flags & SIGNAL_ONSTACK) && t->altstack && !on_it) return t->altstack + t->altstack_size;
    return f->rsp - RED_ZONE;
}

bool signal_push(struct trap_frame *f, int signal, const struct signal_action *a, const struct signal_cause *cause) {
    struct task *t = task_current();
    u64 fpu = ALIGN_DOWN(stack_for(f, t, a->flags) - fpu_size(), 64);
    u64 at = ALIGN_DOWN(fpu - sizeof(struct frame), 16) - 8;
    struct frame out = {.restorer = a->restorer, .info = {.signal = signal, .code = cause->code, .address = cause->address}};
    struct context *c = &out.context;
    save(c, f);
    c->alt_base = t->altstack, c->alt_size = t->altstack_size;
    c->error = cause->error, c->trap = cause->trap, c->cr2 = cause->address, c->fpu = fpu;
    c->mask = t->mask_restore ? t->mask_saved : t->mask;
    if (a->handler >= VM_USER_END || !fpu_push(fpu) || !user_write(at, &out, sizeof out)) return false;
    f->rdi = (u64)signal;
    f->rsi = at + offsetof(struct frame, info);
    f->rdx = at + offsetof(struct frame, context);
    f->rax = 0;
    f->rip = a->handler;
    f->rsp = at;
    f->rflags &= ~(u64)RFLAGS_DF;
    if (f->vector == TRAP_SYSCALL) f->vector = TRAP_SYSCALL_FULL;
    return true;
}

i64 signal_return(struct trap_frame *f) {
    struct context c;
    /* The handler's return took the restorer off the stack. */
    bool ok = user_read(&c, f->rsp, sizeof c) && c.rip < VM_USER_END && c.rsp < VM_USER_END;
    if (ok && c.fpu) ok = fpu_pop(c.fpu);
    if (!ok) {
        process_end(128 + SIGNAL_SEGV);
        return -LINUX_EFAULT; /* signal_leave ends the thread */
    }
    restore(f, &c);
    f->vector = TRAP_SYSCALL_FULL;
    signal_mask(c.mask);
    return (i64)f->rax;
}
