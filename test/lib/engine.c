#include "test/lib/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/host_rt.h"
#include "test/lib/test.h"
#include "test/lib/wat.h"

static bool due(struct test_engine *t) { return ++t->count == t->fail_at; }

static void *counted_alloc(void *self, size_t n) {
    struct test_engine *t = self;
    void *p = due(t) ? NULL : t->plain.alloc(NULL, n);
    if (p) t->bytes += n;
    return p;
}
static void counted_free(void *self, void *p, size_t n) {
    struct test_engine *t = self;
    t->bytes -= n;
    t->plain.free(NULL, p, n);
}
static void *counted_reserve(void *self, size_t n) {
    struct test_engine *t = self;
    bool refused = due(t) || (t->largest && n > t->largest);
    void *p = refused ? NULL : t->plain.reserve(NULL, n);
    if (p) t->spaces++;
    return p;
}
static void counted_release(void *self, void *p, size_t n) {
    struct test_engine *t = self;
    t->spaces--;
    t->plain.release(NULL, p, n);
}
static enum err counted_commit(void *self, void *p, size_t *n, const u32 *stop) {
    struct test_engine *t = self;
    if (due(t)) return ERR_NOMEM;
    if (stop && t->stop_after && *n > t->stop_after) { /* as a timer between two parts */
        *n = t->stop_after;
        *(u32 *)(uptr)stop = ABI_TRAP_DEADLINE;
    }
    return t->plain.commit(NULL, p, n, stop);
}
static enum err counted_code(void *self, const void *code, size_t n, void **exec) {
    struct test_engine *t = self;
    enum err e = due(t) ? ERR_NOMEM : t->plain.code_place(NULL, code, n, exec);
    if (!e) t->spaces++;
    return e;
}
static void counted_code_free(void *self, void *exec, size_t n) {
    struct test_engine *t = self;
    t->spaces--;
    t->plain.code_free(NULL, exec, n);
}

static void open_engine(struct test_engine *t, bool checked, size_t largest) {
    *t = (struct test_engine){.largest = largest};
    host_rt_fill(&t->plain);
    t->host = t->plain;
    t->host.self = t;
    t->host.alloc = counted_alloc;
    t->host.free = counted_free;
    t->host.reserve = counted_reserve;
    t->host.release = counted_release;
    t->host.commit = counted_commit;
    t->host.code_place = counted_code;
    t->host.code_free = counted_code_free;
    t->host.checked_memory = checked;
    if (rt_engine_init(&t->engine, &t->host) || host_rt_install(t->engine)) exit(1);
}

void test_engine_open(struct test_engine *t) { open_engine(t, false, 0); }
void test_engine_open_checked(struct test_engine *t) { open_engine(t, true, 0); }
void test_engine_open_narrow(struct test_engine *t, size_t largest) { open_engine(t, false, largest); }

void test_engine_fail(struct test_engine *t, size_t at) {
    t->fail_at = at;
    t->count = 0;
}

void test_engine_close(struct test_engine *t) {
    rt_engine_free(t->engine);
    EQUAL(t->bytes, 0);
    EQUAL(t->spaces, 0);
}

struct bytes test_name(const char *s) { return (struct bytes){(const u8 *)s, strlen(s)}; }

void test_run_open(struct test_engine *t, struct test_run *r, const char *text, const struct rt_linker *l,
                   const struct rt_limits *limits) {
    struct rt_error e = {0};
    struct bytes b = wat(text);
    enum err err = rt_store_new(t->engine, limits, &r->store);
    if (!err) err = rt_module_load(t->engine, b, limits, &r->module, &e);
    if (!err) err = rt_instantiate(r->store, r->module, l, &r->instance, NULL, &e);
    free((void *)(uptr)b.p);
    if (!err) return;
    printf("failed: %s: %s\n%s\n", err_text(err), e.text, text);
    exit(1);
}

void test_run_close(struct test_run *r) {
    rt_store_free(r->store);
    rt_module_free(r->module);
}

enum abi_trap test_call(struct test_run *r, const char *name, union abi_value *vals) {
    struct rt_callable c;
    enum err e = rt_find_func(r->instance, test_name(name), &c);
    if (e) printf("no function %s\n", name);
    EQUAL(e, ERR_OK);
    return e ? ABI_TRAP_HOST : rt_call(&c, vals);
}

u32 test_call1(struct test_run *r, const char *name, u64 arg, enum abi_trap *trap) {
    union abi_value v[2] = {{.i64 = arg}};
    enum abi_trap t = test_call(r, name, v);
    if (trap) *trap = t;
    else EQUAL(t, ABI_TRAP_NONE);
    return v[0].i32;
}
