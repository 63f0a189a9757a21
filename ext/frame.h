/* frame.h: whole control messages (whelk/ctl.h) out of a byte stream that may
 * carry anything. */
#ifndef WHELK_EXT_FRAME_H
#define WHELK_EXT_FRAME_H

#include "base/err.h"
#include "base/types.h"
#include "whelk/ctl.h"

/* Reads 1..cap bytes, waiting for the first. ERR_CLOSED: the host went away. */
typedef enum err frame_source(void *self, void *buf, size_t cap, size_t *got);

struct frame_reader {
    frame_source *source;
    void *self;
    u8 buf[4096];
    size_t at, n;
    bool skipping; /* in garbage that was complained about already */
    u32 window;    /* then: the last four bytes */
};

/* The next message. ERR_OK: *h, and h->length bytes at *payload, the caller's
 * to kfree, a zero byte after them (NULL if length is 0).
 * ERR_MALFORMED: no message begins here; the next call skips to one.
 * ERR_LIMIT, ERR_VERSION, ERR_UNSUPPORTED: a header that asks for too much; it
 *   was skipped, what follows it is garbage or a message.
 * ERR_NOMEM: no memory for the payload, which was skipped; *h is whole.
 * Else what the source said. */
enum err frame_read(struct frame_reader *r, struct ctl_header *h, u8 **payload);

#endif
