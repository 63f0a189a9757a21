/* build_ops.c: the instructions that are not control, by table.
 *
 * I1 operands[] of the opcode table and args of the IR table agree: a row of
 *    simple[] pops what IR reads and pushes one value if it has a type.
 * I2 references are i32 handles, 0 for null. */
#include "base/fault.h"
#include "jit/build.h"

struct row {
    u8 op, type, aux;
};

static const struct row simple[WASM_OP_COUNT] = {
    [WASM_OP_I32_ADD] = {IR_ADD, T_I32, 0},
    [WASM_OP_I32_SUB] = {IR_SUB, T_I32, 0},
    [WASM_OP_I32_MUL] = {IR_MUL, T_I32, 0},
    [WASM_OP_I32_AND] = {IR_AND, T_I32, 0},
    [WASM_OP_I32_OR] = {IR_OR, T_I32, 0},
    [WASM_OP_I32_XOR] = {IR_XOR, T_I32, 0},
    [WASM_OP_I32_SHL] = {IR_SHL, T_I32, 0},
    [WASM_OP_I32_SHR_S] = {IR_SHR_S, T_I32, 0},
    [WASM_OP_I32_SHR_U] = {IR_SHR_U, T_I32, 0},
    [WASM_OP_I32_ROTL] = {IR_ROTL, T_I32, 0},
    [WASM_OP_I32_ROTR] = {IR_ROTR, T_I32, 0},
    [WASM_OP_I32_DIV_S] = {IR_DIV_S, T_I32, 0},
    [WASM_OP_I32_DIV_U] = {IR_DIV_U, T_I32, 0},
    [WASM_OP_I32_REM_S] = {IR_REM_S, T_I32, 0},
    [WASM_OP_I32_REM_U] = {IR_REM_U, T_I32, 0},
    [WASM_OP_I32_CLZ] = {IR_CLZ, T_I32, 0},
    [WASM_OP_I32_CTZ] = {IR_CTZ, T_I32, 0},
    [WASM_OP_I32_POPCNT] = {IR_POPCNT, T_I32, 0},
    [WASM_OP_I32_EQ] = {IR_ICMP, T_I32, CC_EQ},
    [WASM_OP_I32_NE] = {IR_ICMP, T_I32, CC_NE},
    [WASM_OP_I32_LT_S] = {IR_ICMP, T_I32, CC_LT},
    [WASM_OP_I32_LT_U] = {IR_ICMP, T_I32, CC_ULT},
    [WASM_OP_I32_GT_S] = {IR_ICMP, T_I32, CC_GT},
    [WASM_OP_I32_GT_U] = {IR_ICMP, T_I32, CC_UGT},
    [WASM_OP_I32_LE_S] = {IR_ICMP, T_I32, CC_LE},
    [WASM_OP_I32_LE_U] = {IR_ICMP, T_I32, CC_ULE},
    [WASM_OP_I32_GE_S] = {IR_ICMP, T_I32, CC_GE},
    [WASM_OP_I32_GE_U] = {IR_ICMP, T_I32, CC_UGE},
    [WASM_OP_I32_EXTEND8_S] = {IR_SEXT, T_I32, 8},
    [WASM_OP_I32_EXTEND16_S] = {IR_SEXT, T_I32, 16},
    [WASM_OP_I32_TRUNC_F32_S] = {IR_TRUNC, T_I32, 1},
    [WASM_OP_I32_TRUNC_SAT_F32_S] = {IR_TRUNC_SAT, T_I32, 1},
    [WASM_OP_F32_CONVERT_I32_S] = {IR_CONVERT, T_F32, 1},
    [WASM_OP_I32_TRUNC_F32_U] = {IR_TRUNC, T_I32, 0},
    [WASM_OP_I32_TRUNC_SAT_F32_U] = {IR_TRUNC_SAT, T_I32, 0},
    [WASM_OP_F32_CONVERT_I32_U] = {IR_CONVERT, T_F32, 0},
    [WASM_OP_I32_TRUNC_F64_S] = {IR_TRUNC, T_I32, 1},
    [WASM_OP_I32_TRUNC_SAT_F64_S] = {IR_TRUNC_SAT, T_I32, 1},
    [WASM_OP_F64_CONVERT_I32_S] = {IR_CONVERT, T_F64, 1},
    [WASM_OP_I32_TRUNC_F64_U] = {IR_TRUNC, T_I32, 0},
    [WASM_OP_I32_TRUNC_SAT_F64_U] = {IR_TRUNC_SAT, T_I32, 0},
    [WASM_OP_F64_CONVERT_I32_U] = {IR_CONVERT, T_F64, 0},
    [WASM_OP_I64_ADD] = {IR_ADD, T_I64, 0},
    [WASM_OP_I64_SUB] = {IR_SUB, T_I64, 0},
    [WASM_OP_I64_MUL] = {IR_MUL, T_I64, 0},
    [WASM_OP_I64_AND] = {IR_AND, T_I64, 0},
    [WASM_OP_I64_OR] = {IR_OR, T_I64, 0},
    [WASM_OP_I64_XOR] = {IR_XOR, T_I64, 0},
    [WASM_OP_I64_SHL] = {IR_SHL, T_I64, 0},
    [WASM_OP_I64_SHR_S] = {IR_SHR_S, T_I64, 0},
    [WASM_OP_I64_SHR_U] = {IR_SHR_U, T_I64, 0},
    [WASM_OP_I64_ROTL] = {IR_ROTL, T_I64, 0},
    [WASM_OP_I64_ROTR] = {IR_ROTR, T_I64, 0},
    [WASM_OP_I64_DIV_S] = {IR_DIV_S, T_I64, 0},
    [WASM_OP_I64_DIV_U] = {IR_DIV_U, T_I64, 0},
    [WASM_OP_I64_REM_S] = {IR_REM_S, T_I64, 0},
    [WASM_OP_I64_REM_U] = {IR_REM_U, T_I64, 0},
    [WASM_OP_I64_CLZ] = {IR_CLZ, T_I64, 0},
    [WASM_OP_I64_CTZ] = {IR_CTZ, T_I64, 0},
    [WASM_OP_I64_POPCNT] = {IR_POPCNT, T_I64, 0},
    [WASM_OP_I64_EQ] = {IR_ICMP, T_I32, CC_EQ},
    [WASM_OP_I64_NE] = {IR_ICMP, T_I32, CC_NE},
    [WASM_OP_I64_LT_S] = {IR_ICMP, T_I32, CC_LT},
    [WASM_OP_I64_LT_U] = {IR_ICMP, T_I32, CC_ULT},
    [WASM_OP_I64_GT_S] = {IR_ICMP, T_I32, CC_GT},
    [WASM_OP_I64_GT_U] = {IR_ICMP, T_I32, CC_UGT},
    [WASM_OP_I64_LE_S] = {IR_ICMP, T_I32, CC_LE},
    [WASM_OP_I64_LE_U] = {IR_ICMP, T_I32, CC_ULE},
    [WASM_OP_I64_GE_S] = {IR_ICMP, T_I32, CC_GE},
    [WASM_OP_I64_GE_U] = {IR_ICMP, T_I32, CC_UGE},
    [WASM_OP_I64_EXTEND8_S] = {IR_SEXT, T_I64, 8},
    [WASM_OP_I64_EXTEND16_S] = {IR_SEXT, T_I64, 16},
    [WASM_OP_I64_TRUNC_F32_S] = {IR_TRUNC, T_I64, 1},
    [WASM_OP_I64_TRUNC_SAT_F32_S] = {IR_TRUNC_SAT, T_I64, 1},
    [WASM_OP_F32_CONVERT_I64_S] = {IR_CONVERT, T_F32, 1},
    [WASM_OP_I64_TRUNC_F32_U] = {IR_TRUNC, T_I64, 0},
    [WASM_OP_I64_TRUNC_SAT_F32_U] = {IR_TRUNC_SAT, T_I64, 0},
    [WASM_OP_F32_CONVERT_I64_U] = {IR_CONVERT, T_F32, 0},
    [WASM_OP_I64_TRUNC_F64_S] = {IR_TRUNC, T_I64, 1},
    [WASM_OP_I64_TRUNC_SAT_F64_S] = {IR_TRUNC_SAT, T_I64, 1},
    [WASM_OP_F64_CONVERT_I64_S] = {IR_CONVERT, T_F64, 1},
    [WASM_OP_I64_TRUNC_F64_U] = {IR_TRUNC, T_I64, 0},
    [WASM_OP_I64_TRUNC_SAT_F64_U] = {IR_TRUNC_SAT, T_I64, 0},
    [WASM_OP_F64_CONVERT_I64_U] = {IR_CONVERT, T_F64, 0},
    [WASM_OP_I64_EXTEND32_S] = {IR_SEXT, T_I64, 32},
    [WASM_OP_I64_EXTEND_I32_S] = {IR_SEXT, T_I64, 32},
    [WASM_OP_I64_EXTEND_I32_U] = {IR_ZEXT, T_I64, 0},
    [WASM_OP_I32_WRAP_I64] = {IR_WRAP, T_I32, 0},
    [WASM_OP_F32_ADD] = {IR_FADD, T_F32, 0},
    [WASM_OP_F32_SUB] = {IR_FSUB, T_F32, 0},
    [WASM_OP_F32_MUL] = {IR_FMUL, T_F32, 0},
    [WASM_OP_F32_DIV] = {IR_FDIV, T_F32, 0},
    [WASM_OP_F32_MIN] = {IR_FMIN, T_F32, 0},
    [WASM_OP_F32_MAX] = {IR_FMAX, T_F32, 0},
    [WASM_OP_F32_COPYSIGN] = {IR_FCOPYSIGN, T_F32, 0},
    [WASM_OP_F32_ABS] = {IR_FABS, T_F32, 0},
    [WASM_OP_F32_NEG] = {IR_FNEG, T_F32, 0},
    [WASM_OP_F32_SQRT] = {IR_FSQRT, T_F32, 0},
    [WASM_OP_F32_NEAREST] = {IR_FROUND, T_F32, 8},
    [WASM_OP_F32_FLOOR] = {IR_FROUND, T_F32, 9},
    [WASM_OP_F32_CEIL] = {IR_FROUND, T_F32, 10},
    [WASM_OP_F32_TRUNC] = {IR_FROUND, T_F32, 11},
    [WASM_OP_F32_EQ] = {IR_FCMP, T_I32, FC_EQ},
    [WASM_OP_F32_NE] = {IR_FCMP, T_I32, FC_NE},
    [WASM_OP_F32_LT] = {IR_FCMP, T_I32, FC_LT},
    [WASM_OP_F32_GT] = {IR_FCMP, T_I32, FC_GT},
    [WASM_OP_F32_LE] = {IR_FCMP, T_I32, FC_LE},
    [WASM_OP_F32_GE] = {IR_FCMP, T_I32, FC_GE},
    [WASM_OP_F64_ADD] = {IR_FADD, T_F64, 0},
    [WASM_OP_F64_SUB] = {IR_FSUB, T_F64, 0},
    [WASM_OP_F64_MUL] = {IR_FMUL, T_F64, 0},
    [WASM_OP_F64_DIV] = {IR_FDIV, T_F64, 0},
    [WASM_OP_F64_MIN] = {IR_FMIN, T_F64, 0},
    [WASM_OP_F64_MAX] = {IR_FMAX, T_F64, 0},
    [WASM_OP_F64_COPYSIGN] = {IR_FCOPYSIGN, T_F64, 0},
    [WASM_OP_F64_ABS] = {IR_FABS, T_F64, 0},
    [WASM_OP_F64_NEG] = {IR_FNEG, T_F64, 0},
    [WASM_OP_F64_SQRT] = {IR_FSQRT, T_F64, 0},
    [WASM_OP_F64_NEAREST] = {IR_FROUND, T_F64, 8},
    [WASM_OP_F64_FLOOR] = {IR_FROUND, T_F64, 9},
    [WASM_OP_F64_CEIL] = {IR_FROUND, T_F64, 10},
    [WASM_OP_F64_TRUNC] = {IR_FROUND, T_F64, 11},
    [WASM_OP_F64_EQ] = {IR_FCMP, T_I32, FC_EQ},
    [WASM_OP_F64_NE] = {IR_FCMP, T_I32, FC_NE},
    [WASM_OP_F64_LT] = {IR_FCMP, T_I32, FC_LT},
    [WASM_OP_F64_GT] = {IR_FCMP, T_I32, FC_GT},
    [WASM_OP_F64_LE] = {IR_FCMP, T_I32, FC_LE},
    [WASM_OP_F64_GE] = {IR_FCMP, T_I32, FC_GE},
    [WASM_OP_F32_DEMOTE_F64] = {IR_FCVT, T_F32, 0},
    [WASM_OP_F64_PROMOTE_F32] = {IR_FCVT, T_F64, 0},
    [WASM_OP_I32_REINTERPRET_F32] = {IR_BITCAST, T_I32, 0},
    [WASM_OP_I64_REINTERPRET_F64] = {IR_BITCAST, T_I64, 0},
    [WASM_OP_F32_REINTERPRET_I32] = {IR_BITCAST, T_F32, 0},
    [WASM_OP_F64_REINTERPRET_I64] = {IR_BITCAST, T_F64, 0},
    [WASM_OP_I32_LOAD] = {IR_LOAD, T_I32, A_U32},
    [WASM_OP_I64_LOAD] = {IR_LOAD, T_I64, A_64},
    [WASM_OP_F32_LOAD] = {IR_LOAD, T_F32, A_F32},
    [WASM_OP_F64_LOAD] = {IR_LOAD, T_F64, A_F64},
    [WASM_OP_I32_LOAD8_S] = {IR_LOAD, T_I32, A_S8},
    [WASM_OP_I32_LOAD8_U] = {IR_LOAD, T_I32, A_U8},
    [WASM_OP_I32_LOAD16_S] = {IR_LOAD, T_I32, A_S16},
    [WASM_OP_I32_LOAD16_U] = {IR_LOAD, T_I32, A_U16},
    [WASM_OP_I64_LOAD8_S] = {IR_LOAD, T_I64, A_S8},
    [WASM_OP_I64_LOAD8_U] = {IR_LOAD, T_I64, A_U8},
    [WASM_OP_I64_LOAD16_S] = {IR_LOAD, T_I64, A_S16},
    [WASM_OP_I64_LOAD16_U] = {IR_LOAD, T_I64, A_U16},
    [WASM_OP_I64_LOAD32_S] = {IR_LOAD, T_I64, A_S32},
    [WASM_OP_I64_LOAD32_U] = {IR_LOAD, T_I64, A_U32},
    [WASM_OP_I32_STORE] = {IR_STORE, T_NONE, A_U32},
    [WASM_OP_I64_STORE] = {IR_STORE, T_NONE, A_64},
    [WASM_OP_F32_STORE] = {IR_STORE, T_NONE, A_F32},
    [WASM_OP_F64_STORE] = {IR_STORE, T_NONE, A_F64},
    [WASM_OP_I32_STORE8] = {IR_STORE, T_NONE, A_U8},
    [WASM_OP_I32_STORE16] = {IR_STORE, T_NONE, A_U16},
    [WASM_OP_I64_STORE8] = {IR_STORE, T_NONE, A_U8},
    [WASM_OP_I64_STORE16] = {IR_STORE, T_NONE, A_U16},
    [WASM_OP_I64_STORE32] = {IR_STORE, T_NONE, A_U32},
};

static u32 i32_const(struct build *b, u32 v) { return ir_const(b->f, T_I32, v); }
static u32 i64_const(struct build *b, u64 v) { return ir_const(b->f, T_I64, v); }

/* Indices and counts of 32-bit memories and tables, for who takes 64 bits. */
u32 build_to_i64(struct build *b, u32 v) {
    return b->f->ins.p[v].type == T_I64 ? v : value1(b, IR_ZEXT, T_I64, 0, v);
}

static u8 memory_index(const struct build *b, u32 memory) {
    return b->f->m->memories[memory].limits.is64 ? T_I64 : T_I32;
}

static u8 table_index(const struct build *b, u32 table) {
    return b->f->m->tables[table].limits.is64 ? T_I64 : T_I32;
}

static bool checked(const struct build *b, u32 memory) {
    return b->f->options->checked_memory || !wasm_memory_guarded(&b->f->m->memories[memory]);
}

/* The access of the instruction at hand; the same one again if it just was. */
u32 build_access(struct build *b) {
    struct fn *f = b->f;
    struct access a = {b->in.b, checked(b, b->in.b), b->in.bits};
    if (a.offset > ABI_MAX_DISP) a.checked = true; /* no displacement */
    for (u32 k = f->accesses.n; k && k + 4 > f->accesses.n; k--) {
        const struct access *x = &f->accesses.p[k - 1];
        if (x->memory == a.memory && x->offset == a.offset) return k - 1;
    }
    VEC_PUSH(f, f->accesses, a);
    return f->accesses.n - 1;
}

static bool plain_access(const struct build *b) {
    return !b->in.b && !checked(b, 0) && b->in.bits <= ABI_MAX_DISP;
}

static void do_load(struct build *b, struct row r) {
    struct ins i = {.op = IR_LOAD, .type = r.type, .aux = r.aux, .a = pop(b), .b = (u32)b->in.bits, .c = b->memory_epoch};
    if (!plain_access(b)) {
        i.op = IR_LOAD_AT;
        i.b = build_access(b);
    } else {
        build_fold_address(b, &i.a, &i.b);
    }
    push(b, ir_value(b->f, i));
}

static void do_store(struct build *b, struct row r) {
    u32 value = pop(b), at = pop(b);
    struct ins i = {.op = IR_STORE, .aux = r.aux, .a = at, .b = value, .c = (u32)b->in.bits};
    if (!plain_access(b)) {
        i.op = IR_STORE_AT;
        i.c = build_access(b);
    } else {
        build_fold_address(b, &i.a, &i.c);
    }
    ir_append(b->f, i);
    memory_changes(b);
}

void build_load(struct build *b, u8 type, u8 access) { do_load(b, (struct row){IR_LOAD, type, access}); }
void build_store(struct build *b, u8 access) { do_store(b, (struct row){IR_STORE, T_NONE, access}); }

static void do_simple(struct build *b, struct row r) {
    if (ir_opinfos[r.op].args == 2) {
        u32 y = pop(b), x = pop(b);
        push(b, value2(b, r.op, r.type, r.aux, x, y));
    } else {
        assert(ir_opinfos[r.op].args == 1);
        push(b, value1(b, r.op, r.type, r.aux, pop(b)));
    }
}

static void do_select(struct build *b) {
    u32 cond = build_condition(b, pop(b)), no = pop(b), yes = pop(b);
    struct ins i = {.op = IR_SELECT, .type = b->f->ins.p[yes].type, .a = yes, .b = no, .c = cond};
    push(b, ir_value(b->f, i));
}

static void call_changes(struct build *b) {
    memory_changes(b);
    if (!fault(STALE_GLOBAL)) global_changes(b);
}

/* Results of a call: the call itself is the first, RESULTs follow it. */
static void push_results(struct build *b, u32 call, const struct wasm_functype *t) {
    build_site(b, call);
    call_changes(b);
    for (u32 i = 0; i < t->result_count; i++) {
        if (!i) {
            b->f->ins.p[call].type = ir_type_of(t->results[0]);
            b->f->simd |= t->results[0] == WASM_V128;
            push(b, call);
        } else {
            struct ins r = {.op = IR_RESULT, .type = ir_type_of(t->results[i]), .a = call, .b = i};
            push(b, ir_append(b->f, r));
        }
    }
}

/* Moves the top n values of the stack to the pool. */
u32 build_pool_args(struct build *b, u32 n) {
    struct fn *f = b->f;
    assert(b->stack.n >= n);
    VEC_ROOM(f, f->pool, n);
    u32 start = f->pool.n;
    b->stack.n -= n;
    if (n) memcpy(f->pool.p + start, b->stack.p + b->stack.n, n * sizeof(u32));
    f->pool.n += n;
    return start;
}

static void do_call(struct build *b) {
    if (build_inlines(b, b->in.a)) {
        build_enter(b, b->in.a);
        return;
    }
    const struct wasm_functype *t = &b->f->m->types[b->f->m->funcs[b->in.a].type];
    u32 args = build_pool_args(b, t->param_count);
    struct ins i = {.op = IR_CALL, .a = args, .b = t->param_count, .c = b->in.a};
    push_results(b, ir_append(b->f, i), t);
}

/* Through a table, or with WASM_NONE the function of a reference. */
static void do_call_indirect(struct build *b, u32 table) {
    struct fn *f = b->f;
    const struct wasm_functype *t = &f->m->types[b->in.a];
    VEC_PUSH(f, f->pool, table);
    u32 args = build_pool_args(b, t->param_count + 1);
    struct ins i = {.op = IR_CALL_INDIRECT, .a = args, .b = t->param_count + 1, .c = b->in.a};
    push_results(b, ir_append(f, i), t);
}

void build_tail_call(struct build *b) {
    struct fn *f = b->f;
    bool direct = b->in.op == WASM_OP_RETURN_CALL, table = b->in.op == WASM_OP_RETURN_CALL_INDIRECT;
    u32 type = direct ? f->m->funcs[b->in.a].type : b->in.a;
    u32 n = f->m->types[type].param_count + !direct;
    if (!direct) VEC_PUSH(f, f->pool, table ? b->in.b : WASM_NONE);
    struct ins i = {.op = direct ? IR_TAIL_CALL : IR_TAIL_INDIRECT, .a = build_pool_args(b, n), .b = n, .c = b->in.a};
    build_end_block(b, i);
}

u32 build_builtin(struct build *b, enum abi_builtin which, u8 type, u32 n, const u32 *args) {
    struct fn *f = b->f;
    u32 start = f->pool.n;
    for (u32 k = 0; k < n; k++) VEC_PUSH(f, f->pool, args[k]);
    struct ins i = {.op = IR_CALL_BUILTIN, .type = type, .aux = (u8)which, .a = start, .b = n};
    call_changes(b);
    return ir_append(f, i);
}

/* which(immediate, three operands, widened to 64 bits as the mask says). */
static void bulk(struct build *b, enum abi_builtin which, u64 immediate, unsigned widen) {
    u32 args[4] = {i64_const(b, immediate)};
    for (u32 k = 3; k; k--) {
        args[k] = pop(b);
        if (widen & 1u << k) args[k] = build_to_i64(b, args[k]);
    }
    build_builtin(b, which, T_NONE, 4, args);
}

static void do_table(struct build *b) {
    u32 t = i32_const(b, b->in.a);
    u32 args[4] = {t};
    switch (b->in.op) {
    case WASM_OP_TABLE_GET:
        args[1] = build_to_i64(b, pop(b));
        push(b, build_builtin(b, ABI_BUILTIN_table_get, T_I32, 2, args));
        break;
    case WASM_OP_TABLE_SET:
        args[2] = pop(b);
        args[1] = build_to_i64(b, pop(b));
        build_builtin(b, ABI_BUILTIN_table_set, T_NONE, 3, args);
        break;
    case WASM_OP_TABLE_GROW: {
        args[1] = build_to_i64(b, pop(b));
        args[2] = pop(b);
        push(b, build_builtin(b, ABI_BUILTIN_table_grow, table_index(b, b->in.a), 3, args));
        break;
    }
    case WASM_OP_TABLE_FILL:
        args[3] = build_to_i64(b, pop(b));
        args[2] = pop(b);
        args[1] = build_to_i64(b, pop(b));
        build_builtin(b, ABI_BUILTIN_table_fill, T_NONE, 4, args);
        break;
    default: unreachable();
    }
}

static void do_memory_grow(struct build *b) {
    u32 args[2] = {i32_const(b, b->in.a), build_to_i64(b, pop(b))};
    push(b, build_builtin(b, ABI_BUILTIN_memory_grow, memory_index(b, b->in.a), 2, args));
}

static void drop_segment(struct build *b, enum abi_builtin which) {
    u32 args[1] = {i32_const(b, b->in.a)};
    build_builtin(b, which, T_NONE, 1, args);
}

static void do_ref_func(struct build *b) {
    u32 args[1] = {i32_const(b, b->in.a)};
    push(b, build_builtin(b, ABI_BUILTIN_ref_func, T_I32, 1, args));
}

/* Sizes: not worth numbering. */
static u32 reads(struct build *b, u8 op, u8 type, u32 a) {
    return ir_append(b->f, (struct ins){.op = op, .type = type, .a = a});
}

static void do_global(struct build *b) {
    struct fn *f = b->f;
    const struct wasm_global *g = &f->m->globals[b->in.a];
    if (b->in.op == WASM_OP_GLOBAL_GET) {
        u32 epoch = g->mutable ? b->global_epoch : 0;
        push(b, ir_value(f, (struct ins){.op = IR_GLOBAL_GET, .type = ir_type_of(g->type), .a = b->in.a, .c = epoch}));
    } else {
        ir_append(f, (struct ins){.op = IR_GLOBAL_SET, .a = pop(b), .b = b->in.a});
        global_changes(b);
    }
}

static u32 eqz(struct build *b, u32 v, u8 type) {
    return value2(b, IR_ICMP, T_I32, CC_EQ, v, ir_const(b->f, type, 0));
}

u32 build_is_null(struct build *b, u32 ref) { return eqz(b, ref, T_I32); }

static void do_non_null(struct build *b) {
    struct ins i = {.op = IR_CHECK, .aux = ABI_TRAP_NULL_REFERENCE, .a = b->stack.p[b->stack.n - 1]};
    ir_append(b->f, i);
}

/* Segment in the upper half, memory or table in the lower. */
static u64 pair(u32 low, u32 high) { return low | (u64)high << 32; }

/* Lower half below, upper half on top. */
static void do_wide_add(struct build *b, u8 op) {
    u32 high2 = pop(b), low2 = pop(b), high = pop(b), low = pop(b);
    u32 sum = value2(b, op, T_I64, 0, low, low2), upper = value2(b, op, T_I64, 0, high, high2);
    u32 carry = op == IR_ADD ? value2(b, IR_ICMP, T_I32, CC_ULT, sum, low) : value2(b, IR_ICMP, T_I32, CC_ULT, low, low2);
    push(b, sum);
    push(b, value2(b, op, T_I64, 0, upper, value1(b, IR_ZEXT, T_I64, 0, carry)));
}

static void do_wide_mul(struct build *b, u8 is_signed) {
    u32 y = pop(b), x = pop(b);
    push(b, value2(b, IR_MUL, T_I64, 0, x, y));
    push(b, value2(b, IR_MULH, T_I64, is_signed, x, y));
}

static void do_special(struct build *b) {
    struct wasm_instr *in = &b->in;
    switch (in->op) {
    case WASM_OP_I64_ADD128: do_wide_add(b, IR_ADD); break;
    case WASM_OP_I64_SUB128: do_wide_add(b, IR_SUB); break;
    case WASM_OP_I64_MUL_WIDE_S: do_wide_mul(b, 1); break;
    case WASM_OP_I64_MUL_WIDE_U: do_wide_mul(b, 0); break;
    case WASM_OP_NOP: break;
    case WASM_OP_DROP: pop(b); break;
    case WASM_OP_SELECT:
    case WASM_OP_SELECT_T: do_select(b); break;
    case WASM_OP_CALL: do_call(b); break;
    case WASM_OP_CALL_INDIRECT: do_call_indirect(b, in->b); break;
    case WASM_OP_CALL_REF: do_call_indirect(b, WASM_NONE); break;
    case WASM_OP_LOCAL_GET: push(b, b->locals[b->base + in->a]); break;
    case WASM_OP_LOCAL_SET: build_set_local(b, b->base + in->a, pop(b)); break;
    case WASM_OP_LOCAL_TEE: build_set_local(b, b->base + in->a, b->stack.p[b->stack.n - 1]); break;
    case WASM_OP_GLOBAL_GET:
    case WASM_OP_GLOBAL_SET: do_global(b); break;
    case WASM_OP_TABLE_GET:
    case WASM_OP_TABLE_SET:
    case WASM_OP_TABLE_GROW:
    case WASM_OP_TABLE_FILL: do_table(b); break;
    case WASM_OP_TABLE_SIZE: push(b, reads(b, IR_TABLE_SIZE, table_index(b, in->a), in->a)); break;
    case WASM_OP_MEMORY_SIZE: push(b, reads(b, IR_MEM_SIZE, memory_index(b, in->a), in->a)); break;
    case WASM_OP_MEMORY_GROW: do_memory_grow(b); break;
    case WASM_OP_I32_CONST: push(b, i32_const(b, (u32)in->bits)); break;
    case WASM_OP_I64_CONST: push(b, i64_const(b, in->bits)); break;
    case WASM_OP_F32_CONST: push(b, ir_const(b->f, T_F32, in->bits)); break;
    case WASM_OP_F64_CONST: push(b, ir_const(b->f, T_F64, in->bits)); break;
    case WASM_OP_I32_EQZ:
    case WASM_OP_REF_IS_NULL: push(b, eqz(b, pop(b), T_I32)); break;
    case WASM_OP_I64_EQZ: push(b, eqz(b, pop(b), T_I64)); break;
    case WASM_OP_REF_NULL: push(b, i32_const(b, 0)); break;
    case WASM_OP_REF_FUNC: do_ref_func(b); break;
    case WASM_OP_REF_AS_NON_NULL: do_non_null(b); break;
    case WASM_OP_MEMORY_INIT: bulk(b, ABI_BUILTIN_memory_init, pair(in->b, in->a), 1u << 1); break;
    case WASM_OP_MEMORY_COPY: bulk(b, ABI_BUILTIN_memory_copy, pair(in->a, in->b), 7u << 1); break;
    case WASM_OP_MEMORY_FILL: bulk(b, ABI_BUILTIN_memory_fill, in->a, 5u << 1); break;
    case WASM_OP_TABLE_INIT: bulk(b, ABI_BUILTIN_table_init, pair(in->b, in->a), 1u << 1); break;
    case WASM_OP_TABLE_COPY: bulk(b, ABI_BUILTIN_table_copy, pair(in->a, in->b), 7u << 1); break;
    case WASM_OP_DATA_DROP: drop_segment(b, ABI_BUILTIN_data_drop); break;
    case WASM_OP_ELEM_DROP: drop_segment(b, ABI_BUILTIN_elem_drop); break;
    default: unreachable();
    }
}

static bool needs_round_builtin(const struct build *b, struct row r) {
    return r.op == IR_FROUND && !(b->f->options->cpu & JIT_CPU_SSE41);
}

/* Without SSE4.1 rounding is a call on the bits. */
static void do_round(struct build *b, struct row r) {
    bool is64 = r.type == T_F64;
    u8 bits = is64 ? T_I64 : T_I32;
    u32 args[2] = {value1(b, IR_BITCAST, bits, 0, pop(b)), i32_const(b, r.aux)};
    u32 v = build_builtin(b, is64 ? ABI_BUILTIN_f64_round : ABI_BUILTIN_f32_round, bits, 2, args);
    push(b, value1(b, IR_BITCAST, r.type, 0, v));
}

bool build_is_simple(const struct build *b, enum wasm_op op) {
    struct row r = simple[op];
    if (r.op == IR_NOP || needs_round_builtin(b, r)) return false;
    return ir_opinfos[r.op].kind == K_PURE || r.op == IR_LOAD || r.op == IR_STORE;
}

void build_plain(struct build *b) {
    struct row r = simple[b->in.op];
    if (b->dead) return;
    if (wasm_is_vector(b->in.op)) build_vector(b);
    else if (wasm_is_atomic(b->in.op)) build_atomic(b);
    else if (r.op == IR_NOP) do_special(b);
    else if (r.op == IR_LOAD) do_load(b, r);
    else if (r.op == IR_STORE) do_store(b, r);
    else if (needs_round_builtin(b, r)) do_round(b, r);
    else do_simple(b, r);
}
