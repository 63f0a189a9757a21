/* host_code.h: rt_host's code_place and code_free in a Linux process. */
#ifndef WHELK_CLI_HOST_CODE_H
#define WHELK_CLI_HOST_CODE_H

#include "base/err.h"
#include "base/types.h"

enum err host_code_place(void *self, const void *code, size_t n, void **exec);
void host_code_free(void *self, void *exec, size_t n);

#endif
