/* requests.c: what the host and the program may both ask (whelk/ctl.h): each
 * request with an id gets exactly one answer; what cannot be done says why. */
#include "base/cursor.h"
#include "base/fault.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "ext/control.h"
#include "ext/control_internal.h"
#include "ext/internal.h"
#include "kern/heap.h"

enum { REPLY_MAX = 256 << 10, CALL_REPLY_MAX = 256 << 10 };

static struct bytes text(const char *s) { return (struct bytes){(const u8 *)s, strlen(s)}; }

enum err channel_put(const struct channel *ch, u16 kind, u32 id, struct bytes payload) {
    struct ctl_header h = {CTL_MAGIC, CTL_VERSION, kind, id, (u32)payload.n};
    assert(payload.n <= CTL_MAX);
    enum err e = ch->write(ch->self, &h, sizeof h);
    if (!e && payload.n) e = ch->write(ch->self, payload.p, payload.n);
    return e;
}

enum err channel_send(const struct channel *ch, u16 kind, u32 id, struct bytes payload) {
    mutex_lock(ch->output);
    enum err e = channel_put(ch, kind, id, payload);
    mutex_unlock(ch->output);
    return e;
}

void channel_refuse(const struct channel *ch, u32 id, enum err code, const char *why) {
    u8 out[sizeof(u32) + sizeof((struct ext_error *)0)->text];
    u32 number = code;
    size_t n = MIN(strlen(why), sizeof out - sizeof number);
    memcpy(out, &number, sizeof number);
    memcpy(out + sizeof number, why, n);
    channel_send(ch, CTL_ERROR, id, (struct bytes){out, sizeof number + n});
}

void channel_accept(const struct channel *ch, u32 id, const char *answer) { channel_send(ch, CTL_OK, id, text(answer)); }

/* Requests. p: the payload. */

static void on_hello(const struct channel *ch, u32 id, struct bytes p) { channel_accept(ch, id, "whelk 1"); }

static void on_load(const struct channel *ch, u32 id, struct bytes p) {
    struct ctl_load l;
    struct ext_error error;
    char out[512] = "";
    struct cursor c = cursor_of(p);
    struct bytes head;
    if (take_bytes(&c, sizeof l, &head)) return channel_refuse(ch, id, ERR_TRUNCATED, "CTL_LOAD without its header");
    memcpy(&l, head.p, sizeof l);
    struct ext_request r = {.budget_ns = l.budget_ns, .max_memory = l.max_memory,
                            .replace = l.flags & CTL_LOAD_REPLACE, .inside = ch->inside};
    if (l.flags & ~(u32)CTL_LOAD_REPLACE) return channel_refuse(ch, id, ERR_UNSUPPORTED, "CTL_LOAD: unknown flags");
    if (take_bytes(&c, l.name_length, &r.name) || take_bytes(&c, l.hook_length, &r.hook))
        return channel_refuse(ch, id, ERR_TRUNCATED, "CTL_LOAD: names longer than the message");
    take_bytes(&c, cursor_left(&c), &r.module);
    if (ext_load(&r, out, sizeof out, &error)) {
        channel_refuse(ch, id, error.code, error.text);
        if (!fault(ANSWER_TWICE)) return;
    }
    channel_accept(ch, id, out);
}

static void on_unload(const struct channel *ch, u32 id, struct bytes p) {
    struct ext_error error;
    if (ext_unload(p, &error)) return channel_refuse(ch, id, error.code, error.text);
    channel_accept(ch, id, "");
}

static void on_resume(const struct channel *ch, u32 id, struct bytes p) {
    struct ext_error error;
    if (ext_resume(p, &error)) return channel_refuse(ch, id, error.code, error.text);
    channel_accept(ch, id, "");
}

static size_t describe_one(struct bytes name, char *out, size_t cap) {
    return name.n ? ext_stat(name, out, cap) : control_describe_system(out, cap);
}
static size_t describe_all(struct bytes name, char *out, size_t cap) { return ext_list(out, cap); }

static void answer_text(const struct channel *ch, u32 id, size_t (*make)(struct bytes, char *, size_t), struct bytes p) {
    char *out = kmalloc(REPLY_MAX);
    if (!out) return channel_refuse(ch, id, ERR_NOMEM, "out of memory");
    size_t n = make(p, out, REPLY_MAX);
    if (n >= REPLY_MAX) channel_refuse(ch, id, ERR_LIMIT, "the answer is too long");
    else channel_send(ch, CTL_OK, id, (struct bytes){(const u8 *)out, n});
    kfree(out);
}

static void on_list(const struct channel *ch, u32 id, struct bytes p) { answer_text(ch, id, describe_all, p); }

static void on_stat(const struct channel *ch, u32 id, struct bytes p) {
    char why[96];
    if (!p.n || ext_stat(p, NULL, 0)) return answer_text(ch, id, describe_one, p);
    fmt(why, sizeof why, "there is no extension %.*s", (int)MIN(p.n, (size_t)EXT_NAME_MAX), (const char *)p.p);
    channel_refuse(ch, id, ERR_NOT_FOUND, why);
}

/* What a handler answers beside a status is why. What a program wrote is its output:
 * the host gets all of it first (a program of the guest asks for one answer). */
static void refuse_status(const struct channel *ch, u32 id, struct bytes name, const struct hook_call *call) {
    struct ext_error error;
    bool whole = call->program && !ch->inside;
    if (whole) channel_send(ch, CTL_DATA, id, (struct bytes){call->output, call->output_length});
    fmt(error.text, sizeof error.text, "%.*s: status %d%s%.*s", (int)MIN(name.n, (size_t)EXT_NAME_MAX), (const char *)name.p,
        call->status, whole ? "" : ": ", whole ? 0 : (int)MIN(call->output_length, (size_t)200), (const char *)call->output);
    channel_refuse(ch, id, ERR_INVALID, error.text);
}

static void on_call(const struct channel *ch, u32 id, struct bytes p) {
    struct ctl_call k;
    struct ext_error error;
    struct cursor c = cursor_of(p);
    struct bytes head, name, export;
    struct hook_call call = {.output_cap = CALL_REPLY_MAX};
    if (take_bytes(&c, sizeof k, &head)) return channel_refuse(ch, id, ERR_TRUNCATED, "CTL_CALL without its header");
    memcpy(&k, head.p, sizeof k);
    if (take_bytes(&c, k.name_length, &name) || take_bytes(&c, k.export_length, &export))
        return channel_refuse(ch, id, ERR_TRUNCATED, "CTL_CALL: names longer than the message");
    if (take_bytes(&c, k.words_length, &call.words) || (call.words.n && call.words.p[call.words.n - 1]))
        return channel_refuse(ch, id, ERR_TRUNCATED, "CTL_CALL: the arguments are longer than the message, or have no end");
    take_bytes(&c, cursor_left(&c), &call.input);
    if (!(call.output = kmalloc(CALL_REPLY_MAX))) return channel_refuse(ch, id, ERR_NOMEM, "out of memory");
    if (ch->inside ? ext_call_waiting(name, export, &call, &error) : ext_call(name, export, &call, &error)) {
        channel_refuse(ch, id, error.code, error.text);
    } else if (call.status) {
        refuse_status(ch, id, name, &call);
    } else {
        channel_send(ch, CTL_OK, id, (struct bytes){call.output, call.output_length});
    }
    kfree(call.output);
}

bool channel_request(const struct channel *ch, const struct ctl_header *h, struct bytes p) {
    static void (*const requests[])(const struct channel *, u32, struct bytes) = {
        [CTL_HELLO] = on_hello, [CTL_LOAD] = on_load, [CTL_UNLOAD] = on_unload,
        [CTL_LIST] = on_list,   [CTL_STAT] = on_stat, [CTL_CALL] = on_call,
        [CTL_RESUME] = on_resume,
    };
    if (h->kind >= ARRAY_LEN(requests) || !requests[h->kind]) return false;
    requests[h->kind](ch, h->id, p);
    return true;
}
