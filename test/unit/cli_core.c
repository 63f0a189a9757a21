/* cli/core: the record and the registers in a core, whole and damaged: a guest wrote it. */
#include <elf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crash.h"
#include "cli/cli.h"
#include "cli/core.h"
#include "test/lib/test.h"

enum { LEAD = 40, MEMORY = 3 * CRASH_ALIGN + sizeof(struct crash_record) };

/* A core as QEMU makes one: a note, then memory from the middle of a page on. */
struct image {
    Elf64_Ehdr head;
    Elf64_Phdr segments[2];
    struct {
        Elf64_Nhdr head;
        char name[8];
        u8 status[336];
    } note;
    u8 memory[MEMORY];
};

static struct image good(void) {
    static const char text[] = "panic: on purpose\n";
    struct image m = {.head = {.e_ident = ELFMAG, .e_type = ET_CORE, .e_machine = EM_X86_64, .e_phentsize = sizeof(Elf64_Phdr),
                               .e_phoff = offsetof(struct image, segments), .e_phnum = 2}};
    m.head.e_ident[EI_CLASS] = ELFCLASS64;
    m.segments[0] = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = offsetof(struct image, note), .p_filesz = sizeof(m.note)};
    m.segments[1] = (Elf64_Phdr){.p_type = PT_LOAD, .p_offset = offsetof(struct image, memory), .p_filesz = MEMORY,
                                 .p_vaddr = 0xffffffff80200000 - LEAD};
    m.note.head = (Elf64_Nhdr){5, sizeof(m.note.status), NT_PRSTATUS};
    strcpy(m.note.name, "CORE");
    struct crash_record *r = calloc(1, sizeof *r);
    *r = (struct crash_record){{CRASH_MAGIC_0, CRASH_MAGIC_1}, sizeof *r, sizeof text - 1, {.rip = 0x1234}, ""};
    memcpy(r->text, text, sizeof text);
    memcpy(m.memory + LEAD + CRASH_ALIGN, r, sizeof *r); /* the second page: the first page's start is LEAD bytes in */
    free(r);
    return m;
}

/* cli/util.c's, counted: what does not open is named. */
static u32 named;
int fail(const char *format, ...) { return named++, EXIT_FAILED; }

static char path[] = "/tmp/whelk-core-XXXXXX";

static bool opens(const struct image *m, size_t n, struct core *c) {
    FILE *f = fopen(path, "w");
    fwrite(m, 1, n, f);
    fclose(f);
    return core_open(c, path);
}

static struct crash_record found;

/* What a damaged one must not do is crash; whether something is found is its own affair. */
static bool finds(const struct image *m, size_t n) {
    struct core c;
    u32 before = named;
    bool ok = opens(m, n, &c);
    CHECK(ok == (named == before));
    if (!ok) return false;
    ok = core_record(&c, &found);
    core_set_registers(&c, &found.registers);
    core_make_sparse(&c);
    core_close(&c);
    return ok;
}

static void whole(void) {
    struct image m = good();
    struct core c;
    CHECK(finds(&m, sizeof m));
    EQUAL(found.length, 18);
    CHECK(!strncmp(found.text, "panic: on purpose\n", found.length));
    CHECK(opens(&m, sizeof m, &c));
    CHECK(core_set_registers(&c, &found.registers));
    u64 rip;
    memcpy(&rip, c.p + offsetof(struct image, note.status) + 112 + offsetof(struct crash_registers, rip), 8);
    EQUAL(rip, 0x1234);
    core_close(&c);
}

#define DAMAGED(change) do { struct image m = good(); change; CHECK(!finds(&m, sizeof m)); } while (0)

static void damaged(void) {
    DAMAGED(m.head.e_type = ET_EXEC);
    DAMAGED(m.head.e_machine = EM_386);
    DAMAGED(m.head.e_phoff = ~0ull - 8);
    DAMAGED(m.head.e_phoff = sizeof m - 8);
    DAMAGED(m.head.e_phnum = PN_XNUM; m.head.e_shoff = ~0ull);
    DAMAGED(m.segments[1].p_offset = ~0ull - 100);
    DAMAGED(m.segments[1].p_filesz = ~0ull);
    DAMAGED(m.segments[1].p_filesz = sizeof(struct crash_record)); /* cut off */
    DAMAGED(m.segments[1].p_vaddr += 8);                           /* not at the start of a page */
    DAMAGED(memset(m.memory, 0, MEMORY));
    DAMAGED(((u32 *)(m.memory + LEAD + CRASH_ALIGN))[4]++); /* its size */
    DAMAGED(((u32 *)(m.memory + LEAD + CRASH_ALIGN))[5] = CRASH_TEXT + 1);
}

static void notes(void) {
    static const u32 sizes[] = {0, 335, 337, 0x7fffffff, 0xfffffffc, 0xffffffff};
    for (u32 i = 0; i < ARRAY_LEN(sizes); i++)
        for (u32 name = 0; name < ARRAY_LEN(sizes); name++) {
            struct image m = good();
            struct core c;
            m.note.head.n_descsz = sizes[i];
            m.note.head.n_namesz = sizes[name];
            CHECK(opens(&m, sizeof m, &c));
            CHECK(!core_set_registers(&c, &found.registers));
            core_close(&c);
        }
}

/* Every length, and random bytes in the headers: nothing is read outside (ASan). */
static void hostile(void) {
    struct image m = good();
    for (size_t n = 0; n < offsetof(struct image, memory); n += 7) finds(&m, n);
    srand(1);
    for (int i = 0; i < 2000; i++) {
        m = good();
        for (int k = 0; k < 3; k++) ((u8 *)&m)[rand() % offsetof(struct image, note.status)] = (u8)rand();
        finds(&m, sizeof m);
    }
    CHECK(finds(&(struct image){0}, 0) == false);
}

int main(void) {
    close(mkstemp(path));
    whole();
    damaged();
    notes();
    hostile();
    unlink(path);
    return test_end("cli_core");
}
