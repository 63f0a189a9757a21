/* fuzz_vring.c: a hostile device. The input is a script: the driver posts and
 * takes, the device writes whatever it likes into all the memory it can reach.
 * The driver never gets a token that is not out, nor a length beyond it. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "dev/vring.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t n);

enum { OUT_MAX = VRING_MAX };
static struct {
    u32 capacity;
    bool out;
} buffer[OUT_MAX];

static void post(struct vring *r, u8 how) {
    u32 pieces = 1 + how % 3, slot = 0;
    while (slot < OUT_MAX && buffer[slot].out) slot++;
    if (slot == OUT_MAX) return;
    struct vring_piece p[3];
    u32 capacity = 0;
    for (u32 i = 0; i < pieces; i++) {
        p[i] = (struct vring_piece){0x1000 * i, how, how & 0x40};
        capacity += how & 0x40 ? how : 0;
    }
    u16 before = r->free_count;
    if (vring_post(r, p, pieces, &buffer[slot])) {
        assert(r->free_count == before);
        return;
    }
    assert(before - r->free_count == (int)pieces);
    buffer[slot].out = true;
    buffer[slot].capacity = capacity;
}

static void take(struct vring *r) {
    u32 written = 0;
    void *t = vring_take(r, &written);
    if (!t) return;
    size_t slot = (size_t)((char *)t - (char *)buffer) / sizeof *buffer;
    assert(slot < OUT_MAX && t == &buffer[slot]);
    assert(buffer[slot].out);
    assert(written <= buffer[slot].capacity);
    buffer[slot].out = false;
}

static void check(const struct vring *r) {
    u32 out = 0, posted = 0;
    for (u32 i = 0; i < OUT_MAX; i++) out += buffer[i].out;
    for (u32 i = 0; i < r->size; i++) posted += r->slot[i].token ? r->slot[i].count : 0;
    assert(out == r->chains);
    assert(posted + r->free_count == r->size);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t n) {
    static u8 *memory;
    struct vring r;
    if (!n) return 0;
    if (!memory) memory = aligned_alloc(VRING_ALIGN, vring_bytes(VRING_MAX));
    u16 size = (u16)(1 << data[0] % 6);
    memset(buffer, 0, sizeof buffer);
    vring_init(&r, size, memory);
    for (size_t i = 1; i + 3 < n; i += 4) {
        const u8 *op = &data[i];
        switch (op[0] % 5) {
        case 0: post(&r, op[1]); break;
        case 1: take(&r); break;
        case 2: /* an honest answer, more or less */
            r.used->ring[r.used->idx % size].id = op[1] % 32;
            r.used->ring[r.used->idx % size].len = op[2];
            r.used->idx = (u16)(r.used->idx + 1);
            break;
        case 3: memory[(op[1] | (size_t)op[2] << 8) % vring_bytes(size)] = op[3]; break;
        case 4: memset(memory + (op[1] * 64u) % vring_bytes(size), op[3], 64 % (vring_bytes(size) - (op[1] * 64u) % vring_bytes(size))); break;
        }
        check(&r);
    }
    return 0;
}
