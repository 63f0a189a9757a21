/* talk.h: for the targets that speak whelk/ctl.h: extensions on a real engine,
 * over the stand-ins of test/ext/kernel.h, and conversations made of the
 * fuzzer's bytes.
 *
 * A script is a row of steps: messages of every kind (modules from build/ext
 * among them, whole or damaged), bytes that are none, and events: frames pass,
 * calls are made, the threads of ext/ get their turn. */
#ifndef WHELK_TEST_FUZZ_TALK_H
#define WHELK_TEST_FUZZ_TALK_H

#include "base/cursor.h"
#include "base/err.h"

enum { TALK_ROOM = 64 << 10 };

struct talk {
    struct cursor script;
    /* the line: what the reader has not had yet */
    u8 line[TALK_ROOM];
    size_t length, at;
    bool honest; /* nothing but whole messages so far */
    bool deaf;   /* writes fail from now on */
    u32 asked;   /* messages that want one answer */
    bool ends_answered; /* set by the target: CTL_END is one */
    /* what came back */
    u8 frame[16];
    u32 frame_have, frame_left; /* bytes of the header; of the payload, to come */
    u32 answers, complaints, upcalls;
};

/* Before the first conversation: once. */
void talk_init(void);
void talk_start(struct talk *t, const u8 *script, size_t n);
/* As frame_source: self is the talk. ERR_CLOSED: a step hung up, or no step is left. */
enum err talk_read(void *self, void *buf, size_t cap, size_t *got);
enum err talk_write(void *self, const void *p, size_t n);
bool talk_ended(const struct talk *t);
/* Unloads everything: no memory is left that was not there before. */
void talk_over(struct talk *t);

#endif
