/* control_internal.h: what speaks the protocol of whelk/ctl.h: requests.c for
 * anybody, control.c and streams.c for the host, inside.c for the program. */
#ifndef WHELK_EXT_CONTROL_INTERNAL_H
#define WHELK_EXT_CONTROL_INTERNAL_H

#include "base/err.h"
#include "base/types.h"
#include "kern/lock.h"
#include "whelk/ctl.h"

/* Where answers go. Frames go out whole: output is held from the header to the
 * last byte. */
struct channel {
    enum err (*write)(void *self, const void *p, size_t n);
    void *self;
    struct mutex *output;
    struct inside *inside; /* the program's connection; NULL: the host's channel */
};
enum err channel_send(const struct channel *ch, u16 kind, u32 id, struct bytes payload);
enum err channel_put(const struct channel *ch, u16 kind, u32 id, struct bytes payload); /* output is held */
void channel_refuse(const struct channel *ch, u32 id, enum err code, const char *why);
void channel_accept(const struct channel *ch, u32 id, const char *answer);
/* HELLO, LOAD, UNLOAD, LIST, STAT, CALL, RESUME; false: none of these. */
bool channel_request(const struct channel *ch, const struct ctl_header *h, struct bytes payload);

enum err control_send(u16 kind, u32 id, struct bytes payload);
/* The same with the output locked by the caller, so that what is taken from a
 * ring and what is sent stay in one order. */
void control_lock_output(void);
void control_unlock_output(void);
enum err control_put(u16 kind, u32 id, struct bytes payload);

enum err stream_start(void);
/* Answers CTL_OK itself, then sends the preamble. */
enum err stream_subscribe(u32 id, struct bytes name, const char **why);
void stream_unsubscribe(u32 id);
void stream_unsubscribe_all(void);

#endif
