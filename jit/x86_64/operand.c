/* operand.c: where values are, in the words of the encoder. */
#include "base/fault.h"
#include "jit/x86_64/emit.h"

/* By the child that covers pos. Queries come with rising pos but for cold edges,
 * so the children that have ended are passed once. */
u32 loc_of_parts(const struct emit *e, struct ival *first, u32 pos) {
    const struct ival *ivals = e->a->ivals.p, *i = &ivals[first->reached];
    if (i->start > pos) i = first;
    while (i->next && ivals[i->next].start <= pos) i = &ivals[i->next];
    first->reached = (u32)(i - ivals);
    if (i->reg != REG_MEM) return LOC(L_REG, i->reg);
    assert(first->slot != NO_SLOT);
    return LOC(L_SLOT, (u32)first->slot);
}

static struct rm const_data(struct emit *e, u32 v) {
    const struct ins *i = e_ins(e, v);
    u32 size = i->type == T_I64 || i->type == T_F64 ? 8 : 4;
    return rm_data(put_data(e->c, const_bits(i), 0, size));
}

struct rm rm_value(struct emit *e, u32 v, u32 pos) {
    if (is_const(e->f, v)) return const_data(e, v);
    return rm_of(e, loc_at(e, v, pos));
}

struct rm rm_apart(struct emit *e, u32 v, u32 pos, u8 other) {
    bool slot = loc_kind(loc_at(e, v, pos)) == L_SLOT && other != SCRATCH;
    return slot ? rm_reg(into_scratch(e, v, pos)) : rm_value(e, v, pos);
}

bool imm_value(const struct emit *e, u32 v, i32 *imm) {
    const struct ins *i = e_ins(e, v);
    if (i->op != IR_CONST || is_float(i->type)) return false;
    if (i->type == T_I64 && !fits32(const_bits(i))) return false;
    *imm = (i32)const_bits(i);
    return true;
}

void to_reg(struct emit *e, u32 v, u32 pos, u8 reg) {
    move_one(e, LOC(L_REG, reg), loc_at(e, v, pos), e_ins(e, v)->type);
}

u8 into_scratch(struct emit *e, u32 v, u32 pos) {
    u8 reg = is_float(e_ins(e, v)->type) ? FSCRATCH : SCRATCH;
    to_reg(e, v, pos, reg);
    return reg;
}

void to_slot(struct emit *e, u32 v, u8 reg) {
    u8 type = e_ins(e, v)->type;
    struct rm to = rm_of(e, LOC(L_SLOT, (u32)slot_of(e->a, v)));
    if (fault(VECTOR_SLOT) && type == T_V128) to.disp *= 2;
    if (is_float(type)) put_fstore(e->c, type, to, reg);
    else put_store(e->c, wide(type), to, reg);
}

u32 new_label(struct emit *e) {
    VEC_PUSH(e->f, e->labels, UINT32_MAX);
    return e->labels.n - 1;
}

void note_flags(struct emit *e, u8 reg, u32 w, bool logic) {
    e->flags_at = here(e->c);
    e->flags_reg = reg;
    e->flags_w = (u8)w;
    e->flags_logic = logic;
}

void bind_label(struct emit *e, u32 label) {
    assert(e->labels.p[label] == UINT32_MAX);
    e->flags_at = e->compared_at = 0;
    e->labels.p[label] = here(e->c);
}

void put_label(struct emit *e, u32 op, u32 label) {
    struct fixup x = {put_rel32(e->c, op), label, FIX_LABEL, e->c->open8 != 0};
    VEC_PUSH(e->f, e->label_fixups, x);
}

u32 new_cold(struct emit *e, u32 kind, u32 a) {
    u32 label = new_label(e);
    struct cold k = {.label = label, .a = a, .kind = (u8)kind};
    VEC_PUSH(e->f, e->colds, k);
    return e->colds.n - 1;
}

u32 use_cold(struct emit *e, u32 cold) {
    struct cold *k = &e->colds.p[cold];
    if (k->used && k->origin != e->origin) k->origin = 0;
    else k->origin = e->origin;
    k->used = true;
    return k->label;
}

u32 trap_label(struct emit *e, u32 kind) {
    if (!e->trap_colds[kind]) e->trap_colds[kind] = 1 + new_cold(e, COLD_TRAP, kind);
    return use_cold(e, e->trap_colds[kind] - 1);
}

static struct rm spare(const struct emit *e) { return rm_of(e, LOC(L_SLOT, e->a->slots)); }

u8 borrow(struct emit *e, u8 not1, u8 not2) {
    u8 reg = RAX;
    assert(e->has_spare);
    while (reg == not1 || reg == not2) reg++; /* rax, rcx, rdx: one is free of both */
    put_store(e->c, 1, spare(e), reg);
    return reg;
}

void give_back(struct emit *e, u8 reg) { put_mov(e->c, 1, reg, spare(e)); }
