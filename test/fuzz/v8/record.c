/* record.c: generated modules and what they do here, a line each, for another
 * engine to repeat (replay.mjs).
 *
 *   record SECONDS [SEED]
 *   line: SEED HEX-OF-MODULE STEP...
 *   step: fN|ARG:ARG:...|RESULT:...  or  fN|ARGS|!TRAP  a call, in this order
 *         mN|PAGES|HASH   gN|VALUE                       what is left at the end
 *   value: i, I, f or F and the bits in hexadecimal; NaNs are canonical
 *   last line: END and a summary in words
 * Modules whose outcome depends on the size of a stack, or that would wait, are
 * not written. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/host_rt.h"
#include "rt/rt.h"
#include "test/fuzz/differ.h"
#include "test/fuzz/gen.h"
#include "wasm/opcodes.h"

enum { TEXT = 1 << 16 };

static struct rt_engine *engine;
static struct rt_linker *linker;
static u8 module_bytes[GEN_CAP];
static char steps[TEXT];
static size_t used;

static struct {
    u64 modules, functions, memories, memory64, table64, shared, bytes;
    bool op[WASM_OP_COUNT];
} seen;

_Noreturn void assert_fail(const char *what, const char *file, int line) {
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
    abort();
}


static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    used += (size_t)vsnprintf(steps + used, TEXT - used, format, args);
    va_end(args);
    assert(used < TEXT);
}

static void say_value(wasm_type t, u64 bits) {
    char letter = t == WASM_I32 ? 'i' : t == WASM_I64 ? 'I' : t == WASM_F32 ? 'f' : 'F';
    say("%c%llx", letter, (unsigned long long)differ_canonical(bits, t));
}

/* Engines name these differently, or not apart. */
static const char *trap_class(enum abi_trap t) {
    switch (t) {
    case ABI_TRAP_UNREACHABLE: return "unreachable";
    case ABI_TRAP_MEMORY: return "memory";
    case ABI_TRAP_TABLE:
    case ABI_TRAP_TABLE_BOUNDS: return "table";
    case ABI_TRAP_NULL_ELEMENT:
    case ABI_TRAP_INDIRECT_TYPE: return "signature";
    case ABI_TRAP_DIVIDE_BY_ZERO: return "zero";
    case ABI_TRAP_INTEGER_OVERFLOW:
    case ABI_TRAP_BAD_CONVERSION: return "range";
    case ABI_TRAP_NULL_REFERENCE: return "null";
    case ABI_TRAP_UNALIGNED_ATOMIC: return "aligned";
    case ABI_TRAP_EXCEPTION: return "exception";
    default: return NULL;
    }
}

static bool call(struct rt_instance *i, const struct wasm_export *x) {
    struct rt_callable f;
    union abi_value v[8] = {0};
    enum err e = rt_find_func(i, x->name, &f);
    assert(!e && f.type->param_count <= 8 && f.type->result_count <= 8);
    say(" %.*s|", (int)x->name.n, (const char *)x->name.p);
    for (u32 k = 0; k < f.type->param_count; k++) {
        v[k].i64 = differ_argument(x->index, k, f.type->params[k]);
        say("%s", k ? ":" : "");
        say_value(f.type->params[k], v[k].i64);
    }
    enum abi_trap t = rt_call(&f, v);
    if (t && !trap_class(t)) return false;
    say(t ? "|!%s" : "|", t ? trap_class(t) : "");
    for (u32 k = 0; !t && k < f.type->result_count; k++) {
        say("%s", k ? ":" : "");
        say_value(f.type->results[k], v[k].i64);
    }
    seen.functions++;
    return true;
}

static void say_memory(struct rt_instance *i, struct bytes name) {
    struct abi_memory m;
    u32 h = 0x811c9dc5; /* FNV-1a */
    enum err e = rt_find_memory(i, name, &m);
    assert(!e);
    for (u64 k = 0; k < m.bytes; k++) h = (h ^ m.base[k]) * 0x1000193;
    say(" %.*s|%llu|%x", (int)name.n, (const char *)name.p, (unsigned long long)m.pages, h);
}

static bool run(struct rt_instance *i, const struct wasm_module *w) {
    for (u32 k = 0; k < w->export_count; k++)
        if (w->exports[k].kind == WASM_KIND_FUNC && !call(i, &w->exports[k])) return false;
    for (u32 k = 0; k < w->export_count; k++) {
        const struct wasm_export *x = &w->exports[k];
        union abi_value v;
        wasm_type t;
        if (x->kind == WASM_KIND_MEMORY) say_memory(i, x->name);
        if (x->kind != WASM_KIND_GLOBAL || rt_global_get(i, x->name, &v, &t)) continue;
        say(" %.*s|", (int)x->name.n, (const char *)x->name.p);
        say_value(t, v.i64);
    }
    return true;
}

/* What is in the module; false: it may wait. */
static bool survey(const struct wasm_module *w) {
    const char *why;
    struct wasm_instr in;
    bool op[WASM_OP_COUNT] = {0};
    for (u32 f = w->imported_funcs; f < w->func_count; f++)
        for (struct cursor c = cursor_of(w->funcs[f].code); cursor_left(&c);) {
            if (wasm_take_instr(&c, &in, &why)) return false;
            op[in.op] = true;
        }
    if (op[WASM_OP_MEMORY_WAIT32] || op[WASM_OP_MEMORY_WAIT64]) return false;
    for (u32 k = 0; k < WASM_OP_COUNT; k++) seen.op[k] |= op[k];
    for (u32 k = 0; k < w->memory_count; k++) {
        seen.memory64 += w->memories[k].limits.is64;
        seen.shared += w->memories[k].limits.shared;
        seen.bytes += w->memories[k].byte_pages;
    }
    seen.memories += w->memory_count;
    seen.table64 += w->table_count && w->tables[0].limits.is64;
    return true;
}

static void print_module(u64 seed, size_t n) {
    printf("%llu ", (unsigned long long)seed);
    for (size_t k = 0; k < n; k++) printf("%02x", module_bytes[k]);
    printf("%s\n", steps);
    seen.modules++;
}

static void one(u64 seed, size_t n) {
    static const struct rt_limits limits = {.stack_bytes = 4 << 20};
    struct rt_module *m;
    struct rt_store *s;
    struct rt_instance *i;
    struct rt_error error = {0};
    used = 0;
    steps[0] = 0;
    if (rt_module_load(engine, (struct bytes){module_bytes, n}, &limits, &m, &error)) {
        fprintf(stderr, "record: seed %llu: %s\n", (unsigned long long)seed, error.text);
        return;
    }
    enum err e = rt_store_new(engine, &limits, &s);
    assert(!e);
    if (survey(rt_module_info(m)) && !rt_instantiate(s, m, linker, &i, NULL, &error) && run(i, rt_module_info(m)))
        print_module(seed, n);
    rt_store_free(s);
    rt_module_free(m);
}

static u64 next(u64 *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void summary(void) {
    u32 ops = 0, all = 0;
    for (u32 k = 0; k < WASM_OP_COUNT; k++) ops += seen.op[k], all += wasm_opinfos[k].text != NULL;
    printf("END %llu modules, %llu calls, %u of %u instructions; %llu memories (%llu 64-bit, %llu shared, %llu of one-byte "
           "pages), %llu 64-bit tables\n",
           (unsigned long long)seen.modules, (unsigned long long)seen.functions, ops, all, (unsigned long long)seen.memories,
           (unsigned long long)seen.memory64, (unsigned long long)seen.shared, (unsigned long long)seen.bytes,
           (unsigned long long)seen.table64);
}

int main(int argc, char **argv) {
    struct rt_host host;
    time_t end = time(NULL) + (argc > 1 ? atol(argv[1]) : 10);
    u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (u64)end;
    gen_for_v8 = true;
    host_rt_fill(&host);
    if (rt_engine_init(&engine, &host) || host_rt_install(engine) || rt_linker_new(engine, &linker)) return 2;
    if (rt_define_func(linker, "env", "mix", "iI:I", (const void *)differ_mix)) return 2;
    for (; time(NULL) < end; seed++) {
        u64 state = seed * 0x9e3779b97f4a7c15 | 1;
        u8 data[4096];
        size_t n = 64 + next(&state) % (sizeof data - 64);
        for (size_t k = 0; k < n; k++) data[k] = (u8)(next(&state) >> 24);
        one(seed, gen_module((struct bytes){data, n}, module_bytes));
    }
    summary();
    return 0;
}
