/* step.c: an extension is stopped at every instruction.
 *
 * A frame goes through net.rx with the trap flag set, so the CPU comes back after
 * each instruction (#DB): from the hook's fire to its return, the kernel's C, the
 * entry, compiled code, glue, host functions, faults and the trap exit. Right before
 * the first one that was never interrupted the timer's interrupt comes in: sent by the
 * local APIC to itself, through the IDT, the IST stack and kern/ to ext_tick. Then the
 * frame goes again, until a walk meets none that is new; and the way out of a stop in
 * the same manner. No walk foretells the steps of the next: pages lie elsewhere, a time
 * in the log has other digits. In a process of Linux the trap flag's signal and the
 * timer's do the same, for compiled code and glue.
 *
 * W1 the extension's budget is one tick. Whoever is interrupted in compiled code or in
 *    a host function is gone by that tick; on the way in, in glue, and in the kernel's
 *    search for who catches an exception, by the next.
 * W2 after each: the verdict is the policy's, the extension is in quarantine, is
 *    made anew and clean, the other one on the hook was asked, and the kernel is whole;
 *    so are the vector registers of who called, upper halves included (ext/call.c).
 * W3 what ends by itself may do so, if the tick came too late to stop it. */
#include <stdarg.h>

#ifdef WHELK_PROCESS
#include "arch/process/host.h"
#include "plat/process/process.h"
#endif
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/percpu.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "ext/internal.h"
#include "init/engine.h"
#include "init/init.h"
#include "kern/bootinfo.h"
#include "kern/interrupt.h"
#include "kern/log.h"
#include "kern/machine.h"
#include "kern/panic.h"
#include "kern/vm.h"
#include "rt/internal.h"
#include "test/lib/test.h"

enum { NEVER = UINT32_MAX, SEEN = 1 << 14, RUNAWAY = 1 << 22, EVERY = 4000, EXIT_AT = 2000, PROBE = 1, FRAME = 64 };

/* Version of the contract (include/whelk), behind the module. */
#define CONTRACT 0, 10, 5, 'w', 'h', 'e', 'l', 'k', 1, 0, 0, 0
static const u8 plain_bytes[] = {
#include "build/gen/test/vm/step.inc"
    CONTRACT};
static const u8 careful_bytes[] = {
#include "build/gen/test/vm/step_careful.inc"
};
static const u8 other_bytes[] = {
#include "build/gen/test/vm/step_other.inc"
};

struct program {
    const char *name;
    u32 length;   /* of the frame that runs it */
    u32 walk;     /* so many steps are looked at, if it does not end: its loop, once or more; 0: it ends */
    u32 interval; /* steps from one tick to the next: more than any host call of it takes */
    /* The first throw looks for unnamed exceptions; rep movsb and stosb; the hook reads no clock. */
    enum { AS_IS, THROWS, COLLECTS, STRINGS, UNTIMED } how;
};
enum { SHORT = 3000, CHUNK = 25000, LONG = 150000 }; /* the longest: in `make step` alone */
static const struct program plain[] = {
    {"spin", 2, 1500, SHORT, AS_IS},         {"fill", 3, 15000, CHUNK, AS_IS},
    {"copy", 4, 24000, CHUNK, AS_IS},         {"init", 5, 3000, SHORT, AS_IS},
    {"host", 6, 2500, SHORT, AS_IS},         {"stream", 7, 3500, SHORT, AS_IS},
    {"calls", 8, 2500, SHORT, UNTIMED},      {"tables", 9, 7000, SHORT, AS_IS},
    {"grow", 10, 20000, LONG, AS_IS},       {"ends", 11, 0, SHORT, AS_IS},
    {"dead", 12, 0, SHORT, AS_IS},           {"bounds", 13, 0, SHORT, AS_IS},
    {"divide", 14, 0, SHORT, AS_IS},         {"deep", 15, 0, CHUNK, AS_IS},
    {"raise", 16, 0, SHORT, AS_IS},          {"fill with rep", 3, 70000, LONG, STRINGS},
    {"copy with rep", 4, 70000, LONG, STRINGS}, {"enlarge", 17, 20000, LONG, AS_IS},
};
static const struct program careful[] = {
    {"spin", 2, 1500, SHORT, AS_IS},         {"catches", 3, 4000, SHORT, THROWS},
    {"host", 4, 2500, SHORT, AS_IS},         {"tails", 5, 1500, SHORT, AS_IS},
    {"ends", 6, 0, SHORT, THROWS},           {"uncaught", 7, 0, SHORT, THROWS},
    {"overflow", 8, 0, SHORT, AS_IS},        {"collects", 3, 70000, LONG, COLLECTS},
};

static trap_engine_handler *engine_faults;
static struct hook *hook;
static u64 (*hook_clock)(void);
static struct ext *x, *other;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
    char text[240];
    va_list args;
    va_start(args, format);
    size_t n = vfmt(text, sizeof text, format, args);
    va_end(args);
    machine_console_write(text, MIN(n, sizeof text - 1));
}

/* --- the machine: its timer off, its interrupt at our word --- */

#ifdef WHELK_PROCESS
/* A signal for each instruction: only compiled code, and what takes little. */
enum { EVERYWHERE = false, LONGEST = SHORT, HOST_TIMER_DELETE = 226 };
static void timer_off(void) { host(HOST_TIMER_DELETE, process_alarm); }
static void interrupt_self(void) { host(HOST_KILL, process_id, HOST_SIGALRM); }
#else
/* SDM 3A, table 11-1 and 11.6.1. */
enum { LAPIC_COMMAND = 0x300, LAPIC_TIMER = 0x320, COMMAND_SELF = 1 << 18, MASKED = 1 << 16 };
enum { EVERYWHERE = true, LONGEST = CHUNK };
static volatile u32 *apic;
static void timer_off(void) {
    apic = vm_map_device((phys){LAPIC_PHYSICAL}, PAGE_SIZE);
    apic[LAPIC_TIMER / 4] = MASKED | VECTOR_TIMER;
}
static void interrupt_self(void) { apic[LAPIC_COMMAND / 4] = COMMAND_SELF | VECTOR_TIMER; }
#endif

/* --- stepping --- */

static struct {
    bool on;
    u32 steps, next, interval; /* a tick comes after `next` steps, then each interval */
    u32 from, until; /* and one before what was never interrupted, after so many steps and before so many */
    u64 found_new;   /* which this was */
    u32 ticks, late; /* while the extension was in; elsewhere than they should have been */
    bool inside;     /* its code was reached; and where the first tick found it: */
    enum { IN_CODE, IN_GLUE, IN_KERNEL, ON_THE_WAY } found;
    u64 expect;
    bool entered;
} walk;

static u64 seen[SEEN]; /* a hash set of the instructions that were interrupted */
static u32 seen_count, seen_in[ON_THE_WAY]; /* by where they are */

/* The interrupt is taken when this handler returns, before the instruction at rip;
 * or as soon as interrupts are on. */
static void send_tick(const struct trap_frame *f) {
    walk.next = walk.steps + walk.interval;
    walk.expect = f->rflags & RFLAGS_IF ? f->rip : 0;
    interrupt_self();
}

static u32 where(u64 pc) {
    const struct jit_code *c = &x->module->code;
    u64 at = pc - (u64)x->module->exec;
    if (at >= x->module->exec_bytes) return IN_KERNEL;
    return at >= c->thunks_start && at < c->thunks_end ? IN_GLUE : IN_CODE;
}

static u64 *place_of(u64 pc) {
    u32 i = (u32)(pc * 0x9e3779b97f4a7c15ull >> 50);
    static_assert(SEEN == 1 << 14, "the shift");
    while (seen[i] && seen[i] != pc) i = (i + 1) % SEEN;
    return &seen[i];
}

static bool is_looking(void) { return !walk.found_new && walk.steps < walk.until; }

static bool is_new(u64 pc) {
    if (!is_looking() || walk.steps <= walk.from || *place_of(pc)) return false;
    if (!EVERYWHERE && where(pc) == IN_KERNEL) return false;
    walk.found_new = pc;
    return true;
}

/* Is there anything left to see? */
static bool is_over(void) {
    walk.entered |= x->busy;
    return !walk.on || (walk.entered && !x->busy && !is_looking());
}

static bool on_debug(struct trap_frame *f, uptr address) {
    if (f->vector != TRAP_DEBUG) return engine_faults(f, address);
    if (is_over()) {
        f->rflags &= ~(u64)RFLAGS_TF;
        return true;
    }
    if (!walk.inside) walk.inside = where(f->rip) == IN_CODE;
    if (++walk.steps == RUNAWAY) panic("step: %lu ticks have not stopped the extension", (unsigned long)walk.ticks);
    if (is_new(f->rip) || walk.steps == walk.next) send_tick(f);
    return true;
}

/* Twice: the first uses up the budget of a run that has begun since the last. */
static bool on_tick(struct rt_regs *regs) {
    walk.ticks += x->busy;
    if (walk.expect && regs->rip != walk.expect) walk.late++;
    if (walk.ticks == 1) walk.found = walk.inside ? where(regs->rip) : ON_THE_WAY;
    return ext_tick(regs) || ext_tick(regs);
}

static bool has_ymm(void) {
    enum { XSAVE_ON = 27, AVX = 28 };
    u32 have = cpuid(1, 0).c;
    return have >> XSAVE_ON & have >> AVX & 1;
}

/* As a program has them when its system call sends a frame: those that modules use first. */
static u32 fire(u32 length) {
    static const u64 want[4] = {0x1111, 0x2222, 0x3333, 0x4444};
    static u8 bytes[FRAME];
    struct hook_frame f = {.bytes = bytes, .length = length, .writable = true};
    u64 first[4] = {[2] = 0x3333, 0x4444}, second[4] = {[2] = 0x3333, 0x4444};
    bool ymm = has_ymm();
    if (ymm) __asm__ volatile("vmovdqu %0, %%ymm0; vmovdqu %0, %%ymm1" : : "m"(want));
    else __asm__ volatile("movdqu %0, %%xmm0; movdqu %0, %%xmm1" : : "m"(want));
    u32 verdict = ext_fire_frame(hook, &f);
    if (ymm) __asm__ volatile("vmovdqu %%ymm0, %0; vmovdqu %%ymm1, %1" : "=m"(first), "=m"(second));
    else __asm__ volatile("movdqu %%xmm0, %0; movdqu %%xmm1, %1" : "+m"(first), "+m"(second));
    CHECK(!memcmp(first, want, sizeof want) && !memcmp(second, want, sizeof want));
    return verdict;
}

static u32 fire_stepping(u32 length) {
    walk.steps = walk.ticks = walk.late = 0;
    walk.entered = walk.inside = false;
    walk.found_new = 0;
    walk.on = true;
    __asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq" : : : "memory", "cc");
    u32 verdict = fire(length);
    __asm__ volatile("pushfq; andl $~0x100, (%%rsp); popfq" : : : "memory", "cc");
    walk.on = false;
    return verdict;
}

/* --- one frame, and what must hold after it --- */

static u64 asked; /* the other one, until now */
static u64 trap_exit; /* of the extension's code */

static void check_kernel(void) {
    CHECK(irq_enabled());
    EQUAL(this_cpu()->preempt_count, 0);
    CHECK(!this_cpu()->irq_frame && !ext_running());
    EQUAL(hook->firing, 0);
    CHECK(!x->busy && !x->frame);
    EQUAL(x->store->abi.depth, 0);
    EQUAL(x->store->abi.trap_sp, rt_stack_top(x->store));
    EQUAL(other->slots[0].slot.calls, ++asked);
    EQUAL(other->slots[0].slot.verdicts[WHELK_PASS], asked);
    CHECK(!x->uses_stream || x->stream.end - x->stream.head <= x->stream.cap);
}

/* Its instance is made anew: the probe finds nothing of the old one. */
static void check_anew(void) {
    struct ext_error error = {0};
    enum err e = ext_resume((struct bytes){(const u8 *)"x", 1}, &error);
    EQUAL_TEXT(e ? error.text : "", "");
    EQUAL(fire(PROBE), WHELK_DROP);
    CHECK(!x->quarantined);
}

/* A tick after `at` steps, and one between two others (struct walk). true: it was stopped. */
static bool run(const struct program *p, u32 at, u32 from, u32 until) {
    u32 deadlines = x->deadlines;
    x->traps = 0;
    mem_rep_slow = p->how != STRINGS;
    if (p->how == COLLECTS) x->store->collect_at = 0;
    hook_measure(hook, p->how == UNTIMED ? NULL : hook_clock, 1); /* each call, not each so many */
    walk.next = at;
    walk.from = from;
    walk.until = until;
    walk.interval = p->interval;
    EQUAL(fire_stepping(p->length), WHELK_PASS);
    bool stopped = x->deadlines != deadlines;
    EQUAL(x->deadlines - deadlines, stopped);
    EQUAL(x->quarantined, stopped);
    CHECK(stopped || !p->walk);
    EQUAL(walk.late, 0);
    check_kernel();
    if (stopped) check_anew();
    return stopped;
}

/* --- every instruction --- */

static u32 runs, stops, second_ticks, programs_run;
static bool every_step;

static void mark(u64 pc) {
    if (!pc) return;
    assert(!*place_of(pc) && seen_count < SEEN / 2);
    seen_count++;
    seen_in[where(pc)]++;
    *place_of(pc) = pc;
}

static u32 ticks_allowed(const struct program *p) {
    bool throws = p->how == THROWS || p->how == COLLECTS;
    return walk.found == IN_CODE || (walk.found == IN_KERNEL && !throws) ? 1 : 2;
}

static void run_counted(const struct program *p, u32 at, u32 from, u32 until) {
    runs++;
    stops += run(p, at, from, until);
    u32 allowed = from && walk.found_new ? 2 : ticks_allowed(p);
    if (walk.ticks > allowed) /* hard to see again */
        say("step: %s: at %u, new %lx from %u: %u ticks, found in %u, after %u steps\n", p->name, at,
            (unsigned long)walk.found_new, from, walk.ticks, walk.found, walk.steps);
    CHECK(walk.ticks <= allowed); /* W1 */
    mark(walk.found_new);
    second_ticks += !from && walk.ticks == 2;
}

/* What does not end by itself is ended by a tick after these. */
static u32 steps_of(const struct program *p) { return p->walk ? p->walk : NEVER; }

/* Until none is new. */
static void interrupt_way(const struct program *p) {
    do run_counted(p, steps_of(p), 0, steps_of(p));
    while (walk.found_new);
    u32 n = MIN(steps_of(p), walk.steps);
    for (u32 k = 1; every_step && n <= EVERY && k <= n; k++) run_counted(p, k, 0, 0);
}

/* The way out of a stop: a second tick in each place of it. */
static void interrupt_exit(const struct program *p) {
    u32 at = MIN(p->walk, (u32)EXIT_AT);
    do run_counted(p, at, at, NEVER);
    while (walk.found_new);
}

/* --- all of it --- */

static struct ext *load(const char *name, struct bytes module, u64 budget_ns) {
    struct ext_error error = {0};
    char lines[256];
    struct bytes as = {(const u8 *)name, strlen(name)};
    struct ext_request r = {.name = as, .module = module, .budget_ns = budget_ns};
    enum err e = ext_load(&r, lines, sizeof lines, &error);
    EQUAL_TEXT(e ? error.text : "", "");
    return e ? NULL : ext_find(as);
}

static void unload(const char *name) {
    struct ext_error error;
    EQUAL(ext_unload((struct bytes){(const u8 *)name, strlen(name)}, &error), ERR_OK);
}

static void begin(struct bytes module) {
    x = load("x", module, 1);
    other = load("other", (struct bytes){other_bytes, sizeof other_bytes}, 0);
    if (!x || !other) panic("step: nothing to step through");
    trap_exit = (u64)x->module->exec + x->module->code.trap_exit;
    asked = 0;
    engine_on_tick(on_tick, 1); /* in place of ext_tick; due whenever the interrupt comes */
}

/* The pages that are left, with no extension there. */
static size_t end(void) {
    unload("x");
    unload("other");
    return pages_recount();
}

static void interrupt(const struct program *p) {
    run(p, steps_of(p), 0, 0); /* no other thread is due any more, or the first tick might be taken there */
    run_counted(p, 1, 0, 0); /* a tick before the extension is in, and the next anywhere */
    interrupt_way(p);
    if (p->walk) interrupt_exit(p);
}

/* First once without, so that pools and caches are full. */
static void step_through(struct bytes module, const struct program *programs, size_t n) {
    for (const struct program *p = programs; p < programs + n; p++) {
        u32 before = seen_count, before_runs = runs, before_stops = stops;
        if (p->interval > LONGEST && !every_step) continue;
        begin(module);
        run(p, steps_of(p), 0, 0);
        size_t pages = end();
        begin(module);
        interrupt(p);
        programs_run++;
        EQUAL(end(), pages);
        say("step: %s: %u new instructions, %u interrupts, %u stops\n", p->name, seen_count - before,
            runs - before_runs, stops - before_stops);
    }
    CHECK(*place_of(trap_exit));
}

int vm_test(void) {
    char value[4];
    every_step = option("every", value, sizeof value);
    log_set_level(LOG_ERROR);
    hook = hook_by_id(WHELK_HOOK_NET_RX);
    hook_clock = hook->clock;
    CHECK(hook_clock);
    timer_off(); /* no ticks but ours */
    engine_faults = trap_set_engine_handler(on_debug);
    step_through((struct bytes){plain_bytes, sizeof plain_bytes}, plain, ARRAY_LEN(plain));
    step_through((struct bytes){careful_bytes, sizeof careful_bytes}, careful, ARRAY_LEN(careful));
    trap_set_engine_handler(engine_faults);
    say("step: %u programs, %u instructions (%u compiled, %u of glue, %u of the kernel), %u interrupts, %u stops, %u of them by a second tick\n",
        programs_run, seen_count, seen_in[IN_CODE], seen_in[IN_GLUE], seen_in[IN_KERNEL], runs, stops, second_ticks);
    return test_end("step");
}
