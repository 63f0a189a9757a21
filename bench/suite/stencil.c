/* stencil.c: Jacobi steps of the heat equation on a 256 x 256 grid of floats, 2 n steps. */
#include "bench.h"

enum { N = 256 };
static float grid[2][N][N];

static NOINLINE void step(float (*restrict to)[N], float (*restrict from)[N]) {
    for (int i = 1; i < N - 1; i++)
        for (int j = 1; j < N - 1; j++)
            to[i][j] = 0.25f * (from[i - 1][j] + from[i + 1][j] + from[i][j - 1] + from[i][j + 1]);
}

uint32_t run(uint32_t n) {
    uint32_t sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) grid[0][i][j] = grid[1][i][j] = (i == 0 || j == 0) ? 100.0f : 0.0f;
    while (n--) {
        step(grid[1], grid[0]);
        step(grid[0], grid[1]);
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) sum = mix(sum, bits_of((double)grid[0][i][j]));
    return sum;
}
