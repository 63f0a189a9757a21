/* start.c: from the ELF's entry point to kernel_main, and what a boot loader
 * would have said. The words of the command line are the kernel's command line;
 * these are this machine's own:
 *   memory=SIZE     RAM (64M)            initrd=FILE    the root's files
 *   net=fd:N        a socket, one frame a message; net=tap:NAME  an interface
 *   control=fd:N    a stream socket: the port whelk.ctl; control=PATH  listens there
 *   unsealed        no filter of system calls
 *
 * I1 files are opened here and in device set-up; nothing is opened once the
 *    kernel is sealed (seal.c). */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "kern/bootinfo.h"
#include "kern/log.h"
#include "kern/machine.h"
#include "plat/process/process.h"

enum { AT_HWCAP2 = 26, HWCAP2_FSGSBASE = 2, COMMAND_LINE_MAX = 4096, STAT_BYTES = 144, STAT_SIZE_AT = 48 };
enum { MEMFD_CLOEXEC = 1, O_CLOEXEC = 02000000, SIGPIPE = 13 };
#define RAM_MIN (16ull << 20)
#define RAM_MAX (64ull << 30)

struct process_memory process_memory;
static char command_line[COMMAND_LINE_MAX];

_Noreturn void process_main(u64 *stack);
_Noreturn void kernel_main(u64 start_info); /* init/ */
void asan_start(void);                      /* asan/, in a kernel that has it */

_Noreturn void process_fail(const char *what, i64 error) {
    char text[256];
    size_t n = fmt(text, sizeof text, "whelk: %s (errno %d)\n", what, (int)-error);
    host(HOST_WRITE, 2, text, MIN(n, sizeof text - 1));
    for (;;) host(HOST_EXIT_GROUP, 125);
}

static void read_words(u64 argc, char **argv) {
    size_t n = 0;
    for (u64 i = 1; i < argc; i++) {
        size_t length = strlen(argv[i]);
        if (length + 1 >= sizeof command_line - n) process_fail("the command line is too long", 0);
        memcpy(command_line + n, argv[i], length);
        n += length;
        command_line[n++] = ' ';
    }
    command_line[n ? n - 1 : 0] = 0;
    bootinfo.command_line = command_line;
}

__attribute__((weak)) void asan_start(void) {}

_Noreturn void process_main(u64 *stack) {
    u64 argc = stack[0], *at = stack + 1 + argc + 1;
    while (*at++) continue; /* the environment is the host's */
    for (; at[0]; at += 2)
        if (at[0] == AT_HWCAP2) process_cpu.fsgsbase = at[1] & HWCAP2_FSGSBASE;
    read_words(argc, (char **)(stack + 1));
    kernel_main(0);
}

/* --- memory --- */

static u64 wanted_bytes(void) {
    char text[24];
    u64 v = 0;
    if (!option("memory", text, sizeof text)) return 64ull << 20;
    char *p = text;
    for (; *p >= '0' && *p <= '9' && v < RAM_MAX; p++) v = v * 10 + (u64)(*p - '0');
    if (*p == 'k' || *p == 'K') v <<= 10;
    else if (*p == 0 || *p == 'm' || *p == 'M') v <<= 20;
    else if (*p == 'g' || *p == 'G') v <<= 30;
    v = ALIGN_DOWN(v, 4096);
    if (v < RAM_MIN || v > RAM_MAX) process_fail("memory= is out of range", 0);
    return v;
}

static i32 open_initrd(void) {
    char path[1024];
    if (!option("initrd", path, sizeof path)) return -1;
    u8 stat[STAT_BYTES];
    i64 fd = host(HOST_OPEN, path, O_CLOEXEC, 0), e = fd < 0 ? fd : host(HOST_FSTAT, fd, stat);
    if (e < 0) process_fail("the initrd cannot be opened", e);
    memcpy(&process_memory.initrd, stat + STAT_SIZE_AT, 8);
    return (i32)fd;
}

static void map(u64 at, u64 bytes, u64 offset, u32 prot) {
    i64 r = host(HOST_MMAP, at, bytes, prot, HOST_MAP_SHARED | HOST_MAP_FIXED, process_memory.fd, offset);
    if (r < 0) process_fail("memory cannot be mapped", r);
}

static void read_initrd(i32 fd) {
    u8 *to = (u8 *)DIRECT_MAP + process_memory.initrd_at;
    for (u64 done = 0; done < process_memory.initrd;) {
        i64 n = host(HOST_READ, fd, to + done, process_memory.initrd - done);
        if (n == -HOST_EINTR) continue;
        if (n <= 0) process_fail("the initrd cannot be read", n);
        done += (u64)n;
    }
    host(HOST_CLOSE, fd);
    bootinfo.initrd = (struct bytes){to, process_memory.initrd};
}

i64 process_memory_file(const char *name, u64 bytes) {
    i64 fd = host(HOST_MEMFD_CREATE, name, MEMFD_CLOEXEC);
    i64 e = fd < 0 ? fd : host(HOST_FTRUNCATE, fd, bytes);
    if (e < 0) process_fail("no memory file", e);
    return fd;
}

/* RAM: for the page allocator, then the initrd. An eighth of it all is code's. */
static void make_memory(void) {
    struct process_memory *m = &process_memory;
    u64 bytes = wanted_bytes();
    i32 initrd = open_initrd();
    m->code = MIN(ALIGN_DOWN(bytes / 8, 4096), CODE_MAX);
    m->bytes = bytes - m->code;
    u64 need = ALIGN_UP(m->initrd, 4096);
    if (need + RAM_MIN / 2 > m->bytes) process_fail("memory= is too small for the initrd", 0);
    m->initrd_at = m->bytes - need;
    m->fd = (i32)process_memory_file("ram", m->bytes);
    map(DIRECT_MAP, m->bytes, 0, HOST_PROT_READ | HOST_PROT_WRITE);
    if (initrd >= 0) read_initrd(initrd);
}

void machine_boot(u64 start_info) {
    struct {
        u64 handler, flags, restorer, mask;
    } ignore = {1, 0, 0, 0};
    bootinfo.boot_tsc = rdtsc();
    host(HOST_SIGACTION, SIGPIPE, &ignore, NULL, 8);
    make_memory();
    asan_start();
    code_init();
}

u32 machine_memory(struct machine_range out[MACHINE_RANGES]) {
    out[0] = (struct machine_range){0, process_memory.bytes};
    return 1;
}

u32 machine_reserved(struct machine_range out[MACHINE_RANGES]) {
    out[0] = (struct machine_range){process_memory.initrd_at, process_memory.bytes};
    return process_memory.initrd ? 1 : 0;
}
