/* record.c: handlers of type () -> (), which read an event from standard input.
 *
 * Their files may block, and a hook may not: the fire copies the event into
 * the extension's queue, and one worker thread calls the handlers, preemptible,
 * each within its budget. A full queue loses the event, and counts it. */
#include "base/mem.h"
#include "ext/internal.h"
#include "kern/heap.h"
#include "kern/time.h"

/* Before the bytes of each queued record. */
struct queued {
    u64 time_ns;
    u32 slot, interface, direction;
};

enum { RECORD_MAX = 4096 };

i32 ext_record_fire(struct hook_slot *s, void *event) {
    struct ext_slot *e = s->cookie;
    struct hook_frame *f = event;
    struct queued q = {f->time_ns, (u32)(e - e->ext->slots), f->interface, f->direction};
    struct ring *r = &e->ext->queue;
    if (f->length > RECORD_MAX - sizeof q) {
        r->lost++;
        return HOOK_ERROR;
    }
    if (!q.time_ns) q.time_ns = f->time_ns = time_wall_ns();
    if (!ring_begin(r, (u32)sizeof q + f->length, false)) return HOOK_ERROR;
    bool whole = ring_put(r, &q, sizeof q) && ring_put(r, f->bytes, f->length) && ring_commit(r);
    assert(whole);
    wait_wake_one(&ext_records);
    return WHELK_PASS;
}

/* An extension with a record, and the record: all with preemption off, so that
 * the extension cannot go between being found and being busy. */
static struct ext *take(struct ext_run *run, u8 *record, u32 *n) {
    struct ext *found = NULL;
    mutex_lock(&ext_list_lock);
    LIST_EACH(it, &ext_list_head) {
        struct ext *x = LIST_ENTRY(it, struct ext, node);
        preempt_disable();
        if (x->quarantined) ring_discard(&x->queue);
        if (!ring_empty(&x->queue) && ext_enter(x, run, 0)) {
            *n = ring_pop(&x->queue, record);
            found = x;
        }
        preempt_enable();
        if (found) break;
    }
    mutex_unlock(&ext_list_lock);
    return found;
}

/* The handler's call, timed now and then. */
static enum abi_trap handle(struct ext_slot *e) {
    union abi_value none[2] = {{.bits = {0, 0}}};
    bool measure = e->handled++ % EXT_MEASURE_EVERY == 0 && ext_config.cycles;
    u64 start = measure ? ext_config.cycles() : 0;
    enum abi_trap trap = ext_invoke(e->ext, &e->handler, none);
    if (!measure) return trap;
    u64 ticks = ext_config.cycles() - start;
    e->timed++;
    e->ticks += ticks;
    e->ticks_max = MAX(e->ticks_max, ticks);
    return trap;
}

bool ext_record_step(void) {
    static u8 record[RECORD_MAX] __attribute__((aligned(16))); /* the worker's alone */
    struct ext_run run;
    struct queued q;
    u32 n;
    struct ext *x = take(&run, record, &n);
    if (!x) {
        wait_wake_all(&ext_idle);
        return false;
    }
    assert(n > sizeof q && n <= sizeof record);
    memcpy(&q, record, sizeof q);
    struct ext_slot *e = &x->slots[q.slot];
    run.budget_ns = e->budget_ns;
    struct hook_frame f = {record + sizeof q, n - (u32)sizeof q, q.interface, q.direction, q.time_ns, false};
    x->frame = &f;
    if (x->wasi) wasi_set_record(x->wasi, (struct bytes){f.bytes, f.length});
    enum abi_trap trap = handle(e);
    if (x->wasi) wasi_set_record(x->wasi, (struct bytes){NULL, 0});
    if (trap) ext_trapped(x, trap, e->export); /* still busy: x cannot go */
    ext_leave(&run);
    wait_wake_all(&ext_idle);
    return true;
}

static bool any_waiting(void) {
    bool some = false;
    mutex_lock(&ext_list_lock);
    LIST_EACH(it, &ext_list_head)
        if (!ring_empty(&LIST_ENTRY(it, struct ext, node)->queue)) some = true;
    mutex_unlock(&ext_list_lock);
    return some;
}

void ext_record_thread(void *arg) {
    for (;;) {
        while (ext_record_step()) {}
        struct waiter w;
        wait_begin(&ext_records, &w);
        if (!any_waiting()) wait_block(WAIT_FOREVER);
        wait_end(&w);
    }
}

void ext_drain(struct ext *x) {
    wait_event(&ext_idle, !x->busy && ring_empty(&x->queue), WAIT_FOREVER);
}
