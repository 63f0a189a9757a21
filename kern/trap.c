/* trap.c: who a fault belongs to. In this order: a lazy page of the program, a
 * module's trap, a copy from or to the program, the program itself; else it is
 * our bug, and a panic.
 *
 * I1 trap_handle and trap_syscall start and end with interrupts off, on a stack
 *    of the thread; the fault's address is read before they go on. */
#include "arch/x86_64/trap.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/percpu.h"
#include "arch/x86_64/switch.h"
#include "base/assert.h"
#include "base/mem.h"
#include "kern/interrupt.h"
#include "kern/panic.h"
#include "kern/program.h"
#include "kern/sched.h"
#include "kern/vm.h"

enum { PF_PRESENT = 1, PF_WRITE = 2, PF_FETCH = 16 };

static const struct program_ops *program;
static trap_engine_handler *engine;
static vm_fault_handler *pager;

void program_set_ops(const struct program_ops *ops) { program = ops; }
trap_engine_handler *trap_set_engine_handler(trap_engine_handler *h) {
    trap_engine_handler *old = engine;
    engine = h;
    return old;
}
void vm_set_fault_handler(vm_fault_handler *h) { pager = h; }

static const char *const names[TRAP_EXCEPTIONS] = {
    [TRAP_DIVIDE] = "divide error",      [TRAP_DEBUG] = "debug",
    [TRAP_NMI] = "NMI",                  [TRAP_BREAKPOINT] = "breakpoint",
    [TRAP_ILLEGAL] = "invalid opcode",   [TRAP_DOUBLE_FAULT] = "double fault",
    [TRAP_PROTECTION] = "general protection", [TRAP_PAGE] = "page fault",
    [TRAP_FPU] = "x87 error",            [TRAP_ALIGNMENT] = "alignment check",
    [TRAP_MACHINE_CHECK] = "machine check", [TRAP_SIMD] = "SIMD error",
};

static const char *name_of(u64 vector) {
    return vector < TRAP_EXCEPTIONS && names[vector] ? names[vector] : "exception";
}

static bool page_in(struct trap_frame *f, uptr address) {
    if (f->vector != TRAP_PAGE || !pager) return false;
    if (address < VM_USER_START || address >= VM_USER_END) return false;
    if (!(f->rflags & RFLAGS_IF)) return false; /* it may block */
    irq_on();
    bool done = pager(address, f->error & PF_WRITE, f->error & PF_FETCH, f->error & PF_PRESENT);
    irq_off();
    return done;
}

static bool fix_copy(struct trap_frame *f) {
    if (f->rip < (u64)user_copy || f->rip >= (u64)user_copy_fault) return false;
    f->rip = (u64)user_copy_fault;
    return true;
}

static void exception(struct trap_frame *f) {
    uptr address = f->vector == TRAP_PAGE ? fault_address() : f->rip;
    if (page_in(f, address)) return;
    if (!trap_from_program(f)) {
        if (engine && engine(f, address)) return;
        if (fix_copy(f)) return;
    } else if (program && program->fault) {
        irq_on();
        program->fault(f, address);
        irq_off();
        return;
    }
    panic_frame(f, "%s at %p, error 0x%lx, address %p", name_of(f->vector), (void *)f->rip,
                (unsigned long)f->error, (void *)address);
}

/* Work that waits until the program is about to go on. */
static void before_return(struct trap_frame *f) {
    if (!(f->rflags & RFLAGS_IF)) return;
    struct percpu *c = this_cpu();
    if (c->need_resched && !c->preempt_count) sched_yield();
    if (!trap_from_program(f) || !program || !program->leave) return;
    irq_on();
    program->leave(f);
    irq_off();
}

/* `int n` of a program (int $0x80: the 32-bit system calls, which there are
 * none of) arrives like a device's interrupt, on a vector that no device has. */
static bool is_software(const struct trap_frame *f) {
    return f->vector >= TRAP_EXCEPTIONS && trap_from_program(f) && !irq_expected(f->vector);
}

void trap_handle(struct trap_frame *f) {
    if (is_software(f)) f->vector = TRAP_PROTECTION;
    if (f->vector < TRAP_EXCEPTIONS) exception(f);
    else irq_dispatch(f, f->vector);
    before_return(f);
}

void trap_syscall(struct trap_frame *f) {
    irq_on();
    f->rax = program ? (u64)program->syscall(f) : (u64)-38; /* ENOSYS */
    irq_off();
    assert(!this_cpu()->preempt_count);
    before_return(f);
}

_Noreturn void trap_fatal(struct trap_frame *f) {
    uptr address = f->vector == TRAP_PAGE ? fault_address() : f->rip;
    bool own = f->vector == TRAP_NMI || f->vector == TRAP_MACHINE_CHECK;
    panic_frame(f, "%s%s at %p, address %p", own ? "" : "stack overflow: ", name_of(f->vector),
                (void *)f->rip, (void *)address);
}

/* --- copies --- */

static bool in_program(uptr at, size_t n) {
    return at >= VM_USER_START && at <= VM_USER_END && n <= VM_USER_END - at;
}

bool user_read(void *to, uptr from, size_t n) {
    return n == 0 || (in_program(from, n) && !user_copy(to, (const void *)from, n));
}

bool user_write(uptr to, const void *from, size_t n) {
    return n == 0 || (in_program(to, n) && !user_copy((void *)to, from, n));
}

size_t user_peek(void *to, uptr from, size_t n) {
    size_t done = 0;
    while (done < n && in_program(from + done, 1)) {
        u64 flags = irq_save(); /* the page stays where it is while it is copied */
        phys p;
        u32 prot;
        size_t part = MIN(n - done, PAGE_SIZE - (from + done) % PAGE_SIZE);
        bool there = vm_lookup(from + done, &p, &prot) && prot & VM_READ;
        if (there) memcpy((u8 *)to + done, phys_to_virt((phys){ALIGN_DOWN(p.v, PAGE_SIZE) + (from + done) % PAGE_SIZE}), part);
        irq_restore(flags);
        if (!there) break;
        done += part;
    }
    return done;
}

i64 user_read_string(char *to, uptr from, size_t cap) {
    for (size_t n = 0; n < cap;) {
        /* Up to the end of a page: the next one may not be there. */
        size_t part = MIN(cap - n, PAGE_SIZE - (from + n) % PAGE_SIZE);
        if (!user_read(to + n, from + n, part)) return -1;
        for (size_t i = 0; i < part; i++)
            if (!to[n + i]) return (i64)(n + i);
        n += part;
    }
    return -2;
}
