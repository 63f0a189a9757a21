/* mutate.h: mutants of emitted code, and an emulator that watches them.
 *
 * The emulator knows nothing of the verifier's rules: machine.c has its own list of
 * what a proven function may touch and where it may go (the theorem of verify.h), and
 * looks at every access, every transfer and every instruction's address. */
#ifndef WHELK_TEST_VERIFY_MUTATE_H
#define WHELK_TEST_VERIFY_MUTATE_H

#include "verify/internal.h"

struct machine *machine_open(void);
/* A module: code is m->code, and may change. */
void machine_load(struct machine *k, const struct verify_module *m, const u8 *code, u64 seed);
/* code has changed: takes it over, and where function f's instructions begin. */
void machine_patch(struct machine *k, u32 f);
/* What a run that escaped may have spoilt is made anew. */
void machine_reset(struct machine *k);
/* Function f from pc once, from random registers of which holds what is known (bits as
 * verifier.known) and r11. NULL, or how it escaped. */
const char *machine_run(struct machine *k, u32 f, u32 pc, u32 known, const struct value *r11);

static inline u64 random64(u64 *s) { /* xorshift64* */
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 0x2545f4914f6cdd1d;
}

#endif
