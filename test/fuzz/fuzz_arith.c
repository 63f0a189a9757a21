/* fuzz_arith.c: straight lines of arithmetic, compiler against oracle. The
 * generator of whole programs (gen.c) reaches each instruction, but most of its
 * runs trap early; here every byte of input is executed.
 *
 * I1 each module is valid: FUNCS functions (i32 i64 f32 f64) -> t, exported.
 * I2 no instruction shows the bits of a NaN: those may differ. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "test/fuzz/differ.h"
#include "wasm/module.h"
#include "wasm/opcodes.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t n);

enum { FUNCS = 16, ROOM = 1 << 15, DEPTH = 3 };

struct maker {
    struct cursor in;
    u8 out[ROOM];
    size_t n;
};

static const char letters[] = "iIfF"; /* also the order of the parameters */
static const u8 types[] = {WASM_I32, WASM_I64, WASM_F32, WASM_F64};

static u32 pick(struct maker *m, u32 below) {
    u8 a = 0, b = 0;
    take_u8(&m->in, &a);
    if (below > 64) take_u8(&m->in, &b);
    return (a | (u32)b << 8) % below;
}

static void byte(struct maker *m, u32 b) {
    assert(m->n < ROOM);
    m->out[m->n++] = (u8)b;
}

static void sleb(struct maker *m, i64 v) {
    for (;; v >>= 7) {
        bool last = (v >> 6) == 0 || (v >> 6) == -1;
        byte(m, (v & 0x7f) | (last ? 0 : 0x80));
        if (last) return;
    }
}

/* A fixed five bytes, so that lengths can be filled in afterwards. */
static void length_at(struct maker *m, size_t at) {
    u32 v = (u32)(m->n - at - 5);
    for (int i = 0; i < 5; i++, v >>= 7) m->out[at + (size_t)i] = (u8)((v & 0x7f) | (i < 4 ? 0x80 : 0));
}

static size_t open_length(struct maker *m) {
    size_t at = m->n;
    for (int i = 0; i < 5; i++) byte(m, 0);
    return at;
}

static bool shows_bits(enum wasm_op o) {
    return o == WASM_OP_I32_REINTERPRET_F32 || o == WASM_OP_I64_REINTERPRET_F64 ||
           o == WASM_OP_F32_COPYSIGN || o == WASM_OP_F64_COPYSIGN;
}

static bool suits(u32 o, char result) {
    const struct wasm_opinfo *info = &wasm_opinfos[o];
    for (u32 i = 0; i < info->operand_count; i++)
        if (!strchr(letters, info->operands[i])) return false; /* a vector */
    return info->text && !info->special && info->imm == WASM_IMM_NONE && info->result_count == 1 &&
           info->results[0] == result && !shows_bits(o);
}

static void constant(struct maker *m, u32 type) {
    static const u64 edges[] = {0, 1, 2, 31, 32, 33, 63, 64, 65, 127, 255, 0x7fffffff, 0x80000000, 0xffffffff,
                                0x100000000, INT64_MAX, 1ull << 63, UINT64_MAX, 0x3f800000, 0x7f800000,
                                0x3ff0000000000000, 0x43e0000000000000, 0x41dfffffffc00000};
    u64 v = edges[pick(m, ARRAY_LEN(edges))];
    byte(m, WASM_OP_I32_CONST + type);
    if (type == 0) sleb(m, (i32)v);
    else if (type == 1) sleb(m, (i64)v);
    else
        for (u32 i = 0; i < (type == 2 ? 4u : 8u); i++) byte(m, (u8)(v >> (8 * i)));
}

static void expression(struct maker *m, u32 type, u32 depth);

/* Division and shifts by a constant: where special cases are compiled. */
static void by_constant(struct maker *m, u32 type, u32 depth) {
    static const u8 ops[] = {WASM_OP_I32_DIV_S, WASM_OP_I32_REM_S, WASM_OP_I32_SHL, WASM_OP_I32_SHR_S,
                             WASM_OP_I32_SHR_U, WASM_OP_I32_ROTL};
    assert(type < 2);
    u32 o = ops[pick(m, ARRAY_LEN(ops))];
    expression(m, type, depth + 1);
    constant(m, type);
    byte(m, o + type * (WASM_OP_I64_SHL - WASM_OP_I32_SHL));
}

/* A global before and after a call that changes it: function FUNCS counts both
 * globals (of i32 and i64) up. */
static void around_call(struct maker *m, u32 type) {
    assert(type < 2);
    byte(m, WASM_OP_GLOBAL_GET), byte(m, type);
    byte(m, WASM_OP_CALL), byte(m, FUNCS);
    byte(m, WASM_OP_GLOBAL_GET), byte(m, type);
    byte(m, type ? WASM_OP_I64_SUB : WASM_OP_I32_SUB);
}

static void expression(struct maker *m, u32 type, u32 depth) {
    u32 choice = pick(m, 7);
    if (choice == 6 && type < 2) {
        around_call(m, type);
        return;
    }
    if (choice == 5 && type < 2 && depth < DEPTH) {
        by_constant(m, type, depth);
        return;
    }
    if (depth == DEPTH || !cursor_left(&m->in)) choice &= 1;
    if (choice == 0) {
        constant(m, type);
        return;
    }
    if (choice == 1) {
        byte(m, WASM_OP_LOCAL_GET);
        byte(m, type);
        return;
    }
    u32 o = pick(m, WASM_OP_COUNT);
    while (!suits(o, letters[type])) o = (o + 1) % WASM_OP_COUNT;
    const struct wasm_opinfo *info = &wasm_opinfos[o];
    for (u32 i = 0; i < info->operand_count; i++)
        expression(m, (u32)(strchr(letters, info->operands[i]) - letters), depth + 1);
    if (o >= 0x100) byte(m, 0xfc);
    byte(m, o & 0xff);
}

static void bytes_of(struct maker *m, const char *s, size_t n) {
    for (size_t i = 0; i < n; i++) byte(m, (u8)s[i]);
}
#define BYTES_OF(m, s) bytes_of(m, s, sizeof(s) - 1)

static void make(struct maker *m) {
    u32 results[FUNCS];
    for (u32 f = 0; f < FUNCS; f++) results[f] = pick(m, 4);
    BYTES_OF(m, "\0asm\1\0\0\0\1");
    size_t at = open_length(m);
    byte(m, 5);
    for (u32 t = 0; t < 4; t++) {
        BYTES_OF(m, "\x60\4\x7f\x7e\x7d\x7c\1");
        byte(m, types[t]);
    }
    BYTES_OF(m, "\x60\0\0");
    length_at(m, at);
    byte(m, 3), byte(m, FUNCS + 2), byte(m, FUNCS + 1);
    for (u32 f = 0; f < FUNCS; f++) byte(m, results[f]);
    byte(m, 4);
    BYTES_OF(m, "\6\xb\2\x7f\1\x41\0\xb\x7e\1\x42\0\xb"); /* two globals, both 0 */
    byte(m, 7);
    at = open_length(m);
    byte(m, FUNCS);
    for (u32 f = 0; f < FUNCS; f++) byte(m, 1), byte(m, 'a' + f), byte(m, 0), byte(m, f);
    length_at(m, at);
    byte(m, 10);
    at = open_length(m);
    byte(m, FUNCS + 1);
    for (u32 f = 0; f < FUNCS; f++) {
        size_t body = open_length(m);
        byte(m, 0);
        expression(m, results[f], 0);
        byte(m, WASM_OP_END);
        length_at(m, body);
    }
    BYTES_OF(m, "\x10\0\x23\0\x41\1\x6a\x24\0\x23\1\x42\1\x7c\x24\1\xb");
    length_at(m, at);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t n) {
    static struct maker m;
    char why[200] = "";
    m = (struct maker){.in = cursor_of((struct bytes){data, n})};
    make(&m);
    if (differ_run((struct bytes){m.out, m.n}, true, why)) return 0;
    fprintf(stderr, "difference: %s\n", why);
    abort();
}
