/* build_atomic.c: instructions behind the prefix 0xfe.
 *
 * I1 nothing is read across one of them: each bumps the memory's epoch.
 * I2 they come in sevens of the same shapes, in the order of `shapes`. */
#include "jit/build.h"

static const struct {
    u8 type, access;
} shapes[] = {
    {T_I32, A_U32}, {T_I64, A_64}, {T_I32, A_U8}, {T_I32, A_U16}, {T_I64, A_U8}, {T_I64, A_U16}, {T_I64, A_U32},
};

enum { LOADS, STORES, RMWS, CMPXCHGS = RMWS + RMW_XCHG + 1 };
static_assert(WASM_OP_I32_ATOMIC_RMW_CMPXCHG - WASM_OP_I32_ATOMIC_LOAD == CMPXCHGS * ARRAY_LEN(shapes), "I2");

/* (memory, index, offset, operands of the instruction...): rt checks it all. */
static void waits(struct build *b) {
    static const u8 which[] = {ABI_BUILTIN_atomic_notify, ABI_BUILTIN_atomic_wait32, ABI_BUILTIN_atomic_wait64};
    u32 n = b->in.op == WASM_OP_MEMORY_NOTIFY ? 4 : 5, args[5];
    for (u32 k = n; k > 3; k--) args[k - 1] = pop(b);
    args[0] = ir_const(b->f, T_I32, b->in.b);
    args[1] = build_to_i64(b, pop(b));
    args[2] = ir_const(b->f, T_I64, b->in.bits);
    push(b, build_builtin(b, which[b->in.op - WASM_OP_MEMORY_NOTIFY], T_I32, n, args));
}

static u32 compare_exchange(struct build *b, u8 type, u8 access, u32 where) {
    struct fn *f = b->f;
    u32 args[3];
    for (u32 k = 3; k; k--) args[k - 1] = pop(b);
    u32 start = f->pool.n;
    for (u32 k = 0; k < 3; k++) VEC_PUSH(f, f->pool, args[k]);
    return ir_append(f, (struct ins){.op = IR_ATOMIC_CMPXCHG, .type = type, .aux = access, .a = start, .b = 3, .c = where});
}

/* STORE or RMW: operands (index, value). */
static void write_value(struct build *b, u32 kind, u8 type, u8 access, u32 where) {
    u32 value = pop(b), at = pop(b);
    struct ins i = {.op = IR_ATOMIC_STORE, .aux = access, .a = at, .b = value, .c = where};
    if (kind == STORES) {
        ir_append(b->f, i);
        return;
    }
    i.op = IR_ATOMIC_RMW;
    i.type = type;
    i.aux = (u8)(access | (kind - RMWS) << 4);
    push(b, ir_append(b->f, i));
}

void build_atomic(struct build *b) {
    struct fn *f = b->f;
    memory_changes(b);
    if (b->in.op == WASM_OP_ATOMIC_FENCE) {
        ir_append(f, (struct ins){.op = IR_FENCE});
        return;
    }
    if (b->in.op < WASM_OP_I32_ATOMIC_LOAD) {
        waits(b);
        return;
    }
    u32 n = b->in.op - WASM_OP_I32_ATOMIC_LOAD, kind = n / ARRAY_LEN(shapes), where = build_access(b);
    u8 type = shapes[n % ARRAY_LEN(shapes)].type, access = shapes[n % ARRAY_LEN(shapes)].access;
    if (kind == LOADS)
        push(b, ir_append(f, (struct ins){.op = IR_ATOMIC_LOAD, .type = type, .aux = access, .a = pop(b), .b = where}));
    else if (kind == CMPXCHGS) push(b, compare_exchange(b, type, access, where));
    else write_value(b, kind, type, access, where);
}
