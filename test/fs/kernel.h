/* kernel.h: what the tree of names (fs/vfs*.c, tmpfs.c) needs of the kernel, in a
 * process: pages that can run out, locks that tell of a second taker. */
#ifndef WHELK_TEST_FS_KERNEL_H
#define WHELK_TEST_FS_KERNEL_H

#include "base/types.h"

enum { FS_KERNEL_PAGES = 4096 };
extern size_t fs_kernel_pages; /* free */
extern u64 fs_kernel_blocks;   /* of the heap, in use */
extern char fs_kernel_said[200]; /* the last line of its log */

#endif
