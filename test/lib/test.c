#include "test/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"

static unsigned passed, failed;

static void count(bool ok) {
    if (ok) passed++;
    else failed++;
}

void test_check(bool ok, const char *what, const char *file, int line) {
    if (!ok) printf("%s:%d: failed: %s\n", file, line, what);
    count(ok);
}

void test_equal(u64 have, u64 want, const char *what, const char *file, int line) {
    bool ok = have == want;
    if (!ok)
        printf("%s:%d: failed: %s: have %llu (0x%llx), want %llu (0x%llx)\n", file, line, what,
               (unsigned long long)have, (unsigned long long)have, (unsigned long long)want,
               (unsigned long long)want);
    count(ok);
}

void test_text(const char *have, const char *want, const char *what, const char *file, int line) {
    bool ok = !strcmp(have, want);
    if (!ok) printf("%s:%d: failed: %s\n  have: %s\n  want: %s\n", file, line, what, have, want);
    count(ok);
}

int test_end(const char *name) {
    printf("%s: %u passed, %u failed\n", name, passed, failed);
    return failed || !passed;
}

static void *heap_take(void *self, size_t n) {
    (void)self;
    return malloc(n);
}
static void heap_give(void *self, void *p, size_t n) {
    (void)self;
    (void)n;
    free(p);
}
const struct arena_source test_heap = {heap_take, heap_give, NULL};

_Noreturn void assert_fail(const char *what, const char *file, int line) {
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
    abort();
}
