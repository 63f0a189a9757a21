/* proc.c: what programs read in /proc. Each file is made anew when it is opened;
 * what is not known here is left out rather than made up. */
#include "arch/x86_64/cpu.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "fs/vfs.h"
#include "kern/log.h"
#include "kern/page.h"
#include "kern/time.h"
#include "sys/mm.h"
#include "sys/process.h"
#include "sys/program.h"

static struct bytes arguments, environment; /* fixed by proc_init */

static size_t copy(struct bytes b, char *out, size_t cap) {
    memcpy(out, b.p, MIN(b.n, cap));
    return b.n;
}
static size_t make_exe(void *arg, char *out, size_t cap) {
    return copy((struct bytes){(const u8 *)process.exe, strlen(process.exe)}, out, cap);
}
static size_t make_cmdline(void *arg, char *out, size_t cap) { return copy(arguments, out, cap); }
static size_t make_environ(void *arg, char *out, size_t cap) { return copy(environment, out, cap); }

static const char *short_name(void) {
    const char *name = process.exe;
    for (const char *p = name; *p; p++)
        if (*p == '/') name = p + 1;
    return name;
}
static size_t make_comm(void *arg, char *out, size_t cap) { return fmt(out, cap, "%.*s\n", 15, short_name()); }

static size_t make_status(void *arg, char *out, size_t cap) {
    struct mm_usage u = mm_usage();
    return fmt(out, cap,
               "Name:\t%.*s\nUmask:\t%04o\nState:\tR (running)\nTgid:\t1\nPid:\t1\nPPid:\t0\nUid:\t0\t0\t0\t0\n"
               "Gid:\t0\t0\t0\t0\nFDSize:\t%u\nThreads:\t%u\nVmSize:\t%8llu kB\nVmRSS:\t%8llu kB\n",
               15, short_name(), process.umask, (u32)FD_MAX, process.task_count,
               (unsigned long long)u.virtual_bytes / 1024, (unsigned long long)u.present_pages * 4);
}

static size_t make_statm(void *arg, char *out, size_t cap) {
    struct mm_usage u = mm_usage();
    return fmt(out, cap, "%llu %llu 0 0 0 0 0\n", (unsigned long long)u.virtual_bytes / PAGE_SIZE, (unsigned long long)u.present_pages);
}

/* proc(5): 52 fields; what is not counted here is 0. */
static size_t make_stat(void *arg, char *out, size_t cap) {
    struct mm_usage u = mm_usage();
    return fmt(out, cap,
               "1 (%.*s) R 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 %u 0 0 %llu %llu 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 "
               "0 0 0 0 0 0 0 0 0 0 0\n",
               15, short_name(), process.task_count, (unsigned long long)u.virtual_bytes, (unsigned long long)u.present_pages);
}

static size_t make_meminfo(void *arg, char *out, size_t cap) {
    return fmt(out, cap,
               "MemTotal:       %8zu kB\nMemFree:        %8zu kB\nMemAvailable:   %8zu kB\nBuffers:               0 kB\n"
               "Cached:                0 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\n",
               pages_total() * 4, pages_free() * 4, pages_free() * 4);
}

static size_t make_mounts(void *arg, char *out, size_t cap) {
    return fmt(out, cap, "root / tmpfs rw 0 0\n");
}

static size_t make_uptime(void *arg, char *out, size_t cap) {
    u64 ns = time_mono_ns();
    return fmt(out, cap, "%llu.%02llu 0.00\n", (unsigned long long)(ns / 1000000000), (unsigned long long)(ns % 1000000000 / 10000000));
}

static size_t make_version(void *arg, char *out, size_t cap) { return fmt(out, cap, "Linux version 5.15.0-whelk (Whelk)\n"); }

static size_t make_cpuinfo(void *arg, char *out, size_t cap) {
    char vendor[13] = {0}, model[49] = {0};
    struct cpuid id = cpuid(0, 0), v = cpuid(1, 0);
    memcpy(vendor, &id.b, 4), memcpy(vendor + 4, &id.d, 4), memcpy(vendor + 8, &id.c, 4);
    for (u32 i = 0; i < 3 && cpuid(0x80000000, 0).a >= 0x80000004; i++) {
        struct cpuid part = cpuid(0x80000002 + i, 0);
        memcpy(model + 16 * i, &part, 16);
    }
    return fmt(out, cap, "processor\t: 0\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n\n", vendor,
               v.a >> 8 & 15, (v.a >> 4 & 15) | (v.a >> 12 & 0xf0), model, v.a & 15);
}

void proc_init(struct bytes argv, struct bytes env) {
    static const struct {
        const char *path;
        vfs_make *make;
    } files[] = {
        {"/proc/self/maps", mm_describe}, {"/proc/self/status", make_status}, {"/proc/self/stat", make_stat},
        {"/proc/self/statm", make_statm}, {"/proc/self/cmdline", make_cmdline}, {"/proc/self/environ", make_environ},
        {"/proc/self/comm", make_comm},   {"/proc/self/mounts", make_mounts}, {"/proc/mounts", make_mounts},
        {"/proc/meminfo", make_meminfo},  {"/proc/uptime", make_uptime},      {"/proc/version", make_version},
        {"/proc/cpuinfo", make_cpuinfo},
    };
    arguments = argv, environment = env;
    i64 r = vfs_add_generated_link("/proc/self/exe", make_exe, NULL);
    for (size_t i = 0; i < ARRAY_LEN(files) && r >= 0; i++) r = vfs_add_generated(files[i].path, files[i].make, NULL);
    if (r >= 0) r = vfs_symlink((struct vfs_at){.path = "/proc/1"}, "self");
    if (r < 0) log_warn("program: /proc is not complete (errno %d)", (int)-r);
}
