/* differ.h: one module, two engines: rt/ (the compiler) and the oracle. */
#ifndef WHELK_TEST_FUZZ_DIFFER_H
#define WHELK_TEST_FUZZ_DIFFER_H

#include "abi/abi.h"
#include "wasm/module.h"

/* Runs every exported function of a module in both. false: they disagree, and
 * *why (of 200 bytes) says where. One thread. A module that is refused, or
 * that asks for more than the oracle offers (imports other than env.mix, large
 * memories and tables), is a difference if valid is claimed, else agreement. */
bool differ_run(struct bytes module, bool valid, char *why);

/* The one import, env.mix; the arguments that exports get; values with every
 * NaN made the canonical one. */
u64 differ_mix(struct abi_ctx *caller, u32 a, u64 b);
u64 differ_argument(u32 func, u32 param, wasm_type t);
u64 differ_canonical(u64 bits, wasm_type t);

#endif
