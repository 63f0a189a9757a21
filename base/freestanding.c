/* freestanding.c: base/mem.h for images that have no libc. Linked into the
 * kernel only.
 *
 * Words of 8 bytes, 64 at a time: at the speed of the string instructions on
 * real CPUs up to a few hundred bytes, and 50 times as fast where they are
 * emulated byte by byte (QEMU's TCG). Above REP_MIN the string instructions
 * win on real CPUs; mem_rep_slow says that this is none. */
#include "base/mem.h"

#include "base/types.h"

enum { REP_MIN = 1024, BLOCK = 64 };

bool mem_rep_slow = true; /* until the kernel has looked */

/* The compiler must not turn these loops into calls of themselves. */
#define LITERAL __attribute__((optimize("no-tree-loop-distribute-patterns")))

static inline u64 load8(const void *p) {
    u64 v;
    __builtin_memcpy(&v, p, 8);
    return v;
}
static inline void store8(void *p, u64 v) { __builtin_memcpy(p, &v, 8); }

LITERAL void *memcpy(void *restrict to, const void *restrict from, size_t n) {
    u8 *d = to;
    const u8 *s = from;
    if (n >= REP_MIN && !mem_rep_slow) {
        __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
        return to;
    }
    for (; n >= BLOCK; n -= BLOCK, d += BLOCK, s += BLOCK) {
        u64 a = load8(s), b = load8(s + 8), c = load8(s + 16), e = load8(s + 24);
        store8(d, a), store8(d + 8, b), store8(d + 16, c), store8(d + 24, e);
        a = load8(s + 32), b = load8(s + 40), c = load8(s + 48), e = load8(s + 56);
        store8(d + 32, a), store8(d + 40, b), store8(d + 48, c), store8(d + 56, e);
    }
    for (; n >= 8; n -= 8, d += 8, s += 8) store8(d, load8(s));
    while (n--) *d++ = *s++;
    return to;
}

LITERAL void *memset(void *to, int byte, size_t n) {
    u8 *d = to;
    u64 v = (u8)byte * 0x0101010101010101ull;
    if (n >= REP_MIN && !mem_rep_slow) {
        __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(byte) : "memory");
        return to;
    }
    for (; n >= BLOCK; n -= BLOCK, d += BLOCK) {
        store8(d, v), store8(d + 8, v), store8(d + 16, v), store8(d + 24, v);
        store8(d + 32, v), store8(d + 40, v), store8(d + 48, v), store8(d + 56, v);
    }
    for (; n >= 8; n -= 8, d += 8) store8(d, v);
    while (n--) *d++ = (u8)byte;
    return to;
}

LITERAL void *memmove(void *to, const void *from, size_t n) {
    /* Forward is safe unless to lies inside [from, from + n): words are loaded
     * before they are stored, but a block of memcpy may reach ahead. */
    if ((uptr)to - (uptr)from >= n && (uptr)from - (uptr)to >= BLOCK) return memcpy(to, from, n);
    u8 *d = to;
    const u8 *s = from;
    if ((uptr)to - (uptr)from >= n) {
        for (; n >= 8; n -= 8, d += 8, s += 8) store8(d, load8(s));
        while (n--) *d++ = *s++;
        return to;
    }
    for (; n >= 8; n -= 8) store8(d + n - 8, load8(s + n - 8));
    while (n--) d[n] = s[n];
    return to;
}

int memcmp(const void *a, const void *b, size_t n) {
    const u8 *x = a, *y = b;
    for (; n >= 8 && load8(x) == load8(y); n -= 8) x += 8, y += 8;
    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
    return 0;
}

size_t strlen(const char *s) {
    size_t n = 0;
    while (s[n]) n++;
    return n;
}

int strncmp(const char *a, const char *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i]) return (u8)a[i] < (u8)b[i] ? -1 : 1;
        if (!a[i]) return 0;
    }
    return 0;
}

int strcmp(const char *a, const char *b) { return strncmp(a, b, SIZE_MAX); }

char *strchr(const char *s, int c) {
    for (;; s++) {
        if (*s == (char)c) return (char *)s;
        if (!*s) return NULL;
    }
}
