/* range.c: splitting, cutting and moving ranges. Invariants: mm.c. */
#include "sys/range.h"

#include "base/assert.h"
#include "kern/heap.h"
#include "kern/vm.h"

struct range *range_after(const struct range *r) {
    return r->node.next == &mm.ranges ? NULL : LIST_ENTRY(r->node.next, struct range, node);
}
static struct range *range_before(const struct range *r) {
    return r->node.prev == &mm.ranges ? NULL : LIST_ENTRY(r->node.prev, struct range, node);
}

/* The last range that begins at va or before; NULL if none. */
static struct range *range_floor(u64 va) {
    struct range *r = mm.last, *next;
    if (!r && !list_empty(&mm.ranges)) r = LIST_ENTRY(mm.ranges.next, struct range, node);
    while (r && r->start > va) r = range_before(r);
    while (r && (next = range_after(r)) && next->start <= va) r = next;
    return mm.last = r;
}

struct range *range_at(u64 va) {
    struct range *r = range_floor(va);
    return r && va < r->end ? r : NULL;
}

bool range_overlap(u64 start, u64 end) {
    struct range *r = start < end ? range_floor(end - 1) : NULL;
    return r && start < r->end;
}

u64 range_reach(u64 start, u64 end, u32 prot) {
    for (struct range *r = range_at(start); r && r->start <= start && start < end; r = range_after(r)) {
        if (prot && !(r->prot & prot)) break;
        start = r->end;
    }
    return MIN(start, end);
}

bool range_covered(u64 start, u64 end) { return range_reach(start, end, 0) == end; }

void range_insert(struct range *r) {
    assert(r->start < r->end && !range_overlap(r->start, r->end));
    struct range *before = range_floor(r->start);
    list_insert(before ? before->node.next : mm.ranges.next, &r->node);
}

static bool alike(const struct range *a, const struct range *b) {
    u64 n = a->end - a->start;
    bool zeros = !a->source.inode && !b->source.inode;
    bool file = a->source.inode == b->source.inode && b->source.offset == a->source.offset + n && a->source.bytes - n == b->source.bytes;
    return a->end == b->start && a->prot == b->prot && a->name == b->name && (zeros || file);
}

void range_join(u64 start, u64 end) {
    struct range *r = range_at(start - 1), *next;
    for (r = r ? r : range_at(start); r && r->end <= end && (next = range_after(r));) {
        if (!alike(r, next)) {
            r = next;
            continue;
        }
        r->end = next->end;
        list_remove(&next->node);
        range_free(next);
    }
}

void range_free(struct range *r) {
    if (mm.last == r) mm.last = NULL;
    inode_put(r->source.inode);
    kfree(r);
}

bool range_split(u64 at) {
    struct range *r = range_at(at);
    if (!r || r->start == at) return true;
    struct range *high = kzalloc(sizeof *high);
    if (!high) return false;
    u64 low = at - r->start;
    *high = *r;
    high->start = at;
    high->source.offset += r->source.inode ? low : 0;
    high->source.bytes = r->source.bytes > low ? r->source.bytes - low : 0;
    if (r->source.inode) inode_get(r->source.inode);
    r->end = at;
    list_insert(r->node.next, &high->node);
    return true;
}

/* Walks the range page by page: sparse giants are skipped by what is present. */
void range_drop_pages(u64 start, u64 end) {
    for (u64 va = start; va < end && mm.present; va += PAGE_SIZE) {
        phys p = vm_unmap(va);
        if (!p.v) continue;
        assert(mm.present > 0);
        page_free(p, 0);
        mm.present--;
    }
    u64 va;
    for (phys p; (p = range_unpark(start, end, &va)).v; mm.present--) page_free(p, 0);
}

i64 range_cut(u64 start, u64 end) {
    if (!range_split(start) || !range_split(end)) return -LINUX_ENOMEM;
    struct range *r = range_floor(start), *next;
    if (!r && !list_empty(&mm.ranges)) r = LIST_ENTRY(mm.ranges.next, struct range, node);
    for (; r && r->start < end; r = next) {
        next = range_after(r);
        if (r->start < start) continue;
        range_drop_pages(r->start, r->end);
        list_remove(&r->node);
        range_free(r);
    }
    return 0;
}

/* PROT_NONE: x86 has no present page that cannot be read, so the page is kept
 * aside, by its address, until it gets rights again or its range goes. */
struct parked {
    struct list node;
    u64 va;
    phys p;
};
static struct list parked = LIST_INIT(parked);

static struct parked *parked_at(u64 start, u64 end) {
    LIST_EACH(it, &parked) {
        struct parked *k = LIST_ENTRY(it, struct parked, node);
        if (k->va >= start && k->va < end) return k;
    }
    return NULL;
}

phys range_unpark(u64 start, u64 end, u64 *va) {
    struct parked *k = parked_at(start, end);
    if (!k) return (phys){0};
    phys p = k->p;
    *va = k->va;
    list_remove(&k->node);
    kfree(k);
    return p;
}

static bool park(u64 va) {
    struct parked *k = kmalloc(sizeof *k);
    if (!k) return false;
    *k = (struct parked){.va = va, .p = vm_unmap(va)};
    assert(k->p.v);
    list_push_back(&parked, &k->node);
    return true;
}

bool range_reprotect(const struct range *r) {
    for (u64 va = r->start; va < r->end && mm.present; va += PAGE_SIZE) {
        phys p;
        u32 had;
        if (!vm_lookup(va, &p, &had)) continue;
        if (!r->prot) {
            if (!park(va)) return false;
            continue;
        }
        enum err e = vm_protect(va, r->prot);
        assert(!e); /* present, and not W|X: I3 */
    }
    return true;
}

i64 range_move(struct range *r, u64 to, u64 new_length) {
    u64 pages = (r->end - r->start) / PAGE_SIZE, moved = 0;
    for (; moved < pages; moved++) {
        u32 prot;
        phys p;
        if (!vm_lookup(r->start + moved * PAGE_SIZE, &p, &prot)) continue;
        if (vm_map(to + moved * PAGE_SIZE, p, r->prot)) break;
    }
    bool all = moved == pages;
    for (u64 i = 0; i < moved; i++) vm_unmap((all ? r->start : to) + i * PAGE_SIZE);
    if (!all) return -LINUX_ENOMEM;
    list_remove(&r->node);
    mm.last = NULL;
    r->start = to;
    r->end = to + new_length;
    range_insert(r);
    return (i64)to;
}
