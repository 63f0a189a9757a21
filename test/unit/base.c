/* base/: each test is an input beside its answer. */
#include "base/arena.h"
#include "base/cursor.h"
#include "base/fmt.h"
#include "base/list.h"
#include "test/lib/test.h"

static struct cursor over(const u8 *p, size_t n) { return cursor_of((struct bytes){p, n}); }

static void leb_unsigned(void) {
    static const struct {
        u8 in[6];
        u8 n;
        enum err e;
        u32 value;
    } cases[] = {
        {{0x00}, 1, ERR_OK, 0},
        {{0xe5, 0x8e, 0x26}, 3, ERR_OK, 624485},
        {{0xff, 0xff, 0xff, 0xff, 0x0f}, 5, ERR_OK, 0xffffffff},
        {{0x80, 0x80, 0x80, 0x80, 0x00}, 5, ERR_OK, 0},             /* overlong, allowed */
        {{0xff, 0xff, 0xff, 0xff, 0x1f}, 5, ERR_MALFORMED, 0},      /* bit 32 set */
        {{0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, 6, ERR_MALFORMED, 0},
        {{0x80, 0x80}, 2, ERR_TRUNCATED, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cursor c = over(cases[i].in, cases[i].n);
        u32 v = 0;
        EQUAL(take_leb_u32(&c, &v), cases[i].e);
        EQUAL(v, cases[i].value);
        EQUAL(cursor_at(&c), cases[i].e ? 0 : cases[i].n);
    }
}

static void leb_signed(void) {
    static const struct {
        u8 in[6];
        u8 n;
        enum err e;
        i32 value;
    } cases[] = {
        {{0x7f}, 1, ERR_OK, -1},
        {{0x3f}, 1, ERR_OK, 63},
        {{0x40}, 1, ERR_OK, -64},
        {{0x80, 0x80, 0x80, 0x80, 0x78}, 5, ERR_OK, INT32_MIN},
        {{0xff, 0xff, 0xff, 0xff, 0x07}, 5, ERR_OK, INT32_MAX},
        {{0xff, 0xff, 0xff, 0xff, 0x0f}, 5, ERR_MALFORMED, 0}, /* sign bits differ */
        {{0x80}, 1, ERR_TRUNCATED, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cursor c = over(cases[i].in, cases[i].n);
        i32 v = 0;
        EQUAL(take_leb_i32(&c, &v), cases[i].e);
        EQUAL(v, cases[i].value);
    }
    static const u8 min64[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f};
    struct cursor c = over(min64, sizeof min64);
    i64 v = 0;
    EQUAL(take_leb_i64(&c, &v), ERR_OK);
    EQUAL(v, INT64_MIN);
}

static void formats(void) {
    char out[64];
    EQUAL(fmt(out, sizeof out, "%d|%5u|%-4x|%08lx", -7, 42u, 0xabu, 0x1234ul), 22);
    EQUAL_TEXT(out, "-7|   42|ab  |00001234");
    fmt(out, sizeof out, "%.*s|%6s|%c%%", 2, "abc", "x", 'q');
    EQUAL_TEXT(out, "ab|     x|q%");
    fmt(out, sizeof out, "%#x|%#llx|%s", 0x1fu, 0ull, "next");
    EQUAL_TEXT(out, "0x1f|0|next");
    fmt(out, sizeof out, "%04d|%ld", -5, (long)INT64_MIN);
    EQUAL_TEXT(out, "-005|-9223372036854775808");
    EQUAL(fmt(out, 4, "%s", "longer"), 6);
    EQUAL_TEXT(out, "lon");
}

static void arenas(void) {
    struct arena a;
    arena_init(&a, &test_heap, 1 << 20);
    u8 *p = arena_alloc(&a, 3), *q = arena_alloc(&a, 100000);
    CHECK(p && q && (uptr)q % 16 == 0 && q[99999] == 0);
    struct arena_mark m = arena_mark(&a);
    CHECK(arena_alloc(&a, 500000));
    arena_release(&a, m);
    u8 *r = arena_raw(&a, 20);
    CHECK(r && arena_extend(&a, r, 20, 100) && (u8 *)arena_alloc(&a, 1) == r + 32 + 112);
    CHECK(!arena_extend(&a, r, 132, 1) && !arena_extend(&a, NULL, 0, 1));
    arena_release(&a, m);
    u8 *first = arena_raw(&a, 20), *second = arena_raw(&a, 20);
    CHECK(!arena_undo(&a, first, 20) && arena_undo(&a, second, 20) && arena_raw(&a, 1) == second);
    arena_reserve(&a, 600000);
    EQUAL(arena_used(&a), 16 + 100000 + 48);
    u8 *third = arena_raw(&a, 200000);
    CHECK(third != second + 16 && arena_raw(&a, 200000) == third + 200000);
    arena_release(&a, m);
    EQUAL(arena_used(&a), 16 + 100000);
    EQUAL(arena_most(&a), 16 + 100000 + 500000);
    CHECK(arena_raw(&a, (1 << 20) - 16 - 100000) && !arena_raw(&a, 1) && !arena_extend(&a, q, 100000, 1)); /* to the limit */
    arena_release(&a, m);
    arena_reserve(&a, SIZE_MAX / 4); /* there may never be as many */
    CHECK(!arena_alloc(&a, 2 << 20) && a.failed);
    CHECK(!arena_array(&a, SIZE_MAX / 2, 3));
    arena_reset(&a);
    EQUAL(arena_used(&a), 0);
}

static void lists(void) {
    struct list head = LIST_INIT(head), n[3];
    for (int i = 0; i < 3; i++) list_push_back(&head, &n[i]);
    CHECK(list_pop_front(&head) == &n[0]);
    list_remove(&n[2]);
    CHECK(list_pop_front(&head) == &n[1] && list_empty(&head) && !list_pop_front(&head));
}

int main(void) {
    leb_unsigned();
    leb_signed();
    formats();
    arenas();
    lists();
    return test_end("base");
}
