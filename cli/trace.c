/* trace.c: `whelk trace`: the native tracer of examples/ext, loaded if need
 * be; its pcap stream goes to a file or a pipe.
 *
 * I1 what was loaded here is unloaded here, however this ends.
 * I2 only whole records are written: the file is valid whenever this ends. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/ctl.h"

enum { PCAP_HEADER = 24, PCAP_RECORD = 16, DRAIN_MS = 5000 };

struct trace {
    const char *out_path, *tracer, *name;
    long limit; /* records; 0: none */
    struct guest guest;
    struct ctl ctl;
    u32 stream;
    int fd;
    struct queue pending; /* an incomplete record (I2) */
    bool header_done, loaded;
    u64 records, bytes;
    char *last_words; /* of the stream: what was lost; NULL: none yet */
};

static volatile sig_atomic_t stop_asked;
static void on_stop(int number) {
    (void)number;
    stop_asked = 1;
}

/* build/ext/tracer.wasm beside this command, unless --tracer names another. */
static const char *default_tracer(void) {
    static char path[4200];
    char self[4000];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[n > 0 ? n : 0] = 0;
    char *slash = strrchr(self, '/');
    snprintf(path, sizeof(path), "%.*s/ext/tracer.wasm", (int)(slash ? slash - self : 0), self);
    return path;
}

/* Loads the tracer; one that is there already is used, and left there. */
static bool load_tracer(struct trace *t) {
    struct ctl_frame f;
    char quoted[100];
    if (!ctl_ask(&t->ctl, CTL_LIST, NULL, 0, CTL_TIMEOUT_MS, &f)) return false;
    snprintf(quoted, sizeof(quoted), "\"name\":\"%s\"", t->name);
    bool there = strstr((char *)f.payload, quoted) != NULL;
    free(f.payload);
    if (there) return true;
    struct bytes module = file_read(t->tracer);
    struct ctl_load_options o = {.name = t->name, .hook = "", .about = t->tracer};
    if (!module.p || !ctl_load_module(&t->ctl, &o, module, &f)) return false;
    free(f.payload);
    free((void *)module.p);
    return t->loaded = true;
}

static u32 record_size(const u8 *p) {
    return (u32)p[8] | (u32)p[9] << 8 | (u32)p[10] << 16 | (u32)p[11] << 24;
}

/* Writes the whole records of what has come. false: told why. */
static bool write_records(struct trace *t) {
    const u8 *p = t->pending.p + t->pending.start;
    size_t left = queue_size(&t->pending), at = 0;
    if (!t->header_done && left >= PCAP_HEADER) {
        t->header_done = true;
        at = PCAP_HEADER;
    }
    while (t->header_done && left - at >= PCAP_RECORD) {
        u32 n = record_size(p + at);
        if (n > 1 << 18) return fail("%s: the tracer's stream is not pcap (a record of %u bytes)", t->guest.name, n), false;
        if (left - at - PCAP_RECORD < n || (t->limit && (long)t->records >= t->limit)) break;
        at += PCAP_RECORD + n;
        t->records++;
    }
    if (at && !write_all(t->fd, p, at)) return errno == EPIPE ? false : (fail("%s: %s", t->out_path, strerror(errno)), false);
    queue_drop(&t->pending, at);
    t->bytes += at;
    if (t->limit && (long)t->records >= t->limit) stop_asked = 1;
    return true;
}

/* Takes frames until the stream ends (true) or timeout_ms pass without one. */
enum pumped { PUMP_MORE, PUMP_END, PUMP_FAILED };
static enum pumped pump(struct trace *t, int timeout_ms) {
    struct ctl_frame f;
    enum ctl_got got = ctl_receive(&t->ctl, &f, timeout_ms);
    if (got == CTL_TIMED_OUT) return PUMP_MORE;
    if (got == CTL_LOST) return fail("%s: the guest ended", t->guest.name), PUMP_FAILED;
    enum pumped result = PUMP_MORE;
    if (f.id == t->stream && f.kind == CTL_DATA) {
        queue_put(&t->pending, f.payload, f.n);
        if (!write_records(t)) result = PUMP_FAILED;
    } else if (f.kind == CTL_ERROR) {
        ctl_complain(&t->ctl, &f, t->name);
        result = PUMP_FAILED;
    } else if (f.id == t->stream && f.kind == CTL_END) {
        if (!stop_asked) fail("%s: %s ended its stream: %s", t->guest.name, t->name, f.n ? (char *)f.payload : "unloaded");
        t->last_words = need(strdup((char *)f.payload));
        result = PUMP_END;
    }
    free(f.payload);
    return result;
}

/* Unloading flushes what the tracer still has and ends its stream; a tracer
 * that was not ours is only let go of. */
static bool finish(struct trace *t, bool ended) {
    bool ok = true;
    u32 id = 0;
    if (t->loaded) id = ctl_send(&t->ctl, CTL_UNLOAD, t->name, strlen(t->name));
    else if (!ended) ctl_send_as(&t->ctl, t->stream, CTL_END, "done", 4);
    enum pumped p = ended ? PUMP_END : PUMP_MORE;
    for (int waited = 0; p == PUMP_MORE && waited < DRAIN_MS; waited += 100) p = pump(t, 100);
    if (id && p == PUMP_END) { /* the answer to the unload, if it came after the end */
        struct ctl_frame f;
        if (ctl_receive(&t->ctl, &f, 500) == CTL_GOT) {
            if (f.kind == CTL_ERROR) ctl_complain(&t->ctl, &f, t->name);
            ok = f.kind != CTL_ERROR;
        }
    }
    return ok;
}

static int trace_guest(struct trace *t) {
    if (!load_tracer(t)) return EXIT_FAILED;
    t->stream = ctl_send(&t->ctl, CTL_STREAM, t->name, strlen(t->name));
    enum pumped p = t->stream ? PUMP_MORE : PUMP_FAILED;
    while (p == PUMP_MORE && !stop_asked) p = pump(t, 200);
    bool lost = p == PUMP_FAILED;
    bool ok = finish(t, p == PUMP_END) && !lost;
    fprintf(stderr, "whelk: %s: %llu packets, %llu bytes%s%s%s%s\n", t->guest.name, (unsigned long long)t->records,
            (unsigned long long)t->bytes, strcmp(t->out_path, "-") ? " in " : "", strcmp(t->out_path, "-") ? t->out_path : "",
            t->last_words ? "; " : "", t->last_words ? t->last_words : "");
    return ok || (lost && errno == EPIPE) ? EXIT_OK : EXIT_FAILED;
}

static bool open_output(struct trace *t) {
    if (!strcmp(t->out_path, "-")) {
        t->fd = 1;
        if (isatty(1)) return usage("trace: standard output is a terminal: -w FILE, or pipe it: | tshark -r -"), false;
        return true;
    }
    t->fd = open(t->out_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return t->fd >= 0 || (fail("%s: %s", t->out_path, strerror(errno)), false);
}

static void catch_signals(void) {
    struct sigaction stop = {.sa_handler = on_stop};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGHUP, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int trace_main(int argc, char **argv) {
    struct trace t = {.out_path = "-", .name = "tracer"};
    const char *limit = NULL, *guest = NULL;
    const struct opt opts[] = {
        {'w', "write", "FILE|-", "where the capture goes (-: standard output)", OPT_TEXT, &t.out_path},
        {'c', "count", "N", "end after N packets", OPT_TEXT, &limit},
        {0, "tracer", "FILE", "the tracer (ext/tracer.wasm beside this command)", OPT_TEXT, &t.tracer},
        {0, "as", "EXTNAME", "its name in the guest (tracer)", OPT_TEXT, &t.name},
    };
    const struct command c = {"whelk trace NAME [-w FILE|-]",
                              "Loads the packet tracer into the running guest NAME (unless it is there), writes what\n"
                              "it captures as pcap until Ctrl-C, and unloads it. For a live view:\n"
                              "  whelk trace NAME -w - | tshark -r -\n", opts, ARRAY_LEN(opts)};
    while (argc > 1) { /* NAME may stand before or after the options */
        int at = opts_parse(&c, argc, argv);
        if (at < 0) return opts_status(at);
        if (at < argc && guest) return usage("trace: %s is one word too many", argv[at]);
        if (at < argc) guest = argv[at];
        argc -= at;
        argv += at;
    }
    char *end = "";
    if (limit && ((t.limit = strtol(limit, &end, 10)) < 1 || *end)) return usage("-c %s: a number of packets", limit);
    if (!guest) return usage("trace: which guest? (whelk ps lists them)");
    if (!t.tracer) t.tracer = default_tracer();
    if (!guest_find(&t.guest, guest) || !open_output(&t) || !ctl_open(&t.ctl, &t.guest)) return EXIT_FAILED;
    catch_signals();
    int status = trace_guest(&t);
    ctl_close(&t.ctl);
    return status;
}
