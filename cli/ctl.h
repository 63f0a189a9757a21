/* ctl.h: a client of a guest's control channel (whelk/ctl.h).
 *
 * Every wait has a deadline. Errors are told on stderr by the functions
 * themselves, the guest's text included. One thread. */
#ifndef WHELK_CLI_CTL_H
#define WHELK_CLI_CTL_H

#include "cli/frame.h"
#include "cli/guest.h"

enum { CTL_TIMEOUT_MS = 20000 };

struct ctl {
    int fd;
    u32 last_id;
    struct queue in;
    const char *guest; /* name, for messages; the caller's */
    bool shows;        /* what comes before an answer goes to standard output */
};

/* Connects to the broker of the guest. false after an error it has named. */
bool ctl_open(struct ctl *c, const struct guest *g);
/* The same on a socket's path; quiet: no message on failure. */
bool ctl_open_path(struct ctl *c, const char *path, const char *name, bool quiet);
void ctl_close(struct ctl *c);

/* A frame as received; payload is allocated and followed by a zero byte. */
struct ctl_frame {
    u16 kind;
    u32 id;
    u8 *payload;
    size_t n;
};
/* Sends a request; its id, or 0 after an error. */
u32 ctl_send(struct ctl *c, u16 kind, const void *payload, size_t n);
/* Sends under an id that is open already (CTL_END). */
bool ctl_send_as(struct ctl *c, u32 id, u16 kind, const void *payload, size_t n);
enum ctl_got { CTL_GOT, CTL_TIMED_OUT, CTL_LOST };
/* The next frame of any id. A signal that interrupts the wait ends it: TIMED_OUT. */
enum ctl_got ctl_receive(struct ctl *c, struct ctl_frame *out, int timeout_ms);
/* Sends and waits for the answer with this id. true: CTL_OK, with its payload
 * in *out (free it). false: told why, as "guest: text". */
bool ctl_ask(struct ctl *c, u16 kind, const void *payload, size_t n, int timeout_ms, struct ctl_frame *out);
/* Asks the guest to shut down. true: it will, or it is gone already: its answer
 * may be lost with it. false: it refused or did not answer, which is told. */
bool ctl_stop(struct ctl *c, const char *reason, int timeout_ms);
/* The whole of it: asks (or presses the power button), and waits until the guest is gone. guests.c. */
bool guest_stop(const struct guest *g, bool button);
/* Says what a CTL_ERROR frame says. */
void ctl_complain(const struct ctl *c, const struct ctl_frame *f, const char *about);

/* Loads an extension under a name. about: for messages (the file). */
struct ctl_load_options {
    const char *name, *hook, *about;
    bool replace;
    u64 budget_ns, max_memory;
};
bool ctl_load_module(struct ctl *c, const struct ctl_load_options *o, struct bytes module, struct ctl_frame *out);

/* Writes the file of the guest to fd. false after an error that is named. */
bool ctl_read_file(const struct guest *g, const char *path, int fd);

#endif
