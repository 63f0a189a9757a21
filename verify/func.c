/* func.c: one function, from its first byte to its last: what each instruction does
 * to what is known.
 *
 * I1 an instruction is checked before it changes what is known.
 * I2 after the loop nothing is pending and the end is dead: nothing falls off it. */
#include "verify/decode.h"

static bool set_value(struct verifier *v, u8 reg, struct value x) {
    v->values[reg] = x;
    v->special |= 1u << reg;
    return true;
}

static bool zero_extended(const struct verifier *v, u8 reg) { return v->known >> reg & 1; }

/* The frame, and memory 0 with any 32-bit index, are most of what code touches. */
static INLINE bool in_frame(struct verifier *v, const struct insn *d, bool write) {
    if (d->index != NO_REG || d->disp < 0 || (u32)d->disp + d->width > v->slots) return FAIL(v, FRAME);
    if (d->f.rm & A_ALIGNED) return FAIL(v, FRAME); /* not known to be aligned */
    if (write && (u32)d->disp < v->f->spare + 8 && v->f->spare < (u32)d->disp + d->width) v->known &= ~(u32)K_SPARE;
    return true;
}

static INLINE bool is_plain(const struct verifier *v, const struct insn *d) {
    if (d->base != R15 || d->index == NO_REG || d->scale || !((v->known & ~v->special) >> d->index & 1)) return false;
    return d->disp >= v->plain_low && (i64)d->disp + d->width <= v->plain_high && !(d->f.rm & A_ALIGNED);
}

static INLINE bool memory(struct verifier *v, const struct insn *d, bool write) {
    if (d->base == RSP) return in_frame(v, d, write);
    return is_plain(v, d) ? verify_trap(v, ABI_TRAP_MEMORY) : verify_memory(v, *d, write);
}

/* A general register as an operand, by its access. */
static INLINE bool general(struct verifier *v, const struct insn *d, u8 reg, u8 access) {
    if (!(access & A_WRITE)) return PINNED >> reg & 1 ? FAIL(v, PINNED) : true;
    bool clean = access & A_PART ? zero_extended(v, reg) : !d->w && !(access & A_DIRTY);
    return verify_write(v, reg, clean);
}

static INLINE bool rm_operand(struct verifier *v, const struct insn *d) {
    if (!(d->f.rm & (A_READ | A_WRITE))) return true;
    if (d->rm == NO_REG && d->f.rm & A_REGISTER) return FAIL(v, ENCODING);
    if (d->rm == NO_REG) return memory(v, d, d->f.rm & A_WRITE);
    return d->f.rm & A_VECTOR || general(v, d, d->rm, d->f.rm);
}

static INLINE bool reg_operand(struct verifier *v, const struct insn *d) {
    if (d->f.reg & A_VECTOR || !(d->f.reg & (A_READ | A_WRITE))) return true;
    return general(v, d, d->reg, d->f.reg);
}

static INLINE bool both(struct verifier *v, const struct insn *d) { return rm_operand(v, d) && reg_operand(v, d); }

static struct fact fact(const struct verifier *v, const struct insn *d, u8 kind) {
    return (struct fact){.at = v->pc + d->length, .kind = kind, .reg = d->rm, .w = d->w, .slot = d->disp};
}

/* ---- moves ---- */

static bool on_spare(const struct verifier *v, const struct insn *d) {
    return d->rm == NO_REG && d->base == RSP && d->w && d->disp >= 0 && (u32)d->disp == v->f->spare;
}

static INLINE bool move(struct verifier *v, u8 to, u8 from, bool w) {
    if (PINNED >> from & 1) return FAIL(v, PINNED);
    bool special = w && v->special >> from & 1 && v->values[from].kind != CARRY;
    return verify_write(v, to, !w || zero_extended(v, from)) && (!special || set_value(v, to, v->values[from]));
}

static bool load_pointer(struct verifier *v, struct insn d) {
    struct value x;
    if (!verify_pointer(v, d, &x)) return verify_memory(v, d, false) && verify_write(v, d.reg, false);
    return verify_write(v, d.reg, false) && set_value(v, d.reg, x);
}

static INLINE bool load(struct verifier *v, const struct insn *d) {
    if (d->rm != NO_REG) return move(v, d->reg, d->rm, d->w);
    if (d->base == R14 && d->w) return load_pointer(v, *d);
    bool clean = !d->w || (on_spare(v, d) && v->known & K_SPARE);
    return memory(v, d, false) && verify_write(v, d->reg, clean);
}

static INLINE bool store(struct verifier *v, const struct insn *d) {
    if (d->rm != NO_REG) return move(v, d->rm, d->reg, d->w);
    if (!both(v, d)) return false;
    if (on_spare(v, d) && zero_extended(v, d->reg)) v->known |= K_SPARE;
    return true;
}

static INLINE bool mov_imm(struct verifier *v, u8 reg, i64 imm, bool w) {
    u64 x = w ? (u64)imm : (u32)imm;
    return verify_write(v, reg, x <= UINT32_MAX) && set_value(v, reg, (struct value){NUMBER, 0, x, x});
}

static INLINE u32 lea(struct verifier *v, const struct insn *d) {
    if (d->rm != NO_REG) return FAIL(v, ENCODING);
    if (d->base == RIP) return verify_switch(v, *d);
    if ((d->base < 16 && PINNED >> d->base & 1) || (d->index < 16 && PINNED >> d->index & 1)) return FAIL(v, PINNED);
    return general(v, d, d->reg, GW) ? d->length : 0;
}

/* ---- arithmetic ---- */

/* add r64, rm, where r is known: an address, or a sum that may carry. */
static bool add_whole(struct verifier *v, struct insn d) {
    struct value x, base;
    bool number = verify_number(v, d.reg, &x), special = v->special >> d.reg & 1;
    bool inside = special && v->values[d.reg].kind == CHECKED;
    u32 memory = d.rm == NO_REG ? verify_memory_field(v, d, offsetof(struct abi_memory, base)) : UINT32_MAX;
    if (d.rm != NO_REG && v->special >> d.rm & 1 && v->values[d.rm].kind == BASE) memory = v->values[d.rm].index;
    if (memory == UINT32_MAX) {
        if (!both(v, &d)) return false;
        if (number && special) { /* more than its upper half is known */
            set_value(v, d.reg, (struct value){CARRY, 0, x.low, 0});
            v->fact = (struct fact){.at = v->pc + d.length, .kind = F_CARRY, .reg = d.reg};
        }
        return true;
    }
    if (inside && v->values[d.reg].index == memory) base = (struct value){INSIDE, memory, v->values[d.reg].low, 0};
    else if (number) base = (struct value){ADDRESS, memory, x.low, x.high};
    else return FAIL(v, MEMORY);
    return verify_write(v, d.reg, false) && set_value(v, d.reg, base);
}

static INLINE bool add(struct verifier *v, const struct insn *d) { return d->w ? add_whole(v, *d) : both(v, d); }

/* With a field of the context or of a table. */
static u32 cmp_field(struct verifier *v, struct insn d) {
    if (d.base == R11 && v->special >> R11 & 1 && (v->values[R11].kind == P_TABLE || v->values[R11].kind == P_STORE))
        return d.reg == RSP ? verify_c_call(v, d) : verify_indirect(v, d);
    u32 memory = verify_memory_field(v, d, offsetof(struct abi_memory, bytes));
    if (!both(v, &d)) return false;
    if (memory != UINT32_MAX)
        v->fact = (struct fact){.at = v->pc + d.length, .kind = F_BOUND, .reg = d.reg, .index = memory};
    return d.length;
}

static INLINE u32 cmp(struct verifier *v, const struct insn *d) {
    if (d->rm == NO_REG && (d->base == R11 || d->base == R14)) return cmp_field(v, *d);
    return both(v, d) ? d->length : 0;
}

/* add r64, imm: a number stays one, up to a limit. */
static bool add_imm(struct verifier *v, struct insn d) {
    struct value x;
    bool number = d.imm >= 0 && verify_number(v, d.rm, &x) && x.high < 1ull << 40;
    return general(v, &d, d.rm, GB) && (!number || set_value(v, d.rm, (struct value){NUMBER, 0, x.low + (u64)d.imm, x.high + (u64)d.imm}));
}

enum { X_ADD = 0, X_CMP = 7 };

static INLINE u32 cmp_imm(struct verifier *v, const struct insn *d) {
    if (!(d->rm == NO_REG ? memory(v, d, false) : general(v, d, d->rm, GR))) return 0;
    if (d->width == 1) return d->length;
    u32 n = d->imm == -1 ? verify_guard(v, *d) : d->length;
    if (n != d->length) return n;
    if (d->rm == RAX && !d->w) {
        v->fact = fact(v, d, F_LIMIT);
        v->fact.index = (u32)d->imm;
        v->fact.w = 0;
    } else if (!d->imm && (d->rm != NO_REG || d->base == RSP)) {
        v->fact = fact(v, d, F_ZERO);
    }
    return n;
}

static INLINE u32 alu_imm(struct verifier *v, const struct insn *d) {
    u8 op = d->reg & 7;
    bool ok;
    if (op == X_CMP) return cmp_imm(v, d);
    if (d->rm == RSP && op == X_ADD && d->w) return verify_leave(v, v->pc);
    if (d->rm == NO_REG) ok = memory(v, d, true);
    else if (op == X_ADD && d->w && d->width != 1) ok = add_imm(v, *d);
    else ok = general(v, d, d->rm, d->width == 1 ? GB8 : GB);
    return ok ? d->length : 0;
}

static bool unary(struct verifier *v, const struct insn *d) {
    u8 op = d->reg & 7;
    if (op == 1) return FAIL(v, ENCODING);
    bool write = op == 2 || op == 3; /* not, neg */
    if (!(d->rm == NO_REG ? memory(v, d, write) : general(v, d, d->rm, write ? GB : GR))) return false;
    if (op >= 6) return verify_divide(v, *d);
    if (op < 4) return true;
    return verify_write(v, RAX, !d->w) && verify_write(v, RDX, !d->w); /* mul, imul */
}

static INLINE bool ret(struct verifier *v) {
    verify_end(v);
    return v->f->frame ? FAIL(v, RETURN) : true;
}

/* call rax, jmp rax: behind verify_indirect only. inc, dec. */
static bool group_ff(struct verifier *v, const struct insn *d) {
    u8 op = d->reg & 7;
    if (op < 2) return d->rm == NO_REG ? memory(v, d, true) : general(v, d, d->rm, GB);
    if ((op != 2 && op != 4) || d->rm != RAX || (v->known & K_CALLEE) != K_CALLEE) return FAIL(v, INDIRECT);
    if (op == 2) {
        if (v->f->frame % 16 != 8) return FAIL(v, ALIGN);
        verify_called(v);
        return true;
    }
    return ret(v);
}

/* rax keeps its upper half, or gets a 32-bit one; of a 64-bit one nothing is known. */
static bool cmpxchg(struct verifier *v, const struct insn *d) {
    bool clean = zero_extended(v, RAX) && !d->w;
    return both(v, d) && verify_write(v, RAX, clean);
}

static INLINE bool and(struct verifier *v, const struct insn *d) {
    bool clean = zero_extended(v, d->reg) || (d->rm != NO_REG && zero_extended(v, d->rm));
    if (!both(v, d)) return false;
    v->known |= (u32)clean << d->reg;
    return true;
}

static INLINE bool xor(struct verifier *v, const struct insn *d) {
    if (!both(v, d)) return false;
    if (d->rm != d->reg) return true;
    v->known |= 1u << d->reg;
    set_value(v, d->reg, (struct value){NUMBER, 0, 0, 0});
    if (d->reg == RDX) v->high.at = v->pc + d->length, v->high.start = v->pc, v->high.sign = 0;
    return true;
}

static INLINE bool test(struct verifier *v, const struct insn *d) {
    if (!both(v, d)) return false;
    if (d->rm == d->reg) v->fact = fact(v, d, F_ZERO);
    return true;
}

static INLINE bool shift(struct verifier *v, const struct insn *d) {
    if ((d->reg & 7) == 6) return FAIL(v, ENCODING);
    return d->rm == NO_REG ? memory(v, d, true) : general(v, d, d->rm, GB);
}

static INLINE bool mov_group(struct verifier *v, const struct insn *d) {
    if (d->reg & 7) return FAIL(v, ENCODING);
    if (d->rm == NO_REG) return memory(v, d, true);
    return d->width < 4 ? FAIL(v, PINNED) : mov_imm(v, d->rm, d->imm, d->w);
}

static INLINE bool test_imm(struct verifier *v, const struct insn *d) {
    if (d->reg & 7) return FAIL(v, ENCODING);
    return d->rm == NO_REG ? memory(v, d, false) : general(v, d, d->rm, GR);
}

/* There is no arithmetic shift of quadwords. */
static INLINE bool vector_shift(struct verifier *v, const struct insn *d) {
    u8 op = d->reg & 7;
    return op == 2 || op == 6 || (op == 4 && d->opcode != 0x73) ? rm_operand(v, d) : FAIL(v, ENCODING);
}

/* cdq, cqo */
static INLINE bool extend(struct verifier *v, const struct insn *d) {
    v->high.at = v->pc + d->length;
    v->high.start = v->pc;
    v->high.w = d->w;
    v->high.sign = 1;
    return verify_write(v, RDX, !d->w);
}

/* ModRM with a meaning of its own: a fence has no operands, a no-operation's are not
 * used. A displacement of 0x57... would be glue's mark behind a call (thunk.c, I4). */
static bool idle(struct verifier *v, const struct insn *d) {
    if (d->f.role == FENCE) return d->rm == RAX && d->reg == 6 && !d->rex ? true : FAIL(v, ENCODING);
    return d->rm == NO_REG && !d->disp ? true : FAIL(v, ENCODING);
}

/* Not reached: nothing is claimed of it, but where it ends. Nothing can jump to it
 * later, since it is no point. */
static u32 skip(struct verifier *v, const u8 *at) {
    struct insn d;
    if (!verify_decode(at, &d) || d.f.cpu & ~v->m->cpu) return FAIL(v, ENCODING);
    v->trap += verify_is_trap(v);
    return d.length;
}

/* ---- everything ---- */

/* Returns its length, or that of the sequence that it begins; 0: refused. */
static INLINE u32 perform(struct verifier *v, const struct insn *d) {
    u8 low = (u8)((d->opcode & 7) | (d->rex & 1) << 3);
    bool ok;
    if (d->f.cpu & ~v->m->cpu) return FAIL(v, ENCODING);
    switch (d->f.role) {
    case ANY: ok = both(v, d); break;
    case LOAD: ok = load(v, d); break;
    case STORE: ok = store(v, d); break;
    case ADD: ok = add(v, d); break;
    case AND: ok = and(v, d); break;
    case XOR: ok = xor(v, d); break;
    case CMP: return cmp(v, d);
    case TEST: ok = test(v, d); break;
    case LEA: return lea(v, d);
    case CMPXCHG: ok = cmpxchg(v, d); break;
    case FENCE: case NOP: ok = idle(v, d); break;
    case SETCC: ok = d->rm == NO_REG ? memory(v, d, true) : general(v, d, d->rm, GB8); break;
    case BMI: ok = PINNED >> d->second & 1 ? FAIL(v, PINNED) : both(v, d); break;
    case G_ALU: return alu_imm(v, d);
    case G_SHIFT: ok = shift(v, d); break;
    case G_MOVI: ok = mov_group(v, d); break;
    case G_TEST8: ok = test_imm(v, d); break;
    case G_UNARY: ok = unary(v, d); break;
    case G_FF: ok = group_ff(v, d); break;
    case G_VSHIFT: ok = vector_shift(v, d); break;
    case MOVI: ok = mov_imm(v, low, d->imm, d->w); break;
    case CDQ: ok = extend(v, d); break;
    case NOP1: ok = d->rex & 1 ? FAIL(v, ENCODING) : true; break; /* xchg r8, rax */
    case RET: ok = ret(v); break;
    case POP: return v->slots ? FAIL(v, RETURN) : verify_leave(v, v->pc);
    case UD2: verify_end(v), ok = verify_trap(v, 0); break;
    default: return FAIL(v, ENCODING); /* a jump: in step */
    }
    return ok ? d->length : 0;
}

static u32 step_any(struct verifier *v, const u8 *at) {
    struct insn d;
    return verify_decode(at, &d) ? perform(v, &d) : FAIL(v, ENCODING);
}

static INLINE u32 step_as(struct verifier *v, const struct form f, const u8 *at, u64 x, u32 n, u32 rex) {
    struct insn d;
    return decode_as(f, at, x, n, rex, &d) ? perform(v, &d) : FAIL(v, ENCODING);
}

static INLINE bool jcc(struct verifier *v, u8 condition, u32 n, i32 by) {
    if (!verify_branch(v, v->pc, (i64)v->pc + n + by)) return false;
    if (v->fact.at == v->pc) verify_prove_by(v, condition, v->pc + n);
    return true;
}

/* What most code is made of goes past the table of rows: for each a copy of what is
 * above, in which its row is a constant. */
static INLINE u32 step(struct verifier *v, const u8 *at) {
    u64 x = read64(at);
    u32 rex = 0, n = 0;
    if ((x & 0xf0) == 0x40) rex = (u8)x, x >>= 8, n = 1;
#define AS(op) case op: return step_as(v, forms[op], at, x, n, rex);
    switch ((u8)x) {
    case 0x01: AS(0x09) case 0x0b: case 0x13: case 0x1b: AS(0x2b) /* rows alike: test/unit/verify_forms.c */ AS(0x03) AS(0x23) AS(0x33) AS(0x39) AS(0x3b)
    AS(0x63) AS(0x69) AS(0x80) AS(0x81) AS(0x83) AS(0x85) AS(0x88) AS(0x89) AS(0x8b) AS(0x8d) AS(0xc1) AS(0xc6) AS(0xc7) AS(0xd3) AS(0xf6) AS(0xf7) AS(0xff)
    case 0x70 ... 0x7f: return jcc(v, x & 15, n + 2, (i8)(x >> 8)) ? n + 2 : 0;
    case 0xb8 ... 0xbf: return step_as(v, forms[0xb8], at, x, n, rex);
    case 0xe8: return verify_call(v, (i64)v->pc + n + 5 + (i32)(x >> 8)) ? n + 5 : 0;
    case 0xe9: return verify_jump(v, (i64)v->pc + n + 5 + (i32)(x >> 8)) ? n + 5 : 0;
    case 0xeb: return verify_jump(v, (i64)v->pc + n + 2 + (i8)(x >> 8)) ? n + 2 : 0;
    case 0x0f:
        if ((x >> 8 & 0xf0) == 0x80) return jcc(v, x >> 8 & 15, n + 6, (i32)(x >> 16)) ? n + 6 : 0;
        if ((u8)(x >> 8) == 0xb6) return step_as(v, forms[TWO << 10 | 0xb6], at, x >> 8, n + 1, rex);
        if ((u8)(x >> 8) == 0xb7) return step_as(v, forms[TWO << 10 | 0xb7], at, x >> 8, n + 1, rex);
    }
#undef AS
    return step_any(v, at);
}

/* From behind the prologue to the function's end. */
static bool walk(struct verifier *v) {
    const u8 *at = code_at(v, v->pc), *end = code_at(v, v->f->end);
    u32 *mark = &v->marks[v->pc - v->f->entry];
    for (u32 n; at < end; at += n, mark += n, v->pc += n) {
        n = 0;
        if (*mark) {
            verify_join(v, mark);
        } else {
            *mark = M_START;
            if (v->dead && !(n = skip(v, at))) return false;
        }
        if (!n && !(n = step(v, at))) return false;
    }
    return at == end && v->dead ? true : FAIL(v, END);
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
    return walk(v) && (v->pending ? FAIL(v, BRANCH) : true);
}
