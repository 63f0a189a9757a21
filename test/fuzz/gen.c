#include "test/fuzz/gen.h"

#include <string.h>

#include "base/assert.h"
#include "wasm/module.h"
#include "wasm/opcodes.h"

enum { MAX_VALUES = 6, MAX_LOCALS = 16, MAX_LABELS = 12, MAX_DEPTH = 7, GLOBALS = 11, TABLE_LEN = 12, MAX_MEMORIES = 3, TAGS = 3 };
enum { CODE_ROOM = GEN_CAP / 2 }; /* past this only constants are generated */

bool gen_for_v8;

struct sig {
    u8 params[MAX_VALUES], results[MAX_VALUES];
    u32 param_count, result_count;
};

struct gen {
    struct cursor in;
    u8 *out;
    size_t n;
    struct sig sigs[GEN_FUNCS_MAX];
    struct sig tags[TAGS]; /* parameters only */
    u32 func_count, self;
    u8 locals[MAX_LOCALS + MAX_VALUES + 3];
    u32 local_count;        /* parameters and the three NaN temporaries included */
    u8 labels[MAX_LABELS];  /* type carried by a branch, 0 for none */
    u32 label_count;
    u32 memory_count;
    bool wide[MAX_MEMORIES]; /* 64-bit indices */
    u32 shared, bytewise;    /* which memory is, or has pages of a byte; MAX_MEMORIES: none */
    bool table_wide;
    enum { ALL_EXCEPTIONS, FINAL_EXCEPTIONS, LEGACY_EXCEPTIONS } only;
};

/* The last one is not for what V8 has to show JavaScript. */
static const u8 number_types[] = {WASM_I32, WASM_I64, WASM_F32, WASM_F64, WASM_V128};
static const char type_letters[] = "iIfFv";
static u32 shown_types(void) { return gen_for_v8 ? 4 : 5; }
/* Global 0 is the fuel; two of each type follow. Vectors last: see globals_shown. */
static const u8 global_types[GLOBALS] = {WASM_I32, WASM_I32, WASM_I64, WASM_F32, WASM_F64,
                                         WASM_I32, WASM_I64, WASM_F32, WASM_F64, WASM_V128, WASM_V128};
static u32 globals_shown(void) { return gen_for_v8 ? GLOBALS - 2 : GLOBALS; }

static void expr(struct gen *g, u8 type, u32 depth);
static void statements(struct gen *g, u32 depth);

static u32 pick(struct gen *g, u32 below) {
    u8 b = 0, c = 0;
    take_u8(&g->in, &b);
    if (below > 200) take_u8(&g->in, &c);
    return (b | (u32)c << 8) % below;
}

static bool tired(const struct gen *g) { return !cursor_left(&g->in) || g->n > CODE_ROOM; }

static void byte(struct gen *g, u32 b) {
    assert(g->n < GEN_CAP);
    g->out[g->n++] = (u8)b;
}

static void leb(struct gen *g, u64 v) {
    for (; v >= 0x80; v >>= 7) byte(g, (v & 0x7f) | 0x80);
    byte(g, (u32)v);
}

static void sleb(struct gen *g, i64 v) {
    for (;; v >>= 7) {
        bool last = (v >> 6) == 0 || (v >> 6) == -1;
        byte(g, (v & 0x7f) | (last ? 0 : 0x80));
        if (last) return;
    }
}

static void name(struct gen *g, const char *s) {
    leb(g, strlen(s));
    while (*s) byte(g, (u8)*s++);
}

static void op(struct gen *g, enum wasm_op o) {
    if (wasm_is_atomic(o)) {
        byte(g, 0xfe);
        leb(g, o - WASM_OP_MEMORY_NOTIFY);
    } else if (wasm_is_vector(o)) {
        byte(g, 0xfd);
        leb(g, o - WASM_OP_V128_LOAD);
    } else if (o >= 0x100) {
        byte(g, 0xfc);
        leb(g, o - 0x100);
    } else {
        byte(g, o);
    }
}

static void op1(struct gen *g, enum wasm_op o, u64 a) {
    op(g, o);
    leb(g, a);
}

static void i32_const(struct gen *g, i32 v) {
    op(g, WASM_OP_I32_CONST);
    sleb(g, v);
}

/* A length is written as five bytes and filled in afterwards. */
static size_t length_begin(struct gen *g) {
    for (int i = 0; i < 5; i++) byte(g, 0);
    return g->n;
}
static void length_end(struct gen *g, size_t start) {
    u32 v = (u32)(g->n - start);
    for (int i = 0; i < 5; i++, v >>= 7) g->out[start - 5 + (size_t)i] = (u8)((v & 0x7f) | (i < 4 ? 0x80 : 0));
}

static u64 interesting(struct gen *g) {
    static const u64 values[] = {0, 1, 2, 7, 8, 31, 32, 63, 64, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x10000,
                                 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 0x100000000, 0x7fffffffffffffff,
                                 0x8000000000000000, 0xffffffffffffffff, 0x3f800000, 0x7f800000, 0xff800000, 0x7fc00000,
                                 0x3ff0000000000000, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
                                 0x41dfffffffc00000, 0x43e0000000000000, 0x4f000000, 0x5f000000, 0xcf000001};
    u32 k = pick(g, ARRAY_LEN(values) + 4);
    if (k < ARRAY_LEN(values)) return values[k];
    u64 v = 0;
    for (u32 i = 0; i < 8; i++) v = v << 8 | pick(g, 256);
    return v;
}

static void constant(struct gen *g, u8 type) {
    u64 v = interesting(g);
    switch (type) {
    case WASM_I32: i32_const(g, (i32)v); return;
    case WASM_I64:
        op(g, WASM_OP_I64_CONST);
        sleb(g, (i64)v);
        return;
    case WASM_F32:
        op(g, WASM_OP_F32_CONST);
        for (int i = 0; i < 4; i++) byte(g, (u8)(v >> (8 * i)));
        return;
    case WASM_V128:
        op(g, WASM_OP_V128_CONST);
        for (int i = 0; i < 8; i++) byte(g, (u8)(v >> (8 * i)));
        v = interesting(g);
        for (int i = 0; i < 8; i++) byte(g, (u8)(v >> (8 * i)));
        return;
    default:
        op(g, WASM_OP_F64_CONST);
        for (int i = 0; i < 8; i++) byte(g, (u8)(v >> (8 * i)));
    }
}

/* The float on the stack, with every NaN made the canonical one (I3). */
static void canonical(struct gen *g, u8 type) {
    u32 temp = g->local_count - (type == WASM_F32 ? 2 : 1);
    op1(g, WASM_OP_LOCAL_TEE, temp);
    if (type == WASM_F32) {
        op(g, WASM_OP_F32_CONST);
        leb(g, 0); /* four bytes: 00 00 c0 7f */
        byte(g, 0), byte(g, 0xc0), byte(g, 0x7f);
    } else {
        op(g, WASM_OP_F64_CONST);
        for (int i = 0; i < 6; i++) byte(g, 0);
        byte(g, 0xf8), byte(g, 0x7f);
    }
    op1(g, WASM_OP_LOCAL_GET, temp);
    op1(g, WASM_OP_LOCAL_GET, temp);
    op(g, type == WASM_F32 ? WASM_OP_F32_EQ : WASM_OP_F64_EQ);
    op(g, WASM_OP_SELECT);
}

/* The same for the lanes of a vector. */
static void canonical_lanes(struct gen *g, bool dbl) {
    static const u8 nans[2][8] = {{0, 0, 0xc0, 0x7f, 0, 0, 0xc0, 0x7f}, {0, 0, 0, 0, 0, 0, 0xf8, 0x7f}};
    u32 temp = g->local_count - 3;
    op1(g, WASM_OP_LOCAL_TEE, temp);
    op(g, WASM_OP_V128_CONST);
    for (u32 i = 0; i < 16; i++) byte(g, nans[dbl][i % 8]);
    op1(g, WASM_OP_LOCAL_GET, temp);
    op1(g, WASM_OP_LOCAL_GET, temp);
    op(g, dbl ? WASM_OP_F64X2_EQ : WASM_OP_F32X4_EQ);
    op(g, WASM_OP_V128_BITSELECT);
}

/* May its NaNs have any bits? */
static bool makes_nans(enum wasm_op o, bool *dbl) {
    const char *text = wasm_opinfos[o].text, *name = text + 6;
    static const char *const names[] = {"ceil", "floor", "trunc", "nearest", "sqrt", "add", "sub", "mul", "div", "min", "max",
                                        "demote_f64x2_zero", "promote_low_f32x4"};
    *dbl = !strncmp(text, "f64x2.", 6);
    if (!*dbl && strncmp(text, "f32x4.", 6)) return false;
    for (u32 i = 0; i < ARRAY_LEN(names); i++)
        if (!strcmp(name, names[i])) return true;
    return false;
}

/* A local of that type, temporaries excluded; WASM_NONE if there is none. */
static u32 local_of(struct gen *g, u8 type) {
    u32 usable = g->local_count - 3, start = usable ? pick(g, usable) : 0;
    for (u32 i = 0; i < usable; i++)
        if (g->locals[(start + i) % usable] == type) return (start + i) % usable;
    return WASM_NONE;
}

static u32 global_of(struct gen *g, u8 type) {
    u32 start = pick(g, GLOBALS - 1);
    for (u32 i = 0;; i++)
        if (global_types[1 + (start + i) % (GLOBALS - 1)] == type) return 1 + (start + i) % (GLOBALS - 1);
}

static u8 index_type(bool wide) { return wide ? WASM_I64 : WASM_I32; }

static void index_const(struct gen *g, bool wide, i64 v) {
    op(g, wide ? WASM_OP_I64_CONST : WASM_OP_I32_CONST);
    sleb(g, v);
}

static void address(struct gen *g, bool wide, u32 depth) {
    expr(g, index_type(wide), depth);
    if (!pick(g, 12)) return; /* rarely: any address, traps */
    index_const(g, wide, pick(g, 2) ? 0xffff : 0x1fff);
    op(g, wide ? WASM_OP_I64_AND : WASM_OP_I32_AND);
}

/* An address for an atomic access, mostly aligned. */
static void aligned(struct gen *g, enum wasm_op o, bool wide, u32 depth) {
    address(g, wide, depth);
    if (!wasm_is_atomic(o) || !pick(g, 12)) return;
    index_const(g, wide, -(1 << wasm_opinfos[o].align));
    op(g, wide ? WASM_OP_I64_AND : WASM_OP_I32_AND);
}

static void memarg(struct gen *g, enum wasm_op o, u32 memory) {
    enum { NARROW = 12, HAS_MEMORY = 0x40 };
    static const u64 offsets[] = {0, 0, 1, 4, 8, 100, 0x7ff8, 0xfff8, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
                                  0x100000000, 0x7fffffffffffffff, 0xfffffffffffffff0, 0xffffffffffffffff};
    u32 align = wasm_is_atomic(o) ? wasm_opinfos[o].align : pick(g, wasm_opinfos[o].align + 1u);
    leb(g, align | (memory ? HAS_MEMORY : 0));
    if (memory) leb(g, memory);
    u64 offset = offsets[pick(g, pick(g, 8) ? 7 : g->wide[memory] ? ARRAY_LEN(offsets) : NARROW)];
    leb(g, wasm_is_atomic(o) && pick(g, 12) ? offset >> align << align : offset);
}

static u8 type_of_letter(char c) { return number_types[strchr(type_letters, c) - type_letters]; }

static bool shows_bits(enum wasm_op o) {
    return o == WASM_OP_F32_STORE || o == WASM_OP_F64_STORE || o == WASM_OP_I32_REINTERPRET_F32 ||
           o == WASM_OP_I64_REINTERPRET_F64 || o == WASM_OP_F32_COPYSIGN || o == WASM_OP_F64_COPYSIGN ||
           o == WASM_OP_F32X4_SPLAT || o == WASM_OP_F64X2_SPLAT || o == WASM_OP_F32X4_REPLACE_LANE || o == WASM_OP_F64X2_REPLACE_LANE;
}

/* Any, or in rows as they often are: whole lanes, interleaved, or cut out of both. */
static void shuffle_lanes(struct gen *g) {
    u32 how = pick(g, 4), start = pick(g, 17), size = 1u << pick(g, 4);
    for (u32 k = 0; k < 16; k++) {
        u32 part = k / size;
        if (!how) byte(g, pick(g, 32));
        else if (how == 1) byte(g, start + k < 32 ? start + k : 31);
        else if (how == 2) byte(g, (start & 8) + part / 2 * size + k % size + (part & 1) * 16);
        else byte(g, (start * size + part * part * size + k % size) % 32);
    }
}

/* All of a value, from memory 0: its user may read it there. */
static void whole_load(struct gen *g, u8 type) {
    enum wasm_op o = type == WASM_V128 ? WASM_OP_V128_LOAD : type == WASM_F64 ? WASM_OP_F64_LOAD : type == WASM_F32 ? WASM_OP_F32_LOAD
                     : type == WASM_I64 ? WASM_OP_I64_LOAD : WASM_OP_I32_LOAD;
    address(g, g->wide[0], MAX_DEPTH + 1);
    op(g, o);
    memarg(g, o, 0);
}

/* An instruction with a plain signature: its operands (some of them loads), then itself. */
static void plain(struct gen *g, enum wasm_op o, u32 depth) {
    const struct wasm_opinfo *info = &wasm_opinfos[o];
    bool accesses = info->imm == WASM_IMM_MEMARG || info->imm == WASM_IMM_MEMARG_LANE, dbl;
    u32 memory = accesses ? pick(g, g->memory_count) : 0, loaded = pick(g, 4) ? 0 : pick(g, 4);
    for (u32 i = 0; i < info->operand_count; i++) {
        if (info->operands[i] == 'a') {
            aligned(g, o, g->wide[memory], depth + 1);
            continue;
        }
        u8 type = type_of_letter(info->operands[i]);
        if (loaded >> i & 1 && !tired(g)) whole_load(g, type);
        else expr(g, type, depth + 1);
        if (shows_bits(o) && (type == WASM_F32 || type == WASM_F64)) canonical(g, type);
    }
    op(g, o);
    if (accesses) memarg(g, o, memory);
    if (info->imm == WASM_IMM_ZERO) byte(g, 0);
    if (info->imm == WASM_IMM_MEMARG_LANE) byte(g, pick(g, 16u >> info->align));
    if (info->imm == WASM_IMM_LANE) byte(g, pick(g, 1u << info->align));
    if (info->imm == WASM_IMM_SHUFFLE) shuffle_lanes(g);
    if (makes_nans(o, &dbl)) canonical_lanes(g, dbl);
}

static bool is_plain(enum wasm_op o, char result) {
    const struct wasm_opinfo *info = &wasm_opinfos[o];
    if (!info->text || info->special || o >= WASM_OP_I8X16_RELAXED_SWIZZLE) return false; /* several results are right */
    if (info->imm != WASM_IMM_NONE && info->imm != WASM_IMM_MEMARG && info->imm != WASM_IMM_ZERO && info->imm != WASM_IMM_LANE &&
        info->imm != WASM_IMM_MEMARG_LANE && info->imm != WASM_IMM_SHUFFLE)
        return false;
    if (o < WASM_OP_I32_LOAD) return false;
    return result ? info->result_count == 1 && info->results[0] == result : info->result_count == 0;
}

/* One of those with that result (0: none), each as likely as the others. */
static enum wasm_op plain_op(struct gen *g, char result) {
    enum { ROWS = sizeof type_letters }; /* the last one: without a result */
    static u16 found[ROWS][WASM_OP_COUNT];
    static u32 counts[ROWS];
    static bool ready;
    for (u32 i = 0; !ready && i < ROWS; i++)
        for (u32 o = 0; o < WASM_OP_COUNT; o++)
            if (is_plain(o, type_letters[i])) found[i][counts[i]++] = (u16)o;
    ready = true;
    u32 row = (u32)(strchr(type_letters, result) - type_letters); /* strchr finds the 0, too */
    return found[row][pick(g, counts[row])];
}

static void label_push(struct gen *g, u8 type) {
    assert(g->label_count < MAX_LABELS);
    g->labels[g->label_count++] = type;
}

/* block or if that yields one value. */
static void block_expr(struct gen *g, u8 type, u32 depth) {
    bool two = pick(g, 2);
    if (two) expr(g, WASM_I32, depth + 1);
    op(g, two ? WASM_OP_IF : WASM_OP_BLOCK);
    byte(g, type);
    label_push(g, type);
    statements(g, depth + 1);
    expr(g, type, depth + 1);
    if (two) {
        op(g, WASM_OP_ELSE);
        expr(g, type, depth + 1);
    }
    op(g, WASM_OP_END);
    g->label_count--;
}

static void arguments(struct gen *g, const struct sig *s, u32 depth) {
    for (u32 i = 0; i < s->param_count; i++) expr(g, s->params[i], depth + 1);
}

static void ref_block(struct gen *g, enum wasm_op o, u32 kind, u32 f) {
    op(g, o);
    byte(g, kind);
    leb(g, f + 1);
    label_push(g, 1); /* no other branch carries this */
}

/* A reference to function f, mostly not null; of its nullable type. */
static void reference(struct gen *g, u32 f, u32 depth) {
    bool room = g->label_count + 2 < MAX_LABELS && depth < MAX_DEPTH;
    switch (room ? pick(g, 6) : pick(g, 2)) {
    case 0:
        op1(g, pick(g, 6) ? WASM_OP_REF_FUNC : WASM_OP_REF_NULL, f + 1);
        return;
    case 2: /* a join of both kinds */
        expr(g, WASM_I32, depth + 1);
        ref_block(g, WASM_OP_IF, WASM_REF_NULL, f);
        op1(g, WASM_OP_REF_FUNC, f + 1);
        op(g, WASM_OP_ELSE);
        op1(g, WASM_OP_REF_NULL, f + 1);
        break;
    case 3:
        reference(g, f, depth + 1);
        op(g, WASM_OP_REF_AS_NON_NULL);
        return;
    case 4:
        ref_block(g, WASM_OP_BLOCK, WASM_REF, f);
        reference(g, f, depth + 1);
        op1(g, WASM_OP_BR_ON_NON_NULL, 0);
        op1(g, WASM_OP_REF_FUNC, f + 1);
        break;
    default: op1(g, WASM_OP_REF_FUNC, f + 1); return;
    }
    op(g, WASM_OP_END);
    g->label_count--;
}

/* Emits a call of function f (types are 1 + f: type 0 is env.mix's). */
static void call(struct gen *g, u32 f, u32 depth) {
    arguments(g, &g->sigs[f], depth);
    u32 how = pick(g, 4);
    if (how == 3) {
        reference(g, f, depth + 1);
        op1(g, WASM_OP_CALL_REF, f + 1);
        return;
    }
    if (how) {
        op1(g, WASM_OP_CALL, f + 1);
        return;
    }
    if (pick(g, 6)) index_const(g, g->table_wide, (i64)f);
    else expr(g, index_type(g->table_wide), depth + 1);
    op1(g, WASM_OP_CALL_INDIRECT, f + 1);
    byte(g, 0);
}

static bool call_expr(struct gen *g, u8 type, u32 depth) {
    u32 start = pick(g, g->func_count);
    for (u32 i = 0; i < g->func_count; i++) {
        u32 f = (start + i) % g->func_count;
        if (g->sigs[f].result_count != 1 || g->sigs[f].results[0] != type) continue;
        call(g, f, depth);
        return true;
    }
    if (type != WASM_I64) return false;
    expr(g, WASM_I32, depth + 1);
    expr(g, WASM_I64, depth + 1);
    op1(g, WASM_OP_CALL, 0);
    return true;
}

static void select_expr(struct gen *g, u8 type, u32 depth) {
    expr(g, type, depth + 1);
    expr(g, type, depth + 1);
    expr(g, WASM_I32, depth + 1);
    op(g, WASM_OP_SELECT);
}

static void tee_expr(struct gen *g, u8 type, u32 depth) {
    u32 l = local_of(g, type);
    expr(g, type, depth + 1);
    if (l != WASM_NONE) op1(g, WASM_OP_LOCAL_TEE, l);
}

/* br_if with a value: taken or not, the value stays. */
static void br_if_expr(struct gen *g, u8 type, u32 depth) {
    expr(g, type, depth + 1);
    for (u32 d = 0; d < g->label_count; d++) {
        if (g->labels[g->label_count - 1 - d] != type) continue;
        expr(g, WASM_I32, depth + 1);
        op1(g, WASM_OP_BR_IF, d);
        return;
    }
}

static void null_test(struct gen *g) {
    index_const(g, g->table_wide, pick(g, TABLE_LEN));
    op1(g, WASM_OP_TABLE_GET, 0);
    op(g, WASM_OP_REF_IS_NULL);
}

/* Sizes and growing of what has indices of that type. */
static void size_expr(struct gen *g, u8 type, u32 depth) {
    bool wide = type == WASM_I64;
    u32 memory = pick(g, g->memory_count), which = pick(g, 6);
    if (g->table_wide == wide && which < 2) {
        if (which) {
            op1(g, WASM_OP_REF_NULL, WASM_FUNCREF);
            expr(g, type, depth + 1);
        }
        op1(g, which ? WASM_OP_TABLE_GROW : WASM_OP_TABLE_SIZE, 0);
    } else if (g->wide[memory] == wide) {
        if (which == 5) expr(g, type, depth + 1);
        op1(g, which == 5 ? WASM_OP_MEMORY_GROW : WASM_OP_MEMORY_SIZE, memory);
    } else if (!wide) {
        null_test(g);
    } else {
        constant(g, type);
    }
}

/* Arithmetic on 128 bits; both halves count. */
static void wide_expr(struct gen *g, u32 depth) {
    enum wasm_op o = WASM_OP_I64_ADD128 + pick(g, 4);
    for (u32 i = 0; i < wasm_opinfos[o].operand_count; i++) expr(g, WASM_I64, depth + 1);
    op(g, o);
    op(g, pick(g, 2) ? WASM_OP_I64_ROTL : WASM_OP_I64_SUB);
}

/* a & ~b, or nearly, either way round: one instruction, which chance would hardly make. */
static void inverted_expr(struct gen *g, u8 type, u32 depth) {
    bool whole = type == WASM_I64, first = pick(g, 2);
    expr(g, type, depth + 1);
    for (u32 k = 0; k < 2; k++) {
        if (k != first) {
            index_const(g, whole, whole && !pick(g, 4) ? (i64)UINT32_MAX : -1);
            op(g, whole ? WASM_OP_I64_XOR : WASM_OP_I32_XOR);
        }
        if (!k) expr(g, type, depth + 1);
    }
    op(g, whole ? WASM_OP_I64_AND : WASM_OP_I32_AND);
}

static void expr(struct gen *g, u8 type, u32 depth) {
    char letter = type_letters[memchr(number_types, type, sizeof number_types) - (const void *)number_types];
    u32 l = WASM_NONE, choice = tired(g) || depth > MAX_DEPTH ? pick(g, 3) : pick(g, 24);
    bool room = g->label_count + 2 < MAX_LABELS;
    switch (choice) {
    case 0: constant(g, type); return;
    case 1:
        l = local_of(g, type);
        if (l == WASM_NONE) constant(g, type);
        else op1(g, WASM_OP_LOCAL_GET, l);
        return;
    case 2: op1(g, WASM_OP_GLOBAL_GET, global_of(g, type)); return;
    case 3:
        if (room) block_expr(g, type, depth);
        else constant(g, type);
        return;
    case 4: select_expr(g, type, depth); return;
    case 5:
        if (!call_expr(g, type, depth)) constant(g, type);
        return;
    case 6: tee_expr(g, type, depth); return;
    case 7: br_if_expr(g, type, depth); return;
    case 8:
        if (type == WASM_I64 && !gen_for_v8 && pick(g, 2)) wide_expr(g, depth);
        else if (type == WASM_I32 || type == WASM_I64) size_expr(g, type, depth);
        else constant(g, type);
        return;
    case 9:
        if (type == WASM_I32 || type == WASM_I64) inverted_expr(g, type, depth);
        else plain(g, plain_op(g, letter), depth);
        return;
    default: plain(g, plain_op(g, letter), depth);
    }
}

/* A vector instruction whose result is seen for certain: in memory. */
static void vector_statement(struct gen *g, u32 depth) {
    u32 memory = pick(g, g->memory_count);
    index_const(g, g->wide[memory], pick(g, 0x1fe0));
    plain(g, plain_op(g, 'v'), MAX(depth, MAX_DEPTH - 2u));
    op(g, WASM_OP_V128_STORE);
    memarg(g, WASM_OP_V128_STORE, memory);
}

static void variable(struct gen *g, u8 type) {
    u32 l = pick(g, 4) ? local_of(g, type) : WASM_NONE;
    op1(g, l == WASM_NONE ? WASM_OP_GLOBAL_GET : WASM_OP_LOCAL_GET, l == WASM_NONE ? global_of(g, type) : l);
}

/* -- near repeats. What an instruction may leave out because of the one before, a condition
 * says; if that forgets something, it shows where code is nearly the same twice. So: dense code,
 * of few operations on few variables and on numbers at edges, and once more by the same bytes but
 * for one. -- */

enum { DENSE = 3 }; /* so deep */

typedef void maker(struct gen *, u8 type, u32 depth);

struct again {
    u8 bytes[64];
    size_t n;
};

static struct again once(struct gen *g, maker *make, u8 type, u32 depth) {
    const u8 *from = g->in.p;
    struct again a;
    make(g, type, depth);
    a.n = MIN((size_t)(g->in.p - from), sizeof a.bytes);
    memcpy(a.bytes, from, a.n);
    return a;
}

static void once_more(struct gen *g, struct again a, maker *make, u8 type, u32 depth) {
    if (a.n && pick(g, 4)) a.bytes[pick(g, (u32)a.n)] += (u8)(1 + pick(g, 3));
    struct cursor rest = g->in;
    g->in = cursor_of((struct bytes){a.bytes, a.n});
    make(g, type, depth);
    g->in = rest;
}

static void edge(struct gen *g, u8 type) {
    static const u64 edges[] = {0, 1, 2, 3, 4, 7, 8, 9, 31, 32, 63, 127, 128, 255, 256, 0xffff, 0x10000,
                                INT32_MAX, 0x80000000, UINT32_MAX, INT64_MAX};
    u64 v = edges[pick(g, ARRAY_LEN(edges))];
    v = pick(g, 2) ? v : ~v;
    index_const(g, type == WASM_I64, type == WASM_I64 ? (i64)v : (i32)v);
}

static void dense(struct gen *g, u8 type, u32 depth);

/* In memory 0, never out of bounds. */
static void near_address(struct gen *g, u8 type, u32 depth) {
    variable(g, type);
    index_const(g, type == WASM_I64, 0xfff);
    op(g, type == WASM_I64 ? WASM_OP_I64_AND : WASM_OP_I32_AND);
    if (pick(g, 3)) return;
    index_const(g, type == WASM_I64, pick(g, 9));
    op(g, type == WASM_I64 ? WASM_OP_I64_ADD : WASM_OP_I32_ADD);
}

static void near_access(struct gen *g, enum wasm_op o, u32 offset) {
    op(g, o);
    byte(g, 0), byte(g, offset);
}

static void near_load(struct gen *g, u8 type, u32 depth) {
    bool whole = type == WASM_I64;
    enum wasm_op o = whole ? WASM_OP_I64_LOAD8_S + pick(g, 6) : WASM_OP_I32_LOAD8_S + pick(g, 4);
    u32 offset = pick(g, 9);
    struct again address = once(g, near_address, index_type(g->wide[0]), depth);
    near_access(g, pick(g, 2) ? o : whole ? WASM_OP_I64_LOAD : WASM_OP_I32_LOAD, offset);
    if (pick(g, 4)) return;
    once_more(g, address, near_address, index_type(g->wide[0]), depth); /* what was loaded is overwritten before it is used */
    variable(g, type);
    near_access(g, whole ? WASM_OP_I64_STORE : WASM_OP_I32_STORE, offset);
}

static void dense_binary(struct gen *g, u8 type, u32 depth) {
    enum { OPS = WASM_OP_I32_ROTR - WASM_OP_I32_ADD + 1 };
    u32 k = pick(g, OPS + 7); /* the last ones: add, sub, and */
    dense(g, type, depth + 1);
    if (pick(g, 2)) edge(g, type);
    else dense(g, type, depth + 1);
    if (k >= OPS) k = k < OPS + 3 ? 0 : k < OPS + 5 ? 1 : WASM_OP_I32_AND - WASM_OP_I32_ADD;
    op(g, (type == WASM_I64 ? WASM_OP_I64_ADD : WASM_OP_I32_ADD) + k);
}

/* What is compared: what was just computed, of as many bits or of others, a byte from memory, or anything. */
static void compared(struct gen *g, u8 type, u32 with, u32 depth) {
    bool whole = type == WASM_I64;
    if (with < 2) {
        dense_binary(g, type, MAX(depth, DENSE - 1u));
    } else if (with == 2) {
        dense_binary(g, whole ? WASM_I32 : WASM_I64, MAX(depth, DENSE - 1u));
        op(g, whole ? WASM_OP_I64_EXTEND_I32_U : WASM_OP_I32_WRAP_I64);
    } else if (with == 3) {
        near_address(g, index_type(g->wide[0]), depth);
        near_access(g, whole ? WASM_OP_I64_LOAD8_U : WASM_OP_I32_LOAD8_U, pick(g, 9));
    } else {
        dense(g, type, depth + 1);
    }
}

/* Of numbers of that type. */
static void dense_compare(struct gen *g, u8 type, u32 depth) {
    u32 k = pick(g, 10), with = pick(g, 7);
    compared(g, type, with, depth);
    if (with < 3) index_const(g, type == WASM_I64, !pick(g, 4));
    else if (with == 3) index_const(g, type == WASM_I64, pick(g, 260));
    else if (with == 4) dense(g, type, depth + 1);
    else edge(g, type);
    op(g, (type == WASM_I64 ? WASM_OP_I64_EQ : WASM_OP_I32_EQ) + k);
}

static void dense_condition(struct gen *g, u32 depth) {
    u8 number = pick(g, 2) ? WASM_F64 : WASM_F32;
    if (!pick(g, 6)) {
        variable(g, number);
        if (pick(g, 2)) variable(g, number);
        else constant(g, number); /* NaN perhaps */
        op(g, (number == WASM_F64 ? WASM_OP_F64_EQ : WASM_OP_F32_EQ) + pick(g, 6));
        return;
    }
    if (pick(g, 4)) dense_compare(g, pick(g, 2) ? WASM_I64 : WASM_I32, depth);
    else dense(g, WASM_I32, depth);
}

static void dense_select(struct gen *g, u8 type, u32 depth) {
    variable(g, type);
    if (pick(g, 2)) edge(g, type);
    else variable(g, type);
    dense_condition(g, depth);
    op(g, WASM_OP_SELECT);
}

/* Into the other type, and back. */
static void dense_convert(struct gen *g, u8 type, u32 depth) {
    bool whole = type == WASM_I64;
    u32 k = pick(g, 3);
    dense(g, whole ? WASM_I32 : WASM_I64, depth + 1);
    op(g, whole ? (k ? WASM_OP_I64_EXTEND_I32_U : WASM_OP_I64_EXTEND_I32_S) : WASM_OP_I32_WRAP_I64);
    if (whole && !k) op(g, WASM_OP_I64_EXTEND8_S + pick(g, 3));
}

static void dense_unary(struct gen *g, u8 type, u32 depth) {
    u32 l = local_of(g, type), k = pick(g, 4);
    dense(g, type, depth + 1);
    if (k < 3) op(g, (type == WASM_I64 ? WASM_OP_I64_CLZ : WASM_OP_I32_CLZ) + k);
    else if (l != WASM_NONE) op1(g, WASM_OP_LOCAL_TEE, l);
}

/* a + (b << few) + number: one lea, or nearly. */
static void dense_sum(struct gen *g, u8 type, u32 depth) {
    bool whole = type == WASM_I64;
    u32 terms = 1 + pick(g, 7);
    if (terms & 1) dense(g, type, MAX(depth, DENSE) + 1u);
    if (terms & 2) {
        dense(g, type, MAX(depth, DENSE) + 1u);
        index_const(g, whole, pick(g, 5));
        op(g, whole ? WASM_OP_I64_SHL : WASM_OP_I32_SHL);
    }
    if (terms & 4) edge(g, type);
    for (terms &= terms - 1; terms; terms &= terms - 1) op(g, whole ? WASM_OP_I64_ADD : WASM_OP_I32_ADD);
}

static void dense(struct gen *g, u8 type, u32 depth) {
    enum { SIMPLE = 5, ALL = 14 };
    switch (pick(g, tired(g) || depth > DENSE ? SIMPLE : ALL)) {
    case 0: edge(g, type); return;
    case 1:
    case 2:
    case 3: variable(g, type); return;
    case 4: near_load(g, type, depth); return;
    case 5: dense_convert(g, type, depth); return;
    case 6: dense_select(g, type, depth); return;
    case 7: dense_unary(g, type, depth); return;
    case 8: dense_sum(g, type, depth); return;
    case 9:
        if (type == WASM_I32) {
            dense_compare(g, pick(g, 2) ? WASM_I64 : WASM_I32, depth);
            return;
        } // fall through
    default: dense_binary(g, type, depth);
    }
}

/* What is loaded, changed, and stored there again, or nearly there. */
static void update_statement(struct gen *g, u8 type) {
    static const u8 changes[] = {WASM_OP_I32_ADD, WASM_OP_I32_SUB, WASM_OP_I32_MUL, WASM_OP_I32_AND, WASM_OP_I32_OR, WASM_OP_I32_XOR};
    bool whole = type == WASM_I64, late = pick(g, 2);
    u32 size = pick(g, 2) ? 0 : 1 + pick(g, whole ? 3 : 2), offset = pick(g, 9), l = pick(g, 3) ? WASM_NONE : local_of(g, type);
    enum wasm_op load = whole ? WASM_OP_I64_LOAD : WASM_OP_I32_LOAD, store = whole ? WASM_OP_I64_STORE : WASM_OP_I32_STORE;
    if (size) load = (whole ? WASM_OP_I64_LOAD8_S : WASM_OP_I32_LOAD8_S) + 2 * (size - 1) + pick(g, 2);
    if (size && pick(g, 8)) store = (whole ? WASM_OP_I64_STORE8 : WASM_OP_I32_STORE8) + size - 1;
    struct again address = once(g, near_address, index_type(g->wide[0]), 0);
    if (!late) dense(g, type, MAX_DEPTH);
    once_more(g, address, near_address, index_type(g->wide[0]), 0);
    near_access(g, load, offset);
    if (late) dense(g, type, MAX_DEPTH);
    op(g, changes[pick(g, ARRAY_LEN(changes))] + (whole ? WASM_OP_I64_ADD - WASM_OP_I32_ADD : 0));
    if (l != WASM_NONE) op1(g, WASM_OP_LOCAL_TEE, l);
    near_access(g, store, pick(g, 4) ? offset : pick(g, 9));
}

static void branch(struct gen *g, u8 type, u32 depth) {
    dense_condition(g, depth);
    op(g, WASM_OP_IF);
    byte(g, 0x40);
    edge(g, type);
    op1(g, WASM_OP_GLOBAL_SET, global_of(g, type));
    op(g, WASM_OP_END);
}

/* What comes of the two is seen in memory. */
static void near_statement(struct gen *g) {
    u8 type = pick(g, 2) ? WASM_I64 : WASM_I32;
    bool whole = type == WASM_I64;
    u32 how = pick(g, 10);
    if (how < 3) {
        update_statement(g, type);
        return;
    }
    maker *make = how == 3 ? branch : how < 7 ? dense_select : dense_binary;
    if (make != branch) index_const(g, g->wide[0], pick(g, 0x1fe0));
    once_more(g, once(g, make, type, 1), make, type, 1);
    if (make == branch) return;
    op(g, whole ? WASM_OP_I64_SUB : WASM_OP_I32_SUB);
    u32 l = pick(g, 2) ? local_of(g, type) : WASM_NONE;
    if (l != WASM_NONE) op1(g, WASM_OP_LOCAL_TEE, l);
    near_access(g, whole ? WASM_OP_I64_STORE : WASM_OP_I32_STORE, 0);
}

/* From where a variable says to elsewhere, changed; or to the variable. */
static void copy(struct gen *g, u8 type, u32 depth) {
    bool stores = pick(g, 2);
    if (stores) near_address(g, index_type(g->wide[0]), depth);
    dense_binary(g, type, DENSE);
    if (stores) near_access(g, type == WASM_I64 ? WASM_OP_I64_STORE : WASM_OP_I32_STORE, pick(g, 2));
    else op1(g, WASM_OP_GLOBAL_SET, global_of(g, type));
}

/* Some locals change places: in a loop that is a cycle of moves. */
static void rotate_statement(struct gen *g, u32 depth) {
    enum { MOST = 4 };
    u8 type = number_types[pick(g, 5)];
    u32 locals[MOST], n = 2 + pick(g, MOST - 1);
    for (u32 i = 0; i < n; i++) {
        locals[i] = local_of(g, type);
        if (locals[i] == WASM_NONE) return;
    }
    for (u32 i = 0; i < n; i++) op1(g, WASM_OP_LOCAL_GET, locals[i]);
    for (u32 i = n; i--;) op1(g, WASM_OP_LOCAL_SET, locals[(i + 1) % n]);
}

static void set_statement(struct gen *g, u32 depth) {
    if (!pick(g, 4)) {
        near_statement(g);
        return;
    }
    if (!pick(g, 2)) {
        vector_statement(g, depth);
        return;
    }
    u8 type = number_types[pick(g, 5)];
    u32 l = local_of(g, type);
    expr(g, type, depth + 1);
    if (l != WASM_NONE && pick(g, 4)) op1(g, WASM_OP_LOCAL_SET, l);
    else op1(g, WASM_OP_GLOBAL_SET, global_of(g, type));
}

/* Spends one unit of fuel or ends the run (I2). */
static void fuel(struct gen *g) {
    op1(g, WASM_OP_GLOBAL_GET, 0);
    op(g, WASM_OP_I32_EQZ);
    op(g, WASM_OP_IF);
    byte(g, 0x40);
    op(g, WASM_OP_UNREACHABLE);
    op(g, WASM_OP_END);
    op1(g, WASM_OP_GLOBAL_GET, 0);
    i32_const(g, -1);
    op(g, WASM_OP_I32_ADD);
    op1(g, WASM_OP_GLOBAL_SET, 0);
}

/* Before a loop what is in it, nearly: what was read there may be something else by then. */
static void loop_statement(struct gen *g, u32 depth) {
    struct again first = once(g, copy, WASM_I32, depth);
    op(g, WASM_OP_LOOP);
    byte(g, 0x40);
    label_push(g, 0);
    fuel(g);
    once_more(g, first, copy, WASM_I32, depth);
    statements(g, depth + 1);
    expr(g, WASM_I32, depth + 1);
    op1(g, WASM_OP_BR_IF, 0);
    op(g, WASM_OP_END);
    g->label_count--;
}

static void if_statement(struct gen *g, u32 depth) {
    expr(g, WASM_I32, depth + 1);
    op(g, WASM_OP_IF);
    byte(g, 0x40);
    label_push(g, 0);
    statements(g, depth + 1);
    if (pick(g, 2)) {
        op(g, WASM_OP_ELSE);
        statements(g, depth + 1);
    }
    op(g, WASM_OP_END);
    g->label_count--;
}

/* A switch: nested blocks, a br_table over them, code after each. */
static void table_statement(struct gen *g, u32 depth) {
    for (u32 i = 0; i < 2; i++) {
        op(g, WASM_OP_BLOCK);
        byte(g, 0x40);
        label_push(g, 0);
    }
    expr(g, WASM_I32, depth + 1);
    u32 n = pick(g, 6);
    op1(g, WASM_OP_BR_TABLE, n);
    for (u32 i = 0; i <= n; i++) leb(g, pick(g, 2));
    for (u32 i = 0; i < 2; i++) {
        op(g, WASM_OP_END);
        g->label_count--;
        set_statement(g, depth);
    }
}

/* A block with parameters and several results: a function's type is its type. */
static void multi_statement(struct gen *g, u32 depth) {
    u32 f = pick(g, g->func_count);
    const struct sig *s = &g->sigs[f];
    arguments(g, s, depth);
    op1(g, WASM_OP_BLOCK, f + 1);
    label_push(g, 1); /* no branch carries this */
    for (u32 i = s->param_count; i--;) {
        u32 l = local_of(g, s->params[i]);
        if (l == WASM_NONE) op(g, WASM_OP_DROP);
        else op1(g, WASM_OP_LOCAL_SET, l);
    }
    for (u32 i = 0; i < s->result_count; i++) expr(g, s->results[i], depth + 1);
    if (pick(g, 2)) {
        expr(g, WASM_I32, depth + 1);
        op1(g, WASM_OP_BR_IF, 0);
    }
    op(g, WASM_OP_END);
    g->label_count--;
    for (u32 i = s->result_count; i--;) op1(g, WASM_OP_GLOBAL_SET, global_of(g, s->results[i]));
}

static void bulk_statement(struct gen *g, u32 depth) {
    static const enum wasm_op ops[] = {WASM_OP_MEMORY_FILL, WASM_OP_MEMORY_COPY, WASM_OP_MEMORY_INIT, WASM_OP_TABLE_COPY,
                                       WASM_OP_TABLE_INIT,  WASM_OP_DATA_DROP,   WASM_OP_ELEM_DROP};
    enum wasm_op o = ops[pick(g, ARRAY_LEN(ops))];
    bool table = o == WASM_OP_TABLE_COPY || o == WASM_OP_TABLE_INIT;
    u32 to = pick(g, g->memory_count), from = pick(g, g->memory_count);
    bool wide_to = table ? g->table_wide : g->wide[to], wide_from = table ? g->table_wide : g->wide[from];
    const char *operands = wasm_opinfos[o].operands;
    for (u32 i = 0; i < wasm_opinfos[o].operand_count; i++) {
        bool wide = operands[i] == 's' ? wide_from : operands[i] == 'm' ? wide_to && wide_from : operands[i] == 'a' && wide_to;
        if (table || (i == 2 && pick(g, 8))) index_const(g, wide, pick(g, table ? 6 : 200));
        else address(g, wide, depth + 1);
    }
    op(g, o);
    switch (o) {
    case WASM_OP_MEMORY_FILL: byte(g, to); return;
    case WASM_OP_DATA_DROP:
    case WASM_OP_ELEM_DROP: byte(g, 1); return;
    case WASM_OP_MEMORY_INIT: byte(g, 1), byte(g, to); return;
    case WASM_OP_TABLE_INIT: byte(g, 1), byte(g, 0); return;
    case WASM_OP_MEMORY_COPY: byte(g, to), byte(g, from); return;
    default: byte(g, 0), byte(g, 0);
    }
}

/* Behind the call what was before it, nearly: what was read may be something else by now. */
static void call_statement(struct gen *g, u32 depth) {
    u32 f = pick(g, g->func_count), around = pick(g, 2);
    struct again before = around ? once(g, copy, WASM_I32, depth) : (struct again){.n = 0};
    call(g, f, depth);
    for (u32 i = g->sigs[f].result_count; i--;) {
        u8 type = g->sigs[f].results[i];
        if (pick(g, 2)) op1(g, WASM_OP_GLOBAL_SET, global_of(g, type));
        else op(g, WASM_OP_DROP);
    }
    if (around) once_more(g, before, copy, WASM_I32, depth);
}

static bool same_results(const struct sig *a, const struct sig *b) {
    return a->result_count == b->result_count && !memcmp(a->results, b->results, a->result_count);
}

/* Perhaps leaves by way of a function with our results. */
static void tail_statement(struct gen *g, u32 depth) {
    u32 f = pick(g, g->func_count);
    if (!same_results(&g->sigs[f], &g->sigs[g->self])) f = g->self;
    expr(g, WASM_I32, depth + 1);
    op(g, WASM_OP_IF);
    byte(g, 0x40);
    label_push(g, 0);
    arguments(g, &g->sigs[f], depth);
    u32 how = pick(g, 3);
    if (!how) {
        op1(g, WASM_OP_RETURN_CALL, f + 1);
    } else if (how == 1) {
        reference(g, f, depth + 1);
        op1(g, WASM_OP_RETURN_CALL_REF, f + 1);
    } else {
        if (pick(g, 6)) index_const(g, g->table_wide, (i64)f);
        else expr(g, index_type(g->table_wide), depth + 1);
        op1(g, WASM_OP_RETURN_CALL_INDIRECT, f + 1);
        byte(g, 0);
    }
    op(g, WASM_OP_END);
    g->label_count--;
}

/* Statements that run only if a reference is not null. */
static void on_null_statement(struct gen *g, u32 depth) {
    op(g, WASM_OP_BLOCK);
    byte(g, 0x40);
    label_push(g, 0);
    reference(g, pick(g, g->func_count), depth + 1);
    op1(g, WASM_OP_BR_ON_NULL, 0);
    op(g, WASM_OP_DROP);
    statements(g, depth + 1);
    op(g, WASM_OP_END);
    g->label_count--;
}

/* -- exceptions. Types behind those of functions: of each tag, of a block that
 * yields its payload, and of one that yields the exception, too. -- */

static u32 tag_type(const struct gen *g, u32 tag, u32 which) { return 1 + g->func_count + TAGS * which + tag; }

/* The local behind all others. */
static u32 exn_local(const struct gen *g) { return g->local_count; }

static void open_block(struct gen *g, enum wasm_op o, u64 type, u8 carries) {
    op(g, o);
    leb(g, type);
    label_push(g, carries);
}

static void close_block(struct gen *g) {
    op(g, WASM_OP_END);
    g->label_count--;
}

static void throw_tag(struct gen *g, u32 depth) {
    u32 t = pick(g, TAGS);
    arguments(g, &g->tags[t], depth);
    op1(g, WASM_OP_THROW, t);
}

static void throw_statement(struct gen *g, u32 depth) {
    expr(g, WASM_I32, depth + 1);
    open_block(g, WASM_OP_IF, 0x40, 0);
    throw_tag(g, depth);
    close_block(g);
}

static void rethrow_statement(struct gen *g, u32 depth) {
    open_block(g, WASM_OP_BLOCK, 0x40, 0);
    op1(g, WASM_OP_LOCAL_GET, exn_local(g));
    op1(g, WASM_OP_BR_ON_NULL, 0);
    op(g, WASM_OP_THROW_REF);
    close_block(g);
}

static void sink(struct gen *g, const struct sig *s) {
    for (u32 i = s->param_count; i--;) op1(g, WASM_OP_GLOBAL_SET, global_of(g, s->params[i]));
}

/* A label that carries nothing, from the outside of n labels; WASM_NONE. */
static u32 empty_label(struct gen *g, u32 n) {
    u32 start = pick(g, g->label_count - n);
    for (u32 d = 0; d < g->label_count - n; d++) {
        u32 k = (start + d) % (g->label_count - n);
        if (!g->labels[g->label_count - n - 1 - k]) return k;
    }
    return WASM_NONE;
}

/* Code in which something is mostly thrown, by itself or by what it calls. */
static void risky(struct gen *g, u32 depth) {
    statements(g, depth + 1);
    if (pick(g, 2)) call_statement(g, depth + 1);
    switch (pick(g, 5)) {
    case 0: throw_statement(g, depth + 1); break;
    case 1:
        if (g->only != LEGACY_EXCEPTIONS) rethrow_statement(g, depth + 1);
        break;
    case 2:
    case 3: throw_tag(g, depth + 1); break;
    default: break;
    }
    statements(g, depth + 1);
}

static void try_statement(struct gen *g, u32 depth);

static void try_table_statement(struct gen *g, u32 depth) {
    if (g->only == LEGACY_EXCEPTIONS) {
        try_statement(g, depth);
        return;
    }
    u32 t = pick(g, TAGS);
    bool ref = pick(g, 2);
    open_block(g, WASM_OP_BLOCK, tag_type(g, t, 1 + ref), 1);
    u32 all = pick(g, 2) ? empty_label(g, 0) : WASM_NONE;
    op(g, WASM_OP_TRY_TABLE);
    byte(g, 0x40);
    leb(g, all == WASM_NONE ? 1 : 2);
    byte(g, ref), leb(g, t), leb(g, 0);
    if (all != WASM_NONE) byte(g, 2), leb(g, all);
    label_push(g, 0);
    risky(g, depth);
    close_block(g);
    arguments(g, &g->tags[t], depth);
    if (ref) op1(g, WASM_OP_REF_NULL, WASM_EXNREF);
    close_block(g);
    if (ref) op1(g, WASM_OP_LOCAL_SET, exn_local(g));
    sink(g, &g->tags[t]);
}

static void handler(struct gen *g, u32 depth) {
    statements(g, depth + 1);
    if (pick(g, 3)) return;
    expr(g, WASM_I32, depth + 1);
    open_block(g, WASM_OP_IF, 0x40, 0);
    op1(g, WASM_OP_RETHROW, 1);
    close_block(g);
}

static void try_statement(struct gen *g, u32 depth) {
    if (g->only == FINAL_EXCEPTIONS) {
        try_table_statement(g, depth);
        return;
    }
    u32 t = pick(g, TAGS), how = pick(g, 4);
    open_block(g, WASM_OP_TRY, 0x40, 0);
    risky(g, depth);
    if (!how) {
        g->label_count--;
        op1(g, WASM_OP_DELEGATE, pick(g, g->label_count));
        return;
    }
    if (how & 1) {
        op1(g, WASM_OP_CATCH, t);
        sink(g, &g->tags[t]);
        handler(g, depth);
    }
    if (how & 2) {
        op(g, WASM_OP_CATCH_ALL);
        handler(g, depth);
    }
    close_block(g);
}

static void table_set_statement(struct gen *g, u32 depth) {
    index_const(g, g->table_wide, pick(g, TABLE_LEN + 1));
    if (pick(g, 2)) op1(g, WASM_OP_REF_FUNC, 1 + pick(g, g->func_count));
    else op1(g, WASM_OP_REF_NULL, WASM_FUNCREF);
    op1(g, WASM_OP_TABLE_SET, 0);
}

static void br_if_statement(struct gen *g, u32 depth) {
    u32 d = pick(g, g->label_count);
    if (g->labels[g->label_count - 1 - d]) return;
    expr(g, WASM_I32, depth + 1);
    op1(g, WASM_OP_BR_IF, d);
}

static void statement(struct gen *g, u32 depth) {
    typedef void statement_maker(struct gen *, u32);
    static statement_maker *const makers[] = {set_statement,   set_statement,       br_if_statement, bulk_statement, call_statement,
                                    table_statement, table_set_statement, loop_statement,  if_statement,   multi_statement,
                                    tail_statement,  on_null_statement,   throw_statement, try_table_statement,
                                    try_table_statement, try_statement,   try_statement,       rotate_statement};
    u32 k = pick(g, ARRAY_LEN(makers) + 4);
    bool room = g->label_count + 3 < MAX_LABELS && depth < MAX_DEPTH;
    if (k >= ARRAY_LEN(makers)) plain(g, plain_op(g, 0), depth); /* a store */
    else if (room) makers[k](g, depth);
    else set_statement(g, depth);
}

static void statements(struct gen *g, u32 depth) {
    for (u32 n = pick(g, 5); n && !tired(g); n--) statement(g, depth);
}

static void random_sig(struct gen *g, struct sig *s) {
    s->param_count = pick(g, MAX_VALUES + 1);
    s->result_count = pick(g, 3) ? pick(g, 2) : pick(g, MAX_VALUES);
    for (u32 i = 0; i < s->param_count; i++) s->params[i] = number_types[pick(g, shown_types())];
    for (u32 i = 0; i < s->result_count; i++) s->results[i] = number_types[pick(g, shown_types())];
}

/* So that there are more values than registers, and other numbers than 0. */
static void fill_locals(struct gen *g, u32 first) {
    for (u32 l = first; l < g->local_count - 3; l++) {
        if (pick(g, 2)) continue;
        op1(g, WASM_OP_GLOBAL_GET, global_of(g, g->locals[l]));
        op1(g, WASM_OP_LOCAL_SET, l);
    }
}

static void function(struct gen *g, u32 f) {
    const struct sig *s = &g->sigs[f];
    size_t body = length_begin(g);
    u32 extra = pick(g, MAX_LOCALS + 1);
    g->self = f;
    g->local_count = 0;
    g->label_count = 0;
    label_push(g, s->result_count == 1 ? s->results[0] : s->result_count ? 1 : 0);
    for (u32 i = 0; i < s->param_count; i++) g->locals[g->local_count++] = s->params[i];
    leb(g, extra + 4);
    for (u32 i = 0; i < extra + 3; i++) {
        static const u8 temporaries[] = {WASM_V128, WASM_F32, WASM_F64};
        u8 type = i < extra ? number_types[pick(g, 5)] : temporaries[i - extra];
        byte(g, 1);
        byte(g, type);
        g->locals[g->local_count++] = type;
    }
    byte(g, 1), byte(g, g->only == LEGACY_EXCEPTIONS ? WASM_I32 : WASM_EXNREF);
    fuel(g);
    fill_locals(g, s->param_count);
    for (u32 n = pick(g, 6); n; n--) near_statement(g); /* before anything traps */
    statements(g, 0);
    if (!pick(g, 4)) try_table_statement(g, 1);
    if (!pick(g, 6)) throw_tag(g, 1);
    for (u32 i = 0; i < s->result_count; i++) expr(g, s->results[i], 1);
    op(g, WASM_OP_END);
    length_end(g, body);
}

/* A constant, a local or a global. */
static void simple(struct gen *g, u8 type) { expr(g, type, MAX_DEPTH + 1); }

static void set_simple(struct gen *g) {
    u8 type = number_types[pick(g, shown_types())];
    u32 l = local_of(g, type);
    simple(g, type);
    if (l != WASM_NONE) op1(g, WASM_OP_LOCAL_SET, l);
    else op1(g, WASM_OP_GLOBAL_SET, global_of(g, type));
}

static void leaf_statement(struct gen *g, const struct sig *s) {
    switch (pick(g, 4)) {
    case 0:
        index_const(g, g->wide[0], pick(g, 0x1fe0));
        simple(g, WASM_I32), simple(g, WASM_I32);
        op(g, WASM_OP_I32_SUB);
        op(g, WASM_OP_I32_STORE);
        memarg(g, WASM_OP_I32_STORE, 0);
        break;
    case 1: set_simple(g); break;
    case 2: /* back early */
        for (u32 i = 0; i < s->result_count; i++) simple(g, s->results[i]);
        simple(g, WASM_I32);
        op1(g, WASM_OP_BR_IF, 0);
        for (u32 i = 0; i < s->result_count; i++) op(g, WASM_OP_DROP);
        break;
    default:
        simple(g, WASM_I32);
        op(g, WASM_OP_IF);
        byte(g, 0x40);
        set_simple(g);
        op(g, WASM_OP_END);
    }
}

/* Small enough to be built into its callers. Without calls and loops it needs no fuel. */
static void leaf(struct gen *g, u32 f) {
    enum { UNUSED = 3 }; /* the temporaries, which are not declared */
    const struct sig *s = &g->sigs[f];
    size_t body = length_begin(g);
    u32 extra = pick(g, 3);
    memcpy(g->locals, s->params, s->param_count);
    g->local_count = s->param_count + extra + UNUSED;
    leb(g, extra);
    for (u32 i = 0; i < extra; i++) {
        byte(g, 1);
        byte(g, g->locals[s->param_count + i] = number_types[pick(g, 5)]);
    }
    for (u32 n = pick(g, 4); n; n--) leaf_statement(g, s);
    for (u32 i = 0; i < s->result_count; i++) simple(g, s->results[i]);
    op(g, WASM_OP_END);
    length_end(g, body);
}

static size_t section(struct gen *g, u32 id) {
    byte(g, id);
    return length_begin(g);
}

static void tag_types(struct gen *g) {
    for (u32 which = 0; which < 3; which++)
        for (u32 t = 0; t < TAGS; t++) {
            const struct sig *s = &g->tags[t];
            byte(g, 0x60);
            if (which) byte(g, 0);
            leb(g, s->param_count + (which == 2));
            for (u32 i = 0; i < s->param_count; i++) byte(g, s->params[i]);
            if (which == 2) byte(g, WASM_EXNREF);
            if (!which) byte(g, 0);
        }
}

static void types_and_imports(struct gen *g) {
    size_t s = section(g, 1);
    leb(g, g->func_count + 1 + 3 * TAGS);
    byte(g, 0x60), byte(g, 2), byte(g, WASM_I32), byte(g, WASM_I64), byte(g, 1), byte(g, WASM_I64);
    for (u32 f = 0; f < g->func_count; f++) {
        const struct sig *t = &g->sigs[f];
        byte(g, 0x60);
        leb(g, t->param_count);
        for (u32 i = 0; i < t->param_count; i++) byte(g, t->params[i]);
        leb(g, t->result_count);
        for (u32 i = 0; i < t->result_count; i++) byte(g, t->results[i]);
    }
    tag_types(g);
    length_end(g, s);
    s = section(g, 2);
    byte(g, 1);
    name(g, "env");
    name(g, "mix");
    byte(g, 0), byte(g, 0);
    length_end(g, s);
    s = section(g, 3);
    leb(g, g->func_count);
    for (u32 f = 0; f < g->func_count; f++) leb(g, f + 1);
    length_end(g, s);
}

static void storage(struct gen *g) {
    size_t s = section(g, 4);
    byte(g, 1), byte(g, WASM_FUNCREF), byte(g, 1 | (g->table_wide ? 4 : 0)), byte(g, TABLE_LEN), byte(g, TABLE_LEN + 4);
    length_end(g, s);
    s = section(g, 5);
    byte(g, g->memory_count);
    for (u32 i = 0; i < g->memory_count; i++) {
        bool bytewise = i == g->bytewise;
        byte(g, 1 | (i == g->shared ? 2 : 0) | (g->wide[i] ? 4 : 0) | (bytewise ? 8 : 0));
        leb(g, bytewise ? 0x1ff9 : 1), leb(g, bytewise ? 0x20003 : 3);
        if (bytewise) byte(g, 0);
    }
    length_end(g, s);
    s = section(g, 13);
    byte(g, TAGS);
    for (u32 t = 0; t < TAGS; t++) byte(g, 0), leb(g, tag_type(g, t, 0));
    length_end(g, s);
    s = section(g, 6);
    byte(g, GLOBALS);
    for (u32 i = 0; i < GLOBALS; i++) {
        byte(g, global_types[i]), byte(g, 1);
        if (i) constant(g, global_types[i]);
        else i32_const(g, GEN_FUEL);
        op(g, WASM_OP_END);
    }
    length_end(g, s);
}

static void exports(struct gen *g) {
    size_t s = section(g, 7);
    leb(g, g->func_count + globals_shown() + g->memory_count);
    for (u32 i = 0; i < g->memory_count; i++) {
        name(g, (char[]){'m', (char)('0' + i), 0});
        byte(g, 2), byte(g, i);
    }
    for (u32 i = 0; i < g->func_count + globals_shown(); i++) {
        bool func = i < g->func_count;
        u32 k = func ? i : i - g->func_count;
        name(g, (char[]){func ? 'f' : 'g', (char)('0' + k), 0});
        byte(g, func ? 0 : 3);
        leb(g, func ? k + 1 : k);
    }
    length_end(g, s);
}

/* Segment 0 is active and fills the table, 1 is passive. */
static void elements(struct gen *g) {
    size_t s = section(g, 9);
    byte(g, 2);
    byte(g, 0);
    index_const(g, g->table_wide, 0);
    op(g, WASM_OP_END);
    leb(g, g->func_count);
    for (u32 f = 0; f < g->func_count; f++) leb(g, f + 1);
    byte(g, 1), byte(g, 0);
    leb(g, g->func_count + 1);
    for (u32 f = 0; f <= g->func_count; f++) leb(g, f);
    length_end(g, s);
}

static void datas(struct gen *g) {
    for (u32 i = 0; i < 2; i++) {
        if (i) byte(g, 1);
        else {
            u32 memory = pick(g, g->memory_count);
            byte(g, 2), byte(g, memory);
            index_const(g, g->wide[memory], pick(g, 256));
            op(g, WASM_OP_END);
        }
        u32 n = 16 + pick(g, 64);
        leb(g, n);
        for (u32 k = 0; k < n; k++) byte(g, (k * 37 + n) & 0xff);
    }
}

size_t gen_module(struct bytes in, u8 *out) {
    struct gen g = {.in = cursor_of(in), .out = out};
    static const u8 head[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    for (u32 i = 0; i < sizeof head; i++) byte(&g, head[i]);
    g.func_count = 1 + pick(&g, GEN_FUNCS_MAX);
    for (u32 f = 0; f < g.func_count; f++) random_sig(&g, &g.sigs[f]);
    for (u32 t = 0; t < TAGS; t++) random_sig(&g, &g.tags[t]);
    g.memory_count = 1 + pick(&g, MAX_MEMORIES);
    for (u32 i = 0; i < g.memory_count; i++) g.wide[i] = !pick(&g, 3);
    g.shared = pick(&g, 2) ? pick(&g, g.memory_count) : MAX_MEMORIES;
    g.bytewise = pick(&g, 2) && !gen_for_v8 ? pick(&g, g.memory_count) : MAX_MEMORIES;
    g.table_wide = !pick(&g, 3);
    if (gen_for_v8) g.only = pick(&g, 2) ? FINAL_EXCEPTIONS : LEGACY_EXCEPTIONS;
    types_and_imports(&g);
    storage(&g);
    exports(&g);
    elements(&g);
    size_t s = section(&g, 12);
    byte(&g, 2);
    length_end(&g, s);
    s = section(&g, 10);
    leb(&g, g.func_count);
    for (u32 f = 0; f < g.func_count; f++) {
        if (pick(&g, 3)) function(&g, f);
        else leaf(&g, f);
    }
    length_end(&g, s);
    s = section(&g, 11);
    byte(&g, 2);
    datas(&g);
    length_end(&g, s);
    return g.n;
}
