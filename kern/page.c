/* page.c: a buddy allocator.
 *
 * I1 a free block of order k starts at a multiple of 2^k pages; its first page
 *    has state PAGE_FREE and that order, and the links of its list; its other
 *    pages have state PAGE_USED. Free memory itself is never touched: the host
 *    need not back it.
 * I2 two free buddies of one order are always merged.
 * I3 free_count is the sum over the lists; pages_recount checks it. */
#include "kern/page.h"

#include "arch/x86_64/paging.h"
#include "base/assert.h"
#include "base/mem.h"
#include "kern/lock.h"
#include "kern/machine.h"
#include "kern/memory.h"
#include "kern/panic.h"
#include "kern/poison.h"

enum { ORDERS = 12, LOW_START = 0x100000 };
#define BOOT_MAPPED (4ull << 30) /* what the boot tables show */

static struct spin lock;
/* under lock */
static u32 heads[ORDERS]; /* index of the first free block; 0: none, as page 0 never is one */
static size_t free_count;
/* fixed at boot */
static struct page *pages;
static u64 page_count; /* of pages[]: up to the highest RAM */
static size_t total;

void *phys_to_virt(phys p) { return (void *)(DIRECT_MAP + p.v); }

phys virt_to_phys(const void *p) {
    extern char kernel_end[];
    u64 v = (u64)p;
    if (v >= DIRECT_MAP && v < DIRECT_MAP_END) return (phys){v - DIRECT_MAP};
    if (v >= KERNEL_BASE && v < (u64)kernel_end) return (phys){v - KERNEL_BASE};
    panic("virt_to_phys of %p", p);
}

struct page *page_info(phys p) {
    u64 i = p.v / PAGE_SIZE;
    return i < page_count && pages[i].state != PAGE_ABSENT ? &pages[i] : NULL;
}

static void put_free(u64 i, unsigned order) {
    struct page *g = &pages[i];
    g->state = PAGE_FREE;
    g->order = (u8)order;
    g->previous = 0;
    g->next = heads[order];
    if (g->next) pages[g->next].previous = (u32)i;
    heads[order] = (u32)i;
}

static void take_free(u64 i) {
    struct page *g = &pages[i];
    assert(g->state == PAGE_FREE);
    g->state = PAGE_USED;
    if (g->next) pages[g->next].previous = g->previous;
    if (g->previous) pages[g->previous].next = g->next;
    else assert(heads[g->order] == i), heads[g->order] = g->next;
}

static u64 take_block(unsigned order) {
    unsigned k = order;
    while (k < ORDERS && !heads[k]) k++;
    if (k == ORDERS) return 0;
    u64 i = heads[k];
    take_free(i);
    while (k-- > order) put_free(i + (1ull << k), k); /* the upper halves go back */
    free_count -= 1ull << order;
    return i;
}

static void give_block(u64 i, unsigned order) {
    assert(i + (1ull << order) <= page_count);
    assert(pages[i].state == PAGE_USED);
    free_count += 1ull << order;
    for (; order + 1 < ORDERS; order++) {
        u64 buddy = i ^ 1ull << order;
        if (buddy >= page_count || pages[buddy].state != PAGE_FREE || pages[buddy].order != order) break;
        take_free(buddy);
        i = MIN(i, buddy);
    }
    put_free(i, order);
}

phys page_alloc(unsigned order) {
    if (order >= ORDERS) return (phys){0};
    u64 flags = spin_lock(&lock);
    u64 i = take_block(order);
    spin_unlock(&lock, flags);
    if (i) unpoison(phys_to_virt((phys){i * PAGE_SIZE}), (size_t)PAGE_SIZE << order);
    return (phys){i * PAGE_SIZE};
}

void page_free(phys p, unsigned order) {
    assert(p.v && p.v % (PAGE_SIZE << order) == 0 && order < ORDERS);
    u64 i = p.v / PAGE_SIZE, flags = spin_lock(&lock);
    assert(pages[i].writers == 0 && pages[i].execs == 0);
    poison(phys_to_virt(p), (size_t)PAGE_SIZE << order);
    give_block(i, order);
    spin_unlock(&lock, flags);
}

phys page_alloc_zeroed(void) {
    phys p = page_alloc(0);
    if (p.v) memset(phys_to_virt(p), 0, PAGE_SIZE);
    return p;
}

size_t pages_free(void) { return free_count; }
size_t pages_total(void) { return total; }

size_t pages_recount(void) {
    size_t n = 0;
    u64 flags = spin_lock(&lock);
    for (unsigned k = 0; k < ORDERS; k++)
        for (u32 i = heads[k]; i; i = pages[i].next) n += 1ull << k;
    assert(n == free_count);
    spin_unlock(&lock, flags);
    return n;
}

/* --- boot --- */

static bool overlaps(struct machine_range a, struct machine_range b) {
    return a.start < b.end && b.start < a.end;
}

/* The part of r from `from` on that misses everything reserved; start == end
 * when nothing is left. */
static struct machine_range next_usable(struct machine_range r, u64 from,
                                        const struct machine_range *taken, u32 n) {
    struct machine_range out = {MAX(from, r.start), r.end};
    for (bool moved = true; moved && out.start < out.end;) {
        moved = false;
        for (u32 i = 0; i < n; i++)
            if (taken[i].start <= out.start && out.start < taken[i].end) {
                out.start = taken[i].end;
                moved = true;
            }
    }
    for (u32 i = 0; i < n; i++)
        if (out.start < out.end && overlaps(out, taken[i])) out.end = taken[i].start;
    if (out.start >= out.end) out.start = out.end = r.end;
    return out;
}

static struct machine_range ram[MACHINE_RANGES], taken[MACHINE_RANGES + 3];
static u32 ram_count, taken_count;

static void reserve(u64 start, u64 end) {
    assert(taken_count < ARRAY_LEN(taken));
    taken[taken_count++] = (struct machine_range){ALIGN_DOWN(start, PAGE_SIZE), ALIGN_UP(end, PAGE_SIZE)};
}

static void place_page_array(void) {
    u64 need = ALIGN_UP(page_count * sizeof *pages, (u64)PAGE_SIZE);
    for (u32 i = 0; i < ram_count; i++)
        for (u64 at = 0;;) {
            struct machine_range r = next_usable(ram[i], at, taken, taken_count);
            if (r.start == r.end || r.start + need > BOOT_MAPPED) break;
            at = r.end;
            if (r.end - r.start < need) continue;
            pages = phys_to_virt((phys){r.start});
            memset(pages, 0, need);
            reserve(r.start, r.start + need);
            return;
        }
    panic("no room for the table of %u pages: give the machine more memory", (u32)page_count);
}

static void add_range(struct machine_range r) {
    u64 i = r.start / PAGE_SIZE, end = r.end / PAGE_SIZE;
    for (u64 k = i; k < end; k++) pages[k].state = PAGE_USED;
    total += end - i;
    while (i < end) {
        unsigned order = 0;
        while (order + 1 < ORDERS && !(i & ((2ull << order) - 1)) && i + (2ull << order) <= end) order++;
        give_block(i, order);
        i += 1ull << order;
    }
}

/* Adds all usable RAM in [from, to). */
static void add_ram(u64 from, u64 to) {
    for (u32 i = 0; i < ram_count; i++)
        for (u64 at = from;;) {
            struct machine_range r = next_usable(ram[i], at, taken, taken_count);
            at = r.end;
            if (r.start == r.end || r.start >= to) break;
            r.end = MIN(r.end, to);
            if (r.start < r.end) add_range(r);
        }
}

void page_init(void) {
    extern char kernel_end[];
    ram_count = machine_memory(ram);
    taken_count = machine_reserved(taken);
    reserve(0, LOW_START);
    reserve(LOW_START, (u64)kernel_end - KERNEL_BASE);
    for (u32 i = 0; i < ram_count; i++) page_count = MAX(page_count, ram[i].end / PAGE_SIZE);
    page_count = MIN(page_count, (u64)UINT32_MAX);
    place_page_array();
    add_ram(0, BOOT_MAPPED);
}

void page_init_high(void) { add_ram(BOOT_MAPPED, UINT64_MAX); }

u64 page_highest(void) { return page_count * PAGE_SIZE; }
