/* virtual.c: shapes with tables of methods, 1,000 objects of four kinds, 500 n rounds. Indirect calls. */
#include "bench.h"

struct shape;
struct methods {
    int32_t (*area)(const struct shape *);
    void (*grow)(struct shape *, int32_t);
    int32_t (*sides)(const struct shape *);
};
struct shape {
    const struct methods *is;
    int32_t a, b;
};

static int32_t square_area(const struct shape *s) { return s->a * s->a; }
static int32_t rect_area(const struct shape *s) { return s->a * s->b; }
static int32_t tri_area(const struct shape *s) { return s->a * s->b / 2; }
static int32_t disc_area(const struct shape *s) { return s->a * s->a * 355 / 113; }
static void grow_one(struct shape *s, int32_t by) { s->a = (s->a + by) & 255; }
static void grow_both(struct shape *s, int32_t by) {
    s->a = (s->a + by) & 255;
    s->b = (s->b + s->a) & 127;
}
static int32_t four(const struct shape *s) { return 4; }
static int32_t three(const struct shape *s) { return 3; }
static int32_t none(const struct shape *s) { return s->a & 1; }

static const struct methods kinds[4] = {
    {square_area, grow_one, four}, {rect_area, grow_both, four}, {tri_area, grow_both, three}, {disc_area, grow_one, none}};

enum { SHAPES = 1000 };
static struct shape shapes[SHAPES];

uint32_t run(uint32_t n) {
    uint32_t seed = 4242, sum = 0;
    for (int i = 0; i < SHAPES; i++) {
        uint32_t r = next(&seed);
        shapes[i] = (struct shape){&kinds[r >> 8 & 3], (int32_t)(r & 255), (int32_t)(r >> 16 & 127)};
    }
    for (uint32_t round = 0; round < 500 * n; round++)
        for (int i = 0; i < SHAPES; i++) {
            struct shape *s = &shapes[i];
            sum += (uint32_t)(s->is->area(s) + s->is->sides(s));
            s->is->grow(s, (int32_t)(round & 3));
        }
    return sum;
}
