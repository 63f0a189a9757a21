/* emit_atomic.c: atomic accesses (threads proposal), sequentially consistent.
 *
 * I1 r11 holds the address until the last access; rax, and for some rcx and rdx,
 *    are free for the instruction (regs.c: clobbers).
 * I2 all operands have been read before one of these registers is written.
 * I3 on x86 an ordinary load is enough; a store is an xchg. */
#include "jit/x86_64/emit.h"

static void site(struct emit *e, bool traps) {
    if (traps) put_trap_site(e->c, here(e->c), ABI_TRAP_MEMORY);
}

/* op: of the form for bytes; the one for words is one higher. lock: with the prefix. */
static void put_sized(struct emit *e, u32 size, bool lock, u32 op, u8 reg, struct rm m) {
    if (lock) put8(e->c, 0xf0);
    if (size == 1) put_op8(e->c, op, reg, m, 0);
    else put_op(e->c, size == 2 ? 0x66 : 0, size == 8, op | 1, reg, m, 0);
}

/* The old value from rax, zero-extended. */
static void take_old(struct emit *e, u32 i, u32 size) {
    u8 d = dest(e, i);
    if (size < 4) put_op(e->c, 0, 0, size == 1 ? 0x0fb6 : 0x0fb7, d, rm_reg(RAX), 0);
    else if (size == 4 || d != RAX) put_mov(e->c, size == 8, d, rm_reg(RAX));
    done(e, i, d);
}

/* No instruction hands back the old value of these: rcx is the operand, and
 * rax what was there when rdx was made of it. */
static void put_loop(struct emit *e, enum alu op, u8 access, struct rm m, bool traps) {
    struct code *c = e->c;
    u32 size = access_size(access);
    site(e, traps);
    put_load(e, size == 8 ? T_I64 : T_I32, access, RAX, m);
    u32 label = new_label(e), again = here(c);
    bind_label(e, label);
    note_point(e, label, JIT_KEEP_ALL & ~(1u << RAX | 1u << RDX));
    put_mov(c, 1, RDX, rm_reg(RAX));
    put_alu(c, op, 1, RDX, rm_reg(RCX));
    site(e, traps);
    put_sized(e, size, true, 0x0fb0, RDX, m); /* cmpxchg */
    put8(c, 0x70 | CC_NE);
    put8(c, (u8)(again - (here(c) + 1)));
}

static void emit_rmw(struct emit *e, u32 i) {
    static const u8 loops[] = {[RMW_AND] = ALU_AND, [RMW_OR] = ALU_OR, [RMW_XOR] = ALU_XOR};
    const struct ins *x = e_ins(e, i);
    enum ir_rmw kind = (enum ir_rmw)(x->aux >> 4);
    u8 access = x->aux & 15;
    u32 size = access_size(access);
    bool traps, loop = kind >= RMW_AND && kind <= RMW_XOR;
    struct rm m = access_address(e, x->c, (struct indexed){x->a, size, true}, i, &traps);
    to_reg(e, x->b, use_pos(i), loop ? RCX : RAX);
    if (loop) {
        put_loop(e, loops[kind], access, m, traps);
    } else {
        if (kind == RMW_SUB) put_op(e->c, 0, size == 8, 0xf7, 3, rm_reg(RAX), 0); /* neg */
        site(e, traps);
        if (kind == RMW_XCHG) put_sized(e, size, false, 0x86, RAX, m);
        else put_sized(e, size, true, 0x0fc0, RAX, m); /* xadd */
    }
    take_old(e, i, size);
}

/* rax: expected, rdx: new. Each may be where the other one goes; r11 is taken,
 * so the general mover cannot help. */
static void place_pair(struct emit *e, u32 expected, u32 new, u32 i) {
    u32 pos = use_pos(i);
    bool crossed = loc_at(e, new, pos) == LOC(L_REG, RAX);
    if (crossed && loc_at(e, expected, pos) == LOC(L_REG, RDX)) {
        put_op(e->c, 0, 1, 0x87, RAX, rm_reg(RDX), 0);
        return;
    }
    if (crossed) to_reg(e, new, pos, RDX);
    to_reg(e, expected, pos, RAX);
    if (!crossed) to_reg(e, new, pos, RDX);
}

static void emit_cmpxchg(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    const u32 *args = e->f->pool.p + x->a;
    u32 size = access_size(x->aux);
    bool traps;
    struct rm m = access_address(e, x->c, (struct indexed){args[0], size, true}, i, &traps);
    place_pair(e, args[1], args[2], i);
    site(e, traps);
    put_sized(e, size, true, 0x0fb0, RDX, m);
    take_old(e, i, size);
}

static void emit_atomic_store(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    u32 size = access_size(x->aux);
    bool traps;
    struct rm m = access_address(e, x->c, (struct indexed){x->a, size, true}, i, &traps);
    to_reg(e, x->b, use_pos(i), RAX);
    site(e, traps);
    put_sized(e, size, false, 0x86, RAX, m); /* xchg: locked by itself */
}

static void emit_atomic_load(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    bool traps;
    struct rm m = access_address(e, x->b, (struct indexed){x->a, access_size(x->aux), true}, i, &traps);
    u8 d = dest(e, i);
    site(e, traps);
    put_load(e, x->type, x->aux, d, m);
    done(e, i, d);
}

void emit_atomic(struct emit *e, u32 i) {
    switch (e_ins(e, i)->op) {
    case IR_ATOMIC_LOAD: emit_atomic_load(e, i); break;
    case IR_ATOMIC_STORE: emit_atomic_store(e, i); break;
    case IR_ATOMIC_RMW: emit_rmw(e, i); break;
    case IR_ATOMIC_CMPXCHG: emit_cmpxchg(e, i); break;
    default: /* mfence */
        put8(e->c, 0x0f), put8(e->c, 0xae), put8(e->c, 0xf0);
        break;
    }
}
