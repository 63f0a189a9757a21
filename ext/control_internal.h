/* control_internal.h: between control.c (requests) and streams.c. */
#ifndef WHELK_EXT_CONTROL_INTERNAL_H
#define WHELK_EXT_CONTROL_INTERNAL_H

#include "base/err.h"
#include "base/types.h"

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
