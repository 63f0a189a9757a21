/* asan.c: what code built with -fsanitize=kernel-address calls: a byte of shadow
 * for each eight of RAM (0: all may be touched; 1..7: that many; POISONED: none).
 * Objects of the heap and free pages are watched, where they lie in the direct
 * map; stacks, globals and mapped windows are not.
 *
 * I1 neither this file nor kern/heap.c, which lives inside what is poisoned, is
 *    built with the sanitizer. */
#include "arch/x86_64/paging.h"
#include "base/assert.h"
#include "kern/panic.h"
#include "kern/poison.h"
#include "plat/process/process.h"

#define SHADOW ((u8 *)0x780000000000ull)
enum { POISONED = 0xff };

static u64 covered; /* bytes of RAM */
static bool told;

void asan_start(void);
void asan_start(void) {
    u64 bytes = ALIGN_UP(process_memory.bytes / 8, 4096);
    u32 flags = HOST_MAP_PRIVATE | HOST_MAP_ANONYMOUS | HOST_MAP_FIXED | HOST_MAP_NORESERVE;
    i64 r = host(HOST_MMAP, SHADOW, bytes, HOST_PROT_READ | HOST_PROT_WRITE, flags, -1, 0);
    if (r < 0) process_fail("no memory for the sanitizer's shadow", r);
    covered = process_memory.bytes;
}

static bool is_covered(uptr a, size_t n) { return a >= DIRECT_MAP && a - DIRECT_MAP < covered && n <= covered - (a - DIRECT_MAP); }

void poison(const void *p, size_t n) {
    if (!is_covered((uptr)p, n)) return;
    assert((uptr)p % 8 == 0);
    for (u64 i = ((uptr)p - DIRECT_MAP) / 8, end = i + n / 8; i < end; i++) SHADOW[i] = POISONED;
}

void unpoison(const void *p, size_t n) {
    if (!is_covered((uptr)p, n)) return;
    u64 i = ((uptr)p - DIRECT_MAP) / 8, end = i + n / 8;
    for (; i < end; i++) SHADOW[i] = 0;
    if (n % 8) SHADOW[i] = (u8)(n % 8);
}

static bool is_good(uptr a) {
    u8 s = SHADOW[(a - DIRECT_MAP) / 8];
    return !s || (s != POISONED && a % 8 < s);
}

static void check(uptr a, size_t n, bool write) {
    if (!n || told || !is_covered(a, n)) return;
    for (uptr at = a; at < a + n; at = ALIGN_DOWN(at, 8) + 8)
        if (!is_good(at) || !is_good(MIN(a + n - 1, ALIGN_DOWN(at, 8) + 7))) {
            told = true;
            panic("AddressSanitizer: %s of %u bytes at %p", write ? "write" : "read", (u32)n, (void *)a);
        }
}

#define CHECKS(n)                              \
    void __asan_load##n##_noabort(uptr a);     \
    void __asan_store##n##_noabort(uptr a);    \
    void __asan_load##n##_noabort(uptr a) { check(a, n, false); } \
    void __asan_store##n##_noabort(uptr a) { check(a, n, true); }
CHECKS(1)
CHECKS(2)
CHECKS(4)
CHECKS(8)
CHECKS(16)
void __asan_loadN_noabort(uptr a, size_t n);
void __asan_storeN_noabort(uptr a, size_t n);
void __asan_handle_no_return(void);
void __asan_loadN_noabort(uptr a, size_t n) { check(a, n, false); }
void __asan_storeN_noabort(uptr a, size_t n) { check(a, n, true); }
void __asan_handle_no_return(void) {}
