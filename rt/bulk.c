/* bulk.c: bulk operations on memories and tables (WebAssembly 2.0, 4.4.6, 4.4.7).
 *
 * I1 bounds are checked as a whole before anything is written.
 * I2 work goes in chunks; between them a wish to stop (store->pending) ends
 *    it: the trap is then already pending, and what was written stays.
 * I3 addresses into 32-bit memories and tables arrive as u64; callers cut them.
 *    The sum of an address and a count is never formed. */
#include "base/assert.h"
#include "base/fault.h"
#include "base/mem.h"
#include "rt/internal.h"

enum { CHUNK_BYTES = 64 * 1024, CHUNK_ELEMENTS = 4096 };

static bool stopping(const struct rt_store *s) {
    return __atomic_load_n(&s->abi.pending, __ATOMIC_RELAXED) != 0;
}

/* copy: from NULL means fill with byte. Forward only: from is elsewhere. */
static void write_chunks(struct rt_store *s, u8 *to, const u8 *from, u8 byte, u64 n) {
    for (u64 done = 0; done < n && !stopping(s);) {
        size_t part = MIN(n - done, (u64)CHUNK_BYTES);
        if (from) memcpy(to + done, from + done, part);
        else memset(to + done, byte, part);
        done += part;
    }
}

enum abi_trap rt_do_memory_fill(struct rt_store *store, struct rt_memory *m, u64 at, u8 byte, u64 n) {
    if (!rt_inside(at, n, rt_memory_bytes(m))) return ABI_TRAP_MEMORY;
    write_chunks(store, m->base + at, NULL, byte, n);
    return ABI_TRAP_NONE;
}

/* Overlapping runs as if through a copy: from the end that is safe. */
static void move_chunks(struct rt_store *s, u8 *to, const u8 *from, u64 n) {
    bool forward = (uptr)to - (uptr)from >= n;
    for (u64 done = 0; done < n && !stopping(s);) {
        size_t part = MIN(n - done, (u64)CHUNK_BYTES);
        u64 at = forward || to < from ? done : n - done - part;
        memmove(to + at, from + at, part);
        done += part;
    }
}

enum abi_trap rt_do_memory_copy(struct rt_store *store, struct rt_memory *d, u64 to, struct rt_memory *s, u64 from, u64 n) {
    if (!rt_inside(to, n, rt_memory_bytes(d)) ||
        (!fault(BULK_BOUND) && !rt_inside(from, n, rt_memory_bytes(s))))
        return ABI_TRAP_MEMORY;
    move_chunks(store, d->base + to, s->base + from, n);
    return ABI_TRAP_NONE;
}

enum abi_trap rt_do_memory_init(struct rt_instance *i, u32 mem, u32 segment, u64 to, u32 from, u32 n) {
    assert(mem < i->module->info.memory_count && segment < i->module->info.data_count);
    struct rt_memory *m = i->memories[mem];
    if (!rt_inside(from, n, i->data_left[segment]) || !rt_inside(to, n, rt_memory_bytes(m)))
        return ABI_TRAP_MEMORY;
    if (n) write_chunks(i->store, m->base + to, i->module->info.datas[segment].bytes.p + from, 0, n);
    return ABI_TRAP_NONE;
}

/* Tables. A handle that does not fit cannot come from validated code: it is
 * refused all the same, since handles are plain numbers there. */

enum abi_trap rt_do_table_init(struct rt_instance *i, u32 table, u32 segment, u64 to, u32 from, u32 n) {
    assert(table < i->module->info.table_count && segment < i->module->info.elem_count);
    struct rt_table *t = i->tables[table];
    const struct rt_segment *s = &i->elems[segment];
    if (!rt_inside(from, n, s->count) || !rt_inside(to, n, t->abi.len)) return ABI_TRAP_TABLE_BOUNDS;
    for (u32 k = 0; k < n; k++) {
        if (k % CHUNK_ELEMENTS == 0 && stopping(i->store)) break;
        if (!rt_table_put(t, to + k, s->handles[from + k])) return ABI_TRAP_HOST;
    }
    return ABI_TRAP_NONE;
}

enum abi_trap rt_do_table_fill(struct rt_table *t, u64 at, u32 handle, u64 n) {
    if (!rt_inside(at, n, t->abi.len)) return ABI_TRAP_TABLE_BOUNDS;
    for (u64 k = 0; k < n; k++) {
        if (k % CHUNK_ELEMENTS == 0 && stopping(t->store)) break;
        if (!rt_table_put(t, at + k, handle)) return ABI_TRAP_HOST;
    }
    return ABI_TRAP_NONE;
}

enum abi_trap rt_do_table_copy(struct rt_table *d, u64 to, struct rt_table *s, u64 from, u64 n) {
    if (!rt_inside(to, n, d->abi.len) || !rt_inside(from, n, s->abi.len)) return ABI_TRAP_TABLE_BOUNDS;
    bool backward = d == s && to > from;
    for (u64 k = 0; k < n; k++) {
        u64 at = backward ? n - 1 - k : k;
        if (k % CHUNK_ELEMENTS == 0 && stopping(d->store)) break;
        if (!rt_table_put(d, to + at, s->abi.refs[from + at])) return ABI_TRAP_HOST;
    }
    return ABI_TRAP_NONE;
}
