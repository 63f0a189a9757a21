/* order.h: sorting indices, for what must be equal or unique in a module.
 * Internal to wasm/. A merge sort: n log n for any input, where a hash table
 * with a known function could be made quadratic by the module's author. */
#ifndef WHELK_WASM_ORDER_H
#define WHELK_WASM_ORDER_H

#include "base/types.h"

/* < 0, 0, > 0, as memcmp, for the things numbered a and b. */
typedef int wasm_compare(const void *self, u32 a, u32 b);

/* Sorts v[0..n) in place, equal ones in their old order. spare: n slots. */
void wasm_order(u32 *v, u32 *spare, u32 n, wasm_compare *compare, const void *self);

int wasm_compare_bytes(struct bytes a, struct bytes b);

#endif
