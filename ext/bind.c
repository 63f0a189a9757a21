/* bind.c: which export of a module answers which hook.
 *
 * Without a spec each export that is named as a hook is bound to it. With
 * "HOOK:EXPORT" that export; with "HOOK" the export of the hook's name, else
 * "handle". An export has the hook's native type, or () -> () on a hook whose
 * events are bytes and need no verdict: then it reads records. On ctl.call
 * () -> () is a program's _start, which is bound by itself where nothing else is. */
#include "base/fmt.h"
#include "base/mem.h"
#include "ext/internal.h"

static struct bytes text(const char *s) { return (struct bytes){(const u8 *)s, strlen(s)}; }

static const char *hook_names(char *out, size_t cap) {
    size_t n = 0;
    out[0] = 0;
    for (u32 i = 0; i < hook_count() && n < cap; i++)
        n += fmt(out + n, cap - n, "%s%s", i ? ", " : "", hook_at(i)->name);
    return out;
}

/* A type as rt_define_func writes it, for people. */
static const char *type_words(char *out, size_t cap, const char *type) {
    size_t n = fmt(out, cap, "(");
    bool first = true, results = false;
    for (; *type && n < cap; type++) {
        if (*type == ':') {
            n += fmt(out + n, cap - n, ") -> (");
            first = results = true;
            continue;
        }
        const char *name = *type == 'i' ? "i32" : *type == 'I' ? "i64" : *type == 'f' ? "f32" : "f64";
        n += fmt(out + n, cap - n, "%s%s", first ? "" : ", ", name);
        first = false;
    }
    assert(results);
    if (n < cap) fmt(out + n, cap - n, ")");
    return out;
}

static enum err wrong_type(struct ext *x, struct hook *h, const char *export,
                           const struct wasm_functype *have, struct ext_error *error) {
    char want[64], got[96];
    rt_type_text(got, sizeof got, have);
    type_words(want, sizeof want, h->type);
    return ext_fail(error, ERR_SIGNATURE, "extension %s: export %s has type %s; %s takes %s%s", x->name, export,
                    got, h->name, want, h->records ? ", or () -> () to read records from standard input"
                    : h->id == WHELK_HOOK_CTL_CALL ? ", or is a program's _start of type () -> ()" : "");
}

/* A program does more than a handler; whoever waits for its answer waits 20 s (cli/ctl.h). */
#define COMMAND_BUDGET_NS 10000000000ull

static i32 (*const fires[])(struct hook_slot *, void *) = {
    [EXT_NATIVE] = ext_native_fire, [EXT_RECORD] = ext_record_fire, [EXT_COMMAND] = ext_command_fire};

static enum err bind_one(struct ext *x, struct hook *h, struct bytes export, u64 budget_ns,
                         struct ext_error *error) {
    struct ext_slot *s = &x->slots[x->slot_count];
    if (x->slot_count == EXT_SLOTS)
        return ext_fail(error, ERR_LIMIT, "extension %s: more than %u hooks", x->name, EXT_SLOTS);
    if (ext_is_command(x))
        return ext_fail(error, ERR_INVALID, "extension %s: a program (%s) has no other hooks", x->name, x->slots[0].export);
    *s = (struct ext_slot){.ext = x, .hook = h, .budget_ns = budget_ns ? budget_ns : h->budget_ns};
    fmt(s->export, sizeof s->export, "%.*s", (int)MIN(export.n, (size_t)EXT_NAME_MAX), (const char *)export.p);
    if (rt_find_func(x->instance, export, &s->handler))
        return ext_fail(error, ERR_NOT_FOUND, "extension %s: the module exports no function %s for %s", x->name,
                        s->export, h->name);
    bool record = rt_type_is(s->handler.type, ":") && h->records;
    bool start = export.n == 6 && !memcmp(export.p, "_start", 6);
    bool command = start && rt_type_is(s->handler.type, ":") && h->id == WHELK_HOOK_CTL_CALL && !x->slot_count;
    if (!record && !command && !rt_type_is(s->handler.type, h->type))
        return wrong_type(x, h, s->export, s->handler.type, error);
    s->mode = record ? EXT_RECORD : command ? EXT_COMMAND : EXT_NATIVE;
    s->slot = (struct hook_slot){.fn = fires[s->mode], .cookie = s, .fail = h->fail};
    if (command && !budget_ns) s->budget_ns = COMMAND_BUDGET_NS;
    x->uses_records |= record;
    x->slot_count++;
    return ERR_OK;
}

static enum err bind_exports(struct ext *x, u64 budget_ns, struct ext_error *error) {
    const struct wasm_module *m = rt_module_info(x->module);
    struct rt_callable start;
    char names[160];
    for (u32 i = 0; i < m->export_count; i++) {
        struct hook *h = hook_by_name(m->exports[i].name);
        if (!h || m->exports[i].kind != WASM_KIND_FUNC) continue;
        enum err e = bind_one(x, h, m->exports[i].name, budget_ns, error);
        if (e) return e;
    }
    if (x->slot_count) return ERR_OK;
    if (!rt_find_func(x->instance, text("_start"), &start) && rt_type_is(start.type, ":"))
        return bind_one(x, hook_by_id(WHELK_HOOK_CTL_CALL), text("_start"), budget_ns, error);
    return ext_fail(error, ERR_NOT_FOUND,
                    "extension %s: no export is named as a hook (%s); name one with FILE@HOOK:EXPORT", x->name,
                    hook_names(names, sizeof names));
}

enum err ext_bind(struct ext *x, struct bytes spec, u64 budget_ns, struct ext_error *error) {
    char names[160];
    if (!spec.n) return bind_exports(x, budget_ns, error);
    size_t colon = 0;
    while (colon < spec.n && spec.p[colon] != ':') colon++;
    struct hook *h = hook_by_name((struct bytes){spec.p, colon});
    if (!h)
        return ext_fail(error, ERR_NOT_FOUND, "extension %s: there is no hook %.*s; there are %s", x->name,
                        (int)MIN(colon, (size_t)64), (const char *)spec.p, hook_names(names, sizeof names));
    if (colon < spec.n)
        return bind_one(x, h, (struct bytes){spec.p + colon + 1, spec.n - colon - 1}, budget_ns, error);
    struct rt_callable any;
    bool named = !rt_find_func(x->instance, text(h->name), &any);
    return bind_one(x, h, text(named ? h->name : "handle"), budget_ns, error);
}
