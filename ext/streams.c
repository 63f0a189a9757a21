/* streams.c: what extensions stream, to the host's subscribers.
 *
 * I1 a record leaves its ring and the machine under one hold of the output
 *    lock: order is kept, and nothing follows a stream's CTL_END.
 * I2 subscribers[] changes with the output lock held and preemption off. */
#include "base/fmt.h"
#include "base/mem.h"
#include "ext/control_internal.h"
#include "ext/internal.h"
#include "kern/heap.h"
#include "kern/thread.h"
#include "whelk/ctl.h"

enum { CHUNK = 2 * EXT_STREAM_RECORD };
static u8 *chunk; /* under the output lock */

struct subscribers {
    u32 ids[EXT_SUBSCRIBERS], count;
};

/* Whole records of x, as many as fit. Output locked. */
static size_t collect(struct ext *x, struct subscribers *to) {
    size_t n = 0;
    u32 next;
    preempt_disable();
    memcpy(to->ids, x->subscribers, sizeof to->ids);
    to->count = x->subscriber_count;
    while (to->count && ring_next(&x->stream, &next) && next <= CHUNK - n) n += ring_pop(&x->stream, chunk + n);
    preempt_enable();
    return n;
}

static void send_to(const struct subscribers *to, u16 kind, struct bytes b) {
    for (u32 i = 0; i < to->count; i++) control_put(kind, to->ids[i], b); /* a lost host ends elsewhere */
}

/* One chunk of one extension; only: NULL for any. false: nothing to send. */
static bool send_some(struct ext *only) {
    struct subscribers to;
    size_t n = 0;
    control_lock_output();
    mutex_lock(&ext_list_lock);
    LIST_EACH(it, &ext_list_head) {
        struct ext *x = LIST_ENTRY(it, struct ext, node);
        if ((only && x != only) || ring_empty(&x->stream)) continue;
        if ((n = collect(x, &to))) break;
    }
    mutex_unlock(&ext_list_lock);
    if (n) send_to(&to, CTL_DATA, (struct bytes){chunk, n});
    control_unlock_output();
    return n != 0;
}

static bool any_waiting(void) {
    bool some = false;
    mutex_lock(&ext_list_lock);
    LIST_EACH(it, &ext_list_head) {
        const struct ext *x = LIST_ENTRY(it, struct ext, node);
        if (x->subscriber_count && !ring_empty(&x->stream)) some = true;
    }
    mutex_unlock(&ext_list_lock);
    return some;
}

static void stream_thread(void *arg) {
    for (;;) {
        while (send_some(NULL)) {}
        struct waiter w;
        wait_begin(&ext_streams, &w);
        if (!any_waiting()) wait_block(WAIT_FOREVER);
        wait_end(&w);
    }
}

enum err stream_start(void) {
    struct thread *t;
    if (!(chunk = kmalloc(CHUNK))) return ERR_NOMEM;
    return thread_create("streams", stream_thread, NULL, &t);
}

/* Called by the control thread, which alone adds subscribers; ext_ops keeps the
 * extension from going. */
static enum err subscribe(struct ext *x, u32 id, const char **why) {
    *why = "the extension streams nothing (it does not import whelk.stream_*)";
    if (!x->uses_stream) return ERR_UNSUPPORTED;
    *why = "too many readers of this stream";
    if (x->subscriber_count == EXT_SUBSCRIBERS) return ERR_FULL;
    control_lock_output();
    control_put(CTL_OK, id, (struct bytes){NULL, 0});
    if (x->preamble_length) control_put(CTL_DATA, id, (struct bytes){x->preamble, x->preamble_length});
    preempt_disable();
    x->subscribers[x->subscriber_count++] = id;
    preempt_enable();
    control_unlock_output();
    wait_wake_one(&ext_streams);
    return ERR_OK;
}

enum err stream_subscribe(u32 id, struct bytes name, const char **why) {
    enum err e = ERR_NOT_FOUND;
    mutex_lock(&ext_ops);
    struct ext *x = ext_find(name);
    *why = "there is no such extension";
    if (x) e = subscribe(x, id, why);
    mutex_unlock(&ext_ops);
    return e;
}

static bool drop(struct ext *x, u32 i) {
    assert(i < x->subscriber_count);
    preempt_disable();
    x->subscribers[i] = x->subscribers[--x->subscriber_count];
    preempt_enable();
    return true;
}

/* The last word of a stream says what is missing from it. */
static void put_end(const struct ext *x, u32 id, const char *why) {
    char out[160];
    size_t n = fmt(out, sizeof out, "%s: %lu records, %lu lost, %lu overwritten", why, x->stream.records,
                   x->stream.lost, x->stream.overwritten);
    control_put(CTL_END, id, (struct bytes){(const u8 *)out, MIN(n, sizeof out - 1)});
}

void stream_unsubscribe(u32 id) {
    control_lock_output();
    mutex_lock(&ext_list_lock);
    LIST_EACH(it, &ext_list_head) {
        struct ext *x = LIST_ENTRY(it, struct ext, node);
        for (u32 i = x->subscriber_count; i-- > 0;)
            if (x->subscribers[i] == id && drop(x, i)) put_end(x, id, "ended");
    }
    mutex_unlock(&ext_list_lock);
    control_unlock_output();
}

void stream_unsubscribe_all(void) {
    control_lock_output();
    mutex_lock(&ext_list_lock);
    LIST_EACH(it, &ext_list_head) {
        struct ext *x = LIST_ENTRY(it, struct ext, node);
        while (x->subscriber_count) drop(x, 0);
    }
    mutex_unlock(&ext_list_lock);
    control_unlock_output();
}

void ext_end_streams(struct ext *x) {
    if (!x->subscriber_count) return;
    while (send_some(x)) {}
    control_lock_output();
    while (x->subscriber_count) {
        u32 id = x->subscribers[0];
        drop(x, 0);
        put_end(x, id, "unloaded");
    }
    control_unlock_output();
}
