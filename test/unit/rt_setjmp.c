/* What clang makes of setjmp (legacy exceptions), at run time: build/guest/jumps.wasm
 * from test/guest/jumps.c, jumps_cxx.cc and sdk/c/setjmp.c. */
#include <stdio.h>
#include <stdlib.h>

#include "test/lib/engine.h"
#include "test/lib/test.h"
#include "test/lib/wat.h"

static struct test_engine T;

static u64 put(struct abi_ctx *c, u32 x) { return x; }

int main(void) {
    static const struct {
        const char *name;
        u32 in, out;
        enum abi_trap trap;
    } cases[] = {
        {"deep", 0, 427, 0},       {"deep", 1000, 427, 0}, {"nest", 5, 6, 0},
        {"again", 200000, 200000, 0}, {"zero", 0, 1, 0},   {"zero", 9, 9, 0},
        {"nobody", 3, 0, ABI_TRAP_EXCEPTION},              {"deep", 10, 427, 0},
        {"cxx", 20, 520, 0},
    };
    struct rt_store *s;
    struct rt_linker *l;
    struct rt_module *m;
    struct rt_instance *i;
    struct rt_error e = {0};
    size_t before = 0;
    test_engine_open(&T);
    struct bytes b = read_all("build/guest/jumps.wasm");
    EQUAL(rt_store_new(T.engine, NULL, &s), ERR_OK);
    EQUAL(rt_linker_new(T.engine, &l), ERR_OK);
    EQUAL(rt_define_func(l, "env", "put", "i:i", put), ERR_OK);
    EQUAL(rt_module_load(T.engine, b, NULL, &m, &e), ERR_OK);
    EQUAL(rt_instantiate(s, m, l, &i, NULL, &e), ERR_OK);
    for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
        struct rt_callable f;
        union abi_value v[1] = {{.i64 = cases[k].in}};
        EQUAL(rt_find_func(i, test_name(cases[k].name), &f), ERR_OK);
        EQUAL(rt_call(&f, v), cases[k].trap);
        if (!cases[k].trap) EQUAL(v[0].i32, cases[k].out);
        if (!k) before = T.bytes;
        if (!cases[k].trap) EQUAL(T.bytes, before); /* jumps leave nothing */
    }
    free((void *)(uptr)b.p);
    rt_store_free(s);
    rt_module_free(m);
    rt_linker_free(l);
    test_engine_close(&T);
    return test_end("rt_setjmp");
}
