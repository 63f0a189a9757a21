/* ext.c: loading and unloading.
 *
 * I1 an extension is in the list exactly while its slots are attached, or are
 *    about to be, or have just been.
 * I2 every way out of a failed load gives back everything (release). */
#include "ext/ext.h"

#include <stdarg.h>

#include "base/fault.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "ext/internal.h"
#include "kern/heap.h"
#include "kern/log.h"
#include "kern/page.h"
#include "kern/thread.h"
#include "kern/time.h"

struct ext_config ext_config;
struct list ext_list_head = LIST_INIT(ext_list_head);
struct mutex ext_list_lock = MUTEX_INIT(ext_list_lock), ext_ops = MUTEX_INIT(ext_ops);
struct rt_linker *ext_linker;
struct waitq ext_idle = WAITQ_INIT(ext_idle), ext_records = WAITQ_INIT(ext_records),
             ext_streams = WAITQ_INIT(ext_streams);

/* Module code that runs at load and unload: initialisers, start functions. */
enum { LOAD_BUDGET_NS = 1000000000 };
/* What a hostile module can take of the kernel: memory while it compiles, and table elements. */
enum { LOAD_MEMORY = 16 << 20, TABLE_ELEMENTS = 1 << 16 };
enum { COMMAND_STACK = 1 << 20 }; /* as a program of the image has it */

static struct bytes text(const char *s) { return (struct bytes){(const u8 *)s, strlen(s)}; }
static bool same(struct bytes a, struct bytes b) { return a.n == b.n && !memcmp(a.p, b.p, a.n); }

enum err ext_fail(struct ext_error *error, enum err code, const char *format, ...) {
    va_list args;
    assert(code != ERR_OK);
    va_start(args, format);
    vfmt(error->text, sizeof error->text, format, args);
    va_end(args);
    error->code = code;
    return code;
}

enum err ext_start(const struct ext_config *c) {
    struct thread *t;
    assert(c->engine && c->tick_ns);
    ext_config = *c;
    enum err e = rt_linker_new(c->engine, &ext_linker);
    if (!e) e = ext_define(ext_linker);
    if (!e) e = wasi_define(ext_linker);
    if (!e) e = thread_create("timers", ext_timer_thread, NULL, &t);
    if (!e) e = thread_create("records", ext_record_thread, NULL, &t);
    for (u32 i = 0; i < hook_count(); i++) hook_measure(hook_at(i), c->cycles, EXT_MEASURE_EVERY);
    return e;
}

struct ext *ext_find(struct bytes name) {
    LIST_EACH(it, &ext_list_head) {
        struct ext *x = LIST_ENTRY(it, struct ext, node);
        if (same(text(x->name), name)) return x;
    }
    return NULL;
}

u32 ext_count(void) {
    u32 n = 0;
    LIST_EACH(it, &ext_list_head) n++;
    return n;
}

static bool good_name(struct bytes n) {
    for (size_t i = 0; i < n.n; i++) {
        u8 c = n.p[i], lower = c | 0x20;
        bool ok = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        if (!ok) return false;
    }
    return n.n && n.n <= EXT_NAME_MAX;
}

/* The custom section "whelk": the contract's version, a little-endian u32. */
static enum err check_version(struct ext *x, struct ext_error *error) {
    const struct wasm_module *m = rt_module_info(x->module);
    bool native = false, found = false;
    for (u32 i = 0; i < m->import_count; i++) native |= same(m->imports[i].module, text("whelk"));
    for (u32 i = 0; i < m->custom_count; i++) {
        struct bytes p = m->customs[i].payload;
        u32 version = 0;
        if (!same(m->customs[i].name, text("whelk"))) continue;
        found = true;
        if (p.n >= sizeof version) memcpy(&version, p.p, sizeof version);
        if (version != WHELK_ABI_VERSION)
            return ext_fail(error, ERR_VERSION,
                            "extension %s: compiled for another ABI version: %u; this kernel has %u. Rebuild it "
                            "against this kernel's whelk.h",
                            x->name, version, WHELK_ABI_VERSION);
    }
    if (native && !found)
        return ext_fail(error, ERR_VERSION,
                        "extension %s: imports whelk functions but does not say for which ABI version (custom "
                        "section \"whelk\"); put WHELK_MODULE in one source file",
                        x->name);
    return ERR_OK;
}

static bool imports(const struct ext *x, const char *module, const char *prefix) {
    const struct wasm_module *m = rt_module_info(x->module);
    size_t n = strlen(prefix);
    for (u32 i = 0; i < m->import_count; i++)
        if (same(m->imports[i].module, text(module)) && m->imports[i].name.n >= n &&
            !memcmp(m->imports[i].name.p, prefix, n))
            return true;
    return false;
}

static enum err compile(struct ext *x, const struct ext_request *r, struct ext_error *error) {
    struct rt_error why;
    struct rt_limits limits = {.load_bytes = LOAD_MEMORY};
    enum err e = rt_module_load(ext_config.engine, r->module, &limits, &x->module, &why);
    if (!e) return check_version(x, error);
    if (e == ERR_NOMEM)
        return ext_fail(error, e, "extension %s: %s; compiling may take %u MiB, and %zu MiB are free", x->name,
                        why.text, LOAD_MEMORY >> 20, pages_free() * PAGE_SIZE >> 20);
    if (why.offset == SIZE_MAX) return ext_fail(error, e, "extension %s: %s", x->name, why.text);
    return ext_fail(error, e, "extension %s: %s (at offset %zu of %zu)", x->name, why.text, why.offset, r->module.n);
}

static enum err ring_memory(struct ring *r, u32 cap) {
    void *p = kmalloc(cap);
    if (!p) return ERR_NOMEM;
    ring_init(r, p, cap);
    return ERR_OK;
}

enum err ext_link(struct ext *x, struct ext_error *error) {
    struct rt_error why = {.code = ERR_OK};
    struct rt_limits limits = {.memory_bytes = x->max_memory, .table_elements = TABLE_ELEMENTS,
                               .stack_bytes = ext_is_command(x) ? COMMAND_STACK : 0};
    enum abi_trap trap = ABI_TRAP_NONE;
    struct ext_run run;
    enum err e = rt_store_new(ext_config.engine, &limits, &x->store);
    if (e) return ext_fail(error, e, "extension %s: %s", x->name, err_text(e));
    rt_store_set_data(x->store, x);
    if (imports(x, "wasi_snapshot_preview1", "")) {
        if ((e = ext_wasi_new(x, error))) return e;
        wasi_attach(x->wasi, x->store);
    }
    if (!ext_enter(x, &run, LOAD_BUDGET_NS)) return ext_fail(error, ERR_BUSY, "extension %s: nested too deep", x->name);
    e = rt_instantiate(x->store, x->module, x->inside ? inside_linker(x->inside) : ext_linker, &x->instance, &trap, &why);
    ext_leave(&run);
    if (e == ERR_TRAP)
        return ext_fail(error, e, "extension %s: %s while it was initialised", x->name, rt_trap_text(trap));
    if (e) return ext_fail(error, e, "extension %s: %s", x->name, why.text);
    return ERR_OK;
}

/* Calls an optional export of type () -> (). */
static enum err say(struct ext *x, const char *export, struct ext_error *error) {
    struct rt_callable f;
    struct ext_run run;
    union abi_value none[2] = {{.bits = {0, 0}}};
    if (rt_find_func(x->instance, text(export), &f)) return ERR_OK;
    if (!rt_type_is(f.type, ":"))
        return ext_fail(error, ERR_SIGNATURE, "extension %s: export %s must take and return nothing", x->name, export);
    if (!ext_enter(x, &run, LOAD_BUDGET_NS)) return ext_fail(error, ERR_BUSY, "extension %s: not callable", x->name);
    enum abi_trap trap = ext_invoke(x, &f, none);
    ext_leave(&run);
    if (!trap) return ERR_OK;
    return ext_fail(error, ERR_TRAP, "extension %s: %s in %s", x->name, rt_trap_text(trap), export);
}

/* A WASI reactor's constructors, then the extension's own wish to begin. */
enum err ext_greet(struct ext *x, struct ext_error *error) {
    enum err e = say(x, "_initialize", error);
    return e ? e : say(x, "whelk.load", error);
}

static enum err rings(struct ext *x, struct ext_error *error) {
    enum err e = ERR_OK;
    if (x->uses_records) e = ring_memory(&x->queue, EXT_QUEUE_BYTES);
    if (e) return ext_fail(error, e, "extension %s: no memory for its rings", x->name);
    return ERR_OK;
}

/* Everything but the list and the hooks. */
static enum err prepare(struct ext *x, const struct ext_request *r, struct ext_error *error) {
    enum err e = compile(x, r, error);
    if (e) return e;
    x->uses_stream = imports(x, "whelk", "stream_");
    if (x->uses_stream && (e = ring_memory(&x->stream, EXT_STREAM_BYTES)))
        return ext_fail(error, e, "extension %s: no memory for its stream", x->name);
    if ((e = ext_link(x, error))) return e;
    if ((e = ext_bind(x, r->hook, r->budget_ns, error))) return e;
    if ((e = rings(x, error))) return e;
    return ext_greet(x, error);
}

static void release(struct ext *x) {
    assert(!x->busy);
    if (x->instance) rt_instance_free(x->instance);
    if (x->store) rt_store_free(x->store);
    wasi_free(x->wasi);
    if (x->module) rt_module_free(x->module);
    if (x->inside) inside_release(x->inside);
    kfree(x->stream.p);
    kfree(x->queue.p);
    kfree(x);
}

static void attach(struct ext *x) {
    mutex_lock(&ext_list_lock);
    list_push_back(&ext_list_head, &x->node);
    mutex_unlock(&ext_list_lock);
    preempt_disable();
    for (u32 i = 0; i < x->slot_count; i++) {
        enum err e = hook_attach(x->slots[i].hook, &x->slots[i].slot);
        assert(!e); /* fresh slots */
    }
    preempt_enable();
    mutex_lock(&ext_list_lock);
    ext_timer_start(x);
    mutex_unlock(&ext_list_lock);
}

static void detach(struct ext *x) {
    preempt_disable();
    for (u32 i = 0; i < x->slot_count; i++) {
        hook_detach(&x->slots[i].slot);
        assert(hook_quiet(x->slots[i].hook)); /* one CPU, preemption off: nobody is inside */
    }
    preempt_enable();
}

static void unload(struct ext *x) {
    struct ext_error last;
    detach(x);
    ext_drain(x);
    if (!x->quarantined && say(x, "whelk.unload", &last)) log_warn("%s", last.text);
    ext_end_streams(x);
    mutex_lock(&ext_list_lock);
    list_remove(&x->node);
    mutex_unlock(&ext_list_lock);
    log_info("extension %s: unloaded", x->name);
    release(x);
}

static size_t describe_slots(const struct ext *x, char *out, size_t cap) {
    size_t n = 0;
    if (cap) out[0] = 0;
    for (u32 i = 0; i < x->slot_count; i++)
        n += fmt(n < cap ? out + n : NULL, n < cap ? cap - n : 0, "%s %s:%s\n", x->name, x->slots[i].hook->name,
                 x->slots[i].export);
    return n;
}

static enum err load(const struct ext_request *r, char *out, size_t cap, struct ext_error *error) {
    int shown = (int)MIN(r->name.n, (size_t)EXT_NAME_MAX);
    const char *name = (const char *)r->name.p;
    if (!good_name(r->name))
        return ext_fail(error, ERR_INVALID, "a name is 1 to %u of letters, digits, '.', '_', '-'", EXT_NAME_MAX);
    struct ext *old = ext_find(r->name);
    if (old && !r->replace)
        return ext_fail(error, ERR_EXISTS, "extension %.*s is loaded already; unload it first, or replace it", shown, name);
    if (ext_count() >= EXT_MAX) return ext_fail(error, ERR_LIMIT, "more than %u extensions", EXT_MAX);
    if (pages_free() < EXT_SPARE_PAGES)
        return ext_fail(error, ERR_NOMEM, "extension %.*s: only %zu KiB are free; run the guest with more (-m)", shown, name,
                        pages_free() * PAGE_SIZE >> 10);
    struct ext *x = kzalloc(sizeof *x);
    if (!x) return ext_fail(error, ERR_NOMEM, "extension %.*s: out of memory", shown, name);
    u64 start = time_mono_ns();
    list_init(&x->node);
    fmt(x->name, sizeof x->name, "%.*s", shown, name);
    x->max_memory = r->max_memory ? r->max_memory : EXT_MEMORY_DEFAULT;
    x->module_bytes = r->module.n;
    if ((x->inside = r->inside)) inside_hold(x->inside);
    enum err e = prepare(x, r, error);
    if (e) {
        log_info("%s", error->text);
        if (!fault(LOAD_KEPT)) release(x);
        return e;
    }
    if (old && old->may_wait) e = ext_fail(error, ERR_BUSY, "extension %s is in a call of the program", old->name);
    if (e) {
        release(x);
        return e;
    }
    if (old) unload(old);
    attach(x);
    x->load_ns = time_mono_ns() - start;
    describe_slots(x, out, cap);
    log_info("extension %s: loaded, %lu bytes of module", x->name, x->module_bytes);
    return ERR_OK;
}

/* The timer need not tick for nobody. */
static void tick(bool on) {
    static bool ticking; /* under ext_ops */
    if (ticking != on && ext_config.ticking) ext_config.ticking(on);
    ticking = on;
}

enum err ext_load(const struct ext_request *r, char *out, size_t cap, struct ext_error *error) {
    mutex_lock(&ext_ops);
    tick(true);
    enum err e = load(r, out, cap, error);
    tick(!list_empty(&ext_list_head));
    mutex_unlock(&ext_ops);
    return e;
}

enum err ext_unknown(struct bytes name, struct ext_error *error) {
    return ext_fail(error, ERR_NOT_FOUND, "there is no extension %.*s", (int)MIN(name.n, (size_t)EXT_NAME_MAX),
                    (const char *)name.p);
}

enum err ext_unload(struct bytes name, struct ext_error *error) {
    enum err e = ERR_OK;
    mutex_lock(&ext_ops);
    struct ext *x = ext_find(name);
    if (x && x->may_wait) e = ext_fail(error, ERR_BUSY, "extension %s is in a call of the program", x->name);
    else if (x) unload(x);
    else e = ext_unknown(name, error);
    tick(!list_empty(&ext_list_head));
    mutex_unlock(&ext_ops);
    return e;
}

/* An export that is no hook's: called as ctl.call is, outside the slots. */
static enum err call_export(struct ext *x, struct bytes export, struct hook_call *call, struct ext_error *error) {
    struct ext_slot s = {.ext = x, .hook = hook_by_id(WHELK_HOOK_CTL_CALL)};
    s.slot.cookie = &s;
    s.budget_ns = s.hook->budget_ns;
    fmt(s.export, sizeof s.export, "%.*s", (int)MIN(export.n, (size_t)EXT_NAME_MAX), (const char *)export.p);
    if (rt_find_func(x->instance, export, &s.handler))
        return ext_fail(error, ERR_NOT_FOUND, "extension %s exports no function %s", x->name, s.export);
    if (!rt_type_is(s.handler.type, s.hook->type))
        return ext_fail(error, ERR_SIGNATURE, "extension %s: %s is not of type (i32) -> i32", x->name, s.export);
    preempt_disable();
    i32 r = x->quarantined ? HOOK_ERROR : ext_native_fire(&s.slot, call);
    preempt_enable();
    if (r == HOOK_REENTRY) return ext_fail(error, ERR_BUSY, "extension %s is busy", x->name);
    if (r < 0) return ext_fail(error, ERR_TRAP, "extension %s: %s", x->name, x->why);
    return ERR_OK;
}

static enum err call_hook(struct ext *x, struct hook_call *call, struct ext_error *error) {
    for (u32 i = 0; i < x->slot_count; i++) {
        struct ext_slot *s = &x->slots[i];
        if (s->hook->id != WHELK_HOOK_CTL_CALL) continue;
        preempt_disable();
        i32 r = hook_fire_one(&s->slot, call);
        preempt_enable();
        if (r == WHELK_PASS) return ERR_OK;
        return ext_fail(error, ERR_TRAP, "extension %s: %s", x->name, x->why[0] ? x->why : "busy");
    }
    return ext_fail(error, ERR_NOT_FOUND, "extension %s has no export ctl.call", x->name);
}

enum err ext_call(struct bytes name, struct bytes export, struct hook_call *call, struct ext_error *error) {
    struct ext_slot *command;
    enum err e;
    mutex_lock(&ext_ops);
    struct ext *x = ext_find(name);
    if (!x) e = ext_unknown(name, error);
    else if ((command = ext_command_slot(x, export))) e = ext_command(x, command, call, error);
    else if (call->words.n) e = ext_fail(error, ERR_INVALID, "extension %s takes no arguments: it is no program with a _start", x->name);
    else if (!export.n || same(export, text("ctl.call"))) e = call_hook(x, call, error);
    else e = call_export(x, export, call, error);
    mutex_unlock(&ext_ops);
    return e;
}
