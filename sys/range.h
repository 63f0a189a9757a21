/* range.h: the parts of mm.c that change ranges and their pages. Inside sys/mm
 * only; mm.lock is held by the caller of every function. */
#ifndef WHELK_SYS_RANGE_H
#define WHELK_SYS_RANGE_H

#include "base/list.h"
#include "kern/lock.h"
#include "kern/page.h"
#include "sys/mm.h"

struct range {
    struct list node;
    u64 start, end;
    u32 prot;
    struct mm_source source; /* of start */
    const char *name;        /* static, or NULL */
};

struct mm {
    struct mutex lock;
    /* under lock */
    struct list ranges;
    struct range *last; /* that range_at found: the next is often near; or NULL */
    u64 present; /* pages */
    bool code_fixed; /* nothing may become executable any more */
    /* under break_lock, which is taken first */
    struct mutex break_lock;
    u64 break_start, break_end;
};
extern struct mm mm;

struct range *range_at(u64 va); /* NULL if none */
bool range_overlap(u64 start, u64 end);
bool range_covered(u64 start, u64 end);
struct range *range_after(const struct range *r); /* NULL: r is the last one */
/* From start to here, at most to end, everything is mapped, and with one right of prot (0: with any or none). */
u64 range_reach(u64 start, u64 end, u32 prot);
void range_insert(struct range *r); /* its place is free */
/* Makes one range of two that meet in [start, end] and are alike. */
void range_join(u64 start, u64 end);
void range_free(struct range *r);   /* in no list; gives the source back */
bool range_split(u64 at);           /* no range spans it afterwards; false: no memory */
/* Unmaps [start, end); -ENOMEM before anything has changed. */
i64 range_cut(u64 start, u64 end);
void range_drop_pages(u64 start, u64 end);
/* Present pages follow r->prot; false: memory is short, some kept their rights. */
bool range_reprotect(const struct range *r);
/* A page of [start, end) that lost all rights, and where; v == 0 if none. */
phys range_unpark(u64 start, u64 end, u64 *va);
i64 range_move(struct range *r, u64 to, u64 new_length);

#endif
