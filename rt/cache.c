/* cache.c: compiled code from one load of a module to the next, through a cache that
 * need not be trusted.
 *
 * A blob is what jit_compile made, in words: a head, the tables, the code, with zeros
 * where the ids of types are: those are the engine's that loads it. Its key is a hash
 * of the module, the CPU, how memory is checked, and this compiler's sources.
 *
 * I1 what the cache gives is copied before it is looked at: whoever wrote it may go on
 *    writing. Nothing of it is executed, or believed, before verify/ has proven it.
 * I2 verify/ checks the tables as well as the code (verify.h). What rt/ believes beyond
 *    that is in `sane`, and no other table reaches a module. The rest, names of functions
 *    and their places in the binary, comes from the module.
 * I3 whatever is wrong, the module is compiled as if there was no cache.
 * So who writes the cache can make a module compute something else, within what that
 * module may do; not more than by writing to the module. The sum in the head is against
 * disks, not against him. */
#include "base/blake2b.h"
#include "base/cursor.h"
#include "base/fault.h"
#include "base/mem.h"
#include "rt/internal.h"

/* A hash of jit/, abi/, wasm/ and this file (mk/10-engine.mk). */
static const u8 compiler[] = {
#include "build/gen/compiler.inc"
};

enum { BLOB_MAX = 1 << 30, SAME_POINTS = 256 };
static const char magic[8] = "whelkjit";

struct head {
    char magic[8];
    u8 key[RT_KEY_BYTES], sum[BLAKE2B_BYTES]; /* sum: of all that follows it */
    u32 size, code_end, thunks_start, thunks_end, trap_exit, cross_return;
    u32 func_count, type_count, trap_count, site_count, catch_count, point_count, type_use_count;
};

static_assert((int)RT_KEY_BYTES == (int)BLAKE2B_BYTES, "a key is a hash");

void rt_cache_key(const struct rt_engine *e, struct bytes module, u8 key[RT_KEY_BYTES]) {
    const u32 options[] = {e->host.cpu, e->host.checked_memory, e->host.registers, e->host.coarse};
    struct blake2b b;
    blake2b_start(&b);
    blake2b_add(&b, (struct bytes){compiler, sizeof compiler});
    blake2b_add(&b, (struct bytes){(const u8 *)options, sizeof options});
    blake2b_add(&b, module);
    blake2b_end(&b, key);
}

static void sum_of(struct bytes blob, u8 sum[BLAKE2B_BYTES]) {
    const size_t from = offsetof(struct head, size);
    struct blake2b b;
    blake2b_start(&b);
    blake2b_add(&b, (struct bytes){blob.p + from, blob.n - from});
    blake2b_end(&b, sum);
}

/* ---- the tables: one list for who writes and who reads ---- */

struct table {
    void **at;
    u64 bytes;
};
enum { TABLES = 9 };

/* A new table in struct jit_code belongs here, if rt/ or verify/ looks at it. */
static_assert(sizeof(struct jit_code) == 232, "here, too");

#define TABLE(field, count) {(void **)&(field), (u64)(count) * sizeof *(field)}
static void list_tables(struct jit_code *c, const struct wasm_module *w, struct table out[TABLES]) {
    const struct table all[TABLES] = {
        TABLE(c->funcs, c->func_count),  TABLE(c->thunks, w->type_count),  TABLE(c->host_stubs, w->type_count),
        TABLE(c->adaptors, w->imported_funcs), TABLE(c->traps, c->trap_count), TABLE(c->sites, c->site_count),
        TABLE(c->catches, c->catch_count), TABLE(c->points, c->point_count), TABLE(c->type_uses, c->type_use_count),
    };
    memcpy(out, all, sizeof all);
}

static bool put_id(struct jit_code *c, u32 at, u32 id) {
    if (c->size < 4 || at > c->size - 4) return false;
    memcpy(c->bytes + at, &id, 4);
    return true;
}

/* Before entries, before host stubs, and in instructions. ids NULL: zeros. */
static bool put_ids(struct jit_code *c, const struct wasm_module *w, const u32 *ids) {
    for (u32 k = 0; k < c->func_count; k++)
        if (!put_id(c, c->funcs[k].entry - 4, ids ? ids[w->funcs[w->imported_funcs + k].type] : 0)) return false;
    for (u32 k = 0; k < w->type_count; k++)
        if (c->host_stubs[k] != UINT32_MAX && !put_id(c, c->host_stubs[k] - 4, ids ? ids[k] : 0)) return false;
    for (u32 k = 0; k < c->type_use_count; k++) {
        const struct jit_type_use *u = &c->type_uses[k];
        if (u->type >= w->type_count || !put_id(c, u->at, ids ? ids[u->type] : 0)) return false;
    }
    return true;
}

/* ---- writing ---- */

static struct bytes write_blob(struct arena *a, const struct wasm_module *w, const struct jit_code *code, const u8 *key) {
    struct jit_code c = *code;
    struct table tables[TABLES];
    struct head h = {.size = c.size, .code_end = c.code_end, .thunks_start = c.thunks_start, .thunks_end = c.thunks_end,
                     .trap_exit = c.trap_exit, .cross_return = c.cross_return, .func_count = c.func_count,
                     .type_count = w->type_count, .trap_count = c.trap_count, .site_count = c.site_count,
                     .catch_count = c.catch_count, .point_count = c.point_count, .type_use_count = c.type_use_count};
    u64 n = sizeof h + c.size;
    list_tables(&c, w, tables);
    for (u32 k = 0; k < TABLES; k++) n += tables[k].bytes;
    u8 *blob = n <= BLOB_MAX ? arena_raw(a, n) : NULL, *p = blob;
    if (!blob) return (struct bytes){NULL, 0};
    memcpy(h.magic, magic, sizeof magic);
    memcpy(h.key, key, sizeof h.key);
    p += sizeof h;
    for (u32 k = 0; k < TABLES; p += tables[k].bytes, k++)
        if (tables[k].bytes) memcpy(p, *tables[k].at, tables[k].bytes);
    memcpy(p, c.bytes, c.size);
    c.bytes = p;
    put_ids(&c, w, NULL);
    memcpy(blob, &h, sizeof h);
    sum_of((struct bytes){blob, n}, ((struct head *)blob)->sum);
    return (struct bytes){blob, n};
}

void rt_cache_keep(const struct rt_cache *cache, struct arena *scratch, const struct wasm_module *w, const struct jit_code *c, const u8 *key) {
    struct arena_mark mark = arena_mark(scratch);
    struct bytes blob = write_blob(scratch, w, c, key);
    if (blob.n) cache->keep(cache->self, key, blob);
    arena_release(scratch, mark);
}

/* ---- reading ---- */

/* What a cache says of lengths is as good as the rest of it. */
static bool read_tables(struct cursor *in, const struct wasm_module *w, const struct head *h, struct jit_code *c) {
    struct table tables[TABLES];
    struct bytes b;
    *c = (struct jit_code){.size = h->size, .code_end = h->code_end, .thunks_start = h->thunks_start, .thunks_end = h->thunks_end,
                           .trap_exit = h->trap_exit, .cross_return = h->cross_return, .func_count = h->func_count,
                           .trap_count = h->trap_count, .site_count = h->site_count, .catch_count = h->catch_count,
                           .point_count = h->point_count, .type_use_count = h->type_use_count,
                           .vectors = true}; /* nobody has proven otherwise */
    if (h->func_count != w->func_count - w->imported_funcs || h->type_count != w->type_count) return false;
    list_tables(c, w, tables);
    for (u32 k = 0; k < TABLES; k++) {
        if (take_bytes(in, tables[k].bytes, &b)) return false;
        *tables[k].at = (void *)(uptr)b.p;
    }
    if (take_bytes(in, h->size, &b) || cursor_left(in)) return false;
    c->bytes = (u8 *)(uptr)b.p;
    return true;
}

/* Whatever is called from outside has a way in. */
static bool has_entries(const struct wasm_module *w, const struct jit_code *c) {
    for (u32 k = 0; k < w->func_count && !fault(CACHE_ENTRY); k++) {
        u32 type = w->funcs[k].type;
        if ((wasm_func_escapes(w, k) && c->thunks[type] == UINT32_MAX) || (k < w->imported_funcs && c->host_stubs[type] == UINT32_MAX)) return false;
    }
    return true;
}

/* Kinds that instructions raise; the others mean something to who called. */
static bool has_own_traps(const struct jit_code *c) {
    for (u32 k = 0; k < c->trap_count; k++)
        if (c->traps[k].kind == ABI_TRAP_NONE || c->traps[k].kind >= ABI_TRAP_NOT_SHARED) return false;
    return true;
}

/* Each site has its own catches, and no place has many points: else looking for a pad
 * per catch of a site, as the proof does, could take for ever. */
static bool is_linear(const struct jit_code *c) {
    u32 next = 0, same = 0;
    for (u32 k = 0; k < c->site_count; k++) {
        if (c->sites[k].first != next || c->sites[k].count > c->catch_count - next) return false;
        next += c->sites[k].count;
    }
    for (u32 k = 1; k < c->point_count; k++) {
        same = c->points[k].pc == c->points[k - 1].pc ? same + 1 : 0;
        if (same >= SAME_POINTS) return false;
    }
    return next == c->catch_count;
}

static bool sane(const struct wasm_module *w, const struct jit_code *c) {
    return has_entries(w, c) && has_own_traps(c) && is_linear(c);
}

bool rt_cache_read(struct arena *result, struct arena *scratch, const struct wasm_module *w, const struct jit_options *o,
                   const u8 *key, struct bytes blob, struct jit_code *c) {
    struct head h;
    u8 sum[BLAKE2B_BYTES], *copy;
    if (blob.n < sizeof h || blob.n > BLOB_MAX || !(copy = arena_raw(result, blob.n))) return false;
    memcpy(copy, blob.p, blob.n); /* I1 */
    memcpy(&h, copy, sizeof h);
    struct cursor in = cursor_of((struct bytes){copy + sizeof h, blob.n - sizeof h});
    if (memcmp(h.magic, magic, sizeof magic) || memcmp(h.key, key, sizeof h.key)) return false;
    sum_of((struct bytes){copy, blob.n}, sum);
    if (memcmp(h.sum, sum, sizeof sum) || !read_tables(&in, w, &h, c)) return false;
    for (u32 k = 0; k < c->func_count; k++) c->funcs[k].wasm_offset = w->funcs[w->imported_funcs + k].code_offset;
    if (!sane(w, c) || !put_ids(c, w, o->type_ids)) return false;
    return fault(CACHE_PROOF) || !rt_prove(scratch, w, o, c, NULL);
}

bool rt_cache_find(const struct rt_cache *cache, struct arena *result, struct arena *scratch, const struct wasm_module *w,
                   const struct jit_options *o, const u8 *key, struct jit_code *c) {
    struct bytes blob = cache->find(cache->self, key);
    if (!blob.n) return false;
    bool good = rt_cache_read(result, scratch, w, o, key, blob, c);
    cache->done(cache->self, blob);
    if (good) return true;
    arena_reset(result); /* what was not enough for a blob may be enough for a compile */
    arena_reset(scratch);
    return false;
}
