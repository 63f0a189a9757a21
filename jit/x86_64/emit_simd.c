/* emit_simd.c: vector instructions, by the table of jit/simd.h.
 *
 * I1 xmm15 and, in a function with vectors, xmm14 are free between instructions.
 * I2 of vectors only constants are read where they are in memory: legacy encodings
 *    demand alignment, which slots have not. Lanes may come from anywhere.
 *    With AVX they may be anywhere.
 * I3 d = first; d op= second. Where the order matters the allocator keeps the
 *    second out of d (regs.c, late). With AVX d = first op second, at once. */
#include "base/fault.h"
#include "jit/simd.h"
#include "jit/x86_64/emit.h"

static u8 vector_in(struct emit *e, u32 v, u32 pos, u8 scratch) {
    u32 l = loc_at(e, v, pos);
    if (loc_kind(l) == L_REG) return (u8)loc_n(l);
    to_reg(e, v, pos, scratch);
    return scratch;
}

static void put_simd(struct emit *e, const struct simd_info *s, u32 w, u8 reg, u8 rm, u32 trailing) {
    put_op(e->c, s->prefix, w, s->opcode, reg, rm_reg(rm), trailing);
}

static struct rm vector_data(struct emit *e, u32 v) {
    struct vconst k = e->f->vconsts.p[e_ins(e, v)->a];
    return rm_data(put_data(e->c, k.low, k.high, 16));
}

/* What a lane becomes: a general register, or memory, whose access the instruction behind it is. */
static struct rm lane_from(struct emit *e, u32 v, u32 pos) {
    if (!is_folded(e, v)) return rm_reg(in_reg(e, v, pos));
    struct rm at = folded_load(e, v, pos);
    if (fault(LANE_SCALE) && at.index != NO_REG) at.scale = 1;
    load_site(e);
    return at;
}

static void emit_vconst(struct emit *e, u32 i) {
    struct vconst k = e->f->vconsts.p[e_ins(e, i)->a];
    u8 d = dest(e, i);
    const struct simd_info *ones = &simd_infos[SIMD_PCMPEQD], *zero = &simd_infos[SIMD_PXOR];
    if (!k.low && !k.high) put_simd(e, zero, 0, d, d, 0);
    else if (k.low == UINT64_MAX && k.high == UINT64_MAX) put_simd(e, ones, 0, d, d, 0);
    else put_fmov(e->c, T_V128, d, vector_data(e, i));
    done(e, i, d);
}

static void emit_vunary(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    const struct simd_info *s = &simd_infos[simd_op_of(x)];
    u32 pos = use_pos(i);
    u8 d = dest(e, i);
    switch (s->kind) {
    case SIMD_UNARY:
        if (fault(VECTOR_OPERAND) && !is_const(e->f, x->a)) put_op(e->c, s->prefix, 0, s->opcode, d, rm_value(e, x->a, pos), 0);
        else put_simd(e, s, 0, d, vector_in(e, x->a, pos, FSCRATCH), 0);
        break;
    case SIMD_UNARY_I:
        put_simd(e, s, 0, d, vector_in(e, x->a, pos, FSCRATCH), 1);
        put8(e->c, simd_immediate(x));
        break;
    case SIMD_SHIFT:
        if (has_cpu(e, JIT_CPU_AVX)) {
            put_vex(e->c, s->prefix, 0, s->opcode, s->sub, d, rm_reg(vector_in(e, x->a, pos, FSCRATCH)), 1);
            put8(e->c, simd_immediate(x));
            break;
        }
        to_reg(e, x->a, pos, d);
        put_simd(e, s, 0, s->sub, d, 1);
        put8(e->c, simd_immediate(x));
        break;
    case SIMD_EXTRACT: /* the vector is in the reg field */
        if (s == &simd_infos[SIMD_PEXTRD] && !simd_immediate(x)) {
            put_op(e->c, 0x66, wide(x->type), 0x0f7e, vector_in(e, x->a, pos, FSCRATCH), rm_reg(d), 0);
            break;
        }
        put_simd(e, s, wide(x->type), vector_in(e, x->a, pos, FSCRATCH), d, 1);
        put8(e->c, simd_immediate(x));
        break;
    case SIMD_MASK: put_simd(e, s, 0, d, vector_in(e, x->a, pos, FSCRATCH), 0); break;
    default: assert(s->kind == SIMD_FROM);
        put_op(e->c, s->prefix, wide(e_ins(e, x->a)->type), s->opcode, d, lane_from(e, x->a, pos), 0);
        break;
    }
    done(e, i, d);
}

static void emit_insert(struct emit *e, u32 i, const struct simd_info *s) {
    const struct ins *x = e_ins(e, i);
    u8 d = dest(e, i);
    u32 w = wide(e_ins(e, x->b)->type);
    if (has_cpu(e, JIT_CPU_AVX)) {
        u8 a = vector_in(e, x->a, use_pos(i), FSCRATCH);
        put_vex(e->c, s->prefix, w, s->opcode, d, a, lane_from(e, x->b, use_pos(i)), 1);
    } else {
        to_reg(e, x->a, use_pos(i), d);
        put_op(e->c, s->prefix, w, s->opcode, d, lane_from(e, x->b, use_pos(i)), 1);
    }
    put8(e->c, simd_immediate(x));
    done(e, i, d);
}

/* With AVX: the second operand is where it is, a constant, or a load. */
static void emit_three(struct emit *e, u32 i, const struct simd_info *s) {
    const struct ins *x = e_ins(e, i);
    bool swap = s->kind == SIMD_BOTH && better_second(e, x, i);
    u32 first = swap ? x->b : x->a, second = swap ? x->a : x->b;
    u8 a = vector_in(e, first, use_pos(i), FSCRATCH), d = dest(e, i);
    struct rm from;
    if (!simd_reads_whole(simd_op_of(x)) || e_ins(e, second)->type != T_V128) {
        from = rm_reg(vector_in(e, second, use_pos(i), FSCRATCH2));
    } else if (!is_folded(e, second)) {
        from = rm_value(e, second, use_pos(i));
    } else if (e_ins(e, second)->op == IR_VCONST) {
        from = vector_data(e, second);
    } else {
        from = folded_load(e, second, use_pos(i));
        load_site(e);
    }
    put_vex(e->c, s->prefix, 0, s->opcode, d, a, from, s->kind == SIMD_FIRST_I);
    if (s->kind == SIMD_FIRST_I) put8(e->c, simd_immediate(x));
    done(e, i, d);
}

static void emit_vbinary(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    const struct simd_info *s = &simd_infos[simd_op_of(x)];
    if (s->kind == SIMD_INSERT) {
        emit_insert(e, i, s);
        return;
    }
    if (simd_three_operands(e->f, simd_op_of(x))) {
        emit_three(e, i, s);
        return;
    }
    u8 d = dest(e, i);
    u32 first = x->a, second = x->b, pos = s->kind == SIMD_BOTH ? use_pos(i) : def_pos(i);
    if (is_folded(e, first) || (s->kind == SIMD_BOTH && !is_folded(e, second) && loc_at(e, second, pos) == LOC(L_REG, d))) {
        first = x->b;
        second = x->a;
    }
    struct rm from = is_folded(e, second) ? vector_data(e, second) : rm_reg(vector_in(e, second, pos, FSCRATCH2));
    to_reg(e, first, use_pos(i), d);
    put_op(e->c, s->prefix, 0, s->opcode, d, from, s->kind == SIMD_FIRST_I);
    if (s->kind == SIMD_FIRST_I) put8(e->c, simd_immediate(x));
    done(e, i, d);
}

void emit_simd(struct emit *e, u32 i) {
    switch (e_ins(e, i)->op) {
    case IR_VCONST: emit_vconst(e, i); break;
    case IR_VUNARY: emit_vunary(e, i); break;
    default: emit_vbinary(e, i); break;
    }
}
