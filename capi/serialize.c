/* serialize.c: modules as bytes: the binary, and the code that was made of it. What is
 * read back need not be trusted: the code is proven anew (rt/cache.c), and where that
 * fails, or it is of another CPU or version, the binary is compiled.
 *
 * I1 a module with its code is: MAGIC, length of the binary (8 bytes), binary, code.
 *    Other bytes are a binary alone. */
#include <stdlib.h>
#include <string.h>

#include "capi/internal.h"

enum { MAGIC = 8, HEAD = MAGIC + 8 };
static const char magic[MAGIC] = "whelkmod";

static struct bytes none(void *self, const u8 *key) { return (struct bytes){NULL, 0}; }
static void drop(void *self, struct bytes found) {}
static void ignore(void *self, const u8 *key, struct bytes code) {}

static void copy(void *self, const u8 *key, struct bytes code) {
    struct bytes *out = self;
    u8 *p = malloc(code.n);
    if (!p) return;
    memcpy(p, code.p, code.n);
    *out = (struct bytes){p, code.n};
}

static struct bytes give(void *self, const u8 *key) { return *(struct bytes *)self; }

/* Made once more: a module does not keep what only this needs. Allocated; of no bytes:
 * there is no memory. */
static struct bytes code_of(struct rt_engine *e, struct bytes binary) {
    struct bytes code = {NULL, 0};
    const struct rt_cache cache = {0, none, drop, copy, &code};
    struct rt_module *m;
    if (!rt_module_load_by(e, &cache, binary, NULL, &m, NULL)) rt_module_free(m);
    return code;
}

void wasm_module_serialize(const wasm_module_t *m, wasm_byte_vec_t *out) {
    struct bytes binary = rt_module_info(m->ref.module)->bytes, code = code_of(m->ref.store->engine, binary);
    u64 n = binary.n;
    wasm_byte_vec_new_uninitialized(out, HEAD + binary.n + code.n);
    if (out->size) {
        memcpy(out->data, magic, MAGIC);
        memcpy(out->data + MAGIC, &n, sizeof n);
        memcpy(out->data + HEAD, binary.p, binary.n);
        if (code.n) memcpy(out->data + HEAD + binary.n, code.p, code.n);
    }
    free((void *)(uptr)code.p);
}

wasm_module_t *wasm_module_deserialize(wasm_store_t *s, const wasm_byte_vec_t *v) {
    u64 n;
    if (!v || v->size < HEAD || memcmp(v->data, magic, MAGIC)) return wasm_module_new(s, v);
    memcpy(&n, v->data + MAGIC, sizeof n);
    if (n > v->size - HEAD) return NULL;
    const u8 *binary = (const u8 *)v->data + HEAD;
    struct bytes code = {binary + n, v->size - HEAD - n};
    const struct rt_cache cache = {0, give, drop, ignore, &code};
    return capi_module_load(s, (struct bytes){binary, n}, &cache);
}

bool whelk_module_was_compiled(const wasm_module_t *m) { return !rt_module_cached(m->ref.module); }
