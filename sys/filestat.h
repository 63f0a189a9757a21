/* filestat.h: how Linux lays out what it knows of a file. */
#ifndef WHELK_SYS_FILESTAT_H
#define WHELK_SYS_FILESTAT_H

#include "fs/file.h"

i64 stat_write(u64 user, const struct file_stat *st);  /* struct stat of x86-64 */
i64 statx_write(u64 user, const struct file_stat *st); /* struct statx */

#endif
