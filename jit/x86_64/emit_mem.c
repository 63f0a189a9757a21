/* emit_mem.c: loads, stores, globals, sizes.
 *
 * I1 memory 0 with guard pages: [r15 + zero-extended index + displacement], scale
 *    1, the displacement above -ABI_MEMORY_SLACK and at most ABI_MAX_DISP; the
 *    instruction is a trap site. Other accesses: emit_access.c. */
#include "base/fault.h"
#include "jit/x86_64/emit.h"

u32 access_size(u8 access) {
    switch (access) {
    case A_U8:
    case A_S8: return 1;
    case A_U16:
    case A_S16: return 2;
    case A_64:
    case A_F64:
    case A_V64: return 8;
    case A_V128: return fault(VECTOR_CHECK) ? 8 : 16;
    default: return 4;
    }
}

static struct rm address(struct emit *e, u32 v, u32 offset, u32 pos) {
    i64 sum = (i32)offset;
    assert(sum > -ABI_MEMORY_SLACK && sum <= ABI_MAX_DISP);
    if (is_const(e->f, v) && sum >= 0) sum += (i64)const_bits(e_ins(e, v));
    if (is_const(e->f, v) && sum >= 0 && sum <= ABI_MAX_DISP) return rm_mem(BASE, (i32)sum);
    u8 index = in_reg(e, v, pos);
    if (fault(INDEX_SHIFT)) put_shift_imm(e->c, 4, 1, index, 3);
    return rm_index(BASE, index, fault(INDEX_SCALE), (i32)offset);
}

struct rm folded_load(struct emit *e, u32 load, u32 pos) {
    const struct ins *x = e_ins(e, load);
    assert(x->op == IR_LOAD && x->flags & V_FOLDED);
    return address(e, x->a, x->b, pos);
}

void load_site(struct emit *e) { put_trap_site(e->c, here(e->c), ABI_TRAP_MEMORY); }

void put_load(struct emit *e, u8 type, u8 access, u8 d, struct rm at) {
    struct code *c = e->c;
    u32 w = wide(type);
    switch (access) {
    case A_U8: put_op(c, 0, 0, 0x0fb6, d, at, 0); break;
    case A_S8: put_op(c, 0, w, fault(LOAD_SIGN) ? 0x0fb6 : 0x0fbe, d, at, 0); break;
    case A_U16: put_op(c, 0, 0, 0x0fb7, d, at, 0); break;
    case A_S16: put_op(c, 0, w, 0x0fbf, d, at, 0); break;
    case A_U32: put_mov(c, fault(WIDE_LOAD), d, at); break;
    case A_S32: put_op(c, 0, 1, 0x63, d, at, 0); break;
    case A_64: put_mov(c, 1, d, at); break;
    case A_V32: put_fmov(c, fault(VECTOR_WIDE) ? T_V128 : T_F32, d, at); break; /* movss, movsd from memory: zero above */
    case A_V64: put_fmov(c, fault(VECTOR_WIDE) ? T_V128 : T_F64, d, at); break;
    default: put_fmov(c, type, d, at); break;
    }
}

static bool is_lane(const struct emit *e, u32 i) {
    const struct ins *next = e_ins(e, i + 1);
    return next->op == IR_VBINARY && next->b == i;
}

/* The bugs of base/fault.h that scale an index. */
static u8 scale_of(const struct emit *e, u32 i) {
    if (fault(VECTOR_SCALE) && e_ins(e, i)->aux == A_V128) return 3;
    return fault(LANE_SCALE) && is_lane(e, i) ? 1 : 0;
}

void emit_load(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    bool traps = true;
    struct rm at = x->op == IR_LOAD ? address(e, x->a, x->b, use_pos(i))
                                  : access_address(e, x->b, (struct indexed){x->a, access_size(x->aux), false}, i, &traps);
    u8 d = dest(e, i);
    if (at.index != NO_REG) at.scale |= scale_of(e, i);
    if (traps) put_trap_site(e->c, here(e->c), ABI_TRAP_MEMORY);
    put_load(e, x->type, x->aux, d, at);
    done(e, i, d);
}

static void store_reg(struct emit *e, u8 access, struct rm to, u8 from) {
    struct code *c = e->c;
    switch (access) {
    case A_U8: put_op8(c, 0x88, from, to, 0); break;
    case A_U16: put_op(c, 0x66, 0, 0x89, from, to, 0); break;
    case A_64: put_store(c, 1, to, from); break;
    case A_F32: put_fstore(c, T_F32, to, from); break;
    case A_F64: put_fstore(c, T_F64, to, from); break;
    case A_V128: put_fstore(c, T_V128, to, from); break;
    default: put_store(c, 0, to, from); break;
    }
}

static void store_imm(struct emit *e, u8 access, struct rm to, i32 imm) {
    struct code *c = e->c;
    switch (access) {
    case A_U8:
        put_op8(c, 0xc6, 0, to, 1);
        put8(c, (u8)imm);
        break;
    case A_U16:
        put_op(c, 0x66, 0, 0xc7, 0, to, 2);
        put8(c, (u8)imm);
        put8(c, (u8)(imm >> 8));
        break;
    default: put_store_imm(c, access == A_64, to, imm); break;
    }
}

/* A 64-bit constant in two halves. The upper one first: if any byte is out of
 * bounds that one traps, and nothing has been written. */
static void store_halves(struct emit *e, u64 bits, struct rm to, bool traps) {
    struct rm high = to;
    high.disp += 4; /* ABI_MAX_DISP leaves room */
    if (traps) put_trap_site(e->c, here(e->c), ABI_TRAP_MEMORY);
    put_store_imm(e->c, 0, high, (i32)(bits >> 32));
    if (traps) put_trap_site(e->c, here(e->c), ABI_TRAP_MEMORY);
    put_store_imm(e->c, 0, to, (i32)bits);
}

/* A general value that is in memory while the address takes the scratch. */
static void store_borrowed(struct emit *e, const struct ins *x, struct rm to, bool traps, u32 i) {
    u8 t = borrow(e, NO_REG, NO_REG);
    if (to.index == t || to.reg == t) {
        give_back(e, t);
        t = borrow(e, t, t);
    }
    to_reg(e, x->b, use_pos(i), t);
    if (traps) put_trap_site(e->c, here(e->c), ABI_TRAP_MEMORY);
    store_reg(e, x->aux, to, t);
    give_back(e, t);
}

/* An immediate that stores as v does: a narrow store takes any constant. */
static bool store_constant(const struct emit *e, const struct ins *x, i32 *imm) {
    const struct ins *v = e_ins(e, x->b);
    if (imm_value(e, x->b, imm)) return true;
    if (v->op != IR_CONST || is_float(v->type) || x->aux == A_64) return false;
    *imm = (i32)const_bits(v);
    return true;
}

void emit_store(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    if (is_folded(e, x->b)) {
        emit_update(e, i);
        return;
    }
    bool traps = true;
    struct rm to = x->op == IR_STORE ? address(e, x->a, x->c, use_pos(i))
                                  : access_address(e, x->c, (struct indexed){x->a, access_size(x->aux), false}, i, &traps);
    u32 from = loc_at(e, x->b, use_pos(i));
    i32 imm;
    bool constant = store_constant(e, x, &imm), vector = is_float(e_ins(e, x->b)->type);
    if (!constant && loc_kind(from) == L_CONST && !vector && uses_scratch(to)) {
        assert(x->aux == A_64);
        store_halves(e, const_bits(e_ins(e, x->b)), to, traps);
        return;
    }
    if (!constant && !vector && loc_kind(from) != L_REG && uses_scratch(to)) {
        store_borrowed(e, x, to, traps, i);
        return;
    }
    u8 reg = constant ? NO_REG : in_reg(e, x->b, use_pos(i));
    if (traps) put_trap_site(e->c, here(e->c), ABI_TRAP_MEMORY);
    if (constant) store_imm(e, x->aux, to, imm);
    else store_reg(e, x->aux, to, reg);
}

/* abi.h: in place, or through a pointer. May use the scratch. */
static struct rm global(struct emit *e, u32 index) {
    struct rm at = rm_mem(CTX, (i32)(e->info->layout.globals + 16 * (index + fault(CONTEXT_STORE))));
    if (!e->info->global_indirect[index]) return at;
    put_mov(e->c, 1, SCRATCH, at);
    return rm_mem(SCRATCH, 0);
}

void emit_global_set(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    u8 type = e_ins(e, x->a)->type;
    u32 from = loc_at(e, x->a, use_pos(i));
    struct rm to = global(e, x->b);
    i32 imm;
    if (fault(VECTOR_GLOBAL) && type == T_V128) to.disp += 8;
    if (imm_value(e, x->a, &imm)) put_store_imm(e->c, wide(type), to, imm);
    else if (is_float(type)) put_fstore(e->c, type, to, in_reg(e, x->a, use_pos(i)));
    else if (loc_kind(from) == L_REG) put_store(e->c, wide(type), to, (u8)loc_n(from));
    else if (to.reg != SCRATCH) put_store(e->c, wide(type), to, in_reg(e, x->a, use_pos(i)));
    else if (loc_kind(from) == L_CONST) store_halves(e, const_bits(e_ins(e, x->a)), to, false);
    else {
        u8 t = borrow(e, NO_REG, NO_REG);
        to_reg(e, x->a, use_pos(i), t);
        put_store(e->c, wide(type), to, t);
        give_back(e, t);
    }
}

void emit_global_get(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    struct rm from = global(e, x->a);
    u8 d = dest(e, i);
    if (is_float(x->type)) put_fmov(e->c, x->type, d, from);
    else put_mov(e->c, wide(x->type), d, from);
    done(e, i, d);
}

void emit_size(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    u8 d = dest(e, i);
    if (x->op == IR_MEM_SIZE) {
        u32 at = abi_memory_offset(e->info->layout, x->a) + offsetof(struct abi_memory, pages);
        put_mov(e->c, wide(x->type), d, rm_mem(CTX, (i32)at));
    } else {
        put_mov(e->c, 1, d, rm_mem(CTX, (i32)(e->info->layout.tables + 8 * x->a)));
        put_mov(e->c, wide(x->type), d, rm_mem(d, offsetof(struct abi_table, len)));
    }
    done(e, i, d);
}
