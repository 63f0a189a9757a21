/* overflow.c: parameters and results that have no register (abi.h).
 *
 * I1 an access is [r11 + offset of a slot in struct abi_store], r11 loaded from
 *    the context right before, with no call and no jump in between.
 * I2 sending changes no register but r11 and, for vectors, xmm14: sources may be anywhere. */
#include "jit/x86_64/emit.h"

static_assert((u32)WASM_MAX_PARAMS <= ABI_OVERFLOW && (u32)WASM_MAX_RESULTS <= ABI_OVERFLOW, "every value has a slot");

void load_store(struct code *c, u8 to) {
    put_mov(c, 1, to, rm_mem(CTX, offsetof(struct abi_ctx, store)));
}

struct rm overflow_slot(u8 store, u32 slot) {
    assert(slot < ABI_OVERFLOW);
    return rm_mem(store, (i32)(offsetof(struct abi_store, overflow) + sizeof(union abi_value) * slot));
}

void put_fetch(struct code *c, u8 type, u8 to, u8 store, u32 slot) {
    if (is_float(type)) put_fmov(c, type, to, overflow_slot(store, slot));
    else put_mov(c, wide(type), to, overflow_slot(store, slot));
}

void add_overflow(struct emit *e, u32 slot, u32 from, u8 type) {
    VEC_PUSH(e->f, e->overflow, ((struct pmove){slot, from, type}));
}

/* In halves: the scratch register is taken. */
static void send_const(struct emit *e, struct rm to, u64 bits) {
    if (fits32(bits)) {
        put_store_imm(e->c, 1, to, (i32)bits);
        return;
    }
    put_store_imm(e->c, 0, to, (i32)bits);
    to.disp += 4;
    put_store_imm(e->c, 0, to, (i32)(bits >> 32));
}

static void send_one(struct emit *e, struct pmove m) {
    struct rm to = overflow_slot(SCRATCH, m.to);
    if (loc_kind(m.from) == L_CONST) send_const(e, to, const_bits(e_ins(e, loc_n(m.from))));
    else if (is_float(m.type)) put_fstore(e->c, m.type, to, (u8)loc_n(m.from));
    else put_store(e->c, wide(m.type), to, (u8)loc_n(m.from));
}

/* From slot to slot by way of a register that is given back. */
static void send_memory(struct emit *e) {
    u8 by = borrow(e, SCRATCH, SCRATCH);
    for (u32 k = 0; k < e->overflow.n; k++) {
        struct pmove m = e->overflow.p[k];
        if (loc_kind(m.from) != L_SLOT) continue;
        if (m.type == T_V128) {
            put_fmov(e->c, T_V128, FSCRATCH2, rm_of(e, m.from));
            put_fstore(e->c, T_V128, overflow_slot(SCRATCH, m.to), FSCRATCH2);
            continue;
        }
        put_mov(e->c, 1, by, rm_of(e, m.from));
        put_store(e->c, 1, overflow_slot(SCRATCH, m.to), by);
    }
    give_back(e, by);
}

void send_overflow(struct emit *e) {
    bool memory = false;
    if (!e->overflow.n) return;
    load_store(e->c, SCRATCH);
    for (u32 k = 0; k < e->overflow.n; k++) {
        if (loc_kind(e->overflow.p[k].from) == L_SLOT) memory = true;
        else send_one(e, e->overflow.p[k]);
    }
    if (memory) send_memory(e);
    e->overflow.n = 0;
}
