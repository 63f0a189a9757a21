/* inside.h: extensions controlled by the program itself: one connection for each
 * time that it opens /dev/whelk. The protocol is whelk/ctl.h's; doc/inside.md
 * tells programs about it. */
#ifndef WHELK_EXT_INSIDE_H
#define WHELK_EXT_INSIDE_H

#include "ext/ext.h"
#include "ext/frame.h"

/* The two ends of the byte stream; functions may block. */
struct inside_port {
    frame_source *read;
    enum err (*write)(void *self, const void *p, size_t n);
    void (*end)(void *self); /* no more reads and writes will come */
    void *self;
};
/* Starts to serve a connection, until read or write fail. On an error *port is
 * still the caller's. */
enum err inside_open(const struct inside_port *port);

#endif
