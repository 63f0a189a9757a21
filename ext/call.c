/* call.c: into a module and back, the deadline, and the quarantine. */
#include "base/fmt.h"
#include "base/mem.h"
#include "ext/internal.h"
#include "kern/log.h"
#include "kern/thread.h"
#include "rt/enter.h"

/* Newest first; changed with preemption off, read by the timer interrupt. */
static struct ext_run *runs;
static u32 depth;

/* One tick more: the first may come at once. Asked for by the tick, not by each call: it divides. */
u32 ext_budget_ticks(u64 budget_ns) {
    u64 ticks = budget_ns / ext_config.tick_ns + 2;
    return (u32)MIN(ticks, (u64)UINT32_MAX);
}

bool ext_enter(struct ext *x, struct ext_run *run, u64 budget_ns) {
    preempt_disable();
    bool may = !x->busy && (!x->quarantined || x->renewing) && depth < EXT_NEST;
    if (may) {
        *run = (struct ext_run){.outer = runs, .ext = x, .thread = thread_current(), .budget_ns = budget_ns};
        x->busy = true;
        depth++;
        __atomic_store_n(&runs, run, __ATOMIC_RELEASE);
    }
    preempt_enable();
    return may;
}

void ext_leave(struct ext_run *run) {
    preempt_disable();
    assert(run->ext->busy && depth > 0);
    struct ext_run **at = &runs;
    while (*at != run) {
        assert(*at);
        at = &(*at)->outer;
    }
    __atomic_store_n(at, run->outer, __ATOMIC_RELEASE);
    depth--;
    run->ext->busy = false;
    run->ext->frame = NULL;
    run->ext->call = NULL;
    run->ext->syscall = NULL;
    preempt_enable();
}

bool ext_tick(struct rt_regs *regs) {
    struct thread *current = thread_current();
    struct ext_run *r = __atomic_load_n(&runs, __ATOMIC_ACQUIRE);
    while (r && r->thread != current) r = r->outer;
    if (!r || ++r->ticks < ext_budget_ticks(r->budget_ns)) return false;
    return rt_stop(r->ext->store, ABI_TRAP_DEADLINE, regs); /* each tick, until it has ended */
}

const char *ext_running(void) {
    const struct ext_run *r = __atomic_load_n(&runs, __ATOMIC_ACQUIRE);
    while (r && r->thread != thread_current()) r = r->outer;
    return r ? r->ext->name : NULL;
}

void ext_quarantine(struct ext *x, const char *why) {
    preempt_disable();
    if (!x->quarantined) {
        x->quarantined = true;
        fmt(x->why, sizeof x->why, "%s", why);
        for (u32 i = 0; i < x->slot_count; i++) hook_quarantine(&x->slots[i].slot);
        log_warn("extension %s: quarantined: %s", x->name, x->why);
    }
    preempt_enable();
}

static bool memory_is_full(const struct ext *x) {
    return x->store && rt_store_memory(x->store) + WASM_PAGE > x->max_memory;
}

static void say(void *self, const char *line) { log_warn("extension %s: %s", ((struct ext *)self)->name, line); }

/* In the log, line by line; the host command shows x->why, too. */
static void count_trap(struct ext *x, enum abi_trap trap, const char *why) {
    if (trap == ABI_TRAP_DEADLINE) {
        x->deadlines++;
        ext_quarantine(x, why);
    } else {
        x->traps++;
        log_warn("extension %s: trap %u of %u: %s", x->name, x->traps, EXT_TRAPS_MAX, why);
        fmt(x->why, sizeof x->why, "%s", why);
        if (x->traps >= EXT_TRAPS_MAX) ext_quarantine(x, why);
    }
    rt_explain(x->store, trap, say, x);
}

void ext_trapped(struct ext *x, enum abi_trap trap, const char *where) {
    char why[160];
    assert(trap != ABI_TRAP_NONE);
    size_t n = fmt(why, sizeof why, "%s in %s", rt_trap_text(trap), where);
    if (n < sizeof why && memory_is_full(x))
        fmt(why + n, sizeof why - n, "; its memory is at the limit of %lu bytes", x->max_memory);
    if (trap == ABI_TRAP_EXIT) { /* it said itself that it cannot go on */
        fmt(why, sizeof why, "exit with status %u in %s", x->wasi ? wasi_exit_code(x->wasi) : 0, where);
        ext_quarantine(x, why);
        return;
    }
    count_trap(x, trap, why);
}

enum abi_trap ext_invoke(struct ext *x, const struct rt_callable *c, union abi_value *vals) {
    assert(x->busy);
    if (likely(c->direct)) return rt_call2(c, vals[0].i64, vals[1].i64, &vals[0].i64);
    return rt_call(c, vals);
}

/* A frame passes amid a program's system call, whose vector registers are still
 * in the CPU: the outermost handler that uses some keeps them. Preemption is off
 * (ext_fire_frame), so one count will do. Nested handlers owe the outer one
 * nothing: it made a call, and calls keep no vector register. */
static u32 keepers;

static void keep_vectors(void) {
    if (!keepers++) thread_vector_state(thread_current());
}

static void restore_vectors(void) {
    assert(keepers);
    if (!--keepers) thread_vector_load(thread_current());
}

/* The handler's arguments, by the hook's type. */
static void arguments(struct ext *x, struct hook *h, void *event, union abi_value *vals) {
    switch (h->id) {
    case WHELK_HOOK_CTL_CALL:
        x->call = event;
        vals[0].i64 = (u32)x->call->input.n;
        break;
    case WHELK_HOOK_CALL_ENTER:
    case WHELK_HOOK_CALL_EXIT:
        x->syscall = event;
        vals[0].i64 = (u32)x->syscall->number;
        vals[1].i64 = x->syscall->thread;
        break;
    case WHELK_HOOK_TIMER: vals[0].i64 = ((const struct hook_timer *)event)->now_ns; break;
    default:
        x->frame = event;
        vals[0].i64 = x->frame->length;
        vals[1].i64 = h->id == WHELK_HOOK_NET_TAP ? x->frame->direction : x->frame->interface;
    }
}

/* What the handler answered, into the event where it has a place for it. */
static i32 answer(struct hook *h, void *event, const union abi_value *vals) {
    if (h->id == WHELK_HOOK_CTL_CALL) ((struct hook_call *)event)->status = (i32)vals[0].i32;
    else if (h->id == WHELK_HOOK_TIMER) ((struct hook_timer *)event)->next_ns = vals[0].i64;
    else if (h->filters) return vals[0].i32 < WHELK_VERDICT_COUNT ? (i32)vals[0].i32 : HOOK_ERROR;
    return WHELK_PASS;
}

/* Only a program's own thread, inside a call of the program, has registers to keep. */
static bool in_program(const struct hook *h) { return h->id != WHELK_HOOK_CTL_CALL && h->id != WHELK_HOOK_TIMER; }

i32 ext_native_fire(struct hook_slot *s, void *event) {
    struct ext_slot *e = s->cookie;
    struct ext *x = e->ext;
    struct ext_run run;
    union abi_value vals[2] = {{.bits = {0, 0}}, {.bits = {0, 0}}};
    if (!ext_enter(x, &run, e->budget_ns)) return HOOK_REENTRY;
    arguments(x, e->hook, event, vals);
    bool vectors = in_program(e->hook) && rt_module_vectors(x->module);
    if (vectors) keep_vectors();
    enum abi_trap trap = ext_invoke(x, &e->handler, vals);
    if (vectors) restore_vectors();
    ext_leave(&run);
    if (!trap) return answer(e->hook, event, vals);
    ext_trapped(x, trap, e->export);
    return HOOK_ERROR;
}

u32 ext_fire_syscall(struct hook *h, struct hook_syscall *c) {
    if (likely(!h->slots)) return WHELK_PASS;
    preempt_disable();
    i32 verdict = hook_fire(h, c);
    preempt_enable();
    assert(verdict >= 0);
    return (u32)verdict;
}

u32 ext_fire_frame(struct hook *h, struct hook_frame *f) {
    if (likely(!h->slots)) return WHELK_PASS;
    assert(f->length);
    preempt_disable();
    i32 verdict = hook_fire(h, f);
    preempt_enable();
    assert(verdict >= 0);
    return (u32)verdict;
}
