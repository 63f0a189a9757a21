#include "ext/ring.h"

#include "base/assert.h"
#include "base/mem.h"

enum { HEAD = sizeof(u32) };

void ring_init(struct ring *r, void *p, u32 cap) {
    assert(!(cap & (cap - 1)));
    *r = (struct ring){.p = p, .cap = cap};
}

static void copy_in(struct ring *r, u64 at, const void *from, u32 n) {
    u32 start = (u32)at & (r->cap - 1), first = MIN(n, r->cap - start);
    if (first) memcpy(r->p + start, from, first);
    if (n > first) memcpy(r->p, (const u8 *)from + first, n - first);
}

static void copy_out(const struct ring *r, u64 at, void *to, u32 n) {
    u32 start = (u32)at & (r->cap - 1), first = MIN(n, r->cap - start);
    if (first) memcpy(to, r->p + start, first);
    if (n > first) memcpy((u8 *)to + first, r->p, n - first);
}

bool ring_next(const struct ring *r, u32 *n) {
    if (ring_empty(r)) return false;
    copy_out(r, r->head, n, HEAD);
    assert(r->tail - r->head >= (u64)*n + HEAD); /* I2 */
    return true;
}

static void drop_oldest(struct ring *r) {
    u32 n;
    bool some = ring_next(r, &n);
    assert(some);
    r->head += (u64)n + HEAD;
}

bool ring_begin(struct ring *r, u32 n, bool overwrite) {
    u64 need = (u64)n + HEAD;
    if (r->open) r->lost++;
    r->open = false;
    r->fill = r->end = r->tail;
    bool fits = need <= r->cap && (overwrite || need <= r->cap - (r->tail - r->head));
    if (!fits) {
        r->lost++;
        return false;
    }
    while (r->cap - (r->tail - r->head) < need) {
        drop_oldest(r);
        r->overwritten++;
    }
    copy_in(r, r->tail, &n, HEAD);
    r->fill = r->tail + HEAD;
    r->end = r->tail + need;
    r->open = true;
    assert(r->end - r->head <= r->cap); /* I1 */
    return true;
}

bool ring_put(struct ring *r, const void *p, u32 n) {
    if (!r->open || n > r->end - r->fill) return false;
    copy_in(r, r->fill, p, n);
    r->fill += n;
    return true;
}

bool ring_commit(struct ring *r) {
    bool whole = r->open && r->fill == r->end;
    if (whole) {
        r->records++;
        r->bytes += r->end - r->tail - HEAD;
        r->tail = r->end;
    } else if (r->open) {
        r->lost++;
    }
    r->open = false;
    r->fill = r->end = r->tail;
    return whole;
}

u32 ring_pop(struct ring *r, void *out) {
    u32 n;
    bool some = ring_next(r, &n);
    assert(some);
    copy_out(r, r->head + HEAD, out, n);
    r->head += (u64)n + HEAD;
    return n;
}

void ring_discard(struct ring *r) {
    for (; !ring_empty(r); r->lost++) drop_oldest(r);
}
