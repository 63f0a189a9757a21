/* short.h: numbers of 32 bits (LEB128, WebAssembly 2.0, 5.2.2), read without a look
 * at the end at every byte: for the two loops that read most instructions of all code.
 *
 * I1 the caller has seen that five bytes may be read at *p. A number that is longer
 *    or larger is left where it is: what may be wrong with one is not decided here.
 * Most have one byte. Linkers leave room: indices of functions and addresses have five.
 *
 * Who reads instructions: validate_short and build_short read and act at once; what they
 * leave wasm_take_short reads into a struct wasm_instr; and what that leaves, or nobody
 * may have, wasm_take_instr, which says what is wrong with it. */
#ifndef WHELK_WASM_SHORT_H
#define WHELK_WASM_SHORT_H

#include "base/mem.h"
#include "wasm/opcodes.h"

enum { SHORT_BYTES = 9 }; /* so many are read at most: an opcode and eight bytes */

/* How many bytes it has; 0: more than four. */
static INLINE u32 short_length(const u8 *p) {
    u32 x;
    if (likely(p[0] < 0x80)) return 1;
    memcpy(&x, p, sizeof x);
    u32 ends = ~x & 0x80808080;
    return ends ? (u32)__builtin_ctz(ends) / 8 + 1 : 0;
}

/* The same up to five, of which the last has four bits, or copies of the sign. */
static INLINE u32 short_length_u32(const u8 *p) {
    u32 n = short_length(p);
    return n ? n : p[4] < 0x10 ? 5 : 0;
}
static INLINE u32 short_length_i32(const u8 *p) {
    u32 n = short_length(p);
    return n ? n : p[4] < 0x08 || (p[4] & 0xf8) == 0x78 ? 5 : 0;
}

static INLINE bool short_skip_u32(const u8 **p) {
    u32 n = short_length_u32(*p);
    *p += n;
    return n;
}
static INLINE bool short_skip_i32(const u8 **p) {
    u32 n = short_length_i32(*p);
    *p += n;
    return n;
}

static INLINE u32 short_join(const u8 *p, u32 n) {
    u32 x = p[0] & 0x7f;
    for (u32 i = 1; i < n; i++) x |= (p[i] & 0x7fu) << 7 * i;
    return x;
}

static INLINE bool short_u32(const u8 **p, u32 *out) {
    const u8 *at = *p;
    u32 n = short_length_u32(at);
    *p += n;
    *out = n == 1 ? at[0] : short_join(at, n);
    return n;
}

static INLINE bool short_i32(const u8 **p, i32 *out) {
    const u8 *at = *p;
    u32 n = short_length_i32(at), spare = n < 5 ? 32 - 7 * n : 0;
    *p += n;
    *out = (i32)(short_join(at, n) << spare % 32) >> spare % 32;
    return n;
}

/* Most instructions: of one byte, and with short numbers. What out has of no use to
 * the instruction stays. False: it is none of those, or not a right one; nothing
 * has moved. */
static INLINE bool wasm_take_short(struct cursor *c, struct wasm_instr *out) {
    const u8 *p = c->p;
    u32 number;
    i32 sign;
    if (unlikely(c->end - p < SHORT_BYTES)) return false;
    u8 op = *p++;
    const struct wasm_opinfo *info = &wasm_opinfos[op];
    if (op >= WASM_PREFIX || !info->text) return false;
    switch ((enum wasm_immediate)info->imm) {
    case WASM_IMM_NONE: break;
    case WASM_IMM_I32:
        if (!short_i32(&p, &sign)) return false;
        out->bits = (u32)sign;
        break;
    case WASM_IMM_I64:
        if (!short_i32(&p, &sign)) return false;
        out->bits = (u64)(i64)sign;
        break;
    case WASM_IMM_BLOCK:
        if (*p++ != 0x40) return false;
        out->bits = WASM_BLOCK_EMPTY;
        break;
    case WASM_IMM_LABEL:
    case WASM_IMM_FUNC:
    case WASM_IMM_LOCAL:
    case WASM_IMM_GLOBAL:
        if (!short_u32(&p, &out->a)) return false;
        break;
    case WASM_IMM_MEMARG:
        if (*p & 0xc0) return false;
        out->a = *p++, out->b = 0;
        if (!short_u32(&p, &number)) return false;
        out->bits = number;
        break;
    default: return false;
    }
    out->op = (enum wasm_op)op;
    c->p = p;
    return true;
}

#endif
