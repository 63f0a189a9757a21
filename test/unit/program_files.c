/* program_files.c: the readers of initrds and of program files: pure, so they
 * run here on bytes that no honest tool makes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/cpio.h"
#include "sys/elf64.h"
#include "test/lib/test.h"

struct image {
    u8 bytes[8192];
    size_t n;
};

static void entry(struct image *a, const char *name, u32 mode, const char *data) {
    size_t size = strlen(data), name_size = strlen(name) + 1;
    a->n += (size_t)sprintf((char *)a->bytes + a->n, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 1,
                            mode, 0, 0, 1, 7, size, 0, 0, 0, 0, name_size, 0);
    memcpy(a->bytes + a->n, name, name_size);
    a->n = (a->n + name_size + 3) & ~(size_t)3;
    memcpy(a->bytes + a->n, data, size);
    a->n = (a->n + size + 3) & ~(size_t)3;
}

static struct bytes all(const struct image *a) { return (struct bytes){a->bytes, a->n}; }

static void good_archive(void) {
    struct image a = {.n = 0};
    size_t count, at = 0;
    struct cpio_entry e;
    bool end = false;
    entry(&a, ".", 0040755, "");
    entry(&a, "./bin/prog", 0100755, "abcde");
    entry(&a, "TRAILER!!!", 0, "");
    EQUAL(cpio_check(all(&a), &count, &at), ERR_OK);
    EQUAL(count, 2);
    struct cursor c = cursor_of(all(&a));
    EQUAL(cpio_next(&c, &e, &end), ERR_OK);
    EQUAL(e.name.n, 0);
    EQUAL(cpio_next(&c, &e, &end), ERR_OK);
    EQUAL(e.name.n, 8);
    CHECK(!memcmp(e.name.p, "bin/prog", 8) && e.data.n == 5 && !memcmp(e.data.p, "abcde", 5));
    EQUAL(e.mode, 0100755);
    EQUAL(cpio_next(&c, &e, &end), ERR_OK);
    CHECK(end);
}

static enum err check_one(const char *name, const char *data, size_t cut) {
    struct image a = {.n = 0};
    size_t count, at = 0;
    entry(&a, name, 0100644, data);
    entry(&a, "TRAILER!!!", 0, "");
    a.n -= cut;
    return cpio_check(all(&a), &count, &at);
}

static void bad_archives(void) {
    size_t count, at = 0;
    static const u8 zeros[512];
    EQUAL(check_one("a/../b", "x", 0), ERR_MALFORMED);
    EQUAL(check_one("..", "x", 0), ERR_MALFORMED);
    EQUAL(check_one("a//b", "x", 0), ERR_MALFORMED);
    EQUAL(check_one("/a", "x", 0), ERR_OK);
    EQUAL(check_one("a", "x", 40), ERR_TRUNCATED);
    EQUAL(cpio_check((struct bytes){zeros, 512}, &count, &at), ERR_OK);
    EQUAL(count, 0);
    EQUAL(cpio_check((struct bytes){(const u8 *)"garbage", 7}, &count, &at), ERR_TRUNCATED);
    struct image a = {.n = 0};
    entry(&a, "a", 0100644, "x");
    memcpy(a.bytes + 54, "ffffffff", 8); /* a file of 4 GiB */
    EQUAL(cpio_check(all(&a), &count, &at), ERR_TRUNCATED);
    memcpy(a.bytes + 54, "zzzzzzzz", 8);
    EQUAL(cpio_check(all(&a), &count, &at), ERR_MALFORMED);
}

/* A program of one readable and one writable segment. */
struct elf {
    u8 head[ELF_HEADER];
    u8 entries[2 * ELF_ENTRY];
};
static void put(u8 *p, u64 v, int n) { memcpy(p, &v, (size_t)n); }

static void segment(u8 *p, u32 flags, u64 offset, u64 va, u64 file, u64 memory) {
    memset(p, 0, ELF_ENTRY);
    put(p, 1, 4), put(p + 4, flags, 4), put(p + 8, offset, 8), put(p + 16, va, 8);
    put(p + 32, file, 8), put(p + 40, memory, 8), put(p + 48, 4096, 8);
}

static struct elf good_elf(void) {
    struct elf e = {{0}, {0}};
    memcpy(e.head, "\177ELF\2\1\1", 7);
    put(e.head + 16, 2, 2), put(e.head + 18, 62, 2), put(e.head + 20, 1, 4), put(e.head + 24, 0x401000, 8);
    put(e.head + 32, 64, 8), put(e.head + 52, 64, 2), put(e.head + 54, 56, 2), put(e.head + 56, 2, 2);
    segment(e.entries, 5, 0, 0x400000, 0x2000, 0x2000);
    segment(e.entries + ELF_ENTRY, 6, 0x2000, 0x402000, 0x100, 0x3000);
    return e;
}

enum { FILE_SIZE = 0x3000 };

static enum err read_elf(const struct elf *e, struct elf_image *out, struct elf_fault *why) {
    struct elf_table t;
    enum err r = elf_header((struct bytes){e->head, sizeof e->head}, FILE_SIZE, &t, why);
    if (r) return r;
    return elf_image(&t, (struct bytes){e->entries, t.count * ELF_ENTRY}, FILE_SIZE, out, why);
}

static void good_program(void) {
    struct elf e = good_elf();
    struct elf_image out;
    struct elf_fault why;
    EQUAL(read_elf(&e, &out, &why), ERR_OK);
    EQUAL(out.count, 2);
    EQUAL(out.low, 0x400000);
    EQUAL(out.high, 0x405000);
    EQUAL(out.headers, 0x400040);
}

static void refuse(size_t at, u64 v, int n, u64 offset) {
    struct elf e = good_elf();
    struct elf_image out;
    struct elf_fault why = {0, "", ""};
    memcpy((u8 *)&e + at, &v, (size_t)n);
    EQUAL(read_elf(&e, &out, &why), ERR_MALFORMED);
    EQUAL(why.offset, offset);
    CHECK(*why.what && *why.remedy);
}

static void bad_programs(void) {
    size_t first = ELF_HEADER, second = ELF_HEADER + ELF_ENTRY;
    refuse(0, 0, 1, 0);                             /* magic */
    refuse(4, 1, 1, 4);                             /* 32 bits */
    refuse(18, 3, 2, 18);                           /* i386 */
    refuse(24, 0x500000, 8, 24);                    /* entry nowhere */
    refuse(24, 0x402000, 8, 24);                    /* entry in data */
    refuse(32, FILE_SIZE, 8, 32);                   /* headers behind the end */
    refuse(32, ~0ull, 8, 32);                       /* and so far that a sum would wrap */
    refuse(56, 0xffff, 2, 56);                      /* too many */
    refuse(first, 3, 4, 64);                        /* an interpreter */
    refuse(first + 4, 7, 4, 64 + 4);                /* rwx */
    refuse(first + 8, ~0xfffull, 8, 64 + 8);        /* offset wraps */
    refuse(first + 16, 0x400010, 8, 64 + 16);       /* not congruent */
    refuse(first + 16, 0xffffffff80000000, 8, 64 + 16); /* the kernel's half */
    refuse(second + 16, 0x401000, 8, second + 16);  /* overlap */
    refuse(second + 32, 0x4000, 8, second + 32);    /* more in the file than in memory */
    refuse(second + 40, ~0ull, 8, second + 16);     /* size wraps */
}

int main(void) {
    good_archive();
    bad_archives();
    good_program();
    bad_programs();
    return test_end("program_files");
}
