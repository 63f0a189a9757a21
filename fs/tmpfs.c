/* tmpfs.c: nodes, directories and the pages of regular files.
 *
 * I1 bytes of a page beyond the file's size are zero: growing shows zeros.
 * I2 the tree never takes the last pages of the machine: TMPFS_RESERVE. */
#include "fs/tmpfs.h"

#include "base/assert.h"
#include "base/mem.h"
#include "kern/heap.h"
#include "kern/time.h"

static u64 inode_numbers, inode_count, page_count; /* atomic */

/* A sixteenth of memory stays free for the kernel and for the program's stacks. */
static bool pages_short(void) { return pages_free() < pages_total() / 16; }

struct inode *inode_new(u32 mode) {
    struct inode *i = kzalloc(sizeof *i);
    if (!i) return NULL;
    i->ino = __atomic_add_fetch(&inode_numbers, 1, __ATOMIC_RELAXED);
    i->refs = 1;
    i->mode = mode;
    i->atime_ns = i->mtime_ns = i->ctime_ns = time_wall_ns();
    i->next_cookie = 3; /* 1 and 2 are . and .. */
    list_init(&i->entries);
    mutex_init(&i->lock);
    __atomic_add_fetch(&inode_count, 1, __ATOMIC_RELAXED);
    return i;
}

struct inode *inode_get(struct inode *i) {
    assert(i->refs > 0);
    __atomic_add_fetch(&i->refs, 1, __ATOMIC_RELAXED);
    return i;
}

static void block_free(phys *block) {
    for (u32 k = 0; k < TMPFS_FAN; k++)
        if (block[k].v) {
            page_free(block[k], 0);
            __atomic_sub_fetch(&page_count, 1, __ATOMIC_RELAXED);
        }
    page_free(virt_to_phys(block), 0);
}

static void blocks_free(struct inode *i) {
    if (!i->blocks) return;
    for (u32 k = 0; k < TMPFS_FAN; k++)
        if (i->blocks[k]) block_free(i->blocks[k]);
    page_free(virt_to_phys(i->blocks), 0);
    i->blocks = NULL;
}

void inode_put(struct inode *i) {
    if (!i) return;
    assert(i->refs > 0);
    if (__atomic_sub_fetch(&i->refs, 1, __ATOMIC_ACQ_REL)) return;
    assert(i->nlink == 0 && list_empty(&i->entries));
    blocks_free(i);
    kfree(i->target);
    kfree(i);
    __atomic_sub_fetch(&inode_count, 1, __ATOMIC_RELAXED);
}

u32 inode_mode(const struct inode *i) { return i->mode; }

struct vfs_usage vfs_usage(void) {
    return (struct vfs_usage){__atomic_load_n(&inode_count, __ATOMIC_RELAXED),
                              __atomic_load_n(&page_count, __ATOMIC_RELAXED)};
}

/* The page of the file at index, or v == 0 for a hole. */
static phys page_at(struct inode *i, u64 index) {
    assert(index < TMPFS_FAN * TMPFS_FAN);
    phys *block = i->blocks ? i->blocks[index / TMPFS_FAN] : NULL;
    return block ? block[index % TMPFS_FAN] : (phys){0};
}

static void *zeroed_page(void) {
    if (pages_short()) return NULL;
    phys p = page_alloc_zeroed();
    return p.v ? phys_to_virt(p) : NULL;
}

/* As page_at, filled in; v == 0 when memory is short. */
static phys page_make(struct inode *i, u64 index) {
    if (!i->blocks && !(i->blocks = zeroed_page())) return (phys){0};
    phys **block = &i->blocks[index / TMPFS_FAN];
    if (!*block && !(*block = zeroed_page())) return (phys){0};
    phys *slot = &(*block)[index % TMPFS_FAN];
    if (slot->v) return *slot;
    void *page = zeroed_page();
    if (!page) return (phys){0};
    __atomic_add_fetch(&page_count, 1, __ATOMIC_RELAXED);
    return *slot = virt_to_phys(page);
}

i64 tmpfs_read(struct inode *i, void *buf, size_t n, u64 at) {
    mutex_lock(&i->lock);
    n = at >= i->size ? 0 : (size_t)MIN((u64)n, i->size - at);
    for (size_t done = 0; done < n;) {
        size_t within = (at + done) % PAGE_SIZE, part = MIN(n - done, PAGE_SIZE - within);
        phys p = page_at(i, (at + done) / PAGE_SIZE);
        if (p.v) memcpy((u8 *)buf + done, (u8 *)phys_to_virt(p) + within, part);
        else memset((u8 *)buf + done, 0, part);
        done += part;
    }
    mutex_unlock(&i->lock);
    return (i64)n;
}

/* Locked. */
static i64 write_locked(struct inode *i, const void *buf, size_t n, u64 at) {
    if (!n) return 0; /* and a file does not grow to its position */
    if (at >= TMPFS_SIZE_MAX) return -LINUX_EFBIG;
    n = (size_t)MIN((u64)n, TMPFS_SIZE_MAX - at);
    size_t done = 0;
    while (done < n) {
        size_t within = (at + done) % PAGE_SIZE, part = MIN(n - done, PAGE_SIZE - within);
        phys p = page_make(i, (at + done) / PAGE_SIZE);
        if (!p.v) break;
        memcpy((u8 *)phys_to_virt(p) + within, (const u8 *)buf + done, part);
        done += part;
    }
    if (!done) return -LINUX_ENOSPC;
    i->size = MAX(i->size, at + done);
    i->mtime_ns = i->ctime_ns = time_wall_ns();
    return (i64)done;
}

/* Locked. The first byte from at on in a page that is a hole or is none; the size if there is no such page. */
static u64 find_page(struct inode *i, u64 at, bool hole) {
    while (at < i->size) {
        phys *block = i->blocks ? i->blocks[at / PAGE_SIZE / TMPFS_FAN] : NULL;
        if (hole == !page_at(i, at / PAGE_SIZE).v) return at;
        at = ALIGN_DOWN(at, PAGE_SIZE) + PAGE_SIZE;
        if (!block) at = ALIGN_UP(at, (u64)TMPFS_FAN * PAGE_SIZE);
    }
    return i->size;
}

i64 inode_find(struct inode *i, u64 at, bool hole) {
    mutex_lock(&i->lock);
    u64 found = find_page(i, at, hole);
    i64 r = at >= i->size || (!hole && found == i->size) ? -LINUX_ENXIO : (i64)found;
    mutex_unlock(&i->lock);
    return r;
}

i64 tmpfs_write(struct inode *i, const void *buf, size_t n, u64 at) {
    mutex_lock(&i->lock);
    i64 r = write_locked(i, buf, n, at);
    mutex_unlock(&i->lock);
    return r;
}

i64 tmpfs_append(struct inode *i, const void *buf, size_t n, u64 *end) {
    mutex_lock(&i->lock);
    i64 r = write_locked(i, buf, n, i->size);
    *end = i->size;
    mutex_unlock(&i->lock);
    return r;
}

/* Gives back whole pages from index on; zeroes the tail of the page before (I1). */
static void cut(struct inode *i, u64 size) {
    phys tail = size % PAGE_SIZE ? page_at(i, size / PAGE_SIZE) : (phys){0};
    if (tail.v)
        memset((u8 *)phys_to_virt(tail) + size % PAGE_SIZE, 0, PAGE_SIZE - size % PAGE_SIZE);
    for (u64 k = ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE; k < TMPFS_FAN * TMPFS_FAN; k++) {
        phys *block = i->blocks[k / TMPFS_FAN];
        if (!block) {
            k |= TMPFS_FAN - 1;
        } else if (block[k % TMPFS_FAN].v) {
            page_free(block[k % TMPFS_FAN], 0);
            block[k % TMPFS_FAN].v = 0;
            __atomic_sub_fetch(&page_count, 1, __ATOMIC_RELAXED);
        }
    }
}

i64 tmpfs_truncate(struct inode *i, u64 size) {
    if (size > TMPFS_SIZE_MAX) return -LINUX_EFBIG;
    mutex_lock(&i->lock);
    if (size < i->size && i->blocks) cut(i, size);
    i->size = size;
    i->mtime_ns = i->ctime_ns = time_wall_ns();
    mutex_unlock(&i->lock);
    return 0;
}

struct entry *dir_find(struct inode *dir, struct bytes name) {
    assert(is_kind(dir, LINUX_S_IFDIR));
    LIST_EACH(it, &dir->entries) {
        struct entry *e = LIST_ENTRY(it, struct entry, node);
        if (e->length == name.n && !memcmp(e->name, name.p, name.n)) return e;
    }
    return NULL;
}

i64 dir_add(struct inode *dir, struct bytes name, struct inode *child) {
    assert(name.n > 0 && name.n <= LINUX_NAME_MAX);
    assert(!dir_find(dir, name));
    struct entry *e = kmalloc(sizeof *e + name.n);
    if (!e) return -LINUX_ENOSPC;
    e->inode = inode_get(child);
    e->cookie = dir->next_cookie++;
    e->length = (u8)name.n;
    memcpy(e->name, name.p, name.n);
    list_push_back(&dir->entries, &e->node);
    child->nlink++;
    if (is_kind(child, LINUX_S_IFDIR)) child->parent = dir;
    dir->mtime_ns = dir->ctime_ns = time_wall_ns();
    return 0;
}

void dir_remove(struct inode *dir, struct entry *e) {
    struct inode *child = e->inode;
    assert(child->nlink > 0);
    list_remove(&e->node);
    kfree(e);
    child->nlink--;
    child->ctime_ns = dir->mtime_ns = dir->ctime_ns = time_wall_ns();
    if (is_kind(child, LINUX_S_IFDIR)) child->parent = NULL;
    inode_put(child);
}
