/* engine.c: struct rt_host over the kernel's memory, and the engine's share of
 * faults and ticks. Code pages are plat/'s.
 *
 * I1 a memory never takes the last RESERVE pages: an extension that grows without
 *    end is refused before the kernel runs short. */
#include "init/engine.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/trap.h"
#include "base/assert.h"
#include "base/fmt.h"
#include "init/init.h"
#include "kern/heap.h"
#include "kern/interrupt.h"
#include "kern/lock.h"
#include "kern/log.h"
#include "kern/machine.h"
#include "kern/park.h"
#include "kern/time.h"
#include "kern/vm.h"

enum { RESERVE = 512 };

static struct rt_engine *the_engine;
static struct mutex engine_mutex;

struct rt_engine *engine(void) { return the_engine; }

static void *heap_alloc(void *self, size_t n) { return kmalloc(n); }
static void heap_free(void *self, void *p, size_t n) { kfree(p); }
static void *space_reserve(void *self, size_t n) { return vm_reserve(n); }
static void space_release(void *self, void *p, size_t n) { vm_release(p, n); }

static enum err space_commit(void *self, void *p, size_t *n, const u32 *stop) {
    if (*n / PAGE_SIZE + RESERVE > pages_free()) return ERR_NOMEM;
    return vm_commit_until(p, n, VM_READ | VM_WRITE, stop);
}

static void space_decommit(void *self, void *p, size_t n) { vm_decommit(p, n); }

static enum err code_place(void *self, const void *code, size_t n, void **exec) { return machine_code_place(code, n, exec); }
static void code_free(void *self, void *exec, size_t n) { machine_code_free(exec, n); }
static u64 now_ns(void *self) { return time_mono_ns(); }
static void engine_lock(void *self) { mutex_lock(&engine_mutex); }
static void engine_unlock(void *self) { mutex_unlock(&engine_mutex); }

static enum rt_wait word_wait(void *self, const void *at, u64 expected, u32 width, i64 ns, const u32 *stop) {
    static const enum rt_wait ends[] = {[PARK_WOKEN] = RT_WAIT_WOKEN, [PARK_NOT_EQUAL] = RT_WAIT_NOT_EQUAL,
                                        [PARK_TIMED_OUT] = RT_WAIT_TIMED_OUT, [PARK_STOPPED] = RT_WAIT_STOPPED};
    u64 now = time_mono_ns(), deadline = ns < 0 || (u64)ns > UINT64_MAX - now ? UINT64_MAX : now + (u64)ns;
    return ends[park_wait(at, expected, width, deadline, stop)];
}

static u32 word_notify(void *self, const void *at, u32 count) { return park_wake(at, count); }

/* --- faults and ticks --- */

static struct rt_regs regs_of(const struct trap_frame *f) {
    return (struct rt_regs){.rip = f->rip, .rsp = f->rsp, .rdi = f->rdi, .r14 = f->r14, .rax = f->rax};
}

static void regs_back(struct trap_frame *f, const struct rt_regs *r) {
    f->rip = r->rip;
    f->rsp = r->rsp;
    f->rdi = r->rdi;
    f->rflags &= ~(u64)RFLAGS_DF;
}

static bool on_fault(struct trap_frame *f, uptr address) {
    enum rt_fault kind;
    switch (f->vector) {
    case TRAP_PAGE: kind = RT_FAULT_PAGE; break;
    case TRAP_DIVIDE: kind = RT_FAULT_DIVIDE; break;
    case TRAP_ILLEGAL: kind = RT_FAULT_ILLEGAL; break;
    default: return false;
    }
    struct rt_regs r = regs_of(f);
    if (!rt_fault(the_engine, kind, address, &r)) return false;
    regs_back(f, &r);
    return true;
}

static struct {
    struct timer timer;
    bool (*tick)(struct rt_regs *);
    u64 every_ns;
} ticker;

static void on_tick(struct timer *t) {
    struct trap_frame *f = irq_interrupted();
    struct rt_regs r = regs_of(f);
    if (ticker.tick(&r)) regs_back(f, &r);
    timer_arm(t, time_mono_ns() + ticker.every_ns);
}

void engine_on_tick(bool (*tick)(struct rt_regs *regs), u64 every_ns) {
    u64 flags = irq_save();
    timer_cancel(&ticker.timer);
    ticker.tick = tick;
    ticker.every_ns = every_ns;
    ticker.timer.fn = on_tick;
    if (tick) timer_arm(&ticker.timer, time_mono_ns() + every_ns);
    irq_restore(flags);
}

/* --- host functions --- */

/* env.now: () -> i64, nanoseconds since boot. */
static u64 env_now(struct abi_ctx *caller) { return time_mono_ns(); }

enum err engine_define(struct rt_linker *l) {
    return rt_define_func(l, "env", "now", ":I", (const void *)env_now);
}

/* --- code, for people: in a panic's backtrace, and for perf --- */

static size_t code_name(uptr at, char *out, size_t cap) { return rt_code_text(the_engine, at, out, cap); }

struct map_text {
    char *out;
    size_t cap, n;
};

/* As perf wants it: START BYTES NAME, in hexadecimal. */
static void add_code(void *self, u64 at, u32 bytes, const char *name) {
    struct map_text *t = self;
    t->n += fmt(t->n < t->cap ? t->out + t->n : NULL, t->n < t->cap ? t->cap - t->n : 0, "%lx %x %s\n", at, bytes, name);
}

size_t engine_code_map(char *out, size_t cap) {
    struct map_text t = {out, cap, 0};
    if (the_engine) rt_each_code(the_engine, add_code, &t);
    return t.n;
}

void engine_init(void) {
    const struct rt_host host = {
        .alloc = heap_alloc, .free = heap_free,
        .reserve = space_reserve, .release = space_release,
        .commit = space_commit, .decommit = space_decommit,
        .code_place = code_place, .code_free = code_free,
        .now_ns = now_ns, .wait = word_wait, .notify = word_notify, .lock = engine_lock, .unlock = engine_unlock,
        .cpu = rt_probe_cpu(), .page = PAGE_SIZE,
    };
    mutex_init(&engine_mutex);
    enum err e = rt_engine_init(&the_engine, &host);
    if (e) log_error("engine: %s", err_text(e));
    if (e) return;
    trap_set_engine_handler(on_fault);
    panic_set_names(code_name);
}
