/* dev/vring: the driver's side of a split virtqueue, with this test as the
 * device: an honest one, and each way of being a dishonest one. */
#include <stdlib.h>
#include <string.h>

#include "dev/vring.h"
#include "test/lib/test.h"

enum { SIZE = 8 };
static struct vring r;
static void *memory;
static int token[64];

static void start(u16 size) {
    free(memory);
    memory = aligned_alloc(VRING_ALIGN, vring_bytes(size));
    memset(memory, 0xee, vring_bytes(size));
    vring_init(&r, size, memory);
}

static enum err post(u32 n, u32 len, bool writes, void *t) {
    struct vring_piece p[4] = {{0x1000, len, writes}, {0x2000, len, writes}, {0x3000, len, writes}, {0x4000, len, writes}};
    return vring_post(&r, p, n, t);
}

/* The device puts a used element, and says so. */
static void give(u32 id, u32 len) {
    u16 at = r.used->idx % r.size;
    r.used->ring[at].id = id;
    r.used->ring[at].len = len;
    r.used->idx = (u16)(r.used->idx + 1);
}

static u16 published(u32 back) { return r.avail->ring[(u16)(r.avail->idx - back) % r.size]; }

static void honest(void) {
    u32 n;
    start(SIZE);
    CHECK(!vring_pending(&r));
    CHECK(!vring_take(&r, &n));
    EQUAL(post(2, 100, true, &token[0]), ERR_OK);
    EQUAL(post(1, 50, false, &token[1]), ERR_OK);
    EQUAL(r.avail->idx, 2);
    EQUAL(r.free_count, SIZE - 3);
    u16 first = published(2), second = published(1);
    EQUAL(r.desc[first].flags, 3); /* NEXT | WRITE */
    EQUAL(r.desc[r.desc[first].next].flags, 2);
    EQUAL(r.desc[second].flags, 0);
    give(second, 0);
    give(first, 150);
    CHECK(vring_pending(&r));
    CHECK(vring_take(&r, &n) == &token[1]);
    EQUAL(n, 0);
    CHECK(vring_take(&r, &n) == &token[0]);
    EQUAL(n, 150);
    EQUAL(r.free_count, SIZE);
    CHECK(!r.broken);
}

/* Indices wrap at 2^16 and descriptors are all used again. */
static void wraps(void) {
    u32 n, bad = 0;
    start(4);
    for (u32 i = 0; i < 70000; i++) {
        bad += post(1 + i % 2, 64, true, &token[i % 64]) != ERR_OK;
        give(published(1), 64);
        bad += vring_take(&r, &n) != &token[i % 64];
    }
    EQUAL(bad, 0);
    EQUAL(r.free_count, 4);
}

static void full(void) {
    start(SIZE);
    EQUAL(post(4, 1, true, &token[0]), ERR_OK);
    EQUAL(post(4, 1, true, &token[1]), ERR_OK);
    u16 idx = r.avail->idx;
    EQUAL(post(1, 1, true, &token[2]), ERR_FULL);
    EQUAL(r.avail->idx, idx); /* unchanged */
    EQUAL(r.chains, 2);
}

static void *take(u32 *n) { return vring_take(&r, n); }

static void refused(const char *why, u32 id) {
    u32 n;
    give(id, 1);
    CHECK(!take(&n));
    EQUAL_TEXT(r.broken ? why : "accepted", why);
    EQUAL(post(1, 1, true, &token[3]), ERR_IO);
    CHECK(!vring_pending(&r) && !vring_wants_kick(&r));
}

static void dishonest(void) {
    u32 n;
    start(SIZE), post(1, 10, true, &token[0]);
    refused("an index beyond the ring", SIZE);
    start(SIZE), post(1, 10, true, &token[0]);
    refused("a huge index", 0xffff0000u | published(1));
    start(SIZE), post(1, 10, true, &token[0]);
    refused("a descriptor that is free", (published(1) + 3u) % SIZE);
    start(SIZE), post(2, 10, true, &token[0]);
    refused("the middle of a chain", r.desc[published(1)].next);
    start(SIZE);
    refused("nothing was posted", 0);

    start(SIZE), post(1, 10, true, &token[0]), post(1, 10, true, &token[1]);
    u16 head = published(2);
    give(head, 5);
    CHECK(take(&n) == &token[0]);
    refused("given back twice", head);

    start(SIZE), post(1, 10, true, &token[0]);
    r.used->idx = 0x8000; /* far ahead */
    CHECK(!take(&n) && r.broken);
}

/* Lengths are cut to the buffer; what the device writes elsewhere is not read. */
static void scribbles(void) {
    u32 n;
    start(SIZE), post(2, 10, true, &token[0]), post(1, 30, false, &token[1]);
    u16 first = published(2), second = published(1);
    memset(memory, 0xff, sizeof(struct vring_desc) * SIZE);
    give(first, 0xffffffff), give(second, 77);
    CHECK(take(&n) == &token[0]);
    EQUAL(n, 20);
    CHECK(take(&n) == &token[1]);
    EQUAL(n, 0);
    EQUAL(r.free_count, SIZE);
    for (u32 i = 0; i < SIZE; i++) EQUAL(post(1, 1, true, &token[i]), ERR_OK);
}

int main(void) {
    honest();
    wraps();
    full();
    dishonest();
    scribbles();
    free(memory);
    return test_end("virtio_ring");
}
