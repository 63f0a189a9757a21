/* gen.h: a generator of valid modules (groups 1 to 3, 6 to 9, 12), driven by fuzz bytes.
 *
 * I1 every module is valid and imports only env.mix: (i32, i64) -> i64.
 * I2 every run ends: functions and loops spend the fuel in global 0.
 * I3 NaN bits are made canonical before they can become visible as integers
 *    or in memory, so that two engines must agree on every bit. */
#ifndef WHELK_TEST_FUZZ_GEN_H
#define WHELK_TEST_FUZZ_GEN_H

#include "base/types.h"

enum { GEN_CAP = 1 << 18, GEN_FUEL = 1500, GEN_FUNCS_MAX = 6 };

/* Writes a module to out (GEN_CAP bytes) and returns its length. Functions are
 * exported as "f0", "f1", ..., memories as "m0", ..., globals as "g0", ... */
/* Only what V8 takes: no pages of one byte, and of the two kinds of exceptions
 * one in a module. */
extern bool gen_for_v8;

size_t gen_module(struct bytes in, u8 *out);

#endif
