/* hook/: verdicts, policies, and lists that change while they are walked. */
#include "hook/hook.h"
#include "base/mem.h"
#include "test/lib/test.h"

static char order[16];
static u32 order_n;

struct answer {
    i32 value;
    char mark;
    struct hook_slot *detach, *quarantine, *attach;
    bool fire_again;
};

static struct answer says(i32 value, char mark) {
    return (struct answer){.value = value, .mark = mark};
}

static i32 reply(struct hook_slot *s, void *event) {
    struct answer *a = s->cookie;
    order[order_n++] = a->mark;
    order[order_n] = 0;
    if (a->detach) hook_detach(a->detach);
    if (a->quarantine) hook_quarantine(a->quarantine);
    if (a->attach) EQUAL(hook_attach(s->hook, a->attach), ERR_OK);
    if (a->fire_again) {
        a->fire_again = false;
        hook_fire(s->hook, event);
    }
    return a->value;
}

static struct hook_slot slot(struct answer *a, enum hook_fail fail) {
    return (struct hook_slot){.fn = reply, .cookie = a, .fail = fail};
}

static i32 fire(struct hook *h) {
    order_n = 0;
    order[0] = 0;
    return hook_fire(h, NULL);
}

static struct hook *named(const char *name) {
    return hook_by_name((struct bytes){(const u8 *)name, strlen(name)});
}

static void names(void) {
    CHECK(named("net.tap") == hook_by_id(WHELK_HOOK_NET_TAP));
    CHECK(!named("net.ta") && !named("") && !hook_by_id(0) && !hook_by_id(99));
    EQUAL(hook_count(), 7);
    for (u32 i = 0; i < hook_count(); i++) CHECK(hook_by_id(hook_at(i)->id) == hook_at(i));
    EQUAL(named("ctl.call")->fail, HOOK_FAIL_CLOSED);
}

static void verdicts_in_order(void) {
    struct hook *h = named("net.rx");
    struct answer a = says(WHELK_PASS, 'a'), b = says(WHELK_DROP, 'b'), c = says(WHELK_PASS, 'c');
    struct hook_slot sa = slot(&a, HOOK_FAIL_OPEN), sb = slot(&b, HOOK_FAIL_OPEN),
                     sc = slot(&c, HOOK_FAIL_OPEN);
    EQUAL(fire(h), WHELK_PASS);
    EQUAL(hook_attach(h, &sa), ERR_OK);
    EQUAL(hook_attach(h, &sb), ERR_OK);
    EQUAL(hook_attach(h, &sc), ERR_OK);
    EQUAL(hook_attach(h, &sb), ERR_EXISTS);
    EQUAL(fire(h), WHELK_DROP);
    EQUAL_TEXT(order, "ab");
    EQUAL(sb.verdicts[WHELK_DROP], 1);
    EQUAL(sc.calls, 0);
    hook_detach(&sb);
    EQUAL(fire(h), WHELK_PASS);
    EQUAL_TEXT(order, "ac");
    a.value = WHELK_TX;
    EQUAL(fire(h), WHELK_TX);
    hook_detach(&sa);
    hook_detach(&sa); /* twice does no harm */
    hook_detach(&sc);
    CHECK(!h->slots && hook_quiet(h));
}

static void taps_see_everything(void) {
    struct hook *h = named("net.tap");
    struct answer a = says(HOOK_ERROR, 'a'), b = says(WHELK_DROP, 'b'), c = says(WHELK_PASS, 'c');
    struct hook_slot s[] = {slot(&a, HOOK_FAIL_CLOSED), slot(&b, HOOK_FAIL_OPEN), slot(&c, HOOK_FAIL_OPEN)};
    for (int i = 0; i < 3; i++) hook_attach(h, &s[i]);
    EQUAL(fire(h), WHELK_PASS);
    EQUAL_TEXT(order, "abc");
    EQUAL(s[0].errors, 1);
    EQUAL(s[1].errors, 1); /* a tap has no verdict to give */
    EQUAL(s[2].verdicts[WHELK_PASS], 1);
    for (int i = 0; i < 3; i++) hook_detach(&s[i]);
}

static void policies(void) {
    static const struct {
        i32 answer;
        enum hook_fail fail;
        i32 verdict;
        u64 errors, reentries;
    } cases[] = {
        {HOOK_ERROR, HOOK_FAIL_OPEN, WHELK_PASS, 1, 0},
        {HOOK_ERROR, HOOK_FAIL_CLOSED, WHELK_DROP, 1, 0},
        {HOOK_REENTRY, HOOK_FAIL_OPEN, WHELK_PASS, 0, 1},
        {HOOK_REENTRY, HOOK_FAIL_CLOSED, WHELK_DROP, 0, 1},
        {WHELK_TX, HOOK_FAIL_CLOSED, WHELK_DROP, 1, 0}, /* not a verdict of net.tx */
        {77, HOOK_FAIL_OPEN, WHELK_PASS, 1, 0},
        {INT32_MIN, HOOK_FAIL_OPEN, WHELK_PASS, 1, 0},
    };
    struct hook *h = named("net.tx");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a = says(cases[i].answer, 'a');
        struct hook_slot s = slot(&a, cases[i].fail);
        hook_attach(h, &s);
        EQUAL(fire(h), cases[i].verdict);
        EQUAL(s.errors, cases[i].errors);
        EQUAL(s.reentries, cases[i].reentries);
        hook_quarantine(&s);
        EQUAL(fire(h), cases[i].fail == HOOK_FAIL_OPEN ? WHELK_PASS : WHELK_DROP);
        EQUAL(s.calls, 1);
        EQUAL(s.skipped, 1);
        hook_detach(&s);
        hook_quarantine(&s); /* a detached slot stays detached */
        EQUAL(s.state, HOOK_DETACHED);
    }
}

static void change_while_firing(void) {
    struct hook *h = named("net.tap");
    struct answer a = says(WHELK_PASS, 'a'), b = says(WHELK_PASS, 'b'), c = says(WHELK_PASS, 'c'), d = says(WHELK_PASS, 'd');
    struct hook_slot sa = slot(&a, 0), sb = slot(&b, 0), sc = slot(&c, 0), sd = slot(&d, 0);
    hook_attach(h, &sa);
    hook_attach(h, &sb);
    hook_attach(h, &sc);
    a.detach = &sa; /* itself */
    b.detach = &sc; /* one that was not asked yet */
    b.attach = &sd;
    EQUAL(fire(h), WHELK_PASS);
    EQUAL_TEXT(order, "abd");
    CHECK(h->slots == &sb && sb.next == &sd && !sd.next && !sa.hook && !sc.hook);
    b = says(WHELK_PASS, 'b');
    b.fire_again = true;
    b.detach = &sb;
    fire(h); /* nested: the list is swept by the outermost only */
    EQUAL_TEXT(order, "bdd");
    CHECK(h->slots == &sd && hook_quiet(h));
    d.quarantine = &sd;
    fire(h);
    fire(h);
    EQUAL(sd.calls, 4);
    EQUAL(sd.skipped, 1);
    hook_detach(&sd);
}

static u64 now;
static u64 clock_by_three(void) { return now += 3; }

static void measured_when_asked(void) {
    struct hook *h = named("net.tap");
    struct answer a = says(WHELK_PASS, 'a');
    struct hook_slot s = slot(&a, HOOK_FAIL_OPEN);
    hook_attach(h, &s);
    for (int i = 0; i < 8; i++) fire(h);
    EQUAL(s.timed, 0);
    hook_measure(h, clock_by_three, 4);
    for (int i = 0; i < 8; i++) fire(h);
    EQUAL(s.timed, 2);
    EQUAL(s.ticks, 6);
    EQUAL(s.ticks_max, 3);
    hook_measure(h, NULL, 1);
    EQUAL(hook_fire_one(&s, NULL), WHELK_PASS);
    EQUAL(s.calls, 17);
    hook_detach(&s);
}

int main(void) {
    names();
    verdicts_in_order();
    taps_see_everything();
    policies();
    change_while_firing();
    measured_when_asked();
    return test_end("hook_hook");
}
