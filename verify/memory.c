/* memory.c: may this instruction touch what its memory operand names?
 *
 * I1 each base has one case: context, memory 0, data, a proven pointer; the frame's is
 *    in func.c.
 * I2 a guarded access, and nothing else, takes an entry of the trap table. */
#include "verify/internal.h"

enum { STORE_OVERFLOW = offsetof(struct abi_store, overflow), OVERFLOW_BYTES = sizeof(union abi_value) * ABI_OVERFLOW };

bool verify_number(const struct verifier *v, u8 reg, struct value *out) {
    if (v->special >> reg & 1) {
        *out = v->values[reg];
        return out->kind == NUMBER;
    }
    *out = (struct value){NUMBER, 0, 0, UINT32_MAX};
    return v->known >> reg & 1;
}

static bool in_data(struct verifier *v, const struct insn *d, bool write) {
    i64 at = (i64)v->pc + d->length + d->disp;
    if (write || at < v->m->code_end || at + d->width > v->m->size) return FAIL(v, DATA);
    if (d->f.rm & A_ALIGNED && at % 16) return FAIL(v, DATA);
    return true;
}

/* base + [low, high] + disp, and as many bytes, inside the window? */
static bool guarded(struct verifier *v, const struct insn *d, u32 memory, u64 low, u64 high) {
    const struct verify_module *m = v->m;
    if (memory >= m->counts.memories || !m->guarded[memory] || d->f.rm & A_ALIGNED) return FAIL(v, MEMORY);
    if (high > m->back || (i64)low + d->disp < -(i64)m->front) return FAIL(v, MEMORY);
    if ((i64)high + d->disp + d->width > (i64)m->back) return FAIL(v, MEMORY);
    return verify_trap(v, ABI_TRAP_MEMORY);
}

/* base + x, low <= x <= bytes: the access must end at x or below, and not begin below base. */
static bool checked(struct verifier *v, const struct insn *d, const struct value *x) {
    if ((i64)d->disp + d->width > 0 || x->low < (u64)-(i64)d->disp || d->f.rm & A_ALIGNED) return FAIL(v, MEMORY);
    return true;
}

static bool in_memory(struct verifier *v, const struct insn *d, u32 memory) {
    struct value x = {NUMBER, 0, 0, 0};
    if (d->index != NO_REG) {
        if (d->scale || PINNED >> d->index & 1) return FAIL(v, MEMORY);
        if (v->special >> d->index & 1 && v->values[d->index].kind == CHECKED && v->values[d->index].index == memory)
            return checked(v, d, &v->values[d->index]);
        if (!verify_number(v, d->index, &x)) return FAIL(v, MEMORY);
    }
    return guarded(v, d, memory, x.low, x.high);
}

u32 verify_memory_field(const struct verifier *v, struct insn d, u32 offset) {
    const struct verify_module *m = v->m;
    if (d.base != R14 || d.index != NO_REG || d.disp < 0 || d.width != 8) return UINT32_MAX;
    u32 at = (u32)d.disp;
    if (at == offset) return m->counts.memories ? 0 : UINT32_MAX;
    if (at < m->layout.memories || at >= m->layout.globals) return UINT32_MAX;
    at -= m->layout.memories;
    return at % sizeof(struct abi_memory) == offset ? 1 + at / (u32)sizeof(struct abi_memory) : UINT32_MAX;
}

static bool size_field(const struct insn *d, u32 at) {
    return at + d->width <= sizeof(struct abi_memory) && at >= offsetof(struct abi_memory, bytes) &&
           at + d->width <= offsetof(struct abi_memory, reserved);
}

/* Fields that are values. Pointers come by verify_pointer and verify_memory_field only. */
static bool in_context(struct verifier *v, const struct insn *d, bool write) {
    const struct abi_layout *l = &v->m->layout;
    if (d->index != NO_REG || d->disp < 0 || d->f.rm & A_ALIGNED) return FAIL(v, CONTEXT);
    u32 at = (u32)d->disp;
    if (at >= l->globals) {
        u32 k = (at - l->globals) / 16;
        if (k >= v->m->counts.globals || at % 16 + d->width > 16) return FAIL(v, CONTEXT);
        u8 flags = v->m->globals[k];
        if (flags & VERIFY_GLOBAL_CELL || (write && !(flags & VERIFY_GLOBAL_WRITE))) return FAIL(v, CONTEXT);
        return true;
    }
    bool size = at >= l->memories ? size_field(d, (at - l->memories) % (u32)sizeof(struct abi_memory))
                                  : at < sizeof(struct abi_memory) && v->m->counts.memories && size_field(d, at);
    return size && !write ? true : FAIL(v, CONTEXT);
}

bool verify_pointer(struct verifier *v, struct insn d, struct value *out) {
    const struct abi_layout *l = &v->m->layout;
    if (d.base != R14 || d.index != NO_REG || d.disp < 0 || d.width != 8) return false;
    u32 at = (u32)d.disp, memory = verify_memory_field(v, d, offsetof(struct abi_memory, base));
    *out = (struct value){0};
    if (at == offsetof(struct abi_ctx, store)) {
        out->kind = P_STORE;
    } else if (at >= l->tables && at < l->memories && at % 8 == 0 && (at - l->tables) / 8 < v->m->counts.tables) {
        out->kind = P_TABLE;
    } else if (memory != UINT32_MAX) {
        out->kind = BASE;
        out->index = memory;
    } else {
        u32 k = at >= l->globals ? (at - l->globals) / 16 : UINT32_MAX;
        if (k >= v->m->counts.globals || at % 16 || !(v->m->globals[k] & VERIFY_GLOBAL_CELL)) return false;
        out->kind = P_CELL;
        out->index = k;
    }
    return true;
}

static bool within(const struct insn *d, u64 start, u64 bytes) {
    return d->disp >= 0 && (u64)d->disp >= start && (u64)d->disp + d->width <= start + bytes;
}

static bool by_pointer(struct verifier *v, const struct insn *d, bool write) {
    const struct value *x = &v->values[d->base];
    bool ok = false;
    if (x->kind == BASE) return in_memory(v, d, x->index);
    if (d->index != NO_REG || d->f.rm & A_ALIGNED) return FAIL(v, POINTER);
    switch (x->kind) {
    case ADDRESS: return guarded(v, d, x->index, x->low, x->high);
    case INSIDE: return checked(v, d, x);
    case P_STORE: ok = within(d, STORE_OVERFLOW, OVERFLOW_BYTES) || (!write && within(d, offsetof(struct abi_store, caught), 4)); break;
    case P_TABLE: ok = !write && within(d, offsetof(struct abi_table, len), 8); break;
    case P_CELL: ok = within(d, 0, sizeof(union abi_value)) && (!write || v->m->globals[x->index] & VERIFY_GLOBAL_WRITE); break;
    default: break;
    }
    return ok ? true : FAIL(v, POINTER);
}

bool verify_memory(struct verifier *v, struct insn d, bool write) {
    if (d.base == R14) return in_context(v, &d, write);
    if (d.base == R15) return in_memory(v, &d, 0);
    if (d.base == RIP) return d.rm == NO_REG && in_data(v, &d, write);
    if (d.base != NO_REG && v->special >> d.base & 1) return by_pointer(v, &d, write);
    /* the type id before an entry's code, read once more to tell null from mismatch */
    if (d.base == RAX && v->known & K_CODE && !write && d.index == NO_REG && d.disp == -4 && d.width == 4) return true;
    return FAIL(v, POINTER);
}
