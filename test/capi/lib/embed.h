/* embed.h: what tests of wasm.h share: one engine and store, modules out of text. */
#ifndef WHELK_TEST_CAPI_LIB_EMBED_H
#define WHELK_TEST_CAPI_LIB_EMBED_H

#include "include/wasm.h"
#include "test/lib/test.h"

extern wasm_engine_t *engine;
extern wasm_store_t *store;

void embed_open(void);
void embed_close(void);
wasm_module_t *embed_module(const char *text); /* NULL: refused */
/* An instance of text with these imports; NULL: refused. */
wasm_instance_t *embed_instance(const char *text, wasm_extern_t *const *imports, size_t n, wasm_trap_t **trap);
wasm_extern_t *embed_export(const wasm_instance_t *i, size_t k); /* own */
/* Calls f, checks that it traps with that text; NULL: that it does not. */
void embed_call(const wasm_func_t *f, const wasm_val_vec_t *args, wasm_val_vec_t *results, const char *text);
/* Of no arguments, with one result. */
wasm_val_t embed_call1(const wasm_instance_t *i, size_t k);

#endif
