#include "cli/contract.h"

#include <string.h>

#include "cli/cli.h"
#include "whelk/hook.h"

struct hook {
    const char *name, *type; /* "parameters:results", i for i32 */
};
static const struct hook hooks[] = {
#define X(id, number, name, type, policy) {name, type},
    WHELK_HOOKS(X)
#undef X
};

static bool name_is(struct bytes name, const char *text) {
    return name.n == strlen(text) && !memcmp(name.p, text, name.n);
}

static const struct hook *hook_find(struct bytes name) {
    for (u32 i = 0; i < ARRAY_LEN(hooks); i++)
        if (name_is(name, hooks[i].name)) return &hooks[i];
    return NULL;
}

const char *contract_hook(struct bytes name) {
    const struct hook *h = hook_find(name);
    return h ? h->name : NULL;
}

bool contract_is_program(struct bytes name) { return name_is(name, "_start"); }

/* All types of the hooks so far are of i32. */
static bool type_is(const struct wasm_functype *t, const char *want) {
    u32 params = (u32)strcspn(want, ":"), results = (u32)strlen(want) - params - 1;
    bool same = t->param_count == params && t->result_count == results;
    for (u32 i = 0; same && i < params; i++) same = t->params[i] == WASM_I32;
    for (u32 i = 0; same && i < results; i++) same = t->results[i] == WASM_I32;
    return same;
}

static int check_handlers(const char *file, const struct wasm_module *m) {
    for (u32 i = 0; i < m->export_count; i++) {
        const struct wasm_export *x = &m->exports[i];
        const struct hook *h = x->kind == WASM_KIND_FUNC ? hook_find(x->name) : NULL;
        if (h && !type_is(&m->types[m->funcs[x->index].type], h->type))
            return fail("%s: export %s has another type than the hook's handlers, %s (parameters:results, i for i32): "
                        "use the macros of sdk/c/whelk.h", file, h->name, h->type);
    }
    return EXIT_OK;
}

static int check_version(const char *file, const struct wasm_module *m) {
    bool native = false, found = false;
    for (u32 i = 0; i < m->import_count; i++) native |= name_is(m->imports[i].module, "whelk");
    for (u32 i = 0; i < m->custom_count; i++) {
        struct bytes p = m->customs[i].payload;
        u32 version = 0;
        if (!name_is(m->customs[i].name, "whelk")) continue;
        found = true;
        if (p.n >= sizeof(version)) memcpy(&version, p.p, sizeof(version));
        if (version != WHELK_ABI_VERSION)
            return fail("%s: offset %zu: compiled for another ABI version: %u; this is %u: rebuild it against this "
                        "tree's sdk/c/whelk.h", file, (size_t)(p.p - m->bytes.p), version, WHELK_ABI_VERSION);
    }
    if (native && !found)
        return fail("%s: imports whelk functions but does not say for which ABI version: put WHELK_MODULE in one "
                    "source file", file);
    return EXIT_OK;
}

int contract_check(const char *file, const struct wasm_module *m) {
    int status = check_version(file, m);
    return status ? status : check_handlers(file, m);
}
