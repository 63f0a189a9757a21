/* engine.c: modules compiled, called, stopped and unloaded in ring 0. */
#include "init/engine.h"

#include "arch/x86_64/cpu.h"
#include "base/mem.h"
#include "init/init.h"
#include "kern/lock.h"
#include "kern/time.h"
#include "kern/vm.h"
#include "kern/vm_walk.h"
#include "test/lib/test.h"

#define MS 1000000ull

static const u8 module_bytes[] = {
#include "build/gen/test/vm/engine.inc"
};

static struct {
    struct rt_linker *linker;
    struct rt_module *module;
    struct rt_store *store;
    struct rt_instance *instance;
} it;

static bool load(void) {
    struct rt_error error = {0};
    enum abi_trap trap;
    const struct rt_limits limits = {.memory_bytes = 1 << 20};
    CHECK(!rt_linker_new(engine(), &it.linker) && !engine_define(it.linker));
    enum err e = rt_module_load(engine(), (struct bytes){module_bytes, sizeof module_bytes}, NULL, &it.module, &error);
    EQUAL_TEXT(e ? error.text : "", "");
    if (e) return false;
    CHECK(!rt_store_new(engine(), &limits, &it.store));
    e = rt_instantiate(it.store, it.module, it.linker, &it.instance, &trap, &error);
    EQUAL_TEXT(e ? error.text : "", "");
    return !e;
}

static void unload(void) {
    rt_instance_free(it.instance);
    rt_store_free(it.store);
    rt_module_free(it.module);
    rt_linker_free(it.linker);
}

/* As extensions run: interrupts on, preemption off. */
static enum abi_trap call(const char *name, union abi_value *vals) {
    struct rt_callable c;
    if (rt_find_func(it.instance, (struct bytes){(const u8 *)name, strlen(name)}, &c)) {
        CHECK(!"no such export");
        return ABI_TRAP_HOST;
    }
    preempt_disable();
    enum abi_trap t = rt_call(&c, vals);
    preempt_enable();
    return t;
}

static enum abi_trap call_i32(const char *name, u32 a, u32 b, u32 *out) {
    union abi_value v[2] = {{.i32 = a}, {.i32 = b}};
    enum abi_trap t = call(name, v);
    *out = v[0].i32;
    return t;
}

static void test_values(void) {
    union abi_value v[1] = {0};
    u32 r;
    EQUAL(call("now", v), ABI_TRAP_NONE);
    u64 first = v[0].i64;
    CHECK(first > 0 && first <= time_mono_ns());
    EQUAL(call("now", v), ABI_TRAP_NONE);
    CHECK(v[0].i64 >= first);
    EQUAL(call_i32("add", 40, 2, &r), ABI_TRAP_NONE);
    EQUAL(r, 42);
    EQUAL(call_i32("indirect", 0, 0, &r), ABI_TRAP_NONE);
    EQUAL(r, 42);
    v[0].i64 = 0x4009333333333333; /* 3.15 */
    EQUAL(call("floor", v), ABI_TRAP_NONE);
    EQUAL(v[0].i64, 6);
}

static void test_traps(void) {
    u32 r;
    EQUAL(call_i32("load", 65532, 0, &r), ABI_TRAP_NONE);
    EQUAL(call_i32("load", 65533, 0, &r), ABI_TRAP_MEMORY);
    EQUAL(call_i32("load", 0xfffffffc, 0, &r), ABI_TRAP_MEMORY);
    EQUAL(call_i32("div", 1, 0, &r), ABI_TRAP_DIVIDE_BY_ZERO);
    EQUAL(call_i32("div", 0x80000000, 0xffffffff, &r), ABI_TRAP_INTEGER_OVERFLOW);
    EQUAL(call_i32("dead", 0, 0, &r), ABI_TRAP_UNREACHABLE);
    EQUAL(call_i32("indirect", 1, 0, &r), ABI_TRAP_NULL_ELEMENT);
    EQUAL(call_i32("indirect", 7, 0, &r), ABI_TRAP_TABLE);
    EQUAL(call_i32("deep", 0, 0, &r), ABI_TRAP_STACK);
    EQUAL(call_i32("grow", 15, 0, &r), ABI_TRAP_NONE);
    EQUAL(r, 1);
    EQUAL(call_i32("grow", 1, 0, &r), ABI_TRAP_NONE);
    EQUAL(r, UINT32_MAX); /* the store's limit is 1 MiB */
}

static u64 stop_at;
static bool stop_when_late(struct rt_regs *regs) {
    return time_mono_ns() >= stop_at && rt_stop(it.store, ABI_TRAP_DEADLINE, regs);
}
static void test_stops(void) {
    static const char *const endless[] = {"spin", "host_spin"};
    for (unsigned i = 0; i < 10; i++) {
        u32 r;
        u64 start = time_mono_ns();
        stop_at = start + 3 * MS;
        engine_on_tick(stop_when_late, MS);
        EQUAL(call_i32(endless[i % 2], 0, 0, &r), ABI_TRAP_DEADLINE);
        engine_on_tick(NULL, 0);
        CHECK(time_mono_ns() - start >= 3 * MS);
        CHECK(irq_enabled());
        EQUAL(call_i32("add", 1, 2, &r), ABI_TRAP_NONE);
        EQUAL(r, 3);
    }
}

/* The code that a call runs can be executed, and written by no mapping. */
struct seen {
    phys code;
    u32 runs, writes;
};
static void visit(void *arg, uptr va, phys p, u32 prot) {
    struct seen *s = arg;
    if (p.v != s->code.v) return;
    s->runs += !!(prot & VM_EXEC);
    s->writes += !!(prot & VM_WRITE);
}
static void test_sealed(void) {
    struct rt_callable c;
    struct seen s = {.runs = 0};
    u32 prot;
    CHECK(!rt_find_func(it.instance, (struct bytes){(const u8 *)"add", 3}, &c));
#ifdef WHELK_PROCESS /* its code is not in the tables: test/process/seal.c */
    CHECK(c.func.code);
    return;
#endif
    CHECK(vm_lookup(ALIGN_DOWN((uptr)c.func.code, (uptr)PAGE_SIZE), &s.code, &prot));
    EQUAL(prot, VM_READ | VM_EXEC);
    vm_walk(visit, &s);
    EQUAL(s.runs, 1);
    EQUAL(s.writes, 0);
}

static void test_nothing_is_left(void) {
    size_t free_then = 0;
    for (int i = 0; i < 30; i++) {
        if (!load()) return;
        unload();
        if (i == 4) free_then = pages_recount();
    }
    EQUAL(pages_recount(), free_then);
}

int vm_test(void) {
    CHECK(engine());
    if (engine() && load()) {
        test_values();
        test_traps();
        test_stops();
        test_sealed();
        unload();
        test_nothing_is_left();
    }
    return test_end("engine");
}
