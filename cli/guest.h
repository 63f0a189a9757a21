/* guest.h: the guests of this user, running or ended in the background: a folder for each,
 * ${XDG_RUNTIME_DIR:-/tmp}/whelk-UID/NAME/, with
 *   ctl.sock     where the broker of `whelk run` takes control connections
 *   qmp.sock     QEMU's own control socket
 *   pid          of that `whelk run`
 *   program      what it runs, for `whelk ps`
 *   kernel       the file of its kernel, for `whelk gdb`
 *   process      the process that is the guest, if it is one (--plat process)
 *   console.log  the console of a guest that was started with -d
 *   status       its exit status, once such a guest has ended: then the other
 *                files but program and console.log are gone (`whelk rm` ends it all) */
#ifndef WHELK_CLI_GUEST_H
#define WHELK_CLI_GUEST_H

#include "base/types.h"

enum { GUEST_NAME_MAX = 40, GUEST_TEXT = 4096 };

struct guest {
    char name[GUEST_NAME_MAX + 1];
    char dir[208]; /* ends without a slash; the socket's path must stay below 108 */
};

/* Letters, digits, dot, dash, underscore; not first a dot or dash. */
bool guest_name_ok(const char *name);
/* Makes the folder of a new guest. name NULL: one after the program, made
 * unique. false after an error that it has named (a guest of that name runs). */
bool guest_create(struct guest *g, const char *name, const char *program);
/* The guest that runs under this name; false, and says so, if none does. */
bool guest_find(struct guest *g, const char *name);
/* The same, or one that has ended. */
bool guest_find_any(struct guest *g, const char *name);
/* A guest has ended: what only a running one needs goes, its console stays. */
void guest_keep(const struct guest *g, int status);
/* false: it has none yet, or is of another kind. */
bool guest_status(const struct guest *g, int *status);
/* Writes a line into a file of the folder; false after an error that is named. */
bool guest_put(const struct guest *g, const char *file, const char *text);
/* Reads it; false: there is none, or an empty one. */
bool guest_text(const struct guest *g, const char *file, char out[GUEST_TEXT]);
/* What it runs; "?" if that cannot be read. */
void guest_program(const struct guest *g, char out[200]);
/* Removes the folder. */
void guest_remove(const struct guest *g);
/* A path in the folder, in a buffer of the caller. */
const char *guest_path(const struct guest *g, const char *file, char out[256]);
/* The process of its `whelk run`; 0 if it is gone. */
int guest_pid(const struct guest *g);
/* Calls each with every guest, by name; running ones only, or all. */
void guest_each(bool all, void (*each)(const struct guest *g, void *arg), void *arg);

#endif
