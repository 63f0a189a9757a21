/* program.c: see program.h. The steps in order, each undone by its caller.
 *
 * I1 a command exports _start; one without is a library and is refused by name. */
#include "wasi/program.h"

#include "base/fmt.h"
#include "base/mem.h"

static void refuse(struct wasi_outcome *out, enum err code, const char *what) {
    out->end = WASI_END_REFUSED;
    out->error.code = code;
    out->error.offset = SIZE_MAX;
    fmt(out->error.text, sizeof out->error.text, "%s: %s", what, err_text(code));
}

static void trapped(struct wasi_outcome *out, enum abi_trap trap) {
    out->end = WASI_END_TRAP;
    out->trap = trap;
    out->error.code = ERR_TRAP;
    out->error.offset = SIZE_MAX;
    fmt(out->error.text, sizeof out->error.text, "%s", rt_trap_text(trap));
}

/* What a trap of the program means: EXIT is an orderly end. */
static void ended(const struct wasi_program *p, struct wasi_outcome *out, const struct rt_store *s, const struct wasi *w,
                  enum abi_trap trap) {
    if (trap != ABI_TRAP_NONE && trap != ABI_TRAP_EXIT) {
        trapped(out, trap);
        if (p->trapped) rt_explain(s, trap, p->trapped, p->self);
        return;
    }
    out->end = WASI_END_EXIT;
    out->status = trap == ABI_TRAP_EXIT ? wasi_exit_code(w) : 0;
}

static void call_start(const struct wasi_program *p, struct rt_instance *i, const struct wasi *w, struct wasi_outcome *out) {
    static const struct bytes name = {(const u8 *)"_start", 6};
    union abi_value none[1];
    struct rt_callable start;
    if (rt_find_func(i, name, &start)) refuse(out, ERR_NOT_FOUND, "no _start: a library, not a program");
    else if (!rt_type_is(start.type, ":")) refuse(out, ERR_SIGNATURE, "_start takes or gives values");
    else ended(p, out, rt_instance_store(i), w, rt_call(&start, none));
}

static void run_module(const struct wasi_program *p, struct rt_linker *l, struct rt_store *s, const struct wasi *w,
                       struct wasi_outcome *out) {
    struct rt_module *m;
    struct rt_instance *i;
    enum abi_trap trap = ABI_TRAP_NONE;
    enum err e = rt_module_load(p->engine, p->module, p->limits, &m, &out->error);
    if (e) {
        out->end = WASI_END_REFUSED;
        return;
    }
    if (p->started) p->started(p->self, s);
    e = rt_instantiate(s, m, l, &i, &trap, &out->error);
    if (e == ERR_TRAP) ended(p, out, s, w, trap);
    else if (e) out->end = WASI_END_REFUSED;
    else call_start(p, i, w, out);
    rt_module_free(m);
}

static void run_linked(const struct wasi_program *p, struct rt_linker *l, struct wasi *w, struct wasi_outcome *out) {
    struct rt_store *s;
    enum err e = wasi_define(l);
    if (!e && p->define) e = p->define(l);
    if (!e) e = rt_store_new(p->engine, p->limits, &s);
    if (e) {
        refuse(out, e, "starting");
        return;
    }
    wasi_attach(w, s);
    rt_store_let_wait(s, true);
    run_module(p, l, s, w, out);
    rt_store_free(s);
}

static void close_given(const struct wasi_config *c) {
    for (u32 i = 0; c->host->close && i < c->preopen_count; i++) c->host->close(c->host->self, c->preopens[i].dir);
    for (u32 i = 0; c->host->close && i < c->listener_count; i++) c->host->close(c->host->self, c->listeners[i]);
}

void wasi_program_run(const struct wasi_program *p, struct wasi_outcome *out) {
    struct rt_linker *l;
    struct wasi *w;
    *out = (struct wasi_outcome){0};
    enum err e = wasi_new(&p->config, &w);
    if (e) {
        close_given(&p->config);
        refuse(out, e, "starting");
        return;
    }
    e = rt_linker_new(p->engine, &l);
    if (e) refuse(out, e, "starting");
    else {
        run_linked(p, l, w, out);
        rt_linker_free(l);
    }
    wasi_free(w);
}
