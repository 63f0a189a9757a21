/* modules.c: commands that load modules, and assertions that one is refused.
 *
 * I1 "unsupported" is never taken for "invalid" or "malformed": it skips, and
 *    only where deferred.txt says so.
 * I2 a module that imports from a deferred one is skipped with it. */
#include "base/assert.h"
#include "base/mem.h"
#include "test/spec/internal.h"

static bool starts_with(const char *text, struct bytes start) {
    return strlen(text) >= start.n && !memcmp(text, start.p, start.n);
}

/* The suite's wording begins ours, or ours the suite's. Of a type mismatch some
 * of its files give the stack as its interpreter words it: details are free. */
static bool same_wording(const char *ours, struct bytes suites) {
    static const char mismatch[] = "type mismatch:";
    if (suites.n > strlen(mismatch) && !memcmp(suites.p, mismatch, strlen(mismatch)))
        return !strncmp(ours, mismatch, strlen(mismatch));
    return starts_with(ours, suites) || (suites.n > strlen(ours) && !memcmp(ours, suites.p, strlen(ours)));
}

/* Where the bytes run out: which wording it gets depends on whether a reader
 * looks at the section's end or at the module's. */
static bool is_framing(const char *text, size_t n) {
    static const char *const wordings[] = {"unexpected end", "length out of bounds", "section size mismatch",
                                           "END opcode expected"};
    for (size_t i = 0; i < ARRAY_LEN(wordings); i++)
        if (n >= strlen(wordings[i]) && !memcmp(text, wordings[i], strlen(wordings[i]))) return true;
    return false;
}

struct spec_named *spec_find(struct spec_run *r, struct bytes name) {
    if (!name.n) return &r->latest;
    for (u32 i = r->named_count; i > 0; i--)
        if (spec_same(r->named[i - 1].name, name)) return &r->named[i - 1];
    return NULL;
}

static void remember(struct spec_run *r, struct spec_named what) {
    if (!r->latest.name.n && r->latest.definition) rt_module_free(r->latest.definition);
    r->latest = what;
    if (!what.name.n) return;
    assert(r->named_count < MAX_NAMED);
    r->named[r->named_count++] = what;
}

/* Does it import from a module that was deferred? */
static bool needs_missing(const struct spec_run *r, const struct rt_module *m) {
    const struct wasm_module *info = rt_module_info(m);
    for (u32 i = 0; i < info->import_count; i++)
        for (u32 k = 0; k < r->missing_count; k++)
            if (spec_same(info->imports[i].module, r->missing[k])) return true;
    return false;
}

/* Vectors on a CPU that has no SSE4.1, or is told so: refused, and so skipped. */
static bool is_of_the_cpu(const struct rt_error *error) {
    static const char ending[] = "SIMD on a CPU without SSE4.1";
    for (const char *p = error->text; *p; p++)
        if (starts_with(p, (struct bytes){(const u8 *)ending, strlen(ending)})) return true;
    return false;
}

/* ERR_UNSUPPORTED with *said: the module was deferred, and that is in order or
 * has been reported. */
static enum err load(struct spec_run *r, u8 flags, struct bytes data, struct rt_module **m,
                     struct rt_error *error, bool *said) {
    static const struct rt_limits limits = {0};
    *said = true;
    const char *name = (const char *)r->name.p;
    if (flags & FLAG_MISSING && flags & FLAG_DEFERRED) return ERR_UNSUPPORTED;
    if (flags & FLAG_MISSING) {
        spec_print(r, "%.*s.wast:%u: skipped: only jco assembles this module, and it is not there\n",
                   (int)r->name.n, name, r->line);
        return ERR_UNSUPPORTED;
    }
    enum err e = rt_module_load(r->options->engine, data, &limits, m, error);
    if (e == ERR_UNSUPPORTED && is_of_the_cpu(error)) return e;
    if (e == ERR_UNSUPPORTED && !(flags & FLAG_DEFERRED)) {
        if (r->options->list_deferred)
            spec_print(r, "deferred %.*s.wast:%u %s\n", (int)r->name.n, name, r->line, error->text);
        spec_failed(r, "not listed as deferred: %s", error->text);
    } else if (e != ERR_UNSUPPORTED && flags & FLAG_DEFERRED) {
        spec_failed(r, "listed as deferred, but it is supported (%s)", e ? error->text : "it loads");
        if (!e) rt_module_free(*m);
        e = ERR_UNSUPPORTED;
    }
    *said = e == ERR_UNSUPPORTED;
    return e;
}

static void instantiate(struct spec_run *r, struct bytes name, struct rt_module *m) {
    struct spec_named what = {.name = name};
    struct rt_error error = {0};
    enum abi_trap trap = ABI_TRAP_NONE;
    if (!needs_missing(r, m)) {
        enum err e = rt_instantiate(r->store, m, r->linker, &what.instance, &trap, &error);
        if (e) {
            what.instance = NULL;
            spec_failed(r, "the module does not instantiate: %s (%s)", error.text, rt_trap_text(trap));
        }
    }
    remember(r, what);
}

void spec_module(struct spec_run *r) {
    u8 flags = spec_u8(&r->c);
    struct spec_named what = {.name = spec_text(&r->c)};
    struct bytes data = spec_blob(&r->c);
    struct rt_module *m;
    struct rt_error error = {0};
    bool said;
    enum err e = load(r, flags, data, &m, &error, &said);
    if (e) {
        if (!said) spec_failed(r, "the module does not load: %s at %lu", error.text, (unsigned long)error.offset);
        remember(r, what);
        return;
    }
    if (flags & FLAG_DEFINITION) {
        what.definition = m;
        remember(r, what);
        return;
    }
    instantiate(r, what.name, m);
    rt_module_free(m);
}

void spec_instance(struct spec_run *r) {
    struct bytes name = spec_text(&r->c), of = spec_text(&r->c);
    struct spec_named *definition = spec_find(r, of);
    if (definition && definition->definition) instantiate(r, name, definition->definition);
    else remember(r, (struct spec_named){.name = name});
}

void spec_register(struct spec_run *r) {
    struct bytes as = spec_text(&r->c), name = spec_text(&r->c);
    struct spec_named *what = spec_find(r, name);
    if (what && what->instance) {
        enum err e = rt_define_instance(r->linker, as, what->instance);
        if (e) spec_failed(r, "register: %s", err_text(e));
        return;
    }
    assert(r->missing_count < MAX_NAMED);
    r->missing[r->missing_count++] = as;
}

/* Some of the suite's sections end inside a number. Its interpreter reads on;
 * we stop at the section's end, or take what follows for a section. */
static bool cut_number(const char *have, struct bytes want) {
    bool ours = is_framing(have, strlen(have)) || !strcmp(have, "malformed section id");
    return ours && want.n >= 8 && !memcmp(want.p, "integer ", 8);
}

static void check_text(struct spec_run *r, const char *have, struct bytes want) {
    bool both_framing = is_framing(have, strlen(have)) && is_framing((const char *)want.p, want.n);
    if (same_wording(have, want) || both_framing || cut_number(have, want)) spec_passed(r);
    else
        spec_failed(r, "refused as \"%s\" instead of \"%.*s\"", have, (int)want.n, (const char *)want.p);
}

static bool right_class(enum spec_kind kind, enum err e) {
    if (kind == SPEC_INVALID) return e == ERR_INVALID;
    return e == ERR_MALFORMED || e == ERR_TRUNCATED;
}

/* Linking an import: the suite knows two wordings, rt/ names what it missed. */
static void check_link(struct spec_run *r, enum err e, const struct rt_error *error, struct bytes want) {
    bool unknown = starts_with("unknown import", want);
    enum err expected = unknown ? ERR_NOT_FOUND : ERR_SIGNATURE;
    if (e == expected) spec_passed(r);
    else
        spec_failed(r, "linking says %s: %s instead of \"%.*s\"", err_text(e), error->text, (int)want.n,
                    (const char *)want.p);
}

static void refuse_instance(struct spec_run *r, enum spec_kind kind, struct rt_module *m, struct bytes want) {
    struct rt_instance *i;
    struct rt_error error = {0};
    enum abi_trap trap = ABI_TRAP_NONE;
    enum err e = rt_instantiate(r->store, m, r->linker, &i, &trap, &error);
    if (!e) spec_failed(r, "the module instantiates");
    else if (kind == SPEC_UNLINKABLE) check_link(r, e, &error, want);
    else if (e == ERR_TRAP) check_text(r, rt_trap_text(trap), want);
    else spec_failed(r, "instead of a trap: %s", error.text);
}

void spec_refusal(struct spec_run *r, enum spec_kind kind) {
    u8 flags = spec_u8(&r->c);
    struct bytes data = spec_blob(&r->c), want = spec_text(&r->c);
    struct rt_module *m;
    struct rt_error error = {0};
    bool said;
    enum err e = load(r, flags, data, &m, &error, &said);
    if (said) {
        if (flags & (FLAG_DEFERRED | FLAG_MISSING)) spec_skipped(r);
        return;
    }
    bool at_load = kind == SPEC_INVALID || kind == SPEC_MALFORMED;
    if (e && at_load && right_class(kind, e)) check_text(r, error.text, want);
    else if (e) spec_failed(r, "%s: %s", err_text(e), error.text);
    else if (at_load) spec_failed(r, "accepted instead of \"%.*s\"", (int)want.n, (const char *)want.p);
    else if (needs_missing(r, m)) spec_skipped(r);
    else refuse_instance(r, kind, m, want);
    if (!e) rt_module_free(m);
}
