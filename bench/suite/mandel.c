/* mandel.c: the Mandelbrot set, 256 x 256 points of at most 50 n iterations. Doubles in a loop that ends early. */
#include "bench.h"

static NOINLINE uint32_t escape(double cx, double cy, uint32_t most) {
    double x = 0, y = 0, xx = 0, yy = 0;
    uint32_t i = 0;
    while (i < most && xx + yy <= 4) {
        y = 2 * x * y + cy;
        x = xx - yy + cx;
        xx = x * x;
        yy = y * y;
        i++;
    }
    return i;
}

uint32_t run(uint32_t n) {
    uint32_t sum = 0;
    for (int i = 0; i < 256; i++)
        for (int j = 0; j < 256; j++) sum = mix(sum, escape(j / 100.0 - 2.0, i / 100.0 - 1.28, 50 * n));
    return sum;
}
