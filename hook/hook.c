/* hook.c: the list of slots behind each hook.
 *
 * I1 a slot is in its hook's list exactly when slot->hook is set. A detached
 *    one may stay there while the hook fires; the outermost fire sweeps it.
 * I2 fn is called only while the slot is HOOK_LIVE.
 * I3 each time a slot is asked, exactly one of verdicts[], errors, reentries
 *    and skipped goes up. */
#include "hook/hook.h"

#include "base/mem.h"

enum { NO_VERDICTS = 1u << WHELK_PASS };

#define VERDICTS_NET_RX (1u << WHELK_PASS | 1u << WHELK_DROP | 1u << WHELK_TX)
#define VERDICTS_NET_TX (1u << WHELK_PASS | 1u << WHELK_DROP)
#define VERDICTS_NET_TAP NO_VERDICTS
#define VERDICTS_CTL_CALL NO_VERDICTS
#define VERDICTS_CALL_ENTER (1u << WHELK_PASS | 1u << WHELK_DROP)
#define VERDICTS_CALL_EXIT NO_VERDICTS
#define VERDICTS_TIMER NO_VERDICTS
#define FILTERS_NET_RX true
#define FILTERS_NET_TX true
#define FILTERS_NET_TAP false
#define FILTERS_CTL_CALL true
#define FILTERS_CALL_ENTER true
#define FILTERS_CALL_EXIT false
#define FILTERS_TIMER false

/* Long enough for a slow handler on an emulated CPU, short enough that a
 * TCP client does not notice. ctl.call has a person waiting, not a packet. */
#define BUDGET_NET_RX 20000000
#define BUDGET_NET_TX 20000000
#define BUDGET_NET_TAP 20000000
#define BUDGET_CTL_CALL 200000000
#define BUDGET_CALL_ENTER 20000000
#define BUDGET_CALL_EXIT 20000000
#define BUDGET_TIMER 20000000

static struct hook hooks[] = {
#define X(id_, number, name_, type_, policy)                                             \
    {.name = name_, .id = WHELK_HOOK_##id_, .fail = HOOK_##policy, .type = type_,        \
     .budget_ns = BUDGET_##id_, .filters = FILTERS_##id_,                              \
     .records = WHELK_HOOK_##id_ == WHELK_HOOK_NET_TAP, .allowed = VERDICTS_##id_},
    WHELK_HOOKS(X)
#undef X
};

u32 hook_count(void) { return ARRAY_LEN(hooks); }

struct hook *hook_at(u32 index) {
    assert(index < ARRAY_LEN(hooks));
    return &hooks[index];
}

struct hook *hook_by_id(u32 id) {
    for (u32 i = 0; i < ARRAY_LEN(hooks); i++)
        if (hooks[i].id == id) return &hooks[i];
    return NULL;
}

struct hook *hook_by_name(struct bytes name) {
    for (u32 i = 0; i < ARRAY_LEN(hooks); i++)
        if (strlen(hooks[i].name) == name.n && !memcmp(hooks[i].name, name.p, name.n)) return &hooks[i];
    return NULL;
}

static void reset_counters(struct hook_slot *s) {
    s->calls = s->errors = s->reentries = s->skipped = 0;
    s->timed = s->ticks = s->ticks_max = 0;
    memset(s->verdicts, 0, sizeof s->verdicts);
}

enum err hook_attach(struct hook *h, struct hook_slot *s) {
    if (!s->fn) return ERR_INVALID;
    if (s->hook) return ERR_EXISTS;
    struct hook_slot **at = &h->slots;
    while (*at) at = &(*at)->next;
    reset_counters(s);
    s->next = NULL;
    s->hook = h;
    s->state = HOOK_LIVE;
    *at = s;
    return ERR_OK;
}

/* Takes every detached slot out of the list (I1). */
static void sweep(struct hook *h) {
    assert(h->firing == 0);
    for (struct hook_slot **at = &h->slots; *at;) {
        struct hook_slot *s = *at;
        assert(s->hook == h);
        if (s->state != HOOK_DETACHED) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        s->next = NULL;
        s->hook = NULL;
    }
    h->swept_late = false;
}

void hook_detach(struct hook_slot *s) {
    struct hook *h = s->hook;
    s->state = HOOK_DETACHED;
    if (!h) return;
    if (h->firing) h->swept_late = true;
    else sweep(h);
}

void hook_quarantine(struct hook_slot *s) {
    if (s->state == HOOK_LIVE) s->state = HOOK_QUARANTINED;
}

void hook_resume(struct hook_slot *s) {
    if (s->state == HOOK_QUARANTINED) s->state = HOOK_LIVE;
}

void hook_measure(struct hook *h, u64 (*clock)(void), u32 every) {
    assert(every && !(every & (every - 1)));
    h->clock = clock;
    h->clock_every = every;
}

static i32 call(const struct hook *h, struct hook_slot *s, void *event) {
    bool measure = h->clock && !(s->calls & (h->clock_every - 1));
    s->calls++;
    if (!measure) return s->fn(s, event);
    u64 start = h->clock();
    i32 answer = s->fn(s, event);
    u64 ticks = h->clock() - start;
    s->timed++;
    s->ticks += ticks;
    s->ticks_max = MAX(s->ticks_max, ticks);
    return answer;
}

/* What the slot's policy answers when the slot itself does not. */
static i32 by_policy(const struct hook *h, const struct hook_slot *s) {
    if (s->fail == HOOK_FAIL_OPEN || !h->filters) return WHELK_PASS;
    return WHELK_DROP;
}

static i32 ask(struct hook *h, struct hook_slot *s, void *event) {
    if (s->state == HOOK_QUARANTINED) {
        s->skipped++;
        return by_policy(h, s);
    }
    assert(s->state == HOOK_LIVE);
    i32 answer = call(h, s, event);
    if (answer >= 0 && answer < WHELK_VERDICT_COUNT && (h->allowed >> answer & 1)) {
        s->verdicts[answer]++;
        return answer;
    }
    if (answer == HOOK_REENTRY) s->reentries++;
    else s->errors++;
    return by_policy(h, s);
}

static void leave(struct hook *h) {
    assert(h->firing > 0);
    if (--h->firing == 0 && h->swept_late) sweep(h);
}

i32 hook_fire_slots(struct hook *h, void *event) {
    i32 verdict = WHELK_PASS;
    h->fires++;
    h->firing++;
    for (struct hook_slot *s = h->slots; s && verdict == WHELK_PASS; s = s->next)
        if (s->state != HOOK_DETACHED) verdict = ask(h, s, event);
    leave(h);
    assert(verdict == WHELK_PASS || h->filters);
    return verdict;
}

i32 hook_fire_one(struct hook_slot *s, void *event) {
    struct hook *h = s->hook;
    assert(h && s->state != HOOK_DETACHED);
    h->fires++;
    h->firing++;
    i32 verdict = ask(h, s, event);
    leave(h);
    return verdict;
}
