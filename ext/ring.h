/* ring.h: a byte ring of whole records: what extensions stream to the host,
 * and what waits for a module that reads records from standard input.
 *
 * I1 head <= tail <= fill <= end, all counted without wrapping; end - head <= cap.
 * I2 [head, tail) is whole records, each a u32 length and its bytes; a reader
 *    never sees a record that is not committed.
 * I3 a record that did not get in is counted in lost, one that was pushed out
 *    by newer ones in overwritten: no loss is silent.
 * Not thread-safe: callers exclude each other (preemption off). */
#ifndef WHELK_EXT_RING_H
#define WHELK_EXT_RING_H

#include "base/types.h"

struct ring {
    u8 *p;   /* the owner's memory */
    u32 cap; /* bytes; a power of two; 0: no ring, everything is lost */
    u64 head, tail, fill, end;
    bool open; /* between begin and commit */
    u64 records, bytes, lost, overwritten;
};

void ring_init(struct ring *r, void *p, u32 cap);
/* Makes room for a record of n bytes. overwrite: at the cost of the oldest.
 * false, counted as lost: it does not fit. A record left open is abandoned. */
bool ring_begin(struct ring *r, u32 n, bool overwrite);
/* Appends to the open record; false: more than was announced, or none open. */
bool ring_put(struct ring *r, const void *p, u32 n);
/* false, counted as lost: bytes are missing, or none open. */
bool ring_commit(struct ring *r);
/* The oldest record's length; false: empty. */
bool ring_next(const struct ring *r, u32 *n);
/* Takes the oldest record; there is one, and out holds it. Its length. */
u32 ring_pop(struct ring *r, void *out);
/* Throws everything away, counted as lost. */
void ring_discard(struct ring *r);
static inline bool ring_empty(const struct ring *r) { return r->head == r->tail; }

#endif
