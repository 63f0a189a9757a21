/* wasm/validate_short: each instruction gets the verdict that it gets without it.
 *
 * The same code twice, once with one more local, of a type without a default value:
 * then the short way is not taken (validate_short.c, I3). */
#include <stdio.h>
#include <string.h>

#include "test/lib/test.h"
#include "wasm/short.h"

static struct arena A;

/* Types 0: (i32 i64 f32 f64) -> (), 1: (i64) -> (f32); functions 0: imported, of type 1,
 * and 1, of type 0. */
#define TYPES "\0asm\1\0\0\0" "\1\xd\2" "\x60\4\x7f\x7e\x7d\x7c\0" "\x60\1\x7e\1\x7d" "\2\7\1\1m\1f\0\1" "\3\2\1\0"
static const char *const memories[] = {"\5\3\1\0\1", "\5\3\1\4\1", ""};
static const u8 memory_sizes[] = {5, 5, 0};

struct verdict {
    enum err code;
    size_t at; /* from the first instruction */
    u32 stack, depth, set;
    char text[160];
};

static struct verdict judge(u32 memory, const u8 *code, size_t n, bool slow) {
    u8 in[256];
    size_t at = sizeof TYPES - 1, locals = slow ? 4 : 1;
    struct wasm_module m;
    struct wasm_error error = {0};
    memcpy(in, TYPES, at);
    memcpy(in + at, memories[memory], memory_sizes[memory]);
    at += memory_sizes[memory];
    memcpy(in + at, (u8[]){10, (u8)(n + locals + 2), 1, (u8)(n + locals)}, 4);
    memcpy(in + at + 4, slow ? "\1\1\x64\x70" : "\0", locals);
    memcpy(in + at + 4 + locals, code, n);
    arena_reset(&A);
    struct verdict v = {.code = wasm_decode(&A, (struct bytes){in, at + 4 + locals + n}, &m, &error)};
    CHECK(!v.code);
    if (v.code) return v;
    v.code = wasm_validate(&A, &m, &error);
    if (v.code) v.at = error.offset - at - locals;
    else v = (struct verdict){.stack = m.funcs[1].max_stack, .depth = m.funcs[1].max_depth, .set = m.funcs[1].loop_count ? m.funcs[1].loop_sets[0] : 0};
    memcpy(v.text, error.text, sizeof v.text);
    return v;
}

static u32 accepted, refused;

static void compare(u32 memory, const u8 *code, size_t n) {
    struct verdict a = judge(memory, code, n, false), b = judge(memory, code, n, true);
    bool same = a.code == b.code && a.at == b.at && a.stack == b.stack && a.depth == b.depth && a.set == b.set && !strcmp(a.text, b.text);
    CHECK(same);
    for (size_t i = 0; i < n && !same; i++) printf("%02x ", code[i]);
    if (!same) printf(": %s; without the short way: %s\n", a.text, b.text);
    accepted += !a.code;
    refused += a.code != ERR_OK;
}

struct piece {
    const char *p;
    size_t n;
};
#define PIECE(text) {text, sizeof text - 1}

/* What an instruction may be given: what fits, what does not, and what is as long. */
static const struct piece none[] = {PIECE("")};
static const struct piece locals[] = {PIECE("\0"), PIECE("\1"), PIECE("\3"), PIECE("\5"), PIECE("\x82\0"), PIECE("\x85\0"), PIECE("\x83\x80\x80\0"), PIECE("\x83\x80\x80\x80\0"), PIECE("\x83\x80\x80\x80\x10")};
static const struct piece memargs[] = {PIECE("\0\0"), PIECE("\1\0"), PIECE("\2\1"), PIECE("\3\x81\1"), PIECE("\4\0"), PIECE("\x40\0\0"), PIECE("\x80\1\0"),
                                       PIECE("\0\xff\xff\xff\x7f"), PIECE("\0\xff\xff\xff\xff\x0f"), PIECE("\0\xff\xff\xff\xff\x1f")};
static const struct piece numbers[] = {PIECE("\0"), PIECE("\xff\xff\xff\x7f"), PIECE("\xff\xff\xff\xff\x7f"), PIECE("\xff\xff\xff\xff\x0f"), PIECE("\x80\x80\x80\x80\x07"), PIECE("\x80\x80\x80\x80\x77")};
static const struct piece floats[] = {PIECE("\0\0\0\0"), PIECE("\0\0\0\0\0\0\0\0")};
static const struct piece labels[] = {PIECE("\0"), PIECE("\1"), PIECE("\2"), PIECE("\x80\x80\x80\x80\0")};
static const struct piece funcs[] = {PIECE("\0"), PIECE("\1"), PIECE("\2"), PIECE("\x80\x80\x80\x80\0"), PIECE("\x80\x80\x80\x80\x10")};
static const struct piece blocks[] = {PIECE("\x40"), PIECE("\x7f"), PIECE("\1"), PIECE("\xc0\x7f")};
static const struct piece others[] = {PIECE("\0\0")};

static const struct piece *immediates(u8 op, size_t *n) {
#define SET(set) return *n = ARRAY_LEN(set), set
    switch ((u32)wasm_opinfos[op].imm) {
    case WASM_IMM_NONE: SET(none);
    case WASM_IMM_LOCAL: SET(locals);
    case WASM_IMM_MEMARG: SET(memargs);
    case WASM_IMM_I32:
    case WASM_IMM_I64: SET(numbers);
    case WASM_IMM_F32:
    case WASM_IMM_F64: SET(floats);
    case WASM_IMM_LABEL: SET(labels);
    case WASM_IMM_FUNC: SET(funcs);
    case WASM_IMM_BLOCK: SET(blocks);
    default: SET(others);
    }
}

static const struct piece operands[] = {PIECE(""), PIECE("\x20\0"), PIECE("\x20\1"), PIECE("\x20\2"), PIECE("\x20\3")};
static const struct piece results[] = {PIECE(""), PIECE("\x21\0"), PIECE("\x21\1"), PIECE("\x21\2"), PIECE("\x21\3"), PIECE("\x1a"), PIECE("\x0b")};
/* Before the operands; then between the two, or behind both. */
static const struct piece before[] = {PIECE(""), PIECE("\0"), PIECE("\3\x40"), PIECE("\3\x40\3\x40"), PIECE("\2\x7f")};
static const struct piece between[] = {PIECE(""), PIECE("\2\x40"), PIECE("\3\x40"), PIECE("\4\x40"), PIECE("\2\x40\xb")};

static size_t add(u8 *code, size_t n, struct piece x) {
    memcpy(code + n, x.p, x.n);
    return n + x.n;
}

static void with_operands(u32 memory, u8 op, struct piece immediate, struct piece first, struct piece second, bool split) {
    static const struct piece rest = PIECE("\1\1\1\1\1\1\1\1\1\xb");
    for (size_t a = 0; a < ARRAY_LEN(before); a++)
        for (size_t b = 0; b < (a ? 1 : ARRAY_LEN(between)); b++)
            for (size_t r = 0; r < ARRAY_LEN(results); r++) {
                u8 code[64];
                size_t n = add(code, add(code, 0, before[a]), first);
                n = split ? add(code, add(code, n, between[b]), second) : add(code, add(code, n, second), between[b]);
                code[n++] = op;
                n = add(code, add(code, n, immediate), results[r]);
                for (size_t open = before[a].n / 2 + between[b].n % 3 / 2; open; open--) code[n++] = 0xb;
                compare(memory, code, add(code, n, rest));
            }
}

static void each(u8 op) {
    size_t n;
    const struct piece *list = immediates(op, &n);
    u32 kinds = list == memargs ? ARRAY_LEN(memories) : 1;
    for (u32 m = 0; m < kinds; m++)
        for (size_t i = 0; i < (m ? 1 : n); i++)
            for (size_t x = 0; x < ARRAY_LEN(operands); x++)
                for (size_t y = 0; y < ARRAY_LEN(operands); y++) {
                    with_operands(m, op, list[i], operands[x], operands[y], false);
                    if (x && x == y) with_operands(m, op, list[i], operands[x], operands[y], true);
                }
}

/* What is taken, base/cursor takes, to the same value; and of up to four bytes all. */
static void numbers_alike(void) {
    static const u8 bytes[] = {0x00, 0x01, 0x07, 0x08, 0x0f, 0x10, 0x3f, 0x40, 0x70, 0x77, 0x78, 0x7f, 0x80, 0x88, 0xbf, 0xc0, 0xff};
    u8 in[5];
    for (u32 k = 0; k < 17 * 17 * 17 * 17 * 17; k++) {
        for (u32 i = 0, x = k; i < 5; i++, x /= 17) in[i] = bytes[x % 17];
        struct cursor c = {in, in, in + 5}, d = c;
        const u8 *p = in, *q = in;
        u32 a = 0, b = 0;
        i32 x = 0, y = 0;
        bool fine = !take_leb_u32(&c, &a), taken = short_u32(&p, &b);
        if (fine != taken || (taken && (a != b || c.p != p))) EQUAL(b, a);
        fine = !take_leb_i32(&d, &x), taken = short_i32(&q, &y);
        if (fine != taken || (taken && (x != y || d.p != q))) EQUAL(y, x);
    }
}

/* local.get 4, of type (ref func); before it something that makes a stack. */
static void unset(void) {
    static const u8 code[] = {0x20, 0, 0x1a, 0x20, 4, 0x1a, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0xb};
    struct verdict v = judge(0, code, sizeof code, true);
    EQUAL(v.code, ERR_INVALID);
    EQUAL_TEXT(v.text, "uninitialized local 4");
}

int main(void) {
    arena_init(&A, &test_heap, 0);
    unset();
    numbers_alike();
    for (u32 op = 0; op < 256; op++)
        if (wasm_opinfos[op].text) each((u8)op);
    CHECK(accepted > 5000 && refused > 5000);
    arena_reset(&A);
    return test_end("wasm_short");
}
