/* wasm/validate: what it refuses is the official suite's business (make spec);
 * here is what it notes for compilers, and its limits. */
#include <stdlib.h>
#include <string.h>

#include "test/lib/test.h"
#include "wasm/module.h"

#define HEADER "\0asm\1\0\0\0"

static struct arena A;
static struct wasm_error error;

static enum err load(const u8 *p, size_t n, struct wasm_module *m) {
    arena_reset(&A);
    error = (struct wasm_error){0};
    enum err e = wasm_decode(&A, (struct bytes){p, n}, m, &error);
    return e ? e : wasm_validate(&A, m, &error);
}

static void notes(void) {
    /* (func (param i32) (local i32 i32)
     *   loop  local.get 0  local.set 1
     *     loop  i32.const 1  i32.const 2  local.set 2  drop  end
     *   end
     *   loop end) */
    static const u8 in[] = HEADER
        "\1\5\1\x60\1\x7f\0" "\3\2\1\0" "\xa\x1c\1\x1a\1\2\x7f"
        "\3\x40\x20\0\x21\1" "\3\x40\x41\1\x41\2\x21\2\x1a\xb" "\xb" "\3\x40\xb" "\1\1\xb";
    struct wasm_module m;
    EQUAL(load(in, sizeof in - 1, &m), ERR_OK);
    EQUAL_TEXT(error.text, "");
    const struct wasm_func *f = &m.funcs[0];
    EQUAL(f->local_count, 3);
    EQUAL(f->max_stack, 2);
    EQUAL(f->max_depth, 3);
    EQUAL(f->loop_count, 3);
    EQUAL(f->loop_words, 1);
    EQUAL(f->local_ends[0], 3 * WASM_ENDS / 23 + 1); /* read by the third of 23 bytes */
    EQUAL(f->local_ends[1], 0);
    if (f->loop_count != 3) return;
    EQUAL(f->loop_sets[0], 1 << 1 | 1 << 2); /* its own and the inner one's */
    EQUAL(f->loop_sets[1], 1 << 2);
    EQUAL(f->loop_sets[2], 0);
}

/* Three bytes make many locals: they may not take much memory each time. */
static void many_locals(void) {
    /* (func (local i32 x 50) block end) */
    static const u8 in[] = HEADER "\1\4\1\x60\0\0" "\3\2\1\0" "\xa\x9\1\7\1\x32\x7f" "\2\x40\xb\xb";
    struct wasm_module m;
    EQUAL(load(in, sizeof in - 1, &m), ERR_OK);
    EQUAL(m.funcs[0].max_depth, 2);
    CHECK(!m.funcs[0].local_ends);
}

static void equal_types(void) {
    static const u8 in[] = HEADER "\1\x10\4" "\x60\1\x7f\0" "\x60\0\0" "\x60\1\x7f\0" "\x60\0\1\x7f";
    struct wasm_module m;
    EQUAL(load(in, sizeof in - 1, &m), ERR_OK);
    EQUAL(m.types[0].canon, 0);
    EQUAL(m.types[1].canon, 1);
    EQUAL(m.types[2].canon, 0);
    EQUAL(m.types[3].canon, 3);
}

/* A module with one body () -> () of n bytes, the same two or three over and over. */
static u8 *body_of(const char *unit, size_t length, u32 times, const char *tail, size_t *n) {
    size_t body = 1 + length * times + strlen(tail) + 1;
    u8 *p = malloc(body + 64), *c = p;
    static const u8 head[] = HEADER "\1\4\1\x60\0\0\3\2\1\0\xa";
    memcpy(c, head, sizeof head - 1);
    c += sizeof head - 1;
    for (int round = 0; round < 2; round++) { /* sizes as LEBs of five bytes */
        size_t v = round ? body : body + 6;
        for (int i = 0; i < 5; i++) *c++ = (u8)((v >> (7 * i) & 0x7f) | (i < 4 ? 0x80 : 0));
        if (!round) *c++ = 1;
    }
    *c++ = 0;
    for (u32 i = 0; i < times; i++, c += length) memcpy(c, unit, length);
    memcpy(c, tail, strlen(tail));
    c += strlen(tail);
    *c++ = 0x0b;
    *n = (size_t)(c - p);
    return p;
}

static void limits(void) {
    struct wasm_module m;
    size_t n;
    u8 *deep = body_of("\x02\x40", 2, 200000, "", &n);
    EQUAL(load(deep, n, &m), ERR_LIMIT);
    EQUAL_TEXT(error.text, "blocks nested too deeply");
    free(deep);
    u8 *tall = body_of("\x41\x00", 2, 1000001, "", &n);
    EQUAL(load(tall, n, &m), ERR_LIMIT);
    EQUAL_TEXT(error.text, "operand stack too deep");
    free(tall);
    u8 *loops = body_of("\x03\x40\x0b", 3, 100000, "", &n);
    EQUAL(load(loops, n, &m), ERR_OK);
    EQUAL(m.funcs[0].loop_count, 100000);
    free(loops);
}

/* Out of memory at any allocation is an answer, and takes nothing along. */
static void short_of_memory(void) {
    static const u8 in[] = HEADER "\1\4\1\x60\0\0" "\3\2\1\0" "\7\5\1\1" "f\0\0" "\xa\x7\1\5\0\3\x40\xb\xb";
    struct wasm_module m;
    u32 refused = 0;
    for (size_t limit = 16; limit < 8192; limit += 16) {
        arena_reset(&A);
        A.limit = limit;
        enum err e = wasm_decode(&A, (struct bytes){in, sizeof in - 1}, &m, &error);
        if (!e) e = wasm_validate(&A, &m, &error);
        CHECK(e == ERR_OK || e == ERR_NOMEM);
        refused += e == ERR_NOMEM;
    }
    A.limit = 0;
    CHECK(refused > 3);
    EQUAL(load(in, sizeof in - 1, &m), ERR_OK);
}

int main(void) {
    arena_init(&A, &test_heap, 0);
    notes();
    many_locals();
    equal_types();
    limits();
    short_of_memory();
    arena_reset(&A);
    return test_end("wasm_validate");
}
