/* wasi.c: what a module with WASI imports sees: no arguments (a program: its name
 * and the words of the call, whose answer is standard output), one directory
 * (/trace of the guest, under that name), the log as standard output and error,
 * the record as standard input. While a record is handled, CLOCK_REALTIME is
 * the time of the record: what a capture wants to write down. */
#include "base/mem.h"
#include "ext/internal.h"
#include "kern/heap.h"
#include "kern/log.h"
#include "kern/page.h"
#include "kern/random.h"
#include "kern/thread.h"
#include "kern/time.h"

#define TRACE_DIR "/trace"

enum { LINUX_EAGAIN = 11, LINUX_ENOSPC = 28 };

static i64 clock_ns(void *self, u32 clock) {
    const struct ext *x = self;
    switch (clock) {
    case WASI_CLOCK_REALTIME:
        return (i64)(x->frame && x->frame->time_ns ? x->frame->time_ns : time_wall_ns());
    case WASI_CLOCK_MONOTONIC: return (i64)time_mono_ns();
    default: return (i64)thread_cpu_ns(thread_current());
    }
}

/* Blocking for entropy is not an extension's to do. */
static i64 random_fill(void *self, void *out, size_t n) {
    if (!random_ready()) return -LINUX_EAGAIN;
    random_bytes(out, n);
    return (i64)n;
}

static i64 write_log(void *self, const void *p, size_t n) {
    struct ext *x = self;
    for (size_t i = 0; i < n; i++) { /* programs write a line in pieces */
        u8 c = ((const u8 *)p)[i];
        if (c != '\n') x->line[x->line_length++] = c;
        if (c != '\n' && x->line_length < sizeof x->line) continue;
        ext_log_text(x, LOG_INFO, x->line, x->line_length);
        x->line_length = 0;
    }
    return (i64)n;
}

/* The files are in memory: a capture that nobody fetches must not starve the program. */
static i64 write_file(void *self, void *file, const void *p, size_t n) {
    if (pages_free() < EXT_SPARE_PAGES) return -LINUX_ENOSPC;
    return ext_config.files->write(ext_config.files->self, file, p, n);
}
static i64 pwrite_file(void *self, void *file, const void *p, size_t n, u64 at) {
    if (pages_free() < EXT_SPARE_PAGES) return -LINUX_ENOSPC;
    return ext_config.files->pwrite(ext_config.files->self, file, p, n, at);
}

/* wasi_new copies the arguments. */
static enum err make(struct ext *x, struct wasi_config *c) {
    const char **words = NULL;
    if (ext_is_command(x) && !(words = ext_command_words(x, &c->arg_count))) return ERR_NOMEM;
    c->args = words;
    enum err e = wasi_new(c, &x->wasi);
    kfree(words);
    return e;
}

enum err ext_wasi_new(struct ext *x, struct ext_error *error) {
    struct wasi_preopen trace = {TRACE_DIR, NULL};
    if (ext_config.files) x->wasi_host = *ext_config.files;
    x->wasi_host.self = x; /* the vfs's functions need none */
    x->wasi_host.clock_ns = clock_ns;
    x->wasi_host.random = random_fill;
    x->wasi_host.sleep_until = NULL;
    if (x->wasi_host.write) x->wasi_host.write = write_file;
    if (x->wasi_host.pwrite) x->wasi_host.pwrite = pwrite_file;
    struct wasi_stream log = {.write = write_log, .self = x, .tty = true};
    struct wasi_config c = {.host = &x->wasi_host, .source = &kernel_heap, .streams = {{.self = x}, log, log}};
    if (ext_is_command(x)) c.streams[1] = (struct wasi_stream){.write = ext_command_reply, .self = x};
    if (ext_config.open_dir) {
        i64 r = ext_config.open_dir(TRACE_DIR, &trace.dir);
        if (r < 0) return ext_fail(error, ERR_IO, "extension %s: cannot open " TRACE_DIR ": error %ld", x->name, (long)-r);
        c.preopens = &trace;
        c.preopen_count = 1;
    }
    enum err e = make(x, &c);
    if (!e) return ERR_OK;
    if (trace.dir && x->wasi_host.close) x->wasi_host.close(x, trace.dir);
    return ext_fail(error, e, "extension %s: %s", x->name, err_text(e));
}
