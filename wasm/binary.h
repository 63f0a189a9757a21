/* binary.h: the pieces of the binary format that sections and instructions
 * share: LEB128 with the official suite's wording, and types. Internal to
 * wasm/.
 *
 * Errors: as base/cursor.h, and *why is set to a static text that starts with
 * the official suite's wording. On failure the cursor is where it was. */
#ifndef WHELK_WASM_BINARY_H
#define WHELK_WASM_BINARY_H

#include "base/cursor.h"
#include "wasm/module.h"

enum err wasm_take_byte(struct cursor *c, u8 *out, const char **why);
enum err wasm_take_long_u32(struct cursor *c, u32 *out, const char **why);
enum err wasm_take_long_u64(struct cursor *c, u64 *out, const char **why);
enum err wasm_take_long_i32(struct cursor *c, i32 *out, const char **why);
static inline enum err wasm_take_u32(struct cursor *c, u32 *out, const char **why) {
    if (!cursor_short(c)) return wasm_take_long_u32(c, out, why);
    *out = *c->p++;
    return ERR_OK;
}
static inline enum err wasm_take_u64(struct cursor *c, u64 *out, const char **why) {
    if (!cursor_short(c)) return wasm_take_long_u64(c, out, why);
    *out = *c->p++;
    return ERR_OK;
}
static inline enum err wasm_take_i32(struct cursor *c, i32 *out, const char **why) {
    if (!cursor_short(c)) return wasm_take_long_i32(c, out, why);
    *out = (i32)((u32)*c->p++ << 25) >> 25;
    return ERR_OK;
}
enum err wasm_take_i64(struct cursor *c, i64 *out, const char **why);

/* A value type (WebAssembly 3.0, 5.3), or ERR_UNSUPPORTED with the feature that
 * defines it. Indices are as they were read: neither checked nor canonical. */
enum err wasm_take_valtype(struct cursor *c, wasm_type *out, const char **why);
/* The same, references only. */
enum err wasm_take_reftype(struct cursor *c, wasm_type *out, const char **why);
/* The operand of ref.null, as the nullable reference to it. */
enum err wasm_take_heaptype(struct cursor *c, wasm_type *out, const char **why);
/* As struct wasm_instr.bits has it: see wasm_block_is_index. */
enum err wasm_take_blocktype(struct cursor *c, u64 *out, const char **why);

#endif
