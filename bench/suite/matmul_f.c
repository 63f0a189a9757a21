/* matmul_f.c: product of two 160 x 160 matrices of doubles, n times. */
#include "bench.h"

enum { N = 160 };
static double a[N][N], b[N][N], c[N][N];

static void fill(void) {
    uint32_t seed = 12345;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (double)(next(&seed) % 100) / 8;
            b[i][j] = (double)(next(&seed) % 100) / 8;
        }
}

static NOINLINE void multiply(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}

uint32_t run(uint32_t n) {
    uint32_t sum = 0;
    fill();
    while (n--) {
        multiply();
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) sum = mix(sum, bits_of(c[i][j]));
        a[n % N][n % N] += 1;
    }
    return sum;
}
