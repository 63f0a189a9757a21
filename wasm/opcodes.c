/* opcodes.c: the instruction table as data, and the one reader of instructions.
 *
 * I1 wasm_take_instr consumes exactly what WebAssembly 2.0, 5.4 says follows
 *    the opcode; it knows no module, so it checks no index.
 * I2 an opcode of a later feature is ERR_UNSUPPORTED with the feature's name;
 *    one that no standard assigns is ERR_MALFORMED. */
#include "wasm/opcodes.h"

#include "base/assert.h"
#include "wasm/binary.h"
#include "wasm/short.h"

#define COUNT(s) ((s)[0] == '*' ? 0 : sizeof(s) - 1)

const struct wasm_opinfo wasm_opinfos[WASM_OP_COUNT] = {
#define X(name, code, text, imm, in, out, align) \
    [code] = {text, WASM_IMM_##imm, align, COUNT(in), COUNT(out), (in)[0] == '*', in, out},
    WASM_OPS(X)
#undef X
};

/* What a prefix's sub-opcodes are added to, and how many there may be. */
static const struct {
    u8 byte;
    u32 base, count;
} prefixes[] = {
    {WASM_PREFIX, 0x100, 0x80},
    {0xfe, 0x180, 0x80},
    {0xfd, 0x200, WASM_OP_COUNT - 0x200},
};

/* What later standards assign to a first byte; NULL: nothing. */
static const char *future_feature(u8 byte) {
    switch (byte) {
    case 0xd3:
    case 0xfb: return "GC: instruction";
    default: return NULL;
    }
}

static enum err take_opcode(struct cursor *c, enum wasm_op *op, const char **why) {
    u8 byte;
    u32 sub = 0;
    enum err e = wasm_take_byte(c, &byte, why);
    if (e) return e;
    u32 code = byte;
    for (size_t i = 0; byte >= WASM_PREFIX && i < ARRAY_LEN(prefixes); i++) {
        if (prefixes[i].byte != byte) continue;
        if ((e = wasm_take_u32(c, &sub, why))) return e;
        code = sub < prefixes[i].count ? prefixes[i].base + sub : WASM_OP_COUNT;
    }
    if (code < WASM_OP_COUNT && wasm_opinfos[code].text) {
        *op = (enum wasm_op)code;
        return ERR_OK;
    }
    const char *feature = future_feature(byte);
    *why = feature ? feature : "illegal opcode";
    return feature ? ERR_UNSUPPORTED : ERR_MALFORMED;
}

/* align and offset. Bit 6 of align announces a memory index (multi-memory). */
static enum err take_memarg(struct cursor *c, struct wasm_instr *i, const char **why) {
    enum { HAS_MEMORY = 0x40, FLAGS_END = 0x80 };
    enum err e = wasm_take_u32(c, &i->a, why);
    if (e) return e;
    if (i->a >= FLAGS_END) {
        *why = "malformed memop flags";
        return ERR_MALFORMED;
    }
    i->b = 0;
    if (i->a & HAS_MEMORY && (e = wasm_take_u32(c, &i->b, why))) return e;
    i->a &= HAS_MEMORY - 1;
    return wasm_take_u64(c, &i->bits, why);
}

static enum err take_labels(struct cursor *c, struct wasm_instr *i, const char **why) {
    enum err e = wasm_take_u32(c, &i->a, why);
    if (e) return e;
    i->labels = *c;
    for (u64 k = 0; k <= i->a; k++) {
        u32 label;
        if ((e = wasm_take_u32(c, &label, why))) return e;
    }
    i->labels.start = i->labels.p;
    i->labels.end = c->p;
    return ERR_OK;
}

enum { CATCH_REF = 1, CATCH_ALL = 2, CATCH_END = 4 };

static enum err take_clause(struct cursor *c, struct wasm_catch *out, const char **why) {
    struct cursor t = *c;
    u8 kind;
    enum err e = wasm_take_byte(&t, &kind, why);
    if (e) return e;
    if (kind >= CATCH_END) {
        *why = "malformed catch clause";
        return ERR_MALFORMED;
    }
    *out = (struct wasm_catch){.all = kind & CATCH_ALL, .ref = kind & CATCH_REF};
    if (!out->all && (e = wasm_take_u32(&t, &out->tag, why))) return e;
    if ((e = wasm_take_u32(&t, &out->label, why))) return e;
    *c = t;
    return ERR_OK;
}

bool wasm_take_catch(struct cursor *clauses, struct wasm_catch *out) {
    const char *why;
    return cursor_left(clauses) && !take_clause(clauses, out, &why);
}

static enum err take_catches(struct cursor *c, struct wasm_instr *i, const char **why) {
    struct wasm_catch clause;
    enum err e = wasm_take_blocktype(c, &i->bits, why);
    if (e || (e = wasm_take_u32(c, &i->a, why))) return e;
    i->labels = *c;
    for (u32 k = 0; !e && k < i->a; k++) e = take_clause(c, &clause, why);
    i->labels.start = i->labels.p;
    i->labels.end = c->p;
    return e;
}

static enum err take_types(struct cursor *c, struct wasm_instr *i, const char **why) {
    enum err e = wasm_take_u32(c, &i->a, why);
    for (u32 k = 0; !e && k < i->a; k++) e = wasm_take_valtype(c, &i->type, why);
    return e;
}

static enum err take_raw(struct cursor *c, size_t n, u64 *out, const char **why) {
    u32 half = 0;
    enum err e = n == 4 ? take_le32(c, &half) : take_le64(c, out);
    if (e) *why = "unexpected end";
    else if (n == 4) *out = half;
    return e;
}

static enum err take_pair(struct cursor *c, struct wasm_instr *i, const char **why) {
    enum err e = wasm_take_u32(c, &i->a, why);
    return e ? e : wasm_take_u32(c, &i->b, why);
}

static enum err take_zero(struct cursor *c, const char **why) {
    u8 byte;
    enum err e = wasm_take_byte(c, &byte, why);
    if (e || !byte) return e;
    *why = "zero byte expected";
    return ERR_MALFORMED;
}

static enum err take_vector(struct cursor *c, struct wasm_instr *i, const char **why) {
    enum err e = take_raw(c, 8, &i->bits, why);
    return e ? e : take_raw(c, 8, &i->high, why);
}

static enum err take_lane(struct cursor *c, struct wasm_instr *i, const char **why) {
    u8 lane = 0;
    enum err e = wasm_take_byte(c, &lane, why);
    i->lane = lane;
    return e;
}

static enum err take_immediate(struct cursor *c, struct wasm_instr *i, const char **why) {
    i32 narrow = 0;
    i64 wide = 0;
    enum err e;
    switch ((enum wasm_immediate)wasm_opinfos[i->op].imm) {
    case WASM_IMM_NONE: return ERR_OK;
    case WASM_IMM_BLOCK: return wasm_take_blocktype(c, &i->bits, why);
    case WASM_IMM_LABELS: return take_labels(c, i, why);
    case WASM_IMM_CATCHES: return take_catches(c, i, why);
    case WASM_IMM_TYPES: return take_types(c, i, why);
    case WASM_IMM_MEMARG: return take_memarg(c, i, why);
    case WASM_IMM_MEMARG_LANE:
        e = take_memarg(c, i, why);
        return e ? e : take_lane(c, i, why);
    case WASM_IMM_LANE: return take_lane(c, i, why);
    case WASM_IMM_V128:
    case WASM_IMM_SHUFFLE: return take_vector(c, i, why);
    case WASM_IMM_I32:
        e = wasm_take_i32(c, &narrow, why);
        i->bits = (u32)narrow;
        return e;
    case WASM_IMM_I64:
        e = wasm_take_i64(c, &wide, why);
        i->bits = (u64)wide;
        return e;
    case WASM_IMM_ZERO: return take_zero(c, why);
    case WASM_IMM_F32: return take_raw(c, 4, &i->bits, why);
    case WASM_IMM_F64: return take_raw(c, 8, &i->bits, why);
    case WASM_IMM_REFTYPE: return wasm_take_heaptype(c, &i->type, why);
    case WASM_IMM_LABEL:
    case WASM_IMM_TAG:
    case WASM_IMM_TYPE:
    case WASM_IMM_FUNC:
    case WASM_IMM_LOCAL:
    case WASM_IMM_GLOBAL:
    case WASM_IMM_TABLE:
    case WASM_IMM_MEMORY:
    case WASM_IMM_DATA:
    case WASM_IMM_ELEM: return wasm_take_u32(c, &i->a, why);
    case WASM_IMM_TYPE_TABLE:
    case WASM_IMM_DATA_MEMORY:
    case WASM_IMM_ELEM_TABLE:
    case WASM_IMM_MEMORY_MEMORY:
    case WASM_IMM_TABLE_TABLE: return take_pair(c, i, why);
    }
    unreachable();
}

static __attribute__((noinline)) enum err take_long(struct cursor *c, struct wasm_instr *out, const char **why) {
    struct cursor t = *c;
    enum err e = take_opcode(&t, &out->op, why);
    if (e) return e;
    if ((e = take_immediate(&t, out, why))) return e;
    *c = t;
    return ERR_OK;
}

enum err wasm_take_instr(struct cursor *c, struct wasm_instr *out, const char **why) {
    return wasm_take_short(c, out) ? ERR_OK : take_long(c, out, why);
}
