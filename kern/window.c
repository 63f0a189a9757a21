/* window.c: kernel-half address space, handed out in runs.
 *
 * I1 free runs are sorted by address, disjoint, never adjacent.
 * I2 between two reservations handed out lies at least one unmapped page. */
#include "arch/x86_64/paging.h"
#include "base/assert.h"
#include "base/list.h"
#include "base/mem.h"
#include "kern/heap.h"
#include "kern/lock.h"
#include "kern/memory.h"
#include "kern/vm.h"
#include "kern/vm_walk.h"

struct run {
    struct list node;
    uptr start, end;
};

enum { COMMIT_PART = 32 }; /* pages mapped at once */

static struct spin lock;
/* under lock */
static struct run whole = {LIST_INIT(whole.node), WINDOWS, WINDOWS_END};
static struct list runs = LIST_INIT(runs);

static void first_use(void) {
    if (list_empty(&runs)) list_push_back(&runs, &whole.node); /* whole never runs out */
}

void *vm_reserve(size_t bytes) {
    if (!bytes || bytes > (WINDOWS_END - WINDOWS) / 2) return NULL;
    size_t need = ALIGN_UP(bytes, (size_t)PAGE_SIZE) + PAGE_SIZE; /* I2 */
    void *found = NULL;
    struct run *empty = NULL;
    u64 flags = spin_lock(&lock);
    first_use();
    LIST_EACH(it, &runs) {
        struct run *r = LIST_ENTRY(it, struct run, node);
        if (r->end - r->start < need) continue;
        found = (void *)r->start;
        r->start += need;
        if (r->start == r->end) list_remove(&r->node), empty = r;
        break;
    }
    spin_unlock(&lock, flags);
    if (empty != &whole) kfree(empty);
    return found;
}

/* Merges r with its neighbours; what is left over is returned for freeing. */
static struct run *merge(struct run *a, struct run *b) {
    if (a->end != b->start) return NULL;
    if (b == &whole) { /* keep the static one */
        b->start = a->start;
        list_remove(&a->node);
        return a;
    }
    a->end = b->end;
    list_remove(&b->node);
    return b;
}

static void give(struct run *fresh) {
    struct run *spare[2] = {NULL, NULL};
    u64 flags = spin_lock(&lock);
    struct list *at = &runs;
    LIST_EACH(it, &runs) {
        if (LIST_ENTRY(it, struct run, node)->start < fresh->start) continue;
        at = it;
        break;
    }
    list_insert(at, &fresh->node);
    struct run *left = LIST_ENTRY(fresh->node.prev, struct run, node);
    struct run *right = LIST_ENTRY(fresh->node.next, struct run, node);
    bool has_left = fresh->node.prev != &runs, has_right = fresh->node.next != &runs;
    struct run *mid = fresh;
    if (has_left && (spare[0] = merge(left, fresh))) mid = spare[0] == fresh ? left : fresh;
    if (has_right) spare[1] = merge(mid, right);
    spin_unlock(&lock, flags);
    for (unsigned i = 0; i < 2; i++)
        if (spare[i] != &whole) kfree(spare[i]);
}

void vm_release(void *p, size_t bytes) {
    if (!p) return;
    bytes = ALIGN_UP(bytes, (size_t)PAGE_SIZE);
    vm_clear((uptr)p, bytes);
    struct run *r = kmalloc(sizeof *r);
    if (!r) return; /* the addresses are lost, the memory is not: 32 TiB last long */
    list_init(&r->node);
    r->start = (uptr)p;
    r->end = (uptr)p + bytes + PAGE_SIZE;
    give(r);
}

/* n fresh pages at `at`, or none. */
static enum err commit_some(uptr at, u32 n, u32 prot) {
    phys p[COMMIT_PART];
    u32 got = 0;
    while (got < n && (p[got] = page_alloc_zeroed()).v) got++;
    enum err e = got < n ? ERR_NOMEM : vm_map_all(at, p, n, prot);
    while (e && got) page_free(p[--got], 0);
    return e;
}

static bool is_set(const u32 *stop) { return stop && __atomic_load_n(stop, __ATOMIC_RELAXED); }

enum err vm_commit_until(void *p, size_t *bytes, u32 prot, const u32 *stop) {
    uptr at = (uptr)p, end = at + ALIGN_UP(*bytes, (size_t)PAGE_SIZE);
    while (at < end && !is_set(stop)) {
        u32 n = (u32)MIN((end - at) / PAGE_SIZE, (size_t)COMMIT_PART);
        enum err e = commit_some(at, n, prot);
        if (e) {
            vm_clear((uptr)p, at - (uptr)p);
            return e;
        }
        at += (uptr)n * PAGE_SIZE;
    }
    if (at < end) *bytes = at - (uptr)p;
    return ERR_OK;
}

enum err vm_commit(void *p, size_t bytes, u32 prot) { return vm_commit_until(p, &bytes, prot, NULL); }

void vm_decommit(void *p, size_t bytes) { vm_clear((uptr)p, ALIGN_UP(bytes, (size_t)PAGE_SIZE)); }

void *vm_map_device(phys p, size_t bytes) {
    u64 start = ALIGN_DOWN(p.v, PAGE_SIZE), end = ALIGN_UP(p.v + bytes, PAGE_SIZE);
    u8 *va = vm_reserve(end - start);
    if (!va) return NULL;
    for (u64 at = start; at < end; at += PAGE_SIZE)
        if (vm_map((uptr)va + (at - start), (phys){at}, VM_READ | VM_WRITE | VM_UNCACHED)) {
            vm_release(va, end - start);
            return NULL;
        }
    return va + (p.v - start);
}
