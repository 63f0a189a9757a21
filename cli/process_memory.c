#include "cli/process_memory.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crash.h"
#include "cli/cli.h"

enum { PAGE = 4096, CHUNK = 64 << 10, RANGES_MAX = PN_XNUM - 2, PRSTATUS_BYTES = 336, PRSTATUS_PID = 32 };

/* --- what there is --- */

/* Neighbours are one range, whatever the host maps there. */
static void add_range(struct process_memory *m, u64 start, u64 end) {
    if (m->count && m->ranges[m->count - 1].end == start) {
        m->ranges[m->count - 1].end = end;
        return;
    }
    if (m->count == RANGES_MAX) return;
    if (m->count % 64 == 0) m->ranges = need(realloc(m->ranges, (m->count + 64) * sizeof(*m->ranges)));
    m->ranges[m->count++] = (struct range){start, end};
}

static bool read_maps(struct process_memory *m) {
    char path[64], line[512];
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)m->pid);
    FILE *f = fopen(path, "re");
    if (!f) return fail("%s: %s", path, strerror(errno)), false;
    while (fgets(line, sizeof(line), f)) {
        unsigned long start, end;
        char mode;
        if (sscanf(line, "%lx-%lx %c", &start, &end, &mode) == 3 && mode == 'r') add_range(m, start, end);
    }
    fclose(f);
    return true;
}

bool process_memory_open(struct process_memory *m, pid_t pid) {
    char path[64];
    *m = (struct process_memory){.pid = pid, .fd = -1};
    if (!read_maps(m)) return false;
    snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
    m->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (m->fd >= 0) return true;
    fail("%s: %s", path, strerror(errno));
    process_memory_close(m);
    return false;
}

void process_memory_close(struct process_memory *m) {
    if (m->fd >= 0) close(m->fd);
    free(m->ranges);
}

bool process_memory_panicked(const struct process_memory *m) {
    static const u64 magic[] = {CRASH_MAGIC_0, CRASH_MAGIC_1};
    for (u32 i = 0; i < m->count; i++)
        for (u64 at = m->ranges[i].start; at < m->ranges[i].end; at += CRASH_ALIGN) {
            u64 got[2] = {0, 0};
            if (pread(m->fd, got, sizeof(got), (off_t)at) == sizeof(got) && !memcmp(got, magic, sizeof(got))) return true;
        }
    return false;
}

/* --- the core --- */

struct head {
    Elf64_Nhdr note;
    char name[8];
    u8 status[PRSTATUS_BYTES];
};

static u64 body_at(const struct process_memory *m) {
    u64 n = sizeof(Elf64_Ehdr) + (m->count + 1ull) * sizeof(Elf64_Phdr) + sizeof(struct head);
    return (n + PAGE - 1) / PAGE * PAGE;
}

static bool put_head(const struct process_memory *m, FILE *f) {
    Elf64_Ehdr e = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT}, .e_type = ET_CORE, .e_machine = EM_X86_64,
                    .e_version = EV_CURRENT, .e_phoff = sizeof(e), .e_ehsize = sizeof(e), .e_phentsize = sizeof(Elf64_Phdr),
                    .e_phnum = (u16)(m->count + 1)};
    struct head note = {{5, PRSTATUS_BYTES, NT_PRSTATUS}, "CORE", {0}};
    Elf64_Phdr p = {.p_type = PT_NOTE, .p_offset = sizeof(e) + (m->count + 1ull) * sizeof(p), .p_filesz = sizeof(note)};
    i32 pid = m->pid;
    memcpy(note.status + PRSTATUS_PID, &pid, sizeof(pid));
    bool ok = fwrite(&e, sizeof(e), 1, f) == 1 && fwrite(&p, sizeof(p), 1, f) == 1;
    u64 at = body_at(m);
    for (u32 i = 0; ok && i < m->count; i++) {
        u64 n = m->ranges[i].end - m->ranges[i].start;
        p = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R | PF_W | PF_X, .p_offset = at, .p_vaddr = m->ranges[i].start,
                         .p_filesz = n, .p_memsz = n, .p_align = PAGE};
        at += n;
        ok = fwrite(&p, sizeof(p), 1, f) == 1;
    }
    return ok && fwrite(&note, sizeof(note), 1, f) == 1 && !fflush(f);
}

static bool is_zero(const u8 *p, size_t n) { return !*p && !memcmp(p, p + 1, n - 1); }

/* What cannot be read (a page of Linux's own) and what is zero stays a hole. */
static bool put_range(const struct process_memory *m, struct range r, int to, u64 offset) {
    static u8 chunk[CHUNK];
    for (u64 at = r.start; at < r.end;) {
        size_t want = r.end - at < CHUNK ? (size_t)(r.end - at) : CHUNK;
        ssize_t n = pread(m->fd, chunk, want, (off_t)at);
        if (n > 0 && !is_zero(chunk, (size_t)n) && pwrite(to, chunk, (size_t)n, (off_t)(offset + (at - r.start))) != n) return false;
        at += n > 0 ? (u64)n : PAGE;
    }
    return true;
}

bool process_memory_core(const struct process_memory *m, const char *path) {
    FILE *f = fopen(path, "we");
    u64 at = body_at(m);
    bool ok = f && put_head(m, f);
    for (u32 i = 0; ok && i < m->count; i++) {
        ok = put_range(m, m->ranges[i], fileno(f), at);
        at += m->ranges[i].end - m->ranges[i].start;
    }
    ok = ok && !ftruncate(fileno(f), (off_t)at);
    if (!ok) fail("%s: %s", path, strerror(errno));
    if (f) fclose(f);
    return ok;
}
