/* files.h: the guest's files, as extensions and the control channel see them. */
#ifndef WHELK_INIT_FILES_H
#define WHELK_INIT_FILES_H

#include "wasi/wasi.h"

extern const struct wasi_host files_wasi;
/* Negated errno; *dir and *file are given back with files_wasi.close. The
 * directory is made if it is not there. */
i64 files_open_dir(const char *path, void **dir);
i64 files_open(const char *path, void **file);
/* wasi_host.open for a program: what it opens may block its thread. */
i64 files_open_blocking(void *self, struct wasi_at a, u32 flags, void **file);

#endif
