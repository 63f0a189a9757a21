/* integer.c: WebAssembly 2.0, 4.3.2, as directly as C can say it. i32 values
 * are kept zero-extended. */
#include "test/oracle/oracle.h"

typedef unsigned __int128 u128;
typedef __int128 i128;

static u64 divide(struct oracle *o, u64 a, u64 b, unsigned bits, bool is_signed, bool rem) {
    i64 x = bits == 32 ? (i32)a : (i64)a, y = bits == 32 ? (i32)b : (i64)b;
    i64 min = bits == 32 ? INT32_MIN : INT64_MIN;
    if (!y) {
        oracle_trap(o, ABI_TRAP_DIVIDE_BY_ZERO);
        return 0;
    }
    if (!is_signed) return rem ? a % b : a / b;
    if (x == min && y == -1) {
        if (!rem) oracle_trap(o, ABI_TRAP_INTEGER_OVERFLOW);
        return 0;
    }
    return (u64)(rem ? x % y : x / y);
}

static u64 rotate_left(u64 a, u64 n, unsigned bits) {
    n %= bits;
    if (!n) return a;
    return a << n | a >> (bits - n); /* a has no bits above `bits` */
}

static u64 count(u64 a, unsigned bits, enum wasm_op kind) {
    u64 n = 0;
    if (kind == WASM_OP_I32_POPCNT) {
        for (; a; a &= a - 1) n++;
    } else if (kind == WASM_OP_I32_CLZ) {
        while (n < bits && !(a >> (bits - 1 - n) & 1)) n++;
    } else {
        while (n < bits && !(a >> n & 1)) n++;
    }
    return n;
}

/* op is the 32-bit twin of the instruction: both widths share one switch. */
static u64 binary(struct oracle *o, enum wasm_op op, u64 a, u64 b, unsigned bits) {
    i64 x = bits == 32 ? (i32)a : (i64)a;
    unsigned shift = (unsigned)b % bits;
    switch (op) {
    case WASM_OP_I32_ADD: return a + b;
    case WASM_OP_I32_SUB: return a - b;
    case WASM_OP_I32_MUL: return a * b;
    case WASM_OP_I32_DIV_S: return divide(o, a, b, bits, true, false);
    case WASM_OP_I32_DIV_U: return divide(o, a, b, bits, false, false);
    case WASM_OP_I32_REM_S: return divide(o, a, b, bits, true, true);
    case WASM_OP_I32_REM_U: return divide(o, a, b, bits, false, true);
    case WASM_OP_I32_AND: return a & b;
    case WASM_OP_I32_OR: return a | b;
    case WASM_OP_I32_XOR: return a ^ b;
    case WASM_OP_I32_SHL: return a << shift;
    case WASM_OP_I32_SHR_S: return (u64)(x >> shift);
    case WASM_OP_I32_SHR_U: return a >> shift;
    case WASM_OP_I32_ROTL: return rotate_left(a, shift, bits);
    case WASM_OP_I32_ROTR: return rotate_left(a, bits - shift, bits);
    default: unreachable();
    }
}

static bool compare(enum wasm_op op, u64 a, u64 b, unsigned bits) {
    i64 x = bits == 32 ? (i32)a : (i64)a, y = bits == 32 ? (i32)b : (i64)b;
    switch (op) {
    case WASM_OP_I32_EQ: return a == b;
    case WASM_OP_I32_NE: return a != b;
    case WASM_OP_I32_LT_S: return x < y;
    case WASM_OP_I32_LT_U: return a < b;
    case WASM_OP_I32_GT_S: return x > y;
    case WASM_OP_I32_GT_U: return a > b;
    case WASM_OP_I32_LE_S: return x <= y;
    case WASM_OP_I32_LE_U: return a <= b;
    case WASM_OP_I32_GE_S: return x >= y;
    case WASM_OP_I32_GE_U: return a >= b;
    default: unreachable();
    }
}

static bool extend(struct oracle *o, enum wasm_op op) {
    u64 v = o->sp > o->stack ? o->sp[-1].i64 : 0;
    switch (op) {
    case WASM_OP_I32_EXTEND8_S: v = (u32)(i8)v; break;
    case WASM_OP_I32_EXTEND16_S: v = (u32)(i16)v; break;
    case WASM_OP_I64_EXTEND8_S: v = (u64)(i8)v; break;
    case WASM_OP_I64_EXTEND16_S: v = (u64)(i16)v; break;
    case WASM_OP_I64_EXTEND32_S: v = (u64)(i32)v; break;
    case WASM_OP_I32_WRAP_I64: v = (u32)v; break;
    case WASM_OP_I64_EXTEND_I32_S: v = (u64)(i32)v; break;
    case WASM_OP_I64_EXTEND_I32_U: v = (u32)v; break;
    default: return false;
    }
    o->sp[-1].i64 = v;
    return true;
}

static u128 take_wide(struct oracle *o) {
    u64 high = pop(o);
    return (u128)high << 64 | pop(o);
}

/* The wide-arithmetic proposal: pairs of i64, the low half deepest. */
static bool wide_arithmetic(struct oracle *o, enum wasm_op op) {
    if (op < WASM_OP_I64_ADD128 || op > WASM_OP_I64_MUL_WIDE_U) return false;
    u128 r;
    if (op <= WASM_OP_I64_SUB128) {
        u128 y = take_wide(o), x = take_wide(o);
        r = op == WASM_OP_I64_ADD128 ? x + y : x - y;
    } else {
        u64 y = pop(o), x = pop(o);
        r = op == WASM_OP_I64_MUL_WIDE_U ? (u128)x * y : (u128)((i128)(i64)x * (i64)y);
    }
    push(o, (u64)r);
    push(o, (u64)(r >> 64));
    return true;
}

bool oracle_integer(struct oracle *o, enum wasm_op op) {
    if (wide_arithmetic(o, op)) return true;
    bool wide = (op >= WASM_OP_I64_EQZ && op <= WASM_OP_I64_GE_U) || (op >= WASM_OP_I64_CLZ && op <= WASM_OP_I64_ROTR);
    unsigned bits = wide ? 64 : 32;
    enum wasm_op twin = op;
    if (op >= WASM_OP_I64_EQZ && op <= WASM_OP_I64_GE_U) twin = op - WASM_OP_I64_EQZ + WASM_OP_I32_EQZ;
    if (op >= WASM_OP_I64_CLZ && op <= WASM_OP_I64_ROTR) twin = op - WASM_OP_I64_CLZ + WASM_OP_I32_CLZ;
    if (twin == WASM_OP_I32_EQZ) {
        push(o, pop(o) == 0);
    } else if (twin >= WASM_OP_I32_EQ && twin <= WASM_OP_I32_GE_U) {
        u64 b = pop(o), a = pop(o);
        push(o, compare(twin, a, b, bits));
    } else if (twin >= WASM_OP_I32_CLZ && twin <= WASM_OP_I32_POPCNT) {
        push(o, count(pop(o), bits, twin));
    } else if (twin >= WASM_OP_I32_ADD && twin <= WASM_OP_I32_ROTR) {
        u64 b = pop(o), a = pop(o), r = binary(o, twin, a, b, bits);
        push(o, wide ? r : (u32)r);
    } else {
        return extend(o, op);
    }
    return true;
}
