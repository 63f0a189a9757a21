/* nbody.c: five bodies under gravity, 10,000 n steps of a symplectic integrator. Doubles, division, square root. */
#include "bench.h"

enum { BODIES = 5 };
struct body {
    double x[3], v[3], mass;
};
static struct body bodies[BODIES];

static void place(void) {
    uint32_t seed = 99;
    for (int i = 0; i < BODIES; i++) {
        for (int d = 0; d < 3; d++) {
            bodies[i].x[d] = (double)(next(&seed) % 2000) / 50 - 20;
            bodies[i].v[d] = (double)(next(&seed) % 2000) / 2000 - 0.5;
        }
        bodies[i].mass = i ? 0.01 * i : 40;
    }
}

static NOINLINE void advance(double dt) {
    for (int i = 0; i < BODIES; i++)
        for (int j = i + 1; j < BODIES; j++) {
            struct body *a = &bodies[i], *b = &bodies[j];
            double dx = a->x[0] - b->x[0], dy = a->x[1] - b->x[1], dz = a->x[2] - b->x[2];
            double square = dx * dx + dy * dy + dz * dz;
            double scale = dt / (square * __builtin_sqrt(square));
            a->v[0] -= dx * b->mass * scale, b->v[0] += dx * a->mass * scale;
            a->v[1] -= dy * b->mass * scale, b->v[1] += dy * a->mass * scale;
            a->v[2] -= dz * b->mass * scale, b->v[2] += dz * a->mass * scale;
        }
    for (int i = 0; i < BODIES; i++)
        for (int d = 0; d < 3; d++) bodies[i].x[d] += dt * bodies[i].v[d];
}

uint32_t run(uint32_t n) {
    uint32_t sum = 0;
    place();
    for (uint32_t i = 0; i < n * 10000; i++) advance(0.001);
    for (int i = 0; i < BODIES; i++)
        for (int d = 0; d < 3; d++) sum = mix(sum, bits_of(bodies[i].x[d]));
    return sum;
}
