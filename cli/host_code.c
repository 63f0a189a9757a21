/* host_code.c: pages for compiled code in a Linux process.
 *
 * I1 a file of memory is mapped twice, once: the mapping that runs is never
 *    writable; the other never runs, and of it only the pages of a module that
 *    is being written are accessible.
 * I2 what is too large for that has a pair of mappings of its own; the
 *    writable one goes when the code is sealed.
 * I3 what runs is near our own code, if there is room: branch predictors keep near
 *    targets better. (A host function called from within 2 GiB: 1.35 ns; from
 *    farther: 2.4 ns.) plat/process does the same by its layout.
 * I4 a page is in `used` from its allocation to its release; one that could not
 *    be shut again stays there. */
#include "cli/host_code.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"

enum { PAGE = 4096, PAGES = 16384, LARGEST = 256 * PAGE };

/* Of a page: WRITTEN while its writable view is open. */
enum state { UNUSED, WRITTEN, SEALED };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/* under mutex */
static bool tried;
static u8 used[PAGES]; /* enum state */
static u32 first_maybe; /* all before it are used */
/* fixed once tried */
static u8 *write_view, *exec_view;

static void *map_view(int fd, size_t n, int prot, void *wish) {
    void *p = mmap(wish, n, prot, MAP_SHARED, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

/* Below our own code: above it is the heap. */
static void *map_near(int fd, size_t n) {
    enum { STEP = 64 << 20, REACH = 1 << 30 };
    uptr own = ALIGN_DOWN((uptr)&host_code_alloc, (uptr)STEP);
    for (uptr below = STEP; below < REACH && own > n + below; below += STEP) {
        void *p = map_view(fd, n, PROT_READ | PROT_EXEC, (void *)ALIGN_DOWN(own - n - below, (uptr)PAGE));
        if (!p || own - (uptr)p < 2 * (uptr)REACH) return p;
        munmap(p, n);
    }
    return map_view(fd, n, PROT_READ | PROT_EXEC, NULL);
}

/* Both views of a new file, or neither. */
static bool map_pair(size_t n, int write_prot, void **write, void **exec) {
    int fd = memfd_create("whelk-code", MFD_CLOEXEC);
    if (fd < 0) return false;
    void *w = NULL, *x = NULL;
    if (!ftruncate(fd, (off_t)n) && (w = map_view(fd, n, write_prot, NULL))) x = map_near(fd, n);
    close(fd);
    if (w && !x) munmap(w, n);
    *write = w;
    *exec = x;
    return x != NULL;
}

static bool region_ready(void) {
    void *w, *x;
    if (!tried && map_pair((size_t)PAGES * PAGE, PROT_NONE, &w, &x)) write_view = w, exec_view = x;
    tried = true;
    return exec_view != NULL;
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
    for (u32 i = at; i < PAGES && i < at + n; i++) used[i] = WRITTEN;
    pthread_mutex_unlock(&mutex);
    return at;
}

static void mark(u32 at, u32 n, enum state from, enum state to) {
    pthread_mutex_lock(&mutex);
    for (u32 i = at; i < at + n; i++)
        if (used[i] == from) used[i] = (u8)to;
    if (to == UNUSED) first_maybe = MIN(first_maybe, at);
    pthread_mutex_unlock(&mutex);
}

static u32 pages_of(size_t n) { return (u32)((n + PAGE - 1) / PAGE); }

static bool inside(const void *p, const u8 *view) { return view && (uptr)p - (uptr)view < (uptr)PAGES * PAGE; }

enum err host_code_alloc(void *self, size_t n, void **write, void **exec) {
    u32 pages = pages_of(n), at = n <= LARGEST ? take(pages) : PAGES;
    if (at == PAGES) return map_pair(n, PROT_READ | PROT_WRITE, write, exec) ? ERR_OK : ERR_NOMEM;
    *write = write_view + (size_t)at * PAGE;
    *exec = exec_view + (size_t)at * PAGE;
    if (!mprotect(*write, (size_t)pages * PAGE, PROT_READ | PROT_WRITE)) return ERR_OK;
    mark(at, pages, WRITTEN, UNUSED);
    return ERR_NOMEM;
}

enum err host_code_seal(void *self, void *write, void *exec, size_t n) {
    assert(inside(write, write_view) == inside(exec, exec_view));
    if (inside(write, write_view)) {
        if (mprotect(write, n, PROT_NONE)) return ERR_IO;
        mark((u32)(((u8 *)exec - exec_view) / PAGE), pages_of(n), WRITTEN, SEALED);
        return ERR_OK;
    }
    return munmap(write, n) ? ERR_IO : ERR_OK;
}

void host_code_free(void *self, void *exec, size_t n) {
    if (!inside(exec, exec_view)) {
        munmap(exec, n);
        return;
    }
    u32 at = (u32)(((u8 *)exec - exec_view) / PAGE);
    mark(at, pages_of(n), SEALED, UNUSED);
}
