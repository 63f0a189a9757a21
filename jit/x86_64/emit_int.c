/* emit_int.c: integer arithmetic, shifts, division, bit counts.
 *
 * I1 the result's register never holds a late operand (regs.c); it may hold an
 *    early one, which is then read before it is written.
 * I2 32-bit forms leave the upper half zero. */
#include "base/fault.h"
#include "jit/x86_64/emit.h"

static enum alu alu_of(u8 op) {
    switch (op) {
    case IR_ADD: return ALU_ADD;
    case IR_SUB: return ALU_SUB;
    case IR_AND: return ALU_AND;
    case IR_OR: return ALU_OR;
    default: assert(op == IR_XOR); return ALU_XOR;
    }
}

/* d = x + y without a move first: lea. */
static bool try_lea(struct emit *e, const struct ins *x, u32 i, u8 d) {
    u32 la = loc_at(e, x->a, use_pos(i)), lb = loc_at(e, x->b, use_pos(i));
    i32 imm;
    if (x->op != IR_ADD || !is_reg(la) || loc_n(la) == d) return false;
    if (imm_value(e, x->b, &imm)) {
        put_lea(e->c, wide(x->type), d, rm_mem((u8)loc_n(la), imm));
        return true;
    }
    if (!is_reg(lb) || loc_n(lb) == d) return false;
    put_lea(e->c, wide(x->type), d, rm_index((u8)loc_n(la), (u8)loc_n(lb), 0, 0));
    return true;
}

/* d = d op from. */
static void put_binary(struct emit *e, const struct ins *x, u8 d, struct rm from) {
    if (x->op == IR_MUL) put_op(e->c, 0, wide(x->type), 0x0faf, d, from, 0);
    else put_alu(e->c, alu_of(x->op), wide(x->type), d, from);
}

/* The loaded operand comes to the scratch, the only register there is: a - b is
 * -b + a. */
static void scratch_with_load(struct emit *e, const struct ins *x, u32 other, struct rm from, u32 i) {
    u32 w = wide(x->type);
    i32 imm;
    load_site(e);
    put_mov(e->c, w, SCRATCH, from);
    if (x->op == IR_SUB) put_op(e->c, 0, w, 0xf7, 3, rm_reg(SCRATCH), 0);
    enum alu op = x->op == IR_SUB ? ALU_ADD : x->op == IR_MUL ? 0 : alu_of(x->op);
    if (x->op == IR_MUL) put_op(e->c, 0, w, 0x0faf, SCRATCH, rm_value(e, other, use_pos(i)), 0);
    else if (imm_value(e, other, &imm)) put_alu_imm(e->c, op, w, rm_reg(SCRATCH), imm);
    else put_alu(e->c, op, w, SCRATCH, rm_value(e, other, use_pos(i)));
}

/* One operand is a load that was folded. */
static void emit_with_load(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    u8 d = dest(e, i);
    u32 load = is_folded(e, x->a) ? x->a : x->b, other = load == x->a ? x->b : x->a;
    struct rm from = folded_load(e, load, def_pos(i));
    i32 imm;
    if (x->op == IR_MUL && imm_value(e, other, &imm)) {
        load_site(e);
        put_op(e->c, 0, wide(x->type), 0x69, d, from, 4);
        put32(e->c, (u32)imm);
    } else if (d == SCRATCH && uses_scratch(from)) {
        scratch_with_load(e, x, other, from, i);
    } else {
        to_reg(e, other, use_pos(i), d);
        load_site(e);
        put_binary(e, x, d, from);
    }
    done(e, i, d);
}

/* a + (b << scale) + disp; a: 0 for none. */
struct sum {
    u32 a, b;
    u8 scale;
    i32 disp;
};

/* What instruction v adds to disp: up to two operands of its own or of what is folded into it. */
static struct sum sum_of(const struct emit *e, u32 v, i32 disp) {
    const struct ins *x = e_ins(e, v);
    if (x->op == IR_SHL) return (struct sum){0, x->a, (u8)const_bits(e_ins(e, x->b)), disp};
    if (is_const(e->f, x->b)) return sum_of(e, x->a, (i32)const_bits(e_ins(e, x->b)));
    u32 shl = is_folded(e, x->a) ? x->a : is_folded(e, x->b) ? x->b : 0;
    if (!shl) return (struct sum){x->a, x->b, 0, disp};
    return (struct sum){shl == x->a ? x->b : x->a, e_ins(e, shl)->a, (u8)const_bits(e_ins(e, e_ins(e, shl)->b)), disp};
}

/* With what is folded: lea, or by hand if b is in memory. */
static void emit_sum(struct emit *e, u32 i) {
    struct sum s = sum_of(e, i, 0);
    u32 w = wide(e_ins(e, i)->type), lb = loc_at(e, s.b, use_pos(i));
    u8 d = dest(e, i), b = is_reg(lb) ? (u8)loc_n(lb) : SCRATCH;
    if (!is_reg(lb)) {
        to_reg(e, s.b, use_pos(i), SCRATCH);
        if (s.scale) put_shift_imm(e->c, 4, w, SCRATCH, s.scale);
        if (s.a) put_alu(e->c, ALU_ADD, w, SCRATCH, rm_value(e, s.a, use_pos(i)));
        if (s.disp || d != SCRATCH) put_lea(e->c, w, d, rm_mem(SCRATCH, s.disp));
    } else if (s.a) {
        put_lea(e->c, w, d, rm_index(in_reg(e, s.a, use_pos(i)), b, s.scale, s.disp));
    } else if (s.scale == 1) {
        put_lea(e->c, w, d, rm_index(b, b, 0, s.disp));
    } else {
        put_lea_scaled(e->c, w, d, b, s.scale, s.disp);
    }
    done(e, i, d);
}

/* d = a & ~b, the inversion folded. */
static void emit_andn(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    u32 inverse = is_folded(e, x->a) ? x->a : x->b, a = inverse == x->a ? x->b : x->a;
    u8 d = dest(e, i), b = in_reg(e, e_ins(e, inverse)->a, use_pos(i));
    put_vex(e->c, 0, wide(x->type), 0x0f38f2, d, b, rm_value(e, a, use_pos(i)), 0);
    note_flags(e, d, wide(x->type), true);
    done(e, i, d);
}

/* Memory is changed where it is: a store of what is folded into it. */
void emit_update(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, e_ins(e, i)->b);
    u32 load = is_folded(e, x->a) ? x->a : x->b, other = load == x->a ? x->b : x->a, w = wide(x->type);
    struct rm to = folded_load(e, load, use_pos(i));
    i32 imm;
    if (e_ins(e, i)->aux == A_U8) {
        load_site(e);
        put_op8(e->c, 0x80, (u8)alu_of(x->op), to, 1);
        put8(e->c, (u8)const_bits(e_ins(e, other)));
        return;
    }
    if (imm_value(e, other, &imm)) {
        load_site(e);
        put_alu_imm(e->c, alu_of(x->op), w, to, imm);
        return;
    }
    u32 l = loc_at(e, other, use_pos(i));
    bool none = !is_reg(l) && uses_scratch(to);
    u8 r = none ? borrow(e, NO_REG, NO_REG) : in_reg(e, other, use_pos(i));
    if (none) to_reg(e, other, use_pos(i), r);
    load_site(e);
    put_op(e->c, 0, w, x->op == IR_ADD ? 0x01 : 0x09, r, to, 0);
    if (none) give_back(e, r);
}

/* x & 0xff, x & 0xffff: a move that extends. */
static bool try_extend(struct emit *e, const struct ins *x, u32 i, u8 d) {
    u32 la = loc_at(e, x->a, use_pos(i));
    i32 imm;
    if (x->op != IR_AND || !imm_value(e, x->b, &imm) || !is_reg(la)) return false;
    if (imm == 0xff) put_op8(e->c, 0x0fb6, d, rm_reg((u8)loc_n(la)), 0);
    else if (imm == 0xffff) put_op(e->c, 0, 0, 0x0fb7, d, rm_reg((u8)loc_n(la)), 0);
    else return false;
    return true;
}

/* Of operands that may change places: does the second one come to d first? If it is there, or
 * in memory while a register would be copied: a load of its own waits for nobody. */
static bool second_first(const struct emit *e, const struct ins *x, u32 i, u8 d) {
    u32 la = loc_at(e, x->a, use_pos(i)), lb = loc_at(e, x->b, use_pos(i));
    return lb == LOC(L_REG, d) || (loc_kind(lb) == L_SLOT && is_reg(la) && loc_n(la) != d);
}

void emit_alu(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    if (is_folded(e, x->a) || is_folded(e, x->b)) {
        u32 v = is_folded(e, x->a) ? x->a : x->b;
        if (e_ins(e, v)->op == IR_SHL || e_ins(e, v)->op == IR_ADD) emit_sum(e, i);
        else if (e_ins(e, v)->op == IR_XOR) emit_andn(e, i);
        else emit_with_load(e, i);
        return;
    }
    u8 d = dest(e, i);
    u32 a = x->a, b = x->b;
    i32 imm;
    if (try_lea(e, x, i, d) || try_extend(e, x, i, d)) {
        done(e, i, d);
        return;
    }
    u32 bpos = x->op == IR_SUB ? def_pos(i) : use_pos(i);
    if (x->op != IR_SUB && second_first(e, x, i, d)) {
        u32 t = a;
        a = b;
        b = t;
    }
    to_reg(e, a, use_pos(i), d);
    if (imm_value(e, b, &imm)) put_alu_imm(e->c, alu_of(x->op), wide(x->type), rm_reg(d), imm);
    else put_alu(e->c, alu_of(x->op), wide(x->type), d, rm_apart(e, b, bpos, d));
    note_flags(e, d, wide(x->type), x->op != IR_ADD && x->op != IR_SUB);
    done(e, i, d);
}

void emit_mul(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    if (is_folded(e, x->a) || is_folded(e, x->b)) {
        emit_with_load(e, i);
        return;
    }
    u8 d = dest(e, i);
    u32 a = x->a, b = x->b;
    i32 imm;
    if (imm_value(e, b, &imm)) {
        put_op(e->c, 0, wide(x->type), 0x69, d, rm_value(e, a, use_pos(i)), 4);
        put32(e->c, (u32)imm);
    } else {
        if (second_first(e, x, i, d)) b = x->a, a = x->b;
        to_reg(e, a, use_pos(i), d);
        put_op(e->c, 0, wide(x->type), 0x0faf, d, rm_apart(e, b, use_pos(i), d), 0);
    }
    done(e, i, d);
}

static u32 shift_sub(u8 op) {
    switch (op) {
    case IR_ROTL: return 0;
    case IR_ROTR: return 1;
    case IR_SHL: return 4;
    case IR_SHR_U: return 5;
    default: assert(op == IR_SHR_S); return 7;
    }
}

/* shlx, shrx, sarx: the count in any register, the result in another than what is shifted. */
static void shift_by(struct emit *e, const struct ins *x, u32 i, u8 d) {
    static const u8 prefixes[] = {[IR_SHL - IR_SHL] = 0x66, [IR_SHR_S - IR_SHL] = 0xf3, [IR_SHR_U - IR_SHL] = 0xf2};
    u8 count = in_reg(e, x->b, use_pos(i));
    struct rm from = rm_value(e, x->a, use_pos(i));
    put_vex(e->c, prefixes[x->op - IR_SHL], wide(x->type), 0x0f38f7, d, count, from, 0);
    done(e, i, d);
}

/* rorx, where what is rotated stays or is in memory. */
static bool rotate_to(struct emit *e, const struct ins *x, u32 i, u8 d, u32 n) {
    u32 from = loc_at(e, x->a, use_pos(i)), bits = wide(x->type) ? 64 : 32;
    if (!has_cpu(e, JIT_CPU_BMI2) || (x->op != IR_ROTL && x->op != IR_ROTR) || from == LOC(L_REG, d) || loc_kind(from) == L_CONST) return false;
    put_vex(e->c, 0xf2, wide(x->type), 0x0f3af0, d, 0, rm_of(e, from), 1);
    put8(e->c, (u8)(x->op == IR_ROTL ? bits - n : n));
    return true;
}

static void shift_by_constant(struct emit *e, const struct ins *x, u32 i, u8 d) {
    u32 w = wide(x->type), n = (u32)const_bits(e_ins(e, x->b)) & (w ? 63 : 31);
    if (!rotate_to(e, x, i, d, n)) {
        to_reg(e, x->a, use_pos(i), d);
        put_shift_imm(e->c, shift_sub(x->op), w, d, (u8)n);
    }
    done(e, i, d);
}

void emit_shift(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    u8 d = dest(e, i), work = d;
    u32 w = wide(x->type);
    if (is_const(e->f, x->b)) {
        shift_by_constant(e, x, i, d);
        return;
    }
    if (has_cpu(e, JIT_CPU_BMI2) && x->op != IR_ROTL && x->op != IR_ROTR) {
        shift_by(e, x, i, d);
        return;
    }
    /* The count goes to cl; d is not rcx, but may be where the count is. */
    if (loc_at(e, x->b, use_pos(i)) == LOC(L_REG, d) && x->a != x->b) work = SCRATCH;
    assert(d != RCX);
    to_reg(e, x->a, use_pos(i), work);
    to_reg(e, x->b, use_pos(i), RCX);
    put_op(e->c, 0, w, 0xd3, (u8)shift_sub(x->op), rm_reg(work), 0);
    if (work != d) put_mov(e->c, w, d, rm_reg(work));
    done(e, i, d);
}

void emit_copy(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    const struct ins *a = e_ins(e, x->a);
    u8 d = dest(e, i);
    bool clean = x->op == IR_ZEXT ? a->flags & V_ZEXT : !(x->flags & V_ZEXT);
    u32 from = loc_at(e, x->a, use_pos(i));
    if (fault(ZERO_EXTEND) && x->op == IR_ZEXT) put_op(e->c, 0, 1, 0x63, d, rm_value(e, x->a, use_pos(i)), 0);
    /* Reading 32 bits cleans; nothing to do if it is clean and in place. */
    else if (!clean || from != LOC(L_REG, d)) put_mov(e->c, 0, d, rm_value(e, x->a, use_pos(i)));
    done(e, i, d);
}

void emit_sext(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    struct rm from = rm_value(e, x->a, use_pos(i));
    u8 d = dest(e, i);
    u32 w = wide(x->type);
    if (x->aux == 32) put_op(e->c, 0, 1, 0x63, d, from, 0);
    else if (x->aux == 16) put_op(e->c, 0, w, 0x0fbf, d, from, 0);
    else if (w) put_op(e->c, 0, 1, 0x0fbe, d, from, 0);
    else put_op8(e->c, 0x0fbe, d, from, 0);
    done(e, i, d);
}

/* ---- division ---- */

/* The divisor, where neither rax nor rdx is: a register or memory. */
static struct rm divisor(struct emit *e, const struct ins *x, u32 i) {
    u32 l = loc_at(e, x->b, def_pos(i));
    if (loc_kind(l) != L_CONST) return rm_of(e, l);
    to_reg(e, x->b, def_pos(i), SCRATCH);
    return rm_reg(SCRATCH);
}

static bool const_divisor(const struct emit *e, const struct ins *x, u64 *b) {
    if (!is_const(e->f, x->b)) return false;
    *b = const_bits(e_ins(e, x->b));
    return true;
}

static bool may_be_zero(const struct emit *e, const struct ins *x) {
    u64 b;
    return !const_divisor(e, x, &b) || !b;
}
static bool may_be_minus_one(const struct emit *e, const struct ins *x) {
    u64 b;
    return !const_divisor(e, x, &b) || b == (wide(x->type) ? UINT64_MAX : UINT32_MAX);
}

/* b == -1: INT_MIN / -1 traps, everything % -1 is 0 (4.3.2 idiv_s, irem_s).
 * Returns the jump over the division, or 0. */
static u32 guard_minus_one(struct emit *e, const struct ins *x, struct rm b) {
    u32 w = wide(x->type);
    put_alu_imm(e->c, ALU_CMP, w, b, -1);
    u32 normal = put_jcc8(e->c, CC_NE), over = 0;
    if (x->op == IR_REM_S) {
        put_alu(e->c, ALU_XOR, 0, RDX, rm_reg(RDX));
        over = put_jmp8(e->c);
    } else {
        put_alu_imm(e->c, ALU_CMP, w, rm_reg(RAX), 1); /* only INT_MIN - 1 overflows */
        put_label(e, fault(DIVIDE_OVERFLOW) ? 0xe9 : 0x0f80 | CC_O, trap_label(e, ABI_TRAP_INTEGER_OVERFLOW));
    }
    land8(e->c, normal);
    return over;
}

void emit_divide(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    bool is_signed = x->op == IR_DIV_S || x->op == IR_REM_S;
    bool rest = x->op == IR_REM_S || x->op == IR_REM_U;
    u32 w = wide(x->type), over = 0;
    struct rm b = divisor(e, x, i);
    to_reg(e, x->a, use_pos(i), RAX);
    if (may_be_zero(e, x) && !fault(DIVIDE_ZERO)) {
        if (b.kind == RM_REG) put_op(e->c, 0, w, 0x85, b.reg, b, 0);
        else put_alu_imm(e->c, ALU_CMP, w, b, 0);
        put_label(e, 0x0f80 | CC_E, trap_label(e, ABI_TRAP_DIVIDE_BY_ZERO));
    }
    if (is_signed && may_be_minus_one(e, x)) over = guard_minus_one(e, x, b);
    if (is_signed && w) put8(e->c, 0x48);
    if (is_signed) put8(e->c, 0x99); /* cdq, cqo */
    else put_alu(e->c, ALU_XOR, 0, RDX, rm_reg(RDX));
    put_op(e->c, 0, w, 0xf7, is_signed ? 7 : 6, b, 0);
    if (over) land8(e->c, over);
    u8 d = dest(e, i), from = rest ? RDX : RAX;
    if (d != from) put_mov(e->c, w, d, rm_reg(from));
    done(e, i, d);
}

/* rdx:rax = rax * operand */
void emit_multiply_high(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    u8 b = in_reg(e, x->b, def_pos(i));
    to_reg(e, x->a, use_pos(i), RAX);
    put_op(e->c, 0, 1, 0xf7, x->aux ? 5 : 4, rm_reg(b), 0);
    u8 d = dest(e, i);
    if (d != RDX) put_mov(e->c, 1, d, rm_reg(RDX));
    done(e, i, d);
}

/* ---- bit counts ---- */

/* bsr and bsf leave nothing useful for 0: a conditional move supplies it. */
static void scan_bits(struct emit *e, const struct ins *x, struct rm from, u8 d) {
    bool clz = x->op == IR_CLZ;
    u32 w = wide(x->type);
    u8 zero = SCRATCH, other = 0;
    if (d == SCRATCH || (from.kind == RM_REG && from.reg == SCRATCH)) zero = other = borrow(e, d, from.kind == RM_REG ? from.reg : d);
    put_mov_imm(e->c, zero, clz ? UINT64_MAX : w ? 64 : 32);
    put_op(e->c, 0, w, clz ? 0x0fbd : 0x0fbc, d, from, 0);
    put_op(e->c, 0, w, 0x0f40 | CC_E, d, rm_reg(zero), 0);
    if (zero != SCRATCH) give_back(e, other);
    if (!clz) return;
    put_op(e->c, 0, w, 0xf7, 3, rm_reg(d), 0); /* neg */
    put_alu_imm(e->c, ALU_ADD, w, rm_reg(d), w ? 63 : 31);
}

static void and_pattern(struct emit *e, u32 w, u8 reg, u64 pattern) {
    if (w) put_alu(e->c, ALU_AND, 1, reg, rm_data(put_data(e->c, pattern, 0, 8)));
    else put_alu_imm(e->c, ALU_AND, 0, rm_reg(reg), (i32)(u32)pattern);
}

/* d = population of d; t is free. Pairs, nibbles, bytes, then one multiply. */
static void count_bits(struct emit *e, u32 w, u8 d, u8 t) {
    struct code *c = e->c;
    put_mov(c, w, t, rm_reg(d));
    put_shift_imm(c, 5, w, t, 1);
    and_pattern(e, w, t, 0x5555555555555555);
    put_alu(c, ALU_SUB, w, d, rm_reg(t));
    put_mov(c, w, t, rm_reg(d));
    put_shift_imm(c, 5, w, t, 2);
    and_pattern(e, w, t, 0x3333333333333333);
    and_pattern(e, w, d, 0x3333333333333333);
    put_alu(c, ALU_ADD, w, d, rm_reg(t));
    put_mov(c, w, t, rm_reg(d));
    put_shift_imm(c, 5, w, t, 4);
    put_alu(c, ALU_ADD, w, d, rm_reg(t));
    and_pattern(e, w, d, 0x0f0f0f0f0f0f0f0f);
    put_op(c, 0, w, 0x0faf, d, rm_data(put_data(c, 0x0101010101010101, 0, w ? 8 : 4)), 0);
    put_shift_imm(c, 5, w, d, w ? 56 : 24);
}

static void popcount(struct emit *e, u32 i, u8 d) {
    const struct ins *x = e_ins(e, i);
    u8 work = d, t = SCRATCH;
    if (d == SCRATCH) t = borrow(e, d, d);
    /* The operand may be in what was borrowed: it still holds its value. */
    to_reg(e, x->a, use_pos(i), work);
    count_bits(e, wide(x->type), work, t);
    if (t != SCRATCH) give_back(e, t);
}

void emit_bits(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    u8 d = dest(e, i);
    u32 w = wide(x->type);
    struct rm from = rm_value(e, x->a, use_pos(i));
    if (x->op == IR_POPCNT && has_cpu(e, JIT_CPU_POPCNT)) put_op(e->c, 0xf3, w, 0x0fb8, d, from, 0);
    else if (x->op == IR_CLZ && has_cpu(e, JIT_CPU_LZCNT)) put_op(e->c, 0xf3, w, 0x0fbd, d, from, 0);
    else if (x->op == IR_CTZ && has_cpu(e, JIT_CPU_BMI1)) put_op(e->c, 0xf3, w, 0x0fbc, d, from, 0);
    else if (x->op == IR_POPCNT) popcount(e, i, d);
    else scan_bits(e, x, from, d);
    done(e, i, d);
}
