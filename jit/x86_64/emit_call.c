/* emit_call.c: calls, their arguments and results, select.
 *
 * I1 arguments move all at once; nothing is in a caller-saved register across
 *    a call (regs.c: clobbers).
 * I2 a builtin, and an import of few arguments, is called in line, as C; other
 *    imports through a stub of the module (thunk.c): that call looks like any other.
 *
 * Gain of calls in line: a host call takes as long as one of C; through a stub twice
 * to five times that. */
#include "base/fault.h"
#include "jit/x86_64/emit.h"

/* Parameter k of a call goes to its register or overflow slot; the integers to those
 * behind the first `ints`. */
static void move_args(struct emit *e, const struct ins *x, const struct wasm_functype *t, u32 i, u32 ints) {
    static const u8 int_args[] = {RDI, RSI, RDX, RCX, R8, R9};
    u32 floats = 0, overflow = 0;
    for (u32 k = 0; k < t->param_count; k++) {
        u32 v = e->f->pool.p[x->a + k], from = loc_at(e, v, use_pos(i));
        u8 type = e_ins(e, v)->type;
        if (is_float(type) && floats < 8) add_move(e, LOC(L_REG, XMM0 + floats++), from, type);
        else if (!is_float(type) && ints < ARRAY_LEN(int_args)) add_move(e, LOC(L_REG, int_args[ints++]), from, type);
        else add_overflow(e, overflow++, from, type);
    }
    send_overflow(e);
}

static void move_builtin_args(struct emit *e, const struct ins *x, u32 i) {
    u8 regs[CALL_HINTS];
    u32 n = x86_regs.call_regs(e->f, i, regs);
    assert(n == x->b);
    for (u32 k = 0; k < n; k++) {
        u32 v = e->f->pool.p[x->a + k];
        assert(regs[k] != REG_MEM);
        add_move(e, LOC(L_REG, regs[k]), loc_at(e, v, use_pos(i)), e_ins(e, v)->type);
    }
}

static void take_result(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    if (x->type == T_NONE || !ir_uses(e->f, i)) return;
    u8 d = dest(e, i);
    if (is_float(x->type)) {
        if (d != XMM0) put_fmov(e->c, x->type, d, rm_reg(XMM0));
    } else if (d != RAX || (x->type == T_I32 && x->flags & V_ZEXT)) {
        put_mov(e->c, wide(x->type), d, rm_reg(RAX));
    }
    done(e, i, d);
}

/* Null, or another type: told apart out of line. One place a type: whoever explains
 * the trap finds the type that was wanted by the jumps to it (rt/explain.c). */
static u32 mismatch_label(struct emit *e, bool refs, u32 type) {
    struct mismatch *m = &e->mismatches[refs][type % ARRAY_LEN(e->mismatches[0])];
    u32 null = refs ? ABI_TRAP_NULL_FUNCTION : ABI_TRAP_NULL_ELEMENT;
    if (!m->cold || m->type != type) *m = (struct mismatch){type, 1 + new_cold(e, COLD_MISMATCH, null)};
    return use_cold(e, m->cold - 1);
}

/* Table entry to rax (code) and r10 (context); traps for bounds and type. */
static void find_callee(struct emit *e, const struct ins *x, u32 table) {
    struct code *c = e->c;
    bool refs = table == WASM_NONE;
    i32 at = refs ? (i32)offsetof(struct abi_store, refs) : 0;
    /* sbb waits for what r10 was: the last call's context. (Virtual calls: 2.03 -> 1.2 of gcc's time.) */
    put_alu(c, ALU_XOR, 0, R10, rm_reg(R10));
    if (refs) load_store(c, SCRATCH);
    else put_mov(c, 1, SCRATCH, rm_mem(CTX, (i32)(e->info->layout.tables + 8 * table)));
    if (!fault(TABLE_BOUND)) {
        put_alu(c, ALU_CMP, 1, RAX, rm_index(SCRATCH, fault(BOUND_INDEX) ? RCX : NO_REG, 0, at + (i32)offsetof(struct abi_table, len)));
        put_label(e, 0x0f80 | CC_AE, trap_label(e, ABI_TRAP_TABLE));
    }
    put_alu(c, ALU_SBB, 1, R10, rm_reg(R10)); /* all ones: below; a mask for speculation */
    put_alu(c, ALU_AND, 1, RAX, rm_reg(R10));
    put_shift_imm(c, 4, 1, RAX, 4);
    put_alu(c, ALU_ADD, 1, RAX, rm_mem(SCRATCH, at + (i32)offsetof(struct abi_table, entries)));
    put_mov(c, 1, R10, rm_mem(RAX, offsetof(struct abi_func, ctx)));
    put_mov(c, 1, RAX, rm_mem(RAX, offsetof(struct abi_func, code)));
    if (fault(TYPE_CHECK)) return;
    put_op(c, 0, 0, 0x81, ALU_CMP, rm_mem(RAX, -4), 4);
    struct fixup id = {here(c), x->c, FIX_TYPE, 0};
    VEC_PUSH(c->keep, c->fixups, id);
    put32(c, e->info->options->type_ids[x->c]);
    put_label(e, 0x0f80 | CC_NE, mismatch_label(e, refs, x->c));
}

/* Everything of an indirect call but the call; returns the cold tail for
 * callees of other instances. */
static u32 prepare_indirect(struct emit *e, const struct ins *x, u32 i, u32 cold_kind) {
    const struct wasm_functype *t = &e->f->m->types[x->c];
    u32 index = e->f->pool.p[x->a + x->b - 1];
    move_args(e, x, t, i, 0);
    add_move(e, LOC(L_REG, RAX), loc_at(e, index, use_pos(i)), e_ins(e, index)->type);
    run_moves(e);
    find_callee(e, x, e->f->pool.p[x->a - 1]);
    put_alu(e->c, ALU_CMP, 1, R10, rm_reg(CTX));
    u32 cold = new_cold(e, cold_kind, i);
    put_label(e, 0x0f80 | CC_NE, e->colds.p[cold].label);
    return cold;
}

static void call_indirect(struct emit *e, const struct ins *x, u32 i) {
    u32 cold = prepare_indirect(e, x, i, COLD_CROSS);
    put_op(e->c, 0, 0, 0xff, 2, rm_reg(RAX), 0);
    put_site(e, i);
    u32 back = new_label(e);
    e->colds.p[cold].back = back;
    bind_label(e, back);
    note_point(e, back, JIT_KEEP_ALL); /* the cold tail jumps back to it */
}

/* Of C, whose address is at this field of the context; its arguments are in place. */
static void put_c_call(struct emit *e, size_t field, u32 i) {
    struct code *c = e->c;
    u32 cold = new_cold(e, COLD_PENDING, i);
    load_store(c, SCRATCH);
    put_alu(c, ALU_CMP, 1, RSP, rm_index(SCRATCH, fault(LIMIT_INDEX) ? RCX : NO_REG, 0, offsetof(struct abi_store, stack_limit)));
    put_fix(c, 0x0f80 | CC_B, FIX_STACK, 0);
    put_mov(c, 1, RDI, rm_reg(CTX));
    put_op(c, 0, 0, 0xff, 2, rm_mem(CTX, (i32)field), 0);
    put_site(e, i);
    load_store(c, SCRATCH);
    put_alu_imm(c, ALU_CMP, 0, rm_mem(SCRATCH, offsetof(struct abi_store, pending)), 0);
    put_label(e, 0x0f80 | CC_NE, use_cold(e, cold));
}

static void call_builtin(struct emit *e, u32 which, u32 i) {
    put_c_call(e, offsetof(struct abi_ctx, builtins) + 8 * which, i);
}

static void call_direct(struct emit *e, const struct ins *x, u32 i) {
    const struct wasm_functype *t = &e->f->m->types[e->f->m->funcs[x->c].type];
    bool as_c = x->c < e->f->m->imported_funcs && x86_direct(t);
    move_args(e, x, t, i, as_c);
    run_moves(e);
    if (as_c) {
        e->info->direct_used[x->c] = 1;
        put_c_call(e, e->info->layout.direct + 8 * (x->c + (fault(KERNEL_CALL) ? 1u << 20 : 0)), i);
        return;
    }
    if (x->c < e->f->m->imported_funcs) {
        e->info->import_used[x->c] = 1;
        put_fix(e->c, 0xe8, FIX_IMPORT, x->c);
    } else {
        put_fix(e->c, 0xe8, FIX_FUNC, x->c);
    }
    put_site(e, i);
}

void emit_check(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    u8 reg = in_reg(e, x->a, use_pos(i));
    put_op(e->c, 0, 0, 0x85, reg, rm_reg(reg), 0);
    put_label(e, 0x0f80 | CC_E, trap_label(e, x->aux));
}

/* The frame is gone before the jump: the callee returns to our caller. rax and
 * r10, which leaving keeps, say where to. */
void emit_tail_call(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    if (x->op == IR_TAIL_INDIRECT) {
        prepare_indirect(e, x, i, COLD_TAIL_CROSS);
        put_leave(e);
        put_op(e->c, 0, 0, 0xff, 4, rm_reg(RAX), 0);
        return;
    }
    bool import = x->c < e->f->m->imported_funcs;
    move_args(e, x, &e->f->m->types[e->f->m->funcs[x->c].type], i, 0);
    run_moves(e);
    put_leave(e);
    if (import) e->info->tail_import_used[x->c] = 1;
    put_fix(e->c, 0xe9, import ? FIX_TAIL_IMPORT : FIX_FUNC, x->c);
}

/* RESULT k: where the callee left it. */
void emit_result(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    u8 d = dest(e, i);
    load_store(e->c, SCRATCH);
    put_fetch(e->c, x->type, d, SCRATCH, x->b - 1);
    done(e, i, d);
}

/* The builtin raises; what it raises is caught behind the call, or further out. */
void emit_throw(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    u32 which = x->op == IR_THROW ? ABI_BUILTIN_throw_tag : ABI_BUILTIN_throw_ref;
    if (x->op == IR_THROW) {
        for (u32 k = 0; k < x->b; k++) {
            u32 v = e->f->pool.p[x->a + k];
            add_overflow(e, k, loc_at(e, v, use_pos(i)), e_ins(e, v)->type);
        }
        send_overflow(e);
        put_mov_imm(e->c, RSI, x->c);
    } else {
        to_reg(e, x->a, use_pos(i), RSI);
    }
    call_builtin(e, which, i);
    put_trap_site(e->c, here(e->c), ABI_TRAP_UNREACHABLE); /* it does not return */
    put8(e->c, 0x0f), put8(e->c, 0x0b);
}

void emit_caught(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    u8 d = dest(e, i);
    load_store(e->c, SCRATCH);
    if (x->a == WASM_NONE) put_mov(e->c, 0, d, rm_mem(SCRATCH, offsetof(struct abi_store, caught)));
    else put_fetch(e->c, x->type, d, SCRATCH, x->a);
    done(e, i, d);
}

/* pads are named by block until the function is complete. */
void put_site(struct emit *e, u32 i) {
    const struct site *s = fn_site(e->f, i);
    if (!s) return;
    struct jit_site out = {here(e->c), e->c->catches.n, s->count};
    VEC_PUSH(e->c->keep, e->c->sites, out);
    for (u32 k = 0; k < s->count; k++) {
        const struct catch *x = &e->f->catches.p[s->first + k];
        struct jit_catch catch = {x->tag, x->block, x->ref};
        VEC_PUSH(e->c->keep, e->c->catches, catch);
    }
}

void emit_call(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    switch (x->op) {
    case IR_CALL: call_direct(e, x, i); break;
    case IR_CALL_INDIRECT: call_indirect(e, x, i); break;
    default:
        move_builtin_args(e, x, i);
        run_moves(e);
        call_builtin(e, x->aux, i);
        break;
    }
    take_result(e, i);
}

/* ---- select ---- */

static void put_cmov(struct emit *e, struct cond k, u32 w, u8 d, struct rm from) {
    /* from replaces d where the condition fails: not cc, or (for ==) P. */
    put_op(e->c, 0, w, 0x0f40 | (k.cc ^ 1), d, from, 0);
    if (k.parity == 1) put_op(e->c, 0, w, 0x0f40 | CC_P, d, from, 0);
}

static void select_int(struct emit *e, u32 i, struct cond k, u32 yes, u32 no) {
    const struct ins *x = e_ins(e, i);
    u8 d = dest(e, i);
    if (k.parity == 2) { /* != is true for unordered: select the other way round on == */
        u32 t = yes;
        yes = no, no = t;
        k = (struct cond){CC_E, 1};
    }
    if (loc_at(e, no, use_pos(i)) == LOC(L_REG, d) && k.parity == 0) {
        u32 t = yes;
        yes = no, no = t;
        k.cc ^= 1;
    }
    if (loc_at(e, no, use_pos(i)) == LOC(L_REG, d)) { /* d is needed until the end */
        put_mov(e->c, 1, SCRATCH, rm_reg(d));
        to_reg(e, yes, use_pos(i), d);
        put_cmov(e, k, wide(x->type), d, rm_reg(SCRATCH));
    } else {
        to_reg(e, yes, use_pos(i), d);
        put_cmov(e, k, wide(x->type), d, rm_value(e, no, use_pos(i)));
    }
    done(e, i, d);
}

/* No conditional move for vectors: a short jump over a move. */
static void select_float(struct emit *e, u32 i, struct cond k, u32 yes, u32 no) {
    struct code *c = e->c;
    u8 d = dest(e, i);
    bool keep_no = loc_at(e, no, use_pos(i)) == LOC(L_REG, d);
    if (keep_no) {
        u32 p = k.parity == 1 ? put_jcc8(c, CC_P) : 0, q = k.parity == 2 ? put_jcc8(c, CC_P) : 0;
        u32 skip = put_jcc8(c, k.cc ^ 1);
        if (q) land8(c, q);
        to_reg(e, yes, use_pos(i), d);
        land8(c, skip);
        if (p) land8(c, p);
    } else {
        to_reg(e, yes, use_pos(i), d);
        u32 p = k.parity == 1 ? put_jcc8(c, CC_P) : 0, q = k.parity == 2 ? put_jcc8(c, CC_P) : 0;
        u32 skip = put_jcc8(c, k.cc);
        if (p) land8(c, p);
        to_reg(e, no, use_pos(i), d);
        land8(c, skip);
        if (q) land8(c, q);
    }
    done(e, i, d);
}

void emit_select(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    struct cond k = emit_condition(e, x->c, i);
    e->keep_flags = true;
    if (is_float(x->type)) select_float(e, i, k, x->a, x->b);
    else select_int(e, i, k, x->a, x->b);
    e->keep_flags = false;
    e->compared_at = here(e->c);
}
