/* test.c: test/lib/test.h inside the kernel. Checks print through the console. */
#include "test/lib/test.h"

#include "base/fmt.h"
#include "base/mem.h"
#include "kern/machine.h"

static unsigned passed, failed;

static void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void print(const char *format, ...) {
    char text[256];
    va_list args;
    va_start(args, format);
    size_t n = vfmt(text, sizeof text, format, args);
    va_end(args);
    machine_console_write(text, MIN(n, sizeof text - 1));
}

static void count(bool ok) {
    if (ok) passed++;
    else failed++;
}

void test_check(bool ok, const char *what, const char *file, int line) {
    if (!ok) print("%s:%d: failed: %s\n", file, line, what);
    count(ok);
}

void test_equal(u64 have, u64 want, const char *what, const char *file, int line) {
    if (have != want)
        print("%s:%d: failed: %s: have 0x%lx, want 0x%lx\n", file, line, what, (unsigned long)have,
              (unsigned long)want);
    count(have == want);
}

void test_text(const char *have, const char *want, const char *what, const char *file, int line) {
    bool ok = !strcmp(have, want);
    if (!ok) print("%s:%d: failed: %s\n  have: %s\n  want: %s\n", file, line, what, have, want);
    count(ok);
}

int test_end(const char *name) {
    print("%s: %u passed, %u failed\n", name, passed, failed);
    return failed || !passed;
}
