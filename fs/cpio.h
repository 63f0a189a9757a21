/* cpio.h: the "newc" archive format of initrds (cpio(5), magic 070701/070702).
 *
 * Errors: ERR_TRUNCATED, ERR_MALFORMED, ERR_LIMIT; *at is then the offset of
 * the entry that is at fault. Pure: touches nothing but its arguments. */
#ifndef WHELK_FS_CPIO_H
#define WHELK_FS_CPIO_H

#include "base/cursor.h"
#include "base/err.h"
#include "base/types.h"

struct cpio_entry {
    struct bytes name; /* without leading "/" or "./"; empty for the root itself; no zero
                        * byte, no "." or ".." part, no empty part */
    struct bytes data; /* of a symbolic link: its target */
    u32 mode, nlink, mtime, ino;
    u32 rdev_major, rdev_minor;
};

/* The next entry; *end is set, and *out untouched, at the trailer. Leaves the
 * cursor alone on failure. */
enum err cpio_next(struct cursor *c, struct cpio_entry *out, bool *end);
/* Walks the whole archive; counts its entries. An archive of only zeros or of
 * no bytes is empty. */
enum err cpio_check(struct bytes archive, size_t *entries, size_t *at);

#endif
