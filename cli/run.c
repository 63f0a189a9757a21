/* run.c: `whelk run`: an initrd, a QEMU, a broker, and the guest's status.
 *
 * I1 whatever way this ends, QEMU ends and the guest's folder goes.
 * I2 nothing is started before every option and file has been looked at. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/backlog.h"
#include "cli/broker.h"
#include "cli/cli.h"
#include "cli/crash.h"
#include "cli/ctl.h"
#include "cli/guest.h"
#include "cli/initrd.h"
#include "cli/monitor.h"
#include "cli/process.h"
#include "cli/process_memory.h"
#include "cli/qemu.h"
#include "cli/watchdog.h"

enum { STOP_MS = 2000, HUNG_MS = 2000, STEP_MS = 50 };
enum { PORT_TRIES = 200 }; /* rounds of serve() until QEMU listens */

struct run {
    struct vm_options vm;
    const char *root, *name, *watchdog; /* seconds */
    const char *plat;        /* "vm" or "process" */
    struct words exts, env, listen, dirs;
    char listen_fds[32];     /* LISTEN_FDS=N */
    bool detach, forget; /* forget: --rm */
    const char *program;     /* as given */
    const char *guest_path;  /* where it is in the guest: argv[0] */
    bool copied;             /* it is a file of the host, not one of --root */
    char **args;             /* after PROGRAM, ended by NULL */
    struct guest guest;
    char initrd[256], qmp[256];
    struct words qemu;
    int control[2], monitor_fds[2]; /* ours, QEMU's */
    struct monitor monitor;
    const char *crash_dir;
    struct crash crash;
    bool panicked;
    int listener;
    pid_t qemu_pid;          /* or the guest itself */
    pid_t network;           /* of --plat process; 0: none */
    pid_t guard;             /* the watchdog; 0: none */
};

static bool is_process(const struct run *r) { return !strcmp(r->plat, "process"); }

static volatile sig_atomic_t stop_asked, child_ended;

static void on_stop(int number) {
    (void)number;
    stop_asked++;
}
static void on_child(int number) {
    (void)number;
    child_ended = 1;
}

/* PROGRAM is a path in --root if it is there, else a file of the host, which
 * is copied in. Sets guest_path, or says what is wrong: 126 or 127. */
static int find_program(struct run *r) {
    struct stat st;
    char *inside;
    if (r->root) {
        if (asprintf(&inside, "%s/%s", r->root, r->program) < 0) need(NULL);
        bool found = !lstat(inside, &st) && !S_ISDIR(st.st_mode);
        free(inside);
        if (found) {
            if (asprintf((char **)&r->guest_path, "%s%s", *r->program == '/' ? "" : "/", r->program) < 0) need(NULL);
            return EXIT_OK;
        }
    }
    if (stat(r->program, &st)) {
        fail("%s: %s%s%s", r->program, strerror(errno), r->root ? ", and not in " : "", r->root ? r->root : "");
        return EXIT_NOT_FOUND;
    }
    if (!S_ISREG(st.st_mode)) return fail("%s: not a file", r->program), EXIT_NOT_EXEC;
    const char *base = strrchr(r->program, '/');
    if (asprintf((char **)&r->guest_path, "/bin/%s", base ? base + 1 : r->program) < 0) need(NULL);
    r->copied = true;
    return EXIT_OK;
}

/* Strings with their zeros, one after the other: /.whelk/argv, /.whelk/env. */
static bool add_strings(struct initrd *out, const char *name, const char *first, char *const *rest) {
    struct queue q = {0};
    if (first) queue_put(&q, first, strlen(first) + 1);
    for (; *rest; rest++) queue_put(&q, *rest, strlen(*rest) + 1);
    bool ok = initrd_add_bytes(out, name, S_IFREG | 0644, (struct bytes){q.p + q.start, queue_size(&q)});
    queue_free(&q);
    return ok;
}

static bool fill_initrd(struct run *r, struct initrd *out) {
    if (r->root && !initrd_add_tree(out, "", r->root)) return false;
    if (r->copied && (!initrd_add_dir(out, "/bin") || !initrd_add_file(out, r->guest_path, r->program, 0755))) return false;
    if (r->listen.count) { /* systemd's convention, which WASI programs know */
        snprintf(r->listen_fds, sizeof(r->listen_fds), "LISTEN_FDS=%u", r->listen.count);
        words_add(&r->env, r->listen_fds);
    }
    words_add(&r->env, NULL);
    words_add(&r->listen, NULL);
    words_add(&r->dirs, NULL);
    return initrd_add_dir(out, "/.whelk") && add_strings(out, "/.whelk/argv", r->guest_path, r->args) &&
           add_strings(out, "/.whelk/env", NULL, (char *const *)r->env.items) &&
           add_strings(out, "/.whelk/listen", NULL, (char *const *)r->listen.items) &&
           add_strings(out, "/.whelk/dirs", NULL, (char *const *)r->dirs.items) && initrd_end(out);
}

static bool make_initrd(struct run *r) {
    struct initrd out;
    FILE *f = fopen(r->initrd, "we");
    if (!f) return fail("%s: %s", r->initrd, strerror(errno)), false;
    initrd_begin(&out, f);
    bool ok = fill_initrd(r, &out);
    if (fclose(f) && ok) ok = (fail("%s: %s", r->initrd, strerror(errno)), false);
    return ok;
}

static bool make_pair(int pair[2]) {
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return fail("socketpair: %s", strerror(errno)), false;
    fcntl(pair[0], F_SETFD, FD_CLOEXEC);
    return true;
}

static bool make_sockets(struct run *r) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char path[256];
    guest_path(&r->guest, "ctl.sock", path);
    if (strlen(path) >= sizeof(a.sun_path)) return fail("%s: path too long for a socket", path), false;
    strcpy(a.sun_path, path);
    r->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (r->listener < 0 || bind(r->listener, (struct sockaddr *)&a, sizeof(a)) || listen(r->listener, 16))
        return fail("%s: %s", path, strerror(errno)), false;
    return make_pair(r->control) && (is_process(r) || make_pair(r->monitor_fds));
}

/* QEMU gets a process group of its own, so that Ctrl-C comes to us alone and
 * the guest is shut down in order; hence no terminal for its input. */
static _Noreturn void become_qemu(const struct run *r, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(EXIT_RUN);
    setpgid(0, 0);
    if (isatty(0) || r->detach) {
        int null = open("/dev/null", O_RDONLY);
        if (null >= 0) dup2(null, 0);
    }
    execvp(r->qemu.items[0], (char *const *)r->qemu.items);
    fail("%s: %s (tools/setup installs it)", r->qemu.items[0], strerror(errno));
    _exit(EXIT_RUN);
}

/* For `whelk gdb`; that something else can't be written would have shown before. */
static void tell_debugger(const struct run *r) {
    char pid[16], *kernel = realpath(r->crash.kernel, NULL);
    snprintf(pid, sizeof(pid), "%d", (int)r->qemu_pid);
    guest_put(&r->guest, "kernel", kernel ? kernel : r->crash.kernel);
    if (is_process(r)) guest_put(&r->guest, "process", pid);
    free(kernel);
}

static bool start_qemu(struct run *r) {
    pid_t parent = getpid();
    struct sigaction child = {.sa_handler = on_child}, stop = {.sa_handler = on_stop};
    sigaction(SIGCHLD, &child, NULL);
    r->qemu_pid = fork();
    if (r->qemu_pid < 0) return fail("fork: %s", strerror(errno)), false;
    if (!r->qemu_pid) become_qemu(r, parent);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGHUP, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    close(r->control[1]);
    r->monitor.fd = -1;
    tell_debugger(r);
    if (is_process(r)) return true;
    close(r->monitor_fds[1]);
    monitor_start(&r->monitor, r->monitor_fds[0]);
    return true;
}

/* In a process of its own, a client like any other: waits for the guest to
 * answer, then loads what --ext names, in order. Exit status 0 if all went well. */
static int load_extensions(const struct run *r) {
    struct ctl c;
    struct ctl_frame f;
    bool ok = ctl_open(&c, &r->guest) && ctl_ask(&c, CTL_HELLO, NULL, 0, CTL_TIMEOUT_MS, &f);
    for (u32 i = 0; ok && i < r->exts.count; i++) {
        struct ext_spec s = ext_spec_parse(r->exts.items[i]);
        struct bytes module = file_read(s.file);
        struct ctl_load_options o = {.name = s.name, .hook = s.hook, .about = s.file};
        ok = module.p && ctl_load_module(&c, &o, module, &f);
        if (ok) fprintf(stderr, "whelk: %s: loaded %s\n", r->guest.name, s.name);
    }
    return ok ? EXIT_OK : EXIT_FAILED;
}

static pid_t start_loader(const struct run *r) {
    if (!r->exts.count) return 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid) return pid;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    _exit(load_extensions(r));
}

/* The first request to stop asks the guest; two seconds later, or at the
 * second request, QEMU is ended. */
static void stop_guest(struct run *r, int *patience_ms) {
    if (*patience_ms < 0) {
        pid_t pid = fork();
        if (!pid) {
            struct ctl c;
            char path[256];
            bool ok = ctl_open_path(&c, guest_path(&r->guest, "ctl.sock", path), r->guest.name, true);
            _exit(ok && ctl_stop(&c, "interrupted", 1500) ? EXIT_OK : EXIT_FAILED);
        }
        *patience_ms = STOP_MS;
    } else if (*patience_ms == 0 || stop_asked > 1) {
        kill(r->qemu_pid, SIGKILL);
    }
}

/* The guest stands still at the panic: what can be kept is kept, then it ends. */
static void take_crash(struct run *r, const struct process_memory *memory) {
    char core[CRASH_PATH];
    r->panicked = true;
    if (crash_begin(&r->crash, core)) {
        if (memory ? process_memory_core(memory, core) : monitor_dump(&r->monitor, core)) crash_end(&r->crash);
        else crash_abandon(&r->crash);
    }
    if (memory || !monitor_quit(&r->monitor)) kill(r->qemu_pid, SIGKILL);
}

/* A process that stands still may have panicked, or was stopped by somebody else. */
static void look_at_stopped(struct run *r) {
    struct process_memory m;
    if (!is_process(r) || r->panicked || !process_memory_open(&m, r->qemu_pid)) return;
    if (process_memory_panicked(&m)) take_crash(r, &m);
    process_memory_close(&m);
}

struct outcome {
    bool ended, loader_failed, hung, stopped;
    int wait_status;
};

/* Collects children: QEMU, the loader, the watchdog, the messenger of stop_guest. */
static void reap(struct run *r, pid_t loader, struct outcome *o) {
    int status;
    pid_t pid;
    child_ended = 0;
    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
        if (WIFSTOPPED(status)) {
            o->stopped |= pid == r->qemu_pid;
        } else if (pid == r->qemu_pid) {
            o->ended = true;
            o->wait_status = status;
        } else if (pid == r->guard) {
            o->hung = true;
        } else if (pid == loader && status) {
            o->loader_failed = true;
            stop_asked++; /* a guest without its extension is not what was asked for */
        }
    }
}

/* After the watchdog's NMI a kernel panics, or does nothing any more. */
static void end_hung(struct run *r, int *patience_ms) {
    if (*patience_ms < 0) *patience_ms = HUNG_MS;
    else if (*patience_ms == 0) kill(r->qemu_pid, SIGKILL);
}

static int conclude(const struct run *r, const struct outcome *o) {
    if (o->loader_failed) return EXIT_RUN;
    if (stop_asked && WIFSIGNALED(o->wait_status)) return 128 + SIGTERM;
    int status = is_process(r) ? process_status(o->wait_status) : qemu_status(o->wait_status);
    bool panicked = r->panicked || (is_process(r) ? process_panicked(o->wait_status) : qemu_panicked(o->wait_status));
    if (panicked && !*r->crash.dir) fail("%s: the kernel panicked; the console says why", r->guest.name);
    else if (!panicked && status == EXIT_RUN && !stop_asked) fail("%s: the machine ended without a status", r->guest.name);
    return status;
}

static int serve(struct run *r) {
    struct broker *b = broker_new(r->control[0], r->listener);
    struct outcome o = {0};
    pid_t loader = start_loader(r);
    if (r->watchdog) r->guard = watchdog_start(&r->guest, (u32)atoi(r->watchdog));
    int patience_ms = -1;
    bool open = true;
    u32 port_tries = r->vm.ports.count && !r->network ? PORT_TRIES : 0;
    while (!o.ended) {
        if (child_ended) reap(r, loader, &o);
        if (o.ended) break;
        if (open) open = broker_step(b, STEP_MS);
        else poll(NULL, 0, STEP_MS);
        monitor_poll(&r->monitor);
        if (r->monitor.panicked && !r->panicked) take_crash(r, NULL);
        if (o.stopped) o.stopped = (look_at_stopped(r), false);
        if (patience_ms > 0) patience_ms = patience_ms > STEP_MS ? patience_ms - STEP_MS : 0;
        if (stop_asked) stop_guest(r, &patience_ms);
        else if (o.hung) end_hung(r, &patience_ms);
        if (port_tries && (--port_tries, backlog_raise(r->qemu_pid))) port_tries = 0;
        if (!open) reap(r, loader, &o);
    }
    broker_free(b);
    return conclude(r, &o);
}

/* Waits in the parent until the guest in the background answers. */
static int await_detached(const struct run *r, pid_t pid) {
    char path[256];
    struct ctl c;
    struct ctl_frame f;
    for (int i = 0; i < 600; i++) {
        int status;
        if (waitpid(pid, &status, WNOHANG) == pid) {
            guest_path(&r->guest, "console.log", path);
            return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_RUN;
        }
        if (ctl_open_path(&c, guest_path(&r->guest, "ctl.sock", path), r->guest.name, true)) {
            if (!ctl_ask(&c, CTL_HELLO, NULL, 0, CTL_TIMEOUT_MS, &f)) break;
            printf("%s\n", r->guest.name);
            return EXIT_OK;
        }
        poll(NULL, 0, 50);
    }
    fail("%s: no answer from the guest; its console is %s", r->guest.name, guest_path(&r->guest, "console.log", path));
    kill(pid, SIGTERM);
    return EXIT_RUN;
}

static int make_args(struct run *r, const char *initrd) {
    if (is_process(r)) return process_args(&r->qemu, &r->vm, initrd, r->control[1], &r->network);
    return qemu_args(&r->qemu, &r->vm, initrd, r->control[1], r->monitor_fds[1]);
}

static const char *kernel_of(const struct run *r) {
    if (is_process(r)) return find_kernel(r->vm.kernel, PROCESS_KERNEL);
    return find_kernel(r->vm.kernel, QEMU_KERNEL);
}

static int run_guest(struct run *r) {
    int status = EXIT_RUN;
    r->crash.name = r->guest.name;
    r->crash.program = r->program;
    r->vm.qmp = guest_path(&r->guest, "qmp.sock", r->qmp);
    if (make_sockets(r)) status = make_args(r, guest_path(&r->guest, "initrd", r->initrd));
    if (status == EXIT_OK) r->crash.kernel = kernel_of(r);
    if (status == EXIT_OK) status = make_initrd(r) && start_qemu(r) ? serve(r) : EXIT_RUN;
    if (r->detach && !r->forget) guest_keep(&r->guest, status);
    else guest_remove(&r->guest);
    return status;
}

/* The guest's folder is made by the process that keeps it. */
static int run_detached(struct run *r) {
    char path[256];
    int ready[2];
    if (pipe2(ready, O_CLOEXEC)) return fail("pipe: %s", strerror(errno)), EXIT_RUN;
    pid_t pid = fork();
    if (pid < 0) return fail("fork: %s", strerror(errno)), EXIT_RUN;
    if (pid) {
        close(ready[1]);
        if (read(ready[0], &r->guest, sizeof(r->guest)) != sizeof(r->guest)) return EXIT_RUN;
        return await_detached(r, pid);
    }
    setsid();
    if (!guest_create(&r->guest, r->name, r->program)) _exit(EXIT_RUN);
    write_all(ready[1], &r->guest, sizeof(r->guest));
    int log = open(guest_path(&r->guest, "console.log", path), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    if (log >= 0) dup2(log, 1), dup2(log, 2);
    _exit(run_guest(r));
}

static int run_checked(struct run *r) {
    if (strcmp(r->plat, "vm") && !is_process(r)) return usage("--plat %s: vm or process", r->plat);
    int status = find_program(r);
    if (r->watchdog && (atoi(r->watchdog) < 1 || atoi(r->watchdog) > 3600))
        return usage("--watchdog %s: seconds, from 1 to 3600", r->watchdog);
    if (status) return status;
    if (!crash_base(&r->crash, r->crash_dir)) return EXIT_USAGE;
    r->vm.hold = r->crash.base;
    for (u32 i = 0; i < r->exts.count; i++) {
        struct ext_spec s = ext_spec_parse(r->exts.items[i]);
        if (access(s.file, R_OK)) return fail("--ext %s: %s", s.file, strerror(errno)), EXIT_RUN;
    }
    if (r->detach) return run_detached(r);
    if (!guest_create(&r->guest, r->name, r->program)) return EXIT_RUN;
    return run_guest(r);
}

int run_main(int argc, char **argv) {
    struct run r = {.plat = "vm", .vm = {.memory = "64M", .accel = "auto", .cpu = "max", .machine = "microvm"}};
    const struct opt opts[] = {
        {'m', "memory", "SIZE", "memory of the guest (64M)", OPT_TEXT, &r.vm.memory},
        {'p', "port", "HOST:GUEST", "forward a port of this host, as in 8080:80 (repeatable)", OPT_LIST, &r.vm.ports},
        {0, "root", "DIR", "the guest's files: a folder, copied in", OPT_TEXT, &r.root},
        {0, "ext", "FILE[@HOOK[:EXPORT]]", "load an extension after boot (repeatable)", OPT_LIST, &r.exts},
        {0, "name", "NAME", "of the guest (after the program)", OPT_TEXT, &r.name},
        {'e', "env", "KEY=VALUE", "an environment variable (repeatable)", OPT_LIST, &r.env},
        {0, "dir", "/PATH[::NAME]|none", "what of the guest's files a WASI program may use, and its name for it (repeatable; all)", OPT_LIST, &r.dirs},
        {0, "listen", "PORT", "a listening TCP socket for a WASI program (repeatable)", OPT_LIST, &r.listen},
        {'d', "detach", NULL, "run in the background; print the name once it answers", OPT_FLAG, &r.detach},
        {0, "rm", NULL, "with -d: keep neither console nor status when it has ended", OPT_FLAG, &r.forget},
        {0, "plat", "vm|process", "a virtual machine, or one sealed process of this host (vm)", OPT_TEXT, &r.plat},
        {0, "accel", "auto|kvm|tcg|icount", "auto: KVM where it is real, else TCG; icount: a nanosecond each instruction", OPT_TEXT, &r.vm.accel},
        {0, "machine", "microvm|q35", "the virtual machine: virtio over MMIO, or a PC with PCI (microvm)", OPT_TEXT, &r.vm.machine},
        {0, "cpu", "MODEL", "QEMU's CPU model (max)", OPT_TEXT, &r.vm.cpu},
        {0, "ip", "ADDRESS/BITS[,gw=A][,dns=A]", "fixed address; dhcp (the default) or off", OPT_TEXT, &r.vm.ip},
        {0, "tap", "INTERFACE", "a TAP interface of this host in place of QEMU's own network", OPT_TEXT, &r.vm.tap},
        {0, "watchdog", "SECONDS", "end the guest when it gives no sign of life for so long", OPT_TEXT, &r.watchdog},
        {0, "crash-dir", "DIR", "where a panic leaves a folder NAME-crash-TIME (.); none: nowhere", OPT_TEXT, &r.crash_dir},
        {0, "dump", "FILE", "QEMU's own capture of the network, as pcap", OPT_TEXT, &r.vm.dump},
        {0, "kernel", "FILE", "the kernel (vm/whelk.elf or process/whelk beside this command)", OPT_TEXT, &r.vm.kernel},
        {0, "append", "TEXT", "further words of the kernel's command line", OPT_TEXT, &r.vm.append},
    };
    const struct command c = {
        "whelk run [OPTIONS] PROGRAM [-- ARGS]",
        "Boots PROGRAM, an unmodified static Linux binary or a WASI program (FILE.wasm), in a virtual\n"
        "machine. PROGRAM is a path in --root, or else a file of this host, which is copied to /bin.\n"
        "The console goes to standard output; nothing is read from standard input, where the program finds\n"
        "end of file. Ctrl-C shuts the guest down; again, it ends at once.\n\n"
        "Exit status: the program's (up to 95; 128 + N after a signal N); 125 whelk, QEMU or the\n"
        "kernel failed; 126 the program cannot run; 127 there is no such program; 2 usage.\n",
        opts, ARRAY_LEN(opts)};
    int at = opts_parse(&c, argc, argv);
    if (at < 0) return opts_status(at);
    if (at == argc) return usage("run: which PROGRAM?");
    r.program = argv[at++];
    if (at < argc && !strcmp(argv[at], "--")) at++;
    r.args = argv + at;
    return run_checked(&r);
}
