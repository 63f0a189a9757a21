/* base/blake2b.c against hashes that others computed: RFC 7693's function as Python's
 * hashlib.blake2b(..., digest_size=32) has it. */
#include "base/blake2b.h"
#include "base/fmt.h"
#include "test/lib/test.h"

static const char *hex(const u8 *p) {
    static char text[2 * BLAKE2B_BYTES + 1];
    for (u32 k = 0; k < BLAKE2B_BYTES; k++) fmt(text + 2 * k, 3, "%02x", p[k]);
    return text;
}

/* The first n of the bytes 0, 1, .. 250, 0, 1, ..: in pieces of so many. */
static void hash_of(u32 n, u32 piece, u8 *out) {
    static u8 bytes[1000];
    struct blake2b b;
    for (u32 k = 0; k < n; k++) bytes[k] = (u8)(k % 251);
    blake2b_start(&b);
    for (u32 at = 0; at < n; at += piece) blake2b_add(&b, (struct bytes){bytes + at, MIN(piece, n - at)});
    blake2b_end(&b, out);
}

int main(void) {
    static const struct {
        u32 n;
        const char *hash;
    } cases[] = {
        {0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"},
        {1, "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314"},
        {127, "f2fe67ff342e21b8f45e8f2e0bcd1d9243245d50ee6c78042e9c491388791c72"},
        {128, "c3582f71ebb2be66fa5dd750f80baae97554f3b015663c8be377cfcb2488c1d1"},
        {129, "f7f3c46ba2564ff4c4c162da1f5b605f9f1c4aa6a20652a9f9a337c1a2f5b9c9"},
        {255, "d9ef0fc521b4266d16df662bec231bc2ec3989e7adeaf63169c295dc239dbbea"},
        {256, "582f782226018ec33076bd8d1c42413530ac7e1126260ffc0f306ba3befc3f24"},
        {257, "227e15ed64ee8e93eb7bc53828f76eed974f2c4ab1408c3d08f212b7f8d69904"},
        {1000, "b372d0608f720c8c3dd41e9c8eecb10143b41abe520b616607e754bf79c08331"},
    };
    static const u32 pieces[] = {1, 7, 127, 128, 129, 300, 1000};
    u8 out[BLAKE2B_BYTES];
    for (u32 k = 0; k < ARRAY_LEN(cases); k++)
        for (u32 i = 0; i < ARRAY_LEN(pieces); i++) {
            hash_of(cases[k].n, pieces[i], out);
            EQUAL_TEXT(hex(out), cases[k].hash);
        }
    struct blake2b abc;
    blake2b_start(&abc);
    blake2b_add(&abc, (struct bytes){(const u8 *)"abc", 3});
    blake2b_end(&abc, out);
    EQUAL_TEXT(hex(out), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    return test_end("base_blake2b");
}
