/* arena.h: bump allocation from chunks that the caller's source provides.
 *
 * I1 memory handed out is zeroed (but for arena_raw and arena_extend), aligned to 16 and valid until arena_reset.
 * I2 a failed allocation returns NULL and sets arena->failed: a run of
 *    allocations may be checked once at its end.
 * I3 not thread-safe: one arena, one owner. */
#ifndef WHELK_BASE_ARENA_H
#define WHELK_BASE_ARENA_H

#include "base/types.h"

/* Where chunks come from. take returns at least n bytes (16-aligned, any
 * content) or NULL; give gets back exactly what take returned. */
struct arena_source {
    void *(*take)(void *self, size_t n);
    void (*give)(void *self, void *p, size_t n);
    void *self;
};

struct arena_chunk;

/* What a chunk has at least, unless `chunk` says less: then each is twice as
 * large as the one before, up to that. */
enum { ARENA_CHUNK = 64 * 1024, ARENA_ALIGN = 16 };

struct arena {
    const struct arena_source *source;
    struct arena_chunk *chunks; /* newest first */
    struct arena_chunk *spare;  /* released last, kept for the next need; or NULL */
    u8 *next, *end;             /* free part of the newest, no more than the limit leaves */
    uptr zero;                  /* next, less what was handed out since the last reset */
    size_t most;                /* what that was at most, when some was given back */
    size_t limit;               /* of what is handed out; 0 means none */
    size_t chunk;               /* least size of the next; 0: ARENA_CHUNK. Set it after arena_init */
    bool failed;
};

void arena_init(struct arena *a, const struct arena_source *source, size_t limit);
void *arena_alloc(struct arena *a, size_t n);
void *arena_more(struct arena *a, size_t n); /* arena_raw's: where the chunk has no room */
/* The same as arena_alloc, not zeroed: for who writes all of it. */
static inline void *arena_raw(struct arena *a, size_t n) {
    u8 *p = a->next;
    if (unlikely(!n || (size_t)(a->end - p) < n)) return arena_more(a, n);
    a->next = p + ALIGN_UP(n, (size_t)ARENA_ALIGN);
    return p;
}
static inline size_t arena_used(const struct arena *a) { return (uptr)a->next - a->zero; }
static inline size_t arena_most(const struct arena *a) { return MAX(a->most, arena_used(a)); }
/* Makes the newest allocation, p of n bytes, larger where it is; false if it is
 * not the newest or there is no room. What is added is not zeroed. */
bool arena_extend(struct arena *a, void *p, size_t n, size_t more);
/* Takes back the n bytes at p, if nothing was allocated behind them: false if not. */
bool arena_undo(struct arena *a, void *p, size_t n);
/* count * size with the overflow checked. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* Makes sure that the next n bytes, if there may be as many, lie in one chunk; or not if
 * there is no memory. */
void arena_reserve(struct arena *a, size_t n);
/* Gives every chunk back. */
void arena_reset(struct arena *a);

/* A place to return to: what was allocated after the mark is undone. */
struct arena_mark {
    struct arena_chunk *chunk;
    u8 *next;
    size_t used;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_release(struct arena *a, struct arena_mark m);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_array((a), (n), sizeof(type)))

#endif
