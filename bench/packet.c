/* packet.c: where a packet's nanoseconds go: the hook, the slot, the entry, the
 * handler, the verdict. The kernel's own objects of hook/, ext/ and rt/, in a Linux
 * process over stand-ins for kern/ (test/ext/kernel.c): what they do is a few stores.
 * The stages are measured in turn, medians of ROUNDS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "cli/host_rt.h"
#include "cli/host_wasi.h"
#include "ext/ext.h"
#include "ext/internal.h"
#include "rt/enter.h"

enum { FRAMES = 200000, ROUNDS = 15 };

static const u8 frame[64] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0,
                             10, 0, 2, 2, 10, 0, 2, 15, 0x30, 0x39, 0, 8, 0, 12, 0, 0, 'd', 'a', 't', 'a'};
static struct hook *rx;

static struct bytes text(const char *s) { return (struct bytes){(const u8 *)s, strlen(s)}; }

static void die(const char *what) {
    fprintf(stderr, "packet: %s\n", what);
    exit(1);
}

_Noreturn void assert_fail(const char *what, const char *file, int line) {
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

static u64 cycles(void) {
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (u64)high << 32 | low;
}

static u64 now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

/* ---- the stages ---- */

__attribute__((noipa)) static i32 pass_slot(struct hook_slot *s, void *event) { return WHELK_PASS; }

static struct hook_slot native = {.fn = pass_slot};

static void load(const char *name, const char *path) {
    static u8 bytes[1 << 20];
    static char lines[256];
    struct ext_error error = {0};
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
    if (f) fclose(f);
    struct ext_request r = {.name = text(name), .hook = text(""), .module = {bytes, n}};
    if (ext_load(&r, lines, sizeof lines, &error)) die(error.text);
}

static void unload(const char *name) {
    struct ext_error error = {0};
    if (ext_unload(text(name), &error)) die(error.text);
}

static void none(void) {}
static void slot_on(void) { hook_attach(rx, &native); }
static void slot_off(void) { hook_detach(&native); }
static void pass_on(void) { load("pass", "build/bench/micro/pass.wasm"); }
static void pass_off(void) { unload("pass"); }
static void filter_on(void) { load("filter", "build/ext/drop_port.wasm"); }
static void filter_off(void) { unload("filter"); }

static void fire(void) {
    for (u32 k = 0; k < FRAMES; k++) {
        struct hook_frame f = {.bytes = (u8 *)(uptr)frame, .length = sizeof frame, .interface = 1, .writable = true};
        __asm__ volatile("" : : "r"(&f) : "memory");
        if (ext_fire_frame(rx, &f) != WHELK_PASS) die("a frame did not pass");
    }
}

/* The handler alone, as ext_native_fire enters it. */
static void enter(void) {
    struct ext *x = ext_find(text("pass"));
    const struct rt_callable *c = &x->slots[0].handler;
    for (u32 k = 0; k < FRAMES; k++) {
        u64 verdict;
        if (rt_call2(c, sizeof frame, 1, &verdict)) die("a trap");
    }
}

static void indirect(void) {
    i32 (*volatile pick)(struct hook_slot *, void *) = pass_slot;
    i32 (*f)(struct hook_slot *, void *) = pick;
    for (u32 k = 0; k < FRAMES; k++) f(&native, NULL);
}

static const struct stage {
    const char *name;
    void (*on)(void), (*run)(void), (*off)(void);
} stages[] = {
    {"a native indirect call", none, indirect, none},
    {"hook without slots", none, fire, none},
    {"hook, a slot in C", slot_on, fire, slot_off},
    {"entry into a handler that passes", pass_on, enter, pass_off},
    {"hook, slot, deadline, entry, verdict", pass_on, fire, pass_off},
    {"the same, a filter that reads the frame", filter_on, fire, filter_off},
};

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void) {
    static double samples[ARRAY_LEN(stages)][ROUNDS];
    struct rt_engine *engine;
    struct rt_host host;
    host_rt_fill(&host);
    if (rt_engine_init(&engine, &host) || host_rt_install(engine) || host_rt_thread()) die("no engine");
    struct ext_config c = {.engine = engine, .files = &host_wasi, .cycles = cycles, .tick_ns = 5000000};
    if (ext_start(&c)) die("ext/ does not start");
    rx = hook_by_name(text("net.rx"));
    for (u32 round = 0; round < ROUNDS; round++)
        for (u32 k = 0; k < ARRAY_LEN(stages); k++) {
            stages[k].on();
            u64 start = now();
            stages[k].run();
            samples[k][round] = (double)(now() - start) / FRAMES;
            stages[k].off();
        }
    for (u32 k = 0; k < ARRAY_LEN(stages); k++) {
        qsort(samples[k], ROUNDS, sizeof(double), ascending);
        printf("%-42s %6.2f ns (least %.2f)\n", stages[k].name, samples[k][ROUNDS / 2], samples[k][0]);
    }
    return 0;
}
