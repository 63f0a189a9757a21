/* elf64.c: the reader of program files. Layouts: System V ABI, chapters 4 and 5. */
#include "sys/elf64.h"

#include "base/assert.h"
#include "base/fault.h"
#include "base/mem.h"

enum { PT_LOAD = 1, PT_DYNAMIC = 2, PT_INTERP = 3, PT_PHDR = 6, PT_TLS = 7 };
enum { PF_X = 1, PF_W = 2, PF_R = 4 };
enum { PAGE = 4096, LOWEST = 0x10000 };

struct header {
    u8 ident[16];
    u16 type, machine;
    u32 version;
    u64 entry, phoff, shoff;
    u32 flags;
    u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
static_assert(sizeof(struct header) == ELF_HEADER, "ELF64");

struct program {
    u32 type, flags;
    u64 offset, va, pa, file_size, memory_size, align;
};
static_assert(sizeof(struct program) == ELF_ENTRY, "ELF64");

static enum err wrong(struct elf_fault *why, u64 offset, const char *what, const char *remedy) {
    *why = (struct elf_fault){offset, what, remedy};
    return ERR_MALFORMED;
}

static const char rebuild[] = "give a 64-bit x86 Linux program, linked with -static";

enum err elf_header(struct bytes head, u64 file_size, struct elf_table *out, struct elf_fault *why) {
    struct header h;
    if (head.n < sizeof h || file_size < sizeof h) return wrong(why, 0, "too short for an ELF header", rebuild);
    memcpy(&h, head.p, sizeof h);
    if (memcmp(h.ident, "\177ELF", 4)) return wrong(why, 0, "not an ELF file", rebuild);
    if (h.ident[4] != 2) return wrong(why, 4, "not a 64-bit ELF file", rebuild);
    if (h.ident[5] != 1 || h.ident[6] != 1) return wrong(why, 5, "not little-endian ELF, version 1", rebuild);
    if (h.type != 2 && h.type != 3) return wrong(why, 16, "neither an executable nor position-independent", rebuild);
    if (h.machine != 62) return wrong(why, 18, "not for x86-64", rebuild);
    if (h.phentsize != ELF_ENTRY) return wrong(why, 54, "program headers of a wrong size", rebuild);
    if (!h.phnum || h.phnum > ELF_ENTRIES_MAX) return wrong(why, 56, "no program headers, or more than 64", rebuild);
    if (!fault(ELF_TABLE) && (h.phoff > file_size || file_size - h.phoff < (u64)h.phnum * ELF_ENTRY))
        return wrong(why, 32, "program headers beyond the end of the file", "the file is cut: copy it again");
    *out = (struct elf_table){h.type == 3, h.entry, h.phoff, h.phnum};
    return ERR_OK;
}

static enum err check_load(const struct program *p, u64 at, u64 file_size, struct elf_fault *why) {
    if (p->file_size > p->memory_size) return wrong(why, at + 32, "a segment has more bytes in the file than in memory", rebuild);
    if (!fault(ELF_SEGMENT) && (p->offset > file_size || file_size - p->offset < p->file_size))
        return wrong(why, at + 8, "a segment lies beyond the end of the file", "the file is cut: copy it again");
    if (p->va >= ELF_TOP || p->memory_size > ELF_TOP - p->va)
        return wrong(why, at + 16, "a segment lies outside the program's addresses", rebuild);
    if (p->va % PAGE != p->offset % PAGE) return wrong(why, at + 16, "a segment's address and offset differ within a page", rebuild);
    if ((p->flags & PF_W) && (p->flags & PF_X))
        return wrong(why, at + 4, "a segment is writable and executable", "link without -N and without -z rwx; Whelk never maps memory both ways");
    return ERR_OK;
}

static enum err add_load(const struct program *p, u64 at, struct elf_image *out, struct elf_fault *why) {
    u64 low = ALIGN_DOWN(p->va, PAGE), high = ALIGN_UP(p->va + p->memory_size, PAGE);
    if (!p->memory_size) return ERR_OK;
    if (out->count == ELF_SEGMENTS_MAX) return wrong(why, at, "more than 16 segments to load", rebuild);
    if (out->count && low < out->high) return wrong(why, at + 16, "segments overlap, share a page or do not ascend", "link with -z separate-code");
    if (!out->count) out->low = low;
    out->high = high;
    u32 prot = (p->flags & PF_R ? 1u : 0) | (p->flags & PF_W ? 2u : 0) | (p->flags & PF_X ? 4u : 0);
    out->segments[out->count++] = (struct elf_segment){p->va, p->memory_size, p->offset, p->file_size, prot};
    return ERR_OK;
}

static enum err take(const struct program *p, u64 at, u64 file_size, struct elf_image *out, struct elf_fault *why) {
    if (p->type == PT_INTERP)
        return wrong(why, at, "the program needs a dynamic linker", "link it with -static (or -static-pie)");
    if (p->type != PT_LOAD) return ERR_OK;
    enum err e = check_load(p, at, file_size, why);
    return e ? e : add_load(p, at, out, why);
}

/* Where the program headers are once loaded (AT_PHDR). */
static void find_headers(const struct elf_table *t, struct elf_image *out) {
    for (u32 i = 0; i < out->count; i++) {
        const struct elf_segment *s = &out->segments[i];
        if (t->offset < s->offset || t->offset - s->offset > s->bytes) continue;
        if (s->bytes - (t->offset - s->offset) < (u64)t->count * ELF_ENTRY) continue;
        out->headers = s->va + (t->offset - s->offset);
        return;
    }
}

static bool entry_runs(const struct elf_table *t, const struct elf_image *out) {
    for (u32 i = 0; i < out->count; i++) {
        const struct elf_segment *s = &out->segments[i];
        if ((s->prot & 4) && t->entry >= s->va && t->entry - s->va < s->memory) return true;
    }
    return false;
}

enum err elf_image(const struct elf_table *t, struct bytes headers, u64 file_size, struct elf_image *out,
                   struct elf_fault *why) {
    assert(headers.n == (size_t)t->count * ELF_ENTRY);
    *out = (struct elf_image){0};
    for (u32 i = 0; i < t->count; i++) {
        struct program p;
        memcpy(&p, headers.p + i * ELF_ENTRY, sizeof p);
        enum err e = take(&p, t->offset + i * ELF_ENTRY, file_size, out, why);
        if (e) return e;
    }
    if (!out->count) return wrong(why, t->offset, "nothing to load", rebuild);
    if (!t->relocatable && out->low < LOWEST) return wrong(why, t->offset, "linked below address 0x10000", "link it at a higher address, or as static-pie");
    if (!entry_runs(t, out)) return wrong(why, 24, "the entry point is not in executable memory", rebuild);
    find_headers(t, out);
    return ERR_OK;
}
