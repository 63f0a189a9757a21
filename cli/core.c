#include "cli/core.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

enum {
    PRSTATUS_BYTES = 336, PRSTATUS_REGISTERS = 112, /* struct elf_prstatus of Linux */
    BLOCK = 64 << 10,
};

/* [at, at + n) lies in the file. */
static bool inside(const struct core *c, u64 at, u64 n) { return at <= c->n && n <= c->n - at; }

/* More than 65,534 program headers: the first section says how many (ELF, e_phnum). */
static bool read_count(struct core *c, const Elf64_Ehdr *h) {
    Elf64_Shdr first;
    c->count = h->e_phnum;
    if (c->count != PN_XNUM) return true;
    if (!inside(c, h->e_shoff, sizeof(first))) return false;
    memcpy(&first, c->p + h->e_shoff, sizeof(first));
    c->count = first.sh_info;
    return true;
}

static bool check(struct core *c) {
    Elf64_Ehdr h;
    if (!inside(c, 0, sizeof(h))) return false;
    memcpy(&h, c->p, sizeof(h));
    if (memcmp(h.e_ident, ELFMAG, SELFMAG) || h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_type != ET_CORE ||
        h.e_machine != EM_X86_64 || h.e_phentsize != sizeof(Elf64_Phdr))
        return false;
    c->at = h.e_phoff;
    return read_count(c, &h) && inside(c, c->at, (u64)c->count * sizeof(Elf64_Phdr));
}

bool core_open(struct core *c, const char *path) {
    struct stat st;
    *c = (struct core){.fd = open(path, O_RDWR | O_CLOEXEC), .p = MAP_FAILED};
    if (c->fd >= 0 && !fstat(c->fd, &st)) {
        c->n = (size_t)st.st_size;
        c->p = mmap(NULL, c->n, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
    }
    if (c->p == MAP_FAILED) fail("%s: %s", path, strerror(errno));
    else if (check(c)) return true;
    else fail("%s: not a core of x86-64, or a damaged one", path);
    core_close(c);
    return false;
}

void core_close(struct core *c) {
    if (c->p != MAP_FAILED) munmap(c->p, c->n);
    if (c->fd >= 0) close(c->fd);
}

/* The i-th segment of that type, clipped to nothing if it is not in the file. */
static bool segment(const struct core *c, u32 i, u32 type, Elf64_Phdr *out) {
    memcpy(out, c->p + c->at + (u64)i * sizeof(*out), sizeof(*out));
    return out->p_type == type && inside(c, out->p_offset, out->p_filesz);
}

/* --- the record --- */

static bool take_record(const u8 *at, u64 left, struct crash_record *out) {
    static const u64 magic[] = {CRASH_MAGIC_0, CRASH_MAGIC_1};
    if (left < sizeof(*out) || memcmp(at, magic, sizeof(magic))) return false;
    memcpy(out, at, sizeof(*out));
    return out->bytes == sizeof(*out) && out->length <= CRASH_TEXT;
}

bool core_record(const struct core *c, struct crash_record *out) {
    Elf64_Phdr s;
    for (u32 i = 0; i < c->count; i++) {
        if (!segment(c, i, PT_LOAD, &s)) continue;
        for (u64 at = -s.p_vaddr % CRASH_ALIGN; at < s.p_filesz; at += CRASH_ALIGN)
            if (take_record(c->p + s.p_offset + at, s.p_filesz - at, out)) return true;
    }
    return false;
}

/* --- the note --- */

static u64 padded(u32 n) { return ((u64)n + 3) & ~(u64)3; }

/* Where the registers of the first NT_PRSTATUS in [at, end) are; 0: nowhere. */
static u64 find_registers(const struct core *c, u64 at, u64 end) {
    Elf64_Nhdr n;
    while (end - at >= sizeof(n)) {
        memcpy(&n, c->p + at, sizeof(n));
        u64 name = padded(n.n_namesz), size = sizeof(n) + name + padded(n.n_descsz);
        if (size > end - at) return 0;
        if (n.n_type == NT_PRSTATUS && n.n_descsz >= PRSTATUS_BYTES && n.n_namesz == 5 && !memcmp(c->p + at + sizeof(n), "CORE", 5))
            return at + sizeof(n) + name + PRSTATUS_REGISTERS;
        at += size;
    }
    return 0;
}

bool core_set_registers(struct core *c, const struct crash_registers *r) {
    Elf64_Phdr s;
    for (u32 i = 0; i < c->count; i++) {
        u64 at = segment(c, i, PT_NOTE, &s) ? find_registers(c, s.p_offset, s.p_offset + s.p_filesz) : 0;
        if (!at) continue;
        memcpy(c->p + at, r, sizeof(*r));
        return true;
    }
    return false;
}

/* --- holes --- */

static bool is_zero(const u8 *p, size_t n) { return !*p && !memcmp(p, p + 1, n - 1); }

/* A file system that has no holes keeps its zeros. */
void core_make_sparse(struct core *c) {
    for (u64 at = 0; at + BLOCK <= c->n; at += BLOCK)
        if (is_zero(c->p + at, BLOCK) && fallocate(c->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, BLOCK)) return;
}
