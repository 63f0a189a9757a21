#include "base/arena.h"

#include "base/assert.h"
#include "base/mem.h"

struct arena_chunk {
    struct arena_chunk *older;
    size_t size; /* of the whole chunk, this header included */
};

static_assert(sizeof(struct arena_chunk) % ARENA_ALIGN == 0, "the first allocation is aligned");

void arena_init(struct arena *a, const struct arena_source *source, size_t limit) {
    *a = (struct arena){.source = source, .limit = limit};
}

static void *fail(struct arena *a) {
    a->failed = true;
    return NULL;
}

static void give(struct arena *a, struct arena_chunk *c) { a->source->give(a->source->self, c, c->size); }

static struct arena_chunk *take_spare(struct arena *a, size_t size) {
    struct arena_chunk *c = a->spare;
    if (!c || c->size < size) return NULL;
    a->spare = NULL;
    return c;
}

static size_t left(const struct arena *a) {
    return a->limit ? ALIGN_DOWN(a->limit - arena_used(a), (size_t)ARENA_ALIGN) : SIZE_MAX;
}

/* next is where so many bytes have been handed out. */
static void go_on(struct arena *a, u8 *next, size_t used) {
    a->next = a->end = next;
    a->zero = (uptr)next - used;
    if (!a->chunks) return;
    u8 *end = (u8 *)a->chunks + ALIGN_DOWN(a->chunks->size, (size_t)ARENA_ALIGN);
    a->end += MIN((size_t)(end - next), left(a));
}

static bool grow(struct arena *a, size_t need) {
    size_t least = a->chunk ? a->chunk : ARENA_CHUNK;
    size_t size = MAX(need + sizeof(struct arena_chunk), least);
    if (a->chunk) a->chunk = MIN(a->chunk * 2, (size_t)ARENA_CHUNK);
    struct arena_chunk *c = take_spare(a, size);
    if (c) size = c->size;
    else c = a->source->take(a->source->self, size);
    if (!c) return false;
    assert((uptr)c % ARENA_ALIGN == 0);
    *c = (struct arena_chunk){.older = a->chunks, .size = size};
    a->chunks = c;
    go_on(a, (u8 *)(c + 1), arena_used(a));
    return true;
}

void *arena_more(struct arena *a, size_t n) {
    if (n > SIZE_MAX / 2) return fail(a);
    n = ALIGN_UP(MAX(n, (size_t)1), (size_t)ARENA_ALIGN);
    if (n > left(a) || ((size_t)(a->end - a->next) < n && !grow(a, n))) return fail(a);
    void *p = a->next;
    a->next += n;
    return p;
}

void arena_reserve(struct arena *a, size_t n) {
    n = MIN(n, left(a));
    if (n < SIZE_MAX / 2 && (size_t)(a->end - a->next) < n) grow(a, n);
}

void *arena_alloc(struct arena *a, size_t n) {
    void *p = arena_raw(a, n);
    return p ? memset(p, 0, n) : NULL;
}

bool arena_extend(struct arena *a, void *p, size_t n, size_t more) {
    size_t have = ALIGN_UP(MAX(n, (size_t)1), (size_t)ARENA_ALIGN), add = ALIGN_UP(more, (size_t)ARENA_ALIGN);
    if (!p || (u8 *)p + have != a->next || add < more || (size_t)(a->end - a->next) < add) return false;
    a->next += add;
    return true;
}

bool arena_undo(struct arena *a, void *p, size_t n) {
    size_t have = ALIGN_UP(n, (size_t)ARENA_ALIGN);
    if ((u8 *)p + have != a->next) return false;
    assert(arena_used(a) >= have && (u8 *)p >= (u8 *)(a->chunks + 1));
    a->most = arena_most(a);
    a->next = p;
    return true;
}

void *arena_array(struct arena *a, size_t count, size_t size) {
    size_t n;
    if (__builtin_mul_overflow(count, size, &n)) return fail(a);
    return arena_alloc(a, n);
}

struct arena_mark arena_mark(const struct arena *a) {
    return (struct arena_mark){.chunk = a->chunks, .next = a->next, .used = arena_used(a)};
}

static void drop_newest(struct arena *a) {
    struct arena_chunk *c = a->chunks;
    a->chunks = c->older;
    if (a->spare && a->spare->size >= c->size) {
        give(a, c);
        return;
    }
    if (a->spare) give(a, a->spare);
    a->spare = c;
}

void arena_release(struct arena *a, struct arena_mark m) {
    a->most = arena_most(a);
    while (a->chunks != m.chunk) {
        assert(a->chunks);
        drop_newest(a);
    }
    go_on(a, m.next, m.used);
}

void arena_reset(struct arena *a) {
    while (a->chunks) drop_newest(a);
    if (a->spare) give(a, a->spare);
    arena_init(a, a->source, a->limit);
}
