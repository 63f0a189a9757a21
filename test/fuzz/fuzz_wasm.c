/* fuzz_wasm.c: any bytes at all into the decoder and the validator, and what
 * they let through into the compiler. Nothing may crash or hang. */
#include <stdlib.h>

#include "base/assert.h"
#include "jit/jit.h"
#include "wasm/module.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t n);

static void *take(void *self, size_t n) {
    (void)self;
    return malloc(n);
}
static void give(void *self, void *p, size_t n) {
    (void)self;
    (void)n;
    free(p);
}

static void compile(struct arena *a, const struct arena_source *heap, const struct wasm_module *m) {
    struct arena scratch;
    struct jit_code code;
    struct jit_error error;
    u32 *ids = ARENA_ARRAY(a, u32, m->type_count + 1u);
    for (u32 i = 0; i < m->type_count; i++) ids[i] = m->types[i].canon + 1;
    arena_init(&scratch, heap, 256 << 20);
    jit_compile(a, &scratch, m, &(struct jit_options){.type_ids = ids}, &code, &error);
    arena_reset(&scratch);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t n) {
    static const struct arena_source heap = {take, give, NULL};
    struct arena a;
    struct wasm_module m;
    struct wasm_error error = {0};
    arena_init(&a, &heap, 256 << 20);
    enum err e = wasm_decode(&a, (struct bytes){data, n}, &m, &error);
    if (!e) e = wasm_validate(&a, &m, &error);
    if (e) assert(error.code == e && error.offset <= n && error.text[0]);
    else compile(&a, &heap, &m);
    arena_reset(&a);
    return 0;
}
