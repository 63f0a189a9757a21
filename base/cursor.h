/* cursor.h: checked reading of untrusted bytes.
 *
 * Every take_* either succeeds and advances, or fails and leaves the cursor
 * where it was. Lengths are compared, pointers are never advanced past end.
 * LEB128 as WebAssembly 2.0, 5.2.2: at most ceil(N/7) bytes, unused bits of
 * the last byte must be zero (unsigned) or copies of the sign (signed). */
#ifndef WHELK_BASE_CURSOR_H
#define WHELK_BASE_CURSOR_H

#include "base/err.h"
#include "base/types.h"

struct cursor {
    const u8 *start, *p, *end;
};

/* No bytes may be at NULL, from which C does not let one count. */
static inline struct cursor cursor_of(struct bytes b) {
    return (struct cursor){b.p, b.p, b.n ? b.p + b.n : b.p};
}
static inline size_t cursor_left(const struct cursor *c) { return (size_t)(c->end - c->p); }
static inline size_t cursor_at(const struct cursor *c) { return (size_t)(c->p - c->start); }

static inline enum err take_u8(struct cursor *c, u8 *out) {
    if (c->p == c->end) return ERR_TRUNCATED;
    *out = *c->p++;
    return ERR_OK;
}
enum err take_le16(struct cursor *c, u16 *out);
enum err take_le32(struct cursor *c, u32 *out);
enum err take_le64(struct cursor *c, u64 *out);
enum err take_bytes(struct cursor *c, size_t n, struct bytes *out);
/* Is the next number of one byte? Most are. */
static inline bool cursor_short(const struct cursor *c) { return c->p < c->end && *c->p < 0x80; }
/* ERR_TRUNCATED when bytes run out, ERR_MALFORMED when too long or too large. */
enum err take_leb_u32(struct cursor *c, u32 *out);
enum err take_leb_u64(struct cursor *c, u64 *out);
enum err take_leb_i32(struct cursor *c, i32 *out);
enum err take_leb_i33(struct cursor *c, i64 *out);
enum err take_leb_i64(struct cursor *c, i64 *out);

#endif
