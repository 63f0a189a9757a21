/* panic.c: the last words. Everything here must work with a broken kernel:
 * polled output, no locks, no memory, stack frames checked before they are read. */
#include "kern/panic.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/percpu.h"
#include "base/assert.h"
#include "base/crash.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "kern/interrupt.h"
#include "kern/log.h"
#include "kern/machine.h"
#include "kern/thread.h"
#include "kern/vm.h"

enum { FRAMES = 24, SECTIONS = 4 };

static const char *(*running_extension)(void);
static size_t (*other_names)(uptr at, char *out, size_t cap);
static bool dying; /* a panic inside a panic ends at once */
static struct crash_record record __attribute__((aligned(CRASH_ALIGN)));
static struct section {
    const char *title;
    void (*fn)(panic_say *say);
} sections[SECTIONS];

void panic_set_describe(const char *(*extension)(void)) { running_extension = extension; }
void panic_set_names(size_t (*name)(uptr at, char *out, size_t cap)) { other_names = name; }

void panic_add_section(const char *title, void (*fn)(panic_say *say)) {
    struct section *s = sections;
    while (s->fn) s++;
    assert(s < sections + SECTIONS - 1); /* the last one stays empty */
    *s = (struct section){title, fn};
}

/* What no longer fits is left out: the host sees a whole record at any time. */
static void keep(const char *text, size_t n) {
    n = MIN(n, CRASH_TEXT - record.length);
    memcpy(record.text + record.length, text, n);
    record.length += (u32)n;
}

static void vsay(const char *format, va_list args) {
    char text[256];
    size_t n = MIN(vfmt(text, sizeof text, format, args), sizeof text - 1);
    keep(text, n);
    machine_console_write(text, n);
}

/* Into the record alone. */
static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...) {
    char text[256];
    va_list args;
    va_start(args, format);
    keep(text, MIN(vfmt(text, sizeof text, format, args), sizeof text - 1));
    va_end(args);
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
    char other[160];
    if (name) say("  %p %s+0x%lx\n", (void *)at, name, (unsigned long)offset);
    else if (other_names && other_names(at, other, sizeof other)) say("  %p %s\n", (void *)at, other);
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

/* What a fault in the report's own making was, if that is what ends it. */
static _Noreturn void again(const char *format, va_list args) {
    char text[128];
    size_t n = vfmt(text, sizeof text, format, args);
    note("\n(no more: %.*s)\n", (int)MIN(n, sizeof text - 1), text);
    machine_exit(MACHINE_PANICKED);
}

static void begin(const char *format, va_list args) {
    irq_off();
    if (dying) again(format, args);
    dying = true;
    record.bytes = sizeof record;
    record.magic[0] = CRASH_MAGIC_0;
    record.magic[1] = CRASH_MAGIC_1;
    machine_console_write("\n", 1);
    say("panic: ");
    vsay(format, args);
    say("\n");
}

static void note_sections(void) {
    note("\nlog, the last lines:\n");
    log_report(note);
    for (const struct section *s = sections; s->fn; s++) {
        note("\n%s:\n", s->title);
        s->fn(note);
    }
}

static _Noreturn void finish(uptr rip, uptr rbp, uptr rsp) {
    const struct percpu *c = this_cpu();
    if (c && c->current)
        say("running: thread %u \"%s\"%s%s\n", c->current->id, c->current->name,
            c->current->owner ? ", of the program" : "", c->irq_frame ? ", in an interrupt" : "");
    const char *extension = running_extension ? running_extension() : NULL;
    if (extension) say("in extension \"%s\"\n", extension);
    backtrace(rip, rbp, rsp);
    note_sections();
    machine_exit(MACHINE_PANICKED);
}

static struct crash_registers registers_of(const struct trap_frame *f) {
    return (struct crash_registers){
        .r15 = f->r15, .r14 = f->r14, .r13 = f->r13, .r12 = f->r12, .rbp = f->rbp, .rbx = f->rbx, .r11 = f->r11,
        .r10 = f->r10, .r9 = f->r9, .r8 = f->r8, .rax = f->rax, .rcx = f->rcx, .rdx = f->rdx, .rsi = f->rsi,
        .rdi = f->rdi, .orig_rax = f->error, .rip = f->rip, .cs = f->cs, .rflags = f->rflags, .rsp = f->rsp, .ss = f->ss};
}

_Noreturn void panic_frame(const struct trap_frame *f, const char *format, ...) {
    va_list args;
    va_start(args, format);
    begin(format, args);
    va_end(args);
    record.registers = registers_of(f);
    say_registers(f);
    finish(f->rip, f->rbp, f->rsp);
}

_Noreturn void panic(const char *format, ...) {
    va_list args;
    va_start(args, format);
    begin(format, args);
    va_end(args);
    const u64 *frame = __builtin_frame_address(0); /* the caller's state after the call */
    record.registers = (struct crash_registers){.rip = frame[1], .rsp = (uptr)(frame + 2), .rbp = frame[0]};
    finish(frame[1], (uptr)frame, 0);
}

_Noreturn void assert_fail(const char *what, const char *file, int line) {
    panic("%s:%d: assertion failed: %s", file, line, what);
}
