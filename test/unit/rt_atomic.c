/* rt_atomic.c: shared memories in several stores and threads: atomic accesses
 * under contention, waiting and waking, alignment, who may wait, stops. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/host_rt.h"
#include "test/lib/engine.h"
#include "test/lib/test.h"
#include "test/lib/wat.h"

enum { THREADS = 4, ROUNDS = 20000 };

static struct test_engine T;

static const char text[] =
    "(module (import \"e\" \"m\" (memory 1 8 shared))"
    " (func (export \"wait\") (param i32 i32 i64) (result i32)"
    "  (memory.atomic.wait32 (local.get 0) (local.get 1) (local.get 2)))"
    " (func (export \"wait64\") (param i32 i64 i64) (result i32)"
    "  (memory.atomic.wait64 offset=8 (local.get 0) (local.get 1) (local.get 2)))"
    " (func (export \"notify\") (param i32 i32) (result i32) (memory.atomic.notify (local.get 0) (local.get 1)))"
    " (func (export \"get\") (param i32) (result i32) (i32.atomic.load (local.get 0)))"
    " (func (export \"size\") (result i32) (memory.size))"
    " (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))"
    " (func (export \"count\") (param i32)"
    "  (loop $l"
    "   (drop (i32.atomic.rmw.add (i32.const 64) (i32.const 3)))"
    "   (drop (i64.atomic.rmw.sub (i32.const 72) (i64.const 5)))"
    "   (drop (i32.atomic.rmw16.xor_u (i32.const 80) (i32.const 0xffff)))"
    "   (drop (i64.atomic.rmw8.or_u (i32.const 84) (i64.const 1)))"
    "   (drop (i64.atomic.rmw8.and_u (i32.const 84) (i64.const 0x7f)))"
    "   (block $got (loop $again"
    "    (br_if $got (i32.eqz (i32.atomic.rmw.cmpxchg (i32.const 88) (i32.const 0) (i32.const 1)))) (br $again)))"
    "   (i32.store (i32.const 96) (i32.add (i32.load (i32.const 96)) (i32.const 1)))"
    "   (i32.atomic.store (i32.const 88) (i32.const 0))"
    "   (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))";

/* A store of its own that has the memory of `owner`. */
struct user {
    struct test_run r;
    struct rt_linker *l;
    pthread_t thread;
    union abi_value vals[3];
    const char *call;
    enum abi_trap trap;
    u64 deadline;
};

static struct test_run owner;
static struct rt_linker *owners;

static void open_user(struct user *u, bool may_wait) {
    struct bytes b = wat(text);
    *u = (struct user){0};
    EQUAL(rt_store_new(T.engine, NULL, &u->r.store), ERR_OK);
    rt_store_let_wait(u->r.store, may_wait);
    EQUAL(rt_module_load(T.engine, b, NULL, &u->r.module, NULL), ERR_OK);
    EQUAL(rt_instantiate(u->r.store, u->r.module, owners, &u->r.instance, NULL, NULL), ERR_OK);
    free((void *)(uptr)b.p);
}

static void open_owner(void) {
    test_run_open(&T, &owner, "(module (memory (export \"m\") 1 8 shared))", NULL, NULL);
    EQUAL(rt_linker_new(T.engine, &owners), ERR_OK);
    EQUAL(rt_define_instance(owners, test_name("e"), owner.instance), ERR_OK);
}

static void close_owner(void) {
    test_run_close(&owner);
    rt_linker_free(owners);
}

static void *run(void *arg) {
    struct user *u = arg;
    struct host_deadline d;
    host_rt_thread();
    if (u->deadline) host_deadline_start(&d, u->r.store, u->deadline);
    u->trap = test_call(&u->r, u->call, u->vals);
    if (u->deadline) host_deadline_end(&d);
    return NULL;
}

static void start(struct user *u, const char *call, u64 a, u64 b, u64 c) {
    u->call = call;
    u->vals[0].i64 = a, u->vals[1].i64 = b, u->vals[2].i64 = c;
    EQUAL(pthread_create(&u->thread, NULL, run, u), 0);
}

static void finish(struct user *u, enum abi_trap trap, u32 result) {
    pthread_join(u->thread, NULL);
    EQUAL(u->trap, trap);
    if (!trap) EQUAL(u->vals[0].i32, result);
}

static u32 call3(struct user *u, const char *name, u64 a, u64 b, u64 c, enum abi_trap *trap) {
    union abi_value v[3] = {{.i64 = a}, {.i64 = b}, {.i64 = c}};
    *trap = test_call(&u->r, name, v);
    return v[0].i32;
}

/* Sums are exact, a spin lock excludes, and the owner may go first. */
static void contention(void) {
    struct user u[THREADS], last;
    open_owner();
    for (u32 i = 0; i < THREADS; i++) open_user(&u[i], false);
    open_user(&last, false);
    close_owner();
    for (u32 i = 0; i < THREADS; i++) start(&u[i], "count", ROUNDS, 0, 0);
    for (u32 i = 0; i < THREADS; i++) finish(&u[i], ABI_TRAP_NONE, ROUNDS);
    EQUAL(test_call1(&last.r, "get", 64, NULL), THREADS * ROUNDS * 3);
    EQUAL(test_call1(&last.r, "get", 72, NULL), (u32)-(THREADS * ROUNDS * 5));
    EQUAL(test_call1(&last.r, "get", 80, NULL), 0); /* an even number of times */
    EQUAL(test_call1(&last.r, "get", 84, NULL), 1);
    EQUAL(test_call1(&last.r, "get", 96, NULL), THREADS * ROUNDS);
    for (u32 i = 0; i < THREADS; i++) test_run_close(&u[i].r);
    test_run_close(&last.r);
}

static void nap(void) {
    struct timespec t = {0, 2000000};
    nanosleep(&t, NULL);
}

/* Woken one by one, those who came first first; on that address only. */
static void order(void) {
    struct user u[3], w;
    enum abi_trap t;
    open_owner();
    open_user(&w, false);
    for (u32 i = 0; i < 3; i++) {
        open_user(&u[i], true);
        start(&u[i], "wait", 16, 0, UINT64_MAX);
        while (host_rt_sleepers() <= i) nap(); /* else the next could come before it */
    }
    EQUAL(call3(&w, "notify", 20, 9, 0, &t), 0);
    EQUAL(call3(&w, "notify", 16, 0, 0, &t), 0);
    for (u32 i = 0; i < 2; i++) {
        EQUAL(call3(&w, "notify", 16, 1, 0, &t), 1);
        finish(&u[i], ABI_TRAP_NONE, RT_WAIT_WOKEN); /* would hang if it were another */
    }
    EQUAL(call3(&w, "notify", 16, UINT32_MAX, 0, &t), 1);
    finish(&u[2], ABI_TRAP_NONE, RT_WAIT_WOKEN);
    for (u32 i = 0; i < 3; i++) test_run_close(&u[i].r);
    test_run_close(&w.r);
    close_owner();
}

static void ends(void) {
    struct user u;
    enum abi_trap t;
    open_owner();
    open_user(&u, true);
    u64 before = T.plain.now_ns(NULL);
    EQUAL(call3(&u, "wait", 0, 0, 20000000, &t), RT_WAIT_TIMED_OUT);
    CHECK(T.plain.now_ns(NULL) - before >= 20000000);
    EQUAL(call3(&u, "wait64", 0, 0, 1, &t), RT_WAIT_TIMED_OUT);
    EQUAL(call3(&u, "wait", 0, 1, UINT64_MAX, &t), RT_WAIT_NOT_EQUAL);
    EQUAL(call3(&u, "wait64", 0, 1ull << 32, UINT64_MAX, &t), RT_WAIT_NOT_EQUAL);
    EQUAL(call3(&u, "wait", 0, 0, 0, &t), RT_WAIT_TIMED_OUT);
    EQUAL(t, ABI_TRAP_NONE);
    u.deadline = 30000000; /* a stop ends it */
    start(&u, "wait", 0, 0, UINT64_MAX);
    finish(&u, ABI_TRAP_DEADLINE, 0);
    start(&u, "wait64", 0, 0, INT64_MAX);
    finish(&u, ABI_TRAP_DEADLINE, 0);
    test_run_close(&u.r);
    close_owner();
}

/* Without leave to wait only what would sleep is refused. */
static void refused(void) {
    struct user u;
    struct test_run r;
    enum abi_trap t;
    open_owner();
    open_user(&u, false);
    EQUAL(call3(&u, "wait", 0, 1, UINT64_MAX, &t), RT_WAIT_NOT_EQUAL);
    EQUAL(call3(&u, "wait", 0, 0, 0, &t), RT_WAIT_TIMED_OUT);
    call3(&u, "wait", 0, 0, 1, &t);
    EQUAL(t, ABI_TRAP_MAY_NOT_WAIT);
    call3(&u, "wait", 2, 0, 0, &t);
    EQUAL(t, ABI_TRAP_UNALIGNED_ATOMIC);
    call3(&u, "wait64", 4, 0, 0, &t);
    EQUAL(t, ABI_TRAP_UNALIGNED_ATOMIC);
    call3(&u, "wait", 65536, 0, 0, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
    call3(&u, "wait64", 0xfffffff8, 0, 0, &t); /* + 8: not 0 */
    EQUAL(t, ABI_TRAP_MEMORY);
    call3(&u, "notify", 3, 1, 0, &t);
    EQUAL(t, ABI_TRAP_UNALIGNED_ATOMIC);
    call3(&u, "notify", 65536, 1, 0, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
    test_run_close(&u.r);
    close_owner();
    test_run_open(&T, &r, "(module (memory 1) (func (export \"w\") (param i32) (result i32)"
                  " (memory.atomic.wait32 (local.get 0) (i32.const 0) (i64.const 0)))"
                  " (func (export \"n\") (param i32) (result i32) (memory.atomic.notify (local.get 0) (i32.const 1))))",
                  NULL, NULL);
    rt_store_let_wait(r.store, true);
    test_call1(&r, "w", 0, &t);
    EQUAL(t, ABI_TRAP_NOT_SHARED);
    EQUAL(test_call1(&r, "n", 0, &t), 0);
    EQUAL(t, ABI_TRAP_NONE);
    test_run_close(&r);
}

/* What one grows all have, and a limit counts what may come. */
static void growth(void) {
    struct rt_limits small = {.memory_bytes = 4 << 16};
    struct user a, b;
    enum abi_trap t;
    struct test_run r;
    open_owner();
    open_user(&a, false);
    open_user(&b, false);
    test_call1(&b.r, "get", 65536, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
    EQUAL(test_call1(&a.r, "grow", 2, NULL), 1);
    EQUAL(test_call1(&b.r, "size", 0, NULL), 3);
    test_call1(&b.r, "get", (3 << 16) - 4, &t);
    EQUAL(t, ABI_TRAP_NONE);
    test_call1(&b.r, "get", 3 << 16, &t);
    EQUAL(t, ABI_TRAP_MEMORY);
    EQUAL(test_call1(&b.r, "grow", 6, NULL), UINT32_MAX);
    EQUAL(test_call1(&b.r, "grow", 5, NULL), 3);
    EQUAL(test_call1(&a.r, "size", 0, NULL), 8);
    test_run_close(&a.r);
    test_run_close(&b.r);
    close_owner();
    test_run_open(&T, &r, "(module (memory 1 100 shared) (memory $b 0) (func (export \"run\") (param i32) (result i32)"
                  " (i32.or (i32.shl (memory.grow $b (i32.const 1)) (i32.const 8)) (memory.grow (local.get 0)))))",
                  NULL, &small);
    EQUAL(test_call1(&r, "run", 3, NULL), 0xffffff01); /* the shared one may have all four */
    test_run_close(&r);
}

/* Every size at every misalignment, with a static offset that makes it good. */
static void alignment(void) {
    struct test_run r;
    enum abi_trap t;
    test_run_open(&T, &r, "(module (memory 1) (memory $b 1) (memory $w i64 1)"
                  " (func (export \"a2\") (param i32) (result i32) (i32.atomic.load16_u (local.get 0)))"
                  " (func (export \"a4\") (param i32) (result i32) (i32.atomic.rmw.or (local.get 0) (i32.const 1)))"
                  " (func (export \"a8\") (param i32) (result i64) (i64.atomic.rmw.add (local.get 0) (i64.const 1)))"
                  " (func (export \"b2\") (param i32) (result i32) (i32.atomic.rmw16.cmpxchg_u 1 offset=1 (local.get 0) (i32.const 0) (i32.const 0)))"
                  " (func (export \"b4\") (param i32) (i32.atomic.store 1 offset=0x7fffffff (local.get 0) (i32.const 1)))"
                  " (func (export \"w8\") (param i64) (result i64) (i64.atomic.load 2 offset=5 (local.get 0))))",
                  NULL, NULL);
    for (u32 at = 65520; at < 65545; at++) {
        test_call1(&r, "a2", at, &t);
        EQUAL(t, at % 2 ? ABI_TRAP_UNALIGNED_ATOMIC : at < 65536 ? ABI_TRAP_NONE : ABI_TRAP_MEMORY);
        test_call1(&r, "a4", at, &t);
        EQUAL(t, at % 4 ? ABI_TRAP_UNALIGNED_ATOMIC : at < 65536 ? ABI_TRAP_NONE : ABI_TRAP_MEMORY);
        test_call1(&r, "a8", at, &t);
        EQUAL(t, at % 8 ? ABI_TRAP_UNALIGNED_ATOMIC : at < 65536 ? ABI_TRAP_NONE : ABI_TRAP_MEMORY);
        test_call1(&r, "b2", at, &t);
        EQUAL(t, at % 2 == 0 ? ABI_TRAP_UNALIGNED_ATOMIC : at < 65535 ? ABI_TRAP_NONE : ABI_TRAP_MEMORY);
        test_call1(&r, "b4", at, &t);
        EQUAL(t, (at + 3) % 4 ? ABI_TRAP_UNALIGNED_ATOMIC : ABI_TRAP_MEMORY);
        test_call1(&r, "w8", at, &t);
        EQUAL(t, (at + 5) % 8 ? ABI_TRAP_UNALIGNED_ATOMIC : at + 5 < 65536 ? ABI_TRAP_NONE : ABI_TRAP_MEMORY);
    }
    test_run_close(&r);
}

int main(void) {
    for (u32 checked = 0; checked < 2; checked++) {
        if (checked) test_engine_open_checked(&T);
        else test_engine_open(&T);
        alignment();
        refused();
        growth();
        ends();
        order();
        contention();
        test_engine_close(&T);
    }
    return test_end("rt_atomic");
}
