/* short.h: numbers of at most four bytes (LEB128, WebAssembly 2.0, 5.2.2), read
 * without a look at the end at every byte: for the two loops that read most
 * instructions of all code.
 *
 * I1 the caller has seen that four bytes may be read at *p. A longer number is
 *    left where it is: what may be wrong with one is not decided here. */
#ifndef WHELK_WASM_SHORT_H
#define WHELK_WASM_SHORT_H

#include "base/mem.h"
#include "base/types.h"

enum { SHORT_BYTES = 9 }; /* so many are read at most: an opcode and eight bytes */

/* How many bytes it has; 0: more than four. */
static INLINE u32 short_length(const u8 *p) {
    u32 x;
    if (likely(p[0] < 0x80)) return 1;
    memcpy(&x, p, sizeof x);
    u32 ends = ~x & 0x80808080;
    return ends ? (u32)__builtin_ctz(ends) / 8 + 1 : 0;
}

static INLINE bool short_skip(const u8 **p) {
    u32 n = short_length(*p);
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
    u32 n = short_length(at);
    *p += n;
    *out = n == 1 ? at[0] : short_join(at, n);
    return n;
}

static INLINE bool short_i32(const u8 **p, i32 *out) {
    const u8 *at = *p;
    u32 n = short_length(at);
    *p += n;
    *out = (i32)(short_join(at, n) << (32 - 7 * n) % 32) >> (32 - 7 * n) % 32;
    return n;
}

#endif
