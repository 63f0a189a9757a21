/* jit_run.c: compiles a small module in each mode, proves and maps the code and calls it
 * through its thunks, without rt/. Then: memory that runs out at any point of
 * a compile is an error, never a crash.
 *
 * The module is test/unit/jit_run.wat, assembled by wabt. */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "base/arena.h"
#include "jit/jit.h"
#include "rt/internal.h"
#include "test/lib/test.h"
#include "verify/verify.h"

static const u8 wasm[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x3a, 0x09, 0x60,
    0x01, 0x7f, 0x01, 0x7f, 0x60, 0x03, 0x7f, 0x7e, 0x7c, 0x01, 0x7e, 0x60,
    0x02, 0x7f, 0x7f, 0x01, 0x7f, 0x60, 0x01, 0x7f, 0x01, 0x7e, 0x60, 0x08,
    0x7f, 0x7e, 0x7f, 0x7e, 0x7f, 0x7e, 0x7f, 0x7e, 0x03, 0x7f, 0x7e, 0x7e,
    0x60, 0x01, 0x7e, 0x01, 0x7e, 0x60, 0x01, 0x7c, 0x01, 0x7f, 0x60, 0x00,
    0x00, 0x60, 0x02, 0x7f, 0x7f, 0x02, 0x7f, 0x7f, 0x02, 0x0b, 0x01, 0x03,
    0x65, 0x6e, 0x76, 0x03, 0x6d, 0x69, 0x78, 0x00, 0x01, 0x03, 0x0e, 0x0d,
    0x02, 0x00, 0x02, 0x03, 0x04, 0x05, 0x03, 0x00, 0x06, 0x07, 0x00, 0x02,
    0x08, 0x05, 0x03, 0x01, 0x00, 0x01, 0x06, 0x06, 0x01, 0x7e, 0x01, 0x42,
    0x00, 0x0b, 0x07, 0x5e, 0x0d, 0x03, 0x73, 0x75, 0x6d, 0x00, 0x01, 0x03,
    0x66, 0x69, 0x62, 0x00, 0x02, 0x03, 0x64, 0x69, 0x76, 0x00, 0x03, 0x04,
    0x68, 0x6f, 0x73, 0x74, 0x00, 0x04, 0x04, 0x6d, 0x61, 0x6e, 0x79, 0x00,
    0x05, 0x04, 0x62, 0x69, 0x74, 0x73, 0x00, 0x06, 0x04, 0x65, 0x64, 0x67,
    0x65, 0x00, 0x07, 0x03, 0x66, 0x61, 0x72, 0x00, 0x08, 0x05, 0x74, 0x72,
    0x75, 0x6e, 0x63, 0x00, 0x09, 0x05, 0x6e, 0x65, 0x76, 0x65, 0x72, 0x00,
    0x0a, 0x06, 0x73, 0x77, 0x69, 0x74, 0x63, 0x68, 0x00, 0x0b, 0x06, 0x62,
    0x65, 0x73, 0x69, 0x64, 0x65, 0x00, 0x0c, 0x04, 0x6b, 0x65, 0x70, 0x74,
    0x00, 0x0d, 0x0a, 0x80, 0x02, 0x0d, 0x23, 0x01, 0x01, 0x7f, 0x03, 0x40,
    0x20, 0x02, 0x20, 0x00, 0x2d, 0x00, 0x00, 0x6a, 0x21, 0x02, 0x20, 0x00,
    0x41, 0x01, 0x6a, 0x21, 0x00, 0x20, 0x01, 0x41, 0x01, 0x6b, 0x22, 0x01,
    0x0d, 0x00, 0x0b, 0x20, 0x02, 0x0b, 0x1c, 0x00, 0x20, 0x00, 0x41, 0x02,
    0x49, 0x04, 0x7f, 0x20, 0x00, 0x05, 0x20, 0x00, 0x41, 0x01, 0x6b, 0x10,
    0x02, 0x20, 0x00, 0x41, 0x02, 0x6b, 0x10, 0x02, 0x6a, 0x0b, 0x0b, 0x07,
    0x00, 0x20, 0x00, 0x20, 0x01, 0x6d, 0x0b, 0x11, 0x00, 0x20, 0x00, 0x42,
    0x05, 0x44, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xe0, 0x3f, 0x10, 0x00,
    0x0b, 0x11, 0x00, 0x20, 0x00, 0x20, 0x06, 0x6a, 0x20, 0x07, 0x20, 0x01,
    0x7d, 0x20, 0x03, 0x20, 0x05, 0x7c, 0x0b, 0x15, 0x00, 0x20, 0x00, 0x7b,
    0x42, 0xe4, 0x00, 0x20, 0x00, 0x79, 0x42, 0xe4, 0x00, 0x20, 0x00, 0x7a,
    0x7e, 0x7c, 0x7e, 0x7c, 0x0b, 0x07, 0x00, 0x20, 0x00, 0x29, 0x03, 0x04,
    0x0b, 0x0b, 0x00, 0x20, 0x00, 0x28, 0x02, 0x80, 0x80, 0x80, 0x80, 0x09,
    0x0b, 0x05, 0x00, 0x20, 0x00, 0xaa, 0x0b, 0x03, 0x00, 0x00, 0x0b, 0x1a,
    0x00, 0x02, 0x40, 0x02, 0x40, 0x02, 0x40, 0x20, 0x00, 0x0e, 0x02, 0x00,
    0x01, 0x02, 0x0b, 0x41, 0x0a, 0x0f, 0x0b, 0x41, 0x14, 0x0f, 0x0b, 0x41,
    0x1e, 0x0b, 0x2d, 0x01, 0x02, 0x7e, 0x20, 0x00, 0xad, 0x42, 0x03, 0x7e,
    0x22, 0x03, 0x21, 0x02, 0x02, 0x7f, 0x02, 0x40, 0x20, 0x00, 0x0d, 0x00,
    0x20, 0x01, 0x41, 0x05, 0x6a, 0x20, 0x01, 0x0d, 0x01, 0x1a, 0x42, 0x07,
    0x21, 0x02, 0x0b, 0x20, 0x02, 0x20, 0x03, 0x7c, 0xa7, 0x0f, 0x0b, 0x0b,
    0x14, 0x00, 0x20, 0x00, 0x41, 0x07, 0x20, 0x01, 0x10, 0x02, 0x0d, 0x00,
    0x1a, 0x20, 0x01, 0x10, 0x02, 0x41, 0x08, 0x6a, 0x0b
};

enum { RESERVE_GIB = 9 };

static struct jit_code code;
static u8 *text, *memory, *context;
static struct abi_store store;
static struct wasm_module module;

static void *map(size_t n, int protection) {
    void *p = mmap(NULL, n, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(p != MAP_FAILED);
    return p;
}

/* What rt/ does: a fault at a known pc becomes its trap. */
static void on_fault(int signal, siginfo_t *info, void *at) {
    greg_t *regs = ((ucontext_t *)at)->uc_mcontext.gregs;
    u32 pc = (u32)((u8 *)regs[REG_RIP] - text);
    for (u32 i = 0; i < code.trap_count; i++) {
        if (code.traps[i].pc != pc) continue;
        regs[REG_RIP] = (greg_t)(text + code.trap_exit);
        regs[REG_RDI] = code.traps[i].kind;
        return;
    }
    sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
}

static u64 mix(struct abi_ctx *caller, u32 a, u64 b, double c) { return a * 1000 + b * 10 + (u64)(c * 2); }

static u32 *type_ids(struct arena *a) {
    u32 *ids = ARENA_ARRAY(a, u32, module.type_count);
    for (u32 i = 0; i < module.type_count; i++) ids[i] = 7 + module.types[i].canon;
    return ids;
}

static void prove(struct arena *a, const struct jit_options *o) {
    struct verify_module facts;
    struct verify_error why = {0};
    CHECK(rt_proof_facts(a, &module, o, &code, &facts));
    EQUAL(verify_code(a, &facts, &why), ERR_OK);
}

static void load(struct arena *a, struct jit_options o) {
    struct arena scratch;
    struct jit_error why;
    o.type_ids = type_ids(a);
    arena_init(&scratch, &test_heap, 0);
    EQUAL(jit_compile(a, &scratch, &module, &o, &code, &why), ERR_OK);
    prove(&scratch, &o);
    arena_reset(&scratch);
    text = map(code.size, PROT_READ | PROT_WRITE);
    memcpy(text, code.bytes, code.size);
    mprotect(text, code.size, PROT_READ | PROT_EXEC);
}

static void make_instance(struct arena *a) {
    struct abi_layout l = abi_layout((struct abi_counts){1, 0, module.global_count, 1});
    context = arena_alloc(a, l.size);
    memory = map((size_t)RESERVE_GIB << 30, PROT_NONE);
    mprotect(memory, WASM_PAGE, PROT_READ | PROT_WRITE);
    for (u32 i = 0; i < 100; i++) memory[i] = (u8)i;
    *(struct abi_ctx *)context = (struct abi_ctx){.mem_base = memory, .mem_bytes = WASM_PAGE, .mem_pages = 1, .store = &store};
}

/* The import, as it is called in line and through a stub. */
static void link_host(void) {
    static const struct abi_host host = {.fn = (const void *)mix};
    struct abi_layout l = abi_layout((struct abi_counts){1, 0, module.global_count, 1});
    u32 stub = code.host_stubs[module.funcs[0].type];
    *(struct abi_func *)(context + l.imports) = (struct abi_func){text + stub, (void *)(uptr)&host};
    *(const void **)(context + l.direct) = host.fn;
}

static u32 call(const char *name, union abi_value *vals) {
    const struct wasm_export *x = wasm_find_export(&module, (struct bytes){(const u8 *)name, strlen(name)}, WASM_KIND_FUNC);
    struct abi_func f = {text + code.funcs[x->index - module.imported_funcs].entry, context};
    abi_thunk *thunk = (abi_thunk *)(text + code.thunks[module.funcs[x->index].type]);
    EQUAL(abi_type_id(f.code), 7 + module.types[module.funcs[x->index].type].canon);
    u32 trap = thunk((struct abi_ctx *)context, &f, vals);
    EQUAL(store.trap_sp, 0);
    return trap;
}

static u64 call2(const char *name, u64 a, u64 b, u32 trap) {
    union abi_value v[8] = {{.i64 = a}, {.i64 = b}};
    EQUAL(call(name, v), trap);
    return v[0].i64;
}

static void test_values(void) {
    u64 dirty = 0xdeadbeef00000000; /* upper halves of i32 arguments mean nothing */
    EQUAL((u32)call2("sum", dirty | 3, 5, ABI_TRAP_NONE), 3 + 4 + 5 + 6 + 7);
    EQUAL((u32)call2("fib", 20, 0, ABI_TRAP_NONE), 6765);
    EQUAL((u32)call2("div", (u32)-7, 2, ABI_TRAP_NONE), (u32)-3);
    EQUAL((u32)call2("beside", 0, 3, ABI_TRAP_NONE), 8);
    EQUAL((u32)call2("beside", 0, 0, ABI_TRAP_NONE), 7);
    EQUAL((u32)call2("beside", 2, 3, ABI_TRAP_NONE), 12);
    EQUAL(call2("host", dirty | 7, 0, ABI_TRAP_NONE), 7051);
    EQUAL(call2("bits", 0xff00, 0, ABI_TRAP_NONE), 8 + 100 * (48 + 100 * 8));
    EQUAL(call2("bits", 0, 0, ABI_TRAP_NONE), 100 * (64 + 100 * 64));
    for (u32 k = 0; k < 4; k++) EQUAL((u32)call2("switch", k, 0, ABI_TRAP_NONE), 10 * (MIN(k, 2u) + 1));
    for (u32 k = 0; k < 7; k++) {
        union abi_value kept[2] = {{.i64 = 11}, {.i64 = k}};
        EQUAL(call("kept", kept), ABI_TRAP_NONE);
        EQUAL(kept[0].i32, 11);
        EQUAL(kept[1].i32, k ? 7 : 8);
    }
    union abi_value v[8] = {{.i64 = 1}, {.i64 = 2}, {.i64 = 3}, {.i64 = 4}, {.i64 = 5}, {.i64 = 6}, {.i64 = 7}, {.i64 = 8}};
    EQUAL(call("many", v), ABI_TRAP_NONE);
    EQUAL(v[0].i32, 8);
    EQUAL(v[1].i64, 6);
    EQUAL(v[2].i64, 10);
}

static void test_traps(void) {
    EQUAL(call2("edge", 0, 0, ABI_TRAP_NONE), 0x0b0a090807060504);
    EQUAL(call2("edge", WASM_PAGE - 12, 0, ABI_TRAP_NONE), 0);
    call2("edge", WASM_PAGE - 11, 0, ABI_TRAP_MEMORY);
    call2("edge", UINT32_MAX, 0, ABI_TRAP_MEMORY);
    call2("far", 0, 0, ABI_TRAP_MEMORY);
    call2("far", UINT32_MAX, 0, ABI_TRAP_MEMORY);
    call2("div", 1, 0, ABI_TRAP_DIVIDE_BY_ZERO);
    call2("div", 1u << 31, UINT32_MAX, ABI_TRAP_INTEGER_OVERFLOW);
    call2("never", 0, 0, ABI_TRAP_UNREACHABLE);
    call2("trunc", 0x7ff8000000000000, 0, ABI_TRAP_BAD_CONVERSION);
    call2("trunc", 0x41e0000000000000, 0, ABI_TRAP_INTEGER_OVERFLOW); /* 2^31 */
    EQUAL((u32)call2("trunc", 0xc1e0000000100000, 0, ABI_TRAP_NONE), 1u << 31); /* -2^31 - 0.5 */
}

/* Every place where a compile asks for memory may be told that there is none. */
static void test_memory_runs_out(struct arena *a) {
    u32 *ids = type_ids(a), refused = 0;
    struct jit_options o = {.type_ids = ids};
    for (size_t limit = 64;; limit += 512) {
        struct arena result, scratch;
        struct jit_code out;
        struct jit_error why;
        arena_init(&result, &test_heap, limit);
        arena_init(&scratch, &test_heap, limit);
        enum err e = jit_compile(&result, &scratch, &module, &o, &out, &why);
        EQUAL(arena_used(&scratch), 0);
        arena_reset(&result);
        arena_reset(&scratch);
        if (!e) break;
        EQUAL(e, ERR_NOMEM);
        refused++;
    }
    CHECK(refused > 10);
}

int main(void) {
    struct arena a;
    struct wasm_error why;
    struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    arena_init(&a, &test_heap, 0);
    EQUAL(wasm_decode(&a, (struct bytes){wasm, sizeof wasm}, &module, &why), ERR_OK);
    EQUAL(wasm_validate(&a, &module, &why), ERR_OK);
    sigaction(SIGSEGV, &fault, NULL);
    sigaction(SIGILL, &fault, NULL);
    make_instance(&a);
    for (u32 mode = 0; mode < 32; mode++) {
        /* SSE2 alone, or what this machine surely has not less than: POPCNT and SSE4.1 */
        u32 cpu = mode & 1 && __builtin_cpu_supports("popcnt") ? JIT_CPU_POPCNT : 0;
        load(&a, (struct jit_options){.cpu = cpu, .checked_memory = mode & 2, .coarse = mode & 4, .registers = mode >> 3});
        link_host();
        test_values();
        test_traps();
        munmap(text, code.size);
    }
    test_memory_runs_out(&a);
    arena_reset(&a);
    return test_end("jit_run");
}
