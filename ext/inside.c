/* inside.c: the program's own connection (/dev/whelk): the protocol of
 * whelk/ctl.h, and functions that it defines for the extensions that it loads.
 *
 * I1 one thread for each connection reads its requests and runs its calls. While
 *    an extension waits for a function of the program, the same thread, deep in
 *    that call, serves only what belongs to the upcall.
 * I2 a function of the program runs in the program, as ordinary code of it: what
 *    it does there cannot harm the extension or the kernel's stacks. A connection
 *    that ends makes the calls that wait for it trap.
 * I3 a connection lives until it is closed and the last extension that was
 *    linked with it is gone.
 * I4 such a function can be called only where the extension may wait: in a call
 *    that the program made (ext_call_waiting). Elsewhere it traps. */
#include "ext/inside.h"

#include "base/cursor.h"
#include "base/fault.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "ext/control_internal.h"
#include "ext/frame.h"
#include "ext/internal.h"
#include "kern/heap.h"
#include "kern/log.h"
#include "kern/thread.h"

enum { NAME_MAX = 63, TYPE_MAX = 15 };

struct function {
    u32 parameters;
    u8 narrow;        /* bit per parameter: i32 */
    bool narrow_result;
};

struct inside {
    struct inside_port port;
    struct channel channel;
    struct mutex output;
    struct frame_reader reader;
    struct rt_linker *linker;
    struct function functions[CTL_FUNCTIONS];
    u32 function_count;
    u32 last_upcall;
    u32 refs; /* atomic */
    bool dead; /* no more requests can come */
};

struct rt_linker *inside_linker(struct inside *c) { return c->linker; }
void inside_hold(struct inside *c) { __atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED); }
void inside_release(struct inside *c) {
    assert(c->refs);
    if (__atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL)) return;
    if (c->linker) rt_linker_free(c->linker);
    if (c->port.end) c->port.end(c->port.self);
    kfree(c);
}

/* --- upcalls --- */

/* During an upcall only: the caller's memory. */
static void on_memory(struct inside *c, struct abi_ctx *caller, const struct ctl_header *h, struct bytes p) {
    struct ctl_memory m;
    if (p.n < sizeof m) return channel_refuse(&c->channel, h->id, ERR_TRUNCATED, "a memory request without its header");
    memcpy(&m, p.p, sizeof m);
    u8 *at = rt_mem(caller, m.at, m.length);
    bool poke = h->kind == CTL_POKE;
    if (!at || (poke && !fault(POKE_LENGTH) && p.n - sizeof m != m.length))
        return channel_refuse(&c->channel, h->id, ERR_INVALID, "not inside the extension's memory");
    if (poke && m.length) memcpy(at, p.p + sizeof m, m.length);
    channel_send(&c->channel, CTL_OK, h->id, poke ? (struct bytes){NULL, 0} : (struct bytes){at, m.length});
}

/* Serves the program until it returns from the upcall; false: it will not. */
static bool await_return(struct inside *c, struct abi_ctx *caller, u32 id, struct ctl_return *out) {
    for (;;) {
        struct ctl_header h;
        u8 *payload;
        enum err e = frame_read(&c->reader, &h, &payload);
        if (e) return c->dead = true, false;
        struct bytes p = {payload, h.length};
        bool done = h.kind == CTL_RETURN && h.id == id && p.n == sizeof *out;
        if (done) memcpy(out, p.p, sizeof *out);
        else if (h.kind == CTL_PEEK || h.kind == CTL_POKE) on_memory(c, caller, &h, p);
        else channel_refuse(&c->channel, h.id, ERR_BUSY, "an extension waits for a function of this connection: only its memory and the return");
        kfree(payload);
        if (done) return true;
    }
}

static u64 upcall(struct abi_ctx *caller, u32 index, const u64 *arguments) {
    struct ext *x = ext_of(caller);
    struct inside *c = x->inside;
    assert(c && index < c->function_count);
    if (!x->may_wait || c->dead || !thread_may_block()) return rt_raise(caller, ABI_TRAP_HOST);
    const struct function *f = &c->functions[index];
    struct ctl_upcall u = {.function = index, .count = f->parameters};
    for (u32 i = 0; i < f->parameters; i++) u.arguments[i] = f->narrow >> i & 1 ? (u32)arguments[i] : arguments[i];
    struct ctl_return r = {.failed = 1};
    u32 id = ++c->last_upcall;
    if (channel_send(&c->channel, CTL_UPCALL, id, (struct bytes){(const u8 *)&u, sizeof u})) c->dead = true;
    if (c->dead || !await_return(c, caller, id, &r) || r.failed) return rt_raise(caller, ABI_TRAP_HOST);
    return f->narrow_result ? (u32)r.result : r.result;
}

/* A host function knows neither its name nor its number: one for each index. */
#define THUNKS(X)                                                                                    \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16)      \
    X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
#define X(n)                                                                    \
    static u64 thunk_##n(struct abi_ctx *c, u64 a, u64 b, u64 d, u64 e, u64 f) { \
        return upcall(c, n, (const u64[CTL_ARGUMENTS]){a, b, d, e, f});          \
    }
THUNKS(X)
#undef X
#define X(n) (const void *)thunk_##n,
static const void *const thunks[CTL_FUNCTIONS] = {THUNKS(X)};
#undef X

/* --- definitions --- */

/* "ii:I": i32 and i64, at most CTL_ARGUMENTS, at most one result. */
static bool parse_type(const char *type, struct function *out) {
    *out = (struct function){0};
    for (; *type == 'i' || *type == 'I'; type++) {
        if (out->parameters == CTL_ARGUMENTS) return false;
        out->narrow |= (u8)((*type == 'i') << out->parameters++);
    }
    if (*type++ != ':') return false;
    out->narrow_result = *type == 'i';
    if (*type == 'i' || *type == 'I') type++;
    return !*type;
}

/* The next n bytes as a string of the caller's. */
static bool take_text(struct cursor *c, u32 n, char *out, u32 cap) {
    struct bytes b;
    if (n > cap || take_bytes(c, n, &b)) return false;
    memcpy(out, b.p, n);
    out[n] = 0;
    return strlen(out) == n;
}

static bool reserved(const char *module) {
    return !strcmp(module, "whelk") || !strcmp(module, "env") || !strcmp(module, "wasi_snapshot_preview1");
}

static void on_define(struct inside *c, u32 id, struct bytes p) {
    char module[NAME_MAX + 1], name[NAME_MAX + 1], type[TYPE_MAX + 1];
    struct cursor at = cursor_of(p);
    struct ctl_define d;
    struct bytes head;
    struct function f;
    if (take_bytes(&at, sizeof d, &head)) return channel_refuse(&c->channel, id, ERR_TRUNCATED, "CTL_DEFINE without its header");
    memcpy(&d, head.p, sizeof d);
    if (!take_text(&at, d.module_length, module, NAME_MAX) || !take_text(&at, d.name_length, name, NAME_MAX) ||
        !take_text(&at, d.type_length, type, TYPE_MAX) || !parse_type(type, &f) || cursor_left(&at))
        return channel_refuse(&c->channel, id, ERR_INVALID, "CTL_DEFINE: names of at most 63 bytes, a type as \"ii:i\" with up to 5 parameters");
    if (reserved(module)) return channel_refuse(&c->channel, id, ERR_EXISTS, "CTL_DEFINE: that module is the kernel's");
    if (c->function_count == CTL_FUNCTIONS) return channel_refuse(&c->channel, id, ERR_FULL, "CTL_DEFINE: too many functions");
    u32 index = c->function_count;
    enum err e = rt_define_func(c->linker, module, name, type, thunks[index]);
    if (e) return channel_refuse(&c->channel, id, e, err_text(e));
    c->functions[c->function_count++] = f;
    channel_send(&c->channel, CTL_OK, id, (struct bytes){(const u8 *)&index, sizeof index});
}

/* --- the connection --- */

static void handle(struct inside *c, const struct ctl_header *h, struct bytes p) {
    if (channel_request(&c->channel, h, p)) return;
    if (h->kind == CTL_DEFINE) on_define(c, h->id, p);
    else channel_refuse(&c->channel, h->id, ERR_UNSUPPORTED, "not a request of programs, or not now");
}

static void inside_thread(void *arg) {
    struct inside *c = arg;
    while (!c->dead) {
        struct ctl_header h;
        u8 *payload;
        enum err e = frame_read(&c->reader, &h, &payload);
        if (e == ERR_OK) handle(c, &h, (struct bytes){payload, h.length});
        else if (e == ERR_MALFORMED || e == ERR_LIMIT || e == ERR_VERSION || e == ERR_UNSUPPORTED || e == ERR_NOMEM)
            channel_refuse(&c->channel, 0, e, err_text(e));
        else c->dead = true;
        kfree(payload);
    }
    inside_release(c);
}

enum err inside_open(const struct inside_port *port) {
    struct inside *c = kzalloc(sizeof *c);
    if (!c) return ERR_NOMEM;
    mutex_init(&c->output);
    c->refs = 1;
    c->channel = (struct channel){.write = port->write, .self = port->self, .output = &c->output, .inside = c};
    c->reader = (struct frame_reader){.source = port->read, .self = port->self};
    enum err e = rt_linker_new(ext_config.engine, &c->linker);
    if (!e) e = ext_define(c->linker);
    if (!e) e = wasi_define(c->linker);
    struct thread *t;
    if (!e) e = thread_prepare("inside", inside_thread, c, &t);
    if (e) {
        inside_release(c); /* the port stays the caller's: its end is not set yet */
        return e;
    }
    c->port = *port;
    thread_start(t);
    return ERR_OK;
}

struct waiting {
    struct ext_run run;
    struct rt_callable handler;
    struct hook_slot *slot; /* whose counters tell of it; NULL: an export that is no hook's */
};

/* The handler of ctl.call, or an export of its type. ext_ops is held. */
static enum err find_handler(struct ext *x, struct bytes export, struct waiting *w, struct ext_error *error) {
    struct rt_callable *out = &w->handler;
    bool plain = !export.n;
    for (u32 i = 0; plain && i < x->slot_count; i++)
        if (x->slots[i].hook->id == WHELK_HOOK_CTL_CALL) {
            w->slot = &x->slots[i].slot;
            *out = x->slots[i].handler;
            return ERR_OK;
        }
    if (plain) export = (struct bytes){(const u8 *)"ctl.call", 8};
    if (rt_find_func(x->instance, export, out))
        return ext_fail(error, ERR_NOT_FOUND, "extension %s exports no function %.*s", x->name,
                        (int)MIN(export.n, (size_t)EXT_NAME_MAX), (const char *)export.p);
    if (!rt_type_is(out->type, hook_by_id(WHELK_HOOK_CTL_CALL)->type))
        return ext_fail(error, ERR_SIGNATURE, "extension %s: %.*s is not of type (i32) -> i32", x->name,
                        (int)MIN(export.n, (size_t)EXT_NAME_MAX), (const char *)export.p);
    return ERR_OK;
}

/* x is found, callable and now busy: it cannot go. */
static enum err begin(struct bytes name, struct bytes export, struct waiting *w, struct ext_error *error) {
    struct ext *x = ext_find(name);
    if (!x) return ext_fail(error, ERR_NOT_FOUND, "there is no extension %.*s", (int)MIN(name.n, (size_t)EXT_NAME_MAX), (const char *)name.p);
    enum err e = find_handler(x, export, w, error);
    if (e) return e;
    if (x->quarantined) return ext_fail(error, ERR_TRAP, "extension %s: quarantined: %s", x->name, x->why);
    if (!ext_enter(x, &w->run, hook_by_id(WHELK_HOOK_CTL_CALL)->budget_ns)) return ext_fail(error, ERR_BUSY, "extension %s is busy", x->name);
    x->may_wait = true;
    return ERR_OK;
}

static void count(struct hook_slot *s, enum abi_trap trap) {
    preempt_disable();
    s->calls++;
    if (trap) s->errors++;
    else s->verdicts[WHELK_PASS]++;
    preempt_enable();
}

enum err ext_call_waiting(struct bytes name, struct bytes export, struct hook_call *call, struct ext_error *error) {
    struct waiting w = {.slot = NULL};
    union abi_value vals[2] = {{.i64 = (u32)call->input.n}};
    mutex_lock(&ext_ops);
    struct ext *program = ext_find(name);
    struct ext_slot *command = program ? ext_command_slot(program, export) : NULL;
    enum err e = command ? ext_command(program, command, call, error) : begin(name, export, &w, error);
    mutex_unlock(&ext_ops);
    if (e || command) return e;
    struct ext *x = w.run.ext;
    x->call = call;
    enum abi_trap trap = ext_invoke(x, &w.handler, vals);
    call->status = (i32)vals[0].i32;
    if (w.slot) count(w.slot, trap);
    if (trap) ext_trapped(x, trap, "a call of the program"); /* still busy: x cannot go */
    if (trap) e = ext_fail(error, ERR_TRAP, "extension %s: %s", x->name, x->why);
    x->may_wait = false;
    ext_leave(&w.run);
    wait_wake_all(&ext_idle);
    return e;
}
