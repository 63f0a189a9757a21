/* stat.c: extensions as JSON, and as lines for a panic. Names are of a safe alphabet; texts are escaped. */
#include <stdarg.h>

#include "base/fmt.h"
#include "base/mem.h"
#include "ext/internal.h"

struct text {
    char *out;
    size_t cap, n;
};

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    t->n += vfmt(t->n < t->cap ? t->out + t->n : NULL, t->n < t->cap ? t->cap - t->n : 0, format, args);
    va_end(args);
}

static void add_string(struct text *t, const char *s) {
    add(t, "\"");
    for (; *s; s++) {
        u8 c = (u8)*s;
        if (c == '"' || c == '\\') add(t, "\\%c", c);
        else if (c < ' ') add(t, "\\u%04x", c);
        else add(t, "%c", c);
    }
    add(t, "\"");
}

static const char *state_name(enum hook_state s) {
    return s == HOOK_LIVE ? "live" : s == HOOK_QUARANTINED ? "quarantined" : "detached";
}

static const char *const mode_names[] = {[EXT_NATIVE] = "native", [EXT_RECORD] = "record", [EXT_COMMAND] = "command"};

static void add_slot(struct text *t, const struct ext_slot *s) {
    const struct hook_slot *c = &s->slot;
    u64 fires = c->calls + c->skipped;
    add(t, "{\"hook\":\"%s\",\"export\":", s->hook->name);
    add_string(t, s->export);
    add(t, ",\"mode\":\"%s\",\"state\":\"%s\"", mode_names[s->mode], state_name(c->state));
    add(t, ",\"budget_ns\":%lu,\"fires\":%lu,\"calls\":%lu", s->budget_ns, fires, c->calls);
    add(t, ",\"pass\":%lu,\"drop\":%lu,\"tx\":%lu", c->verdicts[WHELK_PASS], c->verdicts[WHELK_DROP],
        c->verdicts[WHELK_TX]);
    add(t, ",\"errors\":%lu,\"reentries\":%lu,\"skipped\":%lu", c->errors, c->reentries, c->skipped);
    add(t, ",\"timed_calls\":%lu,\"cycles_mean\":%lu,\"cycles_max\":%lu", c->timed,
        c->timed ? c->ticks / c->timed : 0, c->ticks_max);
    if (s->mode == EXT_RECORD)
        add(t, ",\"handled\":%lu,\"handler_cycles_mean\":%lu,\"handler_cycles_max\":%lu", s->handled,
            s->timed ? s->ticks / s->timed : 0, s->ticks_max);
    add(t, "}");
}

static void add_ring(struct text *t, const char *name, const struct ring *r) {
    add(t, ",\"%s\":{\"records\":%lu,\"bytes\":%lu,\"lost\":%lu,\"overwritten\":%lu,\"waiting_bytes\":%lu}", name,
        r->records, r->bytes, r->lost, r->overwritten, r->tail - r->head);
}

size_t ext_describe(const struct ext *x, char *out, size_t cap) {
    struct text t = {out, cap, 0};
    add(&t, "{\"name\":\"%s\",\"state\":\"%s\",\"why\":", x->name, x->quarantined ? "quarantined" : "live");
    add_string(&t, x->why);
    add(&t, ",\"traps\":%u,\"deadlines\":%u,\"resumes\":%u", x->traps, x->deadlines, x->resumes);
    add(&t, ",\"memory_bytes\":%lu,\"memory_limit\":%lu", x->store ? rt_store_memory(x->store) : 0, x->max_memory);
    add(&t, ",\"module_bytes\":%lu,\"load_ns\":%lu,\"hooks\":[", x->module_bytes, x->load_ns);
    for (u32 i = 0; i < x->slot_count; i++) {
        if (i) add(&t, ",");
        add_slot(&t, &x->slots[i]);
    }
    add(&t, "]");
    if (x->uses_stream) add_ring(&t, "stream", &x->stream);
    if (x->uses_records) add_ring(&t, "records", &x->queue);
    add(&t, "}");
    return t.n;
}

size_t ext_list(char *out, size_t cap) {
    size_t n = 0;
    if (cap) out[0] = 0;
    mutex_lock(&ext_list_lock);
    LIST_EACH(it, &ext_list_head) {
        n += ext_describe(LIST_ENTRY(it, struct ext, node), n < cap ? out + n : NULL, n < cap ? cap - n : 0);
        n += fmt(n < cap ? out + n : NULL, n < cap ? cap - n : 0, "\n");
    }
    mutex_unlock(&ext_list_lock);
    return n;
}

size_t ext_stat(struct bytes name, char *out, size_t cap) {
    mutex_lock(&ext_list_lock);
    struct ext *x = ext_find(name);
    size_t n = x ? ext_describe(x, out, cap) : 0;
    mutex_unlock(&ext_list_lock);
    return n;
}

static void report_slot(const struct ext_slot *s, void (*say)(const char *format, ...)) {
    const struct hook_slot *c = &s->slot;
    say("  %s %s, %s: calls %lu, pass %lu, drop %lu, tx %lu, errors %lu, skipped %lu\n", s->hook->name, s->export,
        state_name(c->state), c->calls, c->verdicts[WHELK_PASS], c->verdicts[WHELK_DROP], c->verdicts[WHELK_TX], c->errors,
        c->skipped);
}

void ext_report(void (*say)(const char *format, ...)) {
    u32 left = EXT_MAX; /* a damaged list may have no end */
    LIST_EACH(it, &ext_list_head) {
        const struct ext *x = LIST_ENTRY(it, struct ext, node);
        if (!left--) break;
        say("%s: %s%s%s, traps %u, deadlines %u, module %lu bytes%s\n", x->name, x->quarantined ? "quarantined" : "live",
            *x->why ? ": " : "", x->why, x->traps, x->deadlines, x->module_bytes, x->busy ? ", running" : "");
        for (u32 i = 0; i < MIN(x->slot_count, (u32)EXT_SLOTS); i++) report_slot(&x->slots[i], say);
    }
}
