/* hash.h: FNV-1a, 64 bits: for tables of trusted size, not against attackers. */
#ifndef WHELK_BASE_HASH_H
#define WHELK_BASE_HASH_H

#include "base/types.h"

static inline u64 hash_bytes(struct bytes b) {
    u64 h = 0xcbf29ce484222325;
    for (size_t i = 0; i < b.n; i++) h = (h ^ b.p[i]) * 0x100000001b3;
    return h;
}

#endif
