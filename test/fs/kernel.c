/* kernel.c: see kernel.h. */
#include "test/fs/kernel.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "fs/dev.h"
#include "kern/bootinfo.h"
#include "kern/heap.h"
#include "kern/lock.h"
#include "kern/log.h"
#include "kern/page.h"
#include "kern/time.h"

size_t fs_kernel_pages = FS_KERNEL_PAGES;
u64 fs_kernel_blocks;
char fs_kernel_said[200];
struct bootinfo bootinfo;

void *kmalloc(size_t n) { return fs_kernel_blocks++, malloc(n); }
void *kzalloc(size_t n) { return fs_kernel_blocks++, calloc(1, n); }
void kfree(void *p) {
    if (p) fs_kernel_blocks--;
    free(p);
}
phys page_alloc_zeroed(void) {
    void *p = fs_kernel_pages ? aligned_alloc(PAGE_SIZE, PAGE_SIZE) : NULL;
    if (!p) return (phys){0};
    fs_kernel_pages--;
    memset(p, 0, PAGE_SIZE);
    return (phys){(u64)(uptr)p};
}
void page_free(phys p, unsigned order) {
    free((void *)(uptr)p.v);
    fs_kernel_pages++;
}
void *phys_to_virt(phys p) { return (void *)(uptr)p.v; }
phys virt_to_phys(const void *p) { return (phys){(u64)(uptr)p}; }
size_t pages_free(void) { return fs_kernel_pages; }
size_t pages_total(void) { return FS_KERNEL_PAGES; }
void mutex_init(struct mutex *m) { *m = (struct mutex){.owner = NULL}; }
void mutex_lock(struct mutex *m) {
    assert(!m->guard.taken);
    m->guard.taken = 1;
}
void mutex_unlock(struct mutex *m) {
    assert(m->guard.taken);
    m->guard.taken = 0;
}
u64 time_wall_ns(void) { return 1000000000ull * 1700000000; }
void log_line(enum log_level level, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(fs_kernel_said, sizeof fs_kernel_said, format, list);
    va_end(list);
}
i64 devfs_init(void) { return 0; }
