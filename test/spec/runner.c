/* runner.c: scripts, counts, and the readers of the pack. */
#include "test/spec/runner.h"

#include <stdarg.h>

#include "base/assert.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "test/spec/internal.h"

void spec_print(struct spec_run *r, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    size_t n = vfmt(text, sizeof text, format, args);
    va_end(args);
    r->options->print(text, MIN(n, sizeof text - 1));
}

void spec_passed(struct spec_run *r) { r->counts.passed++; }
void spec_skipped(struct spec_run *r) { r->counts.skipped++; }

void spec_failed(struct spec_run *r, const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    vfmt(text, sizeof text, format, args);
    va_end(args);
    r->counts.failed++;
    spec_print(r, "%.*s.wast:%u: %s\n", (int)r->name.n, (const char *)r->name.p, r->line, text);
}

u8 spec_u8(struct cursor *c) {
    u8 v = 0;
    enum err e = take_u8(c, &v);
    assert(!e);
    return v;
}

u32 spec_u32(struct cursor *c) {
    u32 v = 0;
    enum err e = take_le32(c, &v);
    assert(!e);
    return v;
}

static struct bytes take_exactly(struct cursor *c, size_t n) {
    struct bytes b = {NULL, 0};
    enum err e = take_bytes(c, n, &b);
    assert(!e);
    return b;
}

struct bytes spec_text(struct cursor *c) {
    u16 n = 0;
    enum err e = take_le16(c, &n);
    assert(!e);
    return take_exactly(c, n);
}

struct bytes spec_blob(struct cursor *c) { return take_exactly(c, spec_u32(c)); }

struct spec_value spec_value(struct cursor *c) {
    struct spec_value v = {.pattern = spec_u8(c)};
    enum err e = take_le64(c, &v.bits);
    v.others = *c;
    if (v.pattern == PATTERN_V128) {
        e |= take_le64(c, &v.high);
        v.width = spec_u8(c);
        for (u32 k = 0; k < SPEC_LANES; k++) v.lanes[k] = spec_u8(c);
    }
    for (u64 k = 0; v.pattern == PATTERN_EITHER && k < v.bits; k++) spec_value(c);
    assert(!e);
    return v;
}

bool spec_same(struct bytes a, struct bytes b) {
    return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

static void run_command(struct spec_run *r) {
    enum spec_kind kind = (enum spec_kind)spec_u8(&r->c);
    r->line = spec_u32(&r->c);
    switch (kind) {
    case SPEC_MODULE: spec_module(r); return;
    case SPEC_REGISTER: spec_register(r); return;
    case SPEC_ACTION:
    case SPEC_RETURN:
    case SPEC_TRAP:
    case SPEC_EXHAUSTION:
    case SPEC_EXCEPTION: spec_action(r, kind); return;
    case SPEC_INVALID:
    case SPEC_MALFORMED:
    case SPEC_UNLINKABLE:
    case SPEC_UNINSTANTIABLE: spec_refusal(r, kind); return;
    case SPEC_INSTANCE: spec_instance(r); return;
    case SPEC_KIND_COUNT: break;
    }
    unreachable();
}

static bool open_script(struct spec_run *r) {
    static const struct rt_limits limits = {0};
    r->latest = (struct spec_named){0};
    r->named_count = r->missing_count = 0;
    r->store = NULL;
    r->linker = NULL;
    if (rt_store_new(r->options->engine, &limits, &r->store)) return false;
    return !rt_linker_new(r->options->engine, &r->linker) && !spec_define_host(r);
}

static void drop_definitions(struct spec_run *r) {
    for (u32 i = 0; i < r->named_count; i++)
        if (r->named[i].definition) rt_module_free(r->named[i].definition);
    if (!r->latest.name.n && r->latest.definition) rt_module_free(r->latest.definition);
}

static void run_script(struct spec_run *r, struct bytes commands) {
    r->line = 0;
    r->c = cursor_of(commands);
    if (open_script(r))
        while (cursor_left(&r->c)) run_command(r);
    else
        spec_failed(r, "no store for the script");
    drop_definitions(r);
    if (r->store) rt_store_free(r->store);
    if (r->linker) rt_linker_free(r->linker);
}

static bool wanted(const struct spec_options *o, struct bytes name) {
    return !o->only || spec_same(name, (struct bytes){(const u8 *)o->only, strlen(o->only)});
}

static void add(struct spec_counts *to, const struct spec_counts *c) {
    to->passed += c->passed;
    to->failed += c->failed;
    to->skipped += c->skipped;
}

static void summary(struct spec_run *r, const struct spec_counts groups[SPEC_GROUPS],
                    struct spec_counts *total) {
    static const char *const names[SPEC_GROUPS] = {
        NULL, "core", "bulk memory", "reference types", "SIMD", "tail calls", "threads and atomics", "multi-memory",
        "memory64", "typed function references", "exceptions", "relaxed SIMD", "wide arithmetic, custom page sizes", "GC",
        "legacy exceptions",
    };
    *total = (struct spec_counts){0};
    for (u32 g = 1; g < SPEC_GROUPS; g++) {
        const struct spec_counts *c = &groups[g];
        if (!(c->passed + c->failed + c->skipped)) continue;
        spec_print(r, "spec group %u, %s: %u passed, %u failed, %u skipped\n", g, names[g], c->passed,
                   c->failed, c->skipped);
        add(total, c);
    }
    spec_print(r, "%s%u passed, %u failed, %u skipped\n", r->options->label, total->passed,
               total->failed, total->skipped);
}

bool spec_run(const struct spec_options *o, struct bytes pack, struct spec_counts *total) {
    static struct spec_run r; /* too large for a kernel stack */
    struct spec_counts groups[SPEC_GROUPS] = {0};
    struct cursor c = cursor_of(pack);
    r.options = o;
    assert(!memcmp(take_exactly(&c, 8).p, "WHELKSPC", 8));
    while (cursor_left(&c)) {
        r.name = spec_text(&c);
        u8 group = spec_u8(&c);
        struct bytes commands = spec_blob(&c);
        assert(group > 0 && group < SPEC_GROUPS);
        if (!wanted(o, r.name)) continue;
        r.counts = (struct spec_counts){0};
        run_script(&r, commands);
        add(&groups[group], &r.counts);
    }
    summary(&r, groups, total);
    return total->passed > 0 && total->failed == 0;
}
