/* wasm/: what is wrong with tail calls, typed references and exceptions is said
 * where it is, to the byte. */
#include <string.h>

#include "test/lib/test.h"
#include "wasm/module.h"

#define HEADER "\0asm\1\0\0\0"
/* () -> (), (i32) -> (), () -> (i32); a function of the first; a tag of the second. */
#define TYPES "\1\xc\3\x60\0\0\x60\1\x7f\0\x60\0\1\x7f"
#define BEFORE HEADER TYPES "\3\2\1\0" "\xd\3\1\0\1"

struct row {
    const char *bytes; /* of a body: locals, code; or a module */
    size_t n;
    enum err e;
    size_t offset; /* in the code; or in the module */
    const char *text;
};
#define ROW(s, e, offset, text) {s, sizeof(s) - 1, e, offset, text}

static void check(const u8 *p, size_t n, const struct row *r, size_t offset) {
    struct arena a;
    struct wasm_module m;
    struct wasm_error error = {0};
    arena_init(&a, &test_heap, 0);
    enum err e = wasm_decode(&a, (struct bytes){p, n}, &m, &error);
    if (!e) e = wasm_validate(&a, &m, &error);
    EQUAL(e, r->e);
    if (r->e) {
        EQUAL(error.offset, offset);
        EQUAL_TEXT(error.text, r->text);
    }
    arena_reset(&a);
}

static void bodies(void) {
    static const struct row rows[] = {
        ROW("\0\x41\7\x08\0\xb", ERR_OK, 0, ""),
        ROW("\0\x08\1\xb", ERR_INVALID, 0, "unknown tag 1"),
        ROW("\0\x08\0\xb", ERR_INVALID, 0, "type mismatch: an operand is missing"),
        ROW("\0\x42\7\x08\0\xb", ERR_INVALID, 2, "type mismatch: expected i32, found i64"),
        ROW("\0\x0a\xb", ERR_INVALID, 0, "type mismatch: an operand is missing"),
        ROW("\0\xd0\x70\x0a\xb", ERR_INVALID, 2, "type mismatch: expected exnref, found funcref"),
        ROW("\0\x1f\x40\1\4\0\xb\xb", ERR_MALFORMED, 0, "malformed catch clause"),
        ROW("\0\x1f\x40\1\2\5\xb\xb", ERR_INVALID, 0, "unknown label 5"),
        ROW("\0\x1f\x40\1\2\1\xb\xb", ERR_INVALID, 0, "unknown label 1"), /* labels count from outside */
        ROW("\0\x1f\x40\1\2\0\xb\xb", ERR_OK, 0, ""),
        ROW("\0\x1f\x40\1\0\0\0\xb\xb", ERR_INVALID, 0, "type mismatch: catch clause and its label"),
        ROW("\0\x1f\x40\1\0\7\0\xb\xb", ERR_INVALID, 0, "unknown tag 7"),
        ROW("\0\2\x7f\x1f\x40\1\0\0\0\xb\x41\0\xb\x1a\xb", ERR_OK, 0, ""),
        ROW("\0\2\x69\x1f\x40\1\3\0\xb\xd0\x69\xb\x1a\xb", ERR_OK, 0, ""),
        ROW("\0\2\x70\x1f\x40\1\3\0\xb\xd0\x70\xb\x1a\xb", ERR_INVALID, 2, "type mismatch: catch clause and its label"),
        /* legacy */
        ROW("\0\7\0\xb", ERR_MALFORMED, 0, "END opcode expected: catch without a try"),
        ROW("\0\2\x40\x19\xb\xb", ERR_MALFORMED, 2, "END opcode expected: catch without a try"),
        ROW("\0\6\x40\x19\7\0\xb\xb", ERR_MALFORMED, 3, "END opcode expected: catch without a try"),
        ROW("\0\6\x40\7\0\x1a\7\0\x1a\x19\xb\xb", ERR_OK, 0, ""),
        ROW("\0\6\x40\7\0\xb\xb", ERR_INVALID, 4, "type mismatch: 1 values remain at the end of the block"),
        ROW("\0\6\x40\7\1\x1a\xb\xb", ERR_INVALID, 2, "unknown tag 1"),
        ROW("\0\x09\0\xb", ERR_INVALID, 0, "invalid rethrow label"),
        ROW("\0\6\x40\x09\0\xb\xb", ERR_INVALID, 2, "invalid rethrow label"),
        ROW("\0\6\x40\x19\x09\0\xb\xb", ERR_OK, 0, ""),
        ROW("\0\x18\0\xb", ERR_MALFORMED, 0, "END opcode expected: delegate without a try"),
        ROW("\0\6\x40\x18\1\xb", ERR_INVALID, 2, "unknown label 1"),
        ROW("\0\6\x40\x18\0\xb", ERR_OK, 0, ""),
        ROW("\0\6\x40\x19\x18\0\xb\xb", ERR_MALFORMED, 3, "END opcode expected: delegate without a try"),
        /* tail calls, references */
        ROW("\0\x12\0\xb", ERR_OK, 0, ""),
        ROW("\0\x12\1\xb", ERR_INVALID, 0, "unknown function 1"),
        ROW("\0\xd0\2\x15\2\xb", ERR_INVALID, 2, "type mismatch: results of the tail call and of its function"),
        ROW("\0\x41\0\x13\0\0\xb", ERR_INVALID, 2, "unknown table 0"),
        ROW("\0\xd0\0\x14\0\xb", ERR_OK, 0, ""),
        ROW("\0\xd0\x70\x14\0\xb", ERR_INVALID, 2, "type mismatch: expected a nullable typed reference, found funcref"),
        ROW("\0\xd0\1\x14\0\xb", ERR_INVALID, 2,
            "type mismatch: expected a nullable typed reference, found a nullable typed reference"),
        ROW("\0\xd0\x9\x1a\xb", ERR_INVALID, 0, "unknown type 9"),
        ROW("\0\xd0\x70\xd6\0\xb", ERR_INVALID, 2, "type mismatch: the label takes no reference"),
        ROW("\0\x41\0\xd4\x1a\xb", ERR_INVALID, 2, "type mismatch: expected a reference, found i32"),
        ROW("\1\1\x64\0\x20\0\x1a\xb", ERR_INVALID, 0, "uninitialized local 0"),
        ROW("\1\1\x64\x9\xb", ERR_INVALID, 0, "unknown type 9"),
        ROW("\1\1\x63\0\x20\0\x1a\xb", ERR_OK, 0, ""),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        static u8 module[200];
        const struct row *r = &rows[i];
        size_t n = sizeof BEFORE - 1, locals = 1 + 3 * (size_t)r->bytes[0];
        memcpy(module, BEFORE, n);
        const u8 head[] = {0xa, (u8)(r->n + 2), 1, (u8)r->n};
        memcpy(module + n, head, sizeof head);
        memcpy(module + n + sizeof head, r->bytes, r->n);
        check(module, n + sizeof head + r->n, r, n + sizeof head + locals + r->offset);
    }
}

static void modules(void) {
    static const struct row rows[] = {
        ROW(HEADER TYPES "\xd\3\1\1\1", ERR_MALFORMED, 25, "malformed tag attribute"),
        ROW(HEADER TYPES "\xd\3\1\0\2", ERR_INVALID, 25, "non-empty tag result type"),
        ROW(HEADER TYPES "\xd\3\1\0\3", ERR_INVALID, 25, "unknown type 3"),
        ROW(HEADER TYPES "\7\5\1\1e\4\0", ERR_INVALID, 25, "unknown tag 0"),
        ROW(HEADER TYPES "\2\x8\1\1m\1t\4\0\2", ERR_INVALID, 30, "non-empty tag result type"),
        ROW(HEADER "\1\x9\2\x60\1\x64\1\0\x60\0\0", ERR_INVALID, 11, "unknown type 1"), /* a later type */
        ROW(HEADER "\1\6\1\x60\1\x64\0\0", ERR_OK, 0, ""),                               /* itself */
        ROW(HEADER "\4\5\1\x64\x70\0\1", ERR_INVALID, 11, "type mismatch: the table needs an initialiser"),
        ROW(HEADER "\4\x9\1\x40\0\x70\0\1\xd0\x70\xb", ERR_OK, 0, ""),
        ROW(HEADER "\4\xa\1\x40\0\x64\x70\0\1\xd0\x70\xb", ERR_INVALID, 19, "type mismatch: expected (ref func), found funcref"),
        ROW(HEADER "\4\x4\1\x63\x41\0", ERR_MALFORMED, 11, "malformed heap type"),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) check((const u8 *)rows[i].bytes, rows[i].n, &rows[i], rows[i].offset);
}

/* Equal types that mention others, themselves included, are one; others are not. */
static void canonical(void) {
    static const u8 in[] = HEADER "\1\x2f\x8"
        "\x60\1\x63\0\0"          /* 0: (ref null 0), itself */
        "\x60\1\x63\1\0"          /* 1: the same */
        "\x60\1\x63\0\0"          /* 2: (ref null 0), which is another type than itself */
        "\x60\1\x63\1\0"          /* 3: (ref null 1): as 2 */
        "\x60\1\x64\2\1\x63\0"    /* 4 */
        "\x60\1\x64\3\1\x63\1"    /* 5: as 4 */
        "\x60\1\x63\3\1\x63\1"    /* 6: null makes a difference */
        "\x60\1\x64\x70\0";       /* 7 */
    static const u32 want[] = {0, 0, 2, 2, 4, 4, 6, 7};
    struct arena a;
    struct wasm_module m;
    struct wasm_error error = {0};
    arena_init(&a, &test_heap, 0);
    EQUAL(wasm_decode(&a, (struct bytes){in, sizeof in - 1}, &m, &error), ERR_OK);
    EQUAL(wasm_validate(&a, &m, &error), ERR_OK);
    EQUAL(m.type_count, ARRAY_LEN(want));
    for (u32 i = 0; i < m.type_count && i < ARRAY_LEN(want); i++) EQUAL(m.types[i].canon, want[i]);
    arena_reset(&a);
}

int main(void) {
    bodies();
    modules();
    canonical();
    return test_end("wasm_control");
}
