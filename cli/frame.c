#include "cli/frame.h"

#include <string.h>

#include "base/assert.h"

/* A header that a receiver must not trust is treated as garbage: the next
 * magic after it starts a frame again (ctl.h). */
static bool header_ok(const struct ctl_header *h) {
    return h->magic == CTL_MAGIC && h->version == CTL_VERSION && h->length <= CTL_MAX;
}

bool frame_next(struct queue *q, struct ctl_header *out, size_t *skipped) {
    while (queue_size(q) >= sizeof(*out)) {
        memcpy(out, q->p + q->start, sizeof(*out));
        if (header_ok(out)) return queue_size(q) - sizeof(*out) >= out->length;
        queue_drop(q, 1);
        ++*skipped;
    }
    return false;
}

void frame_put(struct queue *q, u16 kind, u32 id, const void *payload, size_t n) {
    assert(n <= CTL_MAX);
    struct ctl_header h = {CTL_MAGIC, CTL_VERSION, kind, id, (u32)n};
    queue_put(q, &h, sizeof(h));
    queue_put(q, payload, n);
}
