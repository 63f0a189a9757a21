/* resume.c: a quarantined extension goes on, with an instance made anew.
 *
 * I1 the old instance was stopped between any two instructions: what its memory
 *    holds may be half written. Nothing of it is kept, and it gets no last words.
 * I2 until the new instance is ready the hooks see an extension in quarantine;
 *    if it does not get ready, the old one stays there.
 * I3 slots keep their place in their hooks, their counters and their readers. */
#include "base/mem.h"
#include "ext/internal.h"
#include "kern/log.h"
#include "kern/page.h"
#include "kern/thread.h"

/* What is made anew. */
struct life {
    struct rt_store *store;
    struct rt_instance *instance;
    struct wasi *wasi;
};

/* Under list_lock, since ext_stat looks at the store. */
static struct life exchange(struct ext *x, struct life with) {
    mutex_lock(&ext_list_lock);
    struct life old = {x->store, x->instance, x->wasi};
    x->store = with.store;
    x->instance = with.instance;
    x->wasi = with.wasi;
    mutex_unlock(&ext_list_lock);
    return old;
}

static void end(struct life l) {
    if (l.instance) rt_instance_free(l.instance);
    if (l.store) rt_store_free(l.store);
    wasi_free(l.wasi);
}

/* The module is the same, so its exports and their types are. */
static void find_handlers(struct ext *x) {
    preempt_disable();
    for (u32 i = 0; i < x->slot_count; i++) {
        struct ext_slot *s = &x->slots[i];
        struct bytes name = {(const u8 *)s->export, strlen(s->export)};
        enum err e = rt_find_func(x->instance, name, &s->handler);
        assert(!e);
    }
    preempt_enable();
}

enum err ext_renew(struct ext *x, struct ext_error *error) {
    struct life old = exchange(x, (struct life){NULL, NULL, NULL});
    x->renewing = true;
    x->preamble_length = x->line_length = 0;
    enum err e = ext_link(x, error);
    if (!e) e = ext_greet(x, error);
    x->renewing = false;
    if (e) old = exchange(x, old);
    else find_handlers(x);
    end(old);
    return e;
}

static void attach(struct ext *x) {
    preempt_disable();
    for (u32 i = 0; i < x->slot_count; i++) hook_resume(&x->slots[i].slot);
    x->quarantined = false;
    x->traps = 0;
    x->resumes++;
    preempt_enable();
    mutex_lock(&ext_list_lock);
    ext_timer_start(x);
    mutex_unlock(&ext_list_lock);
}

static enum err resume(struct ext *x, struct ext_error *error) {
    if (!x->quarantined) return ext_fail(error, ERR_INVALID, "extension %s is not quarantined: nothing to resume", x->name);
    if (x->may_wait) return ext_fail(error, ERR_BUSY, "extension %s is in a call of the program", x->name);
    if (pages_free() < EXT_SPARE_PAGES)
        return ext_fail(error, ERR_NOMEM, "extension %s: only %zu KiB are free; run the guest with more (-m)", x->name,
                        pages_free() * PAGE_SIZE >> 10);
    ext_drain(x);
    enum err e = ext_renew(x, error);
    if (e) return e;
    attach(x);
    log_info("extension %s: resumed, its instance made anew", x->name);
    return ERR_OK;
}

enum err ext_resume(struct bytes name, struct ext_error *error) {
    mutex_lock(&ext_ops);
    struct ext *x = ext_find(name);
    enum err e = x ? resume(x, error) : ext_unknown(name, error);
    mutex_unlock(&ext_ops);
    return e;
}
