/* queue.h: bytes on their way through the broker: appended at the end, taken
 * at the front. Grows as needed, gives memory back when empty. */
#ifndef WHELK_CLI_QUEUE_H
#define WHELK_CLI_QUEUE_H

#include "base/types.h"

struct queue {
    u8 *p;
    size_t start, end, cap; /* content is p[start, end) */
};

static inline size_t queue_size(const struct queue *q) { return q->end - q->start; }
void queue_put(struct queue *q, const void *p, size_t n);
void queue_drop(struct queue *q, size_t n);
void queue_free(struct queue *q);
/* Reads what is there from fd (which does not block), at most about 64 KiB.
 * false at the end of the stream or after an error. */
bool queue_fill(struct queue *q, int fd);
/* Writes to fd (which does not block) what it takes. false: the other side is gone. */
bool queue_flush(struct queue *q, int fd);

#endif
