/* build_rows.c: the instructions that are one operation, by table; and the loop that
 * reads and builds these, locals, constants, the most frequent branches and calls, of which
 * most code consists, in one go.
 *
 * I1 operands[] of the opcode table and args of the IR table agree: a row of
 *    simple[] pops what IR reads and pushes one value if it has a type.
 * I2 what the loop leaves is where it was, and build_instr's: other control, long numbers,
 *    the last bytes of a body (so no label of a function ends here), any memory that is not behind guards. */
#include "base/fault.h"
#include "jit/build.h"
#include "wasm/short.h"

struct row {
    u8 op, type, aux, none; /* a word; op: IR_NOP: none of these */
};

#define ROW(op, type, aux) {op, type, aux, 0}
/* Of both sizes, which the row's type says; comparisons, whose type is i32. */
#define INTS(name, op, aux) [WASM_OP_I32_##name] = ROW(op, T_I32, aux), [WASM_OP_I64_##name] = ROW(op, T_I64, aux)
#define FLOATS(name, op, aux) [WASM_OP_F32_##name] = ROW(op, T_F32, aux), [WASM_OP_F64_##name] = ROW(op, T_F64, aux)
#define INT_TESTS(name, cc) [WASM_OP_I32_##name] = ROW(IR_ICMP, T_I32, cc), [WASM_OP_I64_##name] = ROW(IR_ICMP, T_I32, cc)
#define FLOAT_TESTS(name, fc) [WASM_OP_F32_##name] = ROW(IR_FCMP, T_I32, fc), [WASM_OP_F64_##name] = ROW(IR_FCMP, T_I32, fc)
static const struct row simple[WASM_OP_COUNT] = {
    INTS(ADD, IR_ADD, 0),
    INTS(SUB, IR_SUB, 0),
    INTS(MUL, IR_MUL, 0),
    INTS(AND, IR_AND, 0),
    INTS(OR, IR_OR, 0),
    INTS(XOR, IR_XOR, 0),
    INTS(SHL, IR_SHL, 0),
    INTS(SHR_S, IR_SHR_S, 0),
    INTS(SHR_U, IR_SHR_U, 0),
    INTS(ROTL, IR_ROTL, 0),
    INTS(ROTR, IR_ROTR, 0),
    INTS(DIV_S, IR_DIV_S, 0),
    INTS(DIV_U, IR_DIV_U, 0),
    INTS(REM_S, IR_REM_S, 0),
    INTS(REM_U, IR_REM_U, 0),
    INTS(CLZ, IR_CLZ, 0),
    INTS(CTZ, IR_CTZ, 0),
    INTS(POPCNT, IR_POPCNT, 0),
    INT_TESTS(EQ, CC_EQ),
    INT_TESTS(NE, CC_NE),
    INT_TESTS(LT_S, CC_LT),
    INT_TESTS(LT_U, CC_ULT),
    INT_TESTS(GT_S, CC_GT),
    INT_TESTS(GT_U, CC_UGT),
    INT_TESTS(LE_S, CC_LE),
    INT_TESTS(LE_U, CC_ULE),
    INT_TESTS(GE_S, CC_GE),
    INT_TESTS(GE_U, CC_UGE),
    INTS(EXTEND8_S, IR_SEXT, 8),
    INTS(EXTEND16_S, IR_SEXT, 16),
    [WASM_OP_I64_EXTEND32_S] = ROW(IR_SEXT, T_I64, 32),
    [WASM_OP_I64_EXTEND_I32_S] = ROW(IR_SEXT, T_I64, 32),
    [WASM_OP_I64_EXTEND_I32_U] = ROW(IR_ZEXT, T_I64, 0),
    [WASM_OP_I32_WRAP_I64] = ROW(IR_WRAP, T_I32, 0),
    FLOATS(ADD, IR_FADD, 0),
    FLOATS(SUB, IR_FSUB, 0),
    FLOATS(MUL, IR_FMUL, 0),
    FLOATS(DIV, IR_FDIV, 0),
    FLOATS(MIN, IR_FMIN, 0),
    FLOATS(MAX, IR_FMAX, 0),
    FLOATS(COPYSIGN, IR_FCOPYSIGN, 0),
    FLOATS(ABS, IR_FABS, 0),
    FLOATS(NEG, IR_FNEG, 0),
    FLOATS(SQRT, IR_FSQRT, 0),
    FLOATS(NEAREST, IR_FROUND, 8),
    FLOATS(FLOOR, IR_FROUND, 9),
    FLOATS(CEIL, IR_FROUND, 10),
    FLOATS(TRUNC, IR_FROUND, 11),
    FLOAT_TESTS(EQ, FC_EQ),
    FLOAT_TESTS(NE, FC_NE),
    FLOAT_TESTS(LT, FC_LT),
    FLOAT_TESTS(GT, FC_GT),
    FLOAT_TESTS(LE, FC_LE),
    FLOAT_TESTS(GE, FC_GE),
    INTS(TRUNC_F32_S, IR_TRUNC, 1),
    INTS(TRUNC_F32_U, IR_TRUNC, 0),
    INTS(TRUNC_F64_S, IR_TRUNC, 1),
    INTS(TRUNC_F64_U, IR_TRUNC, 0),
    INTS(TRUNC_SAT_F32_S, IR_TRUNC_SAT, 1),
    INTS(TRUNC_SAT_F32_U, IR_TRUNC_SAT, 0),
    INTS(TRUNC_SAT_F64_S, IR_TRUNC_SAT, 1),
    INTS(TRUNC_SAT_F64_U, IR_TRUNC_SAT, 0),
    FLOATS(CONVERT_I32_S, IR_CONVERT, 1),
    FLOATS(CONVERT_I32_U, IR_CONVERT, 0),
    FLOATS(CONVERT_I64_S, IR_CONVERT, 1),
    FLOATS(CONVERT_I64_U, IR_CONVERT, 0),
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
    INTS(LOAD8_S, IR_LOAD, A_S8),
    INTS(LOAD8_U, IR_LOAD, A_U8),
    INTS(LOAD16_S, IR_LOAD, A_S16),
    INTS(LOAD16_U, IR_LOAD, A_U16),
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
    u32 at = pop(b);
    build_fold_address(b, &at, &offset);
    if (!fault(VECTOR_DIRTY) || r.aux != A_V128) ir_index(b->f, at);
    push(b, ir_value(b->f, ir_make(IR_LOAD, r.type, r.aux, at, offset, b->memory_epoch)));
}

static void plain_store(struct build *b, struct row r, u32 offset) {
    u32 value = pop(b), at = pop(b);
    build_fold_address(b, &at, &offset);
    if (!fault(VECTOR_DIRTY) || r.aux != A_V128) ir_index(b->f, at);
    ir_append(b->f, ir_make(IR_STORE, T_NONE, r.aux, at, value, offset));
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

void build_load(struct build *b, u8 type, u8 access) { do_load(b, (struct row)ROW(IR_LOAD, type, access)); }
void build_store(struct build *b, u8 access) { do_store(b, (struct row)ROW(IR_STORE, T_NONE, access)); }

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

static INLINE bool short_index(struct build *b, const u8 *p, u32 *index) {
    if (!short_u32(&p, index)) return false;
    b->code.p = p;
    return true;
}

static INLINE bool short_local(struct build *b, u8 op, const u8 *p) {
    u32 local;
    if (!short_index(b, p, &local)) return false;
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

static bool short_block(struct build *b, const u8 *p, void (*open)(struct build *b)) {
    if (*p != 0x40) return false;
    b->in.bits = WASM_BLOCK_EMPTY;
    b->code.p = p + 1;
    open(b);
    return true;
}

static bool short_end(struct build *b, const u8 *p) {
    b->code.p = p + 1;
    build_end(b);
    return !b->dead && b->ctls.n;
}

/* Mostly a block ends behind a jump. */
static bool short_dead(struct build *b) {
    const u8 *p = b->f->origin = b->code.p;
    return *p == WASM_OP_END && short_end(b, p);
}

/* False: what comes next is for build_instr. */
static INLINE bool short_one(struct build *b) {
    const u8 *p = b->code.p, op = *p;
    u32 index;
    b->f->origin = p;
    switch (op) {
    case WASM_OP_LOCAL_GET: return short_local(b, WASM_OP_LOCAL_GET, p + 1);
    case WASM_OP_LOCAL_SET: return short_local(b, WASM_OP_LOCAL_SET, p + 1);
    case WASM_OP_LOCAL_TEE: return short_local(b, WASM_OP_LOCAL_TEE, p + 1);
    case WASM_OP_I32_CONST: return short_number(b, p + 1);
    case WASM_OP_BLOCK: return short_block(b, p + 1, build_open);
    case WASM_OP_IF: return short_block(b, p + 1, build_if);
    case WASM_OP_END: return short_end(b, p);
    case WASM_OP_BR:
        if (!short_index(b, p + 1, &index)) return false;
        build_br(b, index);
        return short_dead(b);
    case WASM_OP_RETURN:
        b->code.p = p + 1;
        build_return(b);
        return short_dead(b);
    case WASM_OP_BR_IF:
        if (!short_index(b, p + 1, &index)) return false;
        build_br_if(b, index);
        return true;
    case WASM_OP_I32_EQZ:
        b->code.p = p + 1;
        push(b, build_eqz(b, pop(b), T_I32));
        return true;
    case WASM_OP_CALL:
        if (!short_index(b, p + 1, &index)) return false;
        build_call(b, index);
        return true;
    default: return short_row(b, simple[op], p + 1);
    }
}

void build_short(struct build *b) {
    while (b->code.end - b->code.p >= SHORT_BYTES && short_one(b)) {}
}
