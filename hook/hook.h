/* hook.h: hook points and what is attached to them. Pure: knows no Wasm, no
 * threads, no clock but the one it is given.
 *
 * A hook is a list of slots, fired in the order of attachment. A slot is a C
 * function and its owner's cookie; ext/ puts extensions behind it, tests and
 * the kernel put plain functions there.
 *
 * Context of every function here that says [np]: one CPU, preemption off, not
 *   in a hard interrupt. So attach and detach never run between two slots of
 *   a fire, unless a slot's own function calls them: that is allowed.
 * Memory: slots belong to whoever attaches them. A detached slot's memory may
 *   be reused when hook_quiet(hook) is true: no fire is under way that could
 *   still look at it. (With more CPUs this becomes an epoch; callers stay.)
 * Cost: a hook without slots costs one load and one branch. */
#ifndef WHELK_HOOK_HOOK_H
#define WHELK_HOOK_HOOK_H

#include "base/assert.h"
#include "base/err.h"
#include "base/types.h"
#include "whelk/hook.h"

/* What happens when a slot cannot answer: the event passes, or it is refused
 * (dropped, or ERR to the caller). A firewall is never silently skipped. */
enum hook_fail { HOOK_FAIL_OPEN, HOOK_FAIL_CLOSED };

/* What a slot's function returns: a verdict (enum whelk_verdict), or one of these. */
enum {
    HOOK_ERROR = -1,   /* it trapped, or answered nonsense */
    HOOK_REENTRY = -2, /* it is running already: the event came from inside it */
};

struct hook;
struct hook_slot;
typedef i32 hook_fn(struct hook_slot *slot, void *event);

enum hook_state {
    HOOK_DETACHED,
    HOOK_LIVE,
    HOOK_QUARANTINED, /* in the list, its function is never called; its fail policy answers */
};

struct hook_slot {
    /* set by the owner before hook_attach */
    hook_fn *fn;
    void *cookie;
    enum hook_fail fail;
    /* hook.c's */
    enum hook_state state;
    struct hook *hook;
    struct hook_slot *next;
    /* counters, read by anybody */
    u64 calls;                          /* of fn */
    u64 verdicts[WHELK_VERDICT_COUNT];  /* accepted answers */
    u64 errors;                         /* HOOK_ERROR and unknown verdicts */
    u64 reentries;
    u64 skipped;                        /* answered by policy while quarantined */
    u64 timed, ticks, ticks_max;        /* calls measured, and their cost by hook->clock */
};

struct hook {
    /* fixed */
    const char *name;
    enum whelk_hook id;
    enum hook_fail fail;      /* default for its slots */
    const char *type;         /* of a native handler, as rt_define_func writes it */
    u64 budget_ns;            /* default time for one call */
    bool filters;             /* verdicts matter; else every slot sees every event */
    bool records;             /* an event is bytes that a () -> () handler can read */
    u32 allowed;              /* bit per verdict that is an answer here */
    /* [np] */
    struct hook_slot *slots;
    u32 firing;               /* fires under way, nested ones included */
    bool swept_late;          /* a slot was detached while firing > 0 */
    u64 fires;                /* with at least one slot */
    u64 (*clock)(void);       /* NULL: nobody asked for times */
    u32 clock_every;          /* a power of two: one call in so many is measured */
};

/* Events, one type for each family of hooks. The bytes belong to whoever fires
 * and are valid during the fire only. */
struct hook_frame { /* net.rx, net.tx, net.tap */
    u8 *bytes;
    u32 length;    /* never 0 */
    u32 interface;
    u32 direction; /* enum whelk_direction */
    u64 time_ns;   /* wall clock; 0: not read yet, the reader fills it in */
    bool writable;
};
struct hook_call { /* ctl.call */
    struct bytes input;
    struct bytes words; /* arguments of a program (doc/hooks.md), each with its zero */
    u8 *output;
    size_t output_cap, output_length;
    i32 status;   /* the handler's; 0 is success */
    bool program; /* it was a program's run: status and output are two things */
};
struct hook_syscall { /* call.enter, call.exit */
    u64 number, args[6];
    i64 result;    /* call.exit: of the call; in both the handlers may set it */
    u32 thread;    /* of the program: what gettid gives */
    bool decided;  /* a handler set the result */
};
struct hook_timer { /* timer */
    u64 now_ns, next_ns; /* next_ns: the handler's answer */
};

/* The one table. NULL for an unknown number or name. */
struct hook *hook_by_id(u32 id);
struct hook *hook_by_name(struct bytes name);
u32 hook_count(void);
struct hook *hook_at(u32 index); /* index < hook_count() */

/* [np] At the end of the list. The counters start at 0.
 * ERR_EXISTS if it is attached already, ERR_INVALID without a function. */
enum err hook_attach(struct hook *h, struct hook_slot *s);
/* [np] Does nothing if detached already. Afterwards fn is not called again. */
void hook_detach(struct hook_slot *s);
/* [np] From inside fn too. Does nothing unless live. */
void hook_quarantine(struct hook_slot *s);
/* [np] Ends a quarantine; the counters go on. Does nothing unless quarantined. */
void hook_resume(struct hook_slot *s);
static inline bool hook_quiet(const struct hook *h) { return h->firing == 0; }

/* Measure one call in `every` (a power of two) by clock; clock NULL: none. */
void hook_measure(struct hook *h, u64 (*clock)(void), u32 every);

/* The slots' common answer: of a filter the first verdict that is not
 * WHELK_PASS, and slots after it are not asked; else WHELK_PASS. */
i32 hook_fire_slots(struct hook *h, void *event);

/* [np] */
static inline i32 hook_fire(struct hook *h, void *event) {
    if (likely(!h->slots)) return WHELK_PASS;
    return hook_fire_slots(h, event);
}
/* One slot's answer, policy applied: for events that name their receiver (ctl.call). [np] */
i32 hook_fire_one(struct hook_slot *s, void *event);

#endif
