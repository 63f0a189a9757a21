/* shared.c: several memories and waiting in ring 0: modules on kernel threads
 * that may block, and as extensions, which may not. */
#include "base/mem.h"
#include "init/engine.h"
#include "init/init.h"
#include "kern/lock.h"
#include "kern/park.h"
#include "kern/thread.h"
#include "kern/time.h"
#include "test/lib/test.h"

#define MS 1000000ull
enum { ROUNDS = 20000 };

static const u8 module_bytes[] = {
#include "build/gen/test/vm/shared.inc"
};

struct user {
    struct rt_store *store;
    struct rt_instance *instance;
    union abi_value vals[3];
    const char *call;
    volatile bool done;
    enum abi_trap trap;
};

static struct rt_module *module;
static struct user sleeper, worker;

static bool open_user(struct user *u, bool may_wait) {
    const struct rt_limits limits = {.memory_bytes = 8 << 20};
    struct rt_error error = {0};
    CHECK(!rt_store_new(engine(), &limits, &u->store));
    rt_store_let_wait(u->store, may_wait);
    enum err e = rt_instantiate(u->store, module, NULL, &u->instance, NULL, &error);
    EQUAL_TEXT(e ? error.text : "", "");
    return !e;
}

static enum abi_trap call(struct user *u, const char *name, union abi_value *vals) {
    struct rt_callable c;
    enum err e = rt_find_func(u->instance, (struct bytes){(const u8 *)name, strlen(name)}, &c);
    EQUAL(e, ERR_OK);
    return e ? ABI_TRAP_HOST : rt_call(&c, vals);
}

static u32 call3(struct user *u, const char *name, u64 a, u64 b, u64 c, enum abi_trap *trap) {
    union abi_value v[3] = {{.i64 = a}, {.i64 = b}, {.i64 = c}};
    *trap = call(u, name, v);
    return v[0].i32;
}

static void run(void *arg) {
    struct user *u = arg;
    u->trap = call(u, u->call, u->vals);
    u->done = true;
}

static void start(struct user *u, const char *name, u64 a, u64 b, u64 c) {
    u->call = name;
    u->done = false;
    u->vals[0].i64 = a, u->vals[1].i64 = b, u->vals[2].i64 = c;
    EQUAL(thread_create(name, run, u, NULL), ERR_OK);
}

static void finish(struct user *u) {
    for (u64 limit = time_mono_ns() + 60000 * MS; !u->done && time_mono_ns() < limit;) thread_sleep_until(time_mono_ns() + MS);
    CHECK(u->done);
}

static void test_waits(void) {
    enum abi_trap t;
    u64 before = time_mono_ns();
    EQUAL(call3(&worker, "wait", 0, 0, 3 * MS, &t), RT_WAIT_TIMED_OUT);
    CHECK(time_mono_ns() - before >= 3 * MS);
    EQUAL(call3(&worker, "wait", 0, 1, UINT64_MAX, &t), RT_WAIT_NOT_EQUAL);
    EQUAL(call3(&worker, "notify", 0, 9, 0, &t), 0);
    start(&sleeper, "wait", 16, 0, UINT64_MAX);
    for (u32 i = 0; i < 100; i++) thread_yield(); /* it has its turns, until it sleeps */
    CHECK(!sleeper.done);
    struct abi_memory m = {0};
    EQUAL(rt_find_memory(sleeper.instance, (struct bytes){(const u8 *)"m", 1}, &m), ERR_OK);
    EQUAL(park_wake(m.base + 16, 9), 1);
    finish(&sleeper);
    EQUAL(sleeper.trap, ABI_TRAP_NONE);
    EQUAL(sleeper.vals[0].i32, RT_WAIT_WOKEN);
}

static u64 stop_at;
static bool stop_when_late(struct rt_regs *regs) {
    return time_mono_ns() >= stop_at && rt_stop(sleeper.store, ABI_TRAP_DEADLINE, regs);
}

/* What sleeps for ever ends when it is stopped, and goes on being usable. */
static void test_stop(void) {
    enum abi_trap t;
    stop_at = time_mono_ns() + 10 * MS;
    start(&sleeper, "wait", 16, 0, UINT64_MAX);
    engine_on_tick(stop_when_late, MS);
    finish(&sleeper);
    engine_on_tick(NULL, 0);
    EQUAL(sleeper.trap, ABI_TRAP_DEADLINE);
    EQUAL(call3(&sleeper, "get", 16, 0, 0, &t), 0);
    EQUAL(t, ABI_TRAP_NONE);
}

static void test_accesses(void) {
    enum abi_trap t;
    start(&sleeper, "count", ROUNDS, 0, 0);
    finish(&sleeper);
    EQUAL(call3(&sleeper, "get", 64, 0, 0, &t), 3 * ROUNDS);
    EQUAL(call3(&sleeper, "get", 68, 0, 0, &t), 0);
    call3(&sleeper, "get", 65, 0, 0, &t);
    EQUAL(t, ABI_TRAP_UNALIGNED_ATOMIC);
    call3(&sleeper, "get", 65536, 0, 0, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
    EQUAL(call3(&sleeper, "own", 65532, 0, 0, &t), 77);
    call3(&sleeper, "own", 65533, 0, 0, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
    call3(&sleeper, "own", 0xfffffffc, 0, 0, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
}

/* With preemption off, as an extension runs. */
static void test_extension(void) {
    struct user x = {0};
    enum abi_trap t;
    if (!open_user(&x, false)) return;
    preempt_disable();
    EQUAL(call3(&x, "wait", 0, 1, UINT64_MAX, &t), RT_WAIT_NOT_EQUAL);
    EQUAL(call3(&x, "wait", 0, 0, 0, &t), RT_WAIT_TIMED_OUT);
    call3(&x, "wait", 0, 0, 1, &t);
    EQUAL(t, ABI_TRAP_MAY_NOT_WAIT);
    EQUAL(call3(&x, "notify", 0, 1, 0, &t), 0);
    EQUAL(t, ABI_TRAP_NONE);
    preempt_enable();
    rt_store_free(x.store);
}

int vm_test(void) {
    struct rt_error error = {0};
    enum err e = rt_module_load(engine(), (struct bytes){module_bytes, sizeof module_bytes}, NULL, &module, &error);
    EQUAL_TEXT(e ? error.text : "", "");
    if (!e && open_user(&sleeper, true) && open_user(&worker, true)) {
        test_waits();
        test_stop();
        test_accesses();
        test_extension();
    }
    rt_store_free(sleeper.store);
    rt_store_free(worker.store);
    rt_module_free(module);
    return test_end("shared");
}
