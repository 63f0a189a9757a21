/* broker.h: shares a guest's one control channel among many clients.
 *
 * I1 only whole frames reach the guest: a client that dies in the middle of
 *    one leaves no trace in the stream.
 * I2 the guest sees ids of the broker's; each belongs to one open request.
 * I3 a client that leaves ends its streams, and late answers go nowhere. */
#ifndef WHELK_CLI_BROKER_H
#define WHELK_CLI_BROKER_H

#include "base/types.h"

struct broker;

/* guest: a stream socket to the guest; listener: a listening Unix socket. Both
 * are the broker's from here on. */
struct broker *broker_new(int guest, int listener);
void broker_free(struct broker *b);
/* Moves what can be moved, waiting at most timeout_ms for something to do.
 * false: the guest's side is closed. */
bool broker_step(struct broker *b, int timeout_ms);

#endif
