/* wasm.c: `whelk wasm`: a WASI program in this process, by the kernel's engine:
 * what a program does is tried here before it is booted or loaded.
 *
 * I1 the program reaches what --dir and --listen name, and its three streams.
 * I2 compiled code is kept from one run to the next; without a place for it, it is not. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/host_cache.h"
#include "cli/host_rt.h"
#include "cli/host_wasi.h"
#include "cli/lines.h"
#include "wasi/program.h"

enum { STACK_BYTES = 8 << 20, EXIT_TRAPPED = 134 /* 128 + SIGABRT */ };

struct wasm {
    const char *file;
    struct words dirs, env, listen;
    struct wasi_preopen *preopens;
    void **listeners;
    u32 opened, listening;
    char listen_fds[32];
    struct lines *lines; /* for the backtrace of a trap */
    bool without_lines;
    bool no_cache;
    u32 cpu;
};

/* HOST or HOST::GUEST. */
static int open_dir(struct wasm *k, const char *text) {
    const char *colons = strstr(text, "::");
    char *host = need(colons ? strndup(text, (size_t)(colons - text)) : strdup(text));
    struct wasi_preopen p = {colons ? colons + 2 : text, host_wasi_dir(host)};
    int status = EXIT_OK;
    if (!p.dir) status = fail("--dir %s: %s: %s", text, host, strerror(errno));
    else k->preopens[k->opened++] = p;
    free(host);
    return status;
}

/* [ADDRESS:]PORT; the address is 127.0.0.1 unless given. */
static bool parse_address(const char *text, struct sockaddr_in *out) {
    const char *colon = strrchr(text, ':'), *digits = colon ? colon + 1 : text;
    char host[64] = "127.0.0.1", *end;
    unsigned long port = strtoul(digits, &end, 10);
    if (colon && (size_t)(colon - text) < sizeof host) snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    *out = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((u16)port)};
    return *digits && !*end && port <= 65535 && inet_pton(AF_INET, host, &out->sin_addr) == 1;
}

static int open_listener(struct wasm *k, const char *text) {
    struct sockaddr_in a;
    int on = 1;
    if (!parse_address(text, &a)) return usage("--listen %s: want [ADDRESS:]PORT, as in 127.0.0.1:8080", text);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, SOMAXCONN)) {
        int status = fail("--listen %s: %s", text, strerror(errno));
        if (fd >= 0) close(fd);
        return status;
    }
    k->listeners[k->listening++] = host_wasi_file(fd);
    return EXIT_OK;
}

static int open_all(struct wasm *k) {
    int status = EXIT_OK;
    k->preopens = need(calloc(k->dirs.count + 1, sizeof *k->preopens));
    k->listeners = need(calloc(k->listen.count + 1, sizeof *k->listeners));
    for (u32 i = 0; i < k->dirs.count && !status; i++) status = open_dir(k, k->dirs.items[i]);
    for (u32 i = 0; i < k->listen.count && !status; i++) status = open_listener(k, k->listen.items[i]);
    if (k->listen.count) { /* systemd's convention, which WASI programs know */
        snprintf(k->listen_fds, sizeof k->listen_fds, "LISTEN_FDS=%u", k->listen.count);
        words_add(&k->env, k->listen_fds);
    }
    return status;
}

static int tell(const struct wasm *k, const struct wasi_outcome *o) {
    switch (o->end) {
    case WASI_END_EXIT: return (int)(o->status & 0xff);
    case WASI_END_TRAP:
        fail("%s: trap: %s", k->file, o->error.text);
        return EXIT_TRAPPED;
    default: break;
    }
    if (o->error.offset != SIZE_MAX) fail("%s: offset %zu (0x%zx): %s", k->file, o->error.offset, o->error.offset, o->error.text);
    else fail("%s: %s", k->file, o->error.text);
    return EXIT_NOT_EXEC;
}

/* A trap, line by line; with lines of the source where the module has them. */
static void say(void *self, const char *text) {
    struct wasm *k = self;
    if (!k->lines && !k->without_lines) k->lines = lines_open(k->file, k->cpu, false, true);
    k->without_lines = !k->lines || !lines_known(k->lines);
    if (!k->without_lines && strstr(text, "source lines:")) return; /* how to get what is there already */
    fputs("whelk: ", stderr);
    if (k->without_lines) fprintf(stderr, "%s\n", text);
    else lines_print(k->lines, stderr, text);
}

static int run_here(struct wasm *k, struct bytes module, const char *const *args, u32 arg_count) {
    struct rt_host host;
    struct rt_engine *e;
    struct wasi_outcome o;
    struct host_cache cache;
    const struct rt_limits limits = {.stack_bytes = STACK_BYTES};
    host_rt_fill(&host);
    k->cpu = host.cpu;
    if (!k->no_cache && host_cache_open_default(&cache)) host.cache = &cache.cache;
    if (rt_engine_init(&e, &host) || host_rt_install(e)) return fail("%s: no memory for the engine", k->file);
    signal(SIGPIPE, SIG_IGN);
    const struct wasi_program p = {
        .engine = e, .module = module, .limits = &limits, .trapped = say, .self = k,
        .config = {.host = &host_wasi, .source = &host_heap, .args = args, .arg_count = arg_count,
                   .env = k->env.items, .env_count = k->env.count,
                   .streams = {host_wasi_stream(0), host_wasi_stream(1), host_wasi_stream(2)},
                   .preopens = k->preopens, .preopen_count = k->opened,
                   .listeners = k->listeners, .listener_count = k->listening}};
    wasi_program_run(&p, &o);
    rt_engine_free(e);
    if (host.cache) host_cache_close(&cache);
    lines_close(k->lines);
    return tell(k, &o);
}

int wasm_main(int argc, char **argv) {
    struct wasm k = {0};
    const struct opt opts[] = {
        {0, "dir", "HOST[::GUEST]", "a directory that the program may use, under that name (repeatable)", OPT_LIST, &k.dirs},
        {'e', "env", "KEY=VALUE", "an environment variable (repeatable)", OPT_LIST, &k.env},
        {0, "listen", "[ADDRESS:]PORT", "a listening TCP socket: the descriptors after the directories (repeatable)", OPT_LIST, &k.listen},
        {0, "no-cache", NULL, "compile anew, and keep nothing for the next run", OPT_FLAG, &k.no_cache},
    };
    const struct command c = {
        "whelk wasm [OPTIONS] FILE.wasm [-- ARGS]",
        "Runs a WASI program (preview 1) in this process, by the engine that the kernel has. It reaches\n"
        "nothing but what the options name. `whelk run FILE.wasm` boots the same program as a guest.\n"
        "Compiled code is kept in $XDG_CACHE_HOME/whelk (~/.cache/whelk), at most 256 MiB; it is proven\n"
        "safe again each time it is used.\n\n"
        "Exit status: the program's; 134 after a trap; 126 it is no WASI program; 1 or 2 as elsewhere.\n",
        opts, ARRAY_LEN(opts)};
    int at = opts_parse(&c, argc, argv);
    if (at < 0) return opts_status(at);
    if (at == argc) return usage("wasm: which FILE.wasm?");
    int first = at; /* argv[0] of the program */
    k.file = argv[at++];
    if (at < argc && !strcmp(argv[at], "--")) at++;
    argv[at - 1] = argv[first];
    struct bytes module = file_read(k.file);
    if (!module.p) return EXIT_NOT_FOUND;
    int status = open_all(&k);
    return status ? status : run_here(&k, module, (const char *const *)argv + at - 1, (u32)(argc - at + 1));
}
