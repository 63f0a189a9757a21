/* moves.c: parallel moves between registers and slots, and of constants into them.
 *
 * I1 no two moves have the same target.
 * I2 a move runs once nobody still reads its target; what is left then are
 *    cycles, each broken once.
 * I3 only r11, xmm15, in a function with vectors xmm14, and the spare slot are used besides. */
#include "base/fault.h"
#include "jit/x86_64/emit.h"

static void load_const(struct emit *e, u8 reg, const struct ins *i) {
    u64 bits = const_bits(i);
    if (!is_float(i->type) && !bits && !e->keep_flags) put_alu(e->c, ALU_XOR, 0, reg, rm_reg(reg));
    else if (!is_float(i->type)) put_mov_imm(e->c, reg, bits);
    else if (!bits) put_op(e->c, 0, 0, 0x0f57, reg, rm_reg(reg), 0); /* xorps */
    else put_fmov(e->c, i->type, reg, rm_data(put_data(e->c, bits, 0, i->type == T_F64 ? 8 : 4)));
}

static void const_to_memory(struct emit *e, struct rm to, const struct ins *i) {
    u64 bits = const_bits(i);
    if (fits32(bits)) {
        put_store_imm(e->c, 1, to, (i32)bits);
        return;
    }
    put_mov_imm(e->c, SCRATCH, bits);
    put_store(e->c, 1, to, SCRATCH);
}

static void into_register(struct emit *e, u8 reg, u32 from, u8 type) {
    if (loc_kind(from) == L_CONST) load_const(e, reg, e_ins(e, loc_n(from)));
    else if (is_float(type)) put_fmov(e->c, type, reg, rm_of(e, from));
    else if (fault(SPILL_SIGN) && type == T_I32 && loc_kind(from) == L_SLOT) put_op(e->c, 0, 1, 0x63, reg, rm_of(e, from), 0);
    else put_mov(e->c, wide(type), reg, rm_of(e, from));
}

static void into_memory(struct emit *e, struct rm to, u32 from, u8 type) {
    if (loc_kind(from) == L_CONST) {
        const_to_memory(e, to, e_ins(e, loc_n(from)));
    } else if (loc_kind(from) != L_REG && type == T_V128) {
        put_fmov(e->c, type, FSCRATCH2, rm_of(e, from));
        put_fstore(e->c, type, to, FSCRATCH2);
    } else if (loc_kind(from) != L_REG) { /* no wider than it was stored, or the load waits for that store to reach the cache */
        u32 w = wide(type) || type == T_F64;
        put_mov(e->c, w, SCRATCH, rm_of(e, from));
        put_store(e->c, w, to, SCRATCH);
    } else if (is_float(type)) {
        put_fstore(e->c, type, to, (u8)loc_n(from));
    } else {
        put_store(e->c, wide(type), to, (u8)loc_n(from));
    }
}

void move_one(struct emit *e, u32 to, u32 from, u8 type) {
    if (to == from) return;
    if (is_reg(to) && is_reg(from) && !is_float(type)) put_mov(e->c, wide(type), (u8)loc_n(to), rm_reg((u8)loc_n(from)));
    else if (is_reg(to)) into_register(e, (u8)loc_n(to), from, type);
    else into_memory(e, rm_of(e, to), from, type);
}

/* Registers and slots may be both read and written; index into reads[]. 0: other. */
static u32 shared(u32 loc) {
    if (loc_kind(loc) == L_REG) return 1 + loc_n(loc);
    return loc_kind(loc) == L_SLOT ? 1 + REG_COUNT + loc_n(loc) : 0;
}

static void finish_move(struct emit *e, u32 k) {
    struct pmove m = e->moves.p[k];
    u32 to = shared(m.to), from = shared(m.from);
    move_one(e, m.to, m.from, m.type);
    e->moves.p[k].from = m.to; /* done */
    if (to) e->writer[to] = 0;
    if (!from) return;
    assert(e->reads[from]);
    if (!--e->reads[from] && e->writer[from]) VEC_PUSH(e->f, e->ready, e->writer[from] - 1);
}

static void run_ready(struct emit *e) {
    while (e->ready.n) finish_move(e, e->ready.p[--e->ready.n]);
}

static bool pending(const struct emit *e, u32 k) { return e->moves.p[k].from != e->moves.p[k].to; }

/* Move k is in a cycle. Saves what its target holds and lets its reader read that. */
static void break_cycle(struct emit *e, u32 k) {
    struct pmove m = e->moves.p[k];
    u32 reader = k;
    bool memory = false;
    for (;;) {
        memory |= loc_kind(e->moves.p[reader].to) != L_REG;
        if (e->moves.p[reader].from == m.to) break;
        reader = e->writer[shared(e->moves.p[reader].from)] - 1;
    }
    u8 type = e->moves.p[reader].type;
    assert(!memory || e->has_spare);
    u32 temp = memory ? LOC(L_SLOT, e->a->slots) : LOC(L_REG, is_float(type) ? FSCRATCH : SCRATCH);
    move_one(e, temp, m.to, type);
    e->moves.p[reader].from = temp;
    e->reads[shared(m.to)]--;
    e->reads[shared(temp)]++;
    VEC_PUSH(e->f, e->ready, k);
}

/* Does no move write what another reads? */
static bool independent(const struct emit *e) {
    u32 reads = 0, writes = 0;
    for (u32 k = 0; k < e->moves.n; k++) {
        struct pmove m = e->moves.p[k];
        if (loc_kind(m.to) != L_REG) return false;
        writes |= 1u << loc_n(m.to);
        reads |= loc_kind(m.from) == L_REG ? 1u << loc_n(m.from) : 0;
    }
    return !(reads & writes);
}

void run_moves(struct emit *e) {
    if (e->moves.n == 1 || independent(e)) {
        while (e->moves.n) {
            struct pmove m = e->moves.p[--e->moves.n];
            move_one(e, m.to, m.from, m.type);
        }
        return;
    }
    for (u32 k = 0; k < e->moves.n; k++) {
        u32 to = shared(e->moves.p[k].to), from = shared(e->moves.p[k].from);
        if (from) e->reads[from]++;
        if (to) {
            assert(!e->writer[to]);
            e->writer[to] = k + 1;
        }
    }
    for (u32 k = 0; k < e->moves.n; k++) {
        u32 to = shared(e->moves.p[k].to);
        if (!to || !e->reads[to]) VEC_PUSH(e->f, e->ready, k);
    }
    run_ready(e);
    for (u32 k = 0; k < e->moves.n; k++) {
        if (!pending(e, k)) continue;
        break_cycle(e, k);
        run_ready(e);
    }
    e->moves.n = 0;
}
