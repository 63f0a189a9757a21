/* blake2b.h: BLAKE2b (RFC 7693) without a key, 256 bits: names things by what is in
 * them, where somebody may want two things to have one name. */
#ifndef WHELK_BASE_BLAKE2B_H
#define WHELK_BASE_BLAKE2B_H

#include "base/types.h"

enum { BLAKE2B_BYTES = 32, BLAKE2B_BLOCK = 128 };

struct blake2b {
    u64 h[8], count; /* count: of bytes that are in h, or about to be */
    u8 block[BLAKE2B_BLOCK];
    size_t fill; /* of block */
};

void blake2b_start(struct blake2b *b);
void blake2b_add(struct blake2b *b, struct bytes more);
void blake2b_end(struct blake2b *b, u8 out[BLAKE2B_BYTES]);

#endif
