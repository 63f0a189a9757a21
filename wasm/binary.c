/* binary.c: LEB128 and types of the binary format (WebAssembly 2.0, 5.2, 5.3).
 *
 * I1 a byte that a later standard assigns to a type is ERR_UNSUPPORTED; only
 *    bytes that none assigns are ERR_MALFORMED. */
#include "wasm/binary.h"

#include "base/assert.h"
#include "wasm/opcodes.h"

/* Tells the two ways in which an LEB128 number is malformed apart: every byte
 * it may have continues, or its last byte has bits that do not fit. */
static enum err leb_why(const struct cursor *c, unsigned bits, enum err e, const char **why) {
    assert(e == ERR_TRUNCATED || e == ERR_MALFORMED);
    if (e == ERR_TRUNCATED) {
        *why = "unexpected end";
        return e;
    }
    size_t most = (bits + 6) / 7;
    bool too_long = cursor_left(c) >= most;
    for (size_t i = 0; too_long && i < most; i++) too_long = c->p[i] & 0x80;
    *why = too_long ? "integer representation too long" : "integer too large";
    return e;
}

enum err wasm_take_byte(struct cursor *c, u8 *out, const char **why) {
    enum err e = take_u8(c, out);
    if (e) *why = "unexpected end";
    return e;
}

enum err wasm_take_long_u32(struct cursor *c, u32 *out, const char **why) {
    enum err e = take_leb_u32(c, out);
    return likely(!e) ? e : leb_why(c, 32, e, why);
}

enum err wasm_take_long_u64(struct cursor *c, u64 *out, const char **why) {
    enum err e = take_leb_u64(c, out);
    return likely(!e) ? e : leb_why(c, 64, e, why);
}

enum err wasm_take_long_i32(struct cursor *c, i32 *out, const char **why) {
    enum err e = take_leb_i32(c, out);
    return likely(!e) ? e : leb_why(c, 32, e, why);
}

enum err wasm_take_i64(struct cursor *c, i64 *out, const char **why) {
    enum err e = take_leb_i64(c, out);
    return likely(!e) ? e : leb_why(c, 64, e, why);
}

/* The feature that assigns this byte to a type; NULL if none does. */
static const char *future_type(u8 byte) {
    switch (byte) {
    case 0x6e:
    case 0x6d:
    case 0x6c:
    case 0x6b:
    case 0x6a:
    case 0x71:
    case 0x72:
    case 0x73: return "GC: heap type";
    case 0x74: return "GC: heap type";
    case 0x68:
    case 0x75: return "stack switching: type cont";
    default: return NULL;
    }
}

/* Everything but the two kinds of types that this engine knows. */
static enum err refuse_type(u8 byte, const char *text, const char **why) {
    const char *feature = future_type(byte);
    *why = feature ? feature : text;
    return feature ? ERR_UNSUPPORTED : ERR_MALFORMED;
}

static bool is_number(u8 b) { return b >= WASM_V128 && b <= WASM_I32; }

/* The nullable reference to a heap type: a byte, or the index of a type. */
static enum err take_heap(struct cursor *c, wasm_type *out, const char *text, const char **why) {
    struct cursor t = *c;
    u8 byte;
    i64 index;
    enum err e = wasm_take_byte(&t, &byte, why);
    if (e) return e;
    if ((byte & 0xc0) == 0x40) { /* one byte, negative */
        if (!wasm_is_ref(byte)) return refuse_type(byte, text, why);
        *out = byte;
        *c = t;
        return ERR_OK;
    }
    t = *c;
    if ((e = take_leb_i33(&t, &index))) return leb_why(c, 33, e, why);
    if (index < 0) {
        *why = text;
        return ERR_MALFORMED;
    }
    *out = wasm_ref_to((u32)MIN(index, (i64)WASM_MAX_TYPES), 0); /* which no type has */
    *c = t;
    return ERR_OK;
}

/* Either kind of type whose first byte is b. */
static enum err take_type(struct cursor *c, wasm_type *out, const char *text, bool numbers, const char **why) {
    struct cursor t = *c;
    u8 byte;
    enum err e = wasm_take_byte(&t, &byte, why);
    if (e) return e;
    if (byte == WASM_REF || byte == WASM_REF_NULL) {
        if ((e = take_heap(&t, out, "malformed heap type", why))) return e;
        if (byte == WASM_REF) *out |= WASM_TYPE_NONNULL;
    } else if (wasm_is_ref(byte) || (numbers && is_number(byte))) {
        *out = byte;
    } else {
        return refuse_type(byte, text, why);
    }
    *c = t;
    return ERR_OK;
}

enum err wasm_take_valtype(struct cursor *c, wasm_type *out, const char **why) {
    return take_type(c, out, "malformed value type", true, why);
}

enum err wasm_take_reftype(struct cursor *c, wasm_type *out, const char **why) {
    return take_type(c, out, "malformed reference type", false, why);
}

enum err wasm_take_heaptype(struct cursor *c, wasm_type *out, const char **why) {
    return take_heap(c, out, "malformed heap type", why);
}

enum err wasm_take_blocktype(struct cursor *c, u64 *out, const char **why) {
    struct cursor t = *c;
    i64 v;
    enum err e = take_leb_i33(&t, &v);
    if (e) return leb_why(c, 33, e, why);
    if (v < 0 && v != -64) {
        wasm_type type;
        if ((e = wasm_take_valtype(c, &type, why))) return e;
        *out = WASM_BLOCK_VALUE | type;
        return ERR_OK;
    }
    *out = v < 0 ? WASM_BLOCK_EMPTY : (u64)v;
    *c = t;
    return ERR_OK;
}

const char *wasm_type_text(wasm_type t) {
    switch (t & (WASM_TYPE_CODE | WASM_TYPE_NONNULL | WASM_TYPE_INDEX)) {
    case WASM_I32: return "i32";
    case WASM_I64: return "i64";
    case WASM_F32: return "f32";
    case WASM_F64: return "f64";
    case WASM_V128: return "v128";
    case WASM_FUNCREF: return "funcref";
    case WASM_EXTERNREF: return "externref";
    case WASM_EXNREF: return "exnref";
    case WASM_EXNREF | WASM_TYPE_NONNULL: return "(ref exn)";
    case WASM_FUNCREF | WASM_TYPE_NONNULL: return "(ref func)";
    case WASM_EXTERNREF | WASM_TYPE_NONNULL: return "(ref extern)";
    case WASM_FUNCREF | WASM_TYPE_INDEX: return "a nullable typed reference";
    case WASM_FUNCREF | WASM_TYPE_INDEX | WASM_TYPE_NONNULL: return "a typed reference";
    default: return "?";
    }
}
