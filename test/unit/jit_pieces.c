/* jit_pieces.c: what a compile gives back is remembered in a few pieces, however many there are. */
#include "jit/ir.h"
#include "test/lib/test.h"

enum { SIZE = 64, MANY = 4 * JIT_PIECES };

/* Every second of many allocations is given back: no two pieces join. */
static void scatter(struct fn *f) {
    void *all[MANY];
    for (u32 k = 0; k < MANY; k++) all[k] = jit_raw(f, 1, SIZE + 16 * k);
    for (u32 k = 0; k < MANY; k += 2) jit_give(f, all[k], SIZE + 16 * k);
    EQUAL(f->piece_count, JIT_PIECES);
}

/* What makes room below itself leaves one piece more. (It was written behind the last one.) */
static void lifted(struct fn *f) {
    u8 *p = jit_last(f, 1, SIZE), *q;
    memset(p, 7, SIZE);
    q = jit_lift(f, p, SIZE, SIZE);
    EQUAL(q - p, SIZE);
    CHECK(q[0] == 7 && q[SIZE - 1] == 7);
    EQUAL(f->piece_count, JIT_PIECES);
}

int main(void) {
    struct arena a;
    struct jit_exit exit = {.err = ERR_OK};
    arena_init(&a, &test_heap, SIZE_MAX);
    struct fn f = {.arena = &a, .exit = &exit};
    scatter(&f);
    lifted(&f);
    arena_reset(&a);
    return test_end("jit_pieces");
}
