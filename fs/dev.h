/* dev.h: /dev/null zero full random urandom console tty, and the nodes that
 * generate themselves. */
#ifndef WHELK_FS_DEV_H
#define WHELK_FS_DEV_H

#include "fs/vfs.h"

i64 devfs_init(void); /* vfs_root exists, with /dev */
/* The console, for descriptors 0 to 2: output only, reading it is end of file. NULL when memory is short. */
struct file *console_open(u32 flags);

#endif
