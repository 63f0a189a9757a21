/* decoder.h: what the files of the decoder share. Internal to wasm/.
 *
 * I1 a function that fails leaves d->c at the offending byte and d->why set to
 *    a static text; wasm_decode turns both into struct wasm_error.
 * I2 d->c.end is the end of the current section (or of the current body), so
 *    nothing reads beyond it.
 * I3 memory taken from the arena is linear in the bytes read: every count is
 *    held against the bytes that are left before an array is allocated. */
#ifndef WHELK_WASM_DECODER_H
#define WHELK_WASM_DECODER_H

#include "base/cursor.h"
#include "wasm/binary.h"
#include "wasm/module.h"

struct decoder {
    struct arena *arena;
    struct cursor c;
    struct wasm_module *m;
    const char *why;
    bool inside;     /* a section */
    u32 custom_room; /* capacity of m->customs */
};

static inline enum err decode_fail(struct decoder *d, enum err e, const char *why) {
    d->why = why;
    return e;
}

static inline u32 decode_at(const struct decoder *d) { return (u32)cursor_at(&d->c); }

static inline enum err decode_u32(struct decoder *d, u32 *out) {
    return wasm_take_u32(&d->c, out, &d->why);
}

/* The length of a vector whose elements take at least one byte each. */
enum err decode_count(struct decoder *d, u32 limit, u32 *out);
/* A zeroed array; NULL is never returned with ERR_OK, even for count 0. */
enum err decode_array(struct decoder *d, size_t count, size_t size, void *out);
/* A copy of an array with room for `more` further, zeroed elements. */
enum err decode_extend(struct decoder *d, const void *old, size_t count, size_t more, size_t size,
                       void *out);
/* A name: a length and that many bytes of UTF-8. */
enum err decode_name(struct decoder *d, struct bytes *out);
/* A constant expression, up to and with its end. expected: the type that it
 * must yield, checked by wasm_validate. */
enum err decode_init(struct decoder *d, wasm_type expected, struct wasm_init *out);

/* Types with canonical indices. */
enum err decode_valtype(struct decoder *d, wasm_type *out);
enum err decode_reftype(struct decoder *d, wasm_type *out);

/* The sections; d->c covers exactly the section's contents. */
enum err decode_types(struct decoder *d);
enum err decode_imports(struct decoder *d);
enum err decode_funcs(struct decoder *d);
enum err decode_tables(struct decoder *d);
enum err decode_memories(struct decoder *d);
enum err decode_globals(struct decoder *d);
enum err decode_tags(struct decoder *d);
enum err decode_exports(struct decoder *d);
enum err decode_start(struct decoder *d);
enum err decode_elems(struct decoder *d);
enum err decode_code(struct decoder *d);
enum err decode_datas(struct decoder *d);
enum err decode_data_count(struct decoder *d);
enum err decode_custom(struct decoder *d);

#endif
