/* ext/: modules behind hooks, good and hostile, on the real engine and a
 * kernel of stand-ins. Nothing may be left when all is unloaded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/host_rt.h"
#include "cli/host_wasi.h"
#include "ext/ext.h"
#include "ext/internal.h"
#include "kern/time.h"
#include "test/ext/kernel.h"
#include "test/lib/test.h"

static struct rt_engine *engine;
static u64 fake_cycles;
static u64 cycles(void) { return fake_cycles += 100; }

static struct bytes text(const char *s) { return (struct bytes){(const u8 *)s, strlen(s)}; }

static struct bytes file(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "build/ext/%s.wasm", name);
    FILE *f = fopen(path, "rb");
    static u8 buf[1 << 20];
    size_t n = f ? fread(buf, 1, sizeof buf, f) : 0;
    if (f) fclose(f);
    CHECK(n > 8);
    return (struct bytes){buf, n};
}

static struct ext_error error;
static char lines[256];

static enum err load(const char *name, const char *module, const char *hook) {
    struct ext_request r = {.name = text(name), .hook = text(hook), .module = file(module)};
    error.text[0] = lines[0] = 0;
    return ext_load(&r, lines, sizeof lines, &error);
}
static enum err unload(const char *name) { return ext_unload(text(name), &error); }

static u32 fire(const char *hook, const void *p, u32 n, u32 direction) {
    u8 frame[2048];
    memcpy(frame, p, n);
    struct hook_frame f = {.bytes = frame, .length = n, .interface = 1, .direction = direction, .writable = true};
    return ext_fire_frame(hook_by_name(text(hook)), &f);
}

static const char *describe(const char *name) {
    static char out[4096];
    out[0] = 0;
    CHECK(ext_stat(text(name), out, sizeof out) < sizeof out);
    return out;
}
static bool says(const char *have, const char *part) {
    bool ok = strstr(have, part) != NULL;
    if (!ok) fprintf(stderr, "  have: %s\n  want: %s\n", have, part);
    return ok;
}

/* The kernel's timer in place of which a signal comes: see deadline(). */
static struct host_deadline timer;
static void expect_stop(const char *name, u64 ns) {
    struct ext *x = ext_find(text(name));
    EQUAL(host_deadline_start(&timer, x->store, ns), ERR_OK);
}

static const u8 udp_to_9[] = {
    2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0,
    10, 0, 2, 2, 10, 0, 2, 15, 0x30, 0x39, 0, 9, 0, 12, 0, 0, 'd', 'a', 't', 'a'};

static void drops_by_port(void) {
    u8 frame[sizeof udp_to_9], reply[64];
    EQUAL(load("fw", "drop_port", ""), ERR_OK);
    CHECK(says(lines, "fw net.rx:net.rx") && says(lines, "fw ctl.call:ctl.call"));
    EQUAL(fire("net.rx", udp_to_9, sizeof udp_to_9, 0), WHELK_DROP);
    EQUAL(fire("net.rx", udp_to_9, 20, 0), WHELK_PASS); /* cut short */
    struct hook_call c = {.input = text("7"), .output = reply, .output_cap = sizeof reply};
    EQUAL(ext_call(text("fw"), text(""), &c, &error), ERR_OK);
    EQUAL(c.status, 0);
    CHECK(c.output_length == 18 && !memcmp(reply, "port 7, dropped 1\n", 18));
    EQUAL(fire("net.rx", udp_to_9, sizeof udp_to_9, 0), WHELK_PASS);
    memcpy(frame, udp_to_9, sizeof frame);
    frame[37] = 7;
    EQUAL(fire("net.rx", frame, sizeof frame, 0), WHELK_DROP);
    c = (struct hook_call){.input = text("999999"), .output = reply, .output_cap = sizeof reply};
    EQUAL(ext_call(text("fw"), text("ctl.call"), &c, &error), ERR_OK);
    EQUAL(c.status, 1);
    EQUAL(ext_call(text("fw"), text("nothing"), &c, &error), ERR_NOT_FOUND);
    EQUAL(ext_call(text("none"), text(""), &c, &error), ERR_NOT_FOUND);
    CHECK(says(describe("fw"), "\"pass\":2,\"drop\":2"));
    CHECK(says(describe("fw"), "\"cycles_mean\":100"));
    EQUAL(unload("fw"), ERR_OK);
    EQUAL(unload("fw"), ERR_NOT_FOUND);
    EQUAL(fire("net.rx", udp_to_9, sizeof udp_to_9, 0), WHELK_PASS);
}

static void now(void) {
    u64 value = 0;
    EQUAL(load("now", "now", ""), ERR_OK);
    struct hook_call c = {.output = (u8 *)&value, .output_cap = sizeof value};
    EQUAL(ext_call(text("now"), text(""), &c, &error), ERR_OK);
    EQUAL(c.output_length, 8);
    CHECK(value > 0);
    EQUAL(unload("now"), ERR_OK);
}

static void streams_whole_records(void) {
    static u8 record[EXT_STREAM_RECORD];
    EQUAL(load("t", "tracer", ""), ERR_OK);
    struct ext *x = ext_find(text("t"));
    EQUAL(x->preamble_length, 24);
    EQUAL(*(u32 *)x->preamble, 0xa1b23c4d);
    for (u32 i = 0; i < 3; i++) fire("net.tap", udp_to_9, (u32)sizeof udp_to_9 - i, i & 1);
    EQUAL(x->stream.records, 3);
    for (u32 i = 0; i < 3; i++) {
        u32 n = (u32)sizeof udp_to_9 - i;
        EQUAL(ring_pop(&x->stream, record), 16 + n);
        EQUAL(((u32 *)record)[0], 1700000000);
        EQUAL(((u32 *)record)[2], n);
        CHECK(!memcmp(record + 16, udp_to_9, n));
    }
    for (u32 i = 0; i < 20000; i++) fire("net.tap", udp_to_9, sizeof udp_to_9, 0);
    CHECK(x->stream.overwritten > 0 && x->stream.lost == 0); /* nobody reads: the newest stay */
    x->subscriber_count = 1;
    fire("net.tap", udp_to_9, sizeof udp_to_9, 0);
    fire("net.tap", udp_to_9, sizeof udp_to_9, 0);
    CHECK(x->stream.lost > 0); /* somebody reads: no gap in the middle */
    x->subscriber_count = 0;
    EQUAL(unload("t"), ERR_OK);
}

static void refused(void) {
    static const struct {
        const char *module, *hook;
        enum err e;
        const char *part;
    } cases[] = {
        {"hostile/missing_import", "", ERR_NOT_FOUND, "env.missing"},
        {"hostile/wrong_signature", "", ERR_SIGNATURE, "now"},
        {"hostile/truncated", "", ERR_TRUNCATED, "at offset"},
        {"hostile/wrong_abi", "", ERR_VERSION, "compiled for another ABI version: 999"},
        {"hostile/wrong_handler", "", ERR_SIGNATURE, "export net.rx has type (i64) -> i32; net.rx takes (i32, i32) -> (i32)"},
        {"hostile/huge", "", ERR_LIMIT, "bad"},
        {"now", "net.rx", ERR_NOT_FOUND, "exports no function handle"},
        {"now", "net.xx", ERR_NOT_FOUND, "there is no hook net.xx; there are net.rx, net.tx"},
        {"now", "net.tap:ctl.call", ERR_SIGNATURE, "or () -> ()"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        EQUAL(load("bad", cases[i].module, cases[i].hook), cases[i].e);
        CHECK(says(error.text, cases[i].part) && says(error.text, "bad"));
    }
    EQUAL(load("", "now", ""), ERR_INVALID);
    EQUAL(load("a/b", "now", ""), ERR_INVALID);
    EQUAL(load("n", "now", ""), ERR_OK);
    EQUAL(load("n", "now", ""), ERR_EXISTS);
    EQUAL(ext_count(), 1);
    EQUAL(unload("n"), ERR_OK);
}

static void traps_and_quarantine(void) {
    static const struct {
        const char *module, *part;
    } cases[] = {
        {"hostile/recursion", "call stack exhausted in net.rx"},
        {"hostile/oob", "out of bounds memory access in net.rx"},
        {"hostile/divide", "integer divide by zero in net.rx"},
        {"hostile/grow", "unreachable in net.rx; its memory is at the limit of 16777216 bytes"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        EQUAL(load("bad", cases[i].module, ""), ERR_OK);
        struct ext *x = ext_find(text("bad"));
        if (!x) continue;
        for (u32 k = 1; k <= EXT_TRAPS_MAX + 2; k++) {
            EQUAL(fire("net.rx", udp_to_9, sizeof udp_to_9, 0), WHELK_PASS); /* fail-open */
            EQUAL(x->quarantined, k >= EXT_TRAPS_MAX);
        }
        CHECK(says(describe("bad"), cases[i].part) && says(describe("bad"), "\"state\":\"quarantined\""));
        EQUAL(x->slots[0].slot.calls, EXT_TRAPS_MAX);
        EQUAL(x->slots[0].slot.skipped, 2);
        CHECK(!x->busy && !kernel_preempt);
        EQUAL(unload("bad"), ERR_OK);
    }
    EQUAL(load("bad", "hostile/exit", ""), ERR_OK);
    EQUAL(fire("net.rx", udp_to_9, sizeof udp_to_9, 0), WHELK_PASS);
    CHECK(says(describe("bad"), "exit with status 3 in net.rx") && says(describe("bad"), "quarantined"));
    EQUAL(unload("bad"), ERR_OK);
    EQUAL(load("bad", "hostile/verdict", ""), ERR_OK);
    EQUAL(fire("net.rx", udp_to_9, sizeof udp_to_9, 0), WHELK_PASS);
    CHECK(says(describe("bad"), "\"errors\":1"));
    EQUAL(unload("bad"), ERR_OK);
}

static void deadline(void) {
    EQUAL(load("bad", "hostile/loop", ""), ERR_OK);
    struct ext *x = ext_find(text("bad"));
    if (!x) return;
    expect_stop("bad", 5000000);
    EQUAL(fire("net.rx", udp_to_9, sizeof udp_to_9, 0), WHELK_PASS);
    host_deadline_end(&timer);
    CHECK(x->quarantined && x->deadlines == 1);
    CHECK(says(describe("bad"), "time budget exceeded in net.rx"));
    EQUAL(unload("bad"), ERR_OK);
}

/* A quarantine ends with an instance made anew: the same slots and counters, a
 * memory as after loading. */
static void resumed(void) {
    struct ext *x;
    EQUAL(ext_resume(text("m"), &error), ERR_NOT_FOUND);
    EQUAL(load("m", "hostile/moody", ""), ERR_OK);
    if (!(x = ext_find(text("m")))) return;
    u64 before = kernel_heap_bytes;
    for (u32 life = 0; life < 3; life++) {
        EQUAL(ext_resume(text("m"), &error), ERR_INVALID);
        CHECK(says(error.text, "extension m is not quarantined"));
        EQUAL(fire("net.rx", udp_to_9, 4, 0), WHELK_DROP); /* its first call in this life */
        EQUAL(fire("net.rx", udp_to_9, 4, 0), WHELK_PASS);
        if (life % 2 == 0) expect_stop("m", 1000000);
        for (u32 k = 0; k < EXT_TRAPS_MAX && !x->quarantined; k++) fire("net.rx", udp_to_9, 1 + life % 2, 0);
        if (life % 2 == 0) host_deadline_end(&timer);
        EQUAL(x->quarantined, true);
        EQUAL(fire("net.rx", udp_to_9, 4, 0), WHELK_PASS);
        kernel_pages_free = 100;
        EQUAL(ext_resume(text("m"), &error), ERR_NOMEM);
        kernel_pages_free = 6000;
        x->max_memory = 1; /* the new instance does not get ready */
        EQUAL(ext_resume(text("m"), &error), ERR_LIMIT);
        x->max_memory = EXT_MEMORY_DEFAULT;
        EQUAL(x->quarantined, true);
        CHECK(x->store && x->instance && !x->renewing);
        EQUAL(ext_resume(text("m"), &error), ERR_OK);
        EQUAL(kernel_heap_bytes, before);
    }
    CHECK(says(describe("m"), "\"state\":\"live\"") && says(describe("m"), "\"traps\":0,\"deadlines\":2,\"resumes\":3"));
    EQUAL(x->slots[0].slot.skipped, 3);
    EQUAL(unload("m"), ERR_OK);
}

/* Ticks are charged to a run of the interrupted thread, from its own start. */
static void ticks(void) {
    struct rt_regs regs = {0};
    struct ext_run run;
    CHECK(!ext_tick(&regs));
    EQUAL(load("n", "now", ""), ERR_OK);
    struct ext *x = ext_find(text("n"));
    CHECK(ext_enter(x, &run, 10000000));
    EQUAL(ext_budget_ticks(run.budget_ns), 4); /* 10 ms of 5 ms ticks, one that came early, one more */
    for (u32 i = 0; i < 3; i++) ext_tick(&regs);
    EQUAL(run.ticks, 3);
    struct ext_run inner;
    CHECK(!ext_enter(x, &inner, 0)); /* busy */
    run.thread = NULL;
    ext_tick(&regs); /* somebody else runs */
    EQUAL(run.ticks, 3);
    ext_leave(&run);
    EQUAL(unload("n"), ERR_OK);
}

static void replaced(void) {
    struct ext_request r = {.name = text("r"), .module = file("now"), .replace = true};
    EQUAL(ext_load(&r, lines, sizeof lines, &error), ERR_OK);
    r.module = file("tracer");
    EQUAL(ext_load(&r, lines, sizeof lines, &error), ERR_OK);
    CHECK(says(lines, "net.tap"));
    r.module = file("hostile/missing_import");
    CHECK(ext_load(&r, lines, sizeof lines, &error));
    CHECK(says(describe("r"), "net.tap")); /* a failed upgrade leaves the old one */
    EQUAL(unload("r"), ERR_OK);
}

static char trace_dir[] = "/tmp/whelk-ext-XXXXXX";

static i64 open_dir(const char *path, void **dir) {
    EQUAL_TEXT(path, "/trace");
    *dir = host_wasi_dir(trace_dir);
    return *dir ? 0 : -2;
}

/* What a tracer should have written: a header, then each frame as it was. */
static void check_capture(const char *name, u32 frames) {
    static u8 have[1 << 16];
    char path[64];
    snprintf(path, sizeof path, "%s/%s", trace_dir, name);
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL);
    size_t n = f ? fread(have, 1, sizeof have, f) : 0, at = 24;
    if (f) fclose(f);
    unlink(path);
    EQUAL(*(u32 *)have, 0xa1b23c4d);
    for (u32 i = 0; i < frames; i++) {
        u32 length = (u32)sizeof udp_to_9 - i % 3, record[4];
        if (n - at < sizeof record + length) break;
        memcpy(record, have + at, sizeof record);
        EQUAL(record[0], 1700000000); /* the record's time, not the clock's */
        CHECK(record[2] == length && record[3] == length);
        CHECK(!memcmp(have + at + sizeof record, udp_to_9, length));
        at += sizeof record + length;
    }
    EQUAL(at, n);
}

/* Plain WASI programs: one instance, a queue, a file that stays open. */
static void records(const char *module, const char *hook, const char *capture) {
    EQUAL(load("w", module, hook), ERR_OK);
    struct ext *x = ext_find(text("w"));
    if (!x) return;
    EQUAL(x->slots[0].mode, EXT_RECORD);
    for (u32 i = 0; i < 300; i++) {
        EQUAL(fire("net.tap", udp_to_9, (u32)sizeof udp_to_9 - i % 3, i & 1), WHELK_PASS);
        if (i % 7 == 0) ext_record_step();
    }
    CHECK(!ring_empty(&x->queue) && !x->traps);
    EQUAL(x->queue.lost, 0);
    EQUAL(unload("w"), ERR_OK); /* what is queued is handled first */
    check_capture(capture, 300);
}

/* A resumed one with files and a queue: its constructors open anew what they opened,
 * what waited at the quarantine is lost and counted. */
static void resumed_with_files(void) {
    EQUAL(load("w", "wasi_tracer", "net.tap:handle"), ERR_OK);
    struct ext *x = ext_find(text("w"));
    if (!x) return;
    u64 before = kernel_heap_bytes;
    for (u32 life = 0; life < 3; life++) {
        for (u32 i = 0; i < 5; i++) fire("net.tap", udp_to_9, sizeof udp_to_9, 0);
        CHECK(ext_record_step());
        ext_quarantine(x, "for a test");
        EQUAL(fire("net.tap", udp_to_9, sizeof udp_to_9, 0), WHELK_PASS);
        CHECK(!ext_record_step()); /* the worker throws the queue away */
        EQUAL(ext_resume(text("w"), &error), ERR_OK);
        EQUAL(x->queue.lost, 4 * (life + 1));
        EQUAL(kernel_heap_bytes, before);
    }
    for (u32 i = 0; i < 3; i++) fire("net.tap", udp_to_9, (u32)sizeof udp_to_9 - i % 3, 0);
    EQUAL(unload("w"), ERR_OK);
    check_capture("wasi.pcap", 3);
}

/* Neither modules nor their files take the last pages. */
static void short_of_memory(void) {
    kernel_pages_free = 100;
    EQUAL(load("m", "now", ""), ERR_NOMEM);
    CHECK(says(error.text, "only 400 KiB are free"));
    kernel_pages_free = 6000;
    EQUAL(load("m", "rust_tracer", "net.tap:handle_pcap"), ERR_OK);
    kernel_pages_free = 100;
    fire("net.tap", udp_to_9, sizeof udp_to_9, 0);
    CHECK(ext_record_step());
    CHECK(says(kernel_log, "rust.pcap"));
    kernel_pages_free = 6000;
    EQUAL(unload("m"), ERR_OK);
    char path[64];
    snprintf(path, sizeof path, "%s/rust.pcap", trace_dir);
    unlink(path);
}

static u32 fire_call(const char *hook, u64 number, u64 first, i64 *result) {
    struct hook_syscall c = {.number = number, .args = {first, 0, 1234}, .result = *result, .thread = 5};
    u32 verdict = ext_fire_syscall(hook_by_name(text(hook)), &c);
    if (c.decided) *result = c.result;
    return verdict;
}

static void system_calls(void) {
    i64 result = -1;
    EQUAL(fire_call("call.enter", 39, 0, &result), WHELK_PASS); /* nobody there */
    EQUAL(load("sys", "hostile/syscalls", ""), ERR_OK);
    EQUAL(fire_call("call.enter", 39, 0, &result), WHELK_DROP);
    EQUAL(result, 77);
    EQUAL(fire_call("call.enter", 40, 0, &result), WHELK_PASS);
    EQUAL(result, 77);
    fire_call("call.exit", 2, 0, &result);
    EQUAL(result, 77);
    fire_call("call.exit", 110, 0, &result);
    EQUAL(result, 1234);
    fire_call("call.exit", 1, 0x1000, &result);
    EQUAL(result, 8);
    fire_call("call.exit", 1, 0x1006, &result);
    EQUAL(result, 2);
    fire_call("call.exit", 1, (u64)-8, &result);
    EQUAL(result, 0);
    result = 3;
    fire_call("call.exit", 0, 0x1000, &result); /* traps: a trace must not change a result */
    EQUAL(result, 3);
    CHECK(says(describe("sys"), "out of bounds memory access in call.exit"));
    EQUAL(unload("sys"), ERR_OK);
    EQUAL(fire_call("call.enter", 39, 0, &result), WHELK_PASS);
}

static void timers(void) {
    u32 seen;
    EQUAL(ext_timer_step(&seen), WAIT_FOREVER);
    u64 start = time_mono_ns();
    EQUAL(load("sys", "hostile/syscalls", ""), ERR_OK);
    u64 first = ext_timer_step(&seen); /* not at once: the caller of load is not done yet */
    CHECK(first >= start + 1000000 && first < time_mono_ns() + 1000000);
    while (time_mono_ns() < first) continue;
    u64 second = ext_timer_step(&seen);
    CHECK(second >= first + 5000000 && second <= time_mono_ns() + 5000000);
    EQUAL(ext_timer_step(&seen), second); /* not due: nothing called */
    while (time_mono_ns() < second) continue;
    u64 third = ext_timer_step(&seen);
    CHECK(third >= second + 5000000);
    while (time_mono_ns() < third) continue;
    EQUAL(ext_timer_step(&seen), WAIT_FOREVER); /* trapped: no time was given */
    CHECK(says(describe("sys"), "unreachable in timer"));
    EQUAL(unload("sys"), ERR_OK);
}

static i32 run_program(const char *words, size_t n, char *out, size_t cap) {
    struct hook_call c = {.words = {(const u8 *)words, n}, .output = (u8 *)out, .output_cap = cap - 1};
    error.text[0] = 0;
    enum err e = ext_call(text("p"), text(""), &c, &error);
    out[c.output_length] = 0;
    return e ? -(i32)e : c.status;
}

/* A WASI program: each call is one run, with memory, arguments and end of its own. */
static void programs(void) {
    char out[200];
    EQUAL(load("p", "../wasi/args", ""), ERR_OK);
    CHECK(says(lines, "p ctl.call:_start"));
    EQUAL(run_program("", 0, out, sizeof out), 0);
    EQUAL_TEXT(out, "argv[0] = p\n");
    EQUAL(run_program("7\0two words\0", 12, out, sizeof out), 7);
    EQUAL_TEXT(out, "argv[0] = p\nargv[1] = 7\nargv[2] = two words\n");
    EQUAL(run_program("0\0\0", 3, out, sizeof out), 0);
    EQUAL_TEXT(out, "argv[0] = p\nargv[1] = 0\nargv[2] = \n");
    EQUAL(run_program("9\0", 2, out, 6), 9); /* no room for its words: it is told */
    EQUAL_TEXT(out, "argv[");
    CHECK(says(describe("p"), "\"mode\":\"command\"") && says(describe("p"), "\"traps\":0"));
    for (u32 k = 0; k < EXT_TRAPS_MAX; k++) EQUAL(run_program("trap\0", 5, out, sizeof out), -(i32)ERR_TRAP);
    CHECK(says(error.text, "unreachable"));
    EQUAL(run_program("", 0, out, sizeof out), -(i32)ERR_TRAP);
    CHECK(says(error.text, "quarantined"));
    EQUAL(ext_resume(text("p"), &error), ERR_OK);
    EQUAL(run_program("", 0, out, sizeof out), 0);
    ext_find(text("p"))->busy = true;
    EQUAL(run_program("", 0, out, sizeof out), -(i32)ERR_BUSY);
    ext_find(text("p"))->busy = false;
    EQUAL(unload("p"), ERR_OK);
    EQUAL(load("p", "../wasi/args", "net.rx:_start"), ERR_SIGNATURE); /* a packet wants a verdict */
    EQUAL(load("p", "wasi_tracer", "ctl.call:handle"), ERR_SIGNATURE); /* () -> (), but no program */
    CHECK(says(error.text, "program's _start"));
    EQUAL(load("p", "now", ""), ERR_OK);
    EQUAL(run_program("x\0", 2, out, sizeof out), -(i32)ERR_INVALID);
    CHECK(says(error.text, "no program"));
    EQUAL(unload("p"), ERR_OK);
}

static u64 nothing_left(void) { return kernel_heap_bytes; }

int main(void) {
    struct rt_host host;
    host_rt_fill(&host);
    EQUAL(rt_engine_init(&engine, &host), ERR_OK);
    EQUAL(host_rt_install(engine), ERR_OK);
    EQUAL(host_rt_thread(), ERR_OK);
    struct ext_config c = {.engine = engine, .files = &host_wasi, .open_dir = open_dir, .cycles = cycles, .tick_ns = 5000000};
    CHECK(mkdtemp(trace_dir) != NULL);
    EQUAL(ext_start(&c), ERR_OK);
    kernel_pump = ext_record_step;
    u64 before = nothing_left();
    drops_by_port();
    now();
    streams_whole_records();
    refused();
    traps_and_quarantine();
    deadline();
    resumed();
    ticks();
    replaced();
    system_calls();
    timers();
    programs();
    records("wasi_tracer", "net.tap:handle", "wasi.pcap");
    records("wasi_tracer", "net.tap", "wasi.pcap"); /* "handle" by default */
    records("rust_tracer", "net.tap:handle_pcap", "rust.pcap");
    resumed_with_files();
    short_of_memory();
    rmdir(trace_dir);
    EQUAL(nothing_left(), before);
    EQUAL(ext_count(), 0);
    return test_end("ext_ext");
}
