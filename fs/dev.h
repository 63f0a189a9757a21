/* dev.h: /dev/null zero full random urandom console tty, and the nodes that
 * generate themselves. */
#ifndef WHELK_FS_DEV_H
#define WHELK_FS_DEV_H

#include "fs/vfs.h"

i64 devfs_init(void); /* vfs_root exists, with /dev */
/* The console, for descriptors 0 to 2. NULL when memory is short. */
struct file *console_open(u32 flags);
/* Bytes typed on the serial console; interrupts may be off. What does not fit is dropped. */
void console_input(const char *p, size_t n);

#endif
