/* panic.c: the last words. Everything here must work with a broken kernel:
 * polled output, no locks, no memory, stack frames checked before they are read. */
#include "kern/panic.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/percpu.h"
#include "base/assert.h"
#include "base/fmt.h"
#include "kern/interrupt.h"
#include "kern/machine.h"
#include "kern/thread.h"
#include "kern/vm.h"

enum { FRAMES = 24 };

static const char *(*running_extension)(void);
static bool dying; /* a panic inside a panic ends at once */

void panic_set_describe(const char *(*extension)(void)) { running_extension = extension; }

static void vsay(const char *format, va_list args) {
    char text[256];
    size_t n = vfmt(text, sizeof text, format, args);
    machine_console_write(text, MIN(n, sizeof text - 1));
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsay(format, args);
    va_end(args);
}

/* Made by plat/vm/symbols.awk in the second link; the first has none. */
struct symbol {
    u32 at, name;
};
struct symbol_table {
    u32 count, zero;
    struct symbol symbols[];
};
extern const struct symbol_table symbol_table;

const char *symbol_at(uptr address, u64 *offset) {
    extern char text_start[], text_end[];
    if (address < (uptr)text_start || address >= (uptr)text_end) return NULL;
    const struct symbol_table *t = &symbol_table;
    u32 low = 0, high = t->count, at = (u32)address - 0x80000000u;
    while (high - low > 1) {
        u32 middle = low + (high - low) / 2;
        if (t->symbols[middle].at <= at) low = middle;
        else high = middle;
    }
    if (!t->count || t->symbols[low].at > at) return NULL;
    *offset = at - t->symbols[low].at;
    return (const char *)&t->symbols[t->count] + t->symbols[low].name;
}

static void say_address(uptr at) {
    u64 offset;
    const char *name = symbol_at(at, &offset);
    if (name) say("  %p %s+0x%lx\n", (void *)at, name, (unsigned long)offset);
    else say("  %p\n", (void *)at);
}

static bool readable(uptr at) {
    return at % 8 == 0 && !address_of_program(at) && vm_lookup(at, NULL, NULL) && vm_lookup(at + 15, NULL, NULL);
}

/* rsp != 0: a fault's. After a jump to nowhere the caller is on its top. */
static void backtrace(uptr rip, uptr rbp, uptr rsp) {
    u64 offset;
    say("backtrace:\n");
    say_address(rip);
    if (rsp && !symbol_at(rip, &offset) && readable(rsp)) say_address(*(const u64 *)rsp);
    for (int i = 0; i < FRAMES && readable(rbp); i++) {
        const u64 *frame = (const u64 *)rbp;
        if (!frame[1]) break;
        say_address(frame[1]);
        if (frame[0] <= rbp) break; /* callers lie higher */
        rbp = frame[0];
    }
}

static void say_registers(const struct trap_frame *f) {
    say("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
    say("rsi %016lx rdi %016lx rbp %016lx rsp %016lx\n", f->rsi, f->rdi, f->rbp, f->rsp);
    say("r8  %016lx r9  %016lx r10 %016lx r11 %016lx\n", f->r8, f->r9, f->r10, f->r11);
    say("r12 %016lx r13 %016lx r14 %016lx r15 %016lx\n", f->r12, f->r13, f->r14, f->r15);
    say("rip %016lx rflags %08lx cr2 %016lx cr3 %016lx\n", f->rip, f->rflags, fault_address(), page_root());
}

static void begin(const char *format, va_list args) {
    irq_off();
    if (dying) machine_exit(MACHINE_PANICKED);
    dying = true;
    say("\npanic: ");
    vsay(format, args);
    say("\n");
}

static _Noreturn void finish(uptr rip, uptr rbp, uptr rsp) {
    const struct percpu *c = this_cpu();
    if (c && c->current)
        say("running: thread %u \"%s\"%s%s\n", c->current->id, c->current->name,
            c->current->owner ? ", of the program" : "", c->irq_frame ? ", in an interrupt" : "");
    const char *extension = running_extension ? running_extension() : NULL;
    if (extension) say("in extension \"%s\"\n", extension);
    backtrace(rip, rbp, rsp);
    machine_exit(MACHINE_PANICKED);
}

_Noreturn void panic_frame(const struct trap_frame *f, const char *format, ...) {
    va_list args;
    va_start(args, format);
    begin(format, args);
    va_end(args);
    say_registers(f);
    finish(f->rip, f->rbp, f->rsp);
}

_Noreturn void panic(const char *format, ...) {
    va_list args;
    va_start(args, format);
    begin(format, args);
    va_end(args);
    finish((uptr)__builtin_return_address(0), (uptr)__builtin_frame_address(0), 0);
}

_Noreturn void assert_fail(const char *what, const char *file, int line) {
    panic("%s:%d: assertion failed: %s", file, line, what);
}
