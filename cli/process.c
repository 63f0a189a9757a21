#include "cli/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/slirp.h"

static const char *word(const char *key, const char *value) {
    char *out;
    if (asprintf(&out, "%s=%s", key, value) < 0) need(NULL);
    return out;
}

static const char *descriptor(const char *key, int fd) {
    char *out;
    if (asprintf(&out, "%s=fd:%d", key, fd) < 0) need(NULL);
    return out;
}

/* The same words run either machine; those that say nothing to this one are named. */
static void tell_unused(const struct vm_options *o) {
    if (strcmp(o->machine, "microvm") || strcmp(o->cpu, "max") || strcmp(o->accel, "auto"))
        fail("--machine, --cpu and --accel are of a virtual machine: a process runs on what there is");
}

/* 0, or an exit status. */
static int add_network(struct words *argv, const struct vm_options *o, pid_t *network) {
    int pair[2];
    if (o->tap && o->ports.count) return usage("-p needs a network of our own; with --tap the guest has an address of its own");
    if (o->tap && o->dump) return usage("--dump: capture on the interface %s instead", o->tap);
    if (o->tap) {
        char *name;
        if (asprintf(&name, "tap:%s", o->tap) < 0) need(NULL);
        words_add(argv, word("net", name));
        return EXIT_OK;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair)) return fail("socketpair: %s", strerror(errno)), EXIT_RUN;
    int status = slirp_start(o, pair[0], pair[1], network);
    close(pair[0]);
    if (status) return status;
    words_add(argv, descriptor("net", pair[1]));
    return EXIT_OK;
}

int process_args(struct words *argv, const struct vm_options *o, const char *initrd, int control_fd, pid_t *network) {
    const char *kernel;
    if (!memory_ok(o->memory) || (o->ip && !ip_ok(o->ip))) return EXIT_USAGE;
    tell_unused(o);
    if (!(kernel = find_kernel(o->kernel, PROCESS_KERNEL))) return EXIT_RUN;
    words_add(argv, kernel);
    words_add(argv, word("memory", o->memory));
    words_add(argv, word("initrd", initrd));
    words_add(argv, descriptor("control", control_fd));
    int status = add_network(argv, o, network);
    if (status) return status;
    if (o->hold) words_add(argv, "crash=stop"); /* plat/process/console.c */
    words_add(argv, command_line(o));
    words_add(argv, NULL);
    return EXIT_OK;
}

/* plat/process/console.c: a program's status as a VM would give it; 125: panic. */
int process_status(int wait_status) { return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : EXIT_RUN; }
bool process_panicked(int wait_status) { return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == EXIT_RUN; }
