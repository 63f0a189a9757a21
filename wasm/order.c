#include "wasm/order.h"

#include "base/assert.h"
#include "base/mem.h"

/* Merges the sorted runs [low, middle) and [middle, high) of from into to. */
static void merge(const u32 *from, u32 *to, u32 low, u32 middle, u32 high, wasm_compare *compare,
                  const void *self) {
    assert(low <= middle && middle <= high);
    u32 a = low, b = middle;
    for (u32 i = low; i < high; i++) {
        bool left = b == high || (a < middle && compare(self, from[a], from[b]) <= 0);
        to[i] = left ? from[a++] : from[b++];
    }
}

void wasm_order(u32 *v, u32 *spare, u32 n, wasm_compare *compare, const void *self) {
    for (u64 width = 1; width < n; width *= 2) {
        for (u64 low = 0; low < n; low += 2 * width)
            merge(v, spare, (u32)low, (u32)MIN(low + width, (u64)n),
                  (u32)MIN(low + 2 * width, (u64)n), compare, self);
        memcpy(v, spare, n * sizeof *v);
    }
}

int wasm_compare_bytes(struct bytes a, struct bytes b) {
    if (a.n != b.n) return a.n < b.n ? -1 : 1;
    return a.n ? memcmp(a.p, b.p, a.n) : 0;
}
