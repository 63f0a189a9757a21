/* fuzz_elf.c: any bytes as a program file, and an honest one with bytes changed.
 * The reader is pure: what it accepts must keep the promises of its header. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/cursor.h"
#include "sys/elf64.h"

static void promises(const struct elf_table *t, const struct elf_image *i, u64 size) {
    u64 last = 0;
    bool runs = false, headers = !i->headers;
    assert(i->count && i->count <= ELF_SEGMENTS_MAX && i->low == i->segments[0].va / 4096 * 4096);
    assert(t->relocatable || i->low >= 0x10000);
    for (u32 k = 0; k < i->count; k++) {
        const struct elf_segment *s = &i->segments[k];
        assert(s->va / 4096 * 4096 >= last && s->memory <= ELF_TOP - s->va);
        last = (s->va + s->memory + 4095) / 4096 * 4096;
        assert(s->bytes <= s->memory && s->offset <= size && s->bytes <= size - s->offset);
        assert(s->va % 4096 == s->offset % 4096 && (s->prot & 6) != 6);
        runs |= (s->prot & 4) && t->entry - s->va < s->memory;
        headers |= i->headers >= s->va && i->headers - s->va <= s->bytes && t->count * ELF_ENTRY <= s->bytes - (i->headers - s->va);
    }
    assert(runs && headers && i->high == last);
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

/* A file of pages, its segments one after the other, with numbers at the edges. */
enum { PAGES = 4, ROOM = PAGES * 4096, SEGMENTS = 20 };
static u8 file[ROOM];

static void put(u32 at, u64 v, u32 bytes) { memcpy(file + at, &v, bytes); }
static u8 byte(struct cursor *c) {
    u8 b = 0;
    take_u8(c, &b);
    return b;
}

static u64 number(struct cursor *c, u64 honest) {
    static const u64 edges[] = {0, 1, 4095, 4096, ROOM, ROOM + 1, 1ull << 32, ELF_TOP, ELF_TOP - 1, 1ull << 63, UINT64_MAX};
    u8 how = byte(c);
    return how < 200 ? honest : how < 220 ? honest + byte(c) - 128 : edges[how % ARRAY_LEN(edges)];
}

static void segment(struct cursor *c, u32 i) {
    static const u32 types[] = {1, 1, 1, 1, 1, 1, 2, 3, 6, 7};
    static const u32 flags[] = {5, 5, 4, 6, 6, 7, 0};
    u32 at = ELF_HEADER + i * ELF_ENTRY;
    u64 offset = byte(c) % PAGES * 4096, bytes = byte(c) * 16;
    put(at, types[byte(c) % ARRAY_LEN(types)], 4), put(at + 4, flags[byte(c) % ARRAY_LEN(flags)], 4);
    put(at + 8, number(c, offset), 8), put(at + 16, number(c, 0x400000 + i * 0x4000), 8);
    put(at + 32, number(c, bytes), 8), put(at + 40, number(c, bytes + byte(c) * 64), 8);
}

static void made(struct cursor *c) {
    u32 count = 1 + byte(c) % SEGMENTS;
    memset(file, 0, sizeof file);
    memcpy(file, "\177ELF\2\1\1", 7);
    put(16, 2 + byte(c) % 2, 2), put(18, 62, 2), put(20, 1, 4), put(24, 0x400000 + byte(c) % 64 * 0x800, 8);
    put(32, number(c, ELF_HEADER), 8), put(52, ELF_HEADER, 2), put(54, ELF_ENTRY, 2), put(56, count, 2);
    for (u32 i = 0; i < count; i++) segment(c, i);
    for (u32 n = byte(c) % 4; n; n--) {
        u32 at = byte(c);
        file[at] = byte(c);
    }
    program((struct bytes){file, sizeof file});
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t n);
int LLVMFuzzerTestOneInput(const u8 *data, size_t n) {
    struct cursor c = cursor_of((struct bytes){data, n});
    if (byte(&c) & 1) program((struct bytes){data, n}); /* 'E' is odd, and 0177 too */
    else made(&c);
    return 0;
}
