/* heap.c: slabs of one page for small objects, runs of pages for medium ones,
 * mapped windows for large ones.
 *
 * I1 a slab page starts with struct slab; its objects are of one class.
 * I2 a slab with a free object is in its class's list; a full one is in none;
 *    an empty one is given back.
 * I3 a large object starts 16 bytes into a window of its own; the window's
 *    size stands before it. */
#include "kern/heap.h"

#include "arch/x86_64/paging.h"
#include "base/assert.h"
#include "base/list.h"
#include "base/mem.h"
#include "kern/lock.h"
#include "kern/memory.h"
#include "kern/poison.h"
#include "kern/vm.h"

enum { CLASSES = 13, MEDIUM_MAX = 256 * 1024, LARGE_HEAD = 16 };
static const u16 class_bytes[CLASSES] = {16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1344, 2016};

struct slab {
    struct list node;
    void *free; /* singly linked through the objects */
    u16 used, class;
    u32 magic;
};
enum { SLAB_MAGIC = 0x51ab51ab, SLAB_HEAD = 48 };
static_assert(sizeof(struct slab) <= SLAB_HEAD, "objects start aligned");

static struct spin lock;
static struct list partial[CLASSES]; /* under lock */
static bool ready;                   /* under lock */

static void first_use(void) {
    for (unsigned i = 0; !ready && i < CLASSES; i++) list_init(&partial[i]);
    ready = true;
}

static struct slab *slab_new(unsigned class) {
    phys p = page_alloc(0);
    if (!p.v) return NULL;
    page_info(p)->state = PAGE_SLAB;
    struct slab *s = phys_to_virt(p);
    poison(s, PAGE_SIZE);
    *s = (struct slab){.class = (u16)class, .magic = SLAB_MAGIC};
    u32 size = class_bytes[class], n = (PAGE_SIZE - SLAB_HEAD) / size;
    for (u32 i = n; i-- > 0;) {
        void **object = (void **)((u8 *)s + SLAB_HEAD + i * size);
        *object = s->free;
        s->free = object;
    }
    list_push_front(&partial[class], &s->node);
    return s;
}

static void *small_alloc(unsigned class) {
    u64 flags = spin_lock(&lock);
    first_use();
    struct slab *s = list_empty(&partial[class]) ? slab_new(class)
                                                 : LIST_ENTRY(partial[class].next, struct slab, node);
    void **object = NULL;
    if (s) {
        object = s->free;
        assert(object && s->class == class);
        s->free = *object;
        s->used++;
        if (!s->free) list_remove(&s->node);
    }
    spin_unlock(&lock, flags);
    return object;
}

static void small_free(struct slab *s, void **object) {
    u64 flags = spin_lock(&lock);
    assert(s->magic == SLAB_MAGIC && s->used);
    assert(((u8 *)object - (u8 *)s - SLAB_HEAD) % class_bytes[s->class] == 0);
    if (!s->free) list_push_front(&partial[s->class], &s->node);
    *object = s->free;
    s->free = object;
    if (--s->used == 0) {
        list_remove(&s->node);
        s->magic = 0;
        phys p = virt_to_phys(s);
        page_info(p)->state = PAGE_USED;
        page_free(p, 0);
    }
    spin_unlock(&lock, flags);
}

/* A run of pages: the tail of the power of two goes back at once. */
static void pages_give(phys p, u32 from, u32 to) {
    for (u32 i = from; i < to; i++) {
        struct page *g = page_info((phys){p.v + (u64)i * PAGE_SIZE});
        g->state = PAGE_USED;
        page_free((phys){p.v + (u64)i * PAGE_SIZE}, 0);
    }
}

static void *medium_alloc(size_t n) {
    u32 need = (u32)((n + PAGE_SIZE - 1) / PAGE_SIZE);
    unsigned order = 0;
    while (1u << order < need) order++;
    phys p = page_alloc(order);
    if (!p.v) return NULL;
    pages_give(p, need, 1u << order);
    page_info(p)->state = PAGE_LARGE;
    page_info(p)->count = need;
    return phys_to_virt(p);
}

static void *large_alloc(size_t n) {
    if (n > SIZE_MAX / 2) return NULL;
    size_t bytes = ALIGN_UP(n + LARGE_HEAD, (size_t)PAGE_SIZE);
    u8 *p = vm_reserve(bytes);
    if (!p) return NULL;
    if (vm_commit(p, bytes, VM_READ | VM_WRITE)) {
        vm_release(p, bytes);
        return NULL;
    }
    *(size_t *)p = bytes;
    return p + LARGE_HEAD;
}

void *kmalloc(size_t n) {
    for (unsigned i = 0; i < CLASSES; i++) {
        if (n > class_bytes[i]) continue;
        void *small = small_alloc(i);
        if (small) unpoison(small, n);
        return small;
    }
    void *p = n <= MEDIUM_MAX ? medium_alloc(n) : NULL;
    return p ? p : large_alloc(n);
}

void *kzalloc(size_t n) {
    void *p = kmalloc(n);
    return p ? memset(p, 0, n) : NULL;
}

void kfree(void *p) {
    if (!p) return;
    assert((uptr)p % 16 == 0);
    if ((uptr)p >= WINDOWS && (uptr)p < WINDOWS_END) {
        u8 *start = (u8 *)p - LARGE_HEAD;
        vm_release(start, *(size_t *)start);
        return;
    }
    phys at = virt_to_phys((void *)ALIGN_DOWN((uptr)p, PAGE_SIZE));
    struct page *g = page_info(at);
    assert(g && (g->state == PAGE_SLAB || g->state == PAGE_LARGE));
    if (g->state == PAGE_SLAB) {
        struct slab *s = phys_to_virt(at);
        poison(p, class_bytes[s->class]);
        small_free(s, p);
    }
    else {
        pages_give(at, 0, g->count);
    }
}

static void *source_take(void *self, size_t n) { return kmalloc(n); }
static void source_give(void *self, void *p, size_t n) { kfree(p); }
const struct arena_source kernel_heap = {source_take, source_give, NULL};
