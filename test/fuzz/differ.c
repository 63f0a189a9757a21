/* differ.c: what must agree: traps, results, globals, every byte of memory.
 * Runs that the oracle gives up on (steps, depth) are not compared: their
 * state is unknown from then on, so the module ends there. */
#include "test/fuzz/differ.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/host_rt.h"
#include "jit/jit.h"
#include "rt/rt.h"
#include "test/fuzz/gen.h"
#include "test/oracle/oracle.h"

enum { PAGE_LIMIT = 6, STEPS = 400000, WHY = 200 };

u64 differ_mix(struct abi_ctx *caller, u32 a, u64 b) {
    (void)caller;
    return (b ^ a) * 0x9e3779b97f4a7c15;
}
static u64 oracle_mix(void *self, u32 func, const union abi_value *args) {
    (void)self;
    (void)func;
    return differ_mix(NULL, args[0].i32, args[1].i64);
}

struct machine {
    struct rt_host host;
    struct rt_engine *engine;
    struct rt_linker *linker;
};

/* With guard pages; with every access checked in code, on a processor that knows no VEX;
 * with few registers; the same on a processor that has only what all have; and with liveness
 * as in functions where it would cost too much. */
enum kind { GUARDED, CHECKED, NARROW, BARE, COARSE, KINDS };

/* The one asked for gets the faults. */
static struct machine *machine(enum kind kind) {
    static struct machine machines[KINDS];
    static const u32 registers[KINDS] = {[NARROW] = 3, [BARE] = 3, [COARSE] = 4};
    struct machine *m = &machines[kind];
    enum err e = ERR_OK;
    if (!m->engine) {
        host_rt_fill(&m->host);
        m->host.checked_memory = kind == CHECKED;
        m->host.coarse = kind == COARSE;
        m->host.registers = registers[kind];
        if (kind == CHECKED) m->host.cpu &= ~(u32)(JIT_CPU_BMI1 | JIT_CPU_BMI2 | JIT_CPU_AVX);
        if (kind == BARE) m->host.cpu &= JIT_CPU_SSE41;
        e = rt_engine_init(&m->engine, &m->host);
        if (!e) e = rt_linker_new(m->engine, &m->linker);
        if (!e) e = rt_define_func(m->linker, "env", "mix", "iI:I", (const void *)differ_mix);
    }
    if (!e) e = host_rt_install(m->engine);
    assert(!e);
    return m;
}

u64 differ_canonical(u64 bits, wasm_type type) {
    if (type == WASM_I32) return (u32)bits;
    if (type == WASM_F32) return (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : (u32)bits;
    if (type == WASM_F64) return (bits & INT64_MAX) > 0x7ff0000000000000 ? 0x7ff8000000000000 : bits;
    return bits;
}

u64 differ_argument(u32 func, u32 param, wasm_type t) {
    return differ_canonical((param + 1) * (u64)0x4010203040506070 + func * 12345, t);
}

/* The half of a vector that differ_canonical does not see. */
static bool same_high(union abi_value x, union abi_value y, wasm_type t) { return t != WASM_V128 || x.bits[1] == y.bits[1]; }

static bool same_globals(struct rt_instance *i, struct oracle *o, const char *after, char *why) {
    const struct wasm_module *m = o->m;
    for (u32 k = 0; k < m->export_count; k++) {
        const struct wasm_export *x = &m->exports[k];
        union abi_value v = {.bits = {0}};
        wasm_type type;
        if (x->kind != WASM_KIND_GLOBAL) continue;
        enum err e = rt_global_get(i, x->name, &v, &type);
        assert(!e);
        u64 have = differ_canonical(v.i64, type), want = differ_canonical(o->globals[x->index].i64, type);
        if (have == want && same_high(v, o->globals[x->index], type)) continue;
        snprintf(why, WHY, "%s: global %u is %llx, should be %llx", after, x->index, (unsigned long long)have,
                 (unsigned long long)want);
        return false;
    }
    return true;
}

static bool same_memory(struct rt_instance *i, struct bytes name, const struct oracle_memory *m, const char *after, char *why) {
    struct abi_memory have;
    char text[8];
    enum err e = rt_find_memory(i, name, &have);
    assert(!e);
    snprintf(text, sizeof text, "%.*s", (int)name.n, (const char *)name.p);
    if (have.pages != m->pages || have.bytes != oracle_bytes(m)) {
        snprintf(why, WHY, "%s: %s has %llu pages, should be %llu", after, text, (unsigned long long)have.pages,
                 (unsigned long long)m->pages);
        return false;
    }
    if (!have.bytes || !memcmp(have.base, m->bytes, have.bytes)) return true;
    size_t at = 0;
    while (have.base[at] == m->bytes[at]) at++;
    snprintf(why, WHY, "%s: %s[0x%zx] is %02x, should be %02x", after, text, at, have.base[at], m->bytes[at]);
    return false;
}

static bool same_memories(struct rt_instance *i, struct oracle *o, const char *after, char *why) {
    bool same = true;
    for (u32 k = 0; same && k < o->m->export_count; k++) {
        const struct wasm_export *x = &o->m->exports[k];
        if (x->kind == WASM_KIND_MEMORY) same = same_memory(i, x->name, &o->memories[x->index], after, why);
    }
    return same;
}

static bool same_call(struct rt_instance *i, struct oracle *o, const struct wasm_export *x, bool *more, char *why) {
    const struct wasm_functype *t = &o->m->types[o->m->funcs[x->index].type];
    struct rt_callable f;
    union abi_value vals[8] = {0};
    union abi_value args[8] = {0};
    char after[16];
    snprintf(after, sizeof after, "%.*s", (int)x->name.n, (const char *)x->name.p);
    for (u32 k = 0; k < t->param_count; k++) {
        args[k].i64 = differ_argument(x->index, k, t->params[k]);
        if (t->params[k] == WASM_V128) args[k].bits[1] = ~args[k].i64;
        vals[k] = args[k];
    }
    enum abi_trap want = oracle_call(o, x->index, args);
    *more = want != ABI_TRAP_DEADLINE && want != ABI_TRAP_STACK;
    if (!*more) return true;
    enum err e = rt_find_func(i, x->name, &f);
    assert(!e);
    enum abi_trap have = rt_call(&f, vals);
    if (have != want) {
        snprintf(why, WHY, "%s: trap \"%s\", should be \"%s\"", after, rt_trap_text(have), rt_trap_text(want));
        return false;
    }
    for (u32 k = 0; !want && k < t->result_count; k++) {
        u64 h = differ_canonical(vals[k].i64, t->results[k]), w = differ_canonical(args[k].i64, t->results[k]);
        if (h == w && same_high(vals[k], args[k], t->results[k])) continue;
        snprintf(why, WHY, "%s: result %u is %llx, should be %llx", after, k, (unsigned long long)h, (unsigned long long)w);
        return false;
    }
    return same_memories(i, o, after, why) && same_globals(i, o, after, why);
}

static bool compare(struct rt_instance *i, struct oracle *o, char *why) {
    bool same = same_memories(i, o, "start", why) && same_globals(i, o, "start", why), more = true;
    for (u32 k = 0; same && more && k < o->m->export_count; k++)
        if (o->m->exports[k].kind == WASM_KIND_FUNC) same = same_call(i, o, &o->m->exports[k], &more, why);
    return same;
}

static bool run_both(struct bytes bytes, const struct wasm_module *m, enum kind kind, char *why) {
    struct machine *host = machine(kind);
    struct rt_limits limits = {.memory_bytes = PAGE_LIMIT * WASM_PAGE, .stack_bytes = 1 << 20};
    struct rt_module *module;
    struct rt_store *store;
    struct rt_instance *instance;
    struct rt_error error = {0};
    enum abi_trap trap = ABI_TRAP_NONE;
    if (rt_module_load(host->engine, bytes, &limits, &module, &error)) {
        snprintf(why, WHY, "not loaded: %.150s", error.text);
        return false;
    }
    enum err e = rt_store_new(host->engine, &limits, &store);
    assert(!e);
    bool same = false;
    struct oracle o = {.host = oracle_mix};
    enum abi_trap start = oracle_init(&o, m, PAGE_LIMIT * WASM_PAGE, STEPS);
    if (start == ABI_TRAP_DEADLINE || start == ABI_TRAP_STACK) {
        same = true;
    } else {
        enum err linked = rt_instantiate(store, module, host->linker, &instance, &trap, &error);
        if (linked == ERR_SIGNATURE || linked == ERR_NOT_FOUND) same = true; /* a mutated name */
        else if ((linked && linked != ERR_TRAP) || trap != start)
            snprintf(why, WHY, "start: %.100s, trap \"%s\", should be \"%s\"", error.text, rt_trap_text(trap), rt_trap_text(start));
        else same = linked ? true : compare(instance, &o, why);
    }
    oracle_free(&o);
    rt_store_free(store);
    rt_module_free(module);
    return same;
}

/* Can the oracle stand beside it? */
static bool comparable(const struct wasm_module *m) {
    static const wasm_type mix_params[] = {WASM_I32, WASM_I64};
    for (u32 i = 0; i < m->import_count; i++) {
        const struct wasm_functype *t = &m->types[m->funcs[0].type];
        if (m->imports[i].kind != WASM_KIND_FUNC || m->import_count != 1) return false;
        if (!wasm_types_equal(t->params, t->param_count, mix_params, 2)) return false;
        if (t->result_count != 1 || t->results[0] != WASM_I64) return false;
    }
    for (u32 i = 0; i < m->table_count; i++)
        if (m->tables[i].limits.min > ORACLE_TABLE_MAX / 4 || m->tables[i].limits.max > ORACLE_TABLE_MAX / 4) return false;
    for (u32 i = 0; i < m->func_count; i++) {
        const struct wasm_functype *t = &m->types[m->funcs[i].type];
        if (t->param_count > 8 || t->result_count > 8 || m->funcs[i].local_count > 1000) return false;
    }
    u64 bytes = 0;
    for (u32 i = 0; i < m->memory_count; i++) {
        if (m->memories[i].limits.min > PAGE_LIMIT * WASM_PAGE) return false;
        const struct wasm_limits *l = &m->memories[i].limits;
        if (l->shared && l->max > PAGE_LIMIT * WASM_PAGE) return false;
        bytes += (l->shared ? l->max : l->min) << wasm_page_log2(&m->memories[i]);
    }
    return bytes <= PAGE_LIMIT * WASM_PAGE;
}

bool differ_run(struct bytes bytes, bool valid, char *why) {
    struct arena arena;
    struct wasm_module m;
    struct wasm_error error;
    arena_init(&arena, &host_heap, 0);
    bool same = !valid;
    if (wasm_decode(&arena, bytes, &m, &error) || wasm_validate(&arena, &m, &error))
        snprintf(why, WHY, "refused at 0x%zx: %s", error.offset, error.text);
    else if (!comparable(&m)) snprintf(why, WHY, "asks for more than the oracle offers");
    else same = run_both(bytes, &m, GUARDED, why) && run_both(bytes, &m, CHECKED + bytes.n % (KINDS - CHECKED), why);
    arena_reset(&arena);
    return same;
}
