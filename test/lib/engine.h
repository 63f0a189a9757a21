/* engine.h: a hosted engine for tests, whose allocations are counted and can
 * be made to fail. */
#ifndef WHELK_TEST_LIB_ENGINE_H
#define WHELK_TEST_LIB_ENGINE_H

#include "rt/rt.h"

struct test_engine {
    struct rt_host plain, host;
    struct rt_engine *engine;
    size_t bytes;   /* of heap in use */
    size_t spaces;  /* reservations and code areas in use */
    size_t largest; /* larger reservations fail; 0: none */
    size_t fail_at; /* the n-th allocation of any kind from here fails; 0: none */
    size_t count;   /* allocations since test_engine_fail */
    size_t stop_after; /* a memory that grows by more is stopped when it has this; 0: none */
};

void test_engine_open(struct test_engine *t);
/* The same for a host that checks memories in code. */
void test_engine_open_checked(struct test_engine *t);
/* Without address space for more than `largest` at once: so it checks, too. */
void test_engine_open_narrow(struct test_engine *t, size_t largest);
void test_engine_fail(struct test_engine *t, size_t at);
/* Frees the engine and checks that nothing is left. */
void test_engine_close(struct test_engine *t);

/* One module in one store; ends the program when the module is refused. */
struct test_run {
    struct rt_store *store;
    struct rt_module *module;
    struct rt_instance *instance;
};
void test_run_open(struct test_engine *t, struct test_run *r, const char *wat_text,
                   const struct rt_linker *l, const struct rt_limits *limits);
void test_run_close(struct test_run *r);
struct bytes test_name(const char *s);
/* Calls the export; vals as rt_call's. */
enum abi_trap test_call(struct test_run *r, const char *name, union abi_value *vals);
/* With one i32 or i64 argument; the result's low half. */
u32 test_call1(struct test_run *r, const char *name, u64 arg, enum abi_trap *trap);

#endif
