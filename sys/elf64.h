/* elf64.h: what an ELF64 program file asks for, checked. Pure.
 *
 * Errors: why->what says what is wrong at why->offset of the file, why->remedy
 * what to do; *out is then undefined. */
#ifndef WHELK_SYS_ELF64_H
#define WHELK_SYS_ELF64_H

#include "base/err.h"
#include "base/types.h"

enum { ELF_HEADER = 64, ELF_ENTRY = 56, ELF_ENTRIES_MAX = 64, ELF_SEGMENTS_MAX = 16 };

struct elf_fault {
    u64 offset;
    const char *what, *remedy;
};

/* From the file's first ELF_HEADER bytes. */
struct elf_table {
    bool relocatable; /* ET_DYN: a static-pie program, placed anywhere */
    u64 entry;
    u64 offset; /* of count program headers of ELF_ENTRY bytes; inside the file */
    u32 count;
};
enum err elf_header(struct bytes head, u64 file_size, struct elf_table *out, struct elf_fault *why);

struct elf_segment {
    u64 va, memory; /* bytes in memory, from va on */
    u64 offset, bytes; /* of the file; the rest is zeros */
    u32 prot; /* MM_READ and so on */
};

/* I1 segments ascend and share no page; va and offset agree within a page.
 * I2 no segment is writable and executable.
 * I3 [low, high) is below ELF_TOP, entry is in an executable segment. */
struct elf_image {
    struct elf_segment segments[ELF_SEGMENTS_MAX];
    u32 count;
    u64 low, high; /* page-aligned hull */
    u64 headers;   /* address of the program headers; 0: not in memory */
};
#define ELF_TOP 0x7f0000000000ull
enum err elf_image(const struct elf_table *t, struct bytes headers, u64 file_size, struct elf_image *out,
                   struct elf_fault *why);

#endif
