/* wasm.c: a program that is a WASI module: the whole tree is its root directory,
 * or what /.whelk/dirs names, the console its three streams, the ports of
 * /.whelk/listen its sockets. It runs on the init thread, preemptible, and may block.
 *
 * I1 everything is read and opened before the module is looked at. */
#include "base/fmt.h"
#include "base/mem.h"
#include "fs/dev.h"
#include "fs/vfs.h"
#include "init/engine.h"
#include "init/files.h"
#include "init/init.h"
#include "init/sockets.h"
#include "kern/heap.h"
#include "kern/log.h"
#include "kern/machine.h"
#include "kern/random.h"
#include "kern/thread.h"
#include "kern/time.h"
#include "sys/program.h"
#include "wasi/program.h"

/* As a shell says it. */
enum { TRAPPED = 128 + 6 /* SIGABRT */, CANNOT_RUN = 126, STREAMS = 3, LISTENERS_MAX = 64, DIRS_MAX = 64 };
#define STACK_BYTES (1ull << 20)

struct texts {
    char *text; /* zero-terminated strings, one after the other */
    const char **list;
    u32 count;
};

struct program {
    struct wasi_host host;
    struct texts args, env, ports, dirs;
    struct file *console[STREAMS];
    struct wasi_preopen preopens[DIRS_MAX];
    u32 opened;
    void *listeners[LISTENERS_MAX];
    u32 listening;
    u8 *module;
    size_t module_bytes;
};

/* --- the host of a program: files.c, sockets.c, and what is here --- */

static i64 clock_ns(void *self, u32 clock) {
    switch (clock) {
    case WASI_CLOCK_REALTIME: return (i64)time_wall_ns();
    case WASI_CLOCK_MONOTONIC: return (i64)time_mono_ns();
    default: return (i64)thread_cpu_ns(thread_current()); /* one thread: the process's is its */
    }
}

static i64 random_fill(void *self, void *out, size_t n) {
    random_bytes(out, n); /* waits until the pool is seeded */
    return 0;
}

static i64 sleep_until(void *self, u64 monotonic_ns) {
    thread_sleep_until(monotonic_ns);
    return 0;
}

static void yield(void *self) { thread_yield(); }

static void fill_host(struct wasi_host *h) {
    *h = files_wasi;
    h->open = files_open_blocking;
    h->clock_ns = clock_ns;
    h->random = random_fill;
    h->sleep_until = sleep_until;
    h->yield = yield;
    sockets_wasi(h);
}

static i64 console_read(void *self, void *out, size_t n) { return file_read(self, out, n); }
static i64 console_write(void *self, const void *p, size_t n) { return file_write(self, p, n); }

/* --- what it is given --- */

static bool split(struct texts *t, const char *path) {
    size_t n = 0;
    t->text = program_text(path, &n);
    for (size_t at = 0; t->text && at < n; at += strlen(t->text + at) + 1) t->count++;
    t->list = kmalloc(MAX(t->count, 1u) * sizeof *t->list);
    if (!t->list) return false;
    for (u32 k = 0, at = 0; k < t->count; k++) {
        t->list[k] = t->text + at;
        at += (u32)strlen(t->text + at) + 1;
    }
    return true;
}

static void drop(struct texts *t) {
    kfree(t->list);
    kfree(t->text);
}

static bool is_module(const char *path) {
    static const u8 magic[4] = {0, 'a', 's', 'm'};
    u8 head[4] = {0};
    struct file *f;
    if (vfs_open((struct vfs_at){.path = path}, LINUX_O_RDONLY | LINUX_O_NONBLOCK, 0, &f) < 0) return false;
    bool same = f->ops->seekable && file_pread(f, head, 4, 0) == 4 && !memcmp(head, magic, 4);
    file_put(f);
    return same;
}

static bool read_module(struct program *p, const char *path) {
    struct file *f;
    struct file_stat st;
    if (vfs_open((struct vfs_at){.path = path}, LINUX_O_RDONLY, 0, &f) < 0) return false;
    bool ok = file_stat(f, &st) >= 0 && (p->module = kmalloc(st.size)) != NULL;
    if (ok) ok = file_read(f, p->module, st.size) == (i64)st.size;
    p->module_bytes = ok ? st.size : 0;
    file_put(f);
    return ok;
}

static bool parse_port(const char *text, u32 *out) {
    u32 v = 0;
    if (!*text) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || v > UINT16_MAX) return false;
        v = v * 10 + (u32)(*text - '0');
    }
    *out = v;
    return v > 0 && v <= UINT16_MAX;
}

static bool open_listeners(struct program *p) {
    for (u32 k = 0; k < p->ports.count; k++) {
        u32 port = 0;
        i64 r = k < LISTENERS_MAX && parse_port(p->ports.list[k], &port) ? 0 : -LINUX_EINVAL;
        if (r >= 0) r = sockets_listen(port, &p->listeners[p->listening]);
        if (r < 0) {
            log_error("program: cannot listen on port %s (errno %d); give --listen a free port from 1 to 65535", p->ports.list[k], (int)-r);
            return false;
        }
        p->listening++;
    }
    return true;
}

static size_t before_colons(const char *text) {
    size_t n = 0;
    while (text[n] && !(text[n] == ':' && text[n + 1] == ':')) n++;
    return n;
}

/* /PATH or /PATH::NAME: the name is the program's. It is made if it is not there. */
static bool open_dir(struct program *p, const char *text) {
    char path[LINUX_PATH_MAX];
    size_t n = before_colons(text);
    struct wasi_preopen d = {.name = text[n] ? text + n + 2 : text};
    i64 r = n < sizeof path && p->opened < DIRS_MAX && text[0] == '/' ? 0 : -LINUX_EINVAL;
    if (r >= 0) {
        memcpy(path, text, n);
        path[n] = 0;
        r = files_open_dir(path, &d.dir);
    }
    if (r < 0) log_error("program: cannot open the directory %s (errno %d); --dir takes /PATH[::NAME] of the guest, or none", text, (int)-r);
    else p->preopens[p->opened++] = d;
    return r >= 0;
}

static bool open_dirs(struct program *p) {
    if (p->dirs.count == 1 && !strcmp(p->dirs.list[0], "none")) return true;
    for (u32 k = 0; k < p->dirs.count; k++)
        if (!open_dir(p, p->dirs.list[k])) return false;
    return p->dirs.count || open_dir(p, "/");
}

static bool read_given(struct program *p) {
    for (u32 k = 0; k < STREAMS; k++)
        if (!(p->console[k] = console_open(LINUX_O_RDWR))) return false;
    return split(&p->env, "/.whelk/env") && split(&p->ports, "/.whelk/listen") && split(&p->dirs, "/.whelk/dirs");
}

static void close_all(struct program *p) {
    for (u32 k = 0; k < STREAMS; k++) file_put(p->console[k]);
    for (u32 k = 0; k < p->listening; k++) file_put(p->listeners[k]);
    for (u32 k = 0; k < p->opened; k++) file_put(p->preopens[k].dir);
}

/* --- running --- */

static struct wasi_stream stream(struct file *f) {
    return (struct wasi_stream){.read = console_read, .write = console_write, .self = f, .file = f, .tty = true};
}

static int tell(const char *path, const struct wasi_outcome *o) {
    if (o->end == WASI_END_EXIT) {
        log_info("program: %s ended with status %u", path, o->status);
        return (int)(o->status & 0xff);
    }
    if (o->error.offset == SIZE_MAX) log_error("program: %s: %s", path, o->error.text);
    else log_error("program: %s: offset 0x%zx: %s", path, o->error.offset, o->error.text);
    return o->end == WASI_END_TRAP ? TRAPPED : CANNOT_RUN;
}

static void say(void *self, const char *line) { log_error("program: %s", line); }

static int run(struct program *p) {
    const char *path = p->args.list[0];
    const struct rt_limits limits = {.stack_bytes = STACK_BYTES};
    struct wasi_outcome o;
    fill_host(&p->host);
    const struct wasi_program w = {
        .engine = engine(), .module = {p->module, p->module_bytes}, .limits = &limits, .define = engine_define, .trapped = say,
        .config = {.host = &p->host, .source = &kernel_heap, .args = p->args.list, .arg_count = p->args.count,
                   .env = p->env.list, .env_count = p->env.count,
                   .streams = {stream(p->console[0]), stream(p->console[1]), stream(p->console[2])},
                   .preopens = p->preopens, .preopen_count = p->opened, .listeners = p->listeners, .listener_count = p->listening}};
    log_info("program: %s starts, by WASI", path);
    machine_seal();
    wasi_program_run(&w, &o);
    p->opened = p->listening = 0; /* closed with the rest */
    return tell(path, &o);
}

static int start(struct program *p) {
    const char *path = p->args.list[0];
    if (!engine()) {
        log_error("program: %s: there is no engine to run it", path);
        return CANNOT_RUN;
    }
    if (!read_module(p, path) || !read_given(p)) {
        log_error("program: %s: not enough memory to start it; give the VM more (-m)", path);
        return CANNOT_RUN;
    }
    return open_listeners(p) && open_dirs(p) ? run(p) : CANNOT_RUN;
}

int wasm_start(void) {
    struct program *p = kzalloc(sizeof *p);
    if (!p) return NOT_WASM;
    int status = NOT_WASM;
    if (split(&p->args, "/.whelk/argv") && p->args.count && is_module(p->args.list[0])) {
        status = start(p);
        close_all(p);
    }
    drop(&p->args);
    drop(&p->env);
    drop(&p->ports);
    drop(&p->dirs);
    kfree(p->module);
    kfree(p);
    return status;
}
