/* verify_forms.c: opcodes that share a copy of the proof's step (verify/func.c) must
 * have rows that are alike: a change of one of them would go unnoticed there. */
#include <string.h>

#include "test/lib/test.h"
#include "verify/decode.h"

static const struct {
    u8 opcode, as;
    bool alike;
} rows[] = {
    {0x01, 0x09, true},  /* add rm, r as or rm, r */
    {0x0b, 0x2b, true},  /* or, adc, sbb as sub */
    {0x13, 0x2b, true},
    {0x1b, 0x2b, true},
    {0xb9, 0xb8, true},  /* mov r, imm */
    {0xba, 0xb8, true},
    {0xbb, 0xb8, true},
    {0xbc, 0xb8, true},
    {0xbd, 0xb8, true},
    {0xbe, 0xb8, true},
    {0xbf, 0xb8, true},
    {0x03, 0x2b, false}, /* add proves sums, cmp facts: each has a copy of its own */
    {0x3b, 0x2b, false},
};

int main(void) {
    for (u32 k = 0; k < ARRAY_LEN(rows); k++)
        EQUAL(!memcmp(&forms[rows[k].opcode], &forms[rows[k].as], sizeof forms[0]), rows[k].alike);
    return test_end("verify_forms");
}
