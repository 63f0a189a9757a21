/* matmul_i.c: product of two 160 x 160 matrices of integers, n times. */
#include "bench.h"

enum { N = 160 };
static int32_t a[N][N], b[N][N], c[N][N];

static void fill(void) {
    uint32_t seed = 12345;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (int32_t)(next(&seed) % 100);
            b[i][j] = (int32_t)(next(&seed) % 100);
        }
}

static NOINLINE void multiply(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            int32_t sum = 0;
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
            for (int j = 0; j < N; j++) sum = mix(sum, (uint32_t)c[i][j]);
        a[n % N][n % N] += 1;
    }
    return sum;
}
