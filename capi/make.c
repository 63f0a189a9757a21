/* make.c: what the embedder makes is the export of a small module, so that there
 * is one kind of function, table, memory and global.
 *
 * I1 sizes in the module are LEB128 of two bytes, so that a section's size can be
 *    filled in when its end is reached.
 * I2 the last few modules are kept, for all stores: things of one type have one. */
#include <pthread.h>

#include "base/assert.h"
#include "base/mem.h"
#include "capi/internal.h"

enum { NAMES = 128 }; /* bytes of an import's */

struct writer {
    u8 bytes[512];
    size_t n;
};
static_assert(CAPI_VALUES + NAMES + 128 <= sizeof((struct writer){0}.bytes), "any type fits");

static void put(struct writer *w, u32 byte) {
    assert(w->n < sizeof w->bytes);
    w->bytes[w->n++] = (u8)byte;
}

static void put_u32(struct writer *w, u32 v) {
    for (; v >= 0x80; v >>= 7) put(w, (v & 0x7f) | 0x80);
    put(w, v);
}

static size_t begin(struct writer *w, u32 section) {
    put(w, section);
    put(w, 0);
    put(w, 0);
    return w->n;
}

static void end(struct writer *w, size_t start) {
    size_t size = w->n - start;
    assert(size < 1 << 14);
    w->bytes[start - 2] = (u8)(size & 0x7f) | 0x80;
    w->bytes[start - 1] = (u8)(size >> 7);
}

static void put_values(struct writer *w, const wasm_valtype_vec_t *v) {
    put_u32(w, (u32)v->size);
    for (size_t k = 0; k < v->size; k++) put(w, capi_code_of(v->data[k]->kind));
}

static void put_limits(struct writer *w, wasm_limits_t l) {
    bool bounded = l.max != wasm_limits_max_default;
    put(w, bounded);
    put_u32(w, l.min);
    if (bounded) put_u32(w, l.max);
}

/* Its real value comes later: rt_global_init. */
static void put_zero(struct writer *w, wasm_valkind_t kind) {
    static const u8 f64[] = {0x44, 0, 0, 0, 0, 0, 0, 0, 0};
    switch (kind) {
    case WASM_I32: put(w, 0x41), put(w, 0); break;
    case WASM_I64: put(w, 0x42), put(w, 0); break;
    case WASM_F32: put(w, 0x43), put(w, 0), put(w, 0), put(w, 0), put(w, 0); break;
    case WASM_F64:
        for (size_t k = 0; k < sizeof f64; k++) put(w, f64[k]);
        break;
    default: put(w, 0xd0), put(w, capi_code_of(kind)); break;
    }
    put(w, 0x0b);
}

/* WebAssembly 2.0, 5.5. */
enum { TYPES = 1, IMPORTS = 2, TABLES = 4, MEMORIES = 5, GLOBALS = 6, EXPORTS = 7, FUNC_TYPE = 0x60 };

static void put_name(struct writer *w, struct bytes name) {
    put_u32(w, (u32)name.n);
    for (size_t k = 0; k < name.n; k++) put(w, name.p[k]);
}

static void put_func(struct writer *w, const struct wasm_externtype_t *t, const struct capi_import *import) {
    size_t at = begin(w, TYPES);
    put(w, 1), put(w, FUNC_TYPE);
    put_values(w, &t->params);
    put_values(w, &t->results);
    end(w, at);
    at = begin(w, IMPORTS);
    put(w, 1);
    put_name(w, import->module);
    put_name(w, import->name);
    put(w, 0), put(w, 0); /* func, type 0 */
    end(w, at);
}

static void put_thing(struct writer *w, const struct wasm_externtype_t *t) {
    static const u8 sections[] = {[WASM_EXTERN_GLOBAL] = GLOBALS, [WASM_EXTERN_TABLE] = TABLES,
                                  [WASM_EXTERN_MEMORY] = MEMORIES};
    size_t at = begin(w, sections[t->kind]);
    put(w, 1);
    if (t->value) put(w, capi_code_of(t->value->kind));
    if (t->kind == WASM_EXTERN_GLOBAL) {
        put(w, t->mutability == WASM_VAR);
        put_zero(w, t->value->kind);
    } else {
        put_limits(w, t->limits);
    }
    end(w, at);
}

static void put_module(struct writer *w, const struct wasm_externtype_t *t, const struct capi_import *import) {
    static const u8 head[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    static const u8 codes[] = {[WASM_EXTERN_FUNC] = 0, [WASM_EXTERN_TABLE] = 1, [WASM_EXTERN_MEMORY] = 2,
                               [WASM_EXTERN_GLOBAL] = 3};
    for (size_t k = 0; k < sizeof head; k++) put(w, head[k]);
    if (t->kind == WASM_EXTERN_FUNC) put_func(w, t, import);
    else put_thing(w, t);
    size_t at = begin(w, EXPORTS);
    put(w, 1), put(w, 0), put(w, codes[t->kind]), put(w, 0); /* "" is thing 0 */
    end(w, at);
}

static bool all_known(const wasm_valtype_vec_t *v) {
    for (size_t k = 0; k < v->size; k++)
        if (!v->data[k] || !capi_code_of(v->data[k]->kind)) return false;
    return true;
}

static bool can_make(const struct wasm_externtype_t *t) {
    if (t->value && !capi_code_of(t->value->kind)) return false;
    return t->params.size + t->results.size <= CAPI_VALUES && all_known(&t->params) && all_known(&t->results);
}

/* Modules that are kept. */

enum { KEPT = 64 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/* under mutex */
static struct rt_module *kept[KEPT];
static u32 oldest;

static bool is_of(const struct rt_module *m, struct bytes binary) {
    struct bytes b = rt_module_info(m)->bytes;
    return b.n == binary.n && !memcmp(b.p, binary.p, b.n);
}

/* One more hold; NULL: there is none. */
static struct rt_module *find_kept(struct bytes binary) {
    struct rt_module *m = NULL;
    pthread_mutex_lock(&mutex);
    for (u32 k = 0; k < KEPT && !m; k++)
        if (kept[k] && is_of(kept[k], binary)) m = kept[k];
    if (m) rt_module_hold(m);
    pthread_mutex_unlock(&mutex);
    return m;
}

static void keep(struct rt_module *m) {
    rt_module_hold(m);
    pthread_mutex_lock(&mutex);
    struct rt_module *out = kept[oldest];
    kept[oldest] = m;
    oldest = (oldest + 1) % KEPT;
    pthread_mutex_unlock(&mutex);
    rt_module_free(out);
}

void capi_make_trim(void) {
    pthread_mutex_lock(&mutex);
    for (u32 k = 0; k < KEPT; k++) {
        rt_module_free(kept[k]);
        kept[k] = NULL;
    }
    pthread_mutex_unlock(&mutex);
}

static struct rt_module *module_for(struct rt_engine *e, struct bytes binary) {
    struct rt_error error;
    struct rt_module *m = find_kept(binary);
    if (m) return m;
    if (rt_module_load(e, binary, NULL, &m, &error)) return NULL;
    keep(m);
    return m;
}

struct rt_instance *capi_make(wasm_store_t *s, const struct wasm_externtype_t *t, const union abi_value *init,
                              const struct capi_import *import) {
    struct writer w = {.n = 0};
    struct rt_instance *i = NULL;
    struct rt_error error;
    if (!s->rt || !can_make(t)) return NULL;
    if (import && import->module.n + import->name.n > NAMES) return NULL;
    put_module(&w, t, import);
    struct rt_module *m = module_for(s->engine, (struct bytes){w.bytes, w.n});
    if (!m) return NULL;
    enum err e = rt_instantiate(s->rt, m, import ? import->linker : NULL, &i, NULL, &error);
    rt_module_free(m); /* the instance has its own hold */
    if (e) return NULL;
    if (init && rt_global_init(i, (struct bytes){NULL, 0}, *init)) {
        rt_instance_free(i);
        return NULL;
    }
    return i;
}
