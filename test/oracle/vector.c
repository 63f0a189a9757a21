/* vector.c: WebAssembly 2.0, 4.3.4 and 4.4.3: vectors, lane by lane.
 *
 * I1 a lane operation that a scalar instruction does too is done by the oracle of that
 *    one. What is left is said here on lanes as i64 or u64, cut to their width.
 * I2 relaxed instructions have several results: they are not here.
 * I3 the codes of integer lanes repeat from 0x260 every 0x20 for i8, i16, i32, i64. */
#include <string.h>

#include "test/oracle/oracle.h"

typedef union abi_value vec;
enum { I8 = 0x260, I16 = 0x280, I32 = 0x2a0, I64 = 0x2c0, BLOCK = 0x20 };

static u64 mask(u32 width) { return width == 64 ? ~0ull : (1ull << width) - 1; }
static u64 get(vec v, u32 width, u32 k) {
    u32 at = k * width;
    return v.bits[at / 64] >> at % 64 & mask(width);
}
static i64 get_s(vec v, u32 width, u32 k) { return (i64)(get(v, width, k) << (64 - width)) >> (64 - width); }
static void set(vec *v, u32 width, u32 k, u64 x) {
    u32 at = k * width;
    u64 *word = &v->bits[at / 64];
    *word = (*word & ~(mask(width) << at % 64)) | (x & mask(width)) << at % 64;
}
static u64 clamp(i64 x, i64 low, i64 high) { return (u64)MAX(MIN(x, high), low); }
static i64 top_s(u32 width) { return (i64)(mask(width) >> 1); }

/* ---- by the scalar's oracle ---- */

static u64 scalar1(struct oracle *o, enum wasm_op op, u64 x) {
    push(o, x);
    bool known = oracle_integer(o, op) || oracle_float(o, op) || oracle_convert(o, op);
    assert(known);
    return pop(o);
}
static u64 scalar2(struct oracle *o, enum wasm_op op, u64 x, u64 y) {
    push(o, x);
    push(o, y);
    bool known = oracle_integer(o, op) || oracle_float(o, op);
    assert(known);
    return pop(o);
}

static vec map1(struct oracle *o, enum wasm_op op, u32 width, vec x) {
    vec r = {.bits = {0, 0}};
    for (u32 k = 0; k < 128 / width; k++) set(&r, width, k, scalar1(o, op, get(x, width, k)));
    return r;
}

static vec map2(struct oracle *o, enum wasm_op op, u32 width, vec x, vec y) {
    vec r = {.bits = {0, 0}};
    for (u32 k = 0; k < 128 / width; k++) set(&r, width, k, scalar2(o, op, get(x, width, k), get(y, width, k)));
    return r;
}

/* Comparisons of integers run on 64 bits, extended as the instruction says. */
static vec compare(struct oracle *o, enum wasm_op op, u32 width, bool is_signed, vec x, vec y) {
    vec r = {.bits = {0, 0}};
    for (u32 k = 0; k < 128 / width; k++) {
        u64 a = is_signed ? (u64)get_s(x, width, k) : get(x, width, k), b = is_signed ? (u64)get_s(y, width, k) : get(y, width, k);
        set(&r, width, k, scalar2(o, op, a, b) ? ~0ull : 0);
    }
    return r;
}

static bool compares(struct oracle *o, u32 op) {
    enum { FIRST = WASM_OP_I8X16_EQ, EACH = 10 };
    static const u8 wide[] = {0, 1, 2, 4, 6, 8}; /* i64x2: eq ne lt_s gt_s le_s ge_s */
    u32 kind, width;
    if (op >= FIRST && op <= WASM_OP_I32X4_GE_U) kind = (op - FIRST) % EACH, width = 8u << (op - FIRST) / EACH;
    else if (op >= WASM_OP_I64X2_EQ && op <= WASM_OP_I64X2_GE_S) kind = wide[op - WASM_OP_I64X2_EQ], width = 64;
    else if (op >= WASM_OP_F32X4_EQ && op <= WASM_OP_F64X2_GE) {
        bool dbl = op >= WASM_OP_F64X2_EQ;
        u32 scalar = dbl ? WASM_OP_F64_EQ + op - WASM_OP_F64X2_EQ : WASM_OP_F32_EQ + op - WASM_OP_F32X4_EQ;
        vec y = pop_whole(o), x = pop_whole(o);
        push_whole(o, compare(o, scalar, dbl ? 64 : 32, false, x, y));
        return true;
    } else {
        return false;
    }
    vec y = pop_whole(o), x = pop_whole(o);
    push_whole(o, compare(o, WASM_OP_I64_EQ + kind, width, kind < 2 || kind % 2 == 0, x, y));
    return true;
}

/* ---- floats ---- */

static bool is_less(struct oracle *o, bool dbl, u64 x, u64 y) { return scalar2(o, dbl ? WASM_OP_F64_LT : WASM_OP_F32_LT, x, y); }

/* pmin: y < x ? y : x; pmax: x < y ? y : x. */
static vec pseudo(struct oracle *o, bool dbl, bool max, vec x, vec y) {
    u32 width = dbl ? 64 : 32;
    for (u32 k = 0; k < 128 / width; k++) {
        u64 a = get(x, width, k), b = get(y, width, k);
        if (max ? is_less(o, dbl, a, b) : is_less(o, dbl, b, a)) set(&x, width, k, b);
    }
    return x;
}

static bool float_unary(struct oracle *o, u32 op) {
#define BOTH(name)                                                                    \
    case WASM_OP_F32X4_##name: push_whole(o, map1(o, WASM_OP_F32_##name, 32, pop_whole(o))); return true; \
    case WASM_OP_F64X2_##name: push_whole(o, map1(o, WASM_OP_F64_##name, 64, pop_whole(o))); return true;
    switch (op) {
        BOTH(CEIL) BOTH(FLOOR) BOTH(TRUNC) BOTH(NEAREST) BOTH(ABS) BOTH(NEG) BOTH(SQRT)
    default: return false;
    }
#undef BOTH
}

static bool float_binary(struct oracle *o, u32 op) {
    bool dbl = op >= WASM_OP_F64X2_ADD;
    if (op < WASM_OP_F32X4_ADD || op > WASM_OP_F64X2_PMAX || (op > WASM_OP_F32X4_PMAX && !dbl)) return false;
    u32 kind = op - (dbl ? WASM_OP_F64X2_ADD : WASM_OP_F32X4_ADD);
    vec y = pop_whole(o), x = pop_whole(o);
    if (kind >= 6) push_whole(o, pseudo(o, dbl, kind == 7, x, y));
    else push_whole(o, map2(o, (dbl ? WASM_OP_F64_ADD : WASM_OP_F32_ADD) + kind, dbl ? 64 : 32, x, y));
    return true;
}

/* Lanes 0.. of `from` bits become lanes of `to` bits, as many as both have; others are 0. */
static vec convert(struct oracle *o, enum wasm_op op, u32 from, u32 to, vec x) {
    vec r = {.bits = {0, 0}};
    for (u32 k = 0; k < 128 / MAX(from, to); k++) set(&r, to, k, scalar1(o, op, get(x, from, k)));
    return r;
}

static bool conversions(struct oracle *o, u32 op) {
    static const struct {
        u16 vector, scalar;
        u8 from, to;
    } rows[] = {
        {WASM_OP_I32X4_TRUNC_SAT_F32X4_S, WASM_OP_I32_TRUNC_SAT_F32_S, 32, 32},
        {WASM_OP_I32X4_TRUNC_SAT_F32X4_U, WASM_OP_I32_TRUNC_SAT_F32_U, 32, 32},
        {WASM_OP_I32X4_TRUNC_SAT_F64X2_S_ZERO, WASM_OP_I32_TRUNC_SAT_F64_S, 64, 32},
        {WASM_OP_I32X4_TRUNC_SAT_F64X2_U_ZERO, WASM_OP_I32_TRUNC_SAT_F64_U, 64, 32},
        {WASM_OP_F32X4_CONVERT_I32X4_S, WASM_OP_F32_CONVERT_I32_S, 32, 32},
        {WASM_OP_F32X4_CONVERT_I32X4_U, WASM_OP_F32_CONVERT_I32_U, 32, 32},
        {WASM_OP_F64X2_CONVERT_LOW_I32X4_S, WASM_OP_F64_CONVERT_I32_S, 32, 64},
        {WASM_OP_F64X2_CONVERT_LOW_I32X4_U, WASM_OP_F64_CONVERT_I32_U, 32, 64},
        {WASM_OP_F64X2_PROMOTE_LOW_F32X4, WASM_OP_F64_PROMOTE_F32, 32, 64},
        {WASM_OP_F32X4_DEMOTE_F64X2_ZERO, WASM_OP_F32_DEMOTE_F64, 64, 32},
    };
    for (u32 k = 0; k < ARRAY_LEN(rows); k++)
        if (rows[k].vector == op) {
            push_whole(o, convert(o, rows[k].scalar, rows[k].from, rows[k].to, pop_whole(o)));
            return true;
        }
    return false;
}

/* ---- integers ---- */

/* From position 0x0e of a block on: add, its saturating forms, sub, ..., avgr_u. */
static bool arithmetic(u32 place, u32 width, vec x, vec y, u32 k, u64 *r) {
    i64 a = get_s(x, width, k), b = get_s(y, width, k), high = top_s(width);
    u64 c = get(x, width, k), d = get(y, width, k);
    switch (place) {
    case 0x0e: *r = c + d; return true;
    case 0x0f: *r = clamp(a + b, -high - 1, high); return true;
    case 0x10: *r = MIN(c + d, mask(width)); return true;
    case 0x11: *r = c - d; return true;
    case 0x12: *r = clamp(a - b, -high - 1, high); return true;
    case 0x13: *r = c > d ? c - d : 0; return true;
    case 0x15: *r = c * d; return true;
    case 0x16: *r = (u64)MIN(a, b); return true;
    case 0x17: *r = MIN(c, d); return true;
    case 0x18: *r = (u64)MAX(a, b); return true;
    case 0x19: *r = MAX(c, d); return true;
    case 0x1b: *r = (c + d + 1) / 2; return true;
    default: return false;
    }
}

static u64 q15mulr(i64 a, i64 b) { return clamp((a * b + 0x4000) >> 15, INT16_MIN, INT16_MAX); }

static vec narrow(u32 width, bool is_signed, vec x, vec y) {
    vec r = {.bits = {0, 0}};
    u32 half = width / 2, n = 128 / width;
    for (u32 k = 0; k < 2 * n; k++) {
        i64 v = k < n ? get_s(x, width, k) : get_s(y, width, k - n);
        set(&r, half, k, is_signed ? clamp(v, -top_s(half) - 1, top_s(half)) : clamp(v, 0, (i64)mask(half)));
    }
    return r;
}

/* kind: low_s, high_s, low_u, high_u; of lanes half as wide. one: no factor. */
static vec extended(u32 width, u32 kind, vec x, vec y, bool one) {
    vec r = {.bits = {0, 0}};
    u32 half = width / 2, n = 128 / width;
    for (u32 k = 0; k < n; k++) {
        u32 from = k + (kind & 1 ? n : 0);
        u64 a = kind < 2 ? (u64)get_s(x, half, from) : get(x, half, from), b = kind < 2 ? (u64)get_s(y, half, from) : get(y, half, from);
        set(&r, width, k, one ? a : a * b);
    }
    return r;
}

static vec add_pairs(u32 width, bool is_signed, vec x) {
    vec r = {.bits = {0, 0}};
    u32 half = width / 2;
    for (u32 k = 0; k < 128 / width; k++)
        set(&r, width, k, is_signed ? (u64)(get_s(x, half, 2 * k) + get_s(x, half, 2 * k + 1)) : get(x, half, 2 * k) + get(x, half, 2 * k + 1));
    return r;
}

static vec shifted(u32 kind, u32 width, vec x, u32 n) {
    for (u32 k = 0; k < 128 / width; k++) {
        u64 v = get(x, width, k);
        set(&x, width, k, kind == 0 ? v << n : kind == 1 ? (u64)(get_s(x, width, k) >> n) : v >> n);
    }
    return x;
}

static vec signs(u32 width, bool abs, vec x) {
    for (u32 k = 0; k < 128 / width; k++)
        if (!abs || get_s(x, width, k) < 0) set(&x, width, k, 0 - get(x, width, k));
    return x;
}

static u64 all_true(u32 width, vec x) {
    for (u32 k = 0; k < 128 / width; k++)
        if (!get(x, width, k)) return 0;
    return 1;
}

static u64 bitmask(u32 width, vec x) {
    u64 r = 0;
    for (u32 k = 0; k < 128 / width; k++) r |= (u64)(get_s(x, width, k) < 0) << k;
    return r;
}

static bool binary(struct oracle *o, u32 op, u32 place, u32 width) {
    vec r = {.bits = {0, 0}}, y = o->sp[-1], x = o->sp[-2];
    u64 v = 0;
    if (op == WASM_OP_I16X8_Q15MULR_SAT_S) {
        for (u32 k = 0; k < 8; k++) set(&r, 16, k, q15mulr(get_s(x, 16, k), get_s(y, 16, k)));
    } else if (op == WASM_OP_I32X4_DOT_I16X8_S) {
        for (u32 k = 0; k < 4; k++)
            set(&r, 32, k, (u64)(get_s(x, 16, 2 * k) * get_s(y, 16, 2 * k)) + (u64)(get_s(x, 16, 2 * k + 1) * get_s(y, 16, 2 * k + 1)));
    } else if (place == 5 || place == 6) {
        r = narrow(2 * width, place == 5, x, y);
    } else if (place >= 0x1c && width > 8) {
        r = extended(width, place - 0x1c, x, y, false);
    } else {
        for (u32 k = 0; k < 128 / width; k++) {
            if (!arithmetic(place, width, x, y, k, &v)) return false;
            set(&r, width, k, v);
        }
    }
    o->sp -= 2;
    push_whole(o, r);
    return true;
}

/* The rows of integer lanes. The float instructions among their codes went before. */
static bool integers(struct oracle *o, u32 op) {
    if (op < I8 || op >= I64 + BLOCK) return false;
    u32 width = 8u << (op - I8) / BLOCK, place = (op - I8) % BLOCK;
    vec none = {.bits = {0, 0}};
    if (op == WASM_OP_I8X16_POPCNT) {
        push_whole(o, map1(o, WASM_OP_I32_POPCNT, 8, pop_whole(o)));
    } else if (op >= WASM_OP_I16X8_EXTADD_PAIRWISE_I8X16_S && op <= WASM_OP_I32X4_EXTADD_PAIRWISE_I16X8_U) {
        u32 k = op - WASM_OP_I16X8_EXTADD_PAIRWISE_I8X16_S;
        push_whole(o, add_pairs(k < 2 ? 16 : 32, !(k & 1), pop_whole(o)));
    } else if (place < 2) {
        push_whole(o, signs(width, !place, pop_whole(o)));
    } else if (place == 3) {
        push(o, all_true(width, pop_whole(o)));
    } else if (place == 4) {
        push(o, bitmask(width, pop_whole(o)));
    } else if (place >= 7 && place <= 0xa) {
        push_whole(o, extended(width, place - 7, pop_whole(o), none, true));
    } else if (place >= 0xb && place <= 0xd) {
        u32 n = (u32)pop(o) % width;
        push_whole(o, shifted(place - 0xb, width, pop_whole(o), n));
    } else {
        return binary(o, op, place, width);
    }
    return true;
}

/* ---- bits and bytes ---- */

static vec shuffled(const struct wasm_instr *in, vec x, vec y) {
    vec lanes = {.bits = {in->bits, in->high}}, r = lanes;
    for (u32 k = 0; k < 16; k++) {
        u32 from = (u32)get(lanes, 8, k);
        set(&r, 8, k, from < 16 ? get(x, 8, from) : get(y, 8, from - 16));
    }
    return r;
}

static vec swizzled(vec x, vec lanes) {
    vec r = lanes;
    for (u32 k = 0; k < 16; k++) set(&r, 8, k, get(lanes, 8, k) < 16 ? get(x, 8, (u32)get(lanes, 8, k)) : 0);
    return r;
}

static vec bitwise(u32 op, vec x, vec y, vec z) {
    vec r = x;
    for (u32 k = 0; k < 2; k++) {
        u64 a = x.bits[k], b = y.bits[k], c = z.bits[k];
        r.bits[k] = op == WASM_OP_V128_AND ? a & b : op == WASM_OP_V128_ANDNOT ? a & ~b : op == WASM_OP_V128_OR ? a | b
                  : op == WASM_OP_V128_XOR ? a ^ b : op == WASM_OP_V128_NOT ? ~a : (a & c) | (b & ~c);
    }
    return r;
}

static bool bits(struct oracle *o, const struct wasm_instr *in) {
    u32 op = in->op, n = wasm_opinfos[op].operand_count;
    if (op < WASM_OP_V128_CONST || op > WASM_OP_V128_ANY_TRUE) return false;
    vec v[3] = {0};
    if (op == WASM_OP_V128_CONST) {
        push_whole(o, (vec){.bits = {in->bits, in->high}});
    } else if (op == WASM_OP_I8X16_SHUFFLE || op == WASM_OP_I8X16_SWIZZLE || op >= WASM_OP_V128_NOT) {
        for (u32 k = n; k > 0; k--) v[k - 1] = pop_whole(o);
        if (op == WASM_OP_V128_ANY_TRUE) push(o, v[0].bits[0] || v[0].bits[1]);
        else if (op == WASM_OP_I8X16_SHUFFLE) push_whole(o, shuffled(in, v[0], v[1]));
        else push_whole(o, op == WASM_OP_I8X16_SWIZZLE ? swizzled(v[0], v[1]) : bitwise(op, v[0], v[1], v[2]));
    } else {
        return false;
    }
    return true;
}

/* ---- lanes and memory ---- */

static vec splat(u32 width, u64 x) {
    vec r = {.bits = {0, 0}};
    for (u32 k = 0; k < 128 / width; k++) set(&r, width, k, x);
    return r;
}

static bool lanes(struct oracle *o, const struct wasm_instr *in) {
    u32 op = in->op;
    if (op >= WASM_OP_I8X16_SPLAT && op <= WASM_OP_F64X2_SPLAT) {
        static const u8 widths[] = {8, 16, 32, 64, 32, 64};
        push_whole(o, splat(widths[op - WASM_OP_I8X16_SPLAT], pop(o)));
        return true;
    }
    if (wasm_opinfos[op].imm != WASM_IMM_LANE) return false;
    u32 width = 128u >> wasm_opinfos[op].align;
    if (wasm_opinfos[op].operand_count == 2) {
        u64 x = pop(o);
        set(&o->sp[-1], width, in->lane, x);
        return true;
    }
    vec v = pop_whole(o);
    bool is_signed = op == WASM_OP_I8X16_EXTRACT_LANE_S || op == WASM_OP_I16X8_EXTRACT_LANE_S;
    push(o, is_signed ? (u32)get_s(v, width, in->lane) : get(v, width, in->lane));
    return true;
}

/* What came of the load: extended, repeated, or alone. */
static vec loaded(u32 op, u32 n, vec v) {
    vec none = {.bits = {0, 0}};
    if (op >= WASM_OP_V128_LOAD8_SPLAT && op <= WASM_OP_V128_LOAD64_SPLAT) return splat(8 * n, v.bits[0]);
    if (op < WASM_OP_V128_LOAD8X8_S || op > WASM_OP_V128_LOAD32X2_U) return v;
    u32 k = op - WASM_OP_V128_LOAD8X8_S;
    return extended(16u << k / 2, k & 1 ? 2 : 0, v, none, true);
}

static bool memory(struct oracle *o, const struct wasm_instr *in) {
    bool lane = wasm_opinfos[in->op].imm == WASM_IMM_MEMARG_LANE, store = !wasm_opinfos[in->op].result_count;
    if (!lane && wasm_opinfos[in->op].imm != WASM_IMM_MEMARG) return false;
    u32 n = 1u << wasm_opinfos[in->op].align;
    vec v = lane || store ? pop_whole(o) : (vec){.bits = {0, 0}}, x = v;
    u64 index = pop(o);
    u8 *at = oracle_place(o, in, index, n);
    if (store) {
        if (lane) x.bits[0] = get(v, 8 * n, in->lane);
        if (at) memcpy(at, &x, n);
        return true;
    }
    x = (vec){.bits = {0, 0}};
    if (at) memcpy(&x, at, n);
    if (lane) set(&v, 8 * n, in->lane, x.bits[0]);
    push_whole(o, lane ? v : loaded(in->op, n, x));
    return true;
}

bool oracle_vector(struct oracle *o, const struct wasm_instr *in) {
    if (!wasm_is_vector(in->op)) return false;
    return memory(o, in) || bits(o, in) || lanes(o, in) || compares(o, in->op) || float_unary(o, in->op) ||
           float_binary(o, in->op) || conversions(o, in->op) || integers(o, in->op);
}
