/* build_ops.c: the instructions that are not control and have no row (build_rows.c).
 *
 * I1 references are i32 handles, 0 for null. */
#include "base/fault.h"
#include "jit/build.h"

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

bool build_checks(const struct build *b, u32 memory) {
    return b->f->options->checked_memory || !wasm_memory_guarded(&b->f->m->memories[memory]);
}

/* The access of the instruction at hand; the same one again if it just was. */
u32 build_access(struct build *b) {
    struct fn *f = b->f;
    struct access a = {b->in.b, build_checks(b, b->in.b), b->in.bits};
    if (a.offset > ABI_MAX_DISP) a.checked = true; /* no displacement */
    for (u32 k = f->accesses.n; k && k + 4 > f->accesses.n; k--) {
        const struct access *x = &f->accesses.p[k - 1];
        if (x->memory == a.memory && x->offset == a.offset) return k - 1;
    }
    VEC_PUSH(f, f->accesses, a);
    return f->accesses.n - 1;
}

static void do_select(struct build *b) {
    u32 cond = build_condition(b, pop(b)), no = pop(b), yes = pop(b);
    struct ins i = ir_make(IR_SELECT, b->f->ins.p[yes].type, 0, yes, no, cond);
    push(b, ir_value(b->f, i));
}

static void call_changes(struct build *b) {
    memory_changes(b);
    if (!fault(STALE_GLOBAL)) global_changes(b);
}

/* Results of a call: the call itself is the first, RESULTs follow it. */
static void push_results(struct build *b, u32 call, const struct wasm_functype *t) {
    b->f->calls = true;
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

void build_call(struct build *b, u32 func) {
    if (build_inlines(b, func)) {
        build_enter(b, func);
        return;
    }
    const struct wasm_functype *t = &b->f->m->types[b->f->m->funcs[func].type];
    u32 args = build_pool_args(b, t->param_count);
    struct ins i = ir_make(IR_CALL, T_NONE, 0, args, t->param_count, func);
    push_results(b, ir_append(b->f, i), t);
}

/* Through a table, or with WASM_NONE the function of a reference. */
static void do_call_indirect(struct build *b, u32 table) {
    struct fn *f = b->f;
    const struct wasm_functype *t = &f->m->types[b->in.a];
    VEC_PUSH(f, f->pool, table);
    ir_index(f, b->stack.p[b->stack.n - 1]);
    u32 args = build_pool_args(b, t->param_count + 1);
    struct ins i = {.op = IR_CALL_INDIRECT, .a = args, .b = t->param_count + 1, .c = b->in.a};
    push_results(b, ir_append(f, i), t);
}

void build_tail_call(struct build *b) {
    struct fn *f = b->f;
    bool direct = b->in.op == WASM_OP_RETURN_CALL, table = b->in.op == WASM_OP_RETURN_CALL_INDIRECT;
    u32 type = direct ? f->m->funcs[b->in.a].type : b->in.a;
    u32 n = f->m->types[type].param_count + !direct;
    if (!direct) {
        VEC_PUSH(f, f->pool, table ? b->in.b : WASM_NONE);
        ir_index(f, b->stack.p[b->stack.n - 1]);
    }
    struct ins i = {.op = direct ? IR_TAIL_CALL : IR_TAIL_INDIRECT, .a = build_pool_args(b, n), .b = n, .c = b->in.a};
    build_end_block(b, i);
}

u32 build_builtin(struct build *b, enum abi_builtin which, u8 type, u32 n, const u32 *args) {
    struct fn *f = b->f;
    u32 start = f->pool.n;
    for (u32 k = 0; k < n; k++) VEC_PUSH(f, f->pool, args[k]);
    struct ins i = {.op = IR_CALL_BUILTIN, .type = type, .aux = (u8)which, .a = start, .b = n};
    f->calls = true;
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

u32 build_eqz(struct build *b, u32 v, u8 type) {
    return value2(b, IR_ICMP, T_I32, CC_EQ, v, ir_const(b->f, type, 0));
}

u32 build_is_null(struct build *b, u32 ref) { return build_eqz(b, ref, T_I32); }

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

void build_plain(struct build *b) {
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
    case WASM_OP_CALL: build_call(b, b->in.a); break;
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
    case WASM_OP_REF_IS_NULL: push(b, build_eqz(b, pop(b), T_I32)); break;
    case WASM_OP_I64_EQZ: push(b, build_eqz(b, pop(b), T_I64)); break;
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
    default: build_row(b);
    }
}
