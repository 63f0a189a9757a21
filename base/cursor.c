#include "base/cursor.h"

#include "base/fault.h"
#include "base/mem.h"

enum err take_bytes(struct cursor *c, size_t n, struct bytes *out) {
    if (cursor_left(c) < n) return ERR_TRUNCATED;
    *out = (struct bytes){c->p, n};
    c->p += n;
    return ERR_OK;
}

static enum err take_raw(struct cursor *c, void *out, size_t n) {
    struct bytes b;
    enum err e = take_bytes(c, n, &b);
    if (e) return e;
    memcpy(out, b.p, n); /* x86-64 and aarch64 are little-endian */
    return ERR_OK;
}

enum err take_le16(struct cursor *c, u16 *out) { return take_raw(c, out, sizeof *out); }
enum err take_le32(struct cursor *c, u32 *out) { return take_raw(c, out, sizeof *out); }
enum err take_le64(struct cursor *c, u64 *out) { return take_raw(c, out, sizeof *out); }

static enum err take_unsigned(struct cursor *c, unsigned bits, u64 *out) {
    const u8 *p = c->p;
    u64 value = 0;
    for (unsigned shift = 0;; shift += 7) {
        if (p == c->end && !fault(LEB_LENGTH)) return ERR_TRUNCATED;
        u8 byte = *p++;
        if (bits - shift < 7 && (byte & 0x7f) >> (bits - shift)) return ERR_MALFORMED;
        value |= (u64)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) break;
        if (shift + 7 >= bits) return ERR_MALFORMED;
    }
    c->p = p;
    *out = value;
    return ERR_OK;
}

/* In the last byte the bits from the sign bit upwards must all be equal. */
static bool sign_is_clean(u8 byte, unsigned bits_left) {
    u8 high = (byte & 0x7f) >> (bits_left - 1);
    return high == 0 || high == 0x7f >> (bits_left - 1);
}

static enum err take_signed(struct cursor *c, unsigned bits, i64 *out) {
    const u8 *p = c->p;
    u64 value = 0;
    unsigned shift = 0;
    u8 byte;
    do {
        if (p == c->end) return ERR_TRUNCATED;
        if (shift >= bits) return ERR_MALFORMED;
        byte = *p++;
        if (bits - shift < 7 && !sign_is_clean(byte, bits - shift)) return ERR_MALFORMED;
        value |= (u64)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (shift < 64 && byte & 0x40) value |= ~(u64)0 << shift;
    c->p = p;
    *out = (i64)value;
    return ERR_OK;
}

enum err take_leb_u32(struct cursor *c, u32 *out) {
    u64 v;
    enum err e = take_unsigned(c, 32, &v);
    if (!e) *out = (u32)v;
    return e;
}

enum err take_leb_u64(struct cursor *c, u64 *out) { return take_unsigned(c, 64, out); }

enum err take_leb_i32(struct cursor *c, i32 *out) {
    i64 v;
    enum err e = take_signed(c, 32, &v);
    if (!e) *out = (i32)v;
    return e;
}

enum err take_leb_i33(struct cursor *c, i64 *out) { return take_signed(c, 33, out); }
enum err take_leb_i64(struct cursor *c, i64 *out) { return take_signed(c, 64, out); }
