/* jit/ir.c: what a compile gives back is handed out again; whatever the order, what is
 * remembered of it stays in order, apart, within what was given back, and in its table. */
#include <string.h>

#include "cli/host_rt.h"
#include "jit/ir.h"
#include "test/lib/engine.h"
#include "test/lib/test.h"

enum { HELD = 64, STEPS = 20000 };

static struct fn f;
static struct jit_exit way_out;
static struct {
    u8 *p;
    u32 n, cap;
    u8 byte;
} held[HELD];
static u64 state = 1;

static u32 next(u32 below) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return (u32)(state >> 33) % below;
}

/* Nobody else has written there. */
static bool is_whole(u32 k) {
    for (u32 i = 0; i < held[k].n; i++)
        if (held[k].p[i] != held[k].byte) return false;
    return true;
}

static void hold(u32 k, u8 *p, u32 n) {
    held[k].p = p;
    held[k].n = held[k].cap = n;
    held[k].byte = (u8)next(256);
    memset(p, held[k].byte, n);
}

static bool in_order(void) {
    for (u32 k = 1; k < f.piece_count; k++)
        if (f.pieces[k - 1].p + f.pieces[k - 1].n >= f.pieces[k].p) return false;
    return f.piece_count <= JIT_PIECES && f.exit == &way_out;
}

static void step(u32 k) {
    u32 n = 16 * (1 + next(40)), more = 16 * next(20);
    bool whole = !held[k].n || is_whole(k);
    CHECK(whole);
    switch (held[k].n ? next(4) : 4) {
    case 0:
        jit_give(&f, held[k].p, held[k].n);
        held[k].n = 0;
        break;
    case 1: /* larger, perhaps elsewhere */
        held[k].p = jit_grow(&f, held[k].p, &held[k].cap, held[k].n + more, 1);
        CHECK(is_whole(k) && held[k].cap >= held[k].n + more);
        hold(k, held[k].p, held[k].cap);
        break;
    case 2: /* smaller */
        jit_cut(&f, held[k].p, &held[k].cap, held[k].n / 2, 1);
        held[k].n = held[k].cap;
        break;
    case 3: /* up, if it is behind all else */
        held[k].p = jit_lift(&f, held[k].p, (held[k].n + 15) / 16 * 16, more);
        CHECK(is_whole(k));
        break;
    default: hold(k, next(3) ? jit_raw(&f, n, 1) : jit_last(&f, n, 1), n);
    }
    CHECK(in_order());
}

/* The one that is moved up may be when there is no place for what it leaves. */
static void full(void) {
    u8 *p[2 * JIT_PIECES];
    for (u32 k = 0; k < ARRAY_LEN(p); k++) p[k] = jit_last(&f, 32, 1);
    for (u32 k = 0; k < ARRAY_LEN(p); k += 2) jit_give(&f, p[k], 32);
    EQUAL(f.piece_count, JIT_PIECES);
    u8 *last = jit_last(&f, 32, 1), *up = jit_lift(&f, last, 32, 48);
    CHECK(up == last + 48 && in_order());
    EQUAL(f.piece_count, JIT_PIECES);
    CHECK(jit_raw(&f, 48, 1) == last);
}

int main(void) {
    struct arena a;
    arena_init(&a, &test_heap, 0);
    f = (struct fn){.arena = &a, .exit = &way_out};
    full();
    for (u32 k = 0; k < STEPS; k++) step(next(HELD));
    arena_reset(&a);
    return test_end("jit_ir");
}
