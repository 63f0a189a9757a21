/* host_code.c: pages for compiled code in a Linux process.
 *
 * I1 no mapping ever writes them. Code goes by the descriptor of a file of memory into
 *    pages that nobody runs; the file's only mapping runs, and was never writable.
 *    (Opening and shutting a writable mapping takes 4.4 us, this 0.7.)
 * I2 what is too large for the region has a file of its own, closed once it is written.
 * I3 what runs is near our own code, if there is room: branch predictors keep near
 *    targets better. (A host function called from within 2 GiB: 1.35 ns; from
 *    farther: 2.4 ns.) plat/process does the same by its layout.
 * I4 a page is in `used` from before its code is written to its release.
 * I5 whoever closes all descriptors closes the region's, too, and its number may name
 *    another file then: it is looked at before each write. From then on I2 is for all.
 * I6 a child has a file of its own at the same addresses from its fork on: what it and its
 *    parent write from then on, each has alone. Nobody else is at `used` while it forks:
 *    a thread that the child has not would hold the mutex for ever. */
#include "cli/host_code.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"

enum { PAGE = 4096, PAGES = 16384, LARGEST = 256 * PAGE, INT3 = 0xcc };
#define REGION ((size_t)PAGES * PAGE)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/* under mutex */
static bool tried;
static bool used[PAGES];
static u32 first_maybe; /* all before it are used */
/* fixed once tried, but for a fork */
static int region_fd = -1;
static struct stat region_file;
static u8 *region;

static void *map_view(int fd, size_t n, void *wish) {
    void *p = mmap(wish, n, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

/* -1: none. */
static int new_file(size_t n) {
    int fd = memfd_create("whelk-code", MFD_CLOEXEC);
    if (fd < 0 || !ftruncate(fd, (off_t)n)) return fd;
    close(fd);
    return -1;
}

/* Below our own code: above it is the heap. */
static void *map_near(int fd, size_t n) {
    enum { STEP = 64 << 20, REACH = 1 << 30 };
    uptr own = ALIGN_DOWN((uptr)&host_code_place, (uptr)STEP);
    for (uptr below = STEP; below < REACH && own > n + below; below += STEP) {
        void *p = map_view(fd, n, (void *)ALIGN_DOWN(own - n - below, (uptr)PAGE));
        if (!p || own - (uptr)p < 2 * (uptr)REACH) return p;
        munmap(p, n);
    }
    return map_view(fd, n, NULL);
}

/* A new file of n bytes, mapped; NULL: none. */
static u8 *map_file(size_t n, int *fd) {
    *fd = new_file(n);
    u8 *p = *fd >= 0 ? map_near(*fd, n) : NULL;
    if (!p && *fd >= 0) close(*fd);
    return p;
}

static bool region_ours(void) {
    struct stat now;
    return !fstat(region_fd, &now) && now.st_dev == region_file.st_dev && now.st_ino == region_file.st_ino;
}

static bool copy_used(int fd) {
    for (size_t at = 0, end; at < PAGES; at = end + 1) {
        for (end = at; end < PAGES && used[end];) end++;
        size_t n = (end - at) * PAGE;
        if (n && pwrite(fd, region + at * PAGE, n, (off_t)(at * PAGE)) != (ssize_t)n) return false;
    }
    return true;
}

static void before_fork(void) { pthread_mutex_lock(&mutex); }
static void in_parent(void) { pthread_mutex_unlock(&mutex); }

/* In the child, I6. Short of memory it has no code any more. (Where the descriptor is
 * closed, nobody writes the old file.) */
static void split(void) {
    if (!region_ours()) return;
    int fd = new_file(REGION);
    bool ok = fd >= 0 && copy_used(fd) && !fstat(fd, &region_file) &&
              mmap(region, REGION, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd, 0) == region;
    if (!ok) mmap(region, REGION, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (!ok && fd >= 0) close(fd);
    close(region_fd);
    region_fd = ok ? fd : -1;
}

static void in_child(void) {
    split();
    pthread_mutex_unlock(&mutex);
}

static bool region_ready(void) {
    if (!tried) region = map_file(REGION, &region_fd);
    if (!tried && region && (fstat(region_fd, &region_file) || pthread_atfork(before_fork, in_parent, in_child))) region = NULL;
    tried = true;
    return region != NULL;
}

/* n pages in a row, now used; PAGES if there are none. */
static u32 take(u32 n) {
    u32 run = 0, at = PAGES;
    pthread_mutex_lock(&mutex);
    while (first_maybe < PAGES && used[first_maybe]) first_maybe++;
    for (u32 i = first_maybe; region_ready() && i < PAGES && run < n; i++) {
        run = used[i] ? 0 : run + 1;
        if (run == n) at = i + 1 - n;
    }
    for (u32 i = at; i < PAGES && i < at + n; i++) used[i] = true;
    pthread_mutex_unlock(&mutex);
    return at;
}

static void give(u32 at, u32 n) {
    pthread_mutex_lock(&mutex);
    for (u32 i = at; i < at + n; i++) {
        assert(used[i]);
        used[i] = false;
    }
    first_maybe = MIN(first_maybe, at);
    pthread_mutex_unlock(&mutex);
}

static u32 pages_of(size_t n) { return (u32)((n + PAGE - 1) / PAGE); }

/* Nothing is left of what was in the pages before. Memory may be short: false. */
static bool write_pages(int fd, u32 page, const void *code, size_t n) {
    static const u8 rest[PAGE] = {[0 ... PAGE - 1] = INT3};
    size_t all = (size_t)pages_of(n) * PAGE;
    const struct iovec parts[] = {{(void *)(uptr)code, n}, {(void *)(uptr)rest, all - n}};
    return pwritev(fd, parts, ARRAY_LEN(parts), (off_t)page * PAGE) == (ssize_t)all;
}

static enum err place_in_region(const void *code, size_t n, void **exec) {
    u32 at = take(pages_of(n));
    if (at == PAGES) return ERR_FULL;
    enum err e = !region_ours() ? ERR_FULL : write_pages(region_fd, at, code, n) ? ERR_OK : ERR_NOMEM;
    if (e) give(at, pages_of(n));
    else *exec = region + (size_t)at * PAGE;
    return e;
}

static enum err place_alone(const void *code, size_t n, void **exec) {
    int fd;
    size_t all = (size_t)pages_of(n) * PAGE;
    u8 *p = map_file(all, &fd);
    if (!p) return ERR_NOMEM;
    bool ok = write_pages(fd, 0, code, n);
    close(fd);
    if (!ok) munmap(p, all);
    *exec = p;
    return ok ? ERR_OK : ERR_NOMEM;
}

enum err host_code_place(void *self, const void *code, size_t n, void **exec) {
    enum err e = n <= LARGEST ? place_in_region(code, n, exec) : ERR_FULL;
    return e == ERR_FULL ? place_alone(code, n, exec) : e;
}

void host_code_free(void *self, void *exec, size_t n) {
    uptr offset = (uptr)exec - (uptr)region;
    if (region && offset < REGION) give((u32)(offset / PAGE), pages_of(n));
    else munmap(exec, (size_t)pages_of(n) * PAGE);
}
