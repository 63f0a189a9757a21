/* actions.c: invoking functions, reading globals, and what is asserted of it.
 *
 * I1 values are compared as bits; NaN patterns as the suite defines them
 *    (WebAssembly 2.0, 4.3.3): canonical is the quiet bit alone, arithmetic
 *    any payload with the quiet bit.
 * I2 a trap is compared by its text, not only by being one. */
#include "base/assert.h"
#include "base/mem.h"
#include "test/spec/internal.h"

struct action {
    u8 get;
    struct bytes module, field;
    u32 count;
    struct spec_value args[MAX_VALUES];
};

static void take_action(struct cursor *c, struct action *a) {
    a->get = spec_u8(c);
    a->module = spec_text(c);
    a->field = spec_text(c);
    a->count = spec_u8(c);
    assert(a->count <= MAX_VALUES);
    for (u32 i = 0; i < a->count; i++) a->args[i] = spec_value(c);
}

static union abi_value argument(struct spec_run *r, struct spec_value v) {
    union abi_value out = {.bits = {v.bits, v.pattern == PATTERN_V128 ? v.high : 0}};
    if (v.pattern == PATTERN_NULL) out.i64 = 0;
    if (v.pattern == PATTERN_EXTERN) out.i64 = rt_extern_new(r->store, (void *)(uptr)(v.bits + 1));
    return out;
}

struct outcome {
    enum err e; /* not found, ... */
    enum abi_trap trap;
    union abi_value values[MAX_VALUES];
    wasm_type types[MAX_VALUES];
    u32 count;
};

static void invoke(struct spec_run *r, struct rt_instance *i, const struct action *a, struct outcome *o) {
    struct rt_callable f;
    if ((o->e = rt_find_func(i, a->field, &f))) return;
    assert(f.type->param_count <= MAX_VALUES && f.type->result_count <= MAX_VALUES);
    if (f.type->param_count != a->count) {
        o->e = ERR_SIGNATURE;
        return;
    }
    for (u32 k = 0; k < a->count; k++) o->values[k] = argument(r, a->args[k]);
    o->trap = rt_call(&f, o->values);
    o->count = f.type->result_count;
    if (o->count) memcpy(o->types, f.type->results, o->count * sizeof *o->types);
}

static void perform(struct spec_run *r, struct rt_instance *i, const struct action *a, struct outcome *o) {
    memset(o, 0, sizeof *o);
    if (!a->get) {
        invoke(r, i, a, o);
        return;
    }
    o->count = 1;
    o->e = rt_global_get(i, a->field, &o->values[0], &o->types[0]);
}

static bool is_extern(struct spec_run *r, u64 handle, u64 number) {
    void *p;
    return rt_extern_get(r->store, (u32)handle, &p) && (uptr)p == number + 1;
}

/* Lane by lane where a lane is a NaN of some kind. */
static bool matches_vector(struct spec_value want, union abi_value have) {
    enum { SIGNLESS32 = 0x7fffffff, QUIET32 = 0x7fc00000 };
    const u64 quiet64 = 0x7ff8000000000000;
    if (!want.width) return have.bits[0] == want.bits && have.bits[1] == want.high;
    u64 all[2] = {want.bits, want.high};
    for (u32 k = 0; k < 16u / want.width; k++) {
        u64 h = 0, w = 0, quiet = want.width == 4 ? QUIET32 : quiet64;
        memcpy(&h, (const u8 *)have.bits + k * want.width, want.width);
        memcpy(&w, (const u8 *)all + k * want.width, want.width);
        u64 magnitude = h & (want.width == 4 ? SIGNLESS32 : (u64)INT64_MAX);
        bool same = want.lanes[k] == 0   ? h == w
                    : want.lanes[k] == 1 ? magnitude == quiet
                                         : (magnitude & quiet) == quiet;
        if (!same) return false;
    }
    return true;
}

static bool matches(struct spec_run *r, struct spec_value want, union abi_value have, wasm_type type);

static bool matches_one_of(struct spec_run *r, struct spec_value want, union abi_value have, wasm_type type) {
    struct cursor c = want.others;
    bool any = false;
    for (u64 k = 0; k < want.bits; k++) any |= matches(r, spec_value(&c), have, type);
    return any;
}

static bool matches(struct spec_run *r, struct spec_value want, union abi_value have, wasm_type type) {
    enum { SIGN32 = 31, SIGN64 = 63 };
    u32 code = type & WASM_TYPE_CODE, low = have.i32, high32 = 0x7fc00000;
    u64 all = have.i64, high64 = 0x7ff8000000000000;
    u32 magnitude32 = low & ~(1u << SIGN32);
    u64 magnitude64 = all & ~(1ull << SIGN64);
    switch ((enum spec_pattern)want.pattern) {
    case PATTERN_I32: return type == WASM_I32 && low == (u32)want.bits;
    case PATTERN_I64: return type == WASM_I64 && all == want.bits;
    case PATTERN_F32: return type == WASM_F32 && low == (u32)want.bits;
    case PATTERN_F64: return type == WASM_F64 && all == want.bits;
    case PATTERN_CANONICAL32: return type == WASM_F32 && magnitude32 == high32;
    case PATTERN_ARITHMETIC32: return type == WASM_F32 && (magnitude32 & high32) == high32;
    case PATTERN_CANONICAL64: return type == WASM_F64 && magnitude64 == high64;
    case PATTERN_ARITHMETIC64: return type == WASM_F64 && (magnitude64 & high64) == high64;
    case PATTERN_NULL: return wasm_is_ref(type) && !low;
    case PATTERN_EXTERN: return code == WASM_EXTERNREF && is_extern(r, low, want.bits);
    case PATTERN_FUNC: return code == WASM_FUNCREF && low;
    case PATTERN_EXTERN_ANY: return code == WASM_EXTERNREF && low;
    case PATTERN_V128: return type == WASM_V128 && matches_vector(want, have);
    case PATTERN_EITHER: return matches_one_of(r, want, have, type);
    case PATTERN_OTHER: return false;
    }
    unreachable();
}

static void check_return(struct spec_run *r, const struct action *a, const struct outcome *o) {
    u32 count = spec_u8(&r->c);
    struct spec_value want[MAX_VALUES];
    assert(count <= MAX_VALUES);
    for (u32 i = 0; i < count; i++) want[i] = spec_value(&r->c);
    if (o->trap || o->count != count) {
        spec_failed(r, "%.*s: %u results instead of %u (%s)", (int)a->field.n, (const char *)a->field.p,
                    o->count, count, rt_trap_text(o->trap));
        return;
    }
    for (u32 i = 0; i < count; i++)
        if (!matches(r, want[i], o->values[i], o->types[i])) {
            spec_failed(r, "%.*s: result %u is 0x%llx instead of 0x%llx (pattern %u)", (int)a->field.n,
                        (const char *)a->field.p, i, (unsigned long long)o->values[i].i64,
                        (unsigned long long)want[i].bits, want[i].pattern);
            return;
        }
    spec_passed(r);
}

/* The suite says "uninitialized element 2" where we leave the number out. */
static bool names_trap(struct bytes want, enum abi_trap trap) {
    const char *text = rt_trap_text(trap);
    size_t n = MIN(strlen(text), want.n);
    return trap != ABI_TRAP_NONE && !memcmp(text, want.p, n);
}

static void check_trap(struct spec_run *r, const struct action *a, const struct outcome *o) {
    struct bytes want = spec_text(&r->c);
    if (names_trap(want, o->trap)) spec_passed(r);
    else
        spec_failed(r, "%.*s: \"%s\" instead of \"%.*s\"", (int)a->field.n, (const char *)a->field.p,
                    rt_trap_text(o->trap), (int)want.n, (const char *)want.p);
}

static void check_exception(struct spec_run *r, const struct action *a, const struct outcome *o) {
    if (o->trap == ABI_TRAP_EXCEPTION && rt_uncaught(r->store)) spec_passed(r);
    else
        spec_failed(r, "%.*s: \"%s\" instead of an exception", (int)a->field.n, (const char *)a->field.p,
                    rt_trap_text(o->trap));
}

/* Moves past what follows the action. */
static void skip_rest(struct spec_run *r, enum spec_kind kind) {
    if (kind == SPEC_TRAP || kind == SPEC_EXHAUSTION) spec_text(&r->c);
    if (kind != SPEC_RETURN) return;
    for (u32 i = spec_u8(&r->c); i > 0; i--) spec_value(&r->c);
}

void spec_action(struct spec_run *r, enum spec_kind kind) {
    static struct action a;
    static struct outcome o;
    take_action(&r->c, &a);
    struct spec_named *target = spec_find(r, a.module);
    if (!target || !target->instance) {
        skip_rest(r, kind);
        if (kind != SPEC_ACTION) spec_skipped(r);
        return;
    }
    perform(r, target->instance, &a, &o);
    if (o.e) {
        skip_rest(r, kind);
        spec_failed(r, "%.*s: %s", (int)a.field.n, (const char *)a.field.p, err_text(o.e));
    } else if (kind == SPEC_RETURN) {
        check_return(r, &a, &o);
    } else if (kind == SPEC_EXCEPTION) {
        check_exception(r, &a, &o);
    } else if (kind != SPEC_ACTION) {
        check_trap(r, &a, &o);
    } else if (o.trap) {
        spec_failed(r, "%.*s: %s", (int)a.field.n, (const char *)a.field.p, rt_trap_text(o.trap));
    }
}
