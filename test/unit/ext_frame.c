/* ext/frame: messages out of whatever comes down the line. */
#include "base/mem.h"
#include "ext/frame.h"
#include "kern/heap.h"
#include "test/lib/test.h"

/* A line that delivers its bytes in pieces of `step`, then closes. */
struct line {
    u8 bytes[512];
    size_t n, at, step;
};

static enum err from_line(void *self, void *buf, size_t cap, size_t *got) {
    struct line *l = self;
    *got = MIN(MIN(cap, l->step), l->n - l->at);
    memcpy(buf, l->bytes + l->at, *got);
    l->at += *got;
    return *got ? ERR_OK : ERR_CLOSED;
}

static void add(struct line *l, const void *p, size_t n) {
    memcpy(l->bytes + l->n, p, n);
    l->n += n;
}

static void message(struct line *l, u16 version, u16 kind, u32 id, u32 length, const char *payload) {
    struct ctl_header h = {CTL_MAGIC, version, kind, id, length};
    add(l, &h, sizeof h);
    add(l, payload, strlen(payload));
}

static enum err next(struct frame_reader *r, u32 *id, char *text) {
    struct ctl_header h;
    u8 *payload;
    text[0] = 0;
    enum err e = frame_read(r, &h, &payload);
    if (e) return e;
    *id = h.id;
    if (payload) {
        EQUAL(payload[h.length], 0);
        memcpy(text, payload, h.length + 1);
    }
    kfree(payload);
    return ERR_OK;
}

static void mixed(size_t step) {
    static const struct {
        enum err e;
        u32 id;
        const char *text;
    } want[] = {
        {ERR_OK, 1, "abc"},     {ERR_MALFORMED, 0, ""}, {ERR_OK, 2, "after garbage"},
        {ERR_LIMIT, 0, ""},     {ERR_UNSUPPORTED, 0, ""}, {ERR_VERSION, 0, ""},
        {ERR_MALFORMED, 0, ""}, {ERR_OK, 7, ""},        {ERR_CLOSED, 0, ""},
    };
    struct line l = {.step = step};
    char text[64];
    u32 id;
    message(&l, CTL_VERSION, CTL_STAT, 1, 3, "abc");
    add(&l, "garbage WHLWHLWHL", 17);
    message(&l, CTL_VERSION, CTL_UNLOAD, 2, 13, "after garbage");
    message(&l, CTL_VERSION, CTL_LOAD, 3, CTL_MAX + 1, "");
    message(&l, CTL_VERSION, 999, 4, 0, "");
    message(&l, 2, CTL_LIST, 5, 0, "");
    message(&l, CTL_VERSION, CTL_OK, 6, 0, ""); /* an answer is not a request */
    message(&l, CTL_VERSION, CTL_END, 7, 0, "");
    message(&l, CTL_VERSION, CTL_STAT, 8, 100, "cut off");
    struct frame_reader r = {.source = from_line, .self = &l};
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        if (i == 6) { /* CTL_OK: unsupported, not malformed */
            EQUAL(next(&r, &id, text), ERR_UNSUPPORTED);
            continue;
        }
        EQUAL(next(&r, &id, text), want[i].e);
        if (!want[i].e) EQUAL(id, want[i].id);
        EQUAL_TEXT(text, want[i].text);
    }
}

int main(void) {
    mixed(1);
    mixed(3);
    mixed(512);
    return test_end("ext_frame");
}
