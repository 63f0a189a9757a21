/* code.c: pages for compiled code: shared memory without a file that is mapped twice
 * (perf takes names from its map only for code that lies in no file).
 *
 * I1 both mappings exist before the filter closes; mremap, which made the second, is
 *    then refused: there will be no third. The one that runs is never
 *    writable; the other never runs, and is accessible only while a module is
 *    being written there: no page is reached both ways once its code is sealed.
 * I2 a page is in `used` from its allocation to its release; one that could not be shut
 *    again stays there. */
#include "base/assert.h"
#include "base/mem.h"
#include "kern/lock.h"
#include "kern/machine.h"
#include "plat/process/process.h"

enum { PAGES_MAX = CODE_MAX / PAGE_SIZE, INT3 = 0xcc };
enum { MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2 };

static struct spin lock;
static u8 used[PAGES_MAX / 8]; /* under lock */
static u32 first_maybe;        /* under lock: all before it are used */
static u32 page_count;         /* fixed */

static bool is_used(u32 i) { return used[i / 8] >> i % 8 & 1; }
static void mark(u32 i, bool yes) {
    if (yes) used[i / 8] |= (u8)(1 << i % 8);
    else used[i / 8] &= (u8)~(1 << i % 8);
}

void code_init(void) {
    struct process_memory *m = &process_memory;
    u32 flags = HOST_MAP_SHARED | HOST_MAP_FIXED | HOST_MAP_ANONYMOUS;
    i64 e = host(HOST_MMAP, CODE_RUN, m->code, HOST_PROT_READ | HOST_PROT_EXEC, flags, -1, 0);
    /* Of shared memory: old length 0 leaves the old mapping (mremap(2)). */
    if (e >= 0) e = host(HOST_MREMAP, CODE_RUN, 0, m->code, MREMAP_MAYMOVE | MREMAP_FIXED, CODE_WRITE);
    if (e >= 0) e = host(HOST_MPROTECT, CODE_WRITE, m->code, 0);
    if (e < 0) process_fail("memory for code cannot be mapped", e);
    page_count = (u32)(m->code / PAGE_SIZE);
}

/* n pages in a row, now used; page_count if there are none. */
static u32 take(u32 n) {
    u32 run = 0, at = page_count;
    u64 flags = spin_lock(&lock);
    while (first_maybe < page_count && is_used(first_maybe)) first_maybe++;
    for (u32 i = first_maybe; i < page_count && run < n; i++) {
        run = is_used(i) ? 0 : run + 1;
        if (run == n) at = i + 1 - n;
    }
    for (u32 i = at; i < page_count && i < at + n; i++) mark(i, true);
    spin_unlock(&lock, flags);
    return at;
}

static void give(u32 at, u32 n) {
    u64 flags = spin_lock(&lock);
    for (u32 i = at; i < at + n; i++) {
        assert(is_used(i));
        mark(i, false);
    }
    first_maybe = MIN(first_maybe, at);
    spin_unlock(&lock, flags);
}

static enum err open_pages(u32 at, u32 pages, bool yes) {
    i64 e = host(HOST_MPROTECT, CODE_WRITE + (u64)at * PAGE_SIZE, (u64)pages * PAGE_SIZE, yes ? HOST_PROT_READ | HOST_PROT_WRITE : 0);
    return e < 0 ? ERR_NOMEM : ERR_OK;
}

static u32 pages_of(size_t n) { return (u32)(ALIGN_UP(n, (size_t)PAGE_SIZE) / PAGE_SIZE); }

/* Nothing is left of earlier code. */
static void write_pages(u32 at, const void *code, size_t n) {
    u8 *to = (u8 *)(CODE_WRITE + (u64)at * PAGE_SIZE);
    memcpy(to, code, n);
    memset(to + n, INT3, (size_t)pages_of(n) * PAGE_SIZE - n);
}

enum err machine_code_place(const void *code, size_t n, void **exec) {
    u32 pages = pages_of(n);
    if (!n || n > process_memory.code) return ERR_NOMEM;
    u32 at = take(pages);
    if (at == page_count) return ERR_NOMEM;
    enum err e = open_pages(at, pages, true);
    if (e) {
        give(at, pages);
        return e;
    }
    write_pages(at, code, n);
    if ((e = open_pages(at, pages, false))) return e; /* I2: they stay used */
    *exec = (void *)(CODE_RUN + (u64)at * PAGE_SIZE);
    return ERR_OK;
}

void machine_code_free(void *exec, size_t n) {
    u64 offset = (u64)exec - CODE_RUN;
    assert((u64)exec >= CODE_RUN && offset % PAGE_SIZE == 0 && offset < process_memory.code);
    give((u32)(offset / PAGE_SIZE), pages_of(n));
}
