/* scatter.c: an address space in as many pieces as the host maps (vm.max_map_count,
 * 65530 by default): what would cut one more is ENOMEM to the program, and the
 * kernel stays whole. */
#include "fs/linux.h"
#include "init/init.h"
#include "kern/log.h"
#include "kern/page.h"
#include "kern/program.h"
#include "kern/vm.h"
#include "sys/mm.h"
#include "test/lib/test.h"

enum { ROW = 2048, SCATTERED = 68000, TRIES = 3000, RW = MM_READ | MM_WRITE };
#define ROW_AT(i) (0x10000000ull + (u64)(i) * PAGE_SIZE)
#define AT(i) (0x20000000ull + (u64)(i) * PAGE_SIZE)

static i64 map(u64 at, u64 pages) {
    const struct mm_source zeros = {0};
    return mm_map(at, pages * PAGE_SIZE, RW, MM_PRIVATE | MM_ANONYMOUS | MM_FIXED, zeros, "scatter");
}
static bool touch(u64 at) { return user_write(at, "x", 1); }

/* Pages that follow one another in memory, each a mapping of its own: neighbours
 * were not touched one after the other. How many until the host took no more. */
static u32 scatter(void) {
    u32 n = 0;
    for (u32 odd = 0; odd < 2; odd++)
        for (u32 i = odd; i < SCATTERED; i += 2, n++)
            if (!touch(AT(i))) return n;
    return n;
}

/* Whatever is tried in the row, one mapping at first, works or is refused. */
static u32 try_all(void) {
    u32 refused = 0, state = 1;
    for (u32 i = 0; i < TRIES; i++) {
        state = state * 1103515245 + 12345;
        u64 at = ROW_AT((state >> 8) % ROW);
        i64 r = 0;
        switch (i % 4) {
        case 0: r = mm_unmap(at, PAGE_SIZE); break;
        case 1: r = mm_protect(at, PAGE_SIZE, MM_READ); break;
        case 2: r = mm_discard(at, PAGE_SIZE); break;
        case 3: r = map(at, 1); break;
        }
        refused += r == -LINUX_ENOMEM;
    }
    return refused;
}

int vm_test(void) {
    mm_init();
    size_t before = pages_free();
    EQUAL(map(ROW_AT(0), ROW), ROW_AT(0));
    EQUAL(map(AT(0), SCATTERED), AT(0));
    for (u32 i = 0; i < ROW; i++) CHECK(touch(ROW_AT(i)));
    u32 n = scatter();
    if (n == SCATTERED) log_warn("scatter: skipped: this host maps more than %u (vm.max_map_count)", n);
    else CHECK(n > 1000 && try_all() > TRIES / 4);
    EQUAL(mm_unmap(AT(0), SCATTERED * PAGE_SIZE), 0);
    CHECK(touch(ROW_AT(0)) && !mm_protect(ROW_AT(10), PAGE_SIZE, MM_READ)); /* there is room again */
    EQUAL(mm_unmap(ROW_AT(0), ROW * PAGE_SIZE), 0);
    CHECK(pages_free() + 64 > before); /* but for what the heap keeps */
    return test_end("scatter");
}
