/* trap.c: faults and stops of compiled code. Runs in signal handlers and
 * interrupts: no locks, no allocation.
 *
 * I1 in code outside the glue r14 is the running context: the verifier proves
 *    that code never sets it otherwise.
 * I2 a fault is a trap only if its pc is a known site (or any pc, for the stack
 *    guard) and its address lies where this instance may fault: anything else
 *    is not ours to explain. */
#include "base/assert.h"
#include "rt/internal.h"

/* The module whose body code pc is in, or NULL. */
static struct rt_module *module_at(const struct rt_engine *e, u64 pc) {
    struct rt_module *m = rt_code_find(e, pc);
    if (!m) return NULL;
    u64 at = pc - (u64)m->exec;
    bool glue = at >= m->code.thunks_start && at < m->code.thunks_end;
    return glue ? NULL : m;
}

static u32 site_kind(const struct rt_module *m, u64 pc) {
    u32 at = (u32)(pc - (u64)m->exec), low = 0, high = m->code.trap_count;
    while (low < high) {
        u32 mid = low + (high - low) / 2;
        if (m->code.traps[mid].pc < at) low = mid + 1;
        else high = mid;
    }
    bool hit = low < m->code.trap_count && m->code.traps[low].pc == at;
    return hit ? m->code.traps[low].kind : ABI_TRAP_NONE;
}

static bool in_stack_guard(const struct rt_store *s, u64 address) {
    return address - (u64)s->stack < RT_STACK_GUARD;
}

static bool in_window(const struct rt_instance *i, u64 address) {
    for (u32 k = 0; k < i->module->info.memory_count; k++)
        if (rt_memory_window(i->memories[k], address)) return true;
    return false;
}

static u32 page_trap(const struct rt_module *m, const struct rt_instance *i, u64 address, u64 pc) {
    if (in_stack_guard(i->store, address)) return ABI_TRAP_STACK;
    return in_window(i, address) && site_kind(m, pc) == ABI_TRAP_MEMORY ? ABI_TRAP_MEMORY : ABI_TRAP_NONE;
}

static u32 divide_trap(const struct rt_module *m, u64 pc) {
    u32 kind = site_kind(m, pc);
    bool division = kind == ABI_TRAP_DIVIDE_BY_ZERO || kind == ABI_TRAP_INTEGER_OVERFLOW;
    return division ? kind : ABI_TRAP_NONE;
}

static void divert(const struct rt_module *m, u32 kind, struct rt_regs *regs) {
    assert(kind > ABI_TRAP_NONE && kind < ABI_TRAP_COUNT);
    struct rt_store *s = ((const struct abi_ctx *)regs->r14)->store->owner;
    rt_note_pc(s, m, regs->rip, regs->rsp);
    s->callee = regs->rax;
    regs->rip = (u64)m->exec + m->code.trap_exit;
    regs->rdi = kind;
}

bool rt_fault(struct rt_engine *e, enum rt_fault fault, u64 address, struct rt_regs *regs) {
    struct rt_module *m = module_at(e, regs->rip);
    if (!m) return false;
    const struct abi_ctx *ctx = (const struct abi_ctx *)regs->r14;
    const struct rt_instance *i = ctx->instance;
    u32 kind = ABI_TRAP_NONE;
    assert(i->module == m && i->store->abi.depth);
    switch (fault) {
    case RT_FAULT_PAGE: kind = page_trap(m, i, address, regs->rip); break;
    case RT_FAULT_DIVIDE: kind = divide_trap(m, regs->rip); break;
    case RT_FAULT_ILLEGAL: kind = site_kind(m, regs->rip); break;
    }
    if (kind == ABI_TRAP_NONE) return false;
    divert(m, kind, regs);
    return true;
}

bool rt_stop(struct rt_store *s, enum abi_trap why, struct rt_regs *regs) {
    assert(why == ABI_TRAP_DEADLINE || why == ABI_TRAP_INTERRUPTED);
    if (!s->abi.depth) return false;
    struct rt_module *m = module_at(s->engine, regs->rip);
    if (m && ((const struct abi_ctx *)regs->r14)->store == &s->abi) {
        divert(m, (u32)why, regs);
        return true;
    }
    __atomic_store_n(&s->abi.pending, (u32)why, __ATOMIC_RELAXED);
    return false;
}
