/* frame.h: frames of the control protocol in a queue of bytes. */
#ifndef WHELK_CLI_FRAME_H
#define WHELK_CLI_FRAME_H

#include "cli/queue.h"
#include "whelk/ctl.h"

/* The next whole frame at the front of q: its header; the payload is at
 * q->p + q->start + sizeof(header) until the caller drops
 * sizeof(header) + length. Bytes that cannot start a frame are skipped and
 * counted in *skipped. false: more bytes are needed. */
bool frame_next(struct queue *q, struct ctl_header *out, size_t *skipped);
static inline const u8 *frame_payload(const struct queue *q) {
    return q->p + q->start + sizeof(struct ctl_header);
}
static inline void frame_drop(struct queue *q, const struct ctl_header *h) {
    queue_drop(q, sizeof(*h) + h->length);
}
void frame_put(struct queue *q, u16 kind, u32 id, const void *payload, size_t n);

#endif
