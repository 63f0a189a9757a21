/* wasm/decode: modules byte by byte beside their fate. */
#include <stdlib.h>
#include <string.h>

#include "test/lib/test.h"
#include "wasm/module.h"
#include "wasm/opcodes.h"

#define HEADER "\0asm\1\0\0\0"
#define BYTES(s) ((struct bytes){(const u8 *)(s), sizeof(s) - 1})

static enum err load(struct arena *a, struct bytes in, struct wasm_module *m, struct wasm_error *error) {
    *error = (struct wasm_error){0};
    enum err e = wasm_decode(a, in, m, error);
    return e ? e : wasm_validate(a, m, error);
}

/* One function () -> () and a memory; the code section comes at 23. */
#define MEMORY_BODY HEADER "\1\4\1\x60\0\0" "\3\2\1\0" "\5\3\1\0\1"

struct row {
    struct bytes in;
    enum err e;
    size_t offset;
    const char *text;
};
#define ROW(s, e, offset, text) {{(const u8 *)(s), sizeof(s) - 1}, e, offset, text}

static void refusals(void) {
    static const struct row rows[] = {
        ROW("", ERR_TRUNCATED, 0, "unexpected end"),
        ROW("\0asn\1\0\0\0", ERR_MALFORMED, 0, "magic header not detected"),
        ROW("\0asm\2\0\0\0", ERR_MALFORMED, 4, "unknown binary version"),
        ROW("\0asm\15\0\1\0", ERR_MALFORMED, 4, "unknown binary version: a component; take the module inside it"),
        ROW(HEADER "\x0e\0", ERR_MALFORMED, 8, "malformed section id"),
        ROW(HEADER "\x03\1\0\1\1\0", ERR_MALFORMED, 11, "unexpected content after last section"),
        ROW(HEADER "\1\5\1\x60\0\0\0", ERR_MALFORMED, 14, "section size mismatch"),
        ROW(HEADER "\1\x80\x80\x80\x80\x80\0", ERR_MALFORMED, 9, "integer representation too long"),
        ROW(HEADER "\1\xff\xff\xff\xff\x1f", ERR_MALFORMED, 9, "integer too large"),
        ROW(HEADER "\1\2\1\x60", ERR_TRUNCATED, 12, "unexpected end of section or function"),
        ROW(HEADER "\1\x7f\1", ERR_TRUNCATED, 10, "length out of bounds"),
        ROW(HEADER "\0\2\1\xff", ERR_MALFORMED, 10, "malformed UTF-8 encoding"),
        ROW(HEADER "\5\3\1\0\1\5\3\1\0\1", ERR_MALFORMED, 13, "unexpected content after last section"),
        ROW(HEADER "\5\4\1\1\2\1", ERR_INVALID, 11, "size minimum must not be greater than maximum"),
        ROW(HEADER "\3\2\1\0", ERR_MALFORMED, 12, "function and code section have inconsistent lengths"),
        ROW(HEADER "\x8\1\0", ERR_INVALID, 10, "unknown function 0"),
        ROW(HEADER "\5\3\1\2\1", ERR_INVALID, 11, "shared memory must have maximum"),
        ROW(HEADER "\4\5\1\x70\3\1\2", ERR_MALFORMED, 12, "malformed limits flags"), /* a shared table */
        ROW(HEADER "\5\3\1\x10\0", ERR_MALFORMED, 11, "malformed limits flags"),
        ROW(HEADER "\5\4\1\x08\0\1", ERR_INVALID, 13, "invalid custom page size"),
        ROW(HEADER "\5\4\1\x08\0\x41", ERR_MALFORMED, 13, "invalid custom page size"),
        ROW(HEADER "\5\x9\1\4\x81\x80\x80\x80\x80\x80\x40", ERR_INVALID, 11,
            "memory size must be at most what an index can reach"),
        ROW(HEADER "\5\x0d\1\4\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\0", ERR_MALFORMED, 12, "integer too large"),
        ROW(MEMORY_BODY "\xa\x0b\1\x09\0\x41\0\xfe\x10\1\0\x1a\xb", ERR_INVALID, 30, "atomic alignment must be natural"),
        ROW(MEMORY_BODY "\xa\xc\1\xa\0\x41\0\xfe\x10\x42\5\0\x1a\xb", ERR_INVALID, 30, "unknown memory 5"),
        ROW(MEMORY_BODY "\xa\xe\1\xc\0\x41\0\x28\2\x80\x80\x80\x80\x10\x1a\xb", ERR_INVALID, 30, "offset out of range"),
        ROW(MEMORY_BODY "\xa\xa\1\x8\0\x42\0\x28\2\0\x1a\xb", ERR_INVALID, 30, "type mismatch: expected i32, found i64"),
        ROW(MEMORY_BODY "\xa\7\1\5\0\xfe\3\1\xb", ERR_MALFORMED, 28, "zero byte expected"),
        ROW(MEMORY_BODY "\xa\6\1\4\0\xfe\x4f\xb", ERR_MALFORMED, 28, "illegal opcode"),
        ROW(MEMORY_BODY "\xa\xc\1\xa\0\xfe\x90\x80\x80\x80\x80\0\0\xb", ERR_MALFORMED, 28, "integer representation too long"),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct wasm_module m;
        struct wasm_error error;
        arena_init(&a, &test_heap, 0);
        EQUAL(load(&a, rows[i].in, &m, &error), rows[i].e);
        EQUAL(error.code, rows[i].e);
        EQUAL(error.offset, rows[i].offset);
        EQUAL_TEXT(error.text, rows[i].text);
        arena_reset(&a);
    }
}

/* Later features are named, with the place, and never called invalid. */
static void later_features(void) {
    static const struct row rows[] = {
        ROW(HEADER "\1\2\1\x5f", ERR_UNSUPPORTED, 11, "GC"),
        ROW(HEADER "\1\6\1\x60\1\x63\x6e\0", ERR_UNSUPPORTED, 13, "GC"),
        ROW(HEADER "\1\4\1\x60\0\0\3\2\1\0\xa\6\1\4\0\xfb\0\xb", ERR_UNSUPPORTED, 23, "GC"),
        ROW(HEADER "\1\4\1\x60\0\0\3\2\1\0\xa\7\1\5\0\xfd\x9a\1\xb", ERR_MALFORMED, 23, "illegal opcode"),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct wasm_module m;
        struct wasm_error error;
        arena_init(&a, &test_heap, 0);
        EQUAL(load(&a, rows[i].in, &m, &error), rows[i].e);
        EQUAL(error.offset, rows[i].offset);
        CHECK(!strncmp(error.text, rows[i].text, strlen(rows[i].text)));
        arena_reset(&a);
    }
}

/* Every beginning of a module is refused, from memory of just that size, and
 * with every byte of it changed nothing is read or written out of bounds. */
static void damaged(void) {
    static const u8 whole[] = HEADER
        "\1\6\1\x60\1\x7f\1\x7f"              /* (i32) -> i32 */
        "\2\x8\1\1" "m\1" "g\3\x7f\0"          /* imported global */
        "\3\2\1\0" "\4\4\1\x70\0\2" "\5\3\1\0\1"
        "\6\6\1\x7f\1\x41\7\xb" "\7\5\1\1" "f\0\0"
        "\x9\7\1\0\x41\0\xb\1\0" "\xc\1\1"
        "\xa\xf\1\xd\1\1\x7f\3\x40\x20\0\x21\1\xb\x20\1\xb"
        "\xb\7\1\0\x41\0\xb\1\x2a";
    size_t n = sizeof whole - 1;
    struct wasm_module m;
    struct wasm_error error;
    for (size_t cut = 0; cut <= n; cut++)
        for (size_t at = 0; at < (cut == n ? n : 1); at++) {
            struct arena a;
            u8 *copy = malloc(cut + !cut);
            memcpy(copy, whole, cut);
            if (cut == n && at) copy[at] ^= (u8)(1u << (at % 8));
            arena_init(&a, &test_heap, 16 << 20);
            enum err e = load(&a, (struct bytes){copy, cut}, &m, &error);
            CHECK(error.offset <= cut && (!e || error.code == e));
            if (cut == n && !at) EQUAL(e, ERR_OK);
            arena_reset(&a);
            free(copy);
        }
}

/* Counts that the bytes cannot back take no memory. */
static void greedy(void) {
    static const u8 many[] = HEADER "\1\5\xff\xff\xff\xff\x0f";
    struct arena a;
    struct wasm_module m;
    struct wasm_error error;
    arena_init(&a, &test_heap, 0);
    EQUAL(load(&a, BYTES(many), &m, &error), ERR_TRUNCATED);
    CHECK(arena_used(&a) < 4096);
    arena_reset(&a);
}

static void table_of_opcodes(void) {
    u32 rows = 0;
    for (u32 op = 0; op < WASM_OP_COUNT; op++) {
        const struct wasm_opinfo *info = &wasm_opinfos[op];
        if (!info->text) continue;
        rows++;
        CHECK(info->special || strlen(info->operands) == info->operand_count);
        CHECK(info->special || strlen(info->results) == info->result_count);
    }
#define X(...) +1
    EQUAL(rows, 0 WASM_OPS(X)); /* no two rows have one code */
#undef X
}

int main(void) {
    refusals();
    later_features();
    damaged();
    greedy();
    table_of_opcodes();
    return test_end("wasm_decode");
}
