/* control.h: the control channel: ctl.h spoken over a byte stream. */
#ifndef WHELK_EXT_CONTROL_H
#define WHELK_EXT_CONTROL_H

#include "ext/ext.h"
#include "ext/frame.h"

/* What init/ brings; kept, not copied. NULL members: the request is refused. */
struct control_config {
    /* The port. read as frame_source; write: all of it or an error; wait until
     * a host is there. ERR_CLOSED: the host went away. */
    frame_source *read;
    enum err (*write)(void *self, const void *p, size_t n);
    enum err (*wait_host)(void *self);
    void *self;
    /* Members for the JSON object of the system's CTL_STAT, each ",\"name\":value",
     * as fmt. */
    size_t (*describe)(char *out, size_t cap);
    /* Files of the guest, for CTL_READ: *file as ext_config.files has them; negated errno. */
    i64 (*open_file)(const char *path, void **file);
    /* Ends the machine in order; called after the answer was sent. */
    void (*stop)(const char *reason);
};
/* Starts the threads that read requests and send streams. */
enum err control_start(const struct control_config *c);
/* The system's CTL_STAT. */
size_t control_describe_system(char *out, size_t cap);

#endif
