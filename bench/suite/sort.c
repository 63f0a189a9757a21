/* sort.c: quicksort, then heapsort, of 50,000 numbers through a comparison by pointer, n times. */
#include "bench.h"

enum { N = 50000 };
static uint32_t work[N];

typedef int compare(uint32_t a, uint32_t b);
static int less(uint32_t a, uint32_t b) { return a < b; }
static int greater(uint32_t a, uint32_t b) { return a > b; }
static compare *volatile orders[] = {less, greater};

static void swap(uint32_t *a, uint32_t *b) {
    uint32_t t = *a;
    *a = *b;
    *b = t;
}

static NOINLINE void quick(uint32_t *a, int low, int high, compare *before) {
    while (low < high) {
        uint32_t pivot = a[low + (high - low) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (before(a[i], pivot)) i++;
            while (before(pivot, a[j])) j--;
            if (i <= j) swap(&a[i++], &a[j--]);
        }
        if (j - low < high - i) {
            quick(a, low, j, before);
            low = i;
        } else {
            quick(a, i, high, before);
            high = j;
        }
    }
}

static void sift(uint32_t *a, int at, int n) {
    for (int child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && a[child] < a[child + 1]) child++;
        if (a[at] >= a[child]) return;
        swap(&a[at], &a[child]);
    }
}

static NOINLINE void heap(uint32_t *a, int n) {
    for (int i = n / 2; i-- > 0;) sift(a, i, n);
    for (int i = n - 1; i > 0; i--) {
        swap(&a[0], &a[i]);
        sift(a, 0, i);
    }
}

uint32_t run(uint32_t n) {
    uint32_t seed = 2463534242u, sum = 0;
    while (n--) {
        for (int i = 0; i < N; i++) work[i] = next(&seed);
        quick(work, 0, N - 1, orders[n & 1]);
        sum = mix(sum, work[0] ^ work[N / 2] ^ work[N - 1]);
        for (int i = 0; i < N; i++) work[i] = next(&seed);
        heap(work, N);
        for (int i = 0; i < N; i += 97) sum = mix(sum, work[i]);
    }
    return sum;
}
