/* atomic.c: the threads proposal's instructions, for one thread: nobody else is
 * there, so a wait that would have to sleep is refused, and nobody is woken. */
#include <string.h>

#include "test/oracle/oracle.h"

/* false: it trapped. Alignment comes before the bounds; an end that leaves 64
 * bits before both. */
static bool locate(struct oracle *o, const struct wasm_instr *in, u64 index, bool needs_shared, u8 **at) {
    const struct oracle_memory *m = &o->memories[in->b];
    u64 n = 1u << wasm_opinfos[in->op].align, ea;
    u64 end;
    bool over = __builtin_add_overflow(index, in->bits, &ea) || __builtin_add_overflow(ea, n, &end);
    if (over) oracle_trap(o, ABI_TRAP_MEMORY);
    else if (ea % n) oracle_trap(o, ABI_TRAP_UNALIGNED_ATOMIC);
    else if (needs_shared && !m->shared) oracle_trap(o, ABI_TRAP_NOT_SHARED);
    else if (ea >= oracle_bytes(m) || oracle_bytes(m) - ea < n) oracle_trap(o, ABI_TRAP_MEMORY);
    if (o->trap) return false;
    *at = m->bytes + ea;
    return true;
}

static void waits(struct oracle *o, const struct wasm_instr *in) {
    u64 ns = pop(o), expected = pop(o), index = pop(o), have = 0;
    u8 *at;
    bool ok = locate(o, in, index, true, &at);
    if (ok) memcpy(&have, at, 1u << wasm_opinfos[in->op].align);
    if (ok && have == expected && ns) oracle_trap(o, ABI_TRAP_MAY_NOT_WAIT);
    push(o, have != expected ? 1 : 2);
}

static u64 combine(u32 kind, u64 old, u64 v) {
    enum { ADD = 2, SUB, AND, OR, XOR, XCHG };
    switch (kind) {
    case ADD: return old + v;
    case SUB: return old - v;
    case AND: return old & v;
    case OR: return old | v;
    case XOR: return old ^ v;
    default: assert(kind == XCHG); return v;
    }
}

bool oracle_atomic(struct oracle *o, const struct wasm_instr *in) {
    enum { LOAD, STORE, CMPXCHG = 8, SHAPES = 7 };
    if (!wasm_is_atomic(in->op)) return false;
    if (in->op == WASM_OP_ATOMIC_FENCE) return true;
    if (in->op == WASM_OP_MEMORY_WAIT32 || in->op == WASM_OP_MEMORY_WAIT64) {
        waits(o, in);
        return true;
    }
    bool notify = in->op == WASM_OP_MEMORY_NOTIFY;
    u32 kind = notify ? STORE : (in->op - WASM_OP_I32_ATOMIC_LOAD) / SHAPES, n = 1u << wasm_opinfos[in->op].align;
    u64 v = kind == LOAD ? 0 : pop(o), expected = kind == CMPXCHG ? pop(o) : 0, old = 0;
    u8 *at;
    u64 mask = n == 8 ? UINT64_MAX : (1ull << 8 * n) - 1;
    if (locate(o, in, pop(o), false, &at)) {
        memcpy(&old, at, n);
        u64 next = v;
        if (kind == LOAD || notify || (kind == CMPXCHG && old != (expected & mask))) next = old;
        else if (kind != STORE && kind != CMPXCHG) next = combine(kind, old, v);
        memcpy(at, &next, n);
    }
    if (notify) push(o, 0);
    else if (kind != STORE) push(o, old);
    return true;
}
