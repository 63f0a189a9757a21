/* func.c: one function, from its first byte to its last: what each instruction does
 * to what is known.
 *
 * I1 an instruction is checked before it changes what is known.
 * I2 after the loop nothing is pending and the end is dead: nothing falls off it. */
#include "verify/internal.h"

bool verify_fail(struct verifier *v, enum verify_rule rule, u32 at) {
    if (!v->failed) *v->why = (struct verify_error){rule, v->f ? v->index : UINT32_MAX, at};
    v->failed = true;
    return false;
}

bool verify_trap(struct verifier *v, u32 kind) {
    const struct verify_module *m = v->m;
    if (v->trap == m->trap_count || m->traps[v->trap].pc != v->pc) return FAIL(v, TRAPS);
    u32 have = m->traps[v->trap++].kind;
    if (kind ? have != kind : !have || have >= ABI_TRAP_COUNT) return FAIL(v, TRAPS);
    return true;
}

bool verify_write(struct verifier *v, u8 reg, bool zero_extended) {
    u32 bit = 1u << reg;
    if (!(v->writable & bit)) return PINNED & bit ? FAIL(v, PINNED) : FAIL(v, SAVED);
    v->known = (v->known & ~bit) | (u32)zero_extended << reg;
    v->special &= ~bit;
    if (bit & (1 << RAX | 1 << R10)) v->known &= ~(u32)K_CALLEE;
    return true;
}

static void set_value(struct verifier *v, u8 reg, struct value x) {
    v->values[reg] = x;
    v->special |= 1u << reg;
}

static bool zero_extended(const struct verifier *v, u8 reg) { return v->known >> reg & 1; }

/* A general register as an operand, by its access. */
static bool general(struct verifier *v, const struct insn *d, u8 reg, u8 access) {
    if (PINNED >> reg & 1) return FAIL(v, PINNED);
    if (!(access & A_WRITE)) return true;
    bool clean = access & A_PART ? zero_extended(v, reg) : !d->w && !(access & A_DIRTY);
    return verify_write(v, reg, clean);
}

static bool rm_operand(struct verifier *v, const struct insn *d) {
    if (!(d->f.rm & (A_READ | A_WRITE))) return true;
    if (d->rm == NO_REG && d->f.rm & A_REGISTER) return FAIL(v, ENCODING);
    if (d->rm == NO_REG) return verify_memory(v, d, d->f.rm & A_WRITE);
    return d->f.rm & A_VECTOR || general(v, d, d->rm, d->f.rm);
}

static bool reg_operand(struct verifier *v, const struct insn *d) {
    if (d->f.reg & A_VECTOR || !(d->f.reg & (A_READ | A_WRITE))) return true;
    return general(v, d, d->reg, d->f.reg);
}

static bool both(struct verifier *v, const struct insn *d) { return rm_operand(v, d) && reg_operand(v, d); }

static struct fact fact(const struct verifier *v, const struct insn *d, u8 kind) {
    return (struct fact){.at = v->pc + d->length, .kind = kind, .reg = d->rm, .w = d->w, .slot = d->disp};
}

/* ---- moves ---- */

static bool on_spare(const struct verifier *v, const struct insn *d) {
    return d->rm == NO_REG && d->base == RSP && d->w && d->disp >= 0 && (u32)d->disp == v->f->spare;
}

static bool load(struct verifier *v, const struct insn *d) {
    struct value x;
    if (d->rm == NO_REG) {
        if (d->base == R14 && verify_pointer(v, d, &x)) {
            if (!verify_write(v, d->reg, false)) return false;
            set_value(v, d->reg, x);
            return true;
        }
        bool clean = on_spare(v, d) && v->known & K_SPARE;
        return rm_operand(v, d) && (PINNED >> d->reg & 1 ? FAIL(v, PINNED) : verify_write(v, d->reg, clean || !d->w));
    }
    bool clean = zero_extended(v, d->rm), special = v->special >> d->rm & 1;
    x = v->values[d->rm];
    if (!both(v, d)) return false;
    if (!d->w) return true;
    v->known |= (u32)clean << d->reg;
    if (special && x.kind != CARRY) set_value(v, d->reg, x);
    return true;
}

static bool store(struct verifier *v, const struct insn *d) {
    if (d->rm != NO_REG) { /* mov rm, r: the same as a load */
        struct insn swapped = *d;
        swapped.reg = d->rm;
        swapped.rm = d->reg;
        swapped.f.reg = GW;
        swapped.f.rm = GR;
        return load(v, &swapped);
    }
    if (!both(v, d)) return false;
    if (on_spare(v, d) && zero_extended(v, d->reg)) v->known |= K_SPARE;
    return true;
}

static bool mov_imm(struct verifier *v, u8 reg, i64 imm, bool w) {
    u64 x = w ? (u64)imm : (u32)imm;
    if (!verify_write(v, reg, x <= UINT32_MAX)) return false;
    set_value(v, reg, (struct value){NUMBER, 0, x, x});
    return true;
}

static bool lea(struct verifier *v, const struct insn *d, u32 *n) {
    if (d->rm != NO_REG) return FAIL(v, ENCODING);
    if (d->base == RIP) return verify_switch(v, d, n);
    if ((d->base < 16 && PINNED >> d->base & 1) || (d->index < 16 && PINNED >> d->index & 1)) return FAIL(v, PINNED);
    return general(v, d, d->reg, GW);
}

/* ---- arithmetic ---- */

/* add r64, rm, where r is known: an address, or a sum that may carry. */
static bool add(struct verifier *v, const struct insn *d) {
    struct value x, base = {0};
    bool number = d->w && verify_number(v, d->reg, &x), special = v->special >> d->reg & 1;
    bool inside = d->w && special && v->values[d->reg].kind == CHECKED;
    u32 memory = d->rm == NO_REG ? verify_memory_field(v, d, offsetof(struct abi_memory, base)) : UINT32_MAX;
    if (d->rm != NO_REG && d->w && v->special >> d->rm & 1 && v->values[d->rm].kind == BASE) memory = v->values[d->rm].index;
    if (inside) x = v->values[d->reg];
    if (memory == UINT32_MAX) {
        if (!both(v, d)) return false;
        if (number && special) { /* more than its upper half is known */
            set_value(v, d->reg, (struct value){CARRY, 0, x.low, 0});
            v->fact = (struct fact){.at = v->pc + d->length, .kind = F_CARRY, .reg = d->reg};
        }
        return true;
    }
    if (inside && x.index == memory) base = (struct value){INSIDE, memory, x.low, 0};
    else if (number) base = (struct value){ADDRESS, memory, x.low, x.high};
    else return FAIL(v, MEMORY);
    if (!verify_write(v, d->reg, false)) return false;
    set_value(v, d->reg, base);
    return true;
}

static bool cmp(struct verifier *v, const struct insn *d, u32 *n) {
    if (d->rm == NO_REG && d->base == R11 && v->special >> R11 & 1 &&
        (v->values[R11].kind == P_TABLE || v->values[R11].kind == P_STORE))
        return verify_indirect(v, d, n);
    u32 memory = d->rm == NO_REG ? verify_memory_field(v, d, offsetof(struct abi_memory, bytes)) : UINT32_MAX;
    if (!both(v, d)) return false;
    if (memory != UINT32_MAX)
        v->fact = (struct fact){.at = v->pc + d->length, .kind = F_BOUND, .reg = d->reg, .index = memory};
    return true;
}

static bool add_imm(struct verifier *v, const struct insn *d) {
    struct value x;
    bool number = d->w && d->imm >= 0 && verify_number(v, d->rm, &x) && x.high < 1ull << 40;
    if (!general(v, d, d->rm, GB)) return false;
    if (number) set_value(v, d->rm, (struct value){NUMBER, 0, x.low + (u64)d->imm, x.high + (u64)d->imm});
    return true;
}

enum { X_ADD = 0, X_CMP = 7 };

static bool alu_imm(struct verifier *v, const struct insn *d, u32 *n) {
    u8 op = d->reg & 7;
    bool matched = false;
    if (d->rm == RSP && op == X_ADD && d->w) return verify_leave(v, v->pc, n);
    if (op != X_CMP) {
        if (d->rm == NO_REG) return verify_memory(v, d, true);
        if (op == X_ADD && d->width != 1) return add_imm(v, d);
        return general(v, d, d->rm, d->width == 1 ? GB8 : GB);
    }
    if (!(d->rm == NO_REG ? verify_memory(v, d, false) : general(v, d, d->rm, GR))) return false;
    if (d->width == 1) return true;
    if (!verify_guard(v, d, n, &matched)) return false;
    if (matched) return true;
    if (d->rm == RAX && !d->w) {
        v->fact = fact(v, d, F_LIMIT);
        v->fact.index = (u32)d->imm;
        v->fact.w = 0;
    } else if (!d->imm && (d->rm != NO_REG || d->base == RSP)) {
        v->fact = fact(v, d, F_ZERO);
    }
    return true;
}

static bool unary(struct verifier *v, const struct insn *d) {
    u8 op = d->reg & 7;
    if (op == 1) return FAIL(v, ENCODING);
    bool write = op == 2 || op == 3; /* not, neg */
    if (!(d->rm == NO_REG ? verify_memory(v, d, write) : general(v, d, d->rm, write ? GB : GR))) return false;
    if (op >= 6) return verify_divide(v, d);
    if (op < 4) return true;
    return verify_write(v, RAX, !d->w) && verify_write(v, RDX, !d->w); /* mul, imul */
}

/* call rax, jmp rax: behind verify_indirect only. inc, dec. */
static bool group_ff(struct verifier *v, const struct insn *d) {
    u8 op = d->reg & 7;
    if (op < 2) return d->rm == NO_REG ? verify_memory(v, d, true) : general(v, d, d->rm, GB);
    if ((op != 2 && op != 4) || d->rm != RAX || (v->known & K_CALLEE) != K_CALLEE) return FAIL(v, INDIRECT);
    if (op == 2) {
        if (v->f->frame % 16 != 8) return FAIL(v, ALIGN);
        verify_called(v);
        return true;
    }
    v->dead = true;
    return v->f->frame ? FAIL(v, RETURN) : true;
}

/* rax keeps its upper half, or gets a 32-bit one; of a 64-bit one nothing is known. */
static bool cmpxchg(struct verifier *v, const struct insn *d) {
    bool clean = zero_extended(v, RAX) && !d->w;
    return both(v, d) && verify_write(v, RAX, clean);
}

/* ---- everything ---- */

static bool group(struct verifier *v, const struct insn *d, u32 *n) {
    u8 op = d->reg & 7;
    switch (d->f.role) {
    case G_ALU: return alu_imm(v, d, n);
    case G_SHIFT:
        if (op == 6) return FAIL(v, ENCODING);
        return d->rm == NO_REG ? verify_memory(v, d, true) : general(v, d, d->rm, GB);
    case G_MOVI:
        if (op) return FAIL(v, ENCODING);
        if (d->rm == NO_REG) return verify_memory(v, d, true);
        if (d->width < 4 || PINNED >> d->rm & 1) return FAIL(v, PINNED);
        return mov_imm(v, d->rm, d->imm, d->w);
    case G_TEST8:
        if (op) return FAIL(v, ENCODING);
        return d->rm == NO_REG ? verify_memory(v, d, false) : general(v, d, d->rm, GR);
    case G_UNARY: return unary(v, d);
    case G_VSHIFT: { /* there is no arithmetic shift of quadwords */
        bool is_shift = op == 2 || op == 6 || (op == 4 && d->opcode != 0x73);
        return is_shift ? rm_operand(v, d) : FAIL(v, ENCODING);
    }
    default: return group_ff(v, d);
    }
}

static bool integer(struct verifier *v, const struct insn *d, u32 *n) {
    switch (d->f.role) {
    case LOAD: return load(v, d);
    case STORE: return store(v, d);
    case LEA: return lea(v, d, n);
    case CMP: return cmp(v, d, n);
    case ADD: return add(v, d);
    case AND: {
        bool clean = zero_extended(v, d->reg) || (d->rm != NO_REG && zero_extended(v, d->rm));
        if (!both(v, d)) return false;
        v->known |= (u32)clean << d->reg;
        return true;
    }
    case XOR: {
        bool zero = d->rm == d->reg;
        if (!both(v, d)) return false;
        if (!zero) return true;
        v->known |= 1u << d->reg;
        set_value(v, d->reg, (struct value){NUMBER, 0, 0, 0});
        if (d->reg == RDX) v->high.at = v->pc + d->length, v->high.start = v->pc, v->high.sign = 0;
        return true;
    }
    case TEST:
        if (!both(v, d)) return false;
        if (d->rm == d->reg) v->fact = fact(v, d, F_ZERO);
        return true;
    case CMPXCHG: return cmpxchg(v, d);
    case CMOV: return both(v, d);
    case SETCC: return d->rm == NO_REG ? verify_memory(v, d, true) : general(v, d, d->rm, GB8);
    default: return group(v, d, n);
    }
}

static bool plain(struct verifier *v, const struct insn *d, u32 *n) {
    i64 target = (i64)((u64)d->imm + v->pc + d->length); /* of jumps: no 64-bit immediates */
    u8 low = (u8)((d->opcode & 7) | (d->rex & 1) << 3);
    switch (d->f.role) {
    case MOVI: return PINNED >> low & 1 ? FAIL(v, PINNED) : mov_imm(v, low, d->imm, d->w);
    case CDQ:
        v->high.at = v->pc + d->length;
        v->high.start = v->pc;
        v->high.w = d->w;
        v->high.sign = 1;
        return verify_write(v, RDX, !d->w);
    case NOP1: return d->rex & 1 ? FAIL(v, ENCODING) : true; /* xchg r8, rax */
    case RET:
        v->dead = true;
        return v->f->frame ? FAIL(v, RETURN) : true;
    case CALL: return verify_call(v, d, target);
    case JUMP8:
    case JUMP32: return verify_jump(v, d, target);
    case JCC8:
    case JCC32: return verify_jcc(v, d, target);
    case POP: return v->slots ? FAIL(v, RETURN) : verify_leave(v, v->pc, n);
    default:
        v->dead = true;
        return verify_trap(v, 0);
    }
}

/* ModRM with a meaning of its own: a fence has no operands, a no-operation's are not
 * used. A displacement of 0x57... would be glue's mark behind a call (thunk.c, I4). */
static bool idle(struct verifier *v, const struct insn *d) {
    if (d->f.role == FENCE) return d->rm == RAX && d->reg == 6 && !d->rex ? true : FAIL(v, ENCODING);
    return d->rm == NO_REG && !d->disp ? true : FAIL(v, ENCODING);
}

/* Not reached: nothing is claimed of it, but where it ends. Nothing can jump to it
 * later, since it is no point. */
static bool skip(struct verifier *v) {
    if (v->trap < v->m->trap_count && v->m->traps[v->trap].pc == v->pc) v->trap++;
    return true;
}

static bool step(struct verifier *v, u32 *n) {
    struct insn d;
    if (!verify_decode(code_at(v, v->pc), &d)) return FAIL(v, ENCODING);
    if (d.f.cpu & ~v->m->cpu) return FAIL(v, ENCODING);
    *n = d.length;
    if (v->dead) return skip(v);
    if (d.f.role == ANY) return both(v, &d);
    if (d.f.role > PLAIN) return plain(v, &d, n);
    if (d.f.role == FENCE || d.f.role == NOP) return idle(v, &d);
    return integer(v, &d, n);
}

bool verify_function(struct verifier *v, u32 index) {
    v->f = &v->m->funcs[index];
    v->index = index;
    v->pending = 0;
    v->dead = false;
    v->known = v->special = 0;
    v->fact.at = v->high.at = 0;
    v->pc = v->f->entry;
    memset(v->marks, 0, (v->f->end - v->f->entry) * sizeof *v->marks);
    if (!verify_prologue(v)) return false;
    while (v->pc < v->f->end) {
        u32 n = 0;
        if (!verify_join(v) || !step(v, &n)) return false;
        assert(n);
        v->instructions++;
        v->pc += n;
    }
    if (v->pc != v->f->end || !v->dead) return FAIL(v, END);
    return v->pending ? FAIL(v, BRANCH) : true;
}
