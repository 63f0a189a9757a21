/* initrd.h: writes a cpio archive ("newc") that the kernel unpacks into its
 * tree of names. Names are paths of the guest with a leading slash. */
#ifndef WHELK_CLI_INITRD_H
#define WHELK_CLI_INITRD_H

#include <stdio.h>

#include "base/types.h"

struct initrd {
    FILE *to;
    u32 next_ino;
    bool failed; /* a write failed: told once, by initrd_end */
};

void initrd_begin(struct initrd *r, FILE *to);
/* Each returns false after an error that it has named (unreadable file). */
bool initrd_add_bytes(struct initrd *r, const char *name, u32 mode, struct bytes content);
bool initrd_add_file(struct initrd *r, const char *name, const char *host_path, u32 permissions);
/* A folder and all below it, in the order of names; symbolic links stay links. */
bool initrd_add_tree(struct initrd *r, const char *name, const char *host_path);
bool initrd_add_dir(struct initrd *r, const char *name);
bool initrd_end(struct initrd *r);

#endif
