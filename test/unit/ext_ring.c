/* ext/ring: whole records or none, across every wrap. */
#include "base/mem.h"
#include "ext/ring.h"
#include "test/lib/test.h"

static u8 memory[64], out[64];

static bool put(struct ring *r, const char *s, bool overwrite) {
    u32 n = (u32)strlen(s);
    return ring_begin(r, n, overwrite) && ring_put(r, s, n) && ring_commit(r);
}

static const char *pop(struct ring *r) {
    memset(out, 0, sizeof out);
    ring_pop(r, out);
    return (const char *)out;
}

static void wraps(void) {
    struct ring r;
    ring_init(&r, memory, sizeof memory);
    for (int i = 0; i < 200; i++) {
        CHECK(put(&r, "0123456789abc", false));
        CHECK(put(&r, "xyz", false));
        EQUAL_TEXT(pop(&r), "0123456789abc");
        EQUAL_TEXT(pop(&r), "xyz");
    }
    CHECK(ring_empty(&r));
    EQUAL(r.records, 400);
    EQUAL(r.bytes, 200 * 16);
    EQUAL(r.lost, 0);
}

static void full(void) {
    struct ring r;
    ring_init(&r, memory, sizeof memory);
    for (int i = 0; i < 4; i++) CHECK(put(&r, "twelve bytes", false));
    CHECK(!put(&r, "x", false));
    EQUAL(r.lost, 1);
    CHECK(put(&r, "newest", true)); /* pushes the oldest out */
    EQUAL(r.overwritten, 1);
    EQUAL(r.lost, 1);
    for (int i = 0; i < 3; i++) EQUAL_TEXT(pop(&r), "twelve bytes");
    EQUAL_TEXT(pop(&r), "newest");
    CHECK(ring_empty(&r));
    CHECK(!ring_begin(&r, 61, true)); /* larger than the ring */
    CHECK(put(&r, "", false));
    u32 n = 9;
    CHECK(ring_next(&r, &n) && n == 0);
    ring_discard(&r);
    EQUAL(r.lost, 3);
}

static void open_records(void) {
    struct ring r;
    ring_init(&r, memory, sizeof memory);
    CHECK(!ring_commit(&r) && !ring_put(&r, "a", 1));
    EQUAL(r.lost, 0);
    CHECK(ring_begin(&r, 4, false) && ring_put(&r, "abc", 3) && !ring_put(&r, "de", 2));
    CHECK(!ring_commit(&r)); /* a byte is missing */
    EQUAL(r.lost, 1);
    CHECK(ring_begin(&r, 4, false));
    CHECK(ring_begin(&r, 2, false)); /* abandons the first */
    EQUAL(r.lost, 2);
    CHECK(ring_put(&r, "ok", 2) && ring_commit(&r));
    EQUAL_TEXT(pop(&r), "ok");
    ring_init(&r, NULL, 0);
    CHECK(!ring_begin(&r, 0, true));
}

int main(void) {
    wraps();
    full();
    open_records();
    return test_end("ext_ring");
}
