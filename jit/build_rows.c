/* build_rows.c: the instructions that are one operation, by table; and the loop that
 * reads and builds these, locals and constants, of which most code consists, in one go.
 *
 * I1 operands[] of the opcode table and args of the IR table agree: a row of
 *    simple[] pops what IR reads and pushes one value if it has a type.
 * I2 what the loop leaves is where it was, and build_instr's: control, long numbers,
 *    the last bytes of a body, any memory that is not behind guards. */
#include "base/fault.h"
#include "jit/build.h"
#include "wasm/short.h"

struct row {
    u8 op, type, aux, none; /* a word */
};

#define ROW(op, type, aux) {op, type, aux, 0}
static const struct row simple[WASM_OP_COUNT] = {
    [WASM_OP_I32_ADD] = ROW(IR_ADD, T_I32, 0),
    [WASM_OP_I32_SUB] = ROW(IR_SUB, T_I32, 0),
    [WASM_OP_I32_MUL] = ROW(IR_MUL, T_I32, 0),
    [WASM_OP_I32_AND] = ROW(IR_AND, T_I32, 0),
    [WASM_OP_I32_OR] = ROW(IR_OR, T_I32, 0),
    [WASM_OP_I32_XOR] = ROW(IR_XOR, T_I32, 0),
    [WASM_OP_I32_SHL] = ROW(IR_SHL, T_I32, 0),
    [WASM_OP_I32_SHR_S] = ROW(IR_SHR_S, T_I32, 0),
    [WASM_OP_I32_SHR_U] = ROW(IR_SHR_U, T_I32, 0),
    [WASM_OP_I32_ROTL] = ROW(IR_ROTL, T_I32, 0),
    [WASM_OP_I32_ROTR] = ROW(IR_ROTR, T_I32, 0),
    [WASM_OP_I32_DIV_S] = ROW(IR_DIV_S, T_I32, 0),
    [WASM_OP_I32_DIV_U] = ROW(IR_DIV_U, T_I32, 0),
    [WASM_OP_I32_REM_S] = ROW(IR_REM_S, T_I32, 0),
    [WASM_OP_I32_REM_U] = ROW(IR_REM_U, T_I32, 0),
    [WASM_OP_I32_CLZ] = ROW(IR_CLZ, T_I32, 0),
    [WASM_OP_I32_CTZ] = ROW(IR_CTZ, T_I32, 0),
    [WASM_OP_I32_POPCNT] = ROW(IR_POPCNT, T_I32, 0),
    [WASM_OP_I32_EQ] = ROW(IR_ICMP, T_I32, CC_EQ),
    [WASM_OP_I32_NE] = ROW(IR_ICMP, T_I32, CC_NE),
    [WASM_OP_I32_LT_S] = ROW(IR_ICMP, T_I32, CC_LT),
    [WASM_OP_I32_LT_U] = ROW(IR_ICMP, T_I32, CC_ULT),
    [WASM_OP_I32_GT_S] = ROW(IR_ICMP, T_I32, CC_GT),
    [WASM_OP_I32_GT_U] = ROW(IR_ICMP, T_I32, CC_UGT),
    [WASM_OP_I32_LE_S] = ROW(IR_ICMP, T_I32, CC_LE),
    [WASM_OP_I32_LE_U] = ROW(IR_ICMP, T_I32, CC_ULE),
    [WASM_OP_I32_GE_S] = ROW(IR_ICMP, T_I32, CC_GE),
    [WASM_OP_I32_GE_U] = ROW(IR_ICMP, T_I32, CC_UGE),
    [WASM_OP_I32_EXTEND8_S] = ROW(IR_SEXT, T_I32, 8),
    [WASM_OP_I32_EXTEND16_S] = ROW(IR_SEXT, T_I32, 16),
    [WASM_OP_I32_TRUNC_F32_S] = ROW(IR_TRUNC, T_I32, 1),
    [WASM_OP_I32_TRUNC_SAT_F32_S] = ROW(IR_TRUNC_SAT, T_I32, 1),
    [WASM_OP_F32_CONVERT_I32_S] = ROW(IR_CONVERT, T_F32, 1),
    [WASM_OP_I32_TRUNC_F32_U] = ROW(IR_TRUNC, T_I32, 0),
    [WASM_OP_I32_TRUNC_SAT_F32_U] = ROW(IR_TRUNC_SAT, T_I32, 0),
    [WASM_OP_F32_CONVERT_I32_U] = ROW(IR_CONVERT, T_F32, 0),
    [WASM_OP_I32_TRUNC_F64_S] = ROW(IR_TRUNC, T_I32, 1),
    [WASM_OP_I32_TRUNC_SAT_F64_S] = ROW(IR_TRUNC_SAT, T_I32, 1),
    [WASM_OP_F64_CONVERT_I32_S] = ROW(IR_CONVERT, T_F64, 1),
    [WASM_OP_I32_TRUNC_F64_U] = ROW(IR_TRUNC, T_I32, 0),
    [WASM_OP_I32_TRUNC_SAT_F64_U] = ROW(IR_TRUNC_SAT, T_I32, 0),
    [WASM_OP_F64_CONVERT_I32_U] = ROW(IR_CONVERT, T_F64, 0),
    [WASM_OP_I64_ADD] = ROW(IR_ADD, T_I64, 0),
    [WASM_OP_I64_SUB] = ROW(IR_SUB, T_I64, 0),
    [WASM_OP_I64_MUL] = ROW(IR_MUL, T_I64, 0),
    [WASM_OP_I64_AND] = ROW(IR_AND, T_I64, 0),
    [WASM_OP_I64_OR] = ROW(IR_OR, T_I64, 0),
    [WASM_OP_I64_XOR] = ROW(IR_XOR, T_I64, 0),
    [WASM_OP_I64_SHL] = ROW(IR_SHL, T_I64, 0),
    [WASM_OP_I64_SHR_S] = ROW(IR_SHR_S, T_I64, 0),
    [WASM_OP_I64_SHR_U] = ROW(IR_SHR_U, T_I64, 0),
    [WASM_OP_I64_ROTL] = ROW(IR_ROTL, T_I64, 0),
    [WASM_OP_I64_ROTR] = ROW(IR_ROTR, T_I64, 0),
    [WASM_OP_I64_DIV_S] = ROW(IR_DIV_S, T_I64, 0),
    [WASM_OP_I64_DIV_U] = ROW(IR_DIV_U, T_I64, 0),
    [WASM_OP_I64_REM_S] = ROW(IR_REM_S, T_I64, 0),
    [WASM_OP_I64_REM_U] = ROW(IR_REM_U, T_I64, 0),
    [WASM_OP_I64_CLZ] = ROW(IR_CLZ, T_I64, 0),
    [WASM_OP_I64_CTZ] = ROW(IR_CTZ, T_I64, 0),
    [WASM_OP_I64_POPCNT] = ROW(IR_POPCNT, T_I64, 0),
    [WASM_OP_I64_EQ] = ROW(IR_ICMP, T_I32, CC_EQ),
    [WASM_OP_I64_NE] = ROW(IR_ICMP, T_I32, CC_NE),
    [WASM_OP_I64_LT_S] = ROW(IR_ICMP, T_I32, CC_LT),
    [WASM_OP_I64_LT_U] = ROW(IR_ICMP, T_I32, CC_ULT),
    [WASM_OP_I64_GT_S] = ROW(IR_ICMP, T_I32, CC_GT),
    [WASM_OP_I64_GT_U] = ROW(IR_ICMP, T_I32, CC_UGT),
    [WASM_OP_I64_LE_S] = ROW(IR_ICMP, T_I32, CC_LE),
    [WASM_OP_I64_LE_U] = ROW(IR_ICMP, T_I32, CC_ULE),
    [WASM_OP_I64_GE_S] = ROW(IR_ICMP, T_I32, CC_GE),
    [WASM_OP_I64_GE_U] = ROW(IR_ICMP, T_I32, CC_UGE),
    [WASM_OP_I64_EXTEND8_S] = ROW(IR_SEXT, T_I64, 8),
    [WASM_OP_I64_EXTEND16_S] = ROW(IR_SEXT, T_I64, 16),
    [WASM_OP_I64_TRUNC_F32_S] = ROW(IR_TRUNC, T_I64, 1),
    [WASM_OP_I64_TRUNC_SAT_F32_S] = ROW(IR_TRUNC_SAT, T_I64, 1),
    [WASM_OP_F32_CONVERT_I64_S] = ROW(IR_CONVERT, T_F32, 1),
    [WASM_OP_I64_TRUNC_F32_U] = ROW(IR_TRUNC, T_I64, 0),
    [WASM_OP_I64_TRUNC_SAT_F32_U] = ROW(IR_TRUNC_SAT, T_I64, 0),
    [WASM_OP_F32_CONVERT_I64_U] = ROW(IR_CONVERT, T_F32, 0),
    [WASM_OP_I64_TRUNC_F64_S] = ROW(IR_TRUNC, T_I64, 1),
    [WASM_OP_I64_TRUNC_SAT_F64_S] = ROW(IR_TRUNC_SAT, T_I64, 1),
    [WASM_OP_F64_CONVERT_I64_S] = ROW(IR_CONVERT, T_F64, 1),
    [WASM_OP_I64_TRUNC_F64_U] = ROW(IR_TRUNC, T_I64, 0),
    [WASM_OP_I64_TRUNC_SAT_F64_U] = ROW(IR_TRUNC_SAT, T_I64, 0),
    [WASM_OP_F64_CONVERT_I64_U] = ROW(IR_CONVERT, T_F64, 0),
    [WASM_OP_I64_EXTEND32_S] = ROW(IR_SEXT, T_I64, 32),
    [WASM_OP_I64_EXTEND_I32_S] = ROW(IR_SEXT, T_I64, 32),
    [WASM_OP_I64_EXTEND_I32_U] = ROW(IR_ZEXT, T_I64, 0),
    [WASM_OP_I32_WRAP_I64] = ROW(IR_WRAP, T_I32, 0),
    [WASM_OP_F32_ADD] = ROW(IR_FADD, T_F32, 0),
    [WASM_OP_F32_SUB] = ROW(IR_FSUB, T_F32, 0),
    [WASM_OP_F32_MUL] = ROW(IR_FMUL, T_F32, 0),
    [WASM_OP_F32_DIV] = ROW(IR_FDIV, T_F32, 0),
    [WASM_OP_F32_MIN] = ROW(IR_FMIN, T_F32, 0),
    [WASM_OP_F32_MAX] = ROW(IR_FMAX, T_F32, 0),
    [WASM_OP_F32_COPYSIGN] = ROW(IR_FCOPYSIGN, T_F32, 0),
    [WASM_OP_F32_ABS] = ROW(IR_FABS, T_F32, 0),
    [WASM_OP_F32_NEG] = ROW(IR_FNEG, T_F32, 0),
    [WASM_OP_F32_SQRT] = ROW(IR_FSQRT, T_F32, 0),
    [WASM_OP_F32_NEAREST] = ROW(IR_FROUND, T_F32, 8),
    [WASM_OP_F32_FLOOR] = ROW(IR_FROUND, T_F32, 9),
    [WASM_OP_F32_CEIL] = ROW(IR_FROUND, T_F32, 10),
    [WASM_OP_F32_TRUNC] = ROW(IR_FROUND, T_F32, 11),
    [WASM_OP_F32_EQ] = ROW(IR_FCMP, T_I32, FC_EQ),
    [WASM_OP_F32_NE] = ROW(IR_FCMP, T_I32, FC_NE),
    [WASM_OP_F32_LT] = ROW(IR_FCMP, T_I32, FC_LT),
    [WASM_OP_F32_GT] = ROW(IR_FCMP, T_I32, FC_GT),
    [WASM_OP_F32_LE] = ROW(IR_FCMP, T_I32, FC_LE),
    [WASM_OP_F32_GE] = ROW(IR_FCMP, T_I32, FC_GE),
    [WASM_OP_F64_ADD] = ROW(IR_FADD, T_F64, 0),
    [WASM_OP_F64_SUB] = ROW(IR_FSUB, T_F64, 0),
    [WASM_OP_F64_MUL] = ROW(IR_FMUL, T_F64, 0),
    [WASM_OP_F64_DIV] = ROW(IR_FDIV, T_F64, 0),
    [WASM_OP_F64_MIN] = ROW(IR_FMIN, T_F64, 0),
    [WASM_OP_F64_MAX] = ROW(IR_FMAX, T_F64, 0),
    [WASM_OP_F64_COPYSIGN] = ROW(IR_FCOPYSIGN, T_F64, 0),
    [WASM_OP_F64_ABS] = ROW(IR_FABS, T_F64, 0),
    [WASM_OP_F64_NEG] = ROW(IR_FNEG, T_F64, 0),
    [WASM_OP_F64_SQRT] = ROW(IR_FSQRT, T_F64, 0),
    [WASM_OP_F64_NEAREST] = ROW(IR_FROUND, T_F64, 8),
    [WASM_OP_F64_FLOOR] = ROW(IR_FROUND, T_F64, 9),
    [WASM_OP_F64_CEIL] = ROW(IR_FROUND, T_F64, 10),
    [WASM_OP_F64_TRUNC] = ROW(IR_FROUND, T_F64, 11),
    [WASM_OP_F64_EQ] = ROW(IR_FCMP, T_I32, FC_EQ),
    [WASM_OP_F64_NE] = ROW(IR_FCMP, T_I32, FC_NE),
    [WASM_OP_F64_LT] = ROW(IR_FCMP, T_I32, FC_LT),
    [WASM_OP_F64_GT] = ROW(IR_FCMP, T_I32, FC_GT),
    [WASM_OP_F64_LE] = ROW(IR_FCMP, T_I32, FC_LE),
    [WASM_OP_F64_GE] = ROW(IR_FCMP, T_I32, FC_GE),
    [WASM_OP_F32_DEMOTE_F64] = ROW(IR_FCVT, T_F32, 0),
    [WASM_OP_F64_PROMOTE_F32] = ROW(IR_FCVT, T_F64, 0),
    [WASM_OP_I32_REINTERPRET_F32] = ROW(IR_BITCAST, T_I32, 0),
    [WASM_OP_I64_REINTERPRET_F64] = ROW(IR_BITCAST, T_I64, 0),
    [WASM_OP_F32_REINTERPRET_I32] = ROW(IR_BITCAST, T_F32, 0),
    [WASM_OP_F64_REINTERPRET_I64] = ROW(IR_BITCAST, T_F64, 0),
    [WASM_OP_I32_LOAD] = ROW(IR_LOAD, T_I32, A_U32),
    [WASM_OP_I64_LOAD] = ROW(IR_LOAD, T_I64, A_64),
    [WASM_OP_F32_LOAD] = ROW(IR_LOAD, T_F32, A_F32),
    [WASM_OP_F64_LOAD] = ROW(IR_LOAD, T_F64, A_F64),
    [WASM_OP_I32_LOAD8_S] = ROW(IR_LOAD, T_I32, A_S8),
    [WASM_OP_I32_LOAD8_U] = ROW(IR_LOAD, T_I32, A_U8),
    [WASM_OP_I32_LOAD16_S] = ROW(IR_LOAD, T_I32, A_S16),
    [WASM_OP_I32_LOAD16_U] = ROW(IR_LOAD, T_I32, A_U16),
    [WASM_OP_I64_LOAD8_S] = ROW(IR_LOAD, T_I64, A_S8),
    [WASM_OP_I64_LOAD8_U] = ROW(IR_LOAD, T_I64, A_U8),
    [WASM_OP_I64_LOAD16_S] = ROW(IR_LOAD, T_I64, A_S16),
    [WASM_OP_I64_LOAD16_U] = ROW(IR_LOAD, T_I64, A_U16),
    [WASM_OP_I64_LOAD32_S] = ROW(IR_LOAD, T_I64, A_S32),
    [WASM_OP_I64_LOAD32_U] = ROW(IR_LOAD, T_I64, A_U32),
    [WASM_OP_I32_STORE] = ROW(IR_STORE, T_NONE, A_U32),
    [WASM_OP_I64_STORE] = ROW(IR_STORE, T_NONE, A_64),
    [WASM_OP_F32_STORE] = ROW(IR_STORE, T_NONE, A_F32),
    [WASM_OP_F64_STORE] = ROW(IR_STORE, T_NONE, A_F64),
    [WASM_OP_I32_STORE8] = ROW(IR_STORE, T_NONE, A_U8),
    [WASM_OP_I32_STORE16] = ROW(IR_STORE, T_NONE, A_U16),
    [WASM_OP_I64_STORE8] = ROW(IR_STORE, T_NONE, A_U8),
    [WASM_OP_I64_STORE16] = ROW(IR_STORE, T_NONE, A_U16),
    [WASM_OP_I64_STORE32] = ROW(IR_STORE, T_NONE, A_U32),
};

static void plain_load(struct build *b, struct row r, u32 offset) {
    struct ins i = {.op = IR_LOAD, .type = r.type, .aux = r.aux, .a = pop(b), .b = offset, .c = b->memory_epoch};
    build_fold_address(b, &i.a, &i.b);
    if (!fault(VECTOR_DIRTY) || r.aux != A_V128) ir_index(b->f, i.a);
    push(b, ir_value(b->f, i));
}

static void plain_store(struct build *b, struct row r, u32 offset) {
    u32 value = pop(b), at = pop(b);
    struct ins i = {.op = IR_STORE, .aux = r.aux, .a = at, .b = value, .c = offset};
    build_fold_address(b, &i.a, &i.c);
    if (!fault(VECTOR_DIRTY) || r.aux != A_V128) ir_index(b->f, i.a);
    ir_append(b->f, i);
    memory_changes(b);
}

static bool is_plain(const struct build *b) {
    return b->plain_memory && !b->in.b && b->in.bits <= ABI_MAX_DISP;
}

static void do_load(struct build *b, struct row r) {
    if (is_plain(b)) {
        plain_load(b, r, (u32)b->in.bits);
        return;
    }
    struct ins i = {.op = IR_LOAD_AT, .type = r.type, .aux = r.aux, .a = pop(b), .b = build_access(b), .c = b->memory_epoch};
    push(b, ir_value(b->f, i));
}

static void do_store(struct build *b, struct row r) {
    if (is_plain(b)) {
        plain_store(b, r, (u32)b->in.bits);
        return;
    }
    u32 value = pop(b), at = pop(b);
    ir_append(b->f, (struct ins){.op = IR_STORE_AT, .aux = r.aux, .a = at, .b = value, .c = build_access(b)});
    memory_changes(b);
}

void build_load(struct build *b, u8 type, u8 access) { do_load(b, (struct row){IR_LOAD, type, access, 0}); }
void build_store(struct build *b, u8 access) { do_store(b, (struct row){IR_STORE, T_NONE, access, 0}); }

static void do_simple(struct build *b, struct row r) {
    if (ir_opinfos[r.op].args == 2) {
        u32 y = pop(b), x = pop(b);
        push(b, value2(b, r.op, r.type, r.aux, x, y));
    } else {
        assert(ir_opinfos[r.op].args == 1);
        push(b, value1(b, r.op, r.type, r.aux, pop(b)));
    }
}

static bool needs_round_builtin(const struct build *b, struct row r) {
    return r.op == IR_FROUND && !(b->f->options->cpu & JIT_CPU_SSE41);
}

/* Without SSE4.1 rounding is a call on the bits. */
static void do_round(struct build *b, struct row r) {
    bool is64 = r.type == T_F64;
    u8 bits = is64 ? T_I64 : T_I32;
    u32 args[2] = {value1(b, IR_BITCAST, bits, 0, pop(b)), ir_const(b->f, T_I32, r.aux)};
    u32 v = build_builtin(b, is64 ? ABI_BUILTIN_f64_round : ABI_BUILTIN_f32_round, bits, 2, args);
    push(b, value1(b, IR_BITCAST, r.type, 0, v));
}

bool build_is_simple(const struct build *b, enum wasm_op op) {
    struct row r = simple[op];
    if (r.op == IR_NOP || needs_round_builtin(b, r)) return false;
    return ir_opinfos[r.op].kind == K_PURE || r.op == IR_LOAD || r.op == IR_STORE;
}

void build_row(struct build *b) {
    struct row r = simple[b->in.op];
    if (r.op == IR_LOAD) do_load(b, r);
    else if (r.op == IR_STORE) do_store(b, r);
    else if (wasm_is_vector(b->in.op)) build_vector(b);
    else if (wasm_is_atomic(b->in.op)) build_atomic(b);
    else if (needs_round_builtin(b, r)) do_round(b, r);
    else do_simple(b, r);
}

/* ---- the loop ---- */

static INLINE bool short_access(struct build *b, struct row r, const u8 *p) {
    u32 offset;
    if (!b->plain_memory || *p++ & 0xc0 || !short_u32(&p, &offset) || offset > ABI_MAX_DISP) return false;
    b->code.p = p;
    if (r.op == IR_LOAD) plain_load(b, r, offset);
    else plain_store(b, r, offset);
    return true;
}

static INLINE bool short_row(struct build *b, struct row r, const u8 *p) {
    if (r.op == IR_NOP || needs_round_builtin(b, r)) return false;
    if (r.op == IR_LOAD || r.op == IR_STORE) return short_access(b, r, p);
    b->code.p = p;
    do_simple(b, r);
    return true;
}

static INLINE bool short_local(struct build *b, u8 op, const u8 *p) {
    u32 local;
    if (!short_u32(&p, &local)) return false;
    b->code.p = p;
    local += b->base;
    if (op == WASM_OP_LOCAL_GET) push(b, b->locals[local]);
    else if (op == WASM_OP_LOCAL_SET) build_set_local(b, local, pop(b));
    else build_set_local(b, local, b->stack.p[b->stack.n - 1]);
    return true;
}

static INLINE bool short_number(struct build *b, const u8 *p) {
    i32 number;
    if (!short_i32(&p, &number)) return false;
    b->code.p = p;
    push(b, ir_const(b->f, T_I32, (u32)number));
    return true;
}

static INLINE bool short_one(struct build *b) {
    const u8 *p = b->code.p, op = *p;
    b->f->origin = p;
    switch (op) {
    case WASM_OP_LOCAL_GET: return short_local(b, WASM_OP_LOCAL_GET, p + 1);
    case WASM_OP_LOCAL_SET: return short_local(b, WASM_OP_LOCAL_SET, p + 1);
    case WASM_OP_LOCAL_TEE: return short_local(b, WASM_OP_LOCAL_TEE, p + 1);
    case WASM_OP_I32_CONST: return short_number(b, p + 1);
    default: return short_row(b, simple[op], p + 1);
    }
}

void build_short(struct build *b) {
    while (b->code.end - b->code.p >= SHORT_BYTES && short_one(b)) {}
}
