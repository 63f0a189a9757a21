/* emit_compare.c: comparisons and tests, into flags or into a value.
 *
 * I1 emit_condition leaves flags that hold until code other than moves runs.
 * I2 memory in a comparison is a folded load (select.c): the instruction that
 *    has it is a trap site, and as wide as the load. */
#include "base/fault.h"
#include "jit/x86_64/emit.h"

/* The comparison of reg with 0, of which the flags may tell already. */
static struct cond compare_zero(struct emit *e, u8 reg, u32 w, u8 cc) {
    bool sign = cc == CC_LT || cc == CC_GE;
    if (e->flags_at == here(e->c) && e->flags_reg == reg && e->flags_w == w) {
        if (e->flags_logic || cc == CC_EQ || cc == CC_NE) return (struct cond){cc, 0};
        if (sign) return (struct cond){cc == CC_LT ? CC_S : CC_NS, 0};
    }
    put_op(e->c, 0, w, 0x85, reg, rm_reg(reg), 0);
    return (struct cond){cc, 0};
}

static bool is_byte(const struct emit *e, u32 load) { return e_ins(e, load)->aux == A_U8; }

/* test or cmp of memory with imm: byte forms for a byte. */
static void put_memory_imm(struct emit *e, bool test, bool byte, u32 w, struct rm m, i32 imm) {
    load_site(e);
    if (byte) {
        put_op8(e->c, test ? 0xf6 : 0x80, test ? 0 : ALU_CMP, m, 1);
        put8(e->c, (u8)imm);
    } else if (test) {
        put_op(e->c, 0, w, 0xf7, 0, m, 4);
        put32(e->c, (u32)imm);
    } else {
        put_alu_imm(e->c, ALU_CMP, w, m, imm);
    }
}

/* The other operand in a register that the address does not need; or NO_REG
 * when there is none, after the load has come to the scratch. */
static u8 beside(struct emit *e, u32 other, u32 w, struct rm m, u32 at) {
    u32 l = loc_at(e, other, use_pos(at));
    if (is_reg(l)) return (u8)loc_n(l);
    if (!uses_scratch(m)) return in_reg(e, other, use_pos(at));
    load_site(e);
    put_mov(e->c, w, SCRATCH, m);
    return NO_REG;
}

/* A comparison with memory in it. Operands in the order of x. */
static struct cond compare_load(struct emit *e, const struct ins *x, u32 at) {
    bool first = is_folded(e, x->a);
    u32 load = first ? x->a : x->b, other = first ? x->b : x->a, w = wide(e_ins(e, load)->type);
    struct rm m = folded_load(e, load, use_pos(at));
    u8 cc = x->aux;
    i32 imm;
    if (first && imm_value(e, other, &imm)) {
        static const u8 unsigned_of[] = {[CC_LT] = CC_ULT, [CC_GE] = CC_UGE, [CC_LE] = CC_ULE, [CC_GT] = CC_UGT};
        put_memory_imm(e, false, is_byte(e, load), w, m, imm);
        return (struct cond){is_byte(e, load) && cc >= CC_LT ? unsigned_of[cc] : cc, 0};
    }
    u8 r = beside(e, other, w, m, at);
    if (r == NO_REG) put_op(e->c, 0, w, first ? 0x3b : 0x39, SCRATCH, rm_value(e, other, use_pos(at)), 0);
    else load_site(e), put_op(e->c, 0, w, first ? 0x39 : 0x3b, r, m, 0);
    return (struct cond){cc, 0};
}

static void test_load(struct emit *e, const struct ins *x, u32 at) {
    u32 load = is_folded(e, x->a) ? x->a : x->b, other = load == x->a ? x->b : x->a, w = wide(x->type);
    struct rm m = folded_load(e, load, use_pos(at));
    i32 imm;
    if (imm_value(e, other, &imm)) {
        put_memory_imm(e, true, is_byte(e, load), w, m, imm);
        return;
    }
    u8 r = beside(e, other, w, m, at);
    if (r == NO_REG) put_op(e->c, 0, w, 0x85, SCRATCH, rm_value(e, other, use_pos(at)), 0);
    else load_site(e), put_op(e->c, 0, w, 0x85, r, m, 0);
}

/* Flags of x & y, for == and != 0 only. */
static void put_test(struct emit *e, const struct ins *x, u32 at) {
    if (is_folded(e, x->a) || is_folded(e, x->b)) {
        test_load(e, x, at);
        return;
    }
    u32 w = wide(x->type);
    u8 r = in_reg(e, x->a, use_pos(at));
    i32 imm;
    if (!imm_value(e, x->b, &imm)) {
        put_op(e->c, 0, w, 0x85, r, rm_value(e, x->b, use_pos(at)), 0);
    } else if (imm >= 0 && imm < 256) {
        put_op8(e->c, 0xf6, 0, rm_reg(r), 1);
        put8(e->c, (u8)imm);
    } else {
        put_op(e->c, 0, w, 0xf7, 0, rm_reg(r), 4);
        put32(e->c, (u32)imm);
    }
}

static struct cond compare_int(struct emit *e, const struct ins *x, u32 at) {
    if (is_folded(e, x->a) && e_ins(e, x->a)->op == IR_AND) {
        put_test(e, e_ins(e, x->a), at);
        return (struct cond){x->aux, 0};
    }
    if (is_folded(e, x->a) || is_folded(e, x->b)) return compare_load(e, x, at);
    u32 la = loc_at(e, x->a, use_pos(at)), w = wide(e_ins(e, x->a)->type);
    i32 imm;
    if (!imm_value(e, x->b, &imm)) {
        u8 r = in_reg(e, x->a, use_pos(at));
        put_alu(e->c, ALU_CMP, w, r, rm_value(e, x->b, use_pos(at)));
    } else if (!is_reg(la) && loc_kind(la) != L_CONST) {
        put_alu_imm(e->c, ALU_CMP, w, rm_of(e, la), imm);
    } else if (imm) {
        put_alu_imm(e->c, ALU_CMP, w, rm_reg(in_reg(e, x->a, use_pos(at))), imm);
    } else {
        return compare_zero(e, in_reg(e, x->a, use_pos(at)), w, x->aux);
    }
    return (struct cond){x->aux, 0};
}

/* ucomis: unordered sets ZF, PF and CF, so "above" conditions are false then. */
static struct cond compare_float(struct emit *e, const struct ins *x, u32 at) {
    static const struct { u8 swap; struct cond c; } how[] = {
        [FC_EQ] = {0, {CC_E, 1}}, [FC_NE] = {0, {CC_NE, 2}}, [FC_LT] = {1, {CC_A, 0}},
        [FC_GT] = {0, {CC_A, 0}}, [FC_LE] = {1, {CC_AE, 0}}, [FC_GE] = {0, {CC_AE, 0}},
    };
    u32 a = how[x->aux].swap ? x->b : x->a, b = how[x->aux].swap ? x->a : x->b;
    u8 r = in_reg(e, a, use_pos(at));
    struct rm from = is_folded(e, b) ? folded_load(e, b, use_pos(at)) : rm_value(e, b, use_pos(at));
    if (is_folded(e, b)) load_site(e);
    put_op(e->c, e_ins(e, a)->type == T_F64 ? 0x66 : 0, 0, 0x0f2e, r, from, 0);
    return how[x->aux].c;
}

/* Do the flags tell already what x does? The last user of the same comparison left them. */
static bool compared(const struct emit *e, const struct ins *x) {
    const struct ins *y = e_ins(e, e->compared);
    return e->compared_at == here(e->c) && y->aux == x->aux && y->b == x->b && (y->a == x->a || fault(COMPARED));
}

/* Sets flags for value v as a condition: compares here if that was folded. */
struct cond emit_condition(struct emit *e, u32 v, u32 at) {
    const struct ins *x = e_ins(e, v);
    if (x->flags & V_FOLDED && (x->op == IR_ICMP || x->op == IR_FCMP)) {
        if (!compared(e, x)) e->compared_flags = x->op == IR_ICMP ? compare_int(e, x, at) : compare_float(e, x, at);
        e->compared = v;
        return e->compared_flags;
    }
    e->compared = 0;
    u32 l = x->flags & V_FOLDED ? 0 : loc_at(e, v, use_pos(at));
    if (x->flags & V_FOLDED) put_test(e, x, at);
    else if (is_reg(l) || loc_kind(l) == L_CONST) return compare_zero(e, in_reg(e, v, use_pos(at)), 0, CC_NE);
    else put_alu_imm(e->c, ALU_CMP, 0, rm_of(e, l), 0);
    return (struct cond){CC_NE, 0};
}

static void put_setcc(struct emit *e, u8 cc, u8 reg) { put_op8(e->c, 0x0f90 | cc, 0, rm_reg(reg), 0); }

/* Does v, or what is folded into it, read register d? */
static bool reads(const struct emit *e, u32 v, u32 at, u8 d) {
    const struct ins *x = e_ins(e, v);
    if (!(x->flags & V_FOLDED)) return loc_at(e, v, use_pos(at)) == LOC(L_REG, d);
    for (u32 k = 0; k < ir_opinfos[x->op].args; k++)
        if (reads(e, x->args[k], at, d)) return true;
    return false;
}

/* d to 0 before the comparison, where it can be: then nothing depends on what d was, and
 * the result needs no extension. */
static bool clear_first(struct emit *e, const struct ins *x, u32 i, u8 d) {
    if (d == SCRATCH || e->flags_at == here(e->c) || reads(e, x->a, i, d) || reads(e, x->b, i, d)) return false;
    put_alu(e->c, ALU_XOR, 0, d, rm_reg(d));
    return true;
}

void emit_compare(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    u8 d = dest(e, i);
    bool clear = clear_first(e, x, i, d);
    struct cond k = x->op == IR_ICMP ? compare_int(e, x, i) : compare_float(e, x, i);
    if (k.parity) {
        /* Both flags are read before either register is combined. */
        u8 other = d == SCRATCH ? borrow(e, SCRATCH, SCRATCH) : SCRATCH;
        put_setcc(e, k.parity == 1 ? CC_NP : CC_P, other);
        put_setcc(e, k.cc, d);
        put_op8(e->c, k.parity == 1 ? 0x22 : 0x0a, d, rm_reg(other), 0);
        if (d == SCRATCH) give_back(e, other);
    } else {
        put_setcc(e, k.cc, d);
    }
    if (!clear) put_op8(e->c, 0x0fb6, d, rm_reg(d), 0);
    done(e, i, d);
}
