/* frame.c: see frame.h.
 * I1 a message is handed out only when all of it has arrived.
 * I2 after garbage the reader stands at the first byte that can begin a magic
 *    number, however the bytes were cut into reads. */
#include "ext/frame.h"

#include "base/fault.h"
#include "base/mem.h"
#include "kern/heap.h"

static enum err fill(struct frame_reader *r) {
    r->at = r->n = 0;
    enum err e = r->source(r->self, r->buf, sizeof r->buf, &r->n);
    if (!e && r->n > sizeof r->buf) e = ERR_IO;
    if (e) r->n = 0;
    return e;
}

/* to == NULL: skips. */
static enum err take(struct frame_reader *r, u8 *to, size_t n) {
    while (n) {
        enum err e = r->at == r->n ? fill(r) : ERR_OK;
        if (e) return e;
        size_t part = MIN(n, r->n - r->at);
        if (to) {
            memcpy(to, r->buf + r->at, part);
            to += part;
        }
        r->at += part;
        n -= part;
    }
    return ERR_OK;
}

/* Stands after a magic number, or says once that there is none here. */
static enum err find_magic(struct frame_reader *r) {
    static const u32 magic = CTL_MAGIC;
    enum err e = ERR_OK;
    if (!r->skipping) e = take(r, (u8 *)&r->window, sizeof r->window);
    while (!e && r->window != magic) {
        u8 next;
        if (!r->skipping) {
            r->skipping = true;
            return ERR_MALFORMED;
        }
        if (!(e = take(r, &next, 1))) r->window = r->window >> 8 | (u32)next << 24;
    }
    r->skipping = false;
    return e;
}

static enum err check(const struct ctl_header *h) {
    if (h->version != CTL_VERSION) return ERR_VERSION;
    if (h->length > CTL_MAX) return ERR_LIMIT;
    if (h->kind >= CTL_HELLO && h->kind <= CTL_RESUME) return ERR_OK;
    return h->kind == CTL_END ? ERR_OK : ERR_UNSUPPORTED;
}

enum err frame_read(struct frame_reader *r, struct ctl_header *h, u8 **payload) {
    *payload = NULL;
    enum err e = find_magic(r);
    if (e) return e;
    h->magic = CTL_MAGIC;
    if ((e = take(r, (u8 *)h + sizeof h->magic, sizeof *h - sizeof h->magic))) return e;
    if ((e = check(h)) || !h->length) return e;
    u8 *p = kmalloc((size_t)h->length + !fault(FRAME_END));
    if ((e = take(r, p, h->length))) {
        kfree(p);
        return e;
    }
    if (!p) return ERR_NOMEM;
    p[h->length] = 0;
    *payload = p;
    return ERR_OK;
}
