/* fuzz_files.c: any bytes as an initrd and as a program file. The readers are
 * pure: what they accept must keep the promises of their headers. */
#include <stdint.h>
#include <stdlib.h>

#include "base/assert.h"
#include "fs/cpio.h"
#include "fs/linux.h"
#include "sys/elf64.h"

static void archive(struct bytes b) {
    size_t count, at = 0, seen = 0;
    struct cursor c = cursor_of(b);
    struct cpio_entry e;
    bool end = false;
    if (cpio_check(b, &count, &at)) {
        assert(at <= b.n);
        return;
    }
    for (; seen < count; seen++) {
        assert(!cpio_next(&c, &e, &end) && !end);
        assert(e.data.p >= b.p && e.data.n <= b.n);
        for (size_t i = 0; i < e.name.n; i++) assert(e.name.p[i]);
        assert(!e.name.n || (e.name.p[0] != '/' && e.name.p[e.name.n - 1] != '/'));
    }
}

static void promises(const struct elf_table *t, const struct elf_image *i, u64 size) {
    u64 last = 0;
    bool runs = false;
    for (u32 k = 0; k < i->count; k++) {
        const struct elf_segment *s = &i->segments[k];
        assert(s->va / 4096 * 4096 >= last && s->memory <= ELF_TOP - s->va);
        last = (s->va + s->memory + 4095) / 4096 * 4096;
        assert(s->bytes <= s->memory && s->offset <= size && s->bytes <= size - s->offset);
        assert(s->va % 4096 == s->offset % 4096 && (s->prot & 6) != 6);
        runs |= (s->prot & 4) && t->entry - s->va < s->memory;
    }
    assert(runs && i->high == last);
}

static void program(struct bytes b) {
    struct elf_table t;
    struct elf_image i;
    struct elf_fault why = {0};
    struct bytes head = {b.p, b.n < ELF_HEADER ? b.n : ELF_HEADER};
    if (elf_header(head, b.n, &t, &why)) assert(why.what && why.remedy);
    else if (elf_image(&t, (struct bytes){b.p + t.offset, t.count * ELF_ENTRY}, b.n, &i, &why))
        assert(why.what && why.remedy);
    else promises(&t, &i, b.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    archive((struct bytes){data, n});
    program((struct bytes){data, n});
    return 0;
}
