/* image.c: the kernel measures its own engine in ring 0, then goes on to the program
 * (bench/vm/program.c). `whelk bench --vm` boots it and reads the lines that begin
 * "bench: ", which are samples: METRIC BENCH ENGINE CYCLES OPERATIONS.
 *
 * I1 under QEMU's -icount a cycle is an instruction: no loop here waits for time.
 * I2 two modules, instances or callees in turn, as in bench/micro.c.
 * I3 calls are made as hooks make them: preemption off, interrupts on, the tick armed. */
#include "arch/x86_64/cpu.h"
#include "base/mem.h"
#include "init/engine.h"
#include "init/init.h"
#include "kern/bootinfo.h"
#include "kern/lock.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/time.h"
#include "rt/enter.h"

enum { CALLS = 10000, REPEAT = 20, BATCH = 16, ROUNDS_MOST = 100, DHRYSTONES = 100000 };
#define TICK_NS 5000000ull

static const u8 tiny_bytes[] = {
#include "build/gen/bench/micro/tiny.inc"
};
static const u8 filter_bytes[] = {
#include "build/gen/bench/micro/filter.inc"
};
static const u8 calls_bytes[] = {
#include "build/gen/bench/micro/calls.inc"
};
static const u8 dhrystone_bytes[] = {
#include "build/gen/bench/wasm/dhrystone.inc"
};
#define BYTES(a) ((struct bytes){(a), sizeof(a)})

static struct rt_linker *linker;
static struct rt_store *store[2];
static struct rt_module *tiny, *calls, *dhrystone;
static struct rt_callable nop[2], add[2], hostcall[2], indirect[2], run;

static u64 host_add(struct abi_ctx *caller, u32 a, u32 b) { return a + b; }
static struct bytes text(const char *s) { return (struct bytes){(const u8 *)s, strlen(s)}; }

static void say(const char *metric, const char *bench, const char *engine, u64 cycles, u32 operations) {
    log_info("bench: %s %s %s %lu %u", metric, bench, engine, cycles, operations);
}

/* --- what is measured --- */

static struct rt_module *load(struct bytes in) {
    struct rt_module *m = NULL;
    struct rt_error error = {0};
    if (rt_module_load(engine(), in, NULL, &m, &error)) panic("bench: %s", error.text);
    return m;
}

static struct rt_instance *create(struct rt_store *s, struct rt_module *m) {
    struct rt_instance *i = NULL;
    struct rt_error error = {0};
    enum abi_trap trap;
    if (rt_instantiate(s, m, linker, &i, &trap, &error)) panic("bench: %s", error.text);
    return i;
}

static struct rt_callable find(struct rt_instance *i, const char *name) {
    struct rt_callable f;
    if (rt_find_func(i, text(name), &f)) panic("bench: there is no %s", name);
    return f;
}

static u32 call(const struct rt_callable *f, u32 a, u32 b) {
    union abi_value vals[2] = {{.i32 = a}, {.i32 = b}};
    preempt_disable();
    enum abi_trap trap = rt_call(f, vals);
    preempt_enable();
    if (trap) panic("bench: %s", rt_trap_text(trap));
    return vals[0].i32;
}

static void call_write(struct rt_instance *i) {
    struct rt_callable f = find(i, "write_at");
    call(&f, 128, 7);
}

/* --- modules and instances --- */

static void measure_compile(const char *bench, struct bytes in) {
    struct rt_module *live[2] = {NULL, NULL};
    u64 spent = 0;
    for (u32 k = 0; k < REPEAT; k++) {
        if (live[k & 1]) rt_module_free(live[k & 1]);
        u64 start = rdtsc();
        live[k & 1] = load(in);
        spent += rdtsc() - start;
    }
    rt_module_free(live[0]);
    rt_module_free(live[1]);
    say("compile", bench, "whelk-vm", spent, REPEAT);
}

static void measure_first_call(void) {
    u64 spent = 0;
    for (u32 k = 0; k < REPEAT; k++) {
        u64 start = rdtsc();
        struct rt_module *m = load(BYTES(tiny_bytes));
        struct rt_instance *i = create(store[0], m);
        struct rt_callable f = find(i, "nop");
        call(&f, 0, 0);
        spent += rdtsc() - start;
        rt_instance_free(i);
        rt_module_free(m);
    }
    say("first_call", "tiny", "whelk-vm", spent, REPEAT);
}

static void measure_instances(void) {
    struct rt_instance *live[BATCH];
    u64 start = rdtsc();
    for (u32 i = 0; i < BATCH; i++) live[i] = create(store[0], tiny);
    u64 middle = rdtsc();
    for (u32 i = 0; i < BATCH; i++) call_write(live[i]);
    u64 end = rdtsc();
    for (u32 i = 0; i < BATCH; i++) rt_instance_free(live[i]);
    say("instantiate", "tiny", "whelk-vm", middle - start, BATCH);
    say("destroy", "tiny", "whelk-vm", rdtsc() - end, BATCH);
}

static void measure_life(void) {
    u64 start = rdtsc();
    for (u32 k = 0; k < REPEAT; k++) {
        struct rt_instance *i = create(store[0], tiny);
        call_write(i);
        rt_instance_free(i);
    }
    say("life", "tiny", "whelk-vm", rdtsc() - start, REPEAT);
}

/* --- calls --- */

static void measure_call(const char *metric, const struct rt_callable *f) {
    u64 sum = 0, start = rdtsc();
    preempt_disable();
    for (u32 k = 0; k < CALLS; k++)
        if (rt_call2(&f[k & 1], sum, k, &sum)) panic("bench: %s trapped", metric);
    preempt_enable();
    say(metric, "micro", "whelk-vm", rdtsc() - start, CALLS);
}

static void measure_loop(const char *metric, const struct rt_callable *f) {
    u64 start = rdtsc();
    for (u32 k = 0; k < 2; k++) call(&f[k], CALLS, 0);
    say(metric, "micro", "whelk-vm", rdtsc() - start, 2 * CALLS);
}

/* The floors: calls of C functions, in the same loops. */
static __attribute__((noinline)) u32 native_add(u32 a, u32 b) {
    __asm__ volatile(""); /* a call of it stays one */
    return a + b;
}
static __attribute__((noinline)) u32 native_mix(u32 a, u32 b) {
    __asm__ volatile("");
    return a ^ b;
}

static void measure_native(void) {
    u32 (*volatile const table[2])(u32, u32) = {native_add, native_mix};
    u32 sum = 0;
    u64 start = rdtsc();
    for (u32 k = 0; k < CALLS; k++) sum = table[k & 1](sum, k);
    u64 middle = rdtsc();
    for (u32 k = 0; k < CALLS; k++) sum = native_add(sum, k);
    u64 end = rdtsc();
    __asm__ volatile("" : : "r"(sum));
    say("call2", "micro", "gcc-vm", middle - start, CALLS);
    say("indirect", "micro", "gcc-vm", middle - start, CALLS);
    say("hostcall", "micro", "gcc-vm", end - middle, CALLS);
}

static void measure_dhrystone(void) {
    u64 start = rdtsc();
    u32 sum = call(&run, 1, 0);
    say("run", "dhrystone", "whelk-vm", rdtsc() - start, DHRYSTONES);
    log_info("bench: sum %08x", sum);
}

/* --- all of it --- */

static void prepare(void) {
    if (rt_linker_new(engine(), &linker) || rt_define_func(linker, "env", "host", "ii:i", (const void *)host_add))
        panic("bench: no linker");
    tiny = load(BYTES(tiny_bytes));
    calls = load(BYTES(calls_bytes));
    dhrystone = load(BYTES(dhrystone_bytes));
    for (u32 k = 0; k < 2; k++) {
        if (rt_store_new(engine(), NULL, &store[k])) panic("bench: no store");
        struct rt_instance *i = create(store[k], calls);
        nop[k] = find(i, "nop"), add[k] = find(i, "add");
        hostcall[k] = find(i, "hostcall"), indirect[k] = find(i, "indirect");
    }
    run = find(create(store[0], dhrystone), "run");
}

static u32 rounds_wanted(void) {
    char value[8];
    u32 n = 0;
    if (option("rounds", value, sizeof value))
        for (const char *p = value; *p >= '0' && *p <= '9'; p++) n = n * 10 + (u32)(*p - '0');
    return n && n <= ROUNDS_MOST ? n : 1;
}

static bool never(struct rt_regs *regs) { return false; }

static void measure_all(void) {
    measure_compile("tiny", BYTES(tiny_bytes));
    measure_first_call();
    measure_compile("filter", BYTES(filter_bytes));
    measure_instances();
    measure_life();
    measure_call("call", nop);
    measure_call("call2", add);
    measure_loop("hostcall", hostcall);
    measure_loop("indirect", indirect);
    measure_native();
    measure_dhrystone();
}

/* Then the program runs. The first round fills pools and caches: the host drops it. */
int vm_test(void) {
    u32 rounds = rounds_wanted();
    u64 cycles = rdtsc(), ns = time_mono_ns();
    if (!engine()) panic("bench: there is no engine");
    prepare();
    engine_on_tick(never, TICK_NS);
    for (u32 i = 0; i <= rounds; i++) {
        log_info("bench: round %u", i);
        measure_all();
    }
    engine_on_tick(NULL, 0);
    log_info("bench: clock %lu %lu", rdtsc() - cycles, time_mono_ns() - ns);
    return VM_TEST_NONE;
}
