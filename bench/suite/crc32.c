/* crc32.c: CRC-32 (IEEE 802.3, by a table of 256) of n buffers of 64 KiB. Dependent byte-indexed loads. */
#include "bench.h"

static uint32_t table[256];
static uint8_t data[65536];

static void make_table(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
        table[i] = c;
    }
}

static NOINLINE uint32_t crc(uint32_t c, const uint8_t *p, size_t n) {
    c = ~c;
    while (n--) c = table[(c ^ *p++) & 0xff] ^ c >> 8;
    return ~c;
}

uint32_t run(uint32_t n) {
    uint32_t c = 0;
    make_table();
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 13 + (i >> 7));
    while (n--) c = crc(c, data, sizeof data);
    return c;
}
