/* float.c: WebAssembly 2.0, 4.3.3. The host's IEEE arithmetic in the default
 * rounding mode is the semantics; what C leaves open (min, max, nearest, NaN
 * signs) is written out. NaN bits are the host's: callers compare NaNs as one. */
#include <math.h>
#include <string.h>

#include "test/oracle/oracle.h"

static double f64_of(u64 v) {
    double d;
    memcpy(&d, &v, 8);
    return d;
}
static u64 bits_of_f64(double d) {
    u64 v;
    memcpy(&v, &d, 8);
    return v;
}
static float f32_of(u64 v) {
    float f;
    u32 low = (u32)v;
    memcpy(&f, &low, 4);
    return f;
}
static u64 bits_of_f32(float f) {
    u32 v;
    memcpy(&v, &f, 4);
    return v;
}

/* One body for both widths: T the type, S the suffix of libm's names. */
#define DEFINE(T, W, S)                                                                             \
    static T min_##W(T a, T b) {                                                                    \
        if (a != a || b != b) return a + b;                                                         \
        if (a == 0 && b == 0) return signbit(a) ? a : b;                                            \
        return a < b ? a : b;                                                                       \
    }                                                                                               \
    static T max_##W(T a, T b) {                                                                    \
        if (a != a || b != b) return a + b;                                                         \
        if (a == 0 && b == 0) return signbit(a) ? b : a;                                            \
        return a > b ? a : b;                                                                       \
    }                                                                                               \
    static bool unary_##W(struct oracle *o, enum wasm_op op) {                                      \
        T a = W##_of(o->sp[-1].i64), r;                                                                 \
        switch (op) {                                                                               \
        case WASM_OP_F32_CEIL: r = ceil##S(a); break;                                               \
        case WASM_OP_F32_FLOOR: r = floor##S(a); break;                                             \
        case WASM_OP_F32_TRUNC: r = trunc##S(a); break;                                             \
        case WASM_OP_F32_NEAREST: r = rint##S(a); break;                                            \
        case WASM_OP_F32_SQRT: r = sqrt##S(a); break;                                               \
        default: return false;                                                                      \
        }                                                                                           \
        o->sp[-1].i64 = bits_of_##W(r);                                                                 \
        return true;                                                                                \
    }                                                                                               \
    static bool binary_##W(struct oracle *o, enum wasm_op op) {                                     \
        if (op < WASM_OP_F32_ADD || op > WASM_OP_F32_MAX) return false;                             \
        T b = W##_of(pop(o)), a = W##_of(pop(o)), r;                                                \
        switch (op) {                                                                               \
        case WASM_OP_F32_ADD: r = a + b; break;                                                     \
        case WASM_OP_F32_SUB: r = a - b; break;                                                     \
        case WASM_OP_F32_MUL: r = a * b; break;                                                     \
        case WASM_OP_F32_DIV: r = a / b; break;                                                     \
        case WASM_OP_F32_MIN: r = min_##W(a, b); break;                                             \
        default: r = max_##W(a, b); break;                                                          \
        }                                                                                           \
        push(o, bits_of_##W(r));                                                                    \
        return true;                                                                                \
    }                                                                                               \
    static bool compare_##W(struct oracle *o, enum wasm_op op) {                                    \
        if (op < WASM_OP_F32_EQ || op > WASM_OP_F32_GE) return false;                               \
        T b = W##_of(pop(o)), a = W##_of(pop(o));                                                   \
        switch (op) {                                                                               \
        case WASM_OP_F32_EQ: push(o, a == b); break;                                                \
        case WASM_OP_F32_NE: push(o, a != b); break;                                                \
        case WASM_OP_F32_LT: push(o, a < b); break;                                                 \
        case WASM_OP_F32_GT: push(o, a > b); break;                                                 \
        case WASM_OP_F32_LE: push(o, a <= b); break;                                                \
        default: push(o, a >= b); break;                                                            \
        }                                                                                           \
        return true;                                                                                \
    }
DEFINE(float, f32, f)
DEFINE(double, f64, )

/* abs, neg and copysign are about bits (4.3.3, NaNs included). */
static bool signs(struct oracle *o, enum wasm_op op, u64 sign) {
    if (op == WASM_OP_F32_ABS) o->sp[-1].i64 &= ~sign;
    else if (op == WASM_OP_F32_NEG) o->sp[-1].i64 ^= sign;
    else if (op == WASM_OP_F32_COPYSIGN) {
        u64 b = pop(o);
        o->sp[-1].i64 = (o->sp[-1].i64 & ~sign) | (b & sign);
    } else {
        return false;
    }
    return true;
}

bool oracle_float(struct oracle *o, enum wasm_op op) {
    if (op >= WASM_OP_F32_EQ && op <= WASM_OP_F32_GE) return compare_f32(o, op);
    if (op >= WASM_OP_F64_EQ && op <= WASM_OP_F64_GE) return compare_f64(o, op - WASM_OP_F64_EQ + WASM_OP_F32_EQ);
    if (op >= WASM_OP_F32_ABS && op <= WASM_OP_F32_COPYSIGN)
        return signs(o, op, 1u << 31) || unary_f32(o, op) || binary_f32(o, op);
    if (op >= WASM_OP_F64_ABS && op <= WASM_OP_F64_COPYSIGN) {
        op = op - WASM_OP_F64_ABS + WASM_OP_F32_ABS;
        return signs(o, op, 1ull << 63) || unary_f64(o, op) || binary_f64(o, op);
    }
    return false;
}

/* Float to integer: the value must lie strictly between low and high. */
static u64 truncate(struct oracle *o, double v, bool wide, bool is_signed, bool saturate) {
    double high = is_signed ? (wide ? 0x1p63 : 0x1p31) : (wide ? 0x1p64 : 0x1p32);
    double low = is_signed ? -high : 0;
    if (v != v) {
        if (!saturate) oracle_trap(o, ABI_TRAP_BAD_CONVERSION);
        return 0;
    }
    double t = trunc(v);
    if (t < low) {
        if (!saturate) oracle_trap(o, ABI_TRAP_INTEGER_OVERFLOW);
        return !is_signed ? 0 : wide ? (u64)INT64_MIN : (u32)INT32_MIN;
    }
    if (t >= high) {
        if (!saturate) oracle_trap(o, ABI_TRAP_INTEGER_OVERFLOW);
        return is_signed ? (wide ? INT64_MAX : INT32_MAX) : (wide ? UINT64_MAX : UINT32_MAX);
    }
    u64 r = is_signed ? (u64)(i64)t : (u64)t;
    return wide ? r : (u32)r;
}

/* The truncations come in rows of four: f32 s, f32 u, f64 s, f64 u. */
static bool truncations(struct oracle *o, enum wasm_op op) {
    unsigned row, i;
    if (op >= WASM_OP_I32_TRUNC_F32_S && op <= WASM_OP_I32_TRUNC_F64_U) row = 0, i = op - WASM_OP_I32_TRUNC_F32_S;
    else if (op >= WASM_OP_I64_TRUNC_F32_S && op <= WASM_OP_I64_TRUNC_F64_U) row = 1, i = op - WASM_OP_I64_TRUNC_F32_S;
    else if (op >= WASM_OP_I32_TRUNC_SAT_F32_S && op <= WASM_OP_I32_TRUNC_SAT_F64_U)
        row = 2, i = op - WASM_OP_I32_TRUNC_SAT_F32_S;
    else if (op >= WASM_OP_I64_TRUNC_SAT_F32_S && op <= WASM_OP_I64_TRUNC_SAT_F64_U)
        row = 3, i = op - WASM_OP_I64_TRUNC_SAT_F32_S;
    else return false;
    u64 a = pop(o);
    push(o, truncate(o, i < 2 ? f32_of(a) : f64_of(a), row & 1, !(i & 1), row >= 2));
    return true;
}

bool oracle_convert(struct oracle *o, enum wasm_op op) {
    if (truncations(o, op)) return true;
    u64 a = o->sp > o->stack ? o->sp[-1].i64 : 0;
    switch (op) {
    case WASM_OP_F32_CONVERT_I32_S: a = bits_of_f32((float)(i32)a); break;
    case WASM_OP_F32_CONVERT_I32_U: a = bits_of_f32((float)(u32)a); break;
    case WASM_OP_F32_CONVERT_I64_S: a = bits_of_f32((float)(i64)a); break;
    case WASM_OP_F32_CONVERT_I64_U: a = bits_of_f32((float)a); break;
    case WASM_OP_F32_DEMOTE_F64: a = bits_of_f32((float)f64_of(a)); break;
    case WASM_OP_F64_CONVERT_I32_S: a = bits_of_f64((double)(i32)a); break;
    case WASM_OP_F64_CONVERT_I32_U: a = bits_of_f64((double)(u32)a); break;
    case WASM_OP_F64_CONVERT_I64_S: a = bits_of_f64((double)(i64)a); break;
    case WASM_OP_F64_CONVERT_I64_U: a = bits_of_f64((double)a); break;
    case WASM_OP_F64_PROMOTE_F32: a = bits_of_f64((double)f32_of(a)); break;
    case WASM_OP_I32_REINTERPRET_F32:
    case WASM_OP_I64_REINTERPRET_F64:
    case WASM_OP_F32_REINTERPRET_I32:
    case WASM_OP_F64_REINTERPRET_I64: break;
    default: return false;
    }
    o->sp[-1].i64 = a;
    return true;
}
