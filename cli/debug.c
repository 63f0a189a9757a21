/* debug.c: `whelk gdb`: gdb on a running guest, or on what a panic has left;
 * `whelk perf`. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/ctl.h"
#include "cli/guest.h"
#include "cli/qmp.h"

/* Signals are this machine's interrupts, faults and system calls. */
static const char signals[] = "handle SIGSYS SIGSEGV SIGALRM SIGIO SIGILL SIGBUS SIGFPE SIGTERM nostop noprint pass";

static _Noreturn void become_gdb(struct words *argv) {
    words_add(argv, NULL);
    execvp("gdb", (char *const *)argv->items);
    fail("gdb: %s (Debian's package gdb has it)", strerror(errno));
    _exit(EXIT_FAILED);
}

/* Ctrl-C is gdb's. */
static int run_gdb(struct words *argv) {
    int status = 0;
    signal(SIGINT, SIG_IGN);
    pid_t pid = fork();
    if (pid < 0) return fail("fork: %s", strerror(errno));
    if (!pid) {
        signal(SIGINT, SIG_DFL);
        become_gdb(argv);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
}

static void add(struct words *argv, const char *a, const char *b) {
    words_add(argv, a);
    words_add(argv, b);
}

/* One at a time: QEMU has one gdb server. */
static int lock_guest(const struct guest *g) {
    char path[256];
    int fd = open(guest_path(g, "pid", path), O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB)) return fd;
    fail("%s: %s", g->name, fd >= 0 && errno == EWOULDBLOCK ? "somebody debugs it already" : strerror(errno));
    if (fd >= 0) close(fd);
    return -1;
}

/* QEMU's server is there while gdb is; a guest that gdb leaves standing goes on. */
static int debug_vm(const struct guest *g, struct words *argv, char *const *args) {
    char path[256], command[400], target[300];
    snprintf(command, sizeof(command), "gdbserver unix:%s,server=on,wait=off", guest_path(g, "gdb.sock", path));
    if (strpbrk(path, ",\"\\ ")) return fail("%s: QEMU takes no such path for a socket: set XDG_RUNTIME_DIR", path);
    if (!qmp_monitor(g, command)) return fail("%s: QEMU gives no gdb server", g->name);
    snprintf(target, sizeof(target), "target remote %s", path);
    add(argv, "-ex", target);
    for (; *args; args++) words_add(argv, *args);
    int status = run_gdb(argv);
    qmp_monitor(g, "gdbserver none");
    qmp_command(g, "cont");
    unlink(path);
    return status;
}

static int debug_process(const char *pid, struct words *argv, char *const *args) {
    add(argv, "-ex", signals);
    add(argv, "-p", pid);
    for (; *args; args++) words_add(argv, *args);
    return run_gdb(argv);
}

static int debug_guest(const struct guest *g, char *const *args) {
    char kernel[GUEST_TEXT], pid[GUEST_TEXT];
    struct words argv = {0};
    if (!guest_text(g, "kernel", kernel)) return fail("%s: what kernel it runs is not known: it is still starting", g->name);
    int lock = lock_guest(g);
    if (lock < 0) return EXIT_FAILED;
    add(&argv, "gdb", "-q");
    words_add(&argv, kernel);
    int status = guest_text(g, "process", pid) ? debug_process(pid, &argv, args) : debug_vm(g, &argv, args);
    close(lock);
    return status;
}

/* ---- perf ---- */

/* "START BYTES NAME", in hexadecimal; the rest, and what is not for a terminal, is left out:
 * a guest wrote it. */
static void copy_map(FILE *from, FILE *to) {
    char line[512], name[256];
    unsigned long at, bytes;
    while (fgets(line, sizeof(line), from)) {
        if (sscanf(line, "%16lx %16lx %255[^\n]", &at, &bytes, name) != 3) continue;
        for (char *p = name; *p; p++)
            if (*p < 0x20 || *p > 0x7e) *p = '?';
        fprintf(to, "%lx %lx %s\n", at, bytes, name);
    }
}

/* The map is where perf looks for it; what somebody else put there is not written to. */
static bool write_map(const struct guest *g, const char *pid) {
    char path[64];
    snprintf(path, sizeof(path), "/tmp/perf-%.20s.map", pid);
    FILE *got = tmpfile();
    bool ok = got && ctl_read_file(g, "/dev/whelk.map", fileno(got));
    if (!got) fail("tmpfile: %s", strerror(errno));
    unlink(path);
    FILE *map = ok ? fopen(path, "wxe") : NULL;
    if (ok && !map) ok = (fail("%s: %s", path, strerror(errno)), false);
    if (ok) rewind(got), copy_map(got, map);
    if (map && fclose(map)) ok = (fail("%s: %s", path, strerror(errno)), false);
    if (got) fclose(got);
    return ok;
}

int perf_main(int argc, char **argv) {
    char pid[GUEST_TEXT];
    struct guest g;
    struct words words = {0};
    const struct command c = {"whelk perf NAME [PERF-COMMAND ...]",
                              "Writes /tmp/perf-PID.map, by which perf names the compiled functions of the extensions that\n"
                              "are loaded now, and of a program that is a WASI module; then runs perf on the guest, which\n"
                              "must be a process (whelk run --plat process), or prints its PID:\n"
                              "    whelk perf web record -g -- sleep 5; perf report\n", NULL, 0};
    int at = opts_operand(&c, argc, argv);
    if (at < 0) return opts_status(at);
    if (!guest_find(&g, argv[at])) return EXIT_FAILED;
    if (!guest_text(&g, "process", pid)) return fail("%s: perf sees into a guest that is a process (--plat process)", g.name);
    if (!write_map(&g, pid)) return EXIT_FAILED;
    if (!argv[++at]) return printf("%s\n", pid) < 0 ? EXIT_FAILED : EXIT_OK;
    add(&words, "perf", argv[at]);
    add(&words, "-p", pid);
    while (argv[++at]) words_add(&words, argv[at]);
    words_add(&words, NULL);
    execvp("perf", (char *const *)words.items);
    return fail("perf: %s (Debian's package linux-perf has it)", strerror(errno));
}

/* ---- gdb ---- */

static bool is_crash(const char *dir, char kernel[4100], char core[4100]) {
    snprintf(kernel, 4100, "%.4000s/kernel", dir);
    snprintf(core, 4100, "%.4000s/core", dir);
    return !access(kernel, R_OK) && !access(core, R_OK);
}

int gdb_main(int argc, char **argv) {
    char kernel[4100], core[4100];
    struct guest g;
    const struct command c = {"whelk gdb NAME|FOLDER [GDB-OPTION ...]",
                              "Starts gdb on the running guest NAME, which stands still until gdb lets it go on, or on the\n"
                              "FOLDER that a panic left, with the kernel's symbols. What follows goes to gdb:\n"
                              "    whelk gdb web --batch -ex bt\n"
                              "A guest under --watchdog does not survive being looked at for longer than that.\n", NULL, 0};
    int at = opts_operand(&c, argc, argv);
    if (at < 0) return opts_status(at);
    if (is_crash(argv[at], kernel, core)) {
        struct words words = {0};
        add(&words, "gdb", "-q");
        add(&words, kernel, core);
        for (char *const *p = argv + at + 1; *p; p++) words_add(&words, *p);
        become_gdb(&words);
    }
    return guest_find(&g, argv[at]) ? debug_guest(&g, argv + at + 1) : EXIT_FAILED;
}
